"""What is installed, which ComfyUI, and which model file each workflow wants where. Reads only; needs no network."""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .host import named_host, pack_folder, version
from .places import MODELS, OWN_HOST, ROOT, VENV, VENV_PYTHON, WORKFLOWS, LaunchError
from .setup import is_set_up

CATALOGUE = Path(__file__).with_name("models.json")  # not in workflows: every JSON there is a template on the canvas
PACKAGES = ("torch", "torchvision", "torchaudio", "diffusers", "peft", "transformers", "pytest", "playwright")


def report() -> None:
    """Print everything. Whatever is missing is said, not raised."""
    print(f"This python     {sys.version.split()[0]}  {sys.executable}")
    print(f"The pack        {ROOT}")
    host = _report_host()
    if host is not None and is_set_up(host):
        print("Set-up          complete")
    else:
        print("Set-up          not complete; `python run.py demo` does it")
    _report_packages()
    _report_models(host)


def wanted_models(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of `properties.models` of every node of a UI-format workflow, those in subgraphs too."""
    definitions = workflow.get("definitions", {}).get("subgraphs", [])
    for part in [workflow, *definitions]:
        for node in part.get("nodes", []):
            yield from node.get("properties", {}).get("models", [])


def model_folders(host: Path | None) -> list[Path]:
    """Where this host looks for models; the folder to put new ones in comes first."""
    if host is None or host == OWN_HOST:
        return [MODELS, OWN_HOST / "models"]
    return [host / "models"]


def _report_host() -> Path | None:
    try:
        host = named_host() or OWN_HOST
    except LaunchError as error:
        print(f"ComfyUI         {error}")
        return None
    if not (host / "main.py").is_file():
        print(f"ComfyUI         not there yet: {host}")
        return host
    source = "unpacked by run.py" if host == OWN_HOST else "from COMFYUI_PATH"
    print(f"ComfyUI         {version(host)}  {host}  ({source})")
    folder = pack_folder(host)
    state = "linked" if folder.exists() else "is linked when ComfyUI is started"
    print(f"Pack in ComfyUI {folder}  ({state})")
    return host


def _report_packages() -> None:
    if not VENV_PYTHON.exists():
        print(f"Environment     not there yet: {VENV}")
        return
    packages = [str(path) for path in (*VENV.glob("lib/python*/site-packages"), VENV / "Lib" / "site-packages")]
    print(f"Environment     {VENV}")
    for name in PACKAGES:
        found = next(iter(importlib.metadata.distributions(name=name, path=packages)), None)
        print(f"  {name:<14}{found.version if found else 'not installed'}")


def _report_models(host: Path | None) -> None:
    folders = model_folders(host)
    print(f"\nModel files go to {folders[0]}")
    catalogue = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    for file in sorted(WORKFLOWS.glob("*.json")):
        wanted = {m["name"]: m for m in wanted_models(json.loads(file.read_text(encoding="utf-8")))}
        for name, entry in catalogue.items():
            if file.name in entry["used_by"]:
                wanted[name] = {**wanted.get(name, {}), **entry}
        print(f"\n{file.name}" + ("" if wanted else ": no model files to fetch"))
        for name, model in wanted.items():
            _report_model(name, {**catalogue.get(name, {}), **model}, folders)


def _report_model(name: str, model: dict[str, Any], folders: list[Path]) -> None:
    places = [folder / model["directory"] / name for folder in folders]
    found = next((place for place in places if place.is_file()), None)
    size = model.get("size_bytes")
    if found and size and found.stat().st_size != size:
        state = f"INCOMPLETE ({found.stat().st_size:,} of {size:,} bytes)"
    else:
        state = "there" if found else "missing"
    facts = [
        f"{size:,} bytes" if size else model.get("size", "size: see its page"),
        f"licence {model.get('licence', 'see its page')}",
    ]
    print(f"  {state:<8}{model['directory']}/{name}  ({', '.join(facts)})")
    print(f"          {model.get('page', model['url'])}")
