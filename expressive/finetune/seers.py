"""The frozen encoders that an adapter's configuration names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..identity.features import Seers
from .cache import weights_hash
from .judges import READER, READER_FILE, face_finder, finder_key


def load_seers(
    identity: str, appearance: str, expression: str, models: Path, device: torch.device, finder: str = ""
) -> Seers:
    """Encoders by name: 'reader', a folder of CLIP or DINO, of an InsightFace pack, or a POSTER checkpoint.

    finder: who looks for faces for POSTER, see `face_finder`. Raises FileNotFoundError, or ValueError for an encoder
    that cannot do what is asked of it.
    """
    from ..encoders import ExpressionEncoder, IdentityEncoder, ImageEncoder, PatchEncoder

    found: dict[str, tuple[Any, str]] = {}
    for name in {identity, appearance, expression}:
        found[name] = _loaded(name, models, device, finder)
    wanted = {
        "identity": (identity, (IdentityEncoder, ImageEncoder)),
        "appearance": (appearance, (PatchEncoder,)),
        "expression": (expression, (ExpressionEncoder, ImageEncoder)),
    }
    for role, (name, kinds) in wanted.items():
        if not isinstance(found[name][0], kinds):
            raise ValueError(f"{found[name][0].name} cannot tell {role}. Name a folder of CLIP or DINO for it.")
    return Seers(
        **{role: found[name][0] for role, (name, _) in wanted.items()},
        key={role: found[name][1] for role, (name, _) in wanted.items()},
    )


def _loaded(name: str, models: Path, device: torch.device, finder: str) -> tuple[Any, str]:
    """An encoder on its device, and what it is: its kind, its file or folder, and a hash of its weights."""
    if name == READER:
        from ..pocket.reader.encoders import PocketEncoder

        reader = PocketEncoder.load(models)
        reader.reader.to(device)
        return reader, f"reader {READER_FILE} {weights_hash(models / READER_FILE)}"
    path = Path(name)
    if path.suffix in (".pth", ".safetensors"):
        from ..encoders.poster import load_poster

        poster = load_poster(path, finder=face_finder(finder, models, device))
        nn.Module.to(poster.network, device)
        return poster, f"poster {path.name} {weights_hash(path)}+{finder_key(finder, models)}"
    if any(path.glob("*.onnx")):
        from ..encoders.insightface import find_pack, load_insightface

        pack = load_insightface(path)
        if pack.network is not None:
            nn.Module.to(pack.network, device)
        return pack, f"arcface {path.name} {weights_hash(*find_pack(path)[1:])}"
    from ..encoders.clip import load_clip, load_dino

    kind = ""
    if (path / "config.json").is_file():
        kind = json.loads((path / "config.json").read_text(encoding="utf-8")).get("model_type", "")
    encoder = load_clip(path) if kind == "clip" else load_dino(path)
    nn.Module.to(encoder.network, device)
    return encoder, f"{kind or 'dino'} {path.name} {weights_hash(*sorted(path.glob('*.safetensors')))}"
