"""Measurements as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .ffe_bench import EXPRESSIONS, pearson

DOTS = 160  # a letter of 10 points is 22 pixels high: plots are looked at small, on a node
ACCENT, SECOND, MUTED = "#e4572e", "#2a6f97", "#6d727c"


def control_curve(
    alphas: Sequence[float], scores: Sequence[float], identity: Sequence[float | None], expression: str, side: int = 768
) -> tuple[np.ndarray, float]:
    """A plot of α against measured intensity and identity, uint8 [H,W,3], and Pearson's r of α and intensity.

    identity: similarity to the source per picture, None where it was not measured. Raises ValueError for fewer than
    two pictures, or lists of different lengths, and ImportError with the remedy where matplotlib is missing.
    """
    if not len(alphas) == len(scores) == len(identity):
        raise ValueError(
            f"There are {len(alphas)} α, {len(scores)} scores and {len(identity)} similarities: give as many of each."
        )
    if len(alphas) < 2:
        raise ValueError("A curve needs at least two α. Write several into the alphas of Text Latent Interpolate.")
    r = pearson(np.asarray(alphas, float), np.asarray(scores, float))
    figure, axes = _page(side)
    order = np.argsort(alphas, kind="stable")
    x, y = np.asarray(alphas, float)[order], np.asarray(scores, float)[order]
    axes.plot(x, y, "o-", color=ACCENT, linewidth=2.5, markersize=7, label=f"{expression} (r = {r:.3f})")
    known = [(alphas[i], identity[i]) for i in order if identity[i] is not None]
    if known:
        axes.plot(*zip(*known, strict=True), "s--", color=SECOND, linewidth=1.8, markersize=5, label="identity")
    axes.set(xlabel="α", ylabel="measured", ylim=(min(-0.03, float(y.min()) - 0.03), 1.05))
    axes.legend(frameon=False, loc="best")
    return _pixels(figure), r


def confusion_matrix(rates: np.ndarray, side: int = 900) -> np.ndarray:
    """A plot of `ffe_bench.confusion`: rows asked for, columns read; uint8 [H,W,3]."""
    figure, axes = _page(side)
    axes.imshow(np.nan_to_num(rates), cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(np.nan_to_num(rates) >= 0.005):
        share = rates[row, column]
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color="white" if share > 0.5 else "black",
                  fontsize=8)  # fmt: skip
    axes.set_xticks(range(len(EXPRESSIONS)), EXPRESSIONS, rotation=45, ha="right")
    axes.set_yticks(range(len(EXPRESSIONS)), EXPRESSIONS)
    axes.set(xlabel="read as", ylabel="asked for")
    return _pixels(figure)


def _page(side: int) -> tuple[Any, Any]:
    """A square figure of `side` pixels and its axes, without the lines nobody needs, off every screen."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need the package matplotlib: pip install matplotlib, then start again.") from error

    figure = Figure(figsize=(side / DOTS, side / DOTS), dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=MUTED)
    return figure, axes


def _pixels(figure: Any) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
