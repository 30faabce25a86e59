# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
"""Identity adapters in the host: as in training, and leaving no trace."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from expressive.emotion import Emotion
from expressive.finetune.pocket_edit import PocketEditBase
from expressive.finetune.pocket_xl import PocketXLBase
from expressive.finetune.seers import load_seers
from expressive.identity.adapter import IdentityAdapter
from expressive.identity.attached import Adapted, new_adapter
from expressive.identity.tokens import TokensConfig
from expressive.pocket.faces import Identity
from expressive.pocket.latents import denormalise
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT

MODELS = ROOT / "models"
PROMPT = "Edit the person to show a happy expression"
WORDS = ["neutral", "happy", "sad"]
STEPS = 3


@pytest.fixture(scope="module")
def nodes(pack: ModuleType) -> dict[str, Any]:
    names = ("identity_adapter", "identity_expression_encode", "apply_identity_expression", "identity_injector")
    names += ("consistent_attention_sampler", "join_consistent_set", "attention_sharer", "set_joiner", "pocket_host")
    return {name: importlib.import_module(f"{pack.__name__}.nodes.{name}") for name in (*names, "pocket_xl_host")}


def random_adapter(network: torch.nn.Module) -> IdentityAdapter:
    """Nothing in it is zero."""
    reader = load_seers("reader", "reader", "reader", MODELS, torch.device("cpu"))
    tokens = TokensConfig(*reader.widths, width=32, identity_tokens=3, expression_tokens=2, heads=2)
    adapter = new_adapter(network, tokens, WORDS, every=2, heads=4)
    generator = torch.Generator().manual_seed(0)
    for parameter in adapter.layers.parameters():
        parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    adapter.prototypes.copy_(torch.randn(adapter.prototypes.shape, generator=generator))
    return adapter.eval().requires_grad_(False)


def drawn(seed: int, word: str = "neutral") -> torch.Tensor:
    """[1,H,W,3] in 0…1"""
    emotion = Emotion.neutral() if word == "neutral" else Emotion.of(f"pixelsmile.{word}")
    return torch.from_numpy(picture(Scene(Identity.sample(seed), emotion), 128).copy())[None] / 255


class Kit:
    """A base in diffusers and in the host, with the same adapter."""

    def __init__(self, kind: str, nodes: dict[str, Any], folder: Path) -> None:
        self.kind, self.nodes = kind, nodes
        self.base: Any = PocketEditBase(MODELS) if kind == "pocket-edit" else PocketXLBase(MODELS)
        self.adapter = random_adapter(self.base.network)
        key = load_seers("reader", "reader", "reader", MODELS, torch.device("cpu")).key
        file = self.adapter.save(folder / f"{kind}.safetensors", key, {"expressive.base": kind})
        self.loaded = nodes["identity_adapter"].load(file.name, file)
        self.adapter.load_state_dict(self.loaded.adapter.state_dict())  # as rounded in the file
        host = nodes["pocket_host" if kind == "pocket-edit" else "pocket_xl_host"]
        self.model, self.clip, _ = host.load_base(kind, MODELS)

    def encode(self, **given: Any) -> Any:
        node = self.nodes["identity_expression_encode"].IdentityExpressionEncode
        pictures = [torch.cat([drawn(1_900_000), drawn(1_900_000, "sad")])]
        return node.execute([self.loaded], given.pop("identity", pictures), **given).args[0]

    def apply(self, identity: Any, **changes: Any) -> Any:
        told = {"identity_weight": 1.0, "expression_weight": 1.0, "start": 0.0, "end": 1.0, **changes}
        node = self.nodes["apply_identity_expression"].ApplyIdentityExpression
        return node.execute(self.model, self.loaded, identity, **told).args[0]

    def empty(self, count: int) -> torch.Tensor:
        return torch.zeros(count, 16, 1, 8, 8) if self.kind == "pocket-edit" else torch.zeros(count, 4, 32, 32)

    @torch.no_grad()
    def sampled(self, model: Any, count: int, seed: int = 3) -> torch.Tensor:
        import comfy.sample

        cfg = 1.0 if self.kind == "pocket-edit" else 3.0
        prompts = [self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text)) for text in (PROMPT, "")]
        empty = self.empty(count)
        noise: Any = comfy.sample.prepare_noise(empty, seed)
        return comfy.sample.sample(
            model, noise, STEPS, cfg, "euler", "simple", prompts[0], prompts[1], empty, seed=seed, disable_pbar=True
        )

    @torch.no_grad()
    def as_trained(self, identity: Any, count: int, seed: int = 3) -> torch.Tensor:
        """The same by the trainer's own networks."""
        import comfy.sample

        adapted = Adapted(self.base.network, self.adapter)
        self.base.use(adapted)
        noise: Any = comfy.sample.prepare_noise(self.empty(count), seed)
        rows = count if self.kind == "pocket-edit" else 2 * count
        there = torch.arange(rows) < count
        adapted.features = (
            identity.identity.expand(rows, -1, -1), identity.appearance.expand(rows, -1, -1, -1),
            torch.ones(rows, len(identity.identity), dtype=torch.bool),
            identity.expression[torch.arange(rows) % len(identity.expression)], there, there,
        )  # fmt: skip
        if self.kind == "pocket-edit":
            texts = self.base.encode_text(PROMPT, None).expand(count, -1, -1)
            return denormalise(self.base.sample(texts, None, None, noise[:, :, 0], STEPS))[:, :, None]
        heard = [self.base.encode_caption(text) for text in [PROMPT] * count + [""]]
        context, pooled = (torch.stack(parts) for parts in zip(*heard, strict=True))
        made = self.base.sample(context, pooled, torch.zeros(6), noise, STEPS, 3.0)
        return made / self.base._base.config.vae.scale


