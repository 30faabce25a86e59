"""What is kept of a painted set, so that one more picture can join it later and look like the others.

Keys and values of all layers and steps would be gigabytes. They follow from far less: the noisy latents that the set
passed through, and what the network was told beside them. A picture that joins has the network look at these again, one
step at a time, and sees what it showed then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..weights import reading_weights, write_weights
from .consistent import Sharing

FORMAT = "expressive-avatars.consistent-set.1"
SEVERAL = "A set can be kept where each picture has one prompt; here several prompts share pictures."
REACH = 1.05
"""How far above the set's highest noise level a picture may begin, as a factor."""


@dataclass(frozen=True)
class KeptSet:
    """Noisy latents of A pictures at S noise levels, and what the network was told of them.

    model: which network it was, as its maker names it; another one has other keys. sigmas: [S], falling. latents:
    [S,A,…] at these levels. told: half of guidance → what it was told at each level, S trees of tensors whose first
    axis is A or 1. depth, first, last: which layers and noise levels shared. trouble: why it cannot be kept, if so.
    """

    model: str
    sharing: Sharing
    sigmas: Tensor
    latents: Tensor
    told: Mapping[int, Sequence[Any]]
    depth: float = 0.0
    first: float = float("inf")
    last: float = 0.0
    trouble: str = ""

    def __post_init__(self) -> None:
        if self.trouble:
            return
        if not len(self.sigmas) or (self.sigmas.diff() >= 0).any() or len(self.latents) != len(self.sigmas):
            raise ValueError("A kept set holds latents for each of its noise levels, the highest first.")
        if any(len(steps) != len(self.sigmas) for steps in self.told.values()):
            raise ValueError("A kept set holds what the network was told at each of its noise levels.")

    @property
    def pictures(self) -> int:
        return self.latents.shape[1]

    def at(self, sigma: float) -> tuple[Tensor, Mapping[int, Any]]:
        """Latents [A,…] at a noise level, and what each half was told at the next one of the set.

        Between two levels of the set, latents lie on the line between: both the paths x0 + σ ε and (1 − σ) x0 + σ ε are
        straight. Below the last level that one stays. Raises ValueError above the highest one.
        """
        highest = float(self.sigmas[0])
        if sigma > highest * REACH:
            raise ValueError(
                f"The kept set was painted from noise level {highest:.3g} on, this picture begins at {sigma:.3g}. "
                "Paint it with the denoise and the scheduler of the set."
            )
        above = int((self.sigmas >= sigma * (1 - 1e-5)).sum()) - 1  # the level that is at or just above
        above = max(above, 0)
        below = min(above + 1, len(self.sigmas) - 1)
        high, low = float(self.sigmas[above]), float(self.sigmas[below])
        share = (high - min(max(sigma, low), high)) / (high - low) if high > low else 0.0
        nearest = above if share <= 0.5 else below
        where = torch.lerp(self.latents[above], self.latents[below], share) if share > 1e-4 else self.latents[above]
        return where, {half: steps[nearest] for half, steps in self.told.items()}

    def same_as(self, other: KeptSet) -> bool:
        """Whether both hold the same."""
        halves = {*self.told, *other.told}
        told = all(_equal(list(self.told.get(half, ())), list(other.told.get(half, ()))) for half in halves)
        names = ("model", "sharing", "sigmas", "latents", "depth", "first", "last")
        return told and all(_equal(getattr(self, name), getattr(other, name)) for name in names)

    def save(self, file: Path) -> Path:
        """Write safetensors. Raises ValueError, with its `trouble`, for a set that cannot be kept."""
        if self.trouble:
            raise ValueError(self.trouble)
        tensors = {"sigmas": self.sigmas, "latents": self.latents}
        trees: dict[str, list[Any]] = {}
        for half, steps in self.told.items():
            written: list[Any] = []
            for step, tree in enumerate(steps):
                same = next((k for k in range(step - 1, -1, -1) if _equal(steps[k], tree)), None)
                written.append({"same": same} if same is not None else _described(tree, f"told.{half}.{step}", tensors))
            trees[str(half)] = written
        settings = {"depth": self.depth, "first": str(self.first), "last": self.last, "sharing": asdict(self.sharing)}
        return write_weights(file, tensors, {"format.name": FORMAT, "model": self.model, "told": trees, **settings})

    @classmethod
    def load(cls, file: Path) -> KeptSet:
        """Read what `save` wrote. Raises ValueError for another file."""
        with reading_weights(file) as opened:
            described = opened.metadata() or {}
            if described.get("format.name") != FORMAT:
                raise ValueError(f"{file.name} is not a kept set. Choose a file that Consistent Set wrote.")
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            told: dict[int, list[Any]] = {}
            for half, steps in json.loads(described["told"]).items():
                trees: list[Any] = []
                for tree in steps:
                    same = tree.get("same") if isinstance(tree, dict) and "same" in tree else None
                    trees.append(_read(tree, tensors) if same is None else trees[same])
                told[int(half)] = trees
            sharing = Sharing(**json.loads(described["sharing"]))
            return cls(
                described["model"], sharing, tensors["sigmas"], tensors["latents"], told,
                float(described["depth"]), float(described["first"]), float(described["last"]),
            )  # fmt: skip


