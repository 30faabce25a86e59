"""The text-to-picture bases in diffusers and transformers, and in the host's own classes, are the same functions."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from expressive.pocket.xl import sampling
from expressive.pocket.xl.config import AutoencoderConfig, BaseConfig, EncoderConfig, UNetConfig
from expressive.pocket.xl.model import PocketBase, load_base, new_base, whole_picture
from launcher.places import ROOT

PROMPTS = ["portrait of a young woman, happy expression, red hair", ""]
SMALL = BaseConfig(
    unet=UNetConfig((32, 64, 64), 1, (0, 1, 2)),
    encoders=(EncoderConfig(32, 64, 3, 2), EncoderConfig(64, 96, 3, 4, "gelu")),
    vae=AutoencoderConfig((16, 32), preview=((0.1, 0.2, 0.3),) * 5),
)
VIDEO = BaseConfig(
    architecture="sd15",
    unet=UNetConfig((32, 32, 64, 64), 2, (1, 1, 1, 0)),
    encoders=(EncoderConfig(32, 64, 2, 2),),
    vae=SMALL.vae,
    vae_of="random-xl",
)
SHIPPED = ROOT / "models"
BASES = ["random-xl", "random-video"]
BASES += [name for name in ("pocket-xl", "pocket-video") if (SHIPPED / f"{name}.unet.safetensors").is_file()]


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the files of `random-xl` and `random-video`: every weight random, nothing zero."""
    folder = tmp_path_factory.mktemp("bases")
    for name, config in {"random-xl": SMALL, "random-video": VIDEO}.items():
        torch.manual_seed(0)
        base = new_base(config)
        for net in base.modules().values():
            for key, parameter in net.named_parameters():
                parameter.data.add_(0.03 * torch.randn_like(parameter))
                if "norm" in key and parameter.ndim == 1 and "bias" not in key:
                    parameter.data.add_(0.1 * torch.randn_like(parameter))
        base.save(folder, name, {"modelspec.title": name, "pocket.seed": 0})
    return folder


@pytest.fixture(scope="session")
def host(pack: ModuleType) -> ModuleType:
    """The module of the pack that builds the host's objects."""
    return importlib.import_module(f"{pack.__name__}.nodes.pocket_xl_host")


@pytest.fixture(scope="module", params=BASES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def reference(bases: Path, name: str) -> PocketBase:
    return load_base(bases if name.startswith("random") else SHIPPED, name)


@pytest.fixture(scope="module")
def hosted(host: ModuleType, bases: Path, name: str) -> tuple:
    """MODEL, CLIP and VAE of the same base."""
    return host.load_base(name, bases if name.startswith("random") else SHIPPED)


@torch.no_grad()
@pytest.mark.parametrize("prompt", PROMPTS)
def test_text_encoders(reference: PocketBase, hosted: tuple, prompt: str) -> None:
    clip = hosted[1]
    ((found, options),) = clip.encode_from_tokens_scheduled(clip.tokenize(prompt))
    wanted = reference.encode_prompts([prompt])
    assert found.shape == wanted.context.shape == (1, 77, reference.config.context_width)
    torch.testing.assert_close(found, wanted.context, atol=1e-3, rtol=0)
    if wanted.pooled is not None:
        torch.testing.assert_close(options["pooled_output"], wanted.pooled, atol=1e-3, rtol=0)
    assert found.std() > 0.01


@torch.no_grad()
def test_unet(reference: PocketBase, hosted: tuple) -> None:
    net, side = hosted[0].model.diffusion_model, reference.config.size // reference.config.vae.ratio
    noisy, time = torch.randn(2, 4, side, side), torch.tensor([20, 900])
    prompted = reference.encode_prompts(PROMPTS)
    sizes = torch.tensor([[128.0, 96.0, 0.0, 8.0, 128.0, 128.0], [256.0, 256.0, 4.0, 0.0, 256.0, 256.0]])
    wanted = reference.predict(noisy, time, prompted, sizes)
    options = {}
    if prompted.pooled is not None:
        embedded = hosted[0].model.embedder(sizes.flatten()).reshape(2, -1)
        options["y"] = torch.cat((prompted.pooled, embedded), dim=1)
    found = net(noisy, time.float(), prompted.context, transformer_options={}, **options)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)
    assert wanted.std() > 0.01
    assert (reference.predict(noisy, time, prompted.rows([1, 0]), sizes) - wanted).abs().max() > 1e-3  # words matter


