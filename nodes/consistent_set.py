"""ConsistentSet: keep a painted set, and take it up in another graph."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui

from ..expressive.named_files import named_file, names_in
from .choices import chosen
from .sockets import ConsistentSet as SetSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.attention.kept_set import KeptSet

FOLDER = "consistent_sets"
SUFFIX = ".safetensors"
NONE = "(no set yet)"


def folder() -> Path:
    """Where sets lie: in the user's folder of the host."""
    return Path(folder_paths.get_user_directory()) / FOLDER


def _mode_input() -> io.DynamicCombo.Input:
    load = io.Combo.Input(
        "kept",
        options=names_in(folder(), SUFFIX) or [NONE],
        tooltip="A set that was saved before. Press R on the canvas to see new ones.",
    )
    save = [
        io.String.Input("name", default="my cast", tooltip="A set of the same name is replaced."),
        SetSocket.Input("consistent_set", tooltip="From Consistent Attention Sampler."),
    ]
    return io.DynamicCombo.Input(
        "mode",
        options=[io.DynamicCombo.Option("load", [load]), io.DynamicCombo.Option("save", save)],
        tooltip="load: an earlier set. save: what comes in is kept, and goes on as it is.",
    )


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
            inputs=[_mode_input()],
            outputs=[
                SetSocket.Output("set_out", display_name="consistent_set", tooltip="For Join Consistent Set."),
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
        """The set. FileNotFoundError or ValueError with a sentence for one that is not there, or cannot be kept."""
        from ..expressive.attention.kept_set import KeptSet

        mode = chosen(mode, cls, "mode")
        saving = mode["mode"] == "save"
        if not saving and mode["kept"] == NONE:
            raise ValueError("No set is saved yet: set the mode to save first.")
        path = named_file(folder(), mode["name"] if saving else mode["kept"], SUFFIX, "a set")
        if saving:
            found = mode.get("consistent_set")
            if not isinstance(found, KeptSet):
                raise ValueError("There is no set to save. Connect that of a Consistent Attention Sampler.")
            if not (path.is_file() and _is_same(path, found)):
                found.save(path)
        elif path.is_file():
            found = KeptSet.load(path)
        else:
            raise FileNotFoundError(f"There is no set “{mode['kept']}” in {path.parent}.")
        told = f"{path.stem}: {found.pictures} pictures of {found.model}, {path.stat().st_size / 2**20:.1f} MB"
        tell(cls, told)
        return io.NodeOutput(found, ui=ui.PreviewText(told))


def _is_same(path: Path, found: KeptSet) -> bool:
    """Whether the file holds this already; what is behind the node then need not run again."""
    try:
        return type(found).load(path).same_as(found)
    except ValueError:  # damaged, or something else: it is replaced
        return False
