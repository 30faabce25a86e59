"""IdentityFile: keep a person, and take them up in another graph."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from .choices import chosen
from .kept_files import KeptFiles
from .sockets import Identity
from .telling import tell

IDENTITIES = KeptFiles("identities", ".safetensors", "identity", article="an")


class IdentityFile(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="IdentityFile",
            display_name="Identity File",
            category="Expressive Avatars/identity",
            description="Keeps a person, with the expressions that were encoded, under a name for other graphs. The "
            "file holds numbers, not pictures, but they tell who it is: treat it as you treat a portrait.",
            search_aliases=["save identity", "load identity", "save face", "face model"],
            is_output_node=True,  # saving is something to run for
            inputs=[
                IDENTITIES.mode_input(
                    "my avatar", Identity.Input("identity", tooltip="From Identity Expression Encode.")
                )
            ],
            outputs=[
                Identity.Output("identity_out", display_name="identity", tooltip="For Apply Identity Expression."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, mode: dict[str, Any] | None = None) -> str:
        """When the file changed last."""
        return IDENTITIES.fingerprint(mode)

    @classmethod
    def execute(cls, mode: dict[str, Any] | None = None) -> io.NodeOutput:
        """The identity. FileNotFoundError or ValueError with a sentence for one that is not there, or broken."""
        from ..expressive.identity.features import IdentityFeatures

        mode = chosen(mode, cls, "mode")
        if mode["mode"] == "load":
            found, path = IDENTITIES.load(IdentityFeatures, mode)
        elif isinstance(found := mode.get("identity"), IdentityFeatures):
            path = IDENTITIES.save(found, mode)
        else:
            raise ValueError("There is no identity to save. Connect that of Identity Expression Encode.")
        told = f"{path.stem}: {len(found.identity)} pictures, {len(found.expression)} expressions"
        tell(cls, told)
        return io.NodeOutput(found, ui=ui.PreviewText(told))
