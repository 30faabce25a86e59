"""The upper body as SVG: neck, torso with clothes, arms and hands; and its silhouettes."""

from __future__ import annotations

from dataclasses import dataclass

from ..faces.brush import Brush
from ..faces.identity import Colour, blend
from ..faces.svg import arc, darker, hexed, lighter, path, trace
from .arm_shapes import Limb, Stretch, limb
from .body import Body
from .clothes import HEMS, LOW, SEAM, SLEEVE, clothes, half_widths, neck_outline, torso_outline
from .garments import draw_garment
from .hand_shapes import Piece, hand_pieces
from .skeleton import MIDDLE, ArmJoints, build, joints, leaning
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

    bottom: the frame's lower edge; what lies below it is left out.
    """
    clip, trunk = _trunk(brush, body, bottom)
    definitions = [clip, _cloth_gradient(brush) if brush.shaded else ""]
    torso = [_neck(brush), trunk]
    hands: list[str] = []
    skeleton = joints(brush, body)
    for side, arm in (("right", skeleton.right), ("left", skeleton.left)):
        if _top(brush, arm) > bottom:
            continue
        if brush.shaded:
            definitions.append(_skin_gradient(brush, arm, side))
        if arm.raised and brush.shaded and bottom > SEAM:
            hands.append(_shadow(brush, arm))
        (hands if arm.raised else torso).append(_arm(brush, arm, side, bottom))
    return BodyDrawing("".join(definitions), "".join(torso), "".join(hands))


def _top(brush: Brush, arm: ArmJoints) -> float:
    """The smallest y that an arm reaches."""
    measures = build(brush.who)
    ends = (arm.shoulder[1] - measures.thick[0], arm.elbow[1] - measures.thick[1], min(p[1] for p in arm.hand))
    return min(ends) - 3.0


def silhouettes(brush: Brush, body: Body) -> list[tuple[str, str]]:
    """(region, path data) from back to front; regions: neck, torso, left_arm, right_arm, left_hand, right_hand.

    Each path is to be filled by the nonzero rule. Head and hair lie between the parts that hang and those that are
    raised (ArmJoints.raised).
    """
    skeleton = joints(brush, body)
    sides = sorted((("right", skeleton.right), ("left", skeleton.left)), key=lambda item: item[1].raised)
    regions = [("neck", neck_outline(brush)), ("torso", torso_outline(brush, body))]
    for side, arm in sides:
        bare, sleeve = _limbs(brush, arm)
        regions.append((f"{side}_arm", bare.fill + sleeve.fill))
        regions.append((f"{side}_hand", "".join(piece.fill for piece in _pieces(brush, arm))))
    return regions


def _cloth_gradient(brush: Brush) -> str:
    """Down to the shoulders the light falls off quickly (the head's shade), then slowly."""
    colour = brush.who.clothes
    first = lighter(colour, 0.08)
    seam = blend(first, darker(colour, 0.3), (SEAM - 108) / 22)
    stops = ((0.0, first), ((SEAM - 108) / 192, seam), (1.0, darker(colour, 0.4)))
    return (
        '<linearGradient id="body-cloth" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="108" y2="300">'
        + "".join(f'<stop offset="{at:.3f}" stop-color="{hexed(tone)}"/>' for at, tone in stops)
        + "</linearGradient>"
    )


def _skin_gradient(brush: Brush, arm: ArmJoints, side: str) -> str:
    """From the hand's middle, where dark skin is lighter within the palm, up the forearm."""
    size, skin = build(brush.who).hand, brush.who.skin
    palm = max(0.0, arm.palm[2]) * (0.34 if sum(skin) < 330 else 0.12)
    tones = (
        blend(lighter(skin, 0.12 if sum(skin) > 330 else 0.2), (236, 178, 150), palm),
        blend(skin, (226, 160, 134), 0.5 * palm),
    )
    x, y, _ = between(arm.hand[0], arm.hand[9], 0.8)
    return (
        f'<radialGradient id="body-{side}" gradientUnits="userSpaceOnUse" cx="{x - 0.15 * size:.1f}" '
        f'cy="{y - 0.15 * size:.1f}" r="{1.5 * size:.1f}"><stop offset="0" stop-color="{hexed(tones[0])}"/>'
        f'<stop offset="0.5" stop-color="{hexed(tones[1])}"/>'
        f'<stop offset="1" stop-color="{hexed(darker(skin, 0.16))}"/></radialGradient>'
    )


def _cloth(brush: Brush) -> str:
    return "url(#body-cloth)" if brush.shaded else hexed(brush.who.clothes)


def _neck(brush: Brush) -> str:
    who, x = brush.who, MIDDLE
    neck = half_widths(who)[1]
    shade = path(
        arc((x - neck, 97), (x, 107), (x + neck, 97)), stroke=hexed(darker(who.skin, 0.36)), width=5.0, opacity=0.5
    )
    skin = hexed(darker(who.skin, 0.16))
    return path(neck_outline(brush), skin, stroke=brush.outline, width=brush.outline_width) + shade


def _trunk(brush: Brush, body: Body, bottom: float) -> tuple[str, str]:
    """Definitions and SVG of the torso with what it wears."""
    who, outline, definitions = brush.who, torso_outline(brush, body), ""
    if bottom > SEAM:
        definitions = f'<clipPath id="body-torso"><path d="{outline}"/></clipPath>'
        parts = [path(outline, _cloth(brush)), f'<g clip-path="url(#body-torso)">{draw_garment(brush, body)}</g>']
        if brush.outline:
            parts.append(path(outline, stroke=brush.outline, width=brush.outline_width))
    else:
        parts = [path(outline, _cloth(brush), stroke=brush.outline, width=brush.outline_width)]
    if who.neckline == "collar":
        neck = half_widths(who)[1]
        for side in (-1, 1):
            corners = ((side * (neck + 3), 110.0), (side * 3.0, 119.0), (side * 15.0, 122.0))
            a, b, c = (leaning((MIDDLE + dx, y), body) for dx, y in corners)
            tip = trace("M", a, "L", b, c, "Z")
            parts.append(path(tip, hexed(lighter(who.clothes, 0.35)), stroke=brush.outline, width=1.0))
    return definitions, "".join(parts)


def _pieces(brush: Brush, arm: ArmJoints) -> list[Piece]:
    measures = build(brush.who)
    slender = 1.0 if brush.who.gender == "man" else 0.93
    return hand_pieces(arm, measures.hand, measures.thick[2], BREADTH[brush.style] * slender)


def _limbs(brush: Brush, arm: ArmJoints) -> tuple[Limb, Limb]:
    """The bare part of an arm, and the sleeve over it."""
    measures, sleeves = build(brush.who), clothes(brush.who).sleeves
    hem = HEMS[sleeves]
    flare = 1.6 if sleeves == "short" else 0.0
    return (
        limb(measures, arm, hem - 0.25, 2.0),
        limb(measures, arm, 0.0, hem, SLEEVE, flare, outlined=bool(brush.outline)),
    )


def _arm(brush: Brush, arm: ArmJoints, side: str, bottom: float) -> str:
    who = brush.who
    skin = f"url(#body-{side})" if brush.shaded else hexed(who.skin)
    bare, sleeve = _limbs(brush, arm)
    width = brush.outline_width * (1.0 if brush.outline else 0.6)

    def drawn(stretch: Stretch, paint: str, colour: Colour) -> str:
        line = brush.outline or hexed(darker(colour, 0.36))
        return "".join(
            (
                path(stretch.fill, paint),
                *(_shading(brush, colour, stretch.shade) if stretch.shade else ()),
                path(stretch.line, stroke=line, width=width),
            )
        )

    parts = [drawn(bare.stretches[0], skin, who.skin)]
    parts += [drawn(stretch, _cloth(brush), who.clothes) for stretch in sleeve.stretches]
    parts.append(path(sleeve.hem, stroke=brush.outline or hexed(darker(who.clothes, 0.36)), width=width))
    parts += [drawn(stretch, skin, who.skin) for stretch in bare.stretches[1:]]  # folded before a short sleeve
    if min(point[1] for point in arm.hand) - 4.0 < bottom:
        parts.append(_hand(brush, arm, skin, width))
    return "".join(parts)


def _shadow(brush: Brush, arm: ArmJoints) -> str:
    """What a raised arm casts on the torso."""
    tone = hexed(darker(brush.who.clothes, 0.8))
    shapes = (*_limbs(brush, arm)[1].stretches, *_limbs(brush, arm)[0].stretches)
    cast = "".join(path(stretch.fill, tone) for stretch in shapes)
    return f'<g clip-path="url(#body-torso)"><g transform="translate(2.5 4)" opacity="0.22">{cast}</g></g>'


def _shading(brush: Brush, colour: Colour, shade: str) -> list[str]:
    """The shaded side of a part: soft, hard or none, as the style is."""
    if brush.cel:
        return [path(shade, hexed(darker(colour, 0.16)))]
    return [path(shade, hexed(darker(colour, 0.6)), opacity=0.13)] if brush.shaded else []


def _hand(brush: Brush, arm: ArmJoints, skin: str, width: float) -> str:
    who = brush.who
    line = brush.outline or hexed(darker(who.skin, 0.42 if sum(who.skin) > 330 else 0.62))
    crease, thin = hexed(darker(who.skin, 0.42)), 0.55 * width
    nail = hexed((206, 60, 80) if who.lipstick else lighter(who.skin, 0.35))
    parts: list[str] = []
    for piece in _pieces(brush, arm):
        parts.append(path(piece.fill, skin))
        if piece.shade:
            parts += _shading(brush, who.skin, piece.shade)
        if piece.line:
            parts.append(path(piece.line, stroke=line, width=width))
        parts += [path(d, stroke=crease, width=thin, opacity=0.6 * k) for d, k in piece.creases if k > 0.05]
        if piece.nail:
            parts.append(path(piece.nail, nail, stroke=crease, width=0.6 * thin))
    return "".join(parts)
