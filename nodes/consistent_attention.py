"""ConsistentAttention: the pictures of a batch look at one another while they are painted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.patcher_extension
from comfy_api.latest import io

if TYPE_CHECKING:
    from ..expressive.attention.consistent import Sharing
    from ..expressive.attention.kept_set import Recorder
    from .attention_sharer import AttentionSharer

PARTS = {"all": 0.0, "last two thirds": 1 / 3, "last third": 2 / 3}
"""Which layers share → from which share of the network's depth on."""
KEY = "expressive_avatars_consistent_attention"


class ConsistentAttention(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConsistentAttention",
            display_name="Consistent Attention",
            category="Expressive Avatars/sampling",
            description="A model that paints the pictures of a batch as one set: hair, clothes and features stay the "
            "same while the prompts differ. For any sampler; the batch is the set. Nothing is trained.",
            search_aliases=["consistent character", "StoryDiffusion", "Gen-AFFECT", "shared attention", "same person"],
            inputs=[
                io.Model.Input(
                    "model", tooltip="SDXL, Stable Diffusion 1.5 or 3, Flux, Qwen-Image and their relatives."
                ),
                *sharing_inputs(),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="For a sampler with a batch of latents.")],
        )

    @classmethod
    def execute(
        cls,
        model: comfy.model_patcher.ModelPatcher,
        keep: float,
        strength: float,
        anchors: int,
        layers: str,
        start: float,
        end: float,
        draw_seed: int,
        redraw: bool = True,
        at_once: int = 0,
    ) -> io.NodeOutput:
        """A patched clone. Raises ValueError for settings that share nothing."""
        settings = {"keep": keep, "anchors": anchors, "strength": strength, "redraw": redraw, "at_once": at_once}
        return io.NodeOutput(share_attention(model, layers, start, end, seed=draw_seed, **settings))


def sharing_inputs() -> list[io.Input]:
    """How much pictures see of one another, as inputs of a node."""
    return [
        io.Float.Input(
            "keep", default=0.5, min=0.05, max=1.0, step=0.05,
            tooltip="Which part of every other picture is seen. More is more alike, and slower.",
        ),
        io.Float.Input(
            "strength", default=1.0, min=0.0, max=4.0, step=0.05,
            tooltip="How much a place in another picture counts beside an own one. 0 shares nothing.",
        ),
        io.Int.Input(
            "anchors", default=0, min=0, max=64,
            tooltip="0: all see all. Otherwise all look at the first so many pictures alone, which is much cheaper for "
            "large sets.",
        ),
        io.Combo.Input(
            "layers", options=list(PARTS), default="last two thirds",
            tooltip="Where in the model: deeper layers settle looks, the first ones the layout. In a UNet, last two "
            "thirds are its middle and decoder, the last third its decoder.",
        ),
        io.Float.Input(
            "start", default=0.0, min=0.0, max=1.0, step=0.01, tooltip="From which part of the steps on they share."
        ),
        io.Float.Input(
            "end", default=1.0, min=0.0, max=1.0, step=0.01,
            tooltip="Up to which part of the steps they share. The last ones draw details that need not be alike.",
        ),
        io.Int.Input("draw_seed", default=0, min=0, max=2**64 - 1, tooltip="Draws which parts are seen."),
        io.Boolean.Input(
            "redraw", default=True, optional=True, advanced=True,
            tooltip="See other parts in each step, so that in the end all is seen; else the same ones in all.",
        ),
        io.Int.Input(
            "at_once", default=0, min=0, max=64, optional=True, advanced=True,
            tooltip="Pictures whose attention is computed together; 0: all. Fewer need less memory and more time, and "
            "give the same.",
        ),
    ]  # fmt: skip


