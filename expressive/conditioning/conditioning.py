"""The same on whole CONDITIONINGs: the host's list of `[tokens [B, L, D], dict of everything else]`.

The inputs are shared with the host's cache, so nothing in them is ever written to.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .align import SUFFIX_TOKENS, real_tokens
from .alphas import check_alpha
from .interpolate import blend, sides

Entry = Sequence[Any]  # [tokens, extras]; the host builds lists, some packs tuples
Conditioning = Sequence[Entry]


def interpolate_conditioning(
    neutral: Conditioning,
    targets: Sequence[Conditioning],
    rows: Sequence[Sequence[float]],
    *,
    method: str = "score_one_all",
    suffix_tokens: int = SUFFIX_TOKENS,
) -> list[list[Any]]:
    """One conditioning whose batch holds a prompt per row of α: tokens [A·B, L, D], α-major.

    neutral, targets: conditionings of the same text encoder, made with the same pictures.
    rows: A rows with one α in [−1, 3] per target.
    method: one of `interpolate.METHODS`. suffix_tokens: see `align.align_tokens`.

    - `attention_mask` comes from the target that lent the token layout; padding is never taken for text.
    - `pooled_output` follows the same formula with `score_one_all`; otherwise it is the target's.
    - `reference_latents` must be the same on all sides and are carried once; the host repeats them over the batch.
    - Every other key is carried; where the sides differ, the first target wins, then the next, the neutral last.
    - Conditionings with several entries (regions, time ranges) go pairwise; a single neutral entry serves them all.

    ValueError if the sides do not fit together, or hold NaN or infinite numbers.
    """
    if not targets:
        raise ValueError("There is no target. Connect at least one.")
    for row in rows:
        if len(row) != len(targets):
            raise ValueError(f"There are {len(row)} α values for {len(targets)} target(s). Give each target its own.")
        for alpha in row:
            check_alpha(alpha)
    if not rows:
        raise ValueError("There is no α. Give at least one.")
    counts = [len(target) for target in targets]
    if min(counts) == 0 or len(set(counts)) > 1 or len(neutral) not in (1, counts[0]):
        raise ValueError(
            f"The neutral has {len(neutral)} entries and the target(s) {', '.join(map(str, counts))}, so they "
            "cannot be paired. Interpolate first, and combine regions or time ranges afterwards."
        )
    paired = [neutral[0]] * counts[0] if len(neutral) == 1 else neutral
    return [
        _interpolate_entry([start, *ends], rows, method, suffix_tokens)
        for start, *ends in zip(paired, *targets, strict=True)
    ]


def prompts_per_alpha(conditioning: Conditioning, alphas: int) -> int:
    """How many prompts an interpolated conditioning holds for each of its `alphas` rows (B of `[A·B, L, D]`)."""
    return max(tokens.shape[0] for tokens, _ in conditioning) // alphas


def _interpolate_entry(
    entries: Sequence[Entry], rows: Sequence[Sequence[float]], method: str, suffix: int
) -> list[Any]:
    """One entry from `[neutral, target, …]`."""
    names = ["neutral"] + ["target" if len(entries) == 2 else f"target {k + 1}" for k in range(len(entries) - 1)]
    extras = [entry[1] for entry in entries]
    _no_second_embedding(extras)
    references = _same_references([extra.get("reference_latents") for extra in extras], names)
    tokens = [_checked(entry[0], name) for entry, name in zip(entries, names, strict=True)]
    if len({t.shape[2] for t in tokens}) > 1:
        raise ValueError(
            f"The embeddings have different widths ({', '.join(str(t.shape[2]) for t in tokens)}), so they come from "
            "different text encoders. Encode neutral and targets with the same CLIP."
        )
    masks = [extra.get("attention_mask") for extra in extras]
    real = [real_tokens(mask, t, name) for mask, t, name in zip(masks, tokens, names, strict=True)]
    pooled = [extra.get("pooled_output") for extra in extras]
    # with several α each reference picture gets its own prompts: α-major order keeps them together
    pictures = references if references and len(rows) > 1 else ()
    batch = _common_batch([*tokens, *(p for p in pooled if p is not None), *pictures])
    like = tokens[1]
    pairs = [
        (t.to(like).expand(batch, -1, -1), r.to(like.device).expand(batch, -1))
        for t, r in zip(tokens, real, strict=True)
    ]
    start, ends, chosen = sides(pairs[0], pairs[1:], method, suffix)

    mixed: dict[str, Any] = {}
    for extra in (extras[0], *reversed(extras[1:])):
        mixed |= extra
    mixed.pop("attention_mask", None)
    mask = masks[1 + chosen]
    if mask is not None:
        mixed["attention_mask"] = mask.expand(batch, -1).repeat(len(rows), 1)
    if references is not None:
        mixed["reference_latents"] = list(references)
    if any(p is not None for p in pooled):
        mixed["pooled_output"] = _pooled(pooled, rows, method, names, batch)
    return [blend(start, ends, rows), mixed]


def _no_second_embedding(extras: Sequence[dict[str, Any]]) -> None:
    """ValueError where a model reads a second embedding beside the tokens, and the sides differ in it.

    Such keys (`conditioning_llama3`, `conditioning_byt5small`, `t5xxl_ids` …) hold layers or token ids that this
    formula does not cover; carried as they are, they would say the target at every α.
    """
    for key in sorted({key for extra in extras for key in extra if key.startswith(("conditioning_", "t5xxl_"))}):
        first, *others = (extra.get(key) for extra in extras)
        for other in others:
            if isinstance(first, Tensor) and isinstance(other, Tensor):
                same = first.shape == other.shape and torch.equal(first, other.to(first.device))
            else:
                same = first is other
            if not same:
                raise ValueError(
                    f"These prompts carry a second embedding ({key}), which cannot be interpolated. Use a model with "
                    "one text embedding, such as Qwen-Image-Edit, SDXL or Stable Diffusion."
                )


def _checked(tokens: Tensor, name: str) -> Tensor:
    if not isinstance(tokens, Tensor) or tokens.ndim != 3 or not tokens.is_floating_point():
        found = f"shape {list(tokens.shape)}" if isinstance(tokens, Tensor) else type(tokens).__name__
        raise ValueError(f"The {name} must hold embeddings of shape [batch, tokens, width], but has {found}.")
    return _finite(tokens, f"embedding of the {name}")


def _finite(tensor: Tensor, name: str) -> Tensor:
    if not bool(tensor.isfinite().all()):
        raise ValueError(
            f"The {name} holds NaN or infinite numbers. The text encoder's precision is the usual cause: try another."
        )
    return tensor


def _common_batch(parts: Sequence[Tensor]) -> int:
    """B, the batch size that all parts have or can be repeated to."""
    sizes = [part.shape[0] for part in parts]
    batch = max(sizes)
    if any(size not in (1, batch) for size in sizes):
        raise ValueError(
            f"The batches do not fit together ({', '.join(map(str, sizes))} prompts or reference pictures): each side "
            "must hold 1, or as many as the others."
        )
    return batch


def _same_references(references: Sequence[Sequence[Tensor] | None], names: Sequence[str]) -> Sequence[Tensor] | None:
    """The reference latents that all sides share, or None where none has any."""
    first = references[0] or ()
    for other, name in zip(references[1:], names[1:], strict=True):
        other = other or ()
        advice = "Give every text encoder the same pictures, or set the reference latent once, after the interpolation."
        if len(other) != len(first):
            raise ValueError(f"The neutral has {len(first)} reference latent(s), but the {name} {len(other)}. {advice}")
        for i, (a, b) in enumerate(zip(first, other, strict=True), start=1):
            if a.shape != b.shape:
                raise ValueError(
                    f"Reference latent {i} has shape {list(a.shape)} in the neutral, but {list(b.shape)} in the "
                    f"{name}. {advice}"
                )
            # the tolerance covers a VAE that encodes the same picture twice in half precision
            if a is not b and not torch.allclose(a.float(), b.to(a.device).float(), rtol=1e-2, atol=1e-2):
                raise ValueError(
                    f"Reference latent {i} of the {name} shows another picture than the neutral's. {advice}"
                )
    return first or None


def _pooled(
    pooled: Sequence[Tensor | None], rows: Sequence[Sequence[float]], method: str, names: Sequence[str], batch: int
) -> Tensor:
    """Interpolated where every side has one and the method moves every token; else the first target's, or any."""
    have = [_finite(p, f"pooled output of the {name}") for p, name in zip(pooled, names, strict=True) if p is not None]
    if len({p.shape[1:] for p in have}) > 1:
        raise ValueError(
            f"The pooled outputs have different shapes ({', '.join(str(list(p.shape)) for p in have)}). "
            "Encode neutral and targets with the same CLIP."
        )
    if method != "score_one_all" or len(have) < len(pooled):
        have = [next(p for p in (*pooled[1:], pooled[0]) if p is not None)] * len(pooled)
    wide = [p.to(have[1]).expand(batch, *p.shape[1:]) for p in have]
    return blend(wide[0], wide[1:], rows)