@pytest.fixture(scope="module", params=["pocket-edit", "pocket-xl"])
def kit(request: pytest.FixtureRequest, nodes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(request.param, nodes, tmp_path_factory.mktemp("adapters"))


def test_the_host_paints_what_the_trainer_does(kit: Kit) -> None:
    faces = [torch.cat([drawn(1_900_001, "happy"), drawn(1_900_002, "sad")])]
    identity = kit.encode(expression=faces)
    plain, found = kit.sampled(kit.model, 2), kit.sampled(kit.apply(identity), 2)
    wanted = kit.as_trained(identity, 2)
    scale = float(wanted.std())
    torch.testing.assert_close(found, wanted, atol=5e-3 * scale, rtol=0)
    assert float((found - plain).abs().mean()) > 0.05 * scale, "the adapter does something"
    assert torch.equal(kit.sampled(kit.model, 2), plain), "and nothing where it is not applied"


def test_a_kept_set_wants_the_adapter_it_was_painted_with(kit: Kit) -> None:
    sampler = kit.nodes["consistent_attention_sampler"].ConsistentAttentionSampler
    told: dict[str, Any] = {
        "noise_seed": 3, "steps": STEPS, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0,
        "noise": "shared", "keep": 0.5, "strength": 1.0, "anchors": 0, "layers": "all", "start": 0.0, "end": 1.0,
        "draw_seed": 0,
    }  # fmt: skip
    prompt = kit.clip.encode_from_tokens_scheduled(kit.clip.tokenize(PROMPT))
    settings = {name: [value] for name, value in told.items()}
    with torch.no_grad():
        kept = sampler.execute([kit.model], [prompt] * 2, [prompt], [{"samples": kit.empty(1)}], **settings).args[1]
    model = kit.apply(kit.encode(emotion=[Emotion.of("pixelsmile.happy")]))
    joined = kit.nodes["join_consistent_set"].JoinConsistentSet.execute(model, kept, 1.0).args[0]
    with pytest.raises(ValueError, match="painted with no identity adapter, this picture with"):
        kit.sampled(joined, 1)


def test_weights_of_nothing_are_as_nothing(kit: Kit) -> None:
    identity = kit.encode(emotion=[Emotion.of("pixelsmile.happy")])
    found = kit.sampled(kit.apply(identity, identity_weight=0.0, expression_weight=0.0), 1)
    torch.testing.assert_close(found, kit.sampled(kit.model, 1))
    late = kit.sampled(kit.apply(identity, start=0.9999, end=1.0), 1)
    torch.testing.assert_close(late, kit.sampled(kit.model, 1))


def test_one_expression_is_for_all_and_other_numbers_are_told(kit: Kit) -> None:
    one = kit.encode(emotion=[Emotion.of("pixelsmile.sad")])
    assert one.names == ("sad",) and one.expression.shape[0] == 1
    assert kit.sampled(kit.apply(one), 3).isfinite().all()
    assert kit.sampled(kit.apply(kit.encode()), 2).isfinite().all(), "nobody says which expression"
    two = kit.encode(emotion=[Emotion.of("pixelsmile.sad"), Emotion.of("pixelsmile.happy")])
    with pytest.raises(ValueError, match="2 expressions for 3 pictures"):
        kit.sampled(kit.apply(two), 3)


def test_what_cannot_be_is_told(kit: Kit) -> None:
    with pytest.raises(ValueError, match="does not know “bored”|does not know “fear”"):
        kit.encode(emotion=[Emotion.of("pixelsmile.fear")])
    with pytest.raises(ValueError, match="as pictures and as emotions"):
        kit.encode(emotion=[Emotion.neutral()], expression=[drawn(1)])
    with pytest.raises(ValueError, match="No face was found in identity picture"):
        kit.encode(identity=[torch.zeros(1, 64, 64, 3)])
    with pytest.raises(ValueError, match="1 to 8 pictures; 9 came"):
        kit.encode(identity=[torch.zeros(9, 64, 64, 3)])
    identity = kit.encode()
    other = type(identity)(identity.identity, identity.appearance, identity.expression, (), {"identity": "other"})
    with pytest.raises(ValueError, match="other encoders"):
        kit.apply(other)
    with pytest.raises(ValueError, match="end comes later"):
        kit.apply(identity, start=0.5, end=0.5)


def test_an_adapter_of_another_model_is_refused(nodes: dict[str, Any], tmp_path: Path) -> None:
    edit, xl = Kit("pocket-edit", nodes, tmp_path), Kit("pocket-xl", nodes, tmp_path)
    edit.model, xl.model = xl.model, edit.model
    for kit in (edit, xl):
        with pytest.raises((ValueError, AttributeError), match="another model"):
            kit.apply(kit.encode())


def test_a_kept_set_is_told_its_own_expressions(kit: Kit) -> None:
    """With an adapter, who joins a set later looks as if there from the beginning: the set keeps its faces."""

    sampler = kit.nodes["consistent_attention_sampler"].ConsistentAttentionSampler
    words = [Emotion.of(f"pixelsmile.{word}") for word in ("happy", "sad")]
    cfg = 1.0 if kit.kind == "pocket-edit" else 3.0
    told: dict[str, Any] = {
        "noise_seed": 3, "steps": STEPS, "cfg": cfg, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0,
        "noise": "shared", "keep": 0.5, "strength": 1.0, "anchors": 1, "layers": "all", "start": 0.0, "end": 1.0,
        "draw_seed": 0,
    }  # fmt: skip
    prompt, empty = (kit.clip.encode_from_tokens_scheduled(kit.clip.tokenize(text)) for text in (PROMPT, ""))

    @torch.no_grad()
    def painted(count: int) -> tuple[torch.Tensor, Any]:
        model = kit.apply(kit.encode(emotion=words[:count]))
        settings = {name: [value] for name, value in told.items()}
        made, kept = sampler.execute([model], [prompt] * count, [empty], [{"samples": kit.empty(1)}], **settings).args
        return made["samples"], kept

    whole, _ = painted(2)
    _, kept = painted(1)
    model = kit.apply(kit.encode(emotion=words[1:]))
    joined = kit.nodes["join_consistent_set"].JoinConsistentSet.execute(model, kept, 1.0).args[0]
    late = kit.sampled(joined, 1)
    torch.testing.assert_close(late, whole[1:], atol=5e-3 * float(whole.std()), rtol=0)


def test_the_layers_of_the_real_sdxl_are_found(nodes: dict[str, Any]) -> None:
    """All 70 cross-attention layers by diffusers' names, as its configuration file has the network."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    from expressive.identity.attached import cross_layers

    with torch.device("meta"):
        unet = UNet2DConditionModel(
            block_out_channels=(320, 640, 1280), cross_attention_dim=2048, attention_head_dim=(5, 10, 20),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10), use_linear_projection=True,
        )  # fmt: skip
    host = {
        "num_res_blocks": [2, 2, 2], "channel_mult": [1, 2, 4], "transformer_depth": [0, 0, 2, 2, 10, 10],
        "transformer_depth_middle": 10, "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
    }  # fmt: skip
    found = nodes["identity_injector"].host_layers(host)
    assert found.keys() == cross_layers(unet).keys() and len(found) == len(set(found.values())) == 70
    assert found["down_blocks.1.attentions.0.transformer_blocks.1.attn2"] == ("input", 4, 1)
    assert found["mid_block.attentions.0.transformer_blocks.9.attn2"] == ("middle", 0, 9)