def share_attention(
    model: comfy.model_patcher.ModelPatcher,
    layers: str,
    start: float,
    end: float,
    recorded: list[Recorder] | None = None,
    **sharing: Any,
) -> comfy.model_patcher.ModelPatcher:
    """A clone whose pictures of a batch see one another.

    sharing: fields of `Sharing`. recorded: receives a recorder of the set. Raises ValueError for settings that make no
    sense.
    """
    from ..expressive.attention.consistent import Sharing
    from ..expressive.attention.kept_set import Recorder
    from .attention_sharer import AttentionSharer, When

    if start >= end:
        raise ValueError(f"Consistent Attention starts at {start:g} and ends at {end:g} of the steps: end comes later.")
    sampling: Any = model.get_model_object("model_sampling")
    first = math.inf if start <= 0 else float(sampling.percent_to_sigma(start))
    when = When(first, float(sampling.percent_to_sigma(end)) if end < 1 else 0.0, PARTS[layers])
    shared = Sharing(**sharing)
    recorder = None
    if recorded is not None:
        recorder = Recorder(kind_of(model), shared, when.depth, when.first, when.last)
        recorded.append(recorder)
    return with_sharer(model, lambda before, calls: AttentionSharer(shared, when, before, calls, recorder), shared)


def with_sharer(
    model: comfy.model_patcher.ModelPatcher, make: Callable[..., AttentionSharer], sharing: Sharing, banked: int = 0
) -> comfy.model_patcher.ModelPatcher:
    """A clone with the hooks of `make(previous override, attentions of a network without marks)` in it.

    sharing, banked: what is shared and by how many pictures beside the batch, for the memory that this takes.
    """
    from .attention_sharer import AttentionSharer

    patched = model.clone()
    options = patched.model_options["transformer_options"]
    unmarked = 0
    if isinstance(model.model, comfy.model_base.SD3):
        network: Any = model.model.diffusion_model
        unmarked = sum(1 + block.x_block.x_block_self_attn for block in network.joint_blocks)
    before = options.get("optimized_attention_override")
    if isinstance(before, AttentionSharer):
        raise ValueError(
            "This model's pictures share attention already, by a Consistent Attention or Join Consistent Set before "
            "this node. Keep one of them; behind Join Consistent Set, any other sampler takes a batch."
        )
    sharer = make(before, unmarked)
    options["optimized_attention_override"] = sharer
    patched.set_model_attn1_patch(sharer.mark)
    patched.set_model_attn2_patch(sharer.unmark)
    kinds = comfy.patcher_extension.WrappersMP
    patched.add_wrapper_with_key(kinds.APPLY_MODEL, KEY, sharer.apply_model)
    patched.add_wrapper_with_key(kinds.PREPARE_SAMPLING, KEY, _asking_for_memory(sharing, banked))
    return patched


def kind_of(model: comfy.model_patcher.ModelPatcher) -> str:
    """What tells whether two models are the same network, if perhaps with other weights."""
    count = sum(parameter.numel() for parameter in model.model.diffusion_model.parameters())
    return f"{type(model.model).__name__} of {count / 1e6:,.3f} million weights"


def _asking_for_memory(sharing: Sharing, banked: int) -> Callable[..., Any]:
    """The host's wrapper around loading a model: what is shared needs memory, too."""
    from .attention_sharer import bank_bytes, extra_bytes

    def prepare(
        executor: Callable[..., Any], model: Any, noise_shape: Any, conds: Any, *rest: Any, **named: Any
    ) -> Any:
        images, tokens = noise_shape[0], math.prod(noise_shape[2:]) // 4
        element = comfy.model_management.dtype_size(model.model.get_dtype_inference())
        width = _width(model)
        extra = extra_bytes(images, tokens, width, sharing, element, banked)
        extra += _layers(model) * bank_bytes(banked, tokens, width, sharing, element)
        usual = model.model.memory_required([2 * images, *noise_shape[1:]])
        batch = math.ceil(max(images, banked) * (1 + extra / max(usual, 1.0)))
        return executor(model, [batch, *noise_shape[1:]], conds, *rest, **named)

    return prepare


def _layers(model: Any) -> int:
    """Layers of self-attention."""
    names = [name.rpartition(".")[2] for name, _ in model.model.diffusion_model.named_modules()]
    return sum(name in ("attn1", "attn", "img_attn") for name in names) + len(
        getattr(model.model.diffusion_model, "single_blocks", ())
    )


def _width(model: Any) -> int:
    """Channels of the layers with the most tokens that share, as far as the host's description tells them."""
    config = model.model.model_config.unet_config
    heads = config.get("num_attention_heads", 0) * config.get("attention_head_dim", 0)
    stable_diffusion_3 = 64 * config.get("depth", 0)
    return heads or config.get("hidden_size") or stable_diffusion_3 or 2 * config.get("model_channels", 320)
