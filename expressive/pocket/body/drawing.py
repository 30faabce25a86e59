"""The upper body as SVG: neck, torso with clothes, arms and hands; and its silhouettes."""

from __future__ import annotations

from dataclasses import dataclass

from ..faces.brush import Brush
from ..faces.identity import Colour
from ..faces.svg import arc, darker, fading, hexed, lighter, path, trace
from .body import Body
from .clothes import LOW, SEAM, clothes, half_widths, neck_outline, torso_outline
from .hand_shapes import Piece, hand_pieces
from .shapes import Circle, Tube, disc, tube
from .skeleton import MIDDLE, ArmJoints, Build, build, joints, leaning
from .space import between

BREADTH = {"portrait": 1.0, "cartoon": 1.06, "anime": 0.95, "clay": 1.14}
"""How thick fingers are in each style."""


@dataclass(frozen=True)
class BodyDrawing:
    """definitions: what belongs into <defs>. torso: behind the head. hands: before torso and head. All SVG."""

    definitions: str
    torso: str
    hands: str


def draw_body(brush: Brush, body: Body, bottom: float = LOW) -> BodyDrawing:
    """The upper body, in the same units as the head. Colours, outlines and shading are the brush's.

    bottom: the frame's lower edge; what lies below it may be left out.
    """
    short = bottom < SEAM
    skeleton = joints(brush, body)
    definitions = [_cloth_gradient(brush)] if brush.shaded else []
    torso = [_neck(brush), _trunk(brush, body)]
    hands: list[str] = []
    for side, arm in (("right", skeleton.right), ("left", skeleton.left)):
        if short and not arm.raised:
            continue
        if brush.shaded:
            definitions.append(_skin_gradient(brush, arm, side))
        (hands if arm.raised else torso).append(_arm(brush, arm, side))
    return BodyDrawing("".join(definitions), "".join(torso), "".join(hands))


def silhouettes(brush: Brush, body: Body) -> list[tuple[str, str]]:
    """(region, path data) from back to front; regions: neck, torso, left_arm, right_arm, left_hand, right_hand.

    Each path is to be filled by the nonzero rule. Head and hair lie between the parts that hang and those that are
    raised (ArmJoints.raised).
    """
    skeleton = joints(brush, body)
    sides = sorted((("right", skeleton.right), ("left", skeleton.left)), key=lambda item: item[1].raised)
    regions = [("neck", neck_outline(brush)), ("torso", torso_outline(brush, body))]
    for side, arm in sides:
        upper, fore = _arm_tubes(brush, arm, 0.0)
        regions.append((f"{side}_arm", upper.closed() + fore.closed()))
        pieces = _pieces(brush, arm)
        regions.append((f"{side}_hand", "".join(piece.fill for piece in pieces)))
    return regions


def _cloth_gradient(brush: Brush) -> str:
    """Down to the shoulders the light falls off quickly (the head's shade), then slowly."""
    colour = brush.who.clothes
    first, low = lighter(colour, 0.08), darker(colour, 0.3)
    stops = ((0.0, first), (22.0 / 160, low), (50.0 / 160, darker(colour, 0.2)), (1.0, darker(colour, 0.36)))
    return (
        '<linearGradient id="body-cloth" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="108" y2="268">'
        + "".join(f'<stop offset="{at:.3f}" stop-color="{hexed(tone)}"/>' for at, tone in stops)
        + "</linearGradient>"
    )


def _skin_gradient(brush: Brush, arm: ArmJoints, side: str) -> str:
    x, y, _ = arm.hand[9]
    size = build(brush.who).hand
    skin = brush.who.skin
    return fading(f"body-{side}", (x - 0.2 * size, y - 0.3 * size), size, lighter(skin, 0.12), darker(skin, 0.2))


def _cloth(brush: Brush) -> str:
    return "url(#body-cloth)" if brush.shaded else hexed(brush.who.clothes)


def _soft(brush: Brush, colour: Colour) -> str:
    """The stroke between parts of one colour: the outline, or a darker shade where the style has none."""
    return brush.outline or hexed(darker(colour, 0.42))


