"""LoadIdentityAdapter: an adapter that shows a model whom to paint, and with which expression."""

from __future__ import annotations

from pathlib import Path

import folder_paths
from comfy_api.latest import io, ui

from .model_folders import ADAPTERS
from .sockets import IdentityAdapter
from .telling import tell

NONE = "(no adapter yet)"


class LoadIdentityAdapter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadIdentityAdapter",
            display_name="Load Identity Adapter",
            category="Expressive Avatars/loaders",
            description="Loads an adapter that shows a model whom to paint, and with which expression.",
            search_aliases=["Gen-AFFECT", "IP-Adapter", "PuLID", "identity adapter", "face adapter"],
            inputs=[
                io.Combo.Input(
                    "adapter",
                    options=folder_paths.get_filename_list(ADAPTERS) or [NONE],
                    tooltip="A file of models/identity_adapters, or one that comes with the pack. "
                    "trainers/train_adapter.py makes them.",
                )
            ],
            outputs=[
                IdentityAdapter.Output(
                    "adapter_out", display_name="adapter",
                    tooltip="For Identity Expression Encode and Apply Identity Expression.",
                )
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, adapter: str) -> str:
        """Of the file: one that was trained anew is read again."""
        path = folder_paths.get_full_path(ADAPTERS, adapter)
        told = Path(path).stat() if path else None
        return f"{told.st_mtime_ns} {told.st_size}" if told else ""

    @classmethod
    def execute(cls, adapter: str) -> io.NodeOutput:
        """The adapter. FileNotFoundError or ValueError with a sentence for a file that is not there, or is none."""
        from .identity_adapter import load

        if adapter == NONE:
            raise FileNotFoundError(
                "There is no adapter in models/identity_adapters. trainers/train_adapter.py makes one."
            )
        loaded = load(adapter, Path(folder_paths.get_full_path_or_raise(ADAPTERS, adapter)))
        told = f"for {loaded.base}; knows {', '.join(loaded.adapter.words[1:]) or 'no words'}"
        tell(cls, told)
        return io.NodeOutput(loaded, ui=ui.PreviewText(told))
