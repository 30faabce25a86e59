"""JoinConsistentSet: one more picture for a set that was painted before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import comfy.model_patcher
from comfy_api.latest import io

from .consistent_attention import kind_of, with_sharer
from .sockets import ConsistentSet

if TYPE_CHECKING:
    from ..expressive.attention.kept_set import KeptSet


class JoinConsistentSet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="JoinConsistentSet",
            display_name="Join Consistent Set",
            category="Expressive Avatars/sampling",
            description="A model that paints pictures so that they join a set which was painted before: with its hair, "
            "clothes and features. For any sampler. The set stays what it was.",
            search_aliases=["consistent character", "add one later", "same person", "attention bank"],
            inputs=[
                io.Model.Input("model", tooltip="The one that the set was painted with, and its LoRAs."),
                ConsistentSet.Input(
                    "consistent_set", tooltip="From Consistent Set, or from Consistent Attention Sampler."
                ),
                io.Float.Input(
                    "strength", default=1.0, min=0.0, max=4.0, step=0.05,
                    tooltip="How much a place in a picture of the set counts beside an own one. 0 shows nothing of it.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="model",
                    tooltip="For a sampler with the seed, size, steps, cfg and scheduler of the set.",
                )
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: comfy.model_patcher.ModelPatcher, consistent_set: KeptSet, strength: float
    ) -> io.NodeOutput:
        """A patched clone. Raises ValueError for a set of another model, or one that could not be kept."""
        from .set_joiner import SetJoiner

        if consistent_set.trouble:
            raise ValueError(consistent_set.trouble)
        if consistent_set.model != (kind := kind_of(model)):
            raise ValueError(f"The set was painted with {consistent_set.model}, this is {kind}. Connect that model.")
        if strength == 0:
            return io.NodeOutput(model)
        return io.NodeOutput(
            with_sharer(
                model,
                lambda *before: SetJoiner(consistent_set, strength, *before),
                consistent_set.sharing,
                consistent_set.pictures,
            )
        )
