"""ConsistentSet: keep a painted set, and take it up in another graph."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from .choices import chosen
from .kept_files import KeptFiles
from .sockets import ConsistentSet as SetSocket
from .telling import tell

SETS = KeptFiles("consistent_sets", ".safetensors", "set")


class ConsistentSet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConsistentSet",
            display_name="Consistent Set",
            category="Expressive Avatars/sampling",
            description="Keeps a set of pictures under a name, so that one more can join it later and look the same.",
            search_aliases=["save character", "load character", "consistent character", "attention bank"],
            is_output_node=True,  # saving is something to run for
            inputs=[
                SETS.mode_input(
                    "my cast", SetSocket.Input("consistent_set", tooltip="From Consistent Attention Sampler.")
                )
            ],
            outputs=[
                SetSocket.Output("set_out", display_name="consistent_set", tooltip="For Join Consistent Set."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, mode: dict[str, Any] | None = None) -> str:
        """When the file changed last."""
        return SETS.fingerprint(mode)

    @classmethod
    def execute(cls, mode: dict[str, Any] | None = None) -> io.NodeOutput:
        """The set. FileNotFoundError or ValueError with a sentence for one that is not there, or cannot be kept."""
        from ..expressive.attention.kept_set import KeptSet

        mode = chosen(mode, cls, "mode")
        if mode["mode"] == "load":
            found, path = SETS.load(KeptSet, mode)
        elif isinstance(found := mode.get("consistent_set"), KeptSet):
            path = SETS.save(found, mode)
        else:
            raise ValueError("There is no set to save. Connect that of a Consistent Attention Sampler.")
        told = f"{path.stem}: {found.pictures} pictures of {found.model}, {path.stat().st_size / 2**20:.1f} MB"
        tell(cls, told)
        return io.NodeOutput(found, ui=ui.PreviewText(told))
