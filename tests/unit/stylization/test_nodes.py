"""Keep Structure and Stylize in the host's own samplers, with the bundled small SDXL."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

STEPS = 6
PLAIN = {"attention": 0.0, "features": 0.0, "correction": 0.0}


@pytest.fixture(scope="module")
def nodes(pack: ModuleType) -> ModuleType:
    for name in ("pocket_xl_host", "structure_keeper"):  # the host loads them when they are first needed
        importlib.import_module(f"{pack.__name__}.nodes.{name}")
    return pack.nodes


@pytest.fixture(scope="module")
def base(nodes: ModuleType) -> tuple:
    return nodes.pocket_xl_host.load_base("pocket-xl")


@pytest.fixture(scope="module")
def image(nodes: ModuleType) -> Tensor:
    return nodes.pocket_avatar.PocketAvatar.execute(1_000_000, "portrait", 0, 2, 128).args[0]


def prompt(base: tuple, text: str) -> list:
    return base[1].encode_from_tokens_scheduled(base[1].tokenize(text))


@pytest.fixture(scope="module")
def words(base: tuple) -> dict[str, list]:
    texts = {"source": "photorealistic portrait of a person", "style": "flat cartoon of a person", "none": ""}
    return {name: prompt(base, text) for name, text in texts.items()}


@torch.no_grad()
def sampled(
    model: Any, words: dict, latents: Tensor, *, positive: str = "style", cfg: float = 3.0, denoise=0.8, **more
):
    import comfy.sample

    noise = comfy.sample.prepare_noise(latents, more.pop("seed", 3))
    rest = {"sampler_name": "euler", "scheduler": "normal", "negative": "none", **more}
    return comfy.sample.sample(
        model, noise, STEPS, cfg, rest["sampler_name"], rest["scheduler"], words[positive], words[rest["negative"]],
        latents, denoise=denoise, seed=3, disable_pbar=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def latents(nodes: ModuleType, base: tuple, image: Tensor) -> Tensor:
    with torch.no_grad():
        return nodes.stylize.encode(base[2], image)


def keeping(nodes: ModuleType, base: tuple, words: dict, **settings: Any) -> Any:
    return nodes.keep_structure.keep_structure(base[0], words["source"], nodes.keep_structure.Settings(**settings))


@pytest.mark.parametrize("sampler_name", ["euler", "dpmpp_2m", "heun", "euler_cfg_pp"])
def test_the_prompt_of_the_source_gives_the_source_back(nodes, base, words, latents, sampler_name) -> None:
    model = keeping(nodes, base, words)
    found = sampled(
        model, words, latents, positive="source", negative="source", cfg=1.0, denoise=1.0, sampler_name=sampler_name
    )
    torch.testing.assert_close(found, latents, atol=2e-3, rtol=0)


def test_without_structure_it_is_plain_sampling(nodes, base, words, latents) -> None:
    found = sampled(keeping(nodes, base, words, **PLAIN), words, latents)
    torch.testing.assert_close(found, sampled(base[0], words, latents), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", PLAIN)
def test_each_setting_keeps_more_of_the_source(nodes, base, words, latents, name) -> None:
    plain = sampled(base[0], words, latents, denoise=1.0)
    kept = sampled(keeping(nodes, base, words, **{**PLAIN, name: 1.0}), words, latents, denoise=1.0)
    assert (kept - latents).square().mean() < (plain - latents).square().mean()


def test_an_inverted_start_does_not_depend_on_the_seed(nodes, base, words, latents) -> None:
    model = keeping(nodes, base, words, start="inverted")
    assert torch.equal(sampled(model, words, latents, seed=1), sampled(model, words, latents, seed=2))
    seeded = keeping(nodes, base, words)
    assert not torch.equal(sampled(seeded, words, latents, seed=1), sampled(seeded, words, latents, seed=2))


def test_the_model_it_came_from_stays_as_it_was(nodes, base, words, latents) -> None:
    before = sampled(base[0], words, latents)
    sampled(keeping(nodes, base, words), words, latents)
    assert torch.equal(sampled(base[0], words, latents), before)


def test_conditionings_one_by_one_are_the_same_as_at_once(nodes, base, words, latents, monkeypatch) -> None:
    model = keeping(nodes, base, words)
    at_once = sampled(model, words, latents)
    monkeypatch.setattr(type(base[0].model), "memory_required", lambda *_, **__: 1e30)  # nothing fits beside another
    torch.testing.assert_close(sampled(model, words, latents), at_once, atol=2e-3, rtol=0)


def test_the_last_of_two_counts(nodes, base, words, latents) -> None:
    one = keeping(nodes, base, words)
    two = nodes.keep_structure.keep_structure(
        keeping(nodes, base, words, attention=0.0), words["source"], nodes.keep_structure.Settings()
    )
    assert torch.equal(sampled(one, words, latents), sampled(two, words, latents))


def test_perturbed_attention_guidance_is_corrected_too(nodes, base, words, latents) -> None:
    """It asks the model once more in each step, with an attention of its own: the source comes back all the same."""
    from comfy_extras.nodes_pag import PerturbedAttentionGuidance

    model = PerturbedAttentionGuidance.execute(keeping(nodes, base, words), 1.0).args[0]
    found = sampled(model, words, latents, positive="source", cfg=1.0, denoise=1.0)
    torch.testing.assert_close(found, latents, atol=2e-3, rtol=0)


def test_an_earlier_patch_keeps_its_keys(nodes, base, words, latents) -> None:
    """Tome merges the tokens that are asked, and with them the values."""
    model = base[0].clone()
    model.set_model_attn1_patch(lambda n, context, value, extra: (n, context[:, ::2], value[:, ::2]))
    kept = nodes.keep_structure.keep_structure(model, words["source"], nodes.keep_structure.Settings())
    assert sampled(kept, words, latents).isfinite().all()


def test_no_noise_is_a_sentence(nodes, base, words, latents) -> None:
    import comfy.sample

    model = keeping(nodes, base, words)
    with pytest.raises(ValueError, match="Switch add_noise on"):
        comfy.sample.sample(
            model, torch.zeros_like(latents), 2, 1.0, "euler", "normal", words["style"], words["none"], latents
        )


def test_a_source_of_a_part_of_the_picture_is_a_sentence(nodes, base, words, latents) -> None:
    for source in (words["source"] * 2, [[words["source"][0][0], {**words["source"][0][1], "start_percent": 0.5}]]):
        model = nodes.keep_structure.keep_structure(base[0], source, nodes.keep_structure.Settings())
        with pytest.raises(ValueError, match="has to be one prompt for the whole picture"):
            sampled(model, words, latents)


def test_an_empty_latent_is_a_sentence(nodes, base, words, latents) -> None:
    with pytest.raises(ValueError, match="Connect VAE Encode"):
        sampled(keeping(nodes, base, words), words, torch.zeros_like(latents))


LAYOUTS = {
    "SD15": {
        "channel_mult": [1, 2, 4, 4], "num_res_blocks": [2] * 4, "transformer_depth": [1] * 6 + [0] * 2,
        "transformer_depth_output": [1] * 9 + [0] * 3, "transformer_depth_middle": 1, "adm_in_channels": None,
        "use_linear_in_transformer": False,
    },
    "SDXL": {
        "channel_mult": [1, 2, 4], "num_res_blocks": [2] * 3, "transformer_depth": [0, 0, 2, 2, 10, 10],
        "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10], "transformer_depth_middle": 10,
        "num_classes": "sequential", "adm_in_channels": 32 + 6 * 256, "use_linear_in_transformer": True,
    },
}  # fmt: skip
"""The real models' blocks, at a tenth of their width and less."""


