"""The drawn upper body: the same for the same person, whole silhouettes, a portrait's bust as it has always been."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from expressive.pocket.body import GESTURES, Arm, Body, draw_body, silhouettes
from expressive.pocket.body.clothes import CUTS, clothes, torso_outline
from expressive.pocket.faces import GENDERS, STYLES, Identity, Pose, render
from expressive.pocket.faces.brush import Brush
from expressive.pocket.faces.rig import rig
from expressive.pocket.faces.svg import trace

ROOT = Path(__file__).parents[3]
PORTRAIT = (7.36, 7.82, 113.27)
UPPER_BODY = (-74.0, -12.0, 276.0)


def brush(seed: int, style: str = "cartoon") -> Brush:
    return Brush(Identity.sample(seed), rig({}, Pose()), style)


def pixels(content: str, frame: tuple[float, float, float], size: int = 128, definitions: str = "") -> np.ndarray:
    left, top, side = frame
    box = f'viewBox="{left} {top} {side} {side}"'
    ground = f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="#ffffff"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {box}><defs>{definitions}</defs>{ground}{content}</svg>'
    return render(svg, size).astype(int)


@pytest.mark.parametrize("style", STYLES)
def test_every_gesture_is_drawn_as_sound_svg_in_every_style(style: str) -> None:
    for k, gesture in enumerate(GESTURES):
        drawing = draw_body(brush(1_000_000 + k, style), Body().gesturing(gesture, "both"))
        for part in (drawing.definitions, drawing.torso, drawing.hands):
            tree = ElementTree.fromstring(f"<g>{part}</g>")
            assert "nan" not in part and tree is not None
        assert bool(drawing.hands) == (gesture != "relaxed")
        for reference in set(drawing.torso.split("url(#")[1:] + drawing.hands.split("url(#")[1:]):
            assert f'id="{reference.split(")")[0]}"' in drawing.definitions


def test_the_same_body_is_drawn_the_same_in_another_process() -> None:
    code = (
        "import hashlib; from expressive.pocket.body import Body, draw_body;"
        "from expressive.pocket.faces import Identity, Pose; from expressive.pocket.faces.brush import Brush;"
        "from expressive.pocket.faces.rig import rig;"
        "drawing = draw_body(Brush(Identity.sample(7), rig({}, Pose()), 'clay'), Body().gesturing('rock'));"
        "print(hashlib.sha256(repr(drawing).encode()).hexdigest())"
    )
    runs = {
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(runs) == 1


@pytest.mark.parametrize("seed", [1_000_000, 1_000_001, 1_000_002, 1_000_003])
def test_a_portrait_shows_the_bust_that_it_has_always_shown(seed: int) -> None:
    painter = brush(seed)
    x, man = 64.0, painter.who.gender == "man"
    broad, neck = (46.0, 12.5) if man else (40.0, 10.0)
    dip = {"round": 120.0, "v": 127.0, "collar": 117.0}[painter.who.neckline]
    old = trace("M", (x - broad - 6, 132), "C", (x - broad, 116), (x - neck - 12, 115), (x - neck - 3, 111))
    old += trace("Q", (x, 2 * dip - 111), (x + neck + 3, 111), "C", (x + neck + 12, 115), (x + broad, 116))
    old += trace((x + broad + 6, 132), "Z")
    fill = '" fill="#204060"/>'
    before, now = (pixels(f'<path d="{d}{fill}', PORTRAIT) for d in (old, torso_outline(painter, Body())))
    assert np.abs(before - now).mean() < 0.05 and (np.abs(before - now) > 90).sum() == 0


def test_a_portrait_leaves_out_what_it_does_not_show() -> None:
    for style in STYLES:
        painter = brush(1_000_004, style)
        short, whole = draw_body(painter, Body(), bottom=121.1), draw_body(painter, Body())
        assert len(short.torso) < 0.35 * len(whole.torso) and not short.hands
        seen = [pixels(drawing.torso, PORTRAIT, definitions=drawing.definitions) for drawing in (short, whole)]
        assert np.abs(seen[0] - seen[1]).max() <= 3


@pytest.mark.parametrize("gesture", ["relaxed", "ok", "like", "mute"])
def test_silhouettes_cover_what_is_drawn(gesture: str) -> None:
    for seed in (1_000_000, 1_000_001, 1_000_005):
        painter = brush(seed, "portrait")
        body = Body().gesturing(gesture)
        drawing, regions = draw_body(painter, body), silhouettes(painter, body)
        assert {name for name, _ in regions} == {
            "neck", "torso", "left_arm", "right_arm", "left_hand", "right_hand",
        }  # fmt: skip
        drawn = pixels(drawing.torso + drawing.hands, UPPER_BODY, definitions=drawing.definitions)
        flat = pixels("".join(f'<path d="{d}" fill="#000000"/>' for _, d in regions), UPPER_BODY)
        differs = (drawn.min(axis=-1) < 250) != (flat.min(axis=-1) < 250)
        assert differs.mean() < 0.012


def test_left_and_right_are_drawn_alike() -> None:
    painter = brush(1_000_002)
    left, right = (draw_body(painter, Body().gesturing("peace", hand)) for hand in ("left", "right"))
    one, other = (pixels(d.hands, (-36.0, 20.0, 200.0), 200, d.definitions) for d in (left, right))
    assert np.abs(one[:, ::-1] - other).mean() < 0.6


def test_clothes_are_a_persons_own_and_all_kinds_occur() -> None:
    people = [Identity.sample(seed) for seed in range(1_000_000, 1_000_200)]
    worn = [clothes(who) for who in people]
    assert worn == [clothes(who) for who in people]
    assert {item.cut for item in worn} == set(CUTS) and {item.sleeves for item in worn} == {"long", "short"}
    widths = {g: torso_outline(brush(next(p.seed for p in people if p.gender == g)), Body()) for g in GENDERS}
    assert widths["man"] != widths["woman"]


def test_sway_and_breath_move_shoulders_and_clothes() -> None:
    painter = brush(1_000_006)
    still, moved = (draw_body(painter, Body(sway=s, breath=b, right=Arm())) for s, b in ((0.0, 0.0), (5.0, 1.0)))
    assert still.torso != moved.torso
