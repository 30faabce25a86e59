"""CLIP (pictures and texts) and DINO, DINOv2, DINOv3 (pictures) from local folders as Hugging Face publishes them.

A folder holds config.json, model.safetensors, preprocessor_config.json, and for CLIP the tokenizer's files. Nothing is
fetched, and no other weights than safetensors are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from . import loading, model_folder
from .interfaces import check_pictures
from .preprocessing import Preprocessing

DINO = ("vit", "dinov2", "dinov2_with_registers", "dinov3_vit")
"""model_type of the families whose first token stands for the whole picture."""


class ClipEncoder:
    """ImageTextEncoder: CLIP's projected features (Radford et al. 2021)."""

    licence = "CLIP: as its folder's model card says (OpenAI's weights: MIT)."
    differentiable = True

    def __init__(
        self, name: str, network: nn.Module, tokenizer: Callable[..., Any], preprocessing: Preprocessing, length: int
    ) -> None:
        """network: transformers' CLIPModel. length: tokens of a text at most."""
        self.name, self.network = name, network
        self.input_size: int | None = preprocessing.side
        self._model: Any = network
        self.image_width = int(self._model.config.projection_dim)
        self.patch_width = int(self._model.config.vision_config.hidden_size)
        self._tokenizer, self._preprocessing, self._length = tokenizer, preprocessing, length

    def encode_image(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, D] of length 1."""
        return F.normalize(self._model.visual_projection(self._pooled(pictures)), dim=1).to(pictures.device)

    def encode_pooled(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, width of the vision tower] of length 1, before the projection: PixelSmile's features."""
        return F.normalize(self._pooled(pictures), dim=1).to(pictures.device)

    def encode_patches(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, patches, width of the vision tower], after its last layer."""
        return self._vision(pictures).last_hidden_state[:, 1:].to(pictures.device)

    def _pooled(self, pictures: Tensor) -> Tensor:
        return self._vision(pictures).pooler_output

    def _vision(self, pictures: Tensor) -> Any:
        check_pictures(pictures)
        return self._model.vision_model(pixel_values=self._preprocessing(loading.to_network(pictures, self.network)))

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """B texts → [B, D] of length 1."""
        if isinstance(texts, str) or not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError("CLIP takes a list of texts, none of them empty.")
        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._length, return_tensors="pt"
        )
        device = next(self.network.parameters()).device
        pooled = self._model.text_model(
            input_ids=tokens["input_ids"].to(device), attention_mask=tokens["attention_mask"].to(device)
        ).pooler_output
        return F.normalize(self._model.text_projection(pooled), dim=1)


class DinoEncoder:
    """ImageEncoder: the class token after the last norm (Caron et al. 2021; Oquab et al. 2023)."""

    licence = "DINO, DINOv2: Apache-2.0; DINOv3: Meta's own licence. See the folder's model card."
    differentiable = True

    def __init__(self, name: str, network: nn.Module, preprocessing: Preprocessing) -> None:
        self.name, self.network = name, network
        self.input_size: int | None = preprocessing.side
        self._model: Any = network
        self.image_width = self.patch_width = int(self._model.config.hidden_size)
        self._registers = int(getattr(self._model.config, "num_register_tokens", 0))
        self._preprocessing = preprocessing

    def encode_image(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, D] of length 1."""
        return F.normalize(self._tokens(pictures)[:, 0], dim=1)

    def encode_patches(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, patches, D], after the last norm."""
        return self._tokens(pictures)[:, 1 + self._registers :]

    def _tokens(self, pictures: Tensor) -> Tensor:
        """[B, 1 + registers + patches, D]"""
        check_pictures(pictures)
        pixels = self._preprocessing(loading.to_network(pictures, self.network))
        return self._model(pixel_values=pixels).last_hidden_state.to(pictures.device)


def load_clip(folder: Path) -> ClipEncoder:
    """From the folder of openai/clip-vit-large-patch14, laion's, or any other of transformers' CLIPModel.

    Raises FileNotFoundError, ImportError or ValueError with one sentence.
    """
    config = model_folder.read_config(folder, ("clip",), "CLIP")
    transformers = loading.package("transformers", "run CLIP")
    network: Any = model_folder.load_network(transformers.CLIPModel, folder, "the CLIP model")
    tokenizer = model_folder.load_tokenizer(
        transformers.AutoTokenizer, folder, int(network.config.text_config.vocab_size)
    )
    length = int(config.get("text_config", {}).get("max_position_embeddings", 77))
    return ClipEncoder(f"CLIP ({folder.name})", network, tokenizer, Preprocessing.read(folder), length)


def load_dino(folder: Path) -> DinoEncoder:
    """From the folder of facebook/dino-vits16, facebook/dinov2-base, or another of their families.

    Raises FileNotFoundError, ImportError or ValueError with one sentence.
    """
    kind = model_folder.read_config(folder, DINO, "DINO")["model_type"]
    transformers = loading.package("transformers", "run DINO")
    rest = {"add_pooling_layer": False} if kind == "vit" else {}
    network = model_folder.load_network(transformers.AutoModel, folder, "the DINO model", **rest)
    return DinoEncoder(f"DINO ({folder.name})", network, Preprocessing.read(folder))