@pytest.mark.parametrize(("layout", "block"), [("SD15", 5), ("SDXL", 2)])
def test_the_real_layouts_give_features_where_plug_and_play_takes_them(nodes, monkeypatch, layout, block) -> None:
    """Of Stable Diffusion's 12 decoder blocks what leaves number 4, of SDXL's 9 as far down; attention of all."""
    import comfy.model_management
    import comfy.model_patcher
    import comfy.supported_models

    shape = {
        "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 32, "context_dim": 64,
        "use_spatial_transformer": True, "legacy": False, "num_heads": -1, "num_head_channels": 32,
        "use_temporal_attention": False, "use_temporal_resblock": False, **LAYOUTS[layout],
    }  # fmt: skip
    described = getattr(comfy.supported_models, layout)(dict(shape))
    described.unet_config.update(shape)  # SD15 asks for eight heads on every level
    described.set_inference_dtype(torch.float32, None)
    net = described.get_model({}, "")
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(std=0.02)
    device = comfy.model_management.get_torch_device()
    model = comfy.model_patcher.ModelPatcher(net, load_device=device, offload_device=device)
    given, asked = set(), set()
    structure = nodes.structure_keeper.SourceStructure
    features, tokens = structure.features, structure.tokens

    def watched_features(self, place, own):
        found = features(self, place, own)
        given.update([place] if found is not own else [])
        return found

    def watched_tokens(self, place, *own):
        found = tokens(self, place, *own)
        asked.update([place] if found[0] is not own[0] else [])
        return found

    monkeypatch.setattr(structure, "features", watched_features)
    monkeypatch.setattr(structure, "tokens", watched_tokens)
    words = {
        name: [[torch.randn(1, 77, 64), {"pooled_output": torch.randn(1, 32)}]] for name in ("source", "style", "none")
    }
    settings = nodes.keep_structure.Settings(attention=1.0, features=1.0)
    kept = nodes.keep_structure.keep_structure(model, words["source"], settings)
    assert sampled(kept, words, torch.randn(1, 4, 32, 32)).isfinite().all()
    assert given == {("output", block)}
    assert len(asked) == sum(LAYOUTS[layout]["transformer_depth_output"])


