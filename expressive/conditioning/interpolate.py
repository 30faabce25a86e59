"""e(α) = e_neu + Σ_k α_k · (e_k − e_neu): PixelSmile's Eq. 5 and its natural extension to several expressions.

PixelSmile released six methods (linear_conditioning.py of its code). They differ in the tokens that the formula
touches, so each is written here as that one formula with another e_neu: outside of its window the neutral side is
replaced by the target, and the residual e_k − e_neu vanishes there.

method          window           e_neu inside of the window
score_one_all   every token      the neutral prompt; the paper's method, and the one it was trained with
score_one       last 7 tokens    the neutral prompt
score_one_exp   last 6 tokens    the neutral prompt
score_one_tgt   token −7         the neutral prompt
score_scale     token −7         0, so that the word's embedding is scaled by α
direct          none             –; the target as it is, whatever α

Token −7 is the expression's word in `… a happy expression<|im_end|>\\n<|im_start|>assistant\\n`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .align import SUFFIX_TOKENS, place_tokens
from .alphas import alpha_label

WINDOWS: dict[str, slice] = {
    "score_one_all": slice(None),
    "score_one": slice(-7, None),
    "score_one_exp": slice(-6, None),
    "score_one_tgt": slice(-7, -6),
    "score_scale": slice(-7, -6),
    "direct": slice(0, 0),
}
METHODS = tuple(WINDOWS)


def blend(neutral: Tensor, targets: Sequence[Tensor], rows: Sequence[Sequence[float]]) -> Tensor:
    """neutral + Σ_k α_k · (target_k − neutral) for every row of α, α-major: [A·B, …] from tensors [B, …].

    rows: A rows with an α per target. Computed in float32 or finer, returned in the dtype of the first target.
    A row of zeros is the neutral bit for bit, a row with a single 1 that target bit for bit.
    ValueError if a result is too large for that dtype.
    """
    dtype = targets[0].dtype
    fine = torch.promote_types(dtype, torch.float32)
    start = neutral.to(fine)
    residuals = [target.to(fine) - start for target in targets]
    blended = []
    for row in rows:
        moving = [k for k, alpha in enumerate(row) if alpha != 0]
        if not moving:
            mixed = neutral.to(dtype, copy=True)
        elif len(moving) == 1 and row[moving[0]] == 1:
            mixed = targets[moving[0]].to(dtype, copy=True)
        else:
            mixed = start + sum(row[k] * residuals[k] for k in moving)
            mixed = mixed.to(dtype)
        if not bool(mixed.isfinite().all()):
            raise ValueError(f"At {alpha_label(row)} the prompt overflows {dtype}. Use a smaller α.")
        blended.append(mixed)
    return torch.cat(blended)


def sides(
    neutral: tuple[Tensor, Tensor],
    targets: Sequence[tuple[Tensor, Tensor]],
    method: str = "score_one_all",
    suffix: int = SUFFIX_TOKENS,
) -> tuple[Tensor, list[Tensor], int]:
    """The operands that turn `blend` into `method`: e_neu and every e_k, all [B, L, D] in one token layout.

    neutral, targets: pairs of tokens [B, L, D] and bool [B, L] that marks those which are not padding.
    Also returned: which target lent the layout. For `score_one_all` that is the longest, to which the others are
    aligned; for the windowed methods the first, which lends every token outside of the window.
    ValueError for an unknown method, several targets with `direct`, or a prompt shorter than the window.
    """
    if method not in WINDOWS:
        raise ValueError(f'There is no method "{method}". Choose one of {", ".join(METHODS)}.')
    if method == "direct" and len(targets) > 1:
        raise ValueError(f'The method "direct" uses one target as it is, but {len(targets)} are connected.')
    window = WINDOWS[method]
    if method == "score_one_all":
        lengths = [int(real.sum(dim=1).max()) for _, real in targets]
        chosen = lengths.index(max(lengths))
        layout, layout_real = targets[chosen]
        placed = [place_tokens(tokens, real, layout, layout_real, suffix) for tokens, real in (neutral, *targets)]
        return placed[0], placed[1:], chosen
    base = targets[0]
    moved = [base[0]] + [_with_window(base, target, window, method) for target in targets[1:]]
    if method == "direct":
        return base[0], moved, 0
    if method == "score_scale":
        neutral = (torch.zeros_like(base[0]), base[1])
    return _with_window(base, neutral, window, method), moved, 0


def _with_window(base: tuple[Tensor, Tensor], source: tuple[Tensor, Tensor], window: slice, method: str) -> Tensor:
    """`base`'s tokens [B, L, D], those in the window (counted from the last real token) taken from `source`."""
    mixed = base[0].clone()
    for b in range(len(mixed)):
        to, taken = base[1][b].nonzero()[:, 0], source[0][b, source[1][b]]
        shorter = min(len(to), len(taken))
        if shorter < -window.start:
            raise ValueError(
                f'"{method}" needs prompts of at least {-window.start} tokens, because it counts from the end, but one '
                f"has {shorter}. Use score_one_all, or prompts in the chat template of Qwen-Image-Edit."
            )
        mixed[b, to[window]] = taken[window]
    return mixed
