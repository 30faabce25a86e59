"""One LoRA training from its configuration to the finished file."""

from __future__ import annotations

import datetime
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..metrics.ffe_bench import EXPRESSIONS
from ..pocket.training.provenance import commit
from .bases import EditBase
from .cache import DiskCache
from .calibrate import calibrate
from .checkpoints import forget_checkpoints, newest_checkpoint
from .config import Config, write_config
from .encoded import Encoded, View
from .judges import expression_scores, judges_of
from .lora import LoraShape, add_lora, save_lora
from .offload import stream_linears
from .order import Order
from .pairs import Pairs
from .pixelsmile import pair_losses
from .pocket_edit import PocketEditBase
from .qwen_edit import QwenEditBase
from .samples import PICTURES, write_sheet
from .sweep import Sweep
from .train import total_steps, train_lora

if TYPE_CHECKING:
    from accelerate import Accelerator

log = logging.getLogger(__name__)

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "no": torch.float32}
"""Of frozen weights, by `memory.precision`."""

FREE = ("name", "samples", "calibration", "memory")
"""Tables that may change between a stop and going on."""
FREE_KEYS = ("run.epochs", "run.steps", "run.save_every", "run.keep", "data.cache", "data.source", "base.path")
"""Settings that may, too: paths, for what lies there is compared itself."""

WAIT = datetime.timedelta(hours=12)
"""How long one process may encode or draw sheets while the others wait for it."""


def load_edit_base(config: Config, models: Path, device: torch.device) -> EditBase:
    """The editing model that is named. Raises FileNotFoundError, or ValueError for a base that does not edit."""
    if config.base.kind == "pocket-edit":
        return PocketEditBase(config.base.path or models, config.base.name or "pocket-edit", device)
    if config.base.kind == "qwen-image-edit":
        if config.base.path is None:
            raise ValueError("base.path has to be the folder of Qwen-Image-Edit-2511 in diffusers' layout.")
        return QwenEditBase(config.base.path, device, DTYPES[config.memory.precision])
    raise ValueError(f"The base “{config.base.kind}” does not learn from pairs; qwen-image-edit and pocket-edit do.")


def build_accelerator(config: Config, out: Path) -> Accelerator:
    """For one device or, under `accelerate launch`, one of several."""
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs, ProjectConfiguration

    return Accelerator(
        mixed_precision=config.memory.precision,
        log_with="tensorboard",
        project_config=ProjectConfiguration(project_dir=str(out), logging_dir=str(out / "log")),
        # the last block's text half gets no gradient: its result is never used
        kwargs_handlers=[
            DistributedDataParallelKwargs(find_unused_parameters=True),
            InitProcessGroupKwargs(timeout=WAIT),
        ],
    )


def run(config: Config, out: Path, models: Path, *, resume: bool = True, dry: bool = False) -> Path | None:
    """Train as the configuration says; returns the finished file `<out>/<name>.safetensors`.

    out: also gets `config.toml` (everything, defaults included), checkpoints, sample sheets and TensorBoard's log.
    models: folder of the pack's own weights. resume: go on from the newest checkpoint in `out`, if there is one; False
    begins anew. dry: load and encode everything and compute one step; but for the cache, `out` stays as it was.
    Raises FileNotFoundError, ValueError, BadRowError, ImportError, NotANumberError or StoppedError with a sentence.
    """
    cache = DiskCache(config.data.cache or out / "cache")
    if dry:
        short = config.model_copy(update={"run": config.run.model_copy(update={"steps": 1})})
        with tempfile.TemporaryDirectory() as folder:
            _train(short, Path(folder), models, cache, save=False)
        return None
    return _train(config, out, models, cache, resume=resume)