def stylized(nodes: ModuleType, base: tuple, words: dict, image: Tensor, **more: Any) -> Tensor:
    settings = {
        "strength": 0.8, "start": "seeded", "attention": 0.8, "features": 0.6, "correction": 1.0, "colours": 1.0,
        "steps": STEPS, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "seed": 3,
    }  # fmt: skip
    with torch.no_grad():
        return nodes.stylize.Stylize.execute(
            base[0], words["style"], words["none"], base[2], image, **{**settings, **more}
        ).args[0]


def test_stylize_is_keep_structure_and_a_sampler(nodes, base, words, image, latents) -> None:
    state = torch.get_rng_state()
    found = stylized(nodes, base, words, image, source=words["source"])
    assert torch.equal(torch.get_rng_state(), state), "the global generator is left alone"
    again = base[2].decode(sampled(keeping(nodes, base, words), words, latents))
    torch.testing.assert_close(found, again, atol=1e-3, rtol=0)


def test_a_palette_lends_its_colours(nodes, base, words, image) -> None:
    red = torch.zeros(1, 128, 128, 3)
    red[..., 0] = torch.linspace(0.3, 1.0, 128)
    plain, coloured = (stylized(nodes, base, words, image, palette=palette) for palette in (None, red))
    redness = [float((found[..., 0] - found[..., 1:].mean(-1)).mean()) for found in (plain, coloured)]
    assert redness[1] > redness[0] + 0.2


def test_another_number_of_palettes_is_a_sentence(nodes, base, words, image) -> None:
    with pytest.raises(ValueError, match="There are 3 palettes for 2 pictures"):
        stylized(nodes, base, words, image, palette=torch.rand(3, 128, 128, 3))


def test_a_model_that_takes_no_picture_is_a_sentence(nodes, image, monkeypatch) -> None:
    base = nodes.pocket_host.load_base("pocket-edit")
    monkeypatch.setattr(type(base[0].model), "extra_conds_shapes", lambda *_, **__: {})
    with pytest.raises(ValueError, match="takes no reference picture"):
        stylized(nodes, base, dict.fromkeys(("style", "none"), prompt(base, "happy")), image)


def test_no_strength_leaves_the_picture(nodes, base, words, image, latents) -> None:
    with torch.no_grad():
        torch.testing.assert_close(stylized(nodes, base, words, image, strength=0.0), base[2].decode(latents))


def test_an_editing_model_is_shown_the_picture(nodes, image) -> None:
    base = nodes.pocket_host.load_base("pocket-edit")
    words = {name: prompt(base, "Edit the person to show a happy expression") for name in ("style", "none")}
    kept = nodes.stylize.shown(words["style"], torch.zeros(1, 16, 1, 16, 16))
    assert "reference_latents" in kept[0][1] and "reference_latents" not in words["style"][0][1]
    assert nodes.stylize.shown(kept, torch.ones(1))[0][1]["reference_latents"] is kept[0][1]["reference_latents"]
    found = stylized(nodes, base, words, image, cfg=1.0, strength=1.0)
    other = stylized(nodes, base, words, image.flip(0), cfg=1.0, strength=1.0)
    assert found.shape == image.shape
    nearer = (found - image).square().mean() < (found - image.flip(0)).square().mean()
    assert nearer and (other - image.flip(0)).square().mean() < (other - image).square().mean()


def test_an_editing_model_takes_no_palette(nodes, image) -> None:
    base = nodes.pocket_host.load_base("pocket-edit")
    words = dict.fromkeys(("style", "none"), prompt(base, "happy"))
    with pytest.raises(ValueError, match="Disconnect it"):
        stylized(nodes, base, words, image, palette=image)


def test_keep_structure_wants_a_unet(nodes) -> None:
    base = nodes.pocket_host.load_base("pocket-edit")
    with pytest.raises(ValueError, match="needs a model with a UNet"):
        nodes.keep_structure.keep_structure(base[0], [], nodes.keep_structure.Settings())
