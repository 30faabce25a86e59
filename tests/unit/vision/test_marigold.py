# pyright: reportPrivateImportUsage=false, reportAttributeAccessIssue=false, reportArgumentType=false
"""Depth by Marigold: loading the real layout, parity with diffusers, clips, seeds, and the nodes."""

import importlib
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from expressive.metrics.depth import depth_errors, fitted, flicker
from expressive.vision.depth import DepthMaps, Marigold, coloured, estimate
from expressive.vision.depth.clip import aligned
from expressive.vision.depth.estimate import blended, latent_size
from expressive.vision.depth.folder import PAGE

from .marigold_folder import make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def marigold(folder: Path) -> Marigold:
    return Marigold.load(folder)


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    """[3,48,64,3]"""
    return torch.rand(3, 48, 64, 3, generator=torch.Generator().manual_seed(1))


def test_it_says_what_diffusers_says(folder: Path, marigold: Marigold, pictures: Tensor) -> None:
    from diffusers import MarigoldDepthPipeline

    theirs = MarigoldDepthPipeline.from_pretrained(folder, local_files_only=True)
    theirs.set_progress_bar_config(disable=True)
    assert (marigold.steps, marigold.resolution, marigold.ratio, marigold.channels) == (2, 64, 8, 4)
    for ensemble, resolution, steps in ((1, 0, 0), (3, 0, 1), (1, 40, 3)):
        height, width = latent_size((48, 64), resolution or 64, 8)
        noise = torch.randn(ensemble, 4, height, width, generator=torch.Generator().manual_seed(5))
        wanted = theirs(
            pictures[:1].movedim(-1, 1), num_inference_steps=steps or None, processing_resolution=resolution or None,
            ensemble_size=ensemble, latents=noise, output_type="pt",
        ).prediction  # fmt: skip
        found = estimate(marigold, pictures[:1], steps=steps, ensemble=ensemble, resolution=resolution, seed=5)
        torch.testing.assert_close(found.depth, wanted[:, 0], atol=1e-5, rtol=0)
        assert found.depth.shape == (1, 48, 64) and found.depth.dtype == torch.float32


@pytest.mark.parametrize("lcm", [False, True])
def test_a_seed_repeats_and_leaves_others_randomness_alone(tmp_path: Path, pictures: Tensor, lcm: bool) -> None:
    loaded = Marigold.load(make(tmp_path / "small", lcm))
    torch.manual_seed(7)
    state = torch.get_rng_state()
    one, again = (estimate(loaded, pictures[:2], steps=2, seed=3).depth for _ in range(2))
    assert torch.equal(one, again) and torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(one, estimate(loaded, pictures[:2], steps=2, seed=4).depth)


def test_a_picture_does_not_depend_on_its_neighbours(marigold: Marigold, pictures: Tensor) -> None:
    whole = estimate(marigold, pictures, steps=1)
    alone = estimate(marigold, pictures[2:], steps=1)
    assert torch.equal(whole.depth[2:], alone.depth) and torch.equal(whole.far[2:], alone.far)
    assert torch.equal(whole.stretched().amin((1, 2)), torch.zeros(3))
    torch.testing.assert_close(whole.stretched().amax((1, 2)), torch.ones(3))


def test_nothing_of_the_model_changes(marigold: Marigold, pictures: Tensor) -> None:
    before = {key: value.clone() for key, value in marigold.unet.state_dict().items()}
    estimate(marigold, pictures[:1], steps=1, ensemble=2)
    assert all(torch.equal(value, before[key]) for key, value in marigold.unet.state_dict().items())
    assert not any(module._forward_pre_hooks for module in marigold.unet.modules())


