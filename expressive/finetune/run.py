"""One LoRA training from its configuration to the finished file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ..metrics.ffe_bench import EXPRESSIONS
from ..pocket.training.provenance import commit
from .bases import EditBase, PocketEditBase
from .buckets import fit
from .cache import DiskCache
from .calibrate import calibrate
from .checkpoints import forget_checkpoints, newest_checkpoint
from .config import Config, write_config
from .judges import expression_scores, judges_of
from .lora import LoraShape, add_lora, load_lora_state, save_lora
from .offload import stream_linears
from .order import Order
from .pairs import Pairs, to_tensor
from .pixelsmile import PairBatch, Side, pair_losses
from .qwen_edit import QwenEditBase
from .samples import PICTURES, write_sheet
from .sweep import Sweep
from .train import total_steps, train_lora

log = logging.getLogger(__name__)

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "no": torch.float32}
"""Of frozen weights, by `memory.precision`."""


def load_edit_base(config: Config, models: Path, device: torch.device) -> EditBase:
    """The editing model that is named. Raises FileNotFoundError, or ValueError for a base that does not edit."""
    if config.base.kind == "pocket-edit":
        return PocketEditBase(config.base.path or models, config.base.name or "pocket-edit", device)
    if config.base.kind == "qwen-image-edit":
        if config.base.path is None:
            raise ValueError("base.path has to be the folder of Qwen-Image-Edit-2511 in diffusers' layout.")
        return QwenEditBase(config.base.path, device, DTYPES[config.memory.precision])
    raise ValueError(f"The base “{config.base.kind}” does not learn from pairs; qwen-image-edit and pocket-edit do.")


def run(config: Config, out: Path, models: Path, *, resume: bool = True, dry: bool = False) -> Path | None:
    """Train as the configuration says; returns the finished file `<out>/<name>.safetensors`.

    out: also gets `config.toml` (everything, defaults included), checkpoints, sample sheets and TensorBoard's log.
    models: folder of the pack's own weights. resume: go on from the newest checkpoint in `out`, if there is one; False
    begins anew. dry: load everything, compute one step, and write no file of weights.
    Raises FileNotFoundError, ValueError, BadRowError, ImportError or NotANumberError, each with a sentence.
    """
    from accelerate import Accelerator
    from accelerate.utils import ProjectConfiguration

    accelerator = Accelerator(
        mixed_precision=config.memory.precision,
        log_with="tensorboard",
        project_config=ProjectConfiguration(project_dir=str(out), logging_dir=str(out / "log")),
    )
    device = accelerator.device
    if accelerator.is_main_process:
        write_config(config, out / "config.toml")
    checkpoints = out / "checkpoints"
    if not resume and accelerator.is_main_process:
        forget_checkpoints(checkpoints)
    accelerator.wait_for_everyone()
    base = load_edit_base(config, models, device)
    judges = judges_of(config.objective, models, device)
    pairs = Pairs(config, base, judges, DiskCache(config.data.cache or out / "cache"))
    log.info("%d pairs (%s)", len(pairs), pairs.counted)
    with accelerator.main_process_first():
        made = pairs.prepare()
    log.info("%d results were encoded, the others were there", made)
    shape = LoraShape(
        config.lora.rank, config.lora.alpha, config.lora.dropout, config.lora.targets or tuple(base.targets)
    )
    sheets, calibrating = sweeps(config, base, pairs) if accelerator.is_main_process else (None, None)
    base.forget_encoder()  # before the network comes, so that they never need memory together
    network = base.network
    torch.manual_seed(config.run.seed)  # the adapters' random start
    layers = add_lora(network, shape)
    lighten(network, config)
    order = Order(pairs.kinds, config.run.batch, config.run.seed)
    if dry:
        config = config.model_copy(update={"run": config.run.model_copy(update={"steps": 1})})
    log.info("%d layers adapted, %d steps", len(layers), total_steps(config, order))
    accelerator.init_trackers(config.name)

    def wrap(called: nn.Module) -> None:
        base.use(called)

    def loss_of(members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        return pair_losses(base, _on(pairs.batch(members), device), config.objective, judges, generator)

    def on_sample(step: int) -> None:
        if sheets is not None:
            title = f"{config.name}, step {step}"
            write_sheet(sheets, config.samples.alphas, title, out / "samples" / f"step-{step:06d}.png")

    final = train_lora(
        config, network, wrap, loss_of, order, accelerator,
        checkpoints if not dry else out / "dry",
        lambda step, losses: accelerator.log(losses, step=step),
        on_sample if sheets is not None else None,
    )  # fmt: skip
    accelerator.end_training()
    if not accelerator.is_main_process:
        return None
    if dry:
        forget_checkpoints(out / "dry")
        return None
    load_lora_state(network, final)
    file = out / f"{config.name}.safetensors"
    newest = newest_checkpoint(checkpoints)
    told = described(config, base, newest, out)
    if calibrating is not None:
        scores = expression_scores(models, device)
        told["expressive.calibration"] = calibrate(calibrating, config.calibration.alphas, scores).to_json()
    count = save_lora(file, network, shape, base.naming, told)
    log.info("wrote %s: %d of %d layers fit", file, count, len(layers))
    return file


def sweeps(config: Config, base: EditBase, pairs: Pairs) -> tuple[Sweep | None, Sweep | None]:
    """What sample sheets and the calibration edit; None where the configuration asks for none."""
    domain, size = config.objective.domain, (config.data.size, config.data.size)

    def sweep(paths: Sequence[Path], words: Sequence[str]) -> Sweep:
        pictures = []
        for path in paths:
            with Image.open(path) as picture:
                pictures.append(to_tensor(fit(picture, size)))
        return Sweep(base, pictures, words, domain, config.samples.steps, config.samples.seed)

    how, many = config.samples, config.calibration.pictures
    sheets = sweep(how.pictures or pairs.sources(PICTURES), how.expressions) if how.every else None
    return sheets, sweep(pairs.sources(many), EXPRESSIONS) if many else None


def lighten(network: nn.Module, config: Config) -> None:
    """Give up time for memory, as the configuration asks: compute blocks twice, keep them off the device."""
    net: Any = network
    if config.memory.checkpointing and hasattr(net, "enable_gradient_checkpointing"):
        net.enable_gradient_checkpointing()
    network.train()
    if config.memory.offload:
        log.info("%.1f GB of frozen layers wait in the computer's memory", stream_linears(network) / 1e9)


def described(config: Config, base: EditBase, newest: Path | None, out: Path) -> dict[str, object]:
    """The file's metadata: what it is, what it was made of and how; loader nodes read it."""
    words = ", ".join(config.samples.expressions)
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": config.name,
        "modelspec.architecture": base.architecture,
        "modelspec.implementation": "https://github.com/huggingface/diffusers",
        "modelspec.description": f"Expressions with a strength: {words} and others, by textual latent interpolation.",
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


def _on(batch: PairBatch, device: torch.device) -> PairBatch:
    def moved(side: Side) -> Side:
        values = {key: value.to(device) for key, value in vars(side).items() if isinstance(value, Tensor)}
        return replace(side, **values)

    return PairBatch(batch.source.to(device), moved(batch.a), moved(batch.b))
