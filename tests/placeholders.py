"""Empty files under the names of the models that the full workflows want, so that a server offers these names."""

import json
from pathlib import Path

from PIL import Image

from launcher.places import WORKFLOWS


def placeholder_models(folder: Path) -> list[str]:
    """Fill a folder with the empty files and give the arguments that make ComfyUI look there."""
    for file in WORKFLOWS.glob("*.json"):
        for node in json.loads(file.read_text(encoding="utf-8"))["nodes"]:
            for model in node["properties"].get("models", []):
                place = folder / model["directory"]
                place.mkdir(parents=True, exist_ok=True)
                (place / model["name"]).touch()
    paths = folder / "paths.yaml"
    folders = "".join(f"  {entry.name}: {entry.name}\n" for entry in sorted(folder.iterdir()) if entry.is_dir())
    paths.write_text(f"placeholders:\n  base_path: {folder.as_posix()}\n{folders}", encoding="utf-8")
    return ["--extra-model-paths-config", str(paths)]


def example_picture(input_folder: Path) -> None:
    """The picture that a fresh ComfyUI has in its input folder, and that the full workflows load until told otherwise."""
    Image.new("RGB", (512, 640), "tan").save(input_folder / "example.png")
