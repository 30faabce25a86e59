"""LoadAssistant: a chat model that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
import torch
from comfy_api.latest import io, ui

from .model_folders import LANGUAGE_MODELS, model_folders
from .sockets import Assistant as AssistantSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.dialogue.chat_model import ChatModel
    from ..expressive.dialogue.messages import Message, Sampling

NONE = "(no chat model yet)"
AUTOMATIC = "automatic"
DTYPES = (AUTOMATIC, "bfloat16", "float16", "float32")
CONTEXT = 4096
"""Tokens of a conversation for which memory is kept free; a longer one takes more when it comes."""


@dataclass(frozen=True)
class LoadedAssistant:
    """The chat model; `patcher` brings it to the device."""

    model: ChatModel
    patcher: comfy.model_patcher.ModelPatcher

    @property
    def name(self) -> str:
        return self.model.name

    def reply(self, messages: Sequence[Message], sampling: Sampling, progress: Callable[[int], None]) -> str:
        """See `expressive.dialogue.messages.Assistant`."""
        comfy.model_management.load_models_gpu(
            [self.patcher],
            memory_required=self.model.cache_bytes(CONTEXT + sampling.tokens),
            force_full_load=True,
        )
        return self.model.reply(messages, sampling, progress)


class LoadAssistant(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadAssistant",
            display_name="Load Assistant",
            category="Expressive Avatars/loaders",
            description="Loads a chat model that answers in Assistant Reply, such as MAVAGEN's Qwen2.5-7B-Instruct.",
            search_aliases=["LLM", "chat model", "Qwen", "language model", "chatbot", "MAVAGEN"],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=list(model_folders(LANGUAGE_MODELS)) or [NONE],
                    tooltip="A folder of models/LLM with config.json, safetensors and the tokenizer's files, such as "
                    "that of Qwen/Qwen2.5-7B-Instruct.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPES),
                    tooltip="How precise its numbers are. automatic: bfloat16 where the device can, else what it can.",
                    advanced=True,
                ),
            ],
            outputs=[AssistantSocket.Output("assistant", tooltip="For Assistant Reply.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, model: str, dtype: str = AUTOMATIC) -> str:
        """Of the folder's files: one that was replaced is read again."""
        folder = model_folders(LANGUAGE_MODELS).get(model)
        told = sorted((file.name, file.stat().st_mtime_ns) for file in folder.glob("*.*")) if folder else []
        return str(told)

    @classmethod
    def execute(cls, model: str, dtype: str) -> io.NodeOutput:
        """The assistant. FileNotFoundError, ImportError or ValueError with a sentence for a folder that holds none."""
        from torch import nn

        from ..expressive.dialogue.chat_model import ChatModel

        folder = model_folders(LANGUAGE_MODELS).get(model)
        if folder is None:
            raise FileNotFoundError(
                f"There is no folder {model} in models/LLM. Download all files of "
                "https://huggingface.co/Qwen/Qwen2.5-7B-Instruct (Apache-2.0, about 15 GB) into "
                "models/LLM/Qwen2.5-7B-Instruct, or of Qwen/Qwen2.5-1.5B-Instruct (about 3 GB). Without a chat model, "
                "Assistant Reply answers by a script."
            )
        device = comfy.model_management.text_encoder_device()
        chosen = _dtype(dtype, device)
        found = ChatModel.load(folder, chosen)
        # within a list, because the host writes `device` on what it holds, which transformers' models do not allow
        patcher = comfy.model_patcher.ModelPatcher(
            nn.ModuleList([found.network]),
            load_device=device,
            offload_device=comfy.model_management.text_encoder_offload_device(),
        )
        size = sum(parameter.numel() for parameter in found.network.parameters())
        told = f"{found.name}: {size / 1e9:.1f} billion weights, {str(chosen).removeprefix('torch.')}"
        tell(cls, told)
        return io.NodeOutput(LoadedAssistant(found, patcher), ui=ui.PreviewText(told))


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name != AUTOMATIC:
        return {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}[name]
    if comfy.model_management.should_use_bf16(device):
        return torch.bfloat16
    return torch.float32 if comfy.model_management.is_device_cpu(device) else torch.float16
