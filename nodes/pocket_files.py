"""Which pocket bases there are, by their files alone: the host lists them as it starts."""

from pathlib import Path

MODELS = Path(__file__).resolve().parents[1] / "models"


def editing_bases(folder: Path = MODELS) -> list[str]:
    """Names of the editing bases in a folder, by their transformers' files."""
    return _names(folder, ".transformer.safetensors")


def text_to_picture_bases(folder: Path = MODELS) -> list[str]:
    """Names of the text-to-picture bases in a folder, by their UNets' files."""
    return _names(folder, ".unet.safetensors")


def _names(folder: Path, ending: str) -> list[str]:
    return sorted(path.name.removesuffix(ending) for path in folder.glob(f"*{ending}"))