def _train(
    config: Config, out: Path, models: Path, cache: DiskCache, *, resume: bool = True, save: bool = True
) -> Path | None:
    from accelerate.utils import gather_object

    accelerator = build_accelerator(config, out)
    device, checkpoints, first = accelerator.device, out / "checkpoints", accelerator.is_main_process
    if first and not resume:
        forget_checkpoints(checkpoints)
    base = load_edit_base(config, models, device)
    judges = judges_of(config.objective, models, device)
    encoded = Encoded(base, cache)
    pairs = Pairs(config, encoded, judges)
    broken = pairs.prepare((accelerator.process_index, accelerator.num_processes))
    pairs.leave_out(gather_object(broken))
    sheets, calibrating = sweeps(config, encoded, pairs) if first else (None, None)
    base.forget_encoder()  # before the network comes, so that they never need memory together
    if first:
        log.info("%d pairs (%s), %d results encoded anew", len(pairs), pairs.counted, cache.made)
        write_config(config, out / "config.toml")
    lora = config.lora
    shape = LoraShape(lora.rank, lora.alpha, lora.dropout, lora.targets or tuple(base.targets))
    network = base.network
    torch.manual_seed(config.run.seed)  # the adapters' random start
    layers = add_lora(network, shape)
    lighten(network, config)
    order = Order(pairs.kinds, config.run.batch, config.run.seed)
    if first:
        log.info("%d layers adapted, %d steps", len(layers), total_steps(config, order, accelerator.num_processes))
    accelerator.init_trackers(config.name)

    def loss_of(members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        return pair_losses(base, pairs.batch(members).to(device), config.objective, judges, generator)

    def on_sample(step: int) -> None:
        if sheets is not None:
            title = f"{config.name}, step {step}"
            write_sheet(sheets, config.samples.alphas, title, out / "samples" / f"step-{step:06d}.png")

    train_lora(
        config, base, loss_of, order, accelerator, checkpoints if save else None,
        settings={"content": pairs.key, **lasting(config)},
        on_step=lambda step, losses: accelerator.log(losses, step=step),
        on_sample=on_sample,
    )  # fmt: skip
    accelerator.end_training()
    if not (first and save):
        return None
    newest = newest_checkpoint(checkpoints)
    told = described(config, base, newest, out)
    if calibrating is not None:
        scores = expression_scores(models, device)
        told["expressive.calibration"] = calibrate(calibrating, config.calibration.alphas, scores).to_json()
    file = out / f"{config.name}.safetensors"
    count = save_lora(file, network, shape, base.naming, told)
    log.info("wrote %s: %d of %d layers fit", file, count, len(layers))
    return file


def sweeps(config: Config, encoded: Encoded, pairs: Pairs) -> tuple[Sweep | None, Sweep | None]:
    """What sample sheets and the calibration edit; None where the configuration asks for none."""
    how, many, side = config.samples, config.calibration.pictures, config.data.size

    def sweep(views: Sequence[View], words: Sequence[str]) -> Sweep:
        return Sweep(encoded, views, words, config.objective.domain, how.steps, how.seed)

    named = [View(path, (side, side)) for path in how.pictures]
    sheets = sweep(named or pairs.sources(PICTURES), how.expressions) if how.every else None
    return sheets, sweep(pairs.sources(many), EXPRESSIONS) if many else None


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

    put("", config.model_dump(mode="json", exclude={"objective": {"contrast": {"encoder"}, "identity": {"encoder"}}}))
    return {**found, "memory.precision": config.memory.precision}


def described(config: Config, base: EditBase, newest: Path | None, out: Path) -> dict[str, object]:
    """The file's metadata: what it is, what it was made of and how; loader nodes read it."""
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": config.name,
        "modelspec.architecture": base.architecture,
        "modelspec.implementation": "https://github.com/huggingface/diffusers",
        "modelspec.description": "Facial expressions with a strength, by textual latent interpolation.",
        "modelspec.resolution": f"{config.data.size}x{config.data.size}",
        "expressive.base": config.base.kind,
        "expressive.method": "PixelSmile (arXiv 2603.25728)",
        "expressive.domain": config.objective.domain,
        "expressive.recipe": (out / "config.toml").read_text(encoding="utf-8"),
        "expressive.rank": config.lora.rank,
        "expressive.alpha": config.lora.alpha,
        "expressive.checkpoint": newest.stem if newest is not None else "",
        "expressive.commit": commit(),
    }
