"""IdentityFile: keep a person, and take them up in another graph."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui

from ..expressive.named_files import named_file, names_in
from .choices import chosen
from .sockets import Identity
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.identity.features import IdentityFeatures

FOLDER = "identities"
SUFFIX = ".safetensors"
NONE = "(no identity yet)"


def folder() -> Path:
    """Where identities lie: in the user's folder of the host."""
    return Path(folder_paths.get_user_directory()) / FOLDER


def _mode_input() -> io.DynamicCombo.Input:
    load = io.Combo.Input(
        "kept",
        options=names_in(folder(), SUFFIX) or [NONE],
        tooltip="An identity that was saved before. Press R on the canvas to see new ones.",
    )
    save = [
        io.String.Input("name", default="my avatar", tooltip="An identity of the same name is replaced."),
        Identity.Input("identity", tooltip="From Identity Expression Encode."),
    ]
    return io.DynamicCombo.Input(
        "mode",
        options=[io.DynamicCombo.Option("load", [load]), io.DynamicCombo.Option("save", save)],
        tooltip="load: an earlier identity. save: what comes in is kept, and goes on as it is.",
    )


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
            inputs=[_mode_input()],
            outputs=[
                Identity.Output("identity_out", display_name="identity", tooltip="For Apply Identity Expression."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, mode: dict[str, Any] | None = None) -> str:
        """When the file changed last: a changed one is read again, and one that was replaced or removed saved again."""
        named = (mode or {}).get("kept") or (mode or {}).get("name")
        path = folder() / f"{named}{SUFFIX}"
        return str(path.stat().st_mtime_ns if path.is_file() else time.time_ns())  # never what it was before

    @classmethod
    def execute(cls, mode: dict[str, Any] | None = None) -> io.NodeOutput:
        """The identity. FileNotFoundError or ValueError with a sentence for one that is not there, or broken."""
        from ..expressive.identity.features import IdentityFeatures

        mode = chosen(mode, cls, "mode")
        saving = mode["mode"] == "save"
        if not saving and mode["kept"] == NONE:
            raise ValueError("No identity is saved yet: set the mode to save first.")
        path = named_file(folder(), mode["name"] if saving else mode["kept"], SUFFIX, "an identity")
        if saving:
            found = mode.get("identity")
            if not isinstance(found, IdentityFeatures):
                raise ValueError("There is no identity to save. Connect that of Identity Expression Encode.")
            if not (path.is_file() and _is_same(path, found)):
                found.save(path)
        elif path.is_file():
            found = IdentityFeatures.load(path)
        else:
            raise FileNotFoundError(f"There is no identity “{mode['kept']}” in {path.parent}.")
        told = f"{path.stem}: {len(found.identity)} pictures, {len(found.expression)} expressions"
        tell(cls, told)
        return io.NodeOutput(found, ui=ui.PreviewText(told))


def _is_same(path: Path, found: IdentityFeatures) -> bool:
    """Whether the file holds this already; what is behind the node then need not run again."""
    try:
        return type(found).load(path).same_as(found)
    except ValueError:  # damaged, or something else: it is replaced
        return False
