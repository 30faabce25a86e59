"""An identity-expression adapter and its encoders under the host's memory management."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.model_patcher
import folder_paths
from torch import nn

from .pocket_files import MODELS

if TYPE_CHECKING:
    from ..expressive.identity.adapter import IdentityAdapter
    from ..expressive.identity.features import Seers


@dataclass(frozen=True)
class LoadedAdapter:
    """name: of the file. encoders: role → “kind name hash” of the encoder that it was trained with. base: of the model
    that it belongs to."""

    name: str
    adapter: IdentityAdapter
    patcher: comfy.model_patcher.ModelPatcher
    encoders: Mapping[str, str]
    base: str
    finder: str = ""


def load(name: str, path: Path) -> LoadedAdapter:
    """Raises ValueError for a file that is none."""
    from ..expressive.identity.adapter import load_adapter

    adapter, encoders, told = load_adapter(path)
    return LoadedAdapter(
        name, adapter, _patcher(adapter), encoders, told.get("expressive.base", "?"), told.get("expressive.finder", "")
    )


def seers_of(loaded: LoadedAdapter) -> tuple[Seers, list[comfy.model_patcher.ModelPatcher]]:
    """The encoders that an adapter was trained with, on the device; the host keeps them while the patchers are held.

    Raises FileNotFoundError, with where it belongs, for one that is not there, and ValueError for one of that name with
    other weights.
    """
    import torch

    from ..expressive.finetune.seers import load_seers

    places = {role: str(_place(key)) for role, key in loaded.encoders.items()}
    finder = (loaded.finder if loaded.finder == "reader" else str(_place(loaded.finder))) if loaded.finder else ""
    seers = load_seers(**places, models=MODELS, device=torch.device("cpu"), finder=finder)
    for role, key in loaded.encoders.items():
        if seers.key[role] != key:
            raise ValueError(
                f"{loaded.name} was trained with another {_name(key)} than the one in {places[role]}. Get the one "
                "that its maker names."
            )
    networks: list[Any] = [one.network for one in (seers.identity, seers.appearance, seers.expression)]
    patchers = [_patcher(network) for network in {id(net): net for net in networks if net is not None}.values()]
    comfy.model_management.load_models_gpu(patchers, force_full_load=True)
    return seers, patchers


def _patcher(network: nn.Module) -> comfy.model_patcher.ModelPatcher:
    # within a list, because the host writes `device` on what it holds, which transformers' models do not allow
    return comfy.model_patcher.ModelPatcher(
        nn.ModuleList([network]),
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )


def _name(key: str) -> str:
    """Of “kind name hash”; names may have spaces."""
    return key.split(" ", 1)[1].rpartition(" ")[0]


def _place(key: str) -> str | Path:
    """Where an encoder of the host's user lies. Raises FileNotFoundError."""
    kind, name = key.split(" ", 1)[0], _name(key)
    if kind == "reader":
        return "reader"
    folder = {"arcface": "insightface/models", "poster": "expression_encoders/poster"}.get(kind, "image_encoders")
    path = Path(folder_paths.models_dir) / folder / name
    if not path.exists():
        raise FileNotFoundError(
            f"This adapter looks through {name}, which is not there. Put it at models/{folder}/{name}."
        )
    return path