def test_it_tells_how_far_it_is_and_stops_at_once(marigold: Marigold, pictures: Tensor) -> None:
    told: list[tuple[int, int]] = []
    asked: list[int] = []
    estimate(
        marigold, pictures, steps=2, ensemble=2, between=lambda: asked.append(len(told)),
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told == [(done, 12) for done in range(1, 13)]
    assert len(asked) > 12 * 5 and set(range(12)) <= set(asked)  # several times within each pass

    class CancelledError(BaseException):
        pass

    def stop() -> None:
        if len(stopped) == 20:
            raise CancelledError
        stopped.append(1)

    stopped: list[int] = []
    with pytest.raises(CancelledError):
        estimate(marigold, pictures, between=stop)
    assert not any(module._forward_pre_hooks for module in marigold.vae.modules())


def test_every_frame_begins_with_the_same_noise_and_some_of_the_last_one() -> None:
    noise = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    last = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(1))
    assert blended(noise, None, 0.5) is noise and blended(noise, last, 0.0) is noise
    assert torch.equal(blended(noise, last, 1.0), last)
    for share in (0.1, 0.5, 0.9):
        assert float(blended(noise, last, share).std()) == pytest.approx(1.0, abs=0.03)


def test_a_clip_has_one_range(marigold: Marigold, pictures: Tensor) -> None:
    still = pictures[:1].expand(4, -1, -1, -1)
    found = estimate(marigold, still, clip=True, smoothing=0.0)
    assert torch.equal(found.near, found.near[:1].expand(4)) and torch.equal(found.far, found.far[:1].expand(4))
    torch.testing.assert_close(found.depth, found.depth[:1].expand(4, -1, -1), atol=1e-5, rtol=0)
    smooth = estimate(marigold, still, clip=True, smoothing=0.5)
    assert float((smooth.depth[1] - smooth.depth[0]).abs().max()) > 1e-4  # the second begins elsewhere
    moving = estimate(marigold, pictures, clip=True)
    assert float(moving.depth.min()) >= 0 and float(moving.depth.max()) <= 1
    assert float(moving.stretched().min()) == 0 and float(moving.stretched().max()) == pytest.approx(1)


@pytest.fixture(scope="module")
def clip() -> tuple[Tensor, Tensor]:
    """True depth [24,48,48] of a slope, and of a square that crosses it and comes nearer; its pictures [24,48,48,3]."""
    ramp = torch.linspace(0.5, 1.0, 48)
    depth = (ramp[:, None] * 0.7 + ramp[None] * 0.3).repeat(24, 1, 1)
    generator = torch.Generator().manual_seed(0)
    pictures = (0.3 + 0.4 * torch.rand(1, 48, 48, 3, generator=generator)).repeat(24, 1, 1, 1)
    for frame in range(24):
        depth[frame, 14:30, frame : frame + 16] = 0.4 - 0.01 * frame
        pictures[frame, 14:30, frame : frame + 16] = torch.tensor([1.0, 0.0, 0.0])
    return depth, pictures


def measured(depth: Tensor, noise: float = 0.0) -> Tensor:
    """Every frame with a scale and a shift of its own."""
    generator = torch.Generator().manual_seed(2)
    scale = 0.6 + 0.4 * torch.rand(len(depth), 1, 1, generator=generator)
    shift = 0.2 * torch.rand(len(depth), 1, 1, generator=generator)
    return scale * depth + shift + noise * torch.randn(depth.shape, generator=generator)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_frames_of_different_measures_get_one(clip: tuple[Tensor, Tensor], noise: float) -> None:
    true, pictures = clip
    raw = measured(true, noise)
    found = aligned(raw, pictures)
    assert float(found.min()) >= 0 and float(found.max()) <= 1
    still = found[:, 40:, :].mean((1, 2))  # a part of the slope that nothing crosses
    assert float(raw[:, 40:, :].mean((1, 2)).std()) > 0.05 > 10 * float(still.std())
    assert flicker(found, true) < 0.1 * flicker(raw, true) + 2 * noise  # the noise itself stays
    near = torch.stack([found[frame, 14:30, frame : frame + 16].mean() for frame in range(len(found))])
    assert float((near[:-4] - near[4:]).min()) > 0.01  # the square still comes nearer


def test_measures_neither_drift_nor_shrink(clip: tuple[Tensor, Tensor]) -> None:
    """Fitting each noisy frame to the one before would lose some of the range in each of them."""
    depth, pictures = clip[0][:1].repeat(96, 1, 1), clip[1][:1].repeat(96, 1, 1, 1)
    noisy = depth + 0.05 * torch.randn(depth.shape, generator=torch.Generator().manual_seed(3))
    found = aligned(noisy, pictures)
    spread = fitted(depth, found).flatten(1).std(1)  # of what is signal
    assert float(spread[-8:].mean() / spread[:8].mean()) == pytest.approx(1.0, abs=0.03)


