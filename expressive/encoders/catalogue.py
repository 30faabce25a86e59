"""Which files the encoders want, where they come from, and what may be done with them: for loader nodes and checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelFiles:
    """One published model. folder: the model folder of the host that it belongs in, then `place` in it. files: in
    `place`. packages: from PyPI, beyond what the host brings. page: where people get it. commercial: whether its
    licence allows commercial use of what it judged."""

    name: str
    kind: str  # identity, expression, image-text, image, image distance, landmarks
    folder: str
    place: str
    files: tuple[str, ...]
    packages: tuple[str, ...]
    page: str
    licence: str
    commercial: bool


_FACES = "https://github.com/deepinsight/insightface/tree/master/model_zoo"
_CLIP_FILES = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json")
_DINO_FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
_NON_COMMERCIAL = "non-commercial research only"
_CONVERTER = ("onnxruntime", "onnx", "onnx2torch")

CATALOGUE = (
    ModelFiles(
        "InsightFace antelopev2",
        "identity",
        "insightface",
        "models/antelopev2",
        ("scrfd_10g_bnkps.onnx", "glintr100.onnx"),
        _CONVERTER,
        _FACES,
        _NON_COMMERCIAL,
        False,
    ),
    ModelFiles(
        "InsightFace buffalo_l",
        "identity",
        "insightface",
        "models/buffalo_l",
        ("det_10g.onnx", "w600k_r50.onnx"),
        _CONVERTER,
        _FACES,
        _NON_COMMERCIAL,
        False,
    ),
    ModelFiles(
        "POSTER",
        "expression",
        "expression_encoders",
        "poster",
        ("rafdb_best.pth",),
        (),
        "https://github.com/zczcwh/POSTER",
        f"code MIT or Apache-2.0; trained on faces for {_NON_COMMERCIAL}",
        False,
    ),
    ModelFiles(
        "CLIP ViT-L/14",
        "image-text",
        "image_encoders",
        "clip-vit-large-patch14",
        _CLIP_FILES,
        (),
        "https://huggingface.co/openai/clip-vit-large-patch14",
        "MIT",
        True,
    ),
    ModelFiles(
        "DINOv2 ViT-B/14",
        "image",
        "image_encoders",
        "dinov2-base",
        _DINO_FILES,
        (),
        "https://huggingface.co/facebook/dinov2-base",
        "Apache-2.0",
        True,
    ),
    ModelFiles(
        "MediaPipe Holistic",
        "landmarks",
        "mediapipe",
        "",
        ("holistic_landmarker.task",),
        ("mediapipe",),
        "https://ai.google.dev/edge/mediapipe/solutions/vision/holistic_landmarker",
        "Apache-2.0",
        True,
    ),
    ModelFiles(
        "LPIPS (AlexNet)",
        "image distance",
        "image_encoders",
        "",
        ("alexnet-owt-7be5be79.pth",),
        ("lpips",),
        "https://pytorch.org/vision/stable/models/alexnet.html",
        "BSD-3-Clause",
        True,
    ),
)
