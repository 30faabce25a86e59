"""Nose, its wrinkles, and the folds from its wings to the mouth's corners."""

from __future__ import annotations

from .brush import CENTRE_X, EYE_LINE, Brush
from .shapes import LIFT, NoseShape, nose_shape, wing_lift
from .svg import darker, hexed, lighter, path

_TIP, _WING, _ROOT = LIFT["nose_tip"], LIFT["nose_wing"], LIFT["nose_root"]


def _under(brush: Brush, shape: NoseShape, width: float, opacity: float) -> str:
    """The line under the nose."""
    tip, half = shape.tip, shape.half
    line = brush.arc(
        (CENTRE_X - half, tip - 1.2, _WING),
        (CENTRE_X, tip + 1.8, wing_lift(0.0)),
        (CENTRE_X + half, tip - 1.2, _WING),
    )
    return path(line, stroke=brush.crease, width=width, opacity=opacity)


def _bridge(brush: Brush, shape: NoseShape) -> str:
    """The nose's contour before the far cheek; it shows as the head turns."""
    yaw = brush.rig.pose.yaw
    strength = min(1.0, max(0.0, (abs(yaw) - 7.0) / 16.0))
    if strength < 0.03:
        return ""
    side = 1 if yaw > 0 else -1
    tip, half, x = shape.tip, shape.half, CENTRE_X
    line = brush.trace(
        "M", (x + side * 2.4, EYE_LINE - 5.0, _ROOT - 1.0), "C",
        (x + side * 1.2, EYE_LINE + 3.0, _ROOT), (x + side * 1.0, tip - 7.0, _TIP - 2.0),
        (x + side * half * 0.45, tip - 2.6, _TIP),
    )  # fmt: skip
    return path(line, stroke=brush.crease, width=1.0, opacity=0.75 * strength)


def _soft(brush: Brush, shape: NoseShape) -> list[str]:
    skin, tip, half, x = brush.who.skin, shape.tip, shape.half, CENTRE_X
    side = brush.trace(
        "M", (x + 2.2, EYE_LINE - 3, _ROOT), "Q", (x + 1.6, EYE_LINE + 6, 0.7 * _ROOT + 0.3 * _TIP),
        (x + half, tip - 1.6, _WING), "L", (x, tip, _TIP - 1.0), "Z",
    )  # fmt: skip
    return [
        path(side, hexed(darker(skin, 0.22)), opacity=0.45),
        brush.ellipse(x - 0.6, tip - 2.6, 1.7, 1.4, hexed(lighter(skin, 0.4)), 0.6, lift=_TIP),
        _under(brush, shape, 1.0, 0.7),
        *(
            brush.ellipse(x + k * half * 0.52, tip + 0.1, 1.1, 0.7, hexed(darker(skin, 0.6)), 0.8, lift=_WING + 1.0)
            for k in (-1, 1)
        ),
    ]


def _sides(brush: Brush) -> list[tuple[int, float]]:
    """The sides that a drawn nose bends to, each with its strength: the far one, as the head turns."""
    right = max(0.0, min(1.0, (brush.rig.pose.yaw + 11.0) / 8.0))
    return [(side, share) for side, share in ((1, right), (-1, 1 - right)) if share > 0.02]


def _line(brush: Brush, shape: NoseShape) -> list[str]:
    tip, half, x = shape.tip, shape.half, CENTRE_X
    parts = []
    for side, share in _sides(brush):
        line = brush.trace(
            "M", (x + side * half * 0.5, tip - 7, _TIP - 3.0), "Q",
            (x + side * half * 1.5, tip - 0.5, _TIP - 2.0), (x - side * half * 0.35, tip + 0.4, _TIP - 2.0),
        )  # fmt: skip
        parts.append(path(line, stroke=brush.crease, width=1.4, opacity=share))
    return parts


def _hint(brush: Brush, shape: NoseShape) -> list[str]:
    tip, half, x = shape.tip - 1.5, shape.half, CENTRE_X
    line = brush.trace("M", (x - 1.1, tip + 0.6, _TIP - 1.0), "L", (x + 1.0, tip + 1.0, _TIP - 1.0))
    parts = [path(line, stroke=brush.crease, width=1.1)]
    for side, share in _sides(brush):
        shadow = brush.trace(
            "M", (x - side * 0.4, tip - 1.4, _TIP), "L", (x + side * half * 0.9, tip + 0.6, _WING),
            (x, tip + 1.6, _TIP - 3.0), "Z",
        )  # fmt: skip
        parts.append(path(shadow, hexed(brush.shade(brush.who.skin)), opacity=share))
    return parts


def _ball(brush: Brush, shape: NoseShape) -> list[str]:
    skin, tip, half, x = brush.who.skin, shape.tip - 2.2, shape.half, CENTRE_X
    warm = hexed(darker(skin, 0.2))
    parts = [brush.ellipse(x + k * half * 0.78, tip + 0.5, 2.6, 2.3, warm, 0.55, lift=_WING + 1.0) for k in (-1, 1)]
    parts += [
        brush.ellipse(x, tip + 1.4, half * 0.95, 3.6, hexed(darker(skin, 0.3)), 0.5, lift=_TIP - 3.0),
        brush.ellipse(x, tip, half * 0.92, 4.0, "url(#nose)", lift=_TIP - 1.0),
        brush.ellipse(x - 1.2, tip - 1.6, 1.5, 1.1, "#ffffff", 0.5, lift=_TIP),
    ]
    return parts


_KINDS = {"soft": _soft, "line": _line, "hint": _hint, "ball": _ball}


def draw_nose(brush: Brush) -> str:
    """Nose, wrinkles and folds."""
    who, rig, shape, lines = brush.who, brush.rig, nose_shape(brush), brush.measures.lines
    tip, half, wrinkle, x = shape.tip, shape.half, shape.wrinkle, CENTRE_X
    kind = brush.measures.nose
    parts = _KINDS[kind](brush, shape)
    if kind != "ball":
        parts.append(_bridge(brush, shape))
    for side in (-1, 1):
        wing = x + side * half
        if kind in ("soft", "line") or wrinkle > 0.2:
            curve = brush.arc(
                (wing, tip - 3.2 - 1.2 * wrinkle, _WING),
                (wing + side * 1.3, tip - 1.4, _WING - 1.0),
                (wing, tip, _WING),
            )
            parts.append(path(curve, stroke=brush.crease, width=0.9, opacity=0.65))
        if wrinkle > 0.2:
            for row in (0.0, 2.8):
                a, b = (x + side * 4.6, EYE_LINE - 1.6 + row), (x + side * 1.0, EYE_LINE + 0.8 + row)
                line = brush.trace("M", a, "L", b, lift=_ROOT)
                parts.append(path(line, stroke=brush.crease, width=1.0, opacity=0.8 * wrinkle))
        depth = min(1.0, rig.folds[0 if side < 0 else 1] + max(0, who.age - 50) / 70) * lines
        if depth > 0.15:
            reach = 14.2 * max(0.85, rig.mouth.width) * brush.measures.mouth_width
            fold = brush.trace(
                "M", (x + side * (half + 1.6), tip - 1.0, 1.0), "Q",
                (x + side * (half + 7.2), tip + 3.6), (x + side * reach, EYE_LINE + 24.5),
            )  # fmt: skip
            parts.append(path(fold, stroke=brush.crease, width=1.0, opacity=0.65 * depth))
    return "".join(parts)
