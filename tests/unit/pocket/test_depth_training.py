# pyright: reportAttributeAccessIssue=false, reportArgumentType=false
"""The pocket Marigold: what it begins as, what it learns from, and the folder that comes of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from expressive.metrics.depth import depth_errors
from expressive.pocket.depth import recipe, scenes, train
from expressive.pocket.depth.autoencoder import DepthAutoencoder
from expressive.pocket.depth.model import depth_unet, empty_prompt, scheduler, text_encoder, write_folder
from expressive.pocket.scene import picture
from expressive.pocket.scene.truth import truth
from expressive.pocket.training.loop import Budget, Checkpoint
from expressive.pocket.training.vae import to_tensor
from expressive.pocket.xl.config import AutoencoderConfig, BaseConfig, EncoderConfig, UNetConfig
from expressive.pocket.xl.model import PocketBase, new_base
from expressive.vision.depth import Marigold, estimate
from launcher.places import ROOT

TINY = BaseConfig(
    size=64,
    unet=UNetConfig((32, 32), 1, (0, 1)),
    encoders=(EncoderConfig(32, 32, 3, 2), EncoderConfig(32, 32, 3, 2, "gelu")),
    vae=AutoencoderConfig((16, 32), (0, 1), (1, 1)),
)
BUNDLED = ROOT / "models" / "marigold" / "pocket"


def random_base(config: BaseConfig = TINY) -> PocketBase:
    """A base of which no weight is zero."""
    torch.manual_seed(0)
    base = new_base(config)
    for net in base.modules().values():
        for parameter in net.parameters():
            parameter.data.add_(0.05 * torch.randn_like(parameter))
        net.eval().requires_grad_(False)
    return base


@pytest.fixture(scope="module")
def base() -> PocketBase:
    return random_base()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> scenes.DepthPairs:
    cache = tmp_path_factory.mktemp("drawings")
    return scenes.load_pairs("few", scenes.held_out_scene, 4, cache, size=64, workers=1)


@torch.no_grad()
@pytest.mark.parametrize("architecture", ["sdxl", "sd15"])
def test_at_first_it_paints_as_the_base_does(architecture: str) -> None:
    """Equal halves are one picture, and what the base hears of pooled text and sizes is a constant."""
    config = TINY if architecture == "sdxl" else replace(TINY, architecture="sd15", encoders=TINY.encoders[:1])
    base = random_base(config)
    unet, prompted = depth_unet(base), base.encode_prompts(["", ""])
    noisy = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    time = torch.tensor([3, 800])
    wanted = base.predict(noisy, time, prompted)
    found = unet(torch.cat((noisy, noisy), dim=1), time, prompted.context, return_dict=False)[0]
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    assert float(wanted.std()) > 0.01 and unet.config["in_channels"] == 8
    other = unet(torch.cat((noisy, 0 * noisy), dim=1), time, prompted.context, return_dict=False)[0]
    assert float((other - wanted).abs().max()) > 1e-3


@torch.no_grad()
def test_its_text_encoder_says_the_bases_empty_prompt(base: PocketBase) -> None:
    states = empty_prompt(base)
    assert states.shape == (2, 64) and float((states[0] - states[1]).abs().max()) > 1e-3
    said = text_encoder(states)(torch.tensor([[0, 1]]))[0]
    torch.testing.assert_close(said[0], states, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="odd width"):
        text_encoder(torch.zeros(2, 3))


def test_its_schedule_begins_with_noise_alone() -> None:
    schedule = scheduler()
    assert float(schedule.alphas_cumprod[-1]) == pytest.approx(0, abs=1e-6)
    schedule.set_timesteps(4)
    assert schedule.timesteps.tolist() == [999, 749, 499, 249]
    clean, noise = torch.rand(1, 4, 2, 2), torch.randn(1, 4, 2, 2)
    last = torch.tensor([999])
    torch.testing.assert_close(schedule.add_noise(clean, noise, last), noise, atol=1e-3, rtol=0)
    torch.testing.assert_close(schedule.get_velocity(clean, noise, last), -clean, atol=1e-3, rtol=0)


def test_pairs_are_drawn_once_and_true(pairs: scenes.DepthPairs, tmp_path: Path) -> None:
    assert len(pairs) == 4 and pairs.pictures.shape == (4, 64, 64, 3) and pairs.depth.shape == (4, 64, 64)
    assert pairs.depth.dtype == np.float16
    assert (pairs.depth.min((1, 2)) == 0).all() and (pairs.depth.max((1, 2)) == 1).all()  # the nearest pixel; the wall
    assert [scenes.depth_scene(i).frame for i in range(4)] == ["face", "upper_body"] * 2
    plans = (scenes.depth_scene, scenes.held_out_scene)
    learned, judged = ({plan(index).identity.seed for index in range(8)} for plan in plans)
    assert not learned & judged
    drawn = scenes.load_pairs("few", scenes.held_out_scene, 4, tmp_path, size=64, workers=1)
    changed = next(tmp_path.iterdir()).stat().st_mtime_ns
    again = scenes.load_pairs("few", scenes.held_out_scene, 4, tmp_path, size=64, workers=1)
    assert np.array_equal(drawn.depth, again.depth) and np.array_equal(drawn.pictures, pairs.pictures)
    assert next(tmp_path.iterdir()).stat().st_mtime_ns == changed


def test_depth_is_normalised_by_its_own_percentiles() -> None:
    ramp = np.linspace(3.0, 5.0, 101 * 100, dtype=np.float32).reshape(101, 100)
    found = scenes.normalised(ramp)
    assert found.min() == -1 and found.max() == 1 and found.dtype == np.float32
    assert np.isclose(found, -1).mean() == pytest.approx(0.02, abs=0.002)
    assert np.isclose(found, 1).mean() == pytest.approx(0.02, abs=0.002)
    assert found[50, 50] == pytest.approx(0, abs=0.02)
    other = scenes.normalised(0.25 * ramp - 7)
    assert np.allclose(other, found, atol=1e-4)
    assert np.isfinite(scenes.normalised(np.ones((8, 8), np.float32))).all()


def test_decoder_and_unet_learn(base: PocketBase, pairs: scenes.DepthPairs, tmp_path: Path) -> None:
    vae = DepthAutoencoder(base.config.vae)
    vae.net.load_state_dict(base.vae.state_dict())
    vae.net.statistics(vae.encode(to_tensor(pairs.pictures)).latents)
    vae.requires_grad_(False)
    latents = train.cache_latents(vae, pairs, tmp_path / "latents.npy")
    assert latents.shape == (4, 8, 16, 16)
    assert np.array_equal(latents, train.cache_latents(vae, pairs, tmp_path / "latents.npy"))
    encoded = vae.encode(train.depth_pictures(pairs.depth)).latents * vae.shape.scale
    torch.testing.assert_close(torch.from_numpy(latents[:, 4:]).float(), encoded, atol=2e-2, rtol=1e-2)

    how = train.DepthRecipe(batch=4, lr=5e-3, decoder_batch=4, decoder_lr=1e-2, crop=32, average=0.5)
    true = torch.from_numpy(np.stack([(scenes.normalised(one) + 1) / 2 for one in pairs.depth]))
    before = float((train.again(vae, pairs.depth) - true).abs().mean())
    frozen = [weight.clone() for weight in vae.net.encoder.parameters()]
    train.train_decoder(vae, pairs, latents, how, Budget(steps=60), Checkpoint(tmp_path / "decoder.pt"))
    assert float((train.again(vae, pairs.depth) - true).abs().mean()) < 0.8 * before
    assert all(torch.equal(a, b) for a, b in zip(frozen, vae.net.encoder.parameters(), strict=True))

    unet, states, schedule = depth_unet(base), empty_prompt(base), scheduler()

    @torch.no_grad()
    def error() -> float:
        """Of v at pure noise: of the depth that is told from the picture alone."""
        seen, clean = torch.from_numpy(latents).float().chunk(2, dim=1)
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(9))
        last = torch.full((4,), 999)
        found = unet(torch.cat((seen, noise), dim=1), last, states.expand(4, -1, -1), return_dict=False)[0]
        return float((found - schedule.get_velocity(clean, noise, last)).square().mean())

    first = error()
    assert train.train_unet(unet, states, latents, how, Budget(steps=2), Checkpoint(tmp_path / "unet.pt")) == 2
    steps = train.train_unet(unet, states, latents, how, Budget(steps=40), Checkpoint(tmp_path / "unet.pt"))
    assert steps == 40 and error() < 0.8 * first


def test_the_folder_is_what_was_written(base: PocketBase, tmp_path: Path) -> None:
    unet, vae = depth_unet(base), DepthAutoencoder(base.config.vae)
    vae.net.load_state_dict(base.vae.state_dict())
    states = empty_prompt(base)
    for _ in range(2):  # a second time in its place
        write_folder(tmp_path / "pocket", unet, vae, states, 64, {"modelspec.title": "toy"})
    assert [path.name for path in tmp_path.iterdir()] == ["pocket"]
    found = Marigold.load(tmp_path / "pocket")
    assert (found.steps, found.resolution, found.ratio) == (4, 64, 4)
    torch.testing.assert_close(found.text[0], states, atol=2e-3, rtol=2e-3)
    for one, other in ((found.unet, unet), (found.vae.net, vae.net)):
        theirs = other.state_dict()
        for key, value in one.state_dict().items():
            torch.testing.assert_close(value, theirs[key].half().float(), msg=key)
    depth = estimate(found, torch.rand(1, 40, 64, 3, generator=torch.Generator().manual_seed(0))).depth
    assert depth.shape == (1, 40, 64) and float(depth.std()) > 0
    (tmp_path / "pocket" / "unet" / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="python trainers/train_depth.py"):
        Marigold.load(tmp_path / "pocket")


def test_every_stage_leaves_what_the_next_one_needs(base: PocketBase, tmp_path: Path) -> None:
    shipped = recipe.Recipe.read(ROOT / "trainers" / "configs" / "pocket-depth.toml")
    toy = replace(
        shipped, name="toy", base="toy-xl", pictures=3, judged=2,
        train=replace(shipped.train, batch=2, decoder_batch=2, crop=32),
    )  # fmt: skip
    models, work = tmp_path / "models", tmp_path / "work"
    with pytest.raises(FileNotFoundError, match="toy-xl"):
        recipe.make("drawings", toy, work, models)
    base.save(models, "toy-xl", {"pocket.commit": "none"})
    with pytest.raises(FileNotFoundError, match="run the stage “train” first"):
        recipe.make("export", toy, work, models)
    for stage in recipe.STAGES:
        recipe.make(stage, toy, work, models, minutes=0, steps=2)
    found = Marigold.load(models / "marigold" / "toy")
    assert found.resolution == 64 and {file.name for file in (work / "sheets").iterdir()} >= {"finished.png"}
    figures = (work / "figures.json").read_text(encoding="utf-8")
    assert all(f"{frame}_{of}abs_rel" in figures for frame in ("face", "upper_body") for of in ("", "person_", "vae_"))
    recipe.make("train", toy, tmp_path / "more", models, minutes=0, steps=2, start=models)  # goes on from it
    assert len(torch.load(tmp_path / "more" / "depth.pt", weights_only=True)["history"]) == 2


def test_the_shipped_recipe_is_whole(tmp_path: Path) -> None:
    found = recipe.Recipe.read(ROOT / "trainers" / "configs" / "pocket-depth.toml")
    assert found.name == "pocket" and found.pictures // 2 < scenes.held_out_scene(0).identity.seed
    text = (ROOT / "trainers" / "configs" / "pocket-depth.toml").read_text(encoding="utf-8")
    (tmp_path / "x.toml").write_text(text.replace("batch", "bunch"), encoding="utf-8")
    with pytest.raises(ValueError, match="bunch"):
        recipe.Recipe.read(tmp_path / "x.toml")


@pytest.mark.skipif(not BUNDLED.is_dir(), reason="the bundled Marigold is not made yet")
def test_the_bundled_one_knows_people_that_it_never_saw() -> None:
    assert sum(file.stat().st_size for file in BUNDLED.rglob("*") if file.is_file()) < 15.5e6
    shown = [scenes.held_out_scene(1000 + index) for index in range(6)]
    pictures = torch.from_numpy(np.stack([picture(scene, 128) for scene in shown])).float() / 255
    true = torch.from_numpy(np.stack([truth(scene, 128).depth for scene in shown])) + recipe.BEFORE
    found = estimate(Marigold.load(BUNDLED), pictures).depth
    errors = depth_errors(found, true)
    constant = depth_errors(torch.zeros_like(true), true)
    assert errors["rmse"] < 0.4 * constant["rmse"] and errors["delta1"] > 0.7
