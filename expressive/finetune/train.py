"""The loop: gradients of adapters or of all weights, on one device or several; stopped, it goes on exactly."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..stopping import Stop, StoppedError
from .checkpoints import load_checkpoint, newest_checkpoint, save_checkpoint
from .config import Training
from .order import Order, generator_of
from .trained import load_trained_state, trained, trained_state

if TYPE_CHECKING:
    from accelerate import Accelerator
    from diffusers.training_utils import EMAModel

LossOf = Callable[[list[int], torch.Generator], dict[str, Tensor]]
"""(numbers of samples, generator) → named scalars with `loss`."""

HASHED = ("data, encoders", "base model")
"""Settings whose values say nothing to people."""

MOST_SKIPPED = 50
"""Steps in a row that half precision may leave out while it looks for a scale of the gradients."""


class NotANumberError(RuntimeError):
    """The loss is no longer a number; the newest checkpoint is from before that."""


class Trainable(Protocol):
    """What the loop asks of a base."""

    @property
    def network(self) -> nn.Module:
        """Of which some parameters, or all, ask for gradients."""
        ...

    def use(self, network: nn.Module) -> None:
        """Call this in the place of `network`: a wrapper of it, for several devices."""
        ...


def total_steps(config: Training, order: Order, processes: int = 1) -> int:
    """Optimiser steps of the whole training; each takes in a batch for every part and process."""
    epochs = math.ceil(config.run.epochs * order.batches_per_epoch / (config.run.accumulate * processes))
    return min(epochs, config.run.steps) if config.run.steps else epochs


def train(
    config: Training,
    base: Trainable,
    loss_of: LossOf,
    order: Order,
    accelerator: Accelerator,
    folder: Path | None,
    *,
    settings: Mapping[str, object] | None = None,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
    on_sample: Callable[[int], None] | None = None,
) -> None:
    """Train what a base's network lets be trained; in the end it has the weights that are to be saved.

    folder: of checkpoints; None writes none. If there is one, training goes on from it and ends where it would have
    ended without the stop, bit for bit on the CPU. settings: what has to be as it was for that, JSON values by name.
    on_step: after each step, with its number and the mean losses. on_sample: before the first step and every
    `samples.every` steps, with the weights that would be saved.
    Raises NotANumberError, ValueError for other settings than the checkpoint's, and StoppedError after a checkpoint.
    """
    from diffusers.optimization import get_scheduler

    run, network = config.run, base.network
    parameters, processes = list(trained(network).values()), accelerator.num_processes
    steps = total_steps(config, order, processes)
    optimiser = build_optimiser(config, trained(network))
    kind = {"constant": "constant_with_warmup"}.get(config.optimiser.schedule, config.optimiser.schedule)
    warm_up = min(config.optimiser.warm_up, steps // 2)
    schedule = get_scheduler(kind, optimiser, num_warmup_steps=warm_up, num_training_steps=steps)
    average = average_of(run.average, parameters)
    settings = {**(settings or {}), "processes": processes}
    step, saved = 0, {}
    newest = newest_checkpoint(folder) if folder is not None else None
    if newest is not None:
        step, saved = load_checkpoint(newest)
        same_settings(saved["settings"], settings, newest)
        load_trained_state(network, saved["weights"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        if average is not None:
            average.load_state_dict(saved["average"])
    called = accelerator.prepare(network)
    base.use(called)
    optimiser = accelerator.prepare(optimiser)
    if average is not None:
        average.to(accelerator.device)
    if accelerator.scaler is not None and saved:
        accelerator.scaler.load_state_dict(saved["scaler"])
    begun = bool(saved)
    saved = {}  # of a whole network it is large

    def save() -> None:
        if accelerator.is_main_process and folder is not None:
            state: dict[str, Any] = {
                "settings": settings,
                "weights": trained_state(network),
                "optimiser": optimiser.optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "average": average.state_dict() if average is not None else None,
                "scaler": accelerator.scaler.state_dict() if accelerator.scaler is not None else {},
            }
            save_checkpoint(folder, step, state, run.keep)

    def sample() -> None:
        if on_sample is not None and config.samples.every and step % config.samples.every == 0:
            with torch.random.fork_rng(), averaged(average, parameters):
                on_sample(step)

    bar = tqdm(total=steps, initial=step, desc=config.name, disable=not accelerator.is_main_process)
    saved_at, skipped = step if begun else None, 0
    if step < steps:
        sample()  # before the first step, or once more where a stop came before the sheet
    with Stop() as stop, contextlib.closing(bar):
        while step < steps:
            shown = _step(config, called, loss_of, order, accelerator, step, parameters)
            _numbers(shown, accelerator, step, saved_at, skipped)
            optimiser.step()
            optimiser.zero_grad()
            step += 1
            if accelerator.optimizer_step_was_skipped:
                skipped += 1
            else:
                skipped = 0
                schedule.step()
                if average is not None:
                    average.step(parameters)
            bar.update()
            bar.set_postfix({name: f"{value:.4f}" for name, value in shown.items()})
            if on_step is not None:
                on_step(step, {**shown, "lr": float(schedule.get_last_lr()[0])})
            if stop.asked:
                accelerator.set_trigger()
            stopped = accelerator.check_trigger() and step < steps  # on all devices at the same step
            if stopped or step % run.save_every == 0 or step == steps:
                save()
                saved_at = step
            if stopped:
                raise StoppedError(f"Stopped at step {step} of {steps}; the same command goes on from there.")
            sample()
    if average is not None:
        average.copy_to(parameters)


def average_of(decay: float, parameters: list[nn.Parameter]) -> EMAModel | None:
    """The moving average of what is trained; early steps count more, so that it never lags behind the start."""
    from diffusers.training_utils import EMAModel

    return EMAModel(parameters, decay=decay) if decay > 0 else None


@contextlib.contextmanager
def averaged(average: EMAModel | None, parameters: list[nn.Parameter]) -> Iterator[None]:
    """Inside, the parameters are the average's."""
    if average is None:
        yield
        return
    average.store(parameters)
    average.copy_to(parameters)
    try:
        yield
    finally:
        average.restore(parameters)


