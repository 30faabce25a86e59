"""A ComfyUI process with the pack in it, that never outlives its `with` block."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from .client import Client
from .host import find_host, pack_folder, search_paths
from .places import HOST_HOME, OWN_HOST, STATE, VENV_PYTHON, LaunchError

START_SECONDS = 600


class Server:
    """Starts ComfyUI on entering, waits until it answers, ends it on leaving.

    Args:
        port: preferred port; a free one is taken where it is None or in use.
        state: the host's user, input, output and temp folders and its log.
        output: the output folder, where it should be another than the one in `state`.
        packs: the custom node packs to load: this one, all that the host has, or none.
        arguments: more of ComfyUI's own command-line arguments.

    Raises (on entering):
        LaunchError: ComfyUI ends or fails to load the pack; the message has the last lines of its log.
    """

    def __init__(
        self,
        port: int | None = None,
        *,
        state: Path = STATE,
        output: Path | None = None,
        packs: Literal["this", "all", "none"] = "this",
        arguments: Sequence[str] = (),
    ) -> None:
        self.host = find_host()
        self.port = free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = Client(self.url)
        self.input = state / "input"
        self.output = output or state / "output"
        self.temp = state / "temp" / str(self.port)
        self.log = state / "log" / f"{self.port}.log"
        user = state / "user"
        for folder in (self.input, self.output, self.temp, self.log.parent, user):
            folder.mkdir(parents=True, exist_ok=True)
        _forget_old(self.log.parent)
        self.command = [
            str(VENV_PYTHON if VENV_PYTHON.exists() else sys.executable),
            str(self.host / "main.py"),
            *("--port", str(self.port), "--disable-auto-launch"),
            *("--database-url", "sqlite:///:memory:", "--user-directory", str(user)),
            *("--input-directory", str(self.input), "--output-directory", str(self.output)),
            *("--temp-directory", str(self.temp)),
            *search_paths(self.host),
            *arguments,
        ]
        self.packs = packs
        if packs != "all":
            self.command.append("--disable-all-custom-nodes")
        if packs == "this":
            self.command += ["--whitelist-custom-nodes", pack_folder(self.host).name]
        if "--cpu" not in arguments and needs_cpu():
            self.command.append("--cpu")
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        self.environment.pop("PYTHONPATH", None)
        if self.host != OWN_HOST:  # somebody's ComfyUI: leave no byte code in it either
            self.environment["PYTHONPYCACHEPREFIX"] = str(HOST_HOME / "pycache")
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Server":
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.host,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                **_own_process_group(),
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process: asked first, killed after ten seconds."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.temp, ignore_errors=True)

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of ComfyUI's log; of a progress bar its last state."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(line.rpartition("\r")[2] for line in text.rstrip().split("\n")[-lines:])

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.running():
                raise LaunchError(f"ComfyUI ended while starting. Its last lines ({self.log}):\n{self.log_tail()}")
            try:
                self.client.get("/system_stats", timeout=5)
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
                continue
            if self.packs != "none":
                self._require_pack()
            return
        raise LaunchError(f"ComfyUI did not answer for {START_SECONDS} s. The end of {self.log}:\n{self.log_tail()}")

    def _require_pack(self) -> None:
        pack = re.escape(str(pack_folder(self.host)))
        text = self.log.read_text(encoding="utf-8", errors="replace")
        if re.search(rf"IMPORT FAILED\): {pack}\s*$", text, re.MULTILINE):
            raise LaunchError(f"ComfyUI could not load the pack. Its last lines ({self.log}):\n{self.log_tail(60)}")


def free_port(wanted: int | None = None) -> int:
    """`wanted` if nobody listens there, else any free port of this machine."""
    for port in [wanted, 0] if wanted else [0]:
        with socket.socket() as probe:
            if os.name != "nt":  # there it would allow two listeners; here it only forgets closed connections
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise LaunchError("This machine has no free network port left. Close some programs and try again.")


def _forget_old(logs: Path, days: float = 7) -> None:
    for log in logs.glob("*.log"):
        if time.time() - log.stat().st_mtime > days * 86400:
            log.unlink(missing_ok=True)


def needs_cpu() -> bool:
    """Whether ComfyUI must be told to do without a GPU: it ends with an error where it expects one and finds none."""
    if sys.platform == "linux" and not any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")):
        return True
    question = "import torch; raise SystemExit(not (torch.cuda.is_available() or torch.backends.mps.is_available()))"
    return subprocess.run([str(VENV_PYTHON), "-c", question], stderr=subprocess.DEVNULL, check=False).returncode != 0


def _own_process_group() -> dict[str, Any]:
    """Ctrl-C reaches us alone, and we end the server; on Linux the kernel ends it too if we are killed."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    if sys.platform != "linux":
        return {"start_new_session": True}
    libc = ctypes.CDLL(None)

    def end_with_parent() -> None:
        pr_set_pdeathsig = 1
        libc.prctl(pr_set_pdeathsig, signal.SIGTERM)

    return {"start_new_session": True, "preexec_fn": end_with_parent}