def test_what_has_nothing_in_common_stays_as_it_is(clip: tuple[Tensor, Tensor]) -> None:
    """Frames on both sides of a cut, flat depth, a single frame."""
    depth, pictures = clip
    others = torch.stack((depth[0], 1 - 0.5 * depth[0].flip(0)))
    cut = torch.cat((pictures[:1], torch.zeros_like(pictures[:1])))
    torch.testing.assert_close(aligned(others, cut), others, atol=1e-5, rtol=0)
    same = aligned(others, pictures[:1].expand(2, -1, -1, -1))
    assert float((same - others).abs().max()) > 0.05  # where there is no cut
    flat = torch.full((3, 48, 48), 0.5)
    torch.testing.assert_close(aligned(flat, pictures[:3]), flat, atol=1e-3, rtol=0)
    assert torch.equal(aligned(depth[:1], pictures[:1]), depth[:1])


def test_errors_are_of_the_best_scale_and_shift() -> None:
    true = 1 + torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(4))
    found = 0.3 * true - 0.1
    assert depth_errors(found, true) == pytest.approx({"abs_rel": 0, "delta1": 1, "rmse": 0}, abs=1e-6)
    where = torch.zeros(3, 16, 16, dtype=torch.bool)
    where[:, :8] = True
    spoiled = found.clone()
    spoiled[:, 8:] = 50.0
    assert depth_errors(spoiled, true, where)["abs_rel"] < 1e-6 < depth_errors(spoiled, true)["abs_rel"]
    flat = depth_errors(torch.zeros(3, 16, 16), true)
    assert flat["rmse"] == pytest.approx(float(true.flatten(1).std(1, correction=0).mean()), rel=1e-4)
    with pytest.raises(ValueError, match="distances above 0"):
        depth_errors(found, true * 0)
    assert flicker(0.5 * true + 2, true) < 1e-5 < flicker(found.flip(0), true)


def test_colours_go_from_red_to_blue() -> None:
    colours = coloured(torch.linspace(0, 1, 6).view(1, 1, 6))
    assert colours.shape == (1, 1, 6, 3)
    near, far = colours[0, 0, 0], colours[0, 0, -1]
    assert near[0] > 2 * near[2] and far[2] > 1.5 * far[0]
    maps = DepthMaps.of(torch.full((1, 4, 4), 0.3), clip=False)
    assert torch.equal(maps.stretched(), torch.zeros(1, 4, 4))


def test_half_precision_is_found_by_its_name(tmp_path: Path, marigold: Marigold, pictures: Tensor) -> None:
    half = make(tmp_path / "half", variant="fp16")
    assert not (half / "unet" / "diffusion_pytorch_model.safetensors").exists()
    found = Marigold.load(half)
    assert torch.equal(estimate(found, pictures[:1]).depth, estimate(marigold, pictures[:1]).depth)
    assert Marigold.load(half, torch.bfloat16).dtype == torch.bfloat16


def test_how_near_becomes_how_far(tmp_path: Path, marigold: Marigold, pictures: Tensor) -> None:
    other = Marigold.load(make(tmp_path / "disparity", prediction_type="disparity"))
    near, far = (estimate(one, pictures[:1]).depth for one in (other, marigold))
    torch.testing.assert_close(near, 1 - far)


def test_what_is_missing_is_named(tmp_path: Path, folder: Path) -> None:
    for part, name, size in (
        ("unet", "diffusion_pytorch_model.safetensors", "1.7 GB"),
        ("vae", "config.json", "170 MB"),
        ("text_encoder", "model.safetensors", "680 MB"),
        ("scheduler", "scheduler_config.json", "1 kB"),
    ):
        broken = tmp_path / part
        shutil.copytree(folder, broken)
        (broken / part / name).unlink()
        with pytest.raises(FileNotFoundError) as error:
            Marigold.load(broken)
        said = str(error.value)
        assert all(word in said for word in (name, str(broken / part), size, PAGE, "OpenRAIL++-M")), said
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no model_index.json"):
        Marigold.load(tmp_path / "empty")


