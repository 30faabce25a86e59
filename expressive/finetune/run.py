"""One training from its configuration to the finished file."""

from __future__ import annotations

import datetime
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..provenance import commit
from ..settings import write_settings
from .cache import DiskCache
from .checkpoints import forget_checkpoints, newest_checkpoint
from .config import Config
from .hearing import PARTS
from .lora import LoraShape, add_lora, save_lora
from .offload import stream_linears
from .order import Order
from .tasks import CaptionsTask, Task, task_of
from .train import total_steps, train
from .trained import train_all

if TYPE_CHECKING:
    from accelerate import Accelerator

log = logging.getLogger(__name__)

FREE = ("name", "samples", "calibration", "memory")
"""Tables that may change between a stop and going on."""
FREE_KEYS = ("run.epochs", "run.steps", "run.save_every", "run.keep", "data.cache", "data.source", "base.path")
"""Settings that may, too: paths, for what lies there is compared itself."""

ENCODERS: Any = {
    "objective": {"contrast": {"encoder"}, "identity": {"encoder"}},
    "painting": {"expression": {"encoder"}},
    "data": {"faces": {"encoder"}},
}
"""Paths of encoders, likewise."""

WAIT = datetime.timedelta(hours=12)
"""How long one process may encode or draw sheets while the others wait for it."""


def build_accelerator(config: Config, out: Path) -> Accelerator:
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
    config: Config, out: Path, models: Path, *, resume: bool = True, dry: bool = False,
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


def _train(
    config: Config, out: Path, models: Path, cache: DiskCache, *, resume: bool = True, save: bool = True,
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
    lora, network, full = config.lora, base.network, config.base.trained == "full"
    shape = LoraShape(lora.rank, lora.alpha, lora.dropout, lora.targets or tuple(base.targets))
    torch.manual_seed(config.run.seed)  # the adapters' random start
    adapted = [] if full else add_lora(network, shape)
    if lora.text_encoders and not all(any(name.startswith(f"{part}.") for name in adapted) for part in PARTS):
        raise ValueError("lora.targets names no layers of the text encoders, and lora.text_encoders is true.")
    what = f"{train_all(network):,} weights" if full else f"{len(adapted)} layers adapted"
    lighten(network, config)
    order = Order(data.kinds, config.run.batch, config.run.seed)
    if first:
        log.info("%s, %d steps", what, total_steps(config, order, accelerator.num_processes))
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
    told = described(config, task, newest_checkpoint(checkpoints), out) | task.measured()
    if isinstance(task, CaptionsTask) and full:
        file = task.base.save_network(out, config.name, told)
        log.info("wrote %s", file)
        return file
    file = out / f"{config.name}.safetensors"
    log.info("wrote %s: all %d layers fit", file, save_lora(file, network, shape, base.naming, told))
    return file


def lighten(network: nn.Module, config: Config) -> None:
    """Give up time for memory, as the configuration asks: compute blocks twice, keep layers off the device."""
    net: Any = network
    if config.memory.checkpointing and hasattr(net, "enable_gradient_checkpointing"):
        net.enable_gradient_checkpointing()
    network.train()
    if config.memory.offload:
        log.info("%.1f GB of frozen layers wait in the computer's memory", stream_linears(network) / 1e9)


def lasting(config: Config) -> dict[str, object]:
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


def described(config: Config, task: Task, newest: Path | None, out: Path) -> dict[str, object]:
    """The file's metadata: what it is, what it was made of and how; loader nodes read it."""
    lora, architecture = config.base.trained == "lora", task.base.architecture
    adapters = {"expressive.rank": config.lora.rank, "expressive.alpha": config.lora.alpha} if lora else {}
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": config.name,
        "modelspec.architecture": f"{architecture}/lora" if lora else architecture,
        "modelspec.implementation": "https://github.com/huggingface/diffusers",
        "modelspec.description": task.description,
        "modelspec.resolution": f"{config.data.size}x{config.data.size}",
        "expressive.base": config.base.kind,
        "expressive.method": task.method,
        "expressive.domain": config.objective.domain,
        "expressive.recipe": (out / "config.toml").read_text(encoding="utf-8"),
        **adapters,
        "expressive.checkpoint": newest.stem if newest is not None else "",
        "expressive.commit": commit(),
    }
