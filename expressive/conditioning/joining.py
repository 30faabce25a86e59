"""Prompts one by one → one conditioning with a prompt for each picture of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .conditioning import Conditioning, Entry

MOST_REPEATS = 4


def join_prompts(conditionings: Sequence[Conditioning], *, masked: bool) -> list[list[Any]]:
    """One entry with tokens [N,L,D] of all prompts, in their order; each may hold several, [B,L,D].

    masked: the model takes an attention mask, with which shorter prompts are filled up. Without, all are repeated to a
    common length, which changes nothing for cross-attention; the host does so too.
    `pooled_output` and `reference_latents` are joined; all else has to be the same in all.
    Raises ValueError for prompts that do not fit together.
    """
    if not conditionings:
        raise ValueError("There is no prompt. Connect at least one.")
    entries = [_only(conditioning, number) for number, conditioning in enumerate(conditionings, start=1)]
    widths = {entry[0].shape[2] for entry in entries}
    if len(widths) > 1:
        raise ValueError(f"The prompts have widths {sorted(widths)}: encode all of them with the same CLIP.")
    told = _common([entry[1] for entry in entries])
    lengths = [entry[0].shape[1] for entry in entries]
    masks = [entry[1].get("attention_mask") for entry in entries]
    if masked and (len(set(lengths)) > 1 or any(mask is not None for mask in masks)):
        told["attention_mask"] = torch.cat([_mask(entry, max(lengths)) for entry in entries])
        tokens = [_filled(entry[0], max(lengths)) for entry in entries]
    else:
        tokens = _repeated([entry[0] for entry in entries], lengths)
    return [[torch.cat([one.to(tokens[0]) for one in tokens]), told]]


def _only(conditioning: Conditioning, number: int) -> Entry:
    if len(conditioning) != 1:
        raise ValueError(
            f"Prompt {number} has {len(conditioning)} entries, such as regions or ranges of steps. A set takes one "
            "plain prompt for each picture."
        )
    return conditioning[0]


def _common(extras: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is said beside the tokens, joined where it is each prompt's own."""
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for extra in extras for key in extra):
        values = [extra.get(key) for extra in extras]
        if key == "attention_mask":
            continue
        tensors = [value for value in values if isinstance(value, Tensor)]
        if key == "pooled_output" and len(tensors) == len(values):
            found[key] = torch.cat([value.to(tensors[0]) for value in tensors])
        elif key == "reference_latents" and len({len(value or ()) for value in values}) == 1:
            found[key] = [torch.cat(parts) for parts in zip(*values, strict=True)]
        elif all(_same(value, values[0]) for value in values):
            found[key] = values[0]
        else:
            raise ValueError(
                f"The prompts of a set differ in “{key}”, which one batch cannot have twice. Give all of them the same."
            )
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one, other.to(one.device))
    return one is other or (type(one) is type(other) and not isinstance(one, (Tensor, list, dict)) and one == other)


def _mask(entry: Entry, length: int) -> Tensor:
    tokens, extra = entry
    mask = extra.get("attention_mask")
    mask = torch.ones(tokens.shape[:2], dtype=torch.long) if mask is None else mask.expand(tokens.shape[:2])
    return torch.nn.functional.pad(mask.cpu(), (0, length - mask.shape[1]))


def _filled(tokens: Tensor, length: int) -> Tensor:
    return torch.nn.functional.pad(tokens, (0, 0, 0, length - tokens.shape[1]))


def _repeated(tokens: Sequence[Tensor], lengths: Sequence[int]) -> list[Tensor]:
    common = math.lcm(*lengths)
    if common > MOST_REPEATS * max(lengths):
        raise ValueError(
            f"The prompts have {', '.join(map(str, sorted(set(lengths))))} tokens, which this model cannot take in one "
            "batch. Write prompts of similar length."
        )
    return [one.repeat(1, common // one.shape[1], 1) for one in tokens]
