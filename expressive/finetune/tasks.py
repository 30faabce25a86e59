"""The two ways of learning, as the training sees them: from PixelSmile's pairs, and from captioned pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from ..conditioning import alpha_label
from ..metrics.ffe_bench import EXPRESSIONS
from ..vision.fitting import Size
from .adapting import Change, FullChange, LoraChange
from .bases import EditBase
from .cache import DiskCache
from .calibrate import calibrate
from .captions import Captions
from .config import Config, Training
from .encoded import EncodedCaptions, EncodedEdits, View
from .judges import expression_judge, expression_scores, face_finder, judges_of
from .painting import PaintBase, caption_losses
from .pairs import Pairs
from .pixelsmile import pair_losses
from .pocket_edit import PocketEditBase
from .pocket_xl import PocketXLBase
from .qwen_edit import QwenEditBase
from .samples import PICTURES, save_sheet
from .sdxl import SdxlBase
from .sweep import Sweep
from .train import Trainable

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "no": torch.float32}
"""Of frozen weights, by `memory.precision`."""


class Data(Protocol):
    """Samples that are encoded once."""

    @property
    def key(self) -> str:
        """What is learned from, and through whose eyes."""
        ...

    @property
    def counted(self) -> str:
        """How much there is, for people."""
        ...

    @property
    def kinds(self) -> list[Size]:
        """The bucket of each sample."""
        ...

    def __len__(self) -> int: ...

    def prepare(self, share: tuple[int, int] = (0, 1)) -> list[int]:
        """Encode a process's share; returns the numbers of what cannot be used."""
        ...

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Forget these."""
        ...


class Base(Trainable, Protocol):
    """What the training asks of any base."""

    architecture: str
    network_key: str

    def forget_encoder(self) -> None:
        """Free the text encoders."""
        ...


class Task(Protocol):
    """What the training asks of a way of learning."""

    method: str  # the paper's name, for the metadata
    description: str

    @property
    def base(self) -> Base:
        """What is trained."""
        ...

    @property
    def data(self) -> Data:
        """What is learned from."""
        ...

    def look_ahead(self) -> None:
        """Encode what sample sheets and measurements will need; afterwards the base may forget its text encoder."""
        ...

    def change(self) -> Change:
        """Put what is trained into the base's network, with all else frozen."""
        ...

    def losses(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars with `loss`, for samples by their numbers."""
        ...

    def sheet(self, title: str, file: Path) -> None:
        """Write a sample sheet."""
        ...

    def measured(self) -> dict[str, str]:
        """What is measured when the training is done: entries of the file's metadata."""
        ...


class PairsTask:
    """PixelSmile."""

    method = "PixelSmile (arXiv 2603.25728)"
    description = "Facial expressions with a strength, by textual latent interpolation."

    def __init__(self, config: Config, models: Path, cache: DiskCache, device: torch.device) -> None:
        self._config = config
        self.base: EditBase = load_edit_base(config, models, device)
        self._judges = judges_of(config.objective, models, device)
        self._encoded = EncodedEdits(self.base, cache)
        self.data = Pairs(config, self._encoded, self._judges)
        self._sheets: Sweep | None = None
        self._calibrating: Sweep | None = None
        self._scores = expression_scores(models, device) if config.calibration.pictures else None

    def look_ahead(self) -> None:
        """Texts of sheets and calibration."""
        how, many, side = self._config.samples, self._config.calibration.pictures, self._config.data.size
        if how.every:
            named = [View(path, (side, side)) for path in how.pictures]
            self._sheets = self._sweep(named or self.data.sources(PICTURES), how.expressions)
        if many:
            self._calibrating = self._sweep(self.data.sources(many), EXPRESSIONS)

    def _sweep(self, views: Sequence[View], words: Sequence[str]) -> Sweep:
        how = self._config.samples
        return Sweep(self._encoded, views, words, self._config.objective.domain, how.steps, how.seed)

    def change(self) -> Change:
        """LoRA."""
        return LoraChange(self._config, self.base)

    def losses(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        """Of a batch of pairs."""
        batch = self.data.batch(members).to(self.base.device)
        return pair_losses(self.base, batch, self._config.objective, self._judges, generator)

    def sheet(self, title: str, file: Path) -> None:
        """A row for each picture and expression, a column for each α, the source before them."""
        sweep, alphas = self._sheets, self._config.samples.alphas
        if sweep is None:
            return
        rows, names = [], []
        for index, view in enumerate(sweep.views):
            for word in sweep.words:
                made = sweep.edits(index, word, alphas)
                rows.append(torch.cat((view.open().to(made), made)))
                names.append(f"{index + 1} {word}")
        save_sheet(rows, ["source", *(alpha_label([alpha]) for alpha in alphas)], names, title, file)

    def measured(self) -> dict[str, str]:
        """The calibration of α."""
        if self._calibrating is None or self._scores is None:
            return {}
        found = calibrate(self._calibrating, self._config.calibration.alphas, self._scores)
        return {"expressive.calibration": found.to_json()}


class CaptionsTask:
    """GenEAva, and any captioned pictures."""

    method = "GenEAva (arXiv 2504.07945)"
    description = "Faces with the expression that the caption names."

    def __init__(self, config: Config, models: Path, cache: DiskCache, device: torch.device) -> None:
        self._config = config
        self.base: PaintBase = load_paint_base(config, models, device, config.lora.text_encoders)
        self._judge = expression_judge(config.painting.expression, config.data.faces.encoder, models, device)
        self._encoded = EncodedCaptions(self.base, cache)
        finder = face_finder(config.data.faces.encoder, models, device)
        self.data = Captions(config, self._encoded, self._judge, finder)
        self._prompts: tuple[str, ...] = ()

    def look_ahead(self) -> None:
        """Captions of the sheets."""
        how = self._config.samples
        self._prompts = how.prompts or tuple(self.data.prompts(8)) if how.every else ()
        for prompt in self._prompts:
            self._encoded.caption(prompt)

    def change(self) -> Change:
        """LoRA, or all weights of the network."""
        return FullChange(self.base) if self._config.base.trained == "full" else LoraChange(self._config, self.base)

    def losses(self, members: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        """Of a batch of captioned pictures."""
        batch = self.data.batch(members, generator).to(self.base.device)
        return caption_losses(self.base, batch, self._config.painting, self._judge, generator)

    @torch.no_grad()
    def sheet(self, title: str, file: Path) -> None:
        """A picture of each prompt, each from noise of its own that stays the same."""
        if not self._prompts:
            return
        how, base, side = self._config.samples, self.base, self._config.data.size
        network: nn.Module = base.network
        training = network.training
        network.eval()
        shape = base.encode(torch.zeros(1, 3, side, side)).shape[1:]
        whole = torch.tensor(base.sizes((side, side), (0, 0), (side, side)), device=base.device)
        made = []
        for number, prompt in enumerate(self._prompts):
            heard = [self._encoded.caption(one) for one in (prompt, "")]
            context, pooled = (torch.stack(parts).to(base.device) for parts in zip(*heard, strict=True))
            noise = torch.randn(1, *shape, generator=torch.Generator().manual_seed(how.seed + number))
            latents = base.sample(context, pooled, whole, noise.to(base.device), how.steps, how.cfg)
            made.append(base.decode(latents).float().clamp(0, 1))
        network.train(training)
        save_sheet(made, list(self._prompts), [], title, file)

    def measured(self) -> dict[str, str]:
        """Nothing."""
        return {}


def load_edit_base(config: Training, models: Path, device: torch.device) -> EditBase:
    """The editing model that is named. Raises FileNotFoundError, or ValueError for a base that does not edit."""
    if config.base.kind == "pocket-edit":
        return PocketEditBase(config.base.path or models, config.base.name or "pocket-edit", device)
    if config.base.kind == "qwen-image-edit":
        path = _folder(config, "Qwen-Image-Edit-2511")
        return QwenEditBase(path, device, DTYPES[config.memory.precision])
    raise ValueError(f"The base “{config.base.kind}” does not learn from pairs; qwen-image-edit and pocket-edit do.")


def load_paint_base(config: Training, models: Path, device: torch.device, texts: bool = False) -> PaintBase:
    """The painting model that is named; texts: its text encoders are trained, too.

    Raises FileNotFoundError, or ValueError for a base that does not paint.
    """
    if config.base.kind == "pocket-xl":
        return PocketXLBase(config.base.path or models, config.base.name or "pocket-xl", device, texts)
    if config.base.kind == "sdxl":
        folder = _folder(config, "stable-diffusion-xl-base-1.0")
        return SdxlBase(folder, device, DTYPES[config.memory.precision], texts, config.base.trained == "full")
    raise ValueError(f"The base “{config.base.kind}” does not learn from captions; sdxl and pocket-xl do.")


def _folder(config: Training, model: str) -> Path:
    if config.base.path is None:
        raise ValueError(f"base.path has to be the folder of {model} in diffusers' layout.")
    return config.base.path
