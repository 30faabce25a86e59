"""The commands of run.py."""

import argparse
import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from . import doctor
from .browser import get_browser
from .places import ROOT, VENV_PYTHON, WORKFLOWS, LaunchError
from .server import Server
from .setup import set_up
from .workflow import run_workflow, share_inputs

DEMO = WORKFLOWS / "expression-slider.pocket.json"
LAYERS = ("unit", "host", "browser")


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status. Problems that a person can solve are one message on stderr and status 1."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _end)
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except LaunchError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Set up, try, test and measure Expressive Avatars.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="set everything up and make a first picture: a face along an emotion")
    demo.add_argument("--out", type=Path, metavar="DIR", help="where the picture goes")
    demo.set_defaults(command=_demo)

    canvas = commands.add_parser("canvas", help="open ComfyUI with the pack in the browser")
    canvas.add_argument("--port", type=int, default=8188, help="preferred port (8188); a free one if it is taken")
    canvas.add_argument("--no-browser", action="store_true", help="print the address only")
    canvas.set_defaults(command=_canvas)

    workflow = commands.add_parser("workflow", help="run a workflow file without the canvas")
    workflow.add_argument("file", type=Path, metavar="FILE.json", help="in UI or API format")
    workflow.add_argument(
        "--set", action="append", default=[], metavar="NODE.INPUT=VALUE", dest="settings",
        help="change an input; NODE is an id, a title or a class name; may be repeated",
    )  # fmt: skip
    workflow.add_argument("--out", type=Path, metavar="DIR", help="where the outputs go")
    workflow.set_defaults(command=_workflow)

    test = commands.add_parser("test", help="run the tests: unit, then host, then browser")
    test.add_argument(
        "rest",
        nargs=argparse.REMAINDER,
        metavar=f"[{' | '.join(LAYERS)}] [-- …]",
        help="one layer; arguments for pytest",
    )
    test.set_defaults(command=_test)

    bench = commands.add_parser("bench", help="check a claim: prints a table, writes bench/results/NAME.json")
    bench.add_argument("name", help="a file of bench/, for example startup")
    bench.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="arguments for the bench")
    bench.set_defaults(command=_bench)

    pocket = commands.add_parser("pocket", help="rebuild the bundled pocket weights, or draw a pocket dataset")
    pocket.add_argument(
        "rest", nargs=argparse.REMAINDER, metavar="…", help="edit, reader, xl, video, data or sheets, and arguments"
    )
    pocket.set_defaults(command=_pocket)

    check = commands.add_parser("doctor", help="what is installed, and which model files go where")
    check.set_defaults(command=_doctor)
    return parser


def _demo(options: argparse.Namespace) -> int:
    set_up()
    status = _run(DEMO, [], options.out)
    print("To change it, open the canvas:  python run.py canvas  and choose the template expression-slider.pocket.")
    return status


def _workflow(options: argparse.Namespace) -> int:
    set_up()
    return _run(options.file, options.settings, options.out)


def _run(file: Path, settings: Sequence[str], out: Path | None) -> int:
    start = time.monotonic()
    files = run_workflow(file, settings, out)
    for path in files:
        print(path)
    print(f"{len(files)} file(s) in {time.monotonic() - start:.1f} s.")
    return 0


def _canvas(options: argparse.Namespace) -> int:
    set_up()
    print("Starting ComfyUI …", flush=True)
    with Server(options.port, packs="all", arguments=["--preview-method", "auto"]) as server:
        share_inputs(server.input, WORKFLOWS / "input")
        if server.port != options.port:
            print(f"Port {options.port} is taken.")
        print(f"The canvas is at {server.url}\nCtrl-C ends it. Its log: {server.log}", flush=True)
        if not options.no_browser:
            webbrowser.open(server.url)
        while server.running():
            time.sleep(0.5)
        raise LaunchError(f"ComfyUI ended. Its last lines ({server.log}):\n{server.log_tail()}")


def _test(options: argparse.Namespace) -> int:
    set_up()
    named = options.rest[:1] if options.rest and options.rest[0] in LAYERS else []
    layers = named or list(LAYERS)
    if "browser" in layers:
        get_browser()
    folders = [str(ROOT / "tests" / layer) for layer in layers]
    config = ["-c", str(ROOT / "tests" / "pytest.ini"), "--rootdir", str(ROOT / "tests")]
    return _python(["-m", "pytest", *config, *folders, *_own(options.rest[len(named) :])])


def _bench(options: argparse.Namespace) -> int:
    files = (ROOT / "bench").glob("*.py")
    known = sorted(file.stem for file in files if "__main__" in file.read_text(encoding="utf-8"))
    if options.name not in known:
        raise LaunchError(f"There is no bench {options.name!r}. There are: {', '.join(known)}.")
    return _script(ROOT / "bench" / f"{options.name}.py", options.rest)


def _pocket(options: argparse.Namespace) -> int:
    rest = _own(options.rest)
    drawn = {"data": "draw_dataset.py", "sheets": "draw_sheets.py"}
    if rest and rest[0] in drawn:
        return _script(ROOT / "trainers" / drawn[rest[0]], rest[1:])
    return _script(ROOT / "trainers" / "train_pocket.py", rest)


def _doctor(options: argparse.Namespace) -> int:
    doctor.report()
    return 0


def _script(file: Path, arguments: Sequence[str]) -> int:
    set_up()
    return _python([str(file), *_own(arguments)])


def _own(rest: Sequence[str]) -> list[str]:
    return list(rest[1:] if rest[:1] == ["--"] else rest)


def _python(arguments: Sequence[str]) -> int:
    """Run the environment's Python with the repository on its path, and end it if we are ended."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    child = subprocess.Popen([str(VENV_PYTHON), *arguments], env={**os.environ, "PYTHONPATH": path})
    try:
        return child.wait()
    except KeyboardInterrupt:  # the terminal sent it to the child as well, which is cleaning up
        child.wait()
        raise
    except SystemExit:
        child.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        child.wait()
        raise


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