def test_another_model_is_a_sentence(tmp_path: Path, folder: Path) -> None:
    def changed(name: str, file: str, **values: Any) -> Path:
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        found = json.loads((copy / file).read_text(encoding="utf-8"))
        (copy / file).write_text(json.dumps({**found, **values}), encoding="utf-8")
        return copy

    for copy, sentence in (
        (changed("normals", "model_index.json", _class_name="MarigoldNormalsPipeline"), "is a MarigoldNormalsPipeline"),
        (changed("euler", "scheduler/scheduler_config.json", _class_name="EulerDiscreteScheduler"), "DDIMScheduler or"),
        (changed("four", "unet/config.json", in_channels=4), "cannot be loaded|takes 4 channels"),
        (changed("bert", "text_encoder/config.json", model_type="bert"), "kind 'bert'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            Marigold.load(copy)
    torn = changed("torn", "vae/config.json")
    (torn / "vae" / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="is not JSON"):
        Marigold.load(torn)


def test_bad_pictures_and_settings_are_sentences(marigold: Marigold, pictures: Tensor) -> None:
    for wrong, settings, sentence in (
        (pictures[0], {}, r"\[batch, height, width, 3\]"),
        (pictures * float("nan"), {}, "NaN"),
        (pictures, {"ensemble": 0}, "ensemble 1 or more"),
        (pictures, {"smoothing": 1.5}, "smoothing is 0 to 1"),
        (pictures[:, :1].expand(-1, 1, -1, -1).repeat(1, 1, 20, 1), {}, "too narrow"),
    ):
        with pytest.raises(ValueError, match=sentence):
            estimate(marigold, wrong, **settings)


@pytest.fixture
def nodes(pack: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    loader, depth = (importlib.import_module(f"{pack.__name__}.nodes.{n}") for n in ("load_marigold", "marigold_depth"))
    paths = importlib.import_module("folder_paths")
    known, extensions = paths.folder_names_and_paths["diffusers"]
    monkeypatch.setitem(paths.folder_names_and_paths, "diffusers", ([str(folder.parent), *known], extensions))
    return loader, depth.MarigoldDepth


def test_the_nodes_find_depth(nodes: tuple[Any, Any], pictures: Tensor) -> None:
    loader, depth = nodes
    loaded = loader.LoadMarigold.execute("small").args[0]
    grey, raw, preview, near, far = depth.execute(loaded, pictures, seed=1).args
    assert grey.shape == preview.shape == (3, 48, 64, 3) and raw.shape == (3, 48, 64)
    assert near == pytest.approx(float(raw.min())) and far == pytest.approx(float(raw.max()))
    place = int(raw[0].argmin())
    assert float(grey[0, ..., 0].flatten()[place]) == pytest.approx(1.0)
    dark, same, *_ = depth.execute(loaded, pictures, seed=1, near_is_white=False).args
    torch.testing.assert_close(dark, 1 - grey)
    assert torch.equal(same, raw)
    clip = depth.execute(loaded, pictures, frames="one clip").args[0]
    assert float(clip.min()) == pytest.approx(0, abs=1e-6) and float(clip.max()) == pytest.approx(1)
    before = loader.LoadMarigold.fingerprint_inputs("small", "auto")
    assert before == loader.LoadMarigold.fingerprint_inputs("small", "auto")
    assert before != loader.LoadMarigold.fingerprint_inputs("gone", "auto")


def test_only_what_finds_depth_is_listed(nodes: tuple[Any, Any], folder: Path) -> None:
    loader, _ = nodes
    for name, index in (("normals", '{"_class_name": "MarigoldNormalsPipeline"}'), ("broken", "{")):
        (folder.parent / name).mkdir(exist_ok=True)
        (folder.parent / name / "model_index.json").write_text(index, encoding="utf-8")
    found = loader.marigold_folders()
    assert found["small"] == folder and not {"normals", "broken"} & found.keys()
    with pytest.raises(FileNotFoundError, match=r"models/marigold/marigold-depth-v1-1 \(2.6 GB"):
        loader.LoadMarigold.execute("gone")
