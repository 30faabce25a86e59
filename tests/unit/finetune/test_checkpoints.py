"""Checkpoints, caches and buckets."""

import itertools
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from expressive.finetune import buckets, cache, checkpoints


def test_an_optimisers_state_comes_back_exactly(tmp_path: Path) -> None:
    net = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    net(torch.randn(4, 3)).sum().backward()
    optimiser.step()
    state = {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "names": ["a", None, True, 1.5], "none": {}}
    path = checkpoints.save_checkpoint(tmp_path, 7, state)
    step, found = checkpoints.load_checkpoint(path)
    assert step == 7 and found["names"] == ["a", None, True, 1.5] and found["none"] == {}
    assert all(torch.equal(found["net"][key], value) for key, value in net.state_dict().items())
    other = torch.optim.AdamW(net.parameters(), lr=1.0)
    other.load_state_dict(found["optimiser"])
    for a, b in zip(optimiser.state.values(), other.state.values(), strict=True):
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert other.param_groups[0]["lr"] == 1e-3


def test_the_newest_is_found_and_old_ones_go(tmp_path: Path) -> None:
    assert checkpoints.newest_checkpoint(tmp_path) is None
    for step in (1, 2, 10, 9):
        checkpoints.save_checkpoint(tmp_path, step, {"x": torch.tensor(step)}, keep=3)
    (tmp_path / "step-00000099.partial").write_bytes(b"cut off")
    newest = checkpoints.newest_checkpoint(tmp_path)
    assert newest is not None and checkpoints.load_checkpoint(newest)[0] == 10
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        f"step-{step:08d}.safetensors" for step in (2, 9, 10)
    ]


def test_what_is_no_checkpoint_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "step-00000001.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="is not a checkpoint, or only a part"):
        checkpoints.load_checkpoint(tmp_path / "step-00000001.safetensors")
    with pytest.raises(TypeError, match="/a/0 is a set"):
        checkpoints.save_checkpoint(tmp_path, 1, {"a": [{1}]})


def write_for_ever(folder: Path, started: Any) -> None:
    """What the killed process does."""
    torch.set_num_threads(1)  # a fork has none of the threads that its parent had started
    for step in itertools.count(1):
        checkpoints.save_checkpoint(folder, step, {"x": torch.full((200_000,), float(step))}, keep=2)
        started.set()


def test_killed_at_any_moment_the_newest_loads(tmp_path: Path) -> None:
    """Twenty times: a process that does nothing but write checkpoints is killed after a while of its own."""
    context = multiprocessing.get_context("fork")  # each starts at once
    for attempt in range(20):
        started = context.Event()
        writer = context.Process(target=write_for_ever, args=(tmp_path, started))
        writer.start()
        assert started.wait(20)
        time.sleep(0.002 * attempt)
        writer.kill()
        writer.join()
        newest = checkpoints.newest_checkpoint(tmp_path)
        assert newest is not None
        step, found = checkpoints.load_checkpoint(newest)
        assert bool((found["x"] == step).all())
        checkpoints.forget_checkpoints(tmp_path)


def test_a_cache_makes_each_result_once_and_knows_what_it_is_of(tmp_path: Path) -> None:
    kept = cache.DiskCache(tmp_path)
    made: list[str] = []

    def make(name: str) -> dict[str, torch.Tensor]:
        made.append(name)
        return {"latent": torch.arange(4.0)}

    for name in ("a", "b", "a"):
        found = kept.get(cache.key_of("latent", name, 512), lambda name=name: make(name))
        assert torch.equal(found["latent"], torch.arange(4.0))
    assert made == ["a", "b"] and kept.made == 2
    assert cache.key_of("ab", "c") != cache.key_of("a", "bc")


def test_weights_are_known_by_name_size_and_ends(tmp_path: Path) -> None:
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    one.write_bytes(bytes(3_000_000))
    two.write_bytes(bytes(3_000_000))
    first = cache.weights_hash(one)
    assert first == cache.weights_hash(one) != cache.weights_hash(two)
    one.write_bytes(bytes(2_999_999) + b"x")
    assert cache.weights_hash(one) != first


def test_buckets_have_about_as_many_pixels_and_every_shape_finds_one() -> None:
    sizes = buckets.bucket_sizes(512)
    assert (512, 512) in sizes and all(w % 64 == h % 64 == 0 for w, h in sizes)
    assert all(0.8 < w * h / 512**2 < 1.25 and max(w / h, h / w) <= 2 for w, h in sizes)
    assert {(h, w) for w, h in sizes} == set(sizes)
    assert buckets.nearest_bucket((3000, 3001), sizes) == (512, 512)
    wide = buckets.nearest_bucket((1600, 900), sizes)
    assert 1.5 < wide[0] / wide[1] < 2.0
    assert buckets.bucket_sizes(128, 32)
    with pytest.raises(ValueError, match="too small"):
        buckets.bucket_sizes(20)


def test_buckets_are_counted() -> None:
    assert buckets.counted([(64, 64), (64, 32), (64, 64)]) == "64×64: 2, 64×32: 1"
