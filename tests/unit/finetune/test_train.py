"""The training loop on a toy: it goes on exactly, saves when stopped, and refuses to learn from no number."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from expressive.finetune import lora, train
from expressive.finetune.checkpoints import load_checkpoint, newest_checkpoint
from expressive.finetune.config import Config
from expressive.finetune.order import Order, generator_of
from expressive.finetune.trained import trained
from expressive.stopping import StoppedError


def config(**run: object) -> Config:
    return Config.model_validate(
        {
            "name": "toy",
            "base": {"kind": "pocket-edit"},
            "data": {"source": "x"},
            "lora": {"rank": 2, "alpha": 4},
            "optimiser": {"lr": 1e-2, "warm_up": 2},
            "memory": {"precision": "no"},
            "samples": {"every": 2},
            "run": {"epochs": 3, "batch": 2, "save_every": 4, **run},
        }
    )


class Toy:
    """A network of one layer that learns to give each of ten samples its own answer, with noise from the generator."""

    def __init__(self, dropout: float = 0.0) -> None:
        torch.manual_seed(0)
        self.network: nn.Module = nn.Sequential(nn.Linear(4, 4))
        lora.add_lora(self.network, lora.LoraShape(2, 4.0, dropout, targets=("0",)))
        self.network.train()
        self.inputs, self.answers = torch.randn(10, 4), torch.randn(10, 4)
        self.called: nn.Module = self.network
        self.seen: list[list[int]] = []

    def use(self, network: nn.Module) -> None:
        self.called = network

    def loss_of(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        self.seen.append(members)
        noise = 0.1 * torch.randn(len(members), 4, generator=generator)
        loss = (self.called(self.inputs[members] + noise) - self.answers[members]).square().mean()
        return {"loss": loss, "flow": loss.detach()}


def run(toy: Toy, how: Config, folder: Path | None, on_step: Callable[[int, dict[str, float]], None] | None = None,
        on_sample: Callable[[int], None] | None = None) -> dict[str, Tensor]:  # fmt: skip
    order = Order(["square"] * 10, how.run.batch, how.run.seed)
    accelerator = Accelerator(cpu=True, mixed_precision="no")
    settings = {"lr": how.optimiser.lr}
    train.train(
        how, toy, toy.loss_of, order, accelerator, folder, settings=settings, on_step=on_step, on_sample=on_sample
    )
    return lora.lora_state(toy.network)


class GoneError(Exception):
    pass


@pytest.mark.parametrize(
    ("stop", "run_settings"),
    [(4, {}), (9, {}), (9, {"average": 0.9}), (9, {"accumulate": 2, "epochs": 6}), (9, {"dropout": 0.5})],
)
def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path, stop: int, run_settings: dict[str, Any]) -> None:
    dropout = run_settings.pop("dropout", 0.0) if "dropout" in run_settings else 0.0
    how = config(**run_settings)
    whole, steps = Toy(dropout), list[int]()
    wanted = run(whole, how, tmp_path / "whole", lambda step, _: steps.append(step))
    assert steps == list(range(1, 16)) and whole.seen[:5] != whole.seen[5:10]  # 3 epochs of 5, each in its own order

    def stop_here(step: int, losses: dict[str, float]) -> None:
        if step == stop:
            raise GoneError

    first = Toy(dropout)
    with pytest.raises(GoneError):  # as if the machine had gone: nothing is saved beyond the last checkpoint
        run(first, how, tmp_path / "cut", stop_here)
    newest = newest_checkpoint(tmp_path / "cut")
    assert (newest is not None) == (stop > 4)
    second = Toy(dropout)
    torch.manual_seed(99)  # another process has another global random state
    found = run(second, how, tmp_path / "cut")
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    assert second.seen == whole.seen[-len(second.seen) :]


@pytest.fixture
def hearing_ctrl_c() -> Iterator[None]:
    """Ctrl-C counts, also where the tests were begun in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing_ctrl_c")
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_after_the_step(tmp_path: Path, name: signal.Signals) -> None:
    """Wherever in a step it comes, what is saved is a whole step, and the training goes on as if nothing had been."""
    wanted = run(Toy(), config(), None)

    class Pressed(Toy):
        def loss_of(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
            if len(self.seen) == 6:
                signal.raise_signal(name)
            return super().loss_of(members, generator)

    before = signal.getsignal(name)
    with pytest.raises(StoppedError, match="Stopped at step 7 of 15; the same command"):
        run(Pressed(), config(), tmp_path)
    assert signal.getsignal(name) == before
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and load_checkpoint(newest)[0] == 7
    found = run(Toy(), config(), tmp_path)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


@pytest.mark.usefixtures("hearing_ctrl_c")
def test_ctrl_c_twice_stops_at_once(tmp_path: Path) -> None:
    class Pressed(Toy):
        def loss_of(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            return super().loss_of(members, generator)

    with pytest.raises(KeyboardInterrupt):
        run(Pressed(), config(), tmp_path)
    assert newest_checkpoint(tmp_path) is None


def test_other_settings_than_the_checkpoints_are_refused(tmp_path: Path) -> None:
    run(Toy(), config(steps=4), tmp_path / "checkpoints")
    how = config()
    other = how.model_copy(update={"optimiser": how.optimiser.model_copy(update={"lr": 0.5})})
    with pytest.raises(ValueError, match="holds a training with other settings: lr was 0.01 and is 0.5. --restart"):
        run(Toy(), other, tmp_path / "checkpoints")


def test_sheets_show_the_average_and_training_goes_on_with_its_own(tmp_path: Path) -> None:
    toy, seen = Toy(), dict[int, dict[str, Tensor]]()
    final = run(
        toy, config(average=0.9), None, on_sample=lambda step: seen.update({step: lora.lora_state(toy.network)})
    )
    plain = run(Toy(), config(), None)
    assert seen.keys() == {0, 2, 4, 6, 8, 10, 12, 14}
    assert any(not torch.equal(final[key], plain[key]) for key in final)
    smooth = Toy()
    averages = train.average_of(0.9, list(trained(smooth.network).values()))
    assert averages is not None

    def follow(step: int, losses: dict[str, float]) -> None:
        averages.step(list(trained(smooth.network).values()))

    run(smooth, config(), None, follow)
    averages.copy_to(list(trained(smooth.network).values()))
    followed = lora.lora_state(smooth.network)
    assert all(torch.equal(final[key], followed[key]) for key in final)


def test_a_loss_that_is_no_number_stops_and_keeps_what_was_good(tmp_path: Path) -> None:
    toy = Toy()

    def poisoned(step: int, losses: dict[str, float]) -> None:
        if step == 5:
            toy.inputs[:] = float("nan")

    with pytest.raises(train.NotANumberError, match="at step 6; the checkpoint of step 4 is kept"):
        run(toy, config(), tmp_path, poisoned)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    step, state = load_checkpoint(newest)
    assert step == 4 and all(bool(torch.isfinite(value).all()) for value in state["weights"].values())


def test_it_learns_and_tells_how(tmp_path: Path) -> None:
    told: list[dict[str, float]] = []
    sampled: list[int] = []
    run(Toy(), config(epochs=60), tmp_path, lambda _, losses: told.append(losses), sampled.append)
    assert told[-1]["loss"] < told[0]["loss"]
    assert told[0].keys() == {"loss", "flow", "gradient", "lr"}
    assert told[0]["lr"] == pytest.approx(5e-3) and told[-1]["lr"] == pytest.approx(0, abs=1e-9)  # warm-up and cosine
    assert sampled[:3] == [0, 2, 4]


def test_parts_of_a_step_add_up(tmp_path: Path) -> None:
    """Accumulated gradients are those of the mean over the parts."""
    toy = Toy()
    run(toy, config(accumulate=5, steps=1), tmp_path)
    assert sorted(index for members in toy.seen for index in members) == list(range(10))
    order = Order([0] * 10, 2, 0)
    assert train.total_steps(config(accumulate=5), order) == 3
    assert train.total_steps(config(), order, processes=4) == 4  # 3 epochs of 5 batches, four at a time


def test_every_sample_is_seen_once_an_epoch_and_kinds_stay_apart() -> None:
    order = Order(["a"] * 5 + ["b"] * 4, 2, seed=3)
    assert order.batches_per_epoch == 5
    for epoch in range(3):
        batches = [order.batch(5 * epoch + i) for i in range(5)]
        assert sorted(sum(batches, [])) == list(range(9))
        assert all(len({index < 5 for index in members}) == 1 for members in batches)
    assert order.batch(7) == Order(["a"] * 5 + ["b"] * 4, 2, seed=3).batch(7)
    with pytest.raises(ValueError, match="nothing to train on"):
        Order([], 2, 0)
    one, other = generator_of(0, 3, 0), generator_of(0, 3, 1)
    assert not torch.equal(torch.randn(4, generator=one), torch.randn(4, generator=other))


def test_eight_bits_need_a_package_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    how = config()
    how = how.model_copy(update={"optimiser": how.optimiser.model_copy(update={"kind": "adamw8bit"})})
    with pytest.raises(ImportError, match="pip install bitsandbytes"):
        train.build_optimiser(how, {"x": nn.Parameter(torch.zeros(2))})
