"""What a bench keeps of a run that was cut off."""

from pathlib import Path

import pytest

from bench.kept import Kept, sources


def one() -> int:
    return 1


def other() -> int:
    return 2


def test_what_is_known_is_not_computed_again(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"first")
    kept = Kept(tmp_path / "figures", ("face-reader.*",), one)
    assert kept.get(lambda: {"r": 0.5}, file, 7) == {"r": 0.5}
    again = Kept(tmp_path / "figures", ("face-reader.*",), one)
    assert again.get(lambda: pytest.fail("computed again"), file, 7) == {"r": 0.5}


def test_it_depends_on_all_that_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"first")
    folder = tmp_path / "figures"
    Kept(folder, ("face-reader.*",), one).get(lambda: 1, file, 7)
    assert Kept(folder, ("face-reader.*",), one).get(lambda: 2, file, 8) == 2
    assert Kept(folder, ("face-reader.*",), other).get(lambda: 3, file, 7) == 3
    assert Kept(folder, ("pocket-edit.*",), one).get(lambda: 4, file, 7) == 4
    file.write_bytes(b"second")
    assert Kept(folder, ("face-reader.*",), one).get(lambda: 5, file, 7) == 5


def test_sources_are_files_of_the_pack() -> None:
    assert len(sources("losses/*.py", "losses/contrastive.py")) == len(sources("losses/*.py")) > 1