@dataclass
class Recorder:
    """Collects a KeptSet while a set is painted."""

    model: str
    sharing: Sharing
    depth: float
    first: float
    last: float
    trouble: str = ""
    shape: tuple[int, ...] | None = None  # of a picture's latents; None: not known
    _seen: dict[float, tuple[Tensor, dict[int, Any]]] = field(default_factory=dict)
    _told: dict[int, Any] = field(default_factory=dict)

    def note(self, sigma: float, half: int, latents: Tensor, told: Any) -> None:
        """One half of guidance at one noise level: latents [N,…] and a tree of tensors whose first axis is N or 1.

        Of other latents at a noise level that was noted before, as some samplers make, the last are kept.
        """
        images = len(latents)
        kept = min(self.sharing.anchors, images) if self.sharing.anchors else images
        try:
            where, told = first_rows(latents, kept, images), first_rows(told, kept, images)
        except TypeError as error:
            self.trouble = (
                f"A set can be kept where the model is told numbers and words alone; here it is told {error}."
            )
            return
        if self.shape is not None and tuple(latents.shape[1:]) != self.shape:
            self.trouble = SEVERAL
        before, halves = self._seen.get(sigma, (None, {}))
        if before is None or (before.shape == where.shape and not torch.equal(before, where)):
            halves = {}
        elif before.shape != where.shape or half in halves:
            self.trouble = SEVERAL
        last = self._told.get(half)
        halves[half] = self._told[half] = last if _equal(last, told) else told
        self._seen[sigma] = (where, halves)

    def found(self) -> KeptSet:
        """The set, with its `trouble` if it cannot be kept."""
        levels = sorted(self._seen, reverse=True)
        halves = set.intersection(*(set(self._seen[level][1]) for level in levels)) if levels else set()
        trouble = self.trouble or ("" if halves else "Nothing was painted that could be kept.")
        if trouble:
            return KeptSet(self.model, self.sharing, torch.empty(0), torch.empty(0, 0), {}, trouble=trouble)
        return KeptSet(
            self.model,
            self.sharing,
            torch.tensor(levels, dtype=torch.float64),
            torch.stack([self._seen[level][0] for level in levels]),
            {half: [self._seen[level][1][half] for level in levels] for half in halves},
            self.depth,
            self.first,
            self.last,
        )


def first_rows(tree: Any, kept: int, images: int) -> Any:
    """The same tree on the CPU, of the first `kept` pictures; tensors that do not count pictures stay whole.

    Raises TypeError, with what it is, for a leaf that no file can hold.
    """
    if isinstance(tree, Tensor):
        return (tree[:kept] if tree.ndim and len(tree) == images else tree).detach().cpu().clone()
    if isinstance(tree, Mapping):
        return {key: first_rows(value, kept, images) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [first_rows(value, kept, images) for value in tree]
    if tree is None or isinstance(tree, (str, int, float, bool)):
        return tree
    raise TypeError(f"a {type(tree).__name__}")


def on_device(tree: Any, device: torch.device) -> Any:
    """The same tree with its tensors on a device."""
    if isinstance(tree, Tensor):
        return tree.to(device)
    if isinstance(tree, Mapping):
        return {key: on_device(value, device) for key, value in tree.items()}
    return [on_device(value, device) for value in tree] if isinstance(tree, list) else tree


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return type(one) is type(other) and one == other


def _described(tree: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A tree as JSON, its tensors put into `tensors` under names."""
    if isinstance(tree, Tensor):
        tensors[name] = tree
        return {"tensor": name}
    if isinstance(tree, Mapping):
        return {"tree": {key: _described(value, f"{name}.{key}", tensors) for key, value in tree.items()}}
    if isinstance(tree, list):
        return [_described(value, f"{name}.{place}", tensors) for place, value in enumerate(tree)]
    return tree


def _read(written: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(written, Mapping):
        if "tensor" in written:
            return tensors[written["tensor"]]
        return {key: _read(value, tensors) for key, value in written["tree"].items()}
    return [_read(value, tensors) for value in written] if isinstance(written, list) else written
