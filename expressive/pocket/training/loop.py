"""The loop that all pocket trainings share: time budget, learning rate, checkpoints, Ctrl-C, not-a-number."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from .optimiser import MovingAverage, MuonAdamW

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Budget:
    """How long to train: until `minutes` have passed or `steps` are done, whichever comes first (0: no such limit)."""

    minutes: float = 0.0
    steps: int = 0

    def __post_init__(self) -> None:
        if self.minutes <= 0 and self.steps <= 0:
            raise ValueError("Training needs an end: give --minutes or --steps above zero.")

    def part(self, share: float) -> Budget:
        """A share of this budget."""
        return Budget(share * self.minutes, max(1, round(share * self.steps)) if self.steps else 0)

    def spent(self, step: int, seconds: float) -> float:
        """0 at the start … 1 at the end."""
        shares = [step / self.steps] if self.steps > 0 else []
        shares += [seconds / (60 * self.minutes)] if self.minutes > 0 else []
        return min(1.0, max(shares))


@dataclass(frozen=True)
class Checkpoint:
    """Where a training is kept. origin: what it is of (`stages.origin`); another origin is another training."""

    file: Path
    origin: str = ""

    def load(self) -> dict[str, Any] | None:
        """What is kept, on the CPU; None where there is nothing yet. Raises ValueError for another training's."""
        if not self.file.is_file():
            return None
        saved = torch.load(self.file, weights_only=True, map_location="cpu")
        if saved.get("origin", self.origin) != self.origin:
            raise ValueError(
                f"{self.file} is of another training: its settings, pictures or starting weights have changed. Remove "
                "it to begin anew, or take another folder with --work."
            )
        return saved

    def save(self, state: Mapping[str, Any]) -> None:
        """Write it whole or not at all."""
        partial = self.file.with_suffix(".partial")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        torch.save({**state, "origin": self.origin}, partial)
        partial.replace(self.file)


def learning_rate(spent: float, warm_up: float = 0.02, cool_down: float = 0.5) -> float:
    """Factor on the learning rate: linear up, constant, linear down to zero over the last `cool_down` of the budget."""
    return min(1.0, spent / warm_up + 0.05, max(0.0, (1.0 - spent) / cool_down))


class NotANumberError(RuntimeError):
    """The loss is no longer a number; the last checkpoint is from before that."""


def train(
    modules: dict[str, nn.Module],
    loss_of: Callable[[torch.Generator], dict[str, Tensor]],
    budget: Budget,
    checkpoint: Checkpoint,
    *,
    lr: float,
    weight_decay: float = 0.01,
    average: float = 0.999,
    seed: int = 0,
    save_every: float = 180.0,
    on_save: Callable[[int], None] | None = None,
) -> int:
    """Train until the budget is spent, then leave the averaged weights in `modules`. Returns the number of steps done.

    loss_of: called each step with a generator that is the step's own; returns named scalars and minimises `loss`.
    checkpoint: written every `save_every` seconds and on Ctrl-C; read at the start if it exists.
    on_save: called after each checkpoint with the averaged weights in place.
    Raises NotANumberError, ValueError for another training's checkpoint, and KeyboardInterrupt after saving.
    """
    optimiser = MuonAdamW(modules.values(), lr, weight_decay)
    smooth = MovingAverage(modules.values(), average)
    step, seconds = 0, 0.0
    if (saved := checkpoint.load()) is not None:
        for name, module in modules.items():
            module.load_state_dict(saved["modules"][name])
        optimiser.load_state_dict(saved["optimiser"])
        smooth.load_state_dict(saved["average"])
        step, seconds = saved["step"], saved["seconds"]
        if budget.spent(step, seconds) >= 1.0:
            log.info("%s is finished already; remove it to train anew", checkpoint.file)

    def save() -> None:
        state = {"modules": {k: m.state_dict() for k, m in modules.items()}, "step": step, "seconds": seconds}
        checkpoint.save({**state, "optimiser": optimiser.state_dict(), "average": smooth.state_dict()})

    bar = tqdm(total=100.0, bar_format="{percentage:5.1f}% |{bar:24}| {elapsed} {postfix}")
    last_save, shown = time.monotonic(), {}
    try:
        while (spent := budget.spent(step, seconds)) < 1.0:
            start = time.monotonic()
            losses = loss_of(torch.Generator().manual_seed(seed * 1_000_003 + step))
            losses["loss"].backward()
            found = {name: float(value.detach()) for name, value in losses.items()}
            if not math.isfinite(found["loss"]):
                raise NotANumberError(
                    f"The loss became {found['loss']} at step {step}. The last checkpoint is from before that; take a "
                    "lower lr in the recipe, and begin anew or go on from it."
                )
            optimiser.step(learning_rate(spent))
            smooth.update()
            step += 1
            seconds += time.monotonic() - start
            shown = {k: 0.98 * shown.get(k, v) + 0.02 * v for k, v in found.items()}
            bar.n = 100 * spent
            bar.set_postfix_str(f"step {step} " + " ".join(f"{k} {v:.4f}" for k, v in shown.items()))
            if time.monotonic() - last_save > save_every:
                save()
                if on_save is not None:
                    with _averaged(smooth):
                        on_save(step)
                last_save = time.monotonic()
    except KeyboardInterrupt:
        save()
        raise
    finally:
        bar.close()
    save()
    smooth.swap()
    if on_save is not None:
        on_save(step)
    return step


@contextlib.contextmanager
def _averaged(smooth: MovingAverage) -> Iterator[None]:
    smooth.swap()
    try:
        yield
    finally:
        smooth.swap()
