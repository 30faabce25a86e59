"""Installing the pack's requirements into an artist's ComfyUI changes nothing that the host brought."""

import importlib.metadata
import json
import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from launcher.host import find_host
from launcher.places import ROOT


def requirement_lines(text: str) -> list[str]:
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def host_packages() -> set[str]:
    """Every package that the host's requirements.txt pulls in, as installed here."""
    closure: set[str] = set()
    waiting = [Requirement(line) for line in requirement_lines((find_host() / "requirements.txt").read_text())]
    while waiting:
        requirement = waiting.pop()
        extras = sorted(requirement.extras) or [""]
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = canonicalize_name(requirement.name)
        if name in closure:
            continue
        closure.add(name)
        for line in importlib.metadata.requires(name) or []:
            needed = Requirement(line)
            if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                needed.marker = None
                waiting.append(needed)
    return closure


def test_the_closure_is_the_hosts(host_packages):
    assert {"torch", "numpy", "pillow", "transformers", "aiohttp", "comfyui-frontend-package"} <= host_packages
    assert "diffusers" not in host_packages


def test_nothing_of_the_hosts_would_change(host_packages, tmp_path):
    report = tmp_path / "report.json"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--report",
        str(report),
    ]
    command += ["-r", str(ROOT / "requirements.txt")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    ours = {canonicalize_name(item["metadata"]["name"]): item["metadata"] for item in installs}
    assert "thorvg-python" in ours  # as into an environment that has nothing of ours yet
    for name in set(ours) - host_packages:
        for line in ours[name].get("requires_dist", []):
            needed = Requirement(line)
            wanted = canonicalize_name(needed.name)
            if wanted in host_packages and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                there = importlib.metadata.version(wanted)
                assert there in needed.specifier, f"{name} would replace the host's {wanted} {there}"


def test_requirements_name_nothing_that_the_host_brings(host_packages):
    named = {
        canonicalize_name(Requirement(line).name) for line in requirement_lines((ROOT / "requirements.txt").read_text())
    }
    assert named & host_packages == set()
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)\]", pyproject, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert {canonicalize_name(Requirement(text).name) for text in re.findall(r'"([^"]+)"', listed.group(1))} == named