def _neck(brush: Brush) -> str:
    who, x = brush.who, MIDDLE
    neck = half_widths(who)[1]
    shade = path(
        arc((x - neck, 97), (x, 107), (x + neck, 97)), stroke=hexed(darker(who.skin, 0.36)), width=5.0, opacity=0.5
    )
    skin = hexed(darker(who.skin, 0.16))
    return path(neck_outline(brush), skin, stroke=brush.outline, width=brush.outline_width) + shade


def _trunk(brush: Brush, body: Body) -> str:
    who = brush.who
    parts = [path(torso_outline(brush, body), _cloth(brush), stroke=brush.outline, width=brush.outline_width)]
    if who.neckline == "collar":
        neck = half_widths(who)[1]
        for side in (-1, 1):
            corners = ((side * (neck + 3), 110.0), (side * 3.0, 119.0), (side * 15.0, 122.0))
            a, b, c = (leaning((MIDDLE + dx, y), body) for dx, y in corners)
            tip = trace("M", a, "L", b, c, "Z")
            parts.append(path(tip, hexed(lighter(who.clothes, 0.35)), stroke=brush.outline, width=1.0))
    return "".join(parts)


def _arm_tubes(brush: Brush, arm: ArmJoints, sleeve: float) -> tuple[Tube, Tube]:
    """Upper arm and forearm; sleeve: how far cloth stands off."""
    thick = build(brush.who).thick
    s, e, w = arm.shoulder, arm.elbow, arm.wrist
    upper: list[Circle] = [
        (s[0], s[1], thick[0] + sleeve),
        (*between(s, e, 0.5)[:2], 0.55 * thick[0] + 0.45 * thick[1] + sleeve),
        (e[0], e[1], thick[1] + sleeve),
    ]
    fore: list[Circle] = [
        (e[0], e[1], thick[1] + sleeve),
        (*between(e, w, 0.35)[:2], thick[1] * 0.98 + sleeve),
        (w[0], w[1], thick[2] + sleeve),
    ]
    return tube(upper), tube(fore)


def _pieces(brush: Brush, arm: ArmJoints) -> list[Piece]:
    slender = 1.0 if brush.who.gender == "man" else 0.92
    return hand_pieces(arm, build(brush.who).hand, BREADTH[brush.style] * slender)


def _arm(brush: Brush, arm: ArmJoints, side: str) -> str:
    who = brush.who
    skin = f"url(#body-{side})" if brush.shaded else hexed(who.skin)
    line = _soft(brush, who.skin)
    width = brush.outline_width * (1.0 if brush.outline else 0.6)
    cloth_line = _soft(brush, who.clothes)
    wear = clothes(who)
    upper, fore = _arm_tubes(brush, arm, 0.0)
    parts = [
        path(upper.fill(), skin),
        path(upper.line(2, 2), stroke=line, width=width),
        path(fore.fill(), skin),
        path(fore.line(), stroke=line, width=width),
    ]
    s_upper, s_fore = _arm_tubes(brush, arm, 1.8)
    parts += [
        path(s_upper.fill(), _cloth(brush)),
        path(s_upper.line(1, 2), stroke=cloth_line, width=width),
    ]
    if wear.sleeves == "long":
        parts += [path(s_fore.fill(), _cloth(brush)), path(s_fore.line(), stroke=cloth_line, width=width)]
    parts.append(_hand(brush, arm, skin, line, width))
    return "".join(parts)


def _hand(brush: Brush, arm: ArmJoints, skin: str, line: str, width: float) -> str:
    who = brush.who
    parts: list[str] = []
    thin = 0.55 * width
    crease = hexed(darker(who.skin, 0.42))
    nail = hexed((206, 60, 80) if who.lipstick else lighter(who.skin, 0.35))
    for piece in _pieces(brush, arm):
        parts.append(path(piece.fill, skin))
        if brush.cel and piece.shade:
            parts.append(path(piece.shade, hexed(darker(who.skin, 0.16))))
        elif brush.shaded and piece.shade:
            parts.append(path(piece.shade, hexed(darker(who.skin, 0.4)), opacity=0.16))
        parts.append(path(piece.line, stroke=line, width=width))
        parts += [path(d, stroke=crease, width=thin, opacity=0.6 * k) for d, k in piece.creases if k > 0.05]
        if piece.nail:
            parts.append(path(piece.nail, nail, stroke=crease, width=0.6 * thin))
    return "".join(parts)
