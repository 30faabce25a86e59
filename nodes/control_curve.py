"""ControlCurve: α against what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io

from ..expressive.conditioning.alphas import faces_of_sweep, read_alphas
from ..expressive.metrics.ffe_bench import EXPRESSIONS
from .sockets import Readings as ReadingsSocket

if TYPE_CHECKING:
    from ..expressive.metrics.readings import FaceReading

STRONGEST = "strongest"


class ControlCurve(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ControlCurve",
            display_name="Control Curve",
            category="Expressive Avatars/measure",
            description="Plots α against the measured strength of an expression and the similarity to the source, with "
            "Pearson's r: 1 is a slider that does just what it says.",
            search_aliases=["control linearity", "CLS", "plot alpha", "expression curve"],
            inputs=[
                ReadingsSocket.Input("readings", tooltip="From Expression Score."),
                io.String.Input(
                    "labels",
                    force_input=True,
                    tooltip="The α of each picture, a line each: the labels of Text Latent Interpolate.",
                ),
                io.Combo.Input(
                    "expression",
                    options=[STRONGEST, *EXPRESSIONS],
                    default=STRONGEST,
                    tooltip="Whose strength to plot. strongest: the one that the picture of the largest α shows most.",
                ),
                io.Int.Input("side", default=768, min=256, max=4096, step=16, tooltip="Pixels of the square plot."),
            ],
            outputs=[
                io.Image.Output("plot", tooltip="The curve."),
                io.Float.Output("pearson_r", tooltip="1: strength rises in step with α; 0: it does not follow."),
            ],
        )

    @classmethod
    def execute(cls, readings: Sequence[FaceReading], labels: str, expression: str, side: int) -> io.NodeOutput:
        """The plot [1,side,side,3] and r. ValueError where the labels are not an α for each picture."""
        from ..expressive.metrics.plots import Curve, control_curves

        lines = [line for line in labels.splitlines() if line.strip()]
        alphas = read_alphas(lines)
        if alphas is None or len(alphas) != len(readings):
            raise ValueError(
                f"The labels have to be one α for each of the {len(readings)} pictures, as Text Latent Interpolate "
                f"gives them (“α = 0.5”); these are {len(lines)} lines, the first “{lines[0] if lines else ''}”."
            )
        column = strongest(alphas, readings) if expression == STRONGEST else EXPRESSIONS.index(expression)
        faces = faces_of_sweep(alphas) or 1  # several share a strip: α₁ of every face, then α₂ …
        curves = []
        for face in range(faces):
            seen = [(a, one) for a, one in list(zip(alphas, readings, strict=True))[face::faces] if one.found]
            scores, identity = [one.scores[column] for _, one in seen], [one.identity for _, one in seen]
            curves.append(Curve([alpha for alpha, _ in seen], scores, identity))
        page, r = control_curves(curves, EXPRESSIONS[column], side)
        return io.NodeOutput(torch.from_numpy(page)[None].float() / 255, r)


def strongest(alphas: Sequence[float], readings: Sequence[FaceReading]) -> int:
    """The number of the expression that the picture of the largest α shows most."""
    scores = readings[max(range(len(alphas)), key=lambda index: alphas[index])].scores
    return max(range(len(scores)), key=lambda index: scores[index])
