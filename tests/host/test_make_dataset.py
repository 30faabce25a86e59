"""The dataset maker on real servers: one is stopped, the maker is killed, and the dataset ends whole."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from launcher.places import ROOT
from launcher.server import Server

CONFIG = ROOT / "trainers" / "configs" / "geneava-1.0.pocket.toml"
FEW = ("checks.tries=1", "expressions=['happiness', 'sadness', 'anger']", "people.count=4", "output.shards=5")


def command(out: Path, *arguments: str) -> list[str]:
    settings = [word for change in FEW for word in ("--set", change)]
    return [
        sys.executable, str(ROOT / "trainers" / "make_dataset.py"),
        "--config", str(CONFIG), *settings, "--out", str(out), *arguments,
    ]  # fmt: skip


def rows(out: Path) -> list[dict]:
    file = out / "metadata.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def wait_for(out: Path, count: int, process: subprocess.Popen, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while len(rows(out)) < count:
        assert process.poll() is None, "it ended before its time"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_killed_and_with_a_server_stopped_midway_it_ends_whole(host, tmp_path):
    out = tmp_path / "made"
    with Server(state=tmp_path / "second", arguments=["--cpu", "--disable-api-nodes"]) as second:
        servers = ["--server", host.url, "--server", second.url]
        killed = subprocess.Popen(command(out, *servers), stderr=subprocess.DEVNULL)
        wait_for(out, 3, killed)
        killed.kill()
        killed.wait()
        made = len(rows(out))
        assert 3 <= made < 12

        with (tmp_path / "log").open("w+") as log:
            process = subprocess.Popen(command(out, *servers), stderr=log)
            try:
                wait_for(out, made + 2, process)
                second.stop()
                assert process.wait(300) == 0, (tmp_path / "log").read_text()
            finally:
                process.kill()

    found = rows(out)
    assert len(found) == len({row["file_name"] for row in found}) == 12
    assert {(row["emotion"], row["person"]) for row in found} == {
        (word, person) for word in ("happiness", "sadness", "anger") for person in range(4)
    }
    assert sorted(row["gender"] for row in found) == ["man"] * 6 + ["woman"] * 6
    for row in found:
        pixels = np.asarray(Image.open(out / row["file_name"]))
        assert pixels.shape == (128, 128, 3) and pixels.std() > 20
    assert not list(out.rglob("*.partial"))
    assert "12 of 12 planned avatars" in (out / "README.md").read_text(encoding="utf-8")
    assert len(list((out / "shards").iterdir())) == 3
    running, pending = host.waiting()
    assert not running and not pending


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["workflow.keep=Nothing"], "0 nodes are called 'Nothing'"),
        (["workflow.keep=KSampler"], "Name a Save Image"),
        (["workflow.inputs={'KSampler.sead'='{seed}'}"], "no input 'sead'"),
        (["workflow.inputs={'KSampler.seed'='{sead}'}"], "does not have ('sead')"),
        (["workflow.inputs={'KSampler.seed'='abc'}"], "refuses this workflow"),
    ],
)
def test_a_wrong_configuration_ends_with_a_sentence(host, tmp_path, changes, message):
    settings = [word for change in changes for word in ("--set", change)]
    run = subprocess.run(
        command(tmp_path / "made", "--server", host.url, *settings), capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert message in run.stderr and "Traceback" not in run.stderr


def test_a_server_that_is_not_there_is_waited_for_and_then_named(tmp_path):
    run = subprocess.run(
        command(tmp_path / "made", "--server", "http://127.0.0.1:9", "--set", "servers.silence=1"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "No server has answered" in run.stderr and "127.0.0.1:9" in run.stderr and "Traceback" not in run.stderr
