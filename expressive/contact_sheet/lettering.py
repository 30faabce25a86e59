"""Text on a sheet, in fonts that come along, so that α looks the same everywhere."""

from pathlib import Path

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

FONTS = Path(__file__).parent / "fonts"


def font(size: int, strong: bool = False) -> FreeTypeFont:
    """Inter at `size` pixels; semi-bold if strong."""
    name = "Inter-SemiBold.ttf" if strong else "Inter-Regular.ttf"
    # the basic layout engine is in every Pillow; the other one would place glyphs differently
    return ImageFont.truetype(str(FONTS / name), size, layout_engine=ImageFont.Layout.BASIC)


def line_height(face: FreeTypeFont) -> int:
    """Distance of two lines of text, in pixels."""
    return round(face.size * 1.3)


def wrap(text: str, face: FreeTypeFont, width: int, most: int = 2) -> list[str]:
    """`text` in at most `most` lines that are at most `width` pixels wide, broken at spaces; the rest becomes `…`."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and face.getlength(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [_shorten(line, face, width) for line in lines]


def _shorten(line: str, face: FreeTypeFont, width: int) -> str:
    if face.getlength(line) <= width:
        return line
    while line and face.getlength(line + "…") > width:
        line = line[:-1]
    return line.rstrip() + "…"
