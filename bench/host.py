"""The host and the pack inside this process, for benches that ask a node often."""

import importlib
import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from bench.report import ROOT
from launcher.host import find_host


def load_pack() -> ModuleType:
    """The pack's root module as the host loads it, on the CPU: `pack.nodes.<file>.<Node>.execute(…)`.

    The host's folders for the user, inputs, outputs and temporary files are away from it.
    """
    sys.path.insert(0, str(find_host()))  # before the repository root: the host's `nodes` is nodes.py
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    state = Path(tempfile.mkdtemp(prefix="bench-host-"))
    for name in ("user", "input", "output", "temp"):
        (state / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(state / name))
    name = str(ROOT).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, ROOT / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def nodes_file(pack: ModuleType, name: str) -> ModuleType:
    """One file of the pack's nodes."""
    return importlib.import_module(f"{pack.__name__}.nodes.{name}")
