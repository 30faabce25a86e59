"""One training from its configuration to the finished file."""

from __future__ import annotations

import datetime
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..provenance import commit
from ..settings import write_settings
from .adapter_config import AdapterConfig
from .adapting import Change, lighten
from .cache import DiskCache
from .checkpoints import forget_checkpoints, newest_checkpoint
from .config import Config, Training
from .order import Order
from .tasks import CaptionsTask, PairsTask, Task
from .train import total_steps, train

if TYPE_CHECKING:
    from accelerate import Accelerator

log = logging.getLogger(__name__)

FREE = ("name", "samples", "calibration", "memory")
"""Tables that may change between a stop and going on."""
FREE_KEYS = ("run.epochs", "run.steps", "run.save_every", "run.keep", "data.cache", "data.source", "base.path")
"""Settings that may, too: paths, for what lies there is compared itself."""

ENCODERS: Any = {
    "objective": {"contrast": {"encoder"}, "identity": {"encoder"}, "expression": {"encoder"}},
    "painting": {"expression": {"encoder"}},
    "data": {"faces": {"encoder"}, "finder": True},
    "encoders": True,
}
"""Paths of encoders, likewise."""

WAIT = datetime.timedelta(hours=12)
"""How long one process may encode or draw sheets while the others wait for it."""


def build_accelerator(config: Training, out: Path) -> Accelerator:
    """For one device or, under `accelerate launch`, one of several."""
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs, ProjectConfiguration

    return Accelerator(
        mixed_precision=config.memory.precision,
        log_with="tensorboard",
        project_config=ProjectConfiguration(project_dir=str(out), logging_dir=str(out / "log")),
        # the last block's text half gets no gradient, as its result is never used; and one process draws sheets alone
        kwargs_handlers=[
            DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False),
            InitProcessGroupKwargs(timeout=WAIT),
        ],
    )


def run(
    config: Training, out: Path, models: Path, *, resume: bool = True, dry: bool = False,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
) -> Path | None:  # fmt: skip
    """Train as the configuration says; returns the finished file `<out>/<name>.safetensors`.

    out: also gets `config.toml` (everything, defaults included), checkpoints, sample sheets and TensorBoard's log.
    models: folder of the pack's own weights. resume: go on from the newest checkpoint in `out`, if there is one; False
    begins anew. dry: load and encode everything and compute one step; but for the cache, `out` stays as it was.
    on_step: hears of each step and its losses.
    Raises FileNotFoundError, ValueError, BadRowError, ImportError, NotANumberError or StoppedError with a sentence.
    """
    cache = DiskCache(config.data.cache or out / "cache")
    if dry:
        short = config.model_copy(update={"run": config.run.model_copy(update={"steps": 1})})
        with tempfile.TemporaryDirectory() as folder:
            _train(short, Path(folder), models, cache, save=False)
        return None
    return _train(config, out, models, cache, resume=resume, on_step=on_step)


def task_of(config: Training, models: Path, cache: DiskCache, device: torch.device) -> Task:
    """The way of learning that a configuration is of. Raises FileNotFoundError, ValueError or BadRowError."""
    if isinstance(config, AdapterConfig):
        from .adapter_task import AdapterTask

        return AdapterTask(config, models, cache, device)
    assert isinstance(config, Config)
    return (PairsTask if config.data.kind == "pairs" else CaptionsTask)(config, models, cache, device)


def _train(
    config: Training, out: Path, models: Path, cache: DiskCache, *, resume: bool = True, save: bool = True,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
) -> Path | None:  # fmt: skip
    from accelerate.utils import gather_object

    accelerator = build_accelerator(config, out)
    device, checkpoints, first = accelerator.device, out / "checkpoints", accelerator.is_main_process
    if first and not resume:
        forget_checkpoints(checkpoints)
    task = task_of(config, models, cache, device)
    base, data = task.base, task.data
    unusable = data.prepare((accelerator.process_index, accelerator.num_processes))
    data.leave_out(gather_object(unusable))
    if first:
        task.look_ahead()
        log.info("%d samples (%s), %d results encoded anew", len(data), data.counted, cache.made)
        write_settings(config, out / "config.toml")
    base.forget_encoder()  # before the network comes, so that they never need memory together
    torch.manual_seed(config.run.seed)  # of a random start
    change = task.change()
    lighten(base.network, config.memory.checkpointing, config.memory.offload)
    order = Order(data.kinds, config.run.batch, config.run.seed)
    if first:
        log.info("%s, %d steps", change.said, total_steps(config, order, accelerator.num_processes))
    accelerator.init_trackers(config.name)

    def after_step(step: int, losses: dict[str, float]) -> None:
        accelerator.log(losses, step=step)
        if on_step is not None:
            on_step(step, losses)

    def on_sample(step: int) -> None:
        if first:
            task.sheet(f"{config.name}, step {step}", out / "samples" / f"step-{step:06d}.png")

    train(
        config, base, task.losses, order, accelerator, checkpoints if save else None,
        settings={"data, encoders": data.key, "base model": base.network_key, **lasting(config)},
        on_step=after_step,
        on_sample=on_sample,
    )  # fmt: skip
    accelerator.end_training()
    if not (first and save):
        return None
    told = described(config, task, change, newest_checkpoint(checkpoints), out) | task.measured()
    file = change.save(out, config.name, told)
    log.info("wrote %s", file)
    return file


def lasting(config: Training) -> dict[str, object]:
    """Settings by name, such as "lora.rank", that a stopped training cannot change; values as JSON has them."""
    found: dict[str, object] = {}

    def put(place: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                put(f"{place}.{key}" if place else key, inner)
        elif place not in FREE_KEYS and place.partition(".")[0] not in FREE:
            found[place] = value

    put("", config.model_dump(mode="json", exclude=ENCODERS))
    return {**found, "memory.precision": config.memory.precision}


def described(config: Training, task: Task, change: Change, newest: Path | None, out: Path) -> dict[str, object]:
    """The file's metadata: what it is, what it was made of and how; loader nodes read it."""
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": config.name,
        "modelspec.architecture": task.base.architecture + change.suffix,
        "modelspec.implementation": "https://github.com/huggingface/diffusers",
        "modelspec.description": task.description,
        "modelspec.resolution": f"{config.data.size}x{config.data.size}",
        "expressive.base": config.base.kind,
        "expressive.method": task.method,
        "expressive.recipe": (out / "config.toml").read_text(encoding="utf-8"),
        **change.metadata,
        "expressive.checkpoint": newest.stem if newest is not None else "",
        "expressive.commit": commit(),
    }