@torch.no_grad()
def test_auto_encoder(reference: PocketBase, hosted: tuple) -> None:
    vae, scale = hosted[2], reference.config.vae.scale
    pictures = torch.rand(2, 64, 64, 3)
    wanted = reference.encode(pictures.movedim(-1, 1) * 2 - 1) / scale
    found = vae.encode(pictures)
    assert found.shape == (2, 4, 16, 16)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-4)
    again = reference.decode(wanted * scale).movedim(1, -1).add(1).div(2).clamp(0, 1)
    torch.testing.assert_close(vae.decode(found), again, atol=1e-3, rtol=0)


@torch.no_grad()
def test_a_graph_of_the_hosts_own_nodes(reference: PocketBase, hosted: tuple) -> None:
    """CLIPTextEncode, EmptyLatentImage, KSampler with guidance, VAEDecode: 128 px, as our own sampling makes them."""
    import comfy.sample

    core: Any = importlib.import_module("nodes")

    model, clip, vae = hosted
    positive, negative = ([*core.CLIPTextEncode().encode(clip, prompt)][0] for prompt in PROMPTS)
    (empty,) = core.EmptyLatentImage().generate(128, 128, 2)
    (latent,) = core.KSampler().sample(model, 5, 4, 3.0, "euler", "simple", positive, negative, empty)
    assert latent["samples"].shape == (2, 4, 32, 32)
    noise: Any = comfy.sample.prepare_noise(torch.zeros(2, 4, 32, 32), 5)
    prompted = reference.encode_prompts([PROMPTS[0]] * 2)
    wanted = reference.sample(prompted, noise, 4, 3.0)
    torch.testing.assert_close(
        latent["samples"] * reference.config.vae.scale, wanted, atol=1e-3 * float(wanted.std()), rtol=0
    )
    (pictures,) = core.VAEDecode().decode(vae, latent)
    assert pictures.shape == (2, 128, 128, 3)
    (encoded,) = core.VAEEncode().encode(vae, pictures)
    assert encoded["samples"].shape == (2, 4, 32, 32)
    (again,) = core.KSampler().sample(model, 5, 4, 1.0, "euler", "simple", positive, negative, encoded, denoise=0.5)
    assert again["samples"].shape == (2, 4, 32, 32)


