"""What the pack costs a starting ComfyUI: no heavy library, and less than a tenth of a second."""

import json
import os
import subprocess
import sys
from pathlib import Path

from launcher.host import find_host
from launcher.places import ROOT

BUDGET_SECONDS = 0.1
FORBIDDEN = (
    *("diffusers", "transformers", "peft", "accelerate", "mediapipe", "insightface", "cv2", "onnxruntime"),
    *("thorvg_python", "matplotlib"),
)

# Loads the whole host first, as when the pack's turn comes; then the pack as nodes.load_custom_node does.
PROGRAM = """
import asyncio, builtins, gc, importlib.util, json, sys, time
host, root, forbidden = sys.argv[1], sys.argv[2], set(json.loads(sys.argv[3]))
sys.path.insert(0, host)
from comfy.cli_args import args
args.cpu = True
import nodes
loaded = set(sys.modules)

name = root.replace(".", "_x_")
ours = []
real_import = builtins.__import__
def watched(wanted, globals=None, *rest, **named):
    importer = (globals or {}).get("__name__", "")
    if importer.startswith(name) and wanted.partition(".")[0] in forbidden:
        ours.append(importer.removeprefix(name) + " imports " + wanted)
    return real_import(wanted, globals, *rest, **named)
builtins.__import__ = watched

gc.collect()  # so that no sweep over the host's own objects falls into our time
start = time.perf_counter()
spec = importlib.util.spec_from_file_location(name, root + "/__init__.py")
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
async def load():
    extension = await module.comfy_entrypoint()
    await extension.on_load()
    return [node.GET_SCHEMA().node_id for node in await extension.get_node_list()]
ids = asyncio.run(load())
seconds = time.perf_counter() - start

came = {module.partition(".")[0] for module in set(sys.modules) - loaded}
print(json.dumps({"seconds": seconds, "ids": ids, "ours": ours, "came": sorted(came & forbidden)}))
"""


def start_once(compiled: Path) -> dict:
    """compiled: where Python keeps what it compiled, as it does for everybody who starts the host a second time."""
    command = [sys.executable, "-c", PROGRAM, str(find_host()), str(ROOT), json.dumps(FORBIDDEN)]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(compiled)
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=find_host(), env=env)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_loading_the_pack_is_light(pack, tmp_path):
    """The best of three: the machine may be busy with other things, the pack cannot be faster than it is."""
    runs = [start_once(tmp_path) for _ in range(3)]
    for run in runs:
        assert run["ids"] == [node.GET_SCHEMA().node_id for node in pack.nodes.NODES]
        assert run["ours"] == []
        assert run["came"] == []
    assert min(run["seconds"] for run in runs) < BUDGET_SECONDS


def test_the_emotion_library_needs_no_torch():
    program = (
        "import sys; import expressive.emotion; assert 'torch' not in sys.modules; assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