def same_settings(then: Mapping[str, object], now: Mapping[str, object], checkpoint: Path) -> None:
    """Raises ValueError, naming each, where settings differ that a checkpoint cannot go on with."""
    changed = [
        f"{name} changed"
        if name in HASHED
        else f"{name} was {then.get(name, 'unknown')} and is {now.get(name, 'unknown')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    if changed:
        raise ValueError(
            f"{checkpoint.parent.parent} holds a training with other settings: {'; '.join(changed)}. "
            "--restart begins anew, --out takes another folder."
        )


def _numbers(
    shown: Mapping[str, float], accelerator: Accelerator, step: int, saved_at: int | None, skipped: int
) -> None:
    """Raises NotANumberError unless all is finite; a scaler may leave out some steps whose gradient is not."""
    bad = [name for name, value in shown.items() if not math.isfinite(value)]
    if bad == ["gradient"] and accelerator.scaler is not None and skipped < MOST_SKIPPED:
        return
    if bad:
        kept = "nothing was saved yet" if saved_at is None else f"the checkpoint of step {saved_at} is kept"
        raise NotANumberError(
            f"{bad[0]} became {shown[bad[0]]} at step {step + 1}; {kept}. A lower optimiser.lr, or memory.precision = "
            "“no”, may help."
        )


def _step(
    config: Training,
    called: nn.Module,
    loss_of: LossOf,
    order: Order,
    accelerator: Accelerator,
    step: int,
    parameters: list[nn.Parameter],
) -> dict[str, float]:
    """Gradients of one step, clipped, in the parameters; returns the mean losses over its parts."""
    parts, sums = config.run.accumulate, dict[str, float]()
    for part in range(parts):
        place = (step * parts + part) * accelerator.num_processes + accelerator.process_index
        generator = generator_of(config.run.seed, step, part, accelerator.process_index)
        apart = accelerator.no_sync(called) if part < parts - 1 else contextlib.nullcontext()
        with apart:  # devices exchange gradients once a step
            torch.manual_seed(generator.initial_seed())  # dropout's, which knows no generator
            losses = loss_of(order.batch(place), generator)
            accelerator.backward(losses["loss"] / parts)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) / parts
    sums["gradient"] = float(accelerator.clip_grad_norm_(parameters, config.optimiser.clip) or 0.0)
    return sums


def build_optimiser(config: Training, named: Mapping[str, nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW, or its 8-bit form from bitsandbytes; adapters of text encoders have their own learning rate.

    Raises ImportError with the remedy where bitsandbytes is missing.
    """
    how = config.optimiser
    texts = [parameter for name, parameter in named.items() if name.startswith("text_encoder")]
    rest = [parameter for name, parameter in named.items() if not name.startswith("text_encoder")]
    parameters: list[dict[str, Any]] = [{"params": rest}]
    if texts:
        parameters.append({"params": texts, "lr": how.text_lr or how.lr})
    settings: dict[str, Any] = {
        "lr": how.lr, "betas": how.betas, "weight_decay": how.weight_decay, "eps": how.eps,
    }  # fmt: skip
    if how.kind == "adamw":
        return torch.optim.AdamW(parameters, **settings)
    try:
        from bitsandbytes.optim import AdamW8bit  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            "optimiser.kind = “adamw8bit” needs the package bitsandbytes: pip install bitsandbytes, or take “adamw”."
        ) from error
    return AdamW8bit(parameters, **settings)
