"""Bring a prompt's embeddings into the token layout of another, longer or shorter one.

A conditioning carries no token ids. With a causal text encoder the tokens before the first differing word have equal
embeddings; those after it differ even where the words are the same, because they have read the differing word. So the
common prefix is measured, while the common suffix is known: the chat template's tail. What lies between is the span
that names the expression.
"""

import torch
from torch import Tensor
from torch.nn import functional

SUFFIX_TOKENS = 6  # ` expression`, `<|im_end|>`, `\n`, `<|im_start|>`, `assistant`, `\n`
SAME_TOKEN = 0.02  # relative distance: above the noise of half precision, far below that of two different tokens


def common_prefix(a: Tensor, b: Tensor) -> int:
    """How many leading tokens of `a` [La, D] and `b` [Lb, D] are equal up to rounding."""
    length = min(len(a), len(b))
    a, b = a[:length].float(), b[:length].float()
    differs = (a - b).norm(dim=-1) > SAME_TOKEN * torch.maximum(a.norm(dim=-1), b.norm(dim=-1))
    return int(differs.int().argmax()) if bool(differs.any()) else length


def resample(span: Tensor, length: int) -> Tensor:
    """`span` [n ≥ 1, D] stretched or squeezed to [length, D] by linear interpolation; its mean for a single token."""
    if len(span) == length:
        return span
    if length == 1:
        return span.float().mean(dim=0, keepdim=True).to(span.dtype)
    stretched = functional.interpolate(span.float().T[None], size=length, mode="linear", align_corners=True)
    return stretched[0].T.to(span.dtype)


def align_tokens(source: Tensor, layout: Tensor, suffix: int = SUFFIX_TOKENS) -> Tensor:
    """`source` [Ls, D] with as many tokens as `layout` [L, D]: prefix and suffix kept, the span between resampled.

    suffix: tokens at the end that play the same part in both prompts, 0 or more.
    Returns `source` itself if the lengths agree. ValueError if a prompt has no token before its suffix.
    """
    if len(source) == len(layout):
        return source
    shorter = min(len(source), len(layout))
    if shorter <= suffix:
        raise ValueError(
            f"The prompts have {len(source)} and {len(layout)} tokens, too few to keep the last {suffix} of both apart "
            f"from the expression. Set suffix_tokens below {shorter}, or write prompts of equal length."
        )
    # each side keeps at least one token to interpolate from, even if one prompt is the other with words left out
    prefix = min(common_prefix(source, layout), shorter - suffix - 1)
    end = len(source) - suffix
    span = resample(source[prefix:end], len(layout) - prefix - suffix)
    return torch.cat([source[:prefix], span, source[end:]])


def real_tokens(mask: Tensor | None, tokens: Tensor, side: str) -> Tensor:
    """Which of `tokens` [B, L, D] are not padding, bool [B, L]. No mask means all.

    ValueError if the mask has another shape, holds anything but 0 and 1, or hides a whole prompt.
    """
    batch, length, _ = tokens.shape
    if mask is None:
        return torch.ones(batch, length, dtype=torch.bool, device=tokens.device)
    if mask.ndim != 2 or mask.shape[0] not in (1, batch) or mask.shape[1] != length:
        raise ValueError(
            f"The attention mask of the {side} has shape {list(mask.shape)}, but its prompt {[batch, length]}. "
            "Encode the prompt again with one text encoder."
        )
    if bool(((mask != 0) & (mask != 1)).any()):
        raise ValueError(f"The attention mask of the {side} must hold 0 and 1 only. Encode the prompt again.")
    real = mask.to(tokens.device).bool().expand(batch, length)
    if not bool(real.any(dim=1).all()):
        raise ValueError(f"The attention mask of the {side} hides the whole prompt. Write some text into it.")
    return real


def place_tokens(
    source: Tensor, source_real: Tensor, layout: Tensor, layout_real: Tensor, suffix: int = SUFFIX_TOKENS
) -> Tensor:
    """`source` [B, Ls, D] in the layout of `layout` [B, L, D]: real token on real token, the layout's padding kept.

    source_real, layout_real: bool [B, Ls] and [B, L]. Returns `source` itself if the two already agree.
    """
    if torch.equal(source_real, layout_real):
        return source
    placed = layout.clone()
    for b in range(len(layout)):
        real = layout_real[b]
        placed[b, real] = align_tokens(source[b, source_real[b]], layout[b, real], suffix)
    return placed
