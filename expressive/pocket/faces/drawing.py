"""A whole avatar as SVG, and SVG as pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from .brush import CENTRE_X, EYE_LINE, Brush
from .eyes import draw_brow, draw_brow_lines, draw_eye, draw_glasses, eye_centre
from .hair import draw_beard, draw_moustache, hair_back, hair_front, hair_gradient
from .identity import Colour, Identity
from .mouth import draw_mouth, draw_nose
from .pose import Pose
from .rig import rig
from .svg import arc, darker, ellipse, fading, falling, hexed, lighter, loop, path, trace

STYLES = ("portrait", "cartoon")
FRAMING = 1.13  # the face fills the picture

BACKGROUNDS: tuple[tuple[Colour, Colour], ...] = (  # the middle and the edge in a portrait; a cartoon takes the first
    ((150, 158, 170), (84, 92, 104)),
    ((160, 212, 232), (92, 150, 182)),
    ((208, 190, 232), (138, 116, 172)),
    ((240, 226, 200), (186, 160, 122)),
    ((186, 222, 190), (112, 160, 120)),
    ((244, 244, 242), (206, 206, 204)),
)


def _head(brush: Brush) -> str:
    who, w, top, chin, x = brush.who, brush.half_width, brush.crown, brush.chin, CENTRE_X
    jaw = 0.52 + 0.26 * who.jaw
    right = [
        (x, top),
        (x + w * 0.66, top + 6),
        (x + w * 0.99, EYE_LINE - 12),
        (x + w, EYE_LINE + 6),
        (x + w * 0.93, EYE_LINE + 20),
        (x + w * jaw, chin - 8.5),
        (x + w * 0.26, chin - 0.8),
    ]
    return loop([*right, *[(2 * x - a, b) for a, b in reversed(right[1:])]])


def _body(brush: Brush) -> str:
    who, x = brush.who, CENTRE_X
    broad = 46.0 if who.gender == "man" else 40.0
    neck = 12.5 if who.gender == "man" else 10.0
    skin = hexed(darker(who.skin, 0.16))
    parts = [
        path(
            trace("M", (x - neck, 90), "L", (x - neck - 3, 130), (x + neck + 3, 130), (x + neck, 90), "Z"),
            skin,
            stroke=brush.outline,
            width=1.4,
        )
    ]
    parts.append(
        path(
            arc((x - neck, 97), (x, 107), (x + neck, 97)), stroke=hexed(darker(who.skin, 0.36)), width=5.0, opacity=0.5
        )
    )
    fill = hexed(who.clothes) if brush.cartoon else "url(#cloth)"
    shoulders = trace("M", (x - broad - 6, 132), "C", (x - broad, 116), (x - neck - 12, 115), (x - neck - 3, 111))
    dip = {"round": 120.0, "v": 127.0, "collar": 117.0}[who.neckline]
    shoulders += trace(
        "Q",
        (x, 2 * dip - 111),
        (x + neck + 3, 111),
        "C",
        (x + neck + 12, 115),
        (x + broad, 116),
        (x + broad + 6, 132),
        "Z",
    )
    parts.append(path(shoulders, fill, stroke=brush.outline, width=1.4))
    if who.neckline == "collar":
        for side in (-1, 1):
            tip = trace("M", (x + side * (neck + 3), 110), "L", (x + side * 3, 119), (x + side * 15, 122), "Z")
            parts.append(path(tip, hexed(lighter(who.clothes, 0.35)), stroke=brush.outline, width=1.0))
    return "".join(parts)


def _ears(brush: Brush) -> str:
    fill = hexed(darker(brush.who.skin, 0.10))
    parts = []
    for side in (-1, 1):
        x = CENTRE_X + side * (brush.half_width + 0.5)
        edge = f' stroke="{brush.outline}" stroke-width="1.4"' if brush.outline else ""
        parts.append(ellipse(x, EYE_LINE + 6, 4.6, 7.6, fill, extra=edge))
        parts.append(
            path(
                arc((x - side, EYE_LINE + 2), (x + side * 2, EYE_LINE + 5), (x, EYE_LINE + 9)),
                stroke=brush.crease,
                width=0.9,
                opacity=0.6,
            )
        )
    return "".join(parts)


def _signs(brush: Brush, signs: Mapping[str, float]) -> str:
    parts: list[str] = []
    blush = min(1.5, signs.get("blush", 0.0))
    if blush > 0.03:
        warm = "#e8434f" if sum(brush.who.skin) > 330 else "#c83c50"
        for side in (-1, 1):
            x, y = CENTRE_X + side * 18.0 * brush.who.head_width, EYE_LINE + 14
            parts.append(ellipse(x, y, 7.4, 4.6, warm, min(0.62, 0.26 * blush)))
            parts.append(ellipse(x, y, 5.2, 3.0, warm, min(0.7, 0.34 * blush)))
    tears = min(1.0, signs.get("tears", 0.0))
    if tears > 0.05:
        for side in (-1, 1):
            x, y = eye_centre(brush, side)
            run = trace(
                "M",
                (x + side * 1.5, y + 5),
                "C",
                (x + side * 2.6, y + 9),
                (x + side * 3.4, y + 11),
                (x + side * 3.0, y + 6 + 15 * tears),
            )
            parts.append(path(run, stroke="#9ad6f6", width=2.4, opacity=0.85))
    return "".join(parts)


def _sweat(brush: Brush, amount: float) -> str:
    """A drop on the temple, over the hair."""
    sweat, parts = min(1.0, amount), []
    if sweat > 0.05:
        x, y, s = CENTRE_X + brush.half_width * 0.86, EYE_LINE - 15.0, 0.55 + 0.65 * sweat
        drop = trace(
            "M", (x, y - 5 * s), "C", (x + 1.4 * s, y - 1.5 * s), (x + 4 * s, y + 0.5 * s), (x + 3.4 * s, y + 3.6 * s)
        )
        drop += trace(
            "C",
            (x + 2.6 * s, y + 6.6 * s),
            (x - 2.6 * s, y + 6.6 * s),
            (x - 3.4 * s, y + 3.6 * s),
            "C",
            (x - 4 * s, y + 0.5 * s),
            (x - 1.4 * s, y - 1.5 * s),
            (x, y - 5 * s),
            "Z",
        )
        parts.append(path(drop, "#8fd0f4", stroke="#3f86b4", width=0.9))
    return "".join(parts)


def draw(
    identity: Identity,
    action_units: Mapping[str, float],
    signs: Mapping[str, float] | None = None,
    *,
    style: str = "portrait",
    pose: Pose | None = None,
    background: int = 0,
) -> str:
    """Draw one person with one expression as an SVG of 128 × 128 units.

    action_units: FACS code → intensity (see rig.rig). signs: 'blush', 'tears', 'sweat' → 0..1.
    style: 'portrait' (soft shading, no outlines) or 'cartoon' (flat colours, outlines).
    background: index into BACKGROUNDS.
    Raises ValueError for an unknown style.
    """
    if style not in STYLES:
        raise ValueError(f"Style {style!r} is not drawn here; choose one of {', '.join(STYLES)}.")
    brush = Brush(identity, rig(action_units, pose), style)
    middle, edge = BACKGROUNDS[background % len(BACKGROUNDS)]
    skin = identity.skin
    definitions = [] if brush.cartoon else [
        fading("room", (64, 52), 92, middle, edge),
        fading("skin", (58, 50), 62, lighter(skin, 0.14), darker(skin, 0.24)),
        falling("hair", 16, 110, *hair_gradient(brush)),
        falling("cloth", 108, 130, lighter(identity.clothes, 0.08), darker(identity.clothes, 0.3)),
    ]  # fmt: skip
    face: list[str] = []
    for side in (-1, 1):
        clip, eye = draw_eye(brush, side)
        definitions.append(clip)
        face.append(eye)
    clip, lips = draw_mouth(brush)
    definitions.append(clip)
    freckles = ""
    if identity.freckles:
        spots = ((-17, 11), (-13, 13), (-19, 15), (-9, 11), (17, 11), (13, 13), (19, 15), (9, 11))
        freckles = "".join(
            ellipse(CENTRE_X + x, EYE_LINE + y, 0.9, 0.8, hexed(darker(skin, 0.35)), 0.7) for x, y in spots
        )
    cheeks = "" if brush.cartoon else "".join(
        ellipse(CENTRE_X + s * 17, EYE_LINE + 15, rx, ry, "#de6058", 0.05)
        for s in (-1, 1)
        for rx, ry in ((9, 6), (7, 4.6), (5, 3.2))
    )  # fmt: skip
    features = "".join(
        (
            cheeks,
            freckles,
            draw_beard(brush),
            draw_brow_lines(brush),
            *face,
            draw_nose(brush),
            lips,
            draw_moustache(brush),
            draw_brow(brush, -1),
            draw_brow(brush, 1),
            draw_glasses(brush),
            _signs(brush, signs or {}),
        )
    )
    head_fill = hexed(skin) if brush.cartoon else "url(#skin)"
    head = (
        brush.moved(-0.4, _ears(brush))
        + path(_head(brush), head_fill, stroke=brush.outline, width=1.5)
        + brush.moved(1.0, features)
        + brush.moved(0.25, hair_front(brush))
        + brush.moved(1.0, _sweat(brush, (signs or {}).get("sweat", 0.0)))
    )
    turn = f'<g transform="rotate({brush.rig.pose.roll:.1f} 64 104)">' if abs(brush.rig.pose.roll) > 0.05 else "<g>"
    nod = brush.shift(0.35)
    backdrop = hexed(middle) if brush.cartoon else "url(#room)"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128"><defs>' + "".join(definitions) + "</defs>"
        f'<rect width="128" height="128" fill="{backdrop}"/>'
        f'<g transform="translate(64 68) scale({FRAMING}) translate(-64 -68)">'
        + turn
        + brush.moved(-0.7, hair_back(brush))
        + "</g>"
        + _body(brush)
        + turn
        + f'<g transform="translate({nod[0]:.1f} {nod[1]:.1f})">{head}</g></g></g></svg>'
    )


def render(svg: str, size: int = 128) -> np.ndarray:
    """Pixels of an SVG: uint8 [size, size, 3], sRGB. Raises ImportError with the remedy where resvg-py is missing."""
    from PIL import Image

    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(
            "Drawing avatars needs the package resvg-py: pip install resvg-py, then start again."
        ) from error

    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB"))
