"""What is kept of a painted set."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from expressive.attention.consistent import Sharing
from expressive.attention.kept_set import KeptSet, Recorder


def recorded(sharing: Sharing | None = None, levels: tuple[float, ...] = (4.0, 2.0, 1.0), images: int = 3) -> Recorder:
    recorder = Recorder("a network", sharing or Sharing(), 0.5, float("inf"), 0.1)
    for level in levels:
        for half in (0, 1):
            recorder.note(level, half, painted(level, images), told(half, images))
    return recorder


def painted(level: float, images: int = 3) -> Tensor:
    """Latents on straight paths: x0 + σ ε."""
    generator = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(images, 4, 2, 2, generator=generator) for _ in range(2))
    return clean + level * noise


def told(half: int, images: int) -> dict:
    context = torch.arange(images * 2.0).reshape(images, 2) + 100 * half
    return {
        "context": context,
        "told": {"y": context[:, :1], "kind": "index", "pictures": [context * 2]},
        "empty": None,
    }


def test_a_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = recorded(Sharing(keep=0.25, anchors=2, seed=7)).found()
    read = KeptSet.load(kept.save(tmp_path / "cast.safetensors"))
    assert (read.model, read.sharing, read.depth, read.first, read.last) == (
        kept.model, kept.sharing, 0.5, float("inf"), 0.1,
    )  # fmt: skip
    assert read.pictures == 2 and torch.equal(read.latents, kept.latents) and torch.equal(read.sigmas, kept.sigmas)
    for half in (0, 1):
        for mine, theirs in zip(read.told[half], kept.told[half], strict=True):
            assert torch.equal(mine["context"], theirs["context"]) and mine["empty"] is None
            assert mine["told"]["kind"] == "index" and torch.equal(mine["told"]["pictures"][0], theirs["context"] * 2)


def test_what_is_told_again_and_again_is_written_once(tmp_path: Path) -> None:
    few, many = (
        recorded(levels=tuple(range(steps, 0, -1))).found().save(tmp_path / f"{steps}.safetensors") for steps in (3, 30)
    )
    from safetensors import safe_open

    names = [set(safe_open(file, "pt").keys()) for file in (few, many)]
    assert names[0] == names[1]


def test_only_the_anchors_are_kept_where_nobody_sees_others() -> None:
    kept = recorded(Sharing(anchors=1)).found()
    assert kept.pictures == 1 and len(kept.told[0][0]["context"]) == 1


def test_between_noise_levels_latents_lie_on_the_way() -> None:
    kept = recorded().found()
    for level in (4.0, 3.1, 2.0, 1.7, 1.0):
        torch.testing.assert_close(kept.at(level)[0], painted(level))
    assert torch.equal(kept.at(0.5)[0], painted(1.0))
    with pytest.raises(ValueError, match="noise level 4 on, this picture begins at 8"):
        kept.at(8.0)


def test_of_a_level_that_is_looked_at_twice_the_last_is_kept() -> None:
    recorder = recorded()
    for half in (0, 1):
        recorder.note(2.0, half, painted(9.0), told(half, 3))
    assert torch.equal(recorder.found().at(2.0)[0], painted(9.0))


def test_several_prompts_for_a_picture_cannot_be_kept(tmp_path: Path) -> None:
    recorder = recorded()
    recorder.note(1.0, 0, painted(1.0), told(0, 3))
    with pytest.raises(ValueError, match="one prompt"):
        recorder.found().save(tmp_path / "cast.safetensors")
    assert not list(tmp_path.iterdir())


def test_regions_cannot_be_kept() -> None:
    recorder = recorded()
    recorder.note(1.0, 1, painted(1.0)[..., :1], told(1, 3))
    assert "one prompt" in recorder.found().trouble


def test_the_same_set_is_known(tmp_path: Path) -> None:
    kept, other = recorded().found(), recorded(levels=(4.0, 2.0, 0.9)).found()
    read = KeptSet.load(kept.save(tmp_path / "cast.safetensors"))
    assert read.same_as(kept) and kept.same_as(read) and not other.same_as(kept)
    assert not recorded(Sharing(keep=0.25)).found().same_as(kept)


def test_what_no_file_can_hold_is_told() -> None:
    recorder = recorded()
    recorder.note(1.0, 0, painted(1.0), {"hook": object()})
    assert "numbers and words alone; here it is told a object" in recorder.found().trouble


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    file = recorded().found().save(tmp_path / "cast.safetensors")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"cast.safetensors is damaged"):
        KeptSet.load(file)


def test_another_file_is_no_set(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(1)}, tmp_path / "lora.safetensors")
    with pytest.raises(ValueError, match=r"lora.safetensors is not a kept set"):
        KeptSet.load(tmp_path / "lora.safetensors")
