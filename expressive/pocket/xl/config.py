"""The shapes of the two text-to-picture bases; stored as JSON in each of their weight files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

ARCHITECTURES = ("sdxl", "sd15")
SIZE_WIDTH = 256  # SDXL embeds each of its six size numbers with so many sines and cosines
LATENTS = 4  # channels
GROUPS = 32  # of every group norm; the host's classes know no other number


@dataclass(frozen=True)
class UNetConfig:
    """A UNet over 4-channel latents. Tuples have one entry per level, finest first.

    Every width is a multiple of the first and of 32, and all levels have the same number of residual blocks: the host's
    class counts widths in multiples, and its names of LoRA layers count on the latter.
    """

    widths: tuple[int, ...] = (32, 64, 160)
    layers: int = 1  # residual blocks of a level on the way down; one more on the way up
    depths: tuple[int, ...] = (0, 1, 1)  # transformer blocks after each residual block
    head: int = 32  # width of one attention head

    @property
    def heads(self) -> tuple[int, ...]:
        """Attention heads on each level."""
        return tuple(width // self.head for width in self.widths)

    @property
    def middle(self) -> int:
        """Transformer blocks in the middle: as many as on the last level, at least one."""
        return self.depths[-1] or 1

    def __post_init__(self) -> None:
        base = self.widths[0]
        if any(width % base or width % GROUPS for width in self.widths):
            raise ValueError(f"UNet widths {self.widths} have to be multiples of {base}, the first, and of {GROUPS}.")
        if len(self.widths) != len(self.depths):
            raise ValueError("A UNet needs widths and depths for the same number of levels.")
        if any(width % self.head for width in self.widths):
            raise ValueError(f"Heads {self.head} wide do not fit into UNet widths {self.widths}.")


@dataclass(frozen=True)
class EncoderConfig:
    """A CLIP text encoder over the pocket vocabulary."""

    hidden_size: int = 128
    intermediate_size: int = 384
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    hidden_act: str = "quick_gelu"
    vocab_size: int = 0  # words that it was trained with; 0: as many as vocabulary.json has


@dataclass(frozen=True)
class AutoencoderConfig:
    """The 4-channel auto-encoder. Tuples have one entry per level, finest first: half the resolution, a quarter, …"""

    widths: tuple[int, ...] = (64, 96)
    encoder: tuple[int, ...] = (1, 2)  # residual blocks
    decoder: tuple[int, ...] = (2, 3)
    scale: float = 0.13025  # SDXL's factor on latents: they have this inverse standard deviation
    preview: tuple[tuple[float, float, float], ...] = ()  # red, green, blue (−1…1) per scaled channel, then the offset

    def __post_init__(self) -> None:
        if not len(self.widths) == len(self.encoder) == len(self.decoder) > 0:
            raise ValueError("An auto-encoder needs widths, encoder and decoder for the same number of levels.")

    @property
    def ratio(self) -> int:
        """Pixels per latent pixel, along each side."""
        return 2 ** len(self.widths)


_SECOND = EncoderConfig(128, 384, 3, 4, "gelu")


@dataclass(frozen=True)
class BaseConfig:
    """Everything that is needed to build a base.

    sdxl: two text encoders (second to last layers side by side; the second one's projected end-of-text state pooled)
    and size conditioning; linear projections around the transformers. sd15: one text encoder (last layer after its
    norm), no pooled state, no sizes; 1 × 1 convolutions around the transformers.
    """

    architecture: str = "sdxl"  # one of ARCHITECTURES
    size: int = 128  # pixels, width and height of training pictures
    unet: UNetConfig = field(default_factory=UNetConfig)
    encoders: tuple[EncoderConfig, ...] = (EncoderConfig(96, 288, 3, 3), _SECOND)
    vae: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    vae_of: str = ""  # the base whose auto-encoder's file this one uses; empty: its own

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(f"There is no architecture “{self.architecture}”; there are {', '.join(ARCHITECTURES)}.")
        if len(self.encoders) != (2 if self.architecture == "sdxl" else 1):
            raise ValueError(f"{len(self.encoders)} text encoders do not make an {self.architecture} base.")
        if self.architecture == "sdxl" and any(encoder.num_hidden_layers < 3 for encoder in self.encoders):
            raise ValueError("SDXL reads the second to last layer of its text encoders, so they need three at least.")

    @property
    def context_width(self) -> int:
        return sum(encoder.hidden_size for encoder in self.encoders)

    @property
    def added_width(self) -> int:
        """Width of pooled text and sizes together: SDXL's `adm_in_channels`."""
        return self.encoders[-1].hidden_size + 6 * SIZE_WIDTH

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BaseConfig:
        """The config that `to_json` wrote. Raises ValueError for JSON that is not one."""
        try:
            return cls.from_values(json.loads(text))
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"This is not the description of a pocket base: {error}.") from error

    @classmethod
    def from_values(cls, found: dict[str, Any]) -> BaseConfig:
        """From nested dictionaries, as JSON or TOML hold them; what is missing keeps its default.

        Raises TypeError for a setting that does not exist.
        """
        values = dict(found)
        for name, part in {"unet": UNetConfig, "vae": AutoencoderConfig}.items():
            if name in values:
                values[name] = _build(part, values[name])
        if "encoders" in values:
            values["encoders"] = tuple(_build(EncoderConfig, encoder) for encoder in values["encoders"])
        return _build(cls, values)


def _build(cls: type, values: dict[str, Any]) -> Any:
    unknown = set(values) - {f.name for f in fields(cls)}
    if unknown:
        raise TypeError(f"{cls.__name__} has no setting {', '.join(sorted(unknown))}")
    return cls(**{key: _tuples(value) for key, value in values.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
