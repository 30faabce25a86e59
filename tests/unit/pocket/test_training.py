from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from expressive.pocket import still
from expressive.pocket.model import PocketEdit
from expressive.pocket.nets import VaeConfig, build_vae
from expressive.pocket.training import people
from expressive.pocket.training.evaluate import Chart, edits
from expressive.pocket.training.loop import Budget, Checkpoint, NotANumberError, learning_rate, train
from expressive.pocket.training.optimiser import MovingAverage, MuonAdamW
from expressive.pocket.training.people import EXPRESSIONS, HELD_OUT, PeopleConfig, load_people
from expressive.pocket.training.recipe import Recipe, encoder_digest
from expressive.pocket.training.vae import VaeRecipe, other_hues, reconstruction_loss, train_vae
from launcher.places import ROOT


def regression(net: nn.Module, target: Tensor):
    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(32, 8, generator=generator)
        return {"loss": (net(x) - x @ target).square().mean()}

    return loss_of


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 8))


def test_training_learns_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    target = torch.randn(8, 8, generator=torch.Generator().manual_seed(3))
    once, halves, checkpoint = linear(), linear(), Checkpoint(tmp_path / "half.pt")
    before = float(regression(once, target)(torch.Generator().manual_seed(9))["loss"].detach())
    full = Budget(steps=60)
    kept = Checkpoint(tmp_path / "once.pt")
    assert train({"net": once}, regression(once, target), full, kept, lr=0.05, average=0.5) == 60
    assert float(regression(once, target)(torch.Generator().manual_seed(9))["loss"].detach()) < 0.3 * before

    seen = []

    def interrupted(generator: torch.Generator) -> dict[str, Tensor]:
        seen.append(1)
        if len(seen) > 30:
            raise KeyboardInterrupt
        return regression(halves, target)(generator)

    with pytest.raises(KeyboardInterrupt):
        train({"net": halves}, interrupted, full, checkpoint, lr=0.05, average=0.5)
    again = linear()
    train({"net": again}, regression(again, target), full, checkpoint, lr=0.05, average=0.5)
    for a, b in zip(once.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_loss_that_is_no_number_stops(tmp_path: Path) -> None:
    net = linear()
    with pytest.raises(NotANumberError, match="became nan at step 0"):
        train(
            {"net": net},
            lambda generator: {"loss": net(torch.ones(1, 8)).sum() * float("nan")},
            Budget(steps=3),
            Checkpoint(tmp_path / "x.pt"),
            lr=0.1,
        )
    assert all(torch.isfinite(p).all() for p in net.parameters())


def test_a_budget_needs_an_end() -> None:
    with pytest.raises(ValueError, match="--minutes or --steps"):
        Budget()
    assert Budget(minutes=1, steps=10).spent(5, 6) == 0.5


def test_the_learning_rate_warms_up_and_cools_down() -> None:
    rates = [learning_rate(x / 100) for x in range(101)]
    assert rates[0] < 0.1 and max(rates) == 1.0 and rates[100] == 0.0
    assert rates[50:] == sorted(rates[50:], reverse=True)


def test_muon_moves_the_last_slice_of_a_kernel_alone() -> None:
    vae = build_vae(VaeConfig(base_dim=8))
    before = {name: weight.clone() for name, weight in vae.state_dict().items()}
    optimiser = MuonAdamW([vae], lr=1e-2)
    still.encode(vae, torch.rand(2, 3, 16, 16)).square().mean().backward()
    optimiser.step(1.0)
    kernel = "encoder.down_blocks.0.conv1.weight"
    moved = vae.state_dict()[kernel] - before[kernel]
    assert not moved[:, :, :-1].any() and moved[:, :, -1].abs().mean() > 1e-4


def test_the_average_does_not_lag_early() -> None:
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.zero_()
    smooth = MovingAverage([net], limit=0.999)
    net.weight.data.fill_(1.0)
    for _ in range(40):
        smooth.update()
    assert float(smooth.weights[0].detach()) > 0.99
    smooth.swap()
    smooth.swap()
    assert float(net.weight.detach()) == 1.0


def test_people_are_drawn_once_and_the_same_each_time(tmp_path: Path) -> None:
    config = PeopleConfig(count=2, first_seed=HELD_OUT + 7, spares=1, size=64)
    first = load_people(config, tmp_path, workers=1)
    (folder,) = tmp_path.iterdir()
    written = (folder / "pictures.npy").stat().st_mtime_ns
    again = load_people(config, tmp_path, workers=1)
    assert (folder / "pictures.npy").stat().st_mtime_ns == written
    assert np.array_equal(first.pictures, again.pictures)
    assert first.pictures.shape == (2, 14, 64, 64, 3)
    assert first.expression[:, :13].tolist() == [list(range(13))] * 2
    strength = float(first.intensity[1, 4])
    assert np.array_equal(first.pictures[1, 4], people.picture(HELD_OUT + 8, EXPRESSIONS[4], strength, 64))


def test_the_shipped_recipe_trains_on_no_held_out_person() -> None:
    recipe = Recipe.read(ROOT / "trainers" / "configs" / "pocket-edit.toml")
    assert recipe.people.first_seed + recipe.people.count <= HELD_OUT
    assert 0.2 <= recipe.edit.label_noise <= 0.3
    assert all(a in EXPRESSIONS and b in EXPRESSIONS for a, b in recipe.edit.pairs)


def test_a_chart_reads_drawings_as_what_they_show(random_base: Path) -> None:
    """Even through an untrained auto-encoder: it blurs both sides alike."""
    edit = PocketEdit.load(random_base, "random")
    chart = Chart.of(edit, HELD_OUT + 3, intensities=(0.5, 1.0))
    expression, intensity = chart.read(chart_pictures(edit, HELD_OUT + 3, 0.9))
    assert (expression == np.arange(1, 13)).mean() > 0.9
    assert intensity.mean() > 0.9
    happy = EXPRESSIONS.index("happy")
    shown = [people.picture(HELD_OUT + 3, "happy", i) for i in (0.0, 0.3, 0.6, 0.9)]
    level = chart.projected(through(edit, np.stack(shown)), happy)
    assert (np.diff(level) > 0).all() and abs(level[0]) < 0.05


def chart_pictures(edit: PocketEdit, seed: int, intensity: float) -> np.ndarray:
    return through(edit, np.stack([people.picture(seed, word, intensity) for word in EXPRESSIONS[1:]]))


def through(edit: PocketEdit, pictures: np.ndarray) -> np.ndarray:
    from expressive.pocket.training.vae import decode_latents, encode_pictures

    return decode_latents(edit.vae, encode_pictures(edit.vae, pictures))


def test_edits_are_repeatable(random_base: Path) -> None:
    edit = PocketEdit.load(random_base, "random")
    contexts = edit.encode_prompts(["Edit the person to show a happy expression"] * 2)
    first, again = (edits(edit, HELD_OUT, contexts, steps=2) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(first[0], first[1])  # the same prompt from the same noise


def test_the_decoder_alone_leaves_the_latents_as_they_were(tmp_path: Path) -> None:
    """What a transformer has learned of the latents stays true; squares of colours count."""
    torch.manual_seed(0)
    vae = build_vae(VaeConfig(base_dim=8))
    drawn = load_people(PeopleConfig(count=1, spares=0, size=64), tmp_path)
    before = {name: weight.clone() for name, weight in vae.state_dict().items()}
    recipe = VaeRecipe(batch=4, crop=32)
    train_vae(vae, drawn, recipe, Budget(steps=2), Checkpoint(tmp_path / "x.pt"), decoder_only=True)
    moved = {name.split(".")[0] for name, weight in vae.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved == {"decoder", "post_quant_conv"}
    assert encoder_digest(vae.state_dict()) == encoder_digest(before)


def test_rare_colours_weigh_more_in_squares() -> None:
    weight = torch.ones(1, 1, 16, 16)
    grey, one, two = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    one[:, 1, :4, :4] = 1.0  # a green part
    two[:, 1, :8, :8] = 0.25  # the same absolute error, over more

    def share(wanted: Tensor) -> float:
        plain, vivid = (float(reconstruction_loss(grey, wanted, weight, 1.0, 2.0, v)) for v in (0.0, 10.0))
        return vivid - plain

    assert share(one) == pytest.approx(4 * share(two), rel=1e-4)


def test_other_hues_keep_greys_lightness_and_saturation() -> None:
    pixels = 0.3 * torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    turned = other_hues(pixels, torch.Generator().manual_seed(1))
    torch.testing.assert_close(turned.mean(1), pixels.mean(1))
    torch.testing.assert_close(turned.std(1), pixels.std(1))
    assert not torch.allclose(turned, pixels, atol=0.01)
    grey = pixels[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(other_hues(grey, torch.Generator().manual_seed(1)), grey)
