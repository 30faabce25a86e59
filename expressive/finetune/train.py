"""The loop: gradients of a LoRA's adapters, on one device or several, that can be stopped and goes on exactly."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from .checkpoints import load_checkpoint, newest_checkpoint, save_checkpoint
from .config import Config
from .lora import load_lora_state, lora_state, trained
from .order import Order, generator_of

if TYPE_CHECKING:
    from accelerate import Accelerator

LossOf = Callable[[list[int], torch.Generator], dict[str, Tensor]]
"""(numbers of samples, generator) → named scalars with `loss`."""


class NotANumberError(RuntimeError):
    """The loss is no longer a number; the newest checkpoint is from before that."""


@dataclass
class Average:
    """Exponential moving average of the adapters. decay 0: the adapters themselves."""

    decay: float
    values: dict[str, Tensor]

    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after a step; early steps count more, so that the average never lags behind the start."""
        if self.decay > 0:
            decay = min(self.decay, (1 + step) / (10 + step))
            for key, value in lora_state(network).items():
                self.values[key].lerp_(value, 1 - decay)

    def of(self, network: nn.Module) -> dict[str, Tensor]:
        """What is to be saved."""
        return self.values if self.decay > 0 else lora_state(network)


def total_steps(config: Config, order: Order) -> int:
    """Optimiser steps of the whole training."""
    epochs = math.ceil(config.run.epochs * order.batches_per_epoch / config.run.accumulate)
    return min(epochs, config.run.steps) if config.run.steps else epochs


def train_lora(
    config: Config,
    network: nn.Module,
    wrap: Callable[[nn.Module], None],
    loss_of: LossOf,
    order: Order,
    accelerator: Accelerator,
    folder: Path,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
    on_sample: Callable[[int], None] | None = None,
) -> dict[str, Tensor]:
    """Train the adapters of `network` in place; returns what is to be saved (see `Average`).

    wrap: is given the network as it has to be called, for several devices. folder: of checkpoints; if there is one,
    training goes on from it and ends where it would have ended without the stop, bit for bit on the CPU.
    on_step: after each step, with its number and the mean losses. on_sample: before the first step and every
    `samples.every` steps; it has to leave the global random state alone.
    Raises NotANumberError, and KeyboardInterrupt after a checkpoint.
    """
    from diffusers.optimization import get_scheduler

    run, parameters = config.run, trained(network)
    steps = total_steps(config, order)
    optimiser = build_optimiser(config, parameters)
    warm_up = min(config.optimiser.warm_up, steps // 2)
    schedule = get_scheduler(config.optimiser.schedule, optimiser, num_warmup_steps=warm_up, num_training_steps=steps)
    average = Average(run.average, lora_state(network))
    step = 0
    if (newest := newest_checkpoint(folder)) is not None:
        step, saved = load_checkpoint(newest)
        load_lora_state(network, saved["lora"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        average.values = saved["average"]
    called = accelerator.prepare(network)
    wrap(called)
    optimiser = accelerator.prepare(optimiser)
    if newest is not None and accelerator.scaler is not None:
        accelerator.scaler.load_state_dict(saved["scaler"])

    def save() -> None:
        if accelerator.is_main_process:
            state: dict[str, Any] = {
                "lora": lora_state(network),
                "optimiser": optimiser.optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "average": average.values,
                "scaler": accelerator.scaler.state_dict() if accelerator.scaler is not None else {},
            }
            save_checkpoint(folder, step, state, run.keep)

    bar = tqdm(total=steps, initial=step, desc=config.name, disable=not accelerator.is_main_process)
    if step == 0 and on_sample is not None and config.samples.every:
        on_sample(0)
    saved_at = step
    try:
        while step < steps:
            shown = _step(config, called, loss_of, order, accelerator, step, parameters)
            bad = [name for name, value in shown.items() if not math.isfinite(value)]
            if bad:
                raise NotANumberError(
                    f"{bad[0]} became {shown[bad[0]]} at step {step + 1}. The checkpoint of step {saved_at} is kept; "
                    "a lower optimiser.lr, or memory.precision = “no”, may help."
                )
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            step += 1
            average.update(network, step)
            bar.update()
            bar.set_postfix({name: f"{value:.4f}" for name, value in shown.items()})
            if on_step is not None:
                on_step(step, {**shown, "lr": float(schedule.get_last_lr()[0])})
            if step % run.save_every == 0 or step == steps:
                save()
                saved_at = step
            if on_sample is not None and config.samples.every and step % config.samples.every == 0:
                on_sample(step)
    except KeyboardInterrupt:
        save()
        raise
    finally:
        bar.close()
    return average.of(network)


def _step(
    config: Config,
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
            with accelerator.autocast():
                losses = loss_of(order.batch(place), generator)
            accelerator.backward(losses["loss"] / parts)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) / parts
    if accelerator.sync_gradients:
        sums["gradient"] = float(accelerator.clip_grad_norm_(parameters, config.optimiser.clip) or 0.0)
    return sums


def build_optimiser(config: Config, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW, or its 8-bit form from bitsandbytes. Raises ImportError with the remedy where that is missing."""
    how = config.optimiser
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
