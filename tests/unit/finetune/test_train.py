"""The training loop on a toy: it goes on exactly, saves when stopped, and refuses to learn from no number."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from expressive.finetune import lora, train
from expressive.finetune.checkpoints import load_checkpoint, newest_checkpoint
from expressive.finetune.config import Config
from expressive.finetune.order import Order, generator_of


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

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network: nn.Module = nn.Sequential(nn.Linear(4, 4))
        lora.add_lora(self.network, lora.LoraShape(2, 4.0, targets=("0",)))
        self.inputs, self.answers = torch.randn(10, 4), torch.randn(10, 4)
        self.called: nn.Module = self.network
        self.seen: list[list[int]] = []

    def wrap(self, network: nn.Module) -> None:
        self.called = network

    def loss_of(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        self.seen.append(members)
        noise = 0.1 * torch.randn(len(members), 4, generator=generator)
        loss = (self.called(self.inputs[members] + noise) - self.answers[members]).square().mean()
        return {"loss": loss, "flow": loss.detach()}


def run(toy: Toy, how: Config, folder: Path, on_step: Callable[[int, dict[str, float]], None] | None = None,
        on_sample: Callable[[int], None] | None = None) -> dict[str, Tensor]:  # fmt: skip
    order = Order(["square"] * 10, how.run.batch, how.run.seed)
    accelerator = Accelerator(cpu=True, mixed_precision="no")
    return train.train_lora(
        how, toy.network, toy.wrap, toy.loss_of, order, accelerator, folder, on_step, on_sample
    )  # fmt: skip


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("stop", [4, 9])
def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path, stop: int, average: float) -> None:
    whole, steps = Toy(), list[int]()
    wanted = run(whole, config(average=average), tmp_path / "whole", lambda step, _: steps.append(step))
    assert steps == list(range(1, 16)) and whole.seen[:5] != whole.seen[5:10]  # 3 epochs of 5, each in its own order

    def stop_here(step: int, losses: dict[str, float]) -> None:
        if step == stop:
            raise StoppedError

    first = Toy()
    with pytest.raises(StoppedError):  # as if the machine had gone: nothing is saved beyond the last checkpoint
        run(first, config(average=average), tmp_path / "cut", stop_here)
    newest = newest_checkpoint(tmp_path / "cut")
    assert (newest is not None) == (stop > 4)
    second = Toy()
    found = run(second, config(average=average), tmp_path / "cut")
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    assert second.seen == whole.seen[-len(second.seen) :]


def test_ctrl_c_saves(tmp_path: Path) -> None:
    def press(step: int, losses: dict[str, float]) -> None:
        if step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Toy(), config(), tmp_path, press)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and load_checkpoint(newest)[0] == 7


def test_a_loss_that_is_no_number_stops_and_keeps_what_was_good(tmp_path: Path) -> None:
    toy = Toy()

    def poisoned(step: int, losses: dict[str, float]) -> None:
        if step == 5:
            toy.inputs[:] = float("nan")

    with pytest.raises(train.NotANumberError, match="at step 6. The checkpoint of step 4 is kept"):
        run(toy, config(), tmp_path, poisoned)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    step, state = load_checkpoint(newest)
    assert step == 4 and all(bool(torch.isfinite(value).all()) for value in state["lora"].values())


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
    assert train.total_steps(config(accumulate=5), Order([0] * 10, 2, 0)) == 3


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
        train.build_optimiser(how, [nn.Parameter(torch.zeros(2))])
