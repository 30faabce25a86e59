"""Run a workflow file on a server of our own and tell where its pictures are."""

import json
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .graph import Prompt, override, to_prompt
from .places import WORKFLOWS, LaunchError
from .server import Server


def run_workflow(file: Path, settings: Sequence[str], out: Path | None) -> list[Path]:
    """Start a server, run the workflow, end the server; the paths of the files that its output nodes saved.

    Args:
        file: a workflow in UI or API format.
        settings: `node.input=value` each.
        out: the folder for the outputs; the host's output folder where it is None.

    Raises:
        LaunchError: the file is no workflow, the server refuses it, or a node fails.
    """
    graph = read_graph(file)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    print(f"Starting ComfyUI for {file.name} …", flush=True)
    with Server(output=out and out.resolve(), arguments=["--disable-api-nodes"]) as server:
        share_inputs(server.input, file.parent / "input", WORKFLOWS / "input")
        object_info = server.client.object_info()
        prompt = to_prompt(graph, object_info)
        for setting in settings:
            override(prompt, setting)
        _bring_media(prompt, object_info, server.input)
        return saved_files(run_prompt(server, prompt, graph if "nodes" in graph else None), server.output)


def run_prompt(server: Server, prompt: Prompt, workflow: dict[str, Any] | None = None) -> dict[str, Any]:
    """Queue a prompt, show its progress, wait for its end; its history.

    Raises:
        LaunchError: the server refuses it, a node fails, or it is interrupted.
    """
    prompt_id = server.client.queue(prompt, workflow)
    try:
        history = _wait(server, prompt_id)
    except BaseException:
        if server.running():
            server.client.interrupt()
        raise
    _require_success(history, server)
    return history


def read_graph(file: Path) -> dict[str, Any]:
    """The parsed JSON of a workflow file.

    Raises:
        LaunchError: there is no such file, or it is no JSON object.
    """
    if not file.is_file():
        known = ", ".join(sorted(p.name for p in WORKFLOWS.glob("*.json"))) or "none yet"
        raise LaunchError(f"There is no workflow file {file}. In {WORKFLOWS} there are: {known}.")
    try:
        graph = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LaunchError(f"{file} should hold a workflow as JSON, but it cannot be read: {error}.") from None
    if not isinstance(graph, dict):
        raise LaunchError(f"{file} should hold a workflow, but its JSON is a {type(graph).__name__}.")
    return graph


def share_inputs(input_folder: Path, *sources: Path) -> None:
    """Copy the pictures and sounds that lie beside the workflows into the server's input folder, where newer."""
    for file in (file for source in sources if source.is_dir() for file in source.iterdir() if file.is_file()):
        copy = input_folder / file.name
        if not copy.exists() or copy.stat().st_mtime < file.stat().st_mtime:
            shutil.copy2(file, copy)


def saved_files(history: dict[str, Any], output: Path) -> list[Path]:
    """The files in the output folder that a prompt's history names, without previews."""
    lists = [v for node in history["outputs"].values() for v in node.values() if isinstance(v, list)]
    files = [file for entries in lists for file in entries if isinstance(file, dict) and file.get("type") == "output"]
    return [output / file.get("subfolder", "") / file["filename"] for file in files]


def _bring_media(prompt: Prompt, object_info: dict[str, Any], input_folder: Path) -> None:
    """Where `--set` named a picture (sound, video) by its path, copy it into the input folder and use its name."""
    for node in prompt.values():
        inputs = object_info.get(node["class_type"], {}).get("input", {})
        for name, spec in {**inputs.get("required", {}), **inputs.get("optional", {})}.items():
            value = node["inputs"].get(name)
            uploads = len(spec) > 1 and any(spec[1].get(f"{media}_upload") for media in ("image", "audio", "video"))
            if not (uploads and isinstance(value, str)) or not Path(value).is_file():
                continue
            if Path(value).is_absolute() or not (input_folder / value).exists():
                shutil.copy2(value, input_folder / Path(value).name)
                node["inputs"][name] = Path(value).name


def _wait(server: Server, prompt_id: str) -> dict[str, Any]:
    start, shown = time.monotonic(), -10.0
    live = sys.stdout.isatty()
    while (history := server.client.history(prompt_id)) is None:
        if not server.running():
            raise LaunchError(f"ComfyUI ended while working. Its last lines ({server.log}):\n{server.log_tail()}")
        seconds = time.monotonic() - start
        if seconds - shown >= (0.5 if live else 10):
            line = f"  {seconds:5.1f} s  {_steps(server)}"
            print(f"\r{line:<60}" if live else line, end="" if live else "\n", flush=True)
            shown = seconds
        time.sleep(0.2)
    if live:
        print("\r" + " " * 60, end="\r")
    return history


def _steps(server: Server) -> str:
    """The sampler's progress bar in the server's log, for example '3/8 steps'."""
    bars = re.findall(r"\| (\d+/\d+) \[", server.log_tail(1))
    return f"{bars[-1]} steps" if bars else "working"


def _require_success(history: dict[str, Any], server: Server) -> None:
    if history["status"]["status_str"] == "success":
        return
    for kind, message in history["status"]["messages"]:
        if kind == "execution_error":
            raise LaunchError(
                f"Node {message['node_id']} ({message['node_type']}) failed: {message['exception_message'].strip()}\n"
                f"The full log is in {server.log}."
            )
    raise LaunchError(f"The workflow was interrupted. The log is in {server.log}.")