def test_the_noise_levels_are_the_hosts(hosted: tuple) -> None:
    import comfy.samplers

    levels = hosted[0].get_model_object("model_sampling")
    torch.testing.assert_close(levels.sigmas, sampling.noise_levels(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        comfy.samplers.calculate_sigmas(levels, "simple", 7), sampling.schedule(7)[0], atol=1e-5, rtol=1e-5
    )


def test_sizes_are_those_that_the_host_gives_without_being_asked(hosted: tuple, reference: PocketBase) -> None:
    if reference.config.architecture != "sdxl":
        pytest.skip("Stable Diffusion 1.5 knows no sizes")
    clip, model = hosted[1], hosted[0].model
    ((_, options),) = clip.encode_from_tokens_scheduled(clip.tokenize("a face"))
    side = 8 * reference.config.size // reference.config.vae.ratio  # what samplers.encode_model_conds says for 32 × 32
    found = model.encode_adm(device=torch.device("cpu"), width=side, height=side, **options)
    wanted = model.embedder(torch.tensor(whole_picture(reference.config))).flatten()
    torch.testing.assert_close(found[0, -6 * 256 :], wanted)


def test_lora_names_of_the_real_models_find_every_layer(hosted: tuple, reference: PocketBase) -> None:
    """Kohya's names (lora_unet_…, lora_te1_…, lora_te2_…) and diffusers' names, on all attention and text layers."""
    import comfy.sd

    model, clip, _ = hosted
    sdxl = reference.config.architecture == "sdxl"
    lora, layers = {}, 0

    def add(stem: str, shape: torch.Size) -> None:
        out, into = shape[0], shape[1:].numel()
        lora[f"{stem}.lora_up.weight"] = torch.randn(out, 2, *[1] * (len(shape) - 2))
        lora[f"{stem}.lora_down.weight"] = torch.randn(2, *shape[1:]) if into else torch.randn(2, 1)
        lora[f"{stem}.alpha"] = torch.tensor(2.0)

    for key, weight in reference.unet.named_parameters():
        layer = key.removesuffix(".weight")
        if key.endswith(".weight") and ".attentions." in key and weight.ndim > 1:
            add("lora_unet_" + layer.replace(".", "_"), weight.shape)
            layers += 1
    assert layers > 20
    texts = 0
    for index, encoder in enumerate(reference.text_encoders):
        prefix = f"lora_te{index + 1}_" if sdxl else "lora_te_"
        for key, weight in encoder.named_parameters():
            if key.endswith(".weight") and ".layers." in key and weight.ndim > 1:
                add(prefix + "text_model_" + key.removeprefix("text_model.").removesuffix(".weight").replace(".", "_"),
                    weight.shape)  # fmt: skip
                texts += 1
    patched, patched_clip = comfy.sd.load_lora_for_models(model, clip, lora, 1.0, 1.0)
    assert patched is not None and patched_clip is not None
    assert len(patched.patches) == layers
    assert len(patched_clip.patcher.patches) == texts


def test_brackets_weigh_words_and_long_prompts_come_in_parts(hosted: tuple) -> None:
    clip = hosted[1]
    tokens = clip.tokenize("(happy:1.5) person")
    assert {weight for row in tokens["l"] for _, weight in row} == {1.0, 1.5}
    long = clip.tokenize("happy person " * 60)
    assert [len(part) for part in long["l"]] == [77, 77]
    assert clip.encode_from_tokens(long).shape[1] == 154


def test_the_model_can_be_made_again_from_its_files(hosted: tuple) -> None:
    for patcher in (hosted[0], hosted[1].patcher, hosted[2].patcher):
        build, arguments = patcher.cached_patcher_init
        again = build(*arguments)
        assert again.model is not patcher.model
        for key, weight in patcher.model.state_dict().items():
            if "logit_scale" not in key and "clip_l.transformer.text_projection" not in key:
                assert torch.equal(weight, again.model.state_dict()[key]), key


def test_previews_have_the_auto_encoders_colours(host: ModuleType, bases: Path) -> None:
    model = host.load_base("random-video", bases)[0]
    shown = model.get_model_object("latent_format")
    assert (shown.spacial_downscale_ratio, shown.scale_factor) == (4, 0.13025)
    assert shown.latent_rgb_factors == [[0.1, 0.2, 0.3]] * 4 and shown.latent_rgb_factors_bias == [0.1, 0.2, 0.3]


def test_bases_are_listed_and_a_missing_auto_encoder_is_a_sentence(
    pack: ModuleType, host: ModuleType, bases: Path, tmp_path: Path
) -> None:
    assert pack.nodes.pocket_files.text_to_picture_bases(bases) == ["random-video", "random-xl"]
    for file in bases.glob("random-video.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(FileNotFoundError, match=r"random-xl\.vae\.safetensors .* Install the pack again"):
        host.load_base("random-video", tmp_path)


def test_weights_that_do_not_fit_are_a_sentence(host: ModuleType, bases: Path, tmp_path: Path) -> None:
    (tmp_path / "mixed.unet.safetensors").write_bytes((bases / "random-xl.vae.safetensors").read_bytes())
    vae = str(bases / "random-xl.vae.safetensors")
    with pytest.raises(ValueError, match="does not fit its own description"):
        host.load_unet(str(tmp_path / "mixed.unet.safetensors"), vae)


def test_a_config_comes_back_from_json_and_nonsense_is_a_sentence() -> None:
    assert BaseConfig.from_json(SMALL.to_json()) == SMALL
    assert BaseConfig.from_json(VIDEO.to_json()) == VIDEO
    for nonsense in ("[1]", '{"widths": 3}', "x"):
        with pytest.raises(ValueError, match="not the description of a pocket base"):
            BaseConfig.from_json(nonsense)
    with pytest.raises(ValueError, match="multiples"):
        replace(SMALL.unet, widths=(64, 96, 128))
    with pytest.raises(ValueError, match="same number of levels"):
        replace(SMALL.vae, widths=(32, 64, 64))
    with pytest.raises(ValueError, match="do not make"):
        replace(SMALL, architecture="sd15")
