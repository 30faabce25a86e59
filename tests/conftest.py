"""Fixtures for every layer: the pack as the host loads it, inside this process."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from launcher.host import find_host
from launcher.places import ROOT, WORKFLOWS


@pytest.fixture(scope="session")
def host_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real ComfyUI made importable on the CPU, its user, input, output and temp folders away from it; its place."""
    host = find_host()
    sys.path.insert(0, str(host))  # before the repository root: the host's `nodes` is nodes.py
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    state = tmp_path_factory.mktemp("host-state")
    for name in ("user", "input", "output", "temp"):
        (state / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(state / name))
    return host


@pytest.fixture(scope="session")
def pack(host_modules: Path) -> ModuleType:
    """The pack's root module, loaded under the same odd name as in the host: `pack.nodes.<file>.<Node>.execute(…)`."""
    path = str(ROOT)
    name = path.replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, ROOT / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    importlib.import_module(f"{name}.nodes.pocket_host")  # the host loads it when it is first needed
    return module


@pytest.fixture(scope="session")
def placeholder_models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments with which a server sees an empty file under the name of every model that a full workflow wants."""
    folder = tmp_path_factory.mktemp("models")
    for file in WORKFLOWS.glob("*.json"):
        for node in json.loads(file.read_text(encoding="utf-8"))["nodes"]:
            for model in node["properties"].get("models", []):
                place = folder / model["directory"]
                place.mkdir(exist_ok=True)
                (place / model["name"]).touch()
    folders = "".join(f"  {place.name}: {place.name}\n" for place in sorted(folder.iterdir()))
    paths = folder / "paths.yaml"
    paths.write_text(f"placeholders:\n  base_path: {folder.as_posix()}\n{folders}", encoding="utf-8")
    return ["--extra-model-paths-config", str(paths)]
