"""Marigold from a local folder in the layout of prs-eth/marigold-depth-v1-1. Nothing is fetched.

model_index.json says what the model predicts and how it wants to be asked; unet, vae, scheduler, text_encoder and
tokenizer are diffusers' and transformers' own. The text encoder says one thing alone, the empty prompt: it says it
once, as the model is loaded, and needs no memory on the device.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...encoders import loading
from ...encoders.model_folder import load_network, load_tokenizer, read_config
from ...pocket.depth.autoencoder import KIND as POCKET
from ...pocket.depth.autoencoder import DepthAutoencoder

PIPELINE = "MarigoldDepthPipeline"
PAGE = "https://huggingface.co/prs-eth/marigold-depth-v1-1"
LICENCE = "The weights are under OpenRAIL++-M: read the page."
SIZE = "2.6 GB in half precision"
_PURPOSE = "find depth with Marigold"
_NET = "diffusion_pytorch_model.safetensors"
_PARTS = {
    "unet": (("config.json", _NET), "1.7 GB"),
    "vae": (("config.json", _NET), "170 MB"),
    "text_encoder": (("config.json", "model.safetensors"), "680 MB"),
    "tokenizer": (("vocab.json", "merges.txt"), "2 MB"),
    "scheduler": (("scheduler_config.json",), "1 kB"),
}
"""Folder → its files, and how large it is in half precision."""
_SCHEDULERS = ("DDIMScheduler", "LCMScheduler")
_DEFAULT_STEPS = {"DDIMScheduler": 10, "LCMScheduler": 4}  # of the first models, whose index does not say


@dataclass(frozen=True)
class Marigold:
    """What finds depth: unet predicts from the latents of picture and depth [N,8,h,w]; text: [1,N,D], the empty prompt.

    disparity: it predicts how near, not how far. steps, resolution: what the model asks for.
    """

    name: str
    unet: Any  # UNet2DConditionModel
    vae: Any  # AutoencoderKL, or one with its interface
    scheduler: Any  # DDIMScheduler or LCMScheduler
    text: Tensor
    steps: int
    resolution: int
    disparity: bool = False
    scale_invariant: bool = True
    shift_invariant: bool = True

    @classmethod
    def load(cls, folder: Path, dtype: torch.dtype = torch.float32) -> Marigold:
        """From a model's folder, or the pack's own. Raises FileNotFoundError, ImportError or ValueError."""
        diffusers = _diffusers()
        index = read_index(folder)
        _check_files(folder, _class(index.get("vae")) == POCKET)
        _check_class(folder / "unet", ("UNet2DConditionModel",))
        unet = _network(diffusers.UNet2DConditionModel, folder / "unet", dtype, "Marigold's UNet")
        if _check_class(folder / "vae", ("AutoencoderKL", POCKET)) == POCKET:
            vae: Any = DepthAutoencoder.load(folder / "vae").to(dtype)
        else:
            vae = _network(diffusers.AutoencoderKL, folder / "vae", dtype, "Marigold's auto-encoder")
        kind = _check_class(folder / "scheduler", _SCHEDULERS, "scheduler_config.json")
        scheduler = getattr(diffusers, kind).from_pretrained(str(folder / "scheduler"), local_files_only=True)
        text = _empty_prompt(folder)
        _check_fit(folder, unet, vae, text)
        return cls(
            folder.name, unet, vae.eval().requires_grad_(False), scheduler, text,
            steps=index.get("default_denoising_steps") or _DEFAULT_STEPS[kind],
            resolution=index.get("default_processing_resolution") or 768,
            disparity=index.get("prediction_type") == "disparity",
            scale_invariant=index.get("scale_invariant", True),
            shift_invariant=index.get("shift_invariant", True),
        )  # fmt: skip

    @property
    def device(self) -> torch.device:
        return next(self.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        return next(self.unet.parameters()).dtype

    @property
    def channels(self) -> int:
        """Of the latents."""
        return self.vae.config.latent_channels

    @property
    def ratio(self) -> int:
        """Pixels per latent pixel, along each side."""
        return 2 ** (len(self.vae.config.block_out_channels) - 1)

    def memory(self, width: int, height: int, resolution: int = 0) -> int:
        """Bytes beside the weights, as the host reckons for decoding with Stable Diffusion's auto-encoder."""
        share = (resolution or self.resolution) / max(width, height)
        return round(2178 * width * height * share**2 * self.dtype.itemsize)

    def pipeline(self, generator: torch.Generator) -> Any:
        """A new pipeline over these networks, which are not changed; noise of its scheduler is drawn by `generator`."""
        made = _diffusers().MarigoldDepthPipeline(
            unet=self.unet,
            vae=self.vae,
            scheduler=_Seeded(copy.deepcopy(self.scheduler), generator),
            text_encoder=None,
            tokenizer=None,
            prediction_type="disparity" if self.disparity else "depth",
            scale_invariant=self.scale_invariant,
            shift_invariant=self.shift_invariant,
            default_denoising_steps=self.steps,
            default_processing_resolution=self.resolution,
        )
        made.empty_text_embedding = self.text
        made.set_progress_bar_config(disable=True)
        return made


