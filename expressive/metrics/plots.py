"""Measurements as pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .ffe_bench import EXPRESSIONS, Edit, pearson
from .memorisation import Memorisation

INCHES = 4.8  # of every plot's side, so that letters of 10 points fill as much of it at any size
ACCENT, SECOND, MUTED = "#e4572e", "#2a6f97", "#6d727c"


@dataclass(frozen=True)
class Curve:
    """One face along α: intensities of 0 … 1, and similarities to the source, None where there is none."""

    alphas: Sequence[float]
    scores: Sequence[float]
    identity: Sequence[float | None]

    @property
    def r(self) -> float:
        """Pearson's r of α and intensity."""
        return pearson(np.asarray(self.alphas, float), np.asarray(self.scores, float))


def control_curves(curves: Sequence[Curve], expression: str, side: int = 768) -> tuple[np.ndarray, float]:
    """A plot of α against measured intensity and identity, a line for each face: uint8 [side,side,3], and the mean r.

    That is FFE-Bench's control linearity of these faces. Raises ValueError for a curve of fewer than three different α,
    for which r says nothing, and ImportError with the remedy where matplotlib is missing.
    """
    for curve in curves:
        if len(set(curve.alphas)) < 3:
            raise ValueError(
                "A curve needs pictures with a face at three different α at least. List several in the alphas of Text "
                "Latent Interpolate, such as 0:1.25:6."
            )
    r = float(np.mean([curve.r for curve in curves]))
    figure, axes = _page(side)
    lowest, faint = 0.0, 1.0 if len(curves) == 1 else 0.45
    for number, curve in enumerate(curves):
        order = np.argsort(curve.alphas, kind="stable")
        x, y = np.asarray(curve.alphas, float)[order], np.asarray(curve.scores, float)[order]
        name = f"{expression} (r = {r:.3f})" if number == 0 else None
        axes.plot(x, y, "o-", color=ACCENT, alpha=faint, linewidth=2.5, markersize=7, label=name)
        known = [(curve.alphas[i], value) for i in order if (value := curve.identity[i]) is not None]
        if known:
            name = "identity" if number == 0 else None
            axes.plot(
                *zip(*known, strict=True), "s--", color=SECOND, alpha=faint, linewidth=1.8, markersize=5, label=name
            )
        lowest = min(lowest, float(y.min()), *(value for _, value in known))
    axes.set(xlabel="α", ylabel="measured", ylim=(lowest - 0.03, 1.05))
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


def alpha_curves(edits: Sequence[Edit], side: int = 900) -> np.ndarray:
    """A plot of α against the mean intensity of what was asked for, a line for each expression; uint8 [side,side,3]."""
    figure, axes = _page(side)
    for number, word in enumerate(EXPRESSIONS):
        alphas, reached = _means([edit for edit in edits if edit.expression == word], lambda edit: edit.reached)
        if alphas:
            axes.plot(alphas, reached, "o-", color=f"C{number % 10}", alpha=1 - 0.4 * (number // 10), label=word)
    axes.set(xlabel="α", ylabel="measured", ylim=(-0.03, 1.05))
    axes.legend(frameon=False, fontsize=7, ncols=2)
    return _pixels(figure)


def trade_off(methods: Mapping[str, Sequence[Edit]], side: int = 900) -> np.ndarray:
    """Identity against expression score as α grows, a line for each method (PixelSmile's Figure 4); uint8 [H,W,3]."""
    figure, axes = _page(side)
    for number, (name, edits) in enumerate(methods.items()):
        seen = [edit for edit in edits if edit.identity is not None]
        _, reached = _means(seen, lambda edit: edit.reached)
        _, identity = _means(seen, lambda edit: edit.identity or 0.0)
        axes.plot(reached, identity, "o-", color=f"C{number % 10}", label=name)
    axes.set(xlabel="expression score", ylabel="identity", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.legend(frameon=False)
    return _pixels(figure)


def likeness(found: Memorisation, side: int = 900) -> np.ndarray:
    """How like its nearest training identity each face is, generated ones beside training ones; uint8 [side,side,3]."""
    figure, axes = _page(side)
    edges = np.linspace(min(found.usual.min(), found.similar.min()), 1.0, 41)
    for values, colour, name in (
        (found.usual, SECOND, "training faces, to another person"),
        (found.similar, ACCENT, "generated faces, to a training face"),
    ):
        axes.hist(values, edges, weights=np.full(len(values), 1 / len(values)), color=colour, alpha=0.6, label=name)
    axes.axvline(found.threshold, color=MUTED, linestyle="--", label="99 % of training faces lie below")
    axes.set(xlabel="similarity to the nearest", ylabel="share of faces")
    axes.legend(frameon=False, fontsize=8)
    return _pixels(figure)


def _means(edits: Sequence[Edit], of: Callable[[Edit], float]) -> tuple[list[float], list[float]]:
    """The α that occur, and the mean of something at each."""
    alphas = sorted({edit.alpha for edit in edits})
    return alphas, [float(np.mean([of(edit) for edit in edits if edit.alpha == alpha])) for alpha in alphas]


def _page(side: int) -> tuple[Any, Any]:
    """A square figure of `side` pixels and its axes, without the lines nobody needs, off every screen."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need the package matplotlib: pip install matplotlib, then start again.") from error

    figure = Figure(figsize=(INCHES, INCHES), dpi=side / INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=MUTED)
    return figure, axes


def _pixels(figure: Any) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