class _Seeded:
    """A scheduler whose noise comes from a generator: the pipeline gives LCM none where latents are given."""

    def __init__(self, scheduler: Any, generator: torch.Generator) -> None:
        self._scheduler, self._generator = scheduler, generator

    @property
    def timesteps(self) -> Tensor:
        return self._scheduler.timesteps

    def set_timesteps(self, steps: int, device: torch.device | None = None) -> None:
        self._scheduler.set_timesteps(steps, device=device)

    def step(self, output: Tensor, time: Tensor, sample: Tensor, generator: object = None) -> Any:
        return self._scheduler.step(output, time, sample, generator=self._generator)


def read_index(folder: Path) -> dict[str, Any]:
    """model_index.json of a Marigold that predicts depth. FileNotFoundError or ValueError otherwise."""
    path = folder / "model_index.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no model_index.json in {folder}. Download the whole model ({SIZE}), for example all files of "
            f"{PAGE}, into that folder. {LICENCE}"
        )
    index = _json(path)
    if index.get("_class_name") != PIPELINE:
        raise ValueError(
            f"{folder.name} is a {index.get('_class_name')}, but a {PIPELINE} is needed. Choose a Marigold that finds "
            f"depth, such as {PAGE}."
        )
    return index


def _diffusers() -> Any:
    diffusers = loading.package("diffusers", _PURPOSE)
    if not hasattr(diffusers, PIPELINE):
        raise ImportError(
            f"diffusers {diffusers.__version__} has no {PIPELINE}. Update it in ComfyUI's Python: "
            "pip install -U diffusers"
        )
    return diffusers


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON. Download it again.") from error
    return found if isinstance(found, dict) else {}


def _class(entry: object) -> str:
    """The class of a part as model_index.json names it: [library, class]."""
    return str(entry[1]) if isinstance(entry, list) and len(entry) == 2 else ""


def _check_files(folder: Path, pocket: bool) -> None:
    """FileNotFoundError for the first file that is missing. pocket: the folder is the pack's own."""
    for part, (names, size) in _PARTS.items():
        for name in names:
            if part == "tokenizer" and (folder / part / "tokenizer.json").is_file():
                continue
            if not any((folder / part / each).is_file() for each in (name, _half(name), f"{name}.index.json")):
                remedy = (
                    "Install the pack again, or make the model: python trainers/train_depth.py"
                    if pocket
                    else f"Download the folder {part} ({size}) of the model, for example of {PAGE}. {LICENCE}"
                )
                raise FileNotFoundError(f"{name} is not in {folder / part}. {remedy}")


def _check_class(folder: Path, wanted: tuple[str, ...], name: str = "config.json") -> str:
    """The class that a part's config names. ValueError for another than those."""
    found = _json(folder / name).get("_class_name")
    if found not in wanted:
        raise ValueError(
            f"{folder / name} describes a {found}, but {' or '.join(wanted)} is needed. Download it again."
        )
    return found


def _check_fit(folder: Path, unet: Any, vae: Any, text: Tensor) -> None:
    """ValueError where the parts are not those of one model."""
    latents, width = vae.config.latent_channels, unet.config.cross_attention_dim
    if (unet.config.in_channels, unet.config.out_channels) != (2 * latents, latents):
        raise ValueError(
            f"The UNet of {folder.name} takes {unet.config.in_channels} channels and gives {unet.config.out_channels}, "
            f"but Marigold's takes {2 * latents} and gives {latents}. Choose a Marigold that finds depth."
        )
    if text.shape[-1] != width:
        raise ValueError(
            f"The text encoder of {folder.name} is {text.shape[-1]} wide, but its UNet hears {width}. Download the "
            "whole model folder again."
        )


def _half(name: str) -> str:
    """The name of the same weights in half precision, as Hugging Face has them: a.safetensors → a.fp16.safetensors."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.fp16{dot}{ending}"


def _variant(folder: Path, name: str, dtype: torch.dtype) -> str | None:
    """“fp16” where the weights in half precision are to be read: they are wanted, or there are no others."""
    whole = (folder / name).is_file() or (folder / f"{name}.index.json").is_file()
    half = (folder / _half(name)).is_file()
    return "fp16" if half and (dtype == torch.float16 or not whole) else None


def _network(kind: Any, folder: Path, dtype: torch.dtype, purpose: str) -> nn.Module:
    """One of diffusers' networks, frozen, every weight of it from the folder."""
    from safetensors import SafetensorError

    try:
        network, info = kind.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            variant=_variant(folder, _NET, dtype),
            torch_dtype=dtype,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        line = str(error).strip().partition("\n")[0][:200]
        raise ValueError(f"{purpose} in {folder} cannot be loaded: {line}") from error
    loading.all_keys(info["missing_keys"], info["unexpected_keys"], purpose, folder)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def _empty_prompt(folder: Path) -> Tensor:
    """[1,N,D] as the folder's text encoder says it, float32."""
    transformers = loading.package("transformers", _PURPOSE)
    read_config(folder / "text_encoder", ("clip_text_model",), "Marigold text encoder")
    variant = _variant(folder / "text_encoder", "model.safetensors", torch.float32)
    encoder: Any = load_network(
        transformers.CLIPTextModel, folder / "text_encoder", "Marigold's text encoder", variant=variant
    )
    tokenizer = load_tokenizer(transformers.CLIPTokenizer, folder / "tokenizer", encoder.config.vocab_size)
    return encoder(tokenizer("", return_tensors="pt").input_ids)[0]
