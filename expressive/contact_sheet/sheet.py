"""Pictures, captions, title and α axis on one page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..conditioning.alphas import read_alphas
from .axis import Axis, axis_height, draw_axis, sweeps
from .grid import Grid, arrange
from .lettering import font, line_height, wrap
from .style import SheetStyle

SMALLEST_TEXT = 11  # pixels


@dataclass(frozen=True)
class Palette:
    paper: str
    text: str
    muted: str
    line: tuple[str, str, str]  # the axis at α = 0, 1, 2


PALETTES = {
    "light": Palette("#fbfaf8", "#22252b", "#6d727c", ("#9aa0ab", "#e4572e", "#a4133c")),
    "dark": Palette("#15171c", "#eef0f4", "#9aa1ad", ("#6d7683", "#ff8552", "#ff4d6d")),
}


def contact_sheet(
    images: Sequence[Tensor],
    labels: Sequence[str] = (),
    *,
    rows: int = 0,
    columns: int = 0,
    title: str = "",
    row_labels: Sequence[str] = (),
    style: SheetStyle | None = None,
) -> Tensor:
    """One page [1, H, W, 3] in [0, 1] with all pictures of `images`.

    images: batches [B, H, W, C] in [0, 1], C = 1 grey, 3 colour, 4 with opacity (laid on the page's colour). Pictures
        of other sizes are fitted into the largest.
    labels: one per picture, or one per column, or none. If all are `α = <number>` and rise or fall along the rows, they
        become an axis. row_labels: one per row, or none. rows, columns: 0 is automatic.
    ValueError if labels or cells do not fit the pictures, or a picture is unusable.
    """
    style = style or SheetStyle()
    if style.background not in PALETTES:
        raise ValueError(f'There is no background "{style.background}". Choose {" or ".join(PALETTES)}.')
    palette = PALETTES[style.background]
    pictures = [_picture(image, palette) for batch in images for image in _checked(batch)]
    if not pictures:
        raise ValueError("There are no pictures to put on the sheet. Connect an image.")
    width, height = max(p.width for p in pictures), max(p.height for p in pictures)
    if style.picture_width:
        width, height = style.picture_width, max(1, round(height * style.picture_width / width))

    per_picture = read_alphas(labels) if len(labels) == len(pictures) else None
    grid = arrange(len(pictures), per_picture, [len(batch) for batch in images], width / height, rows, columns)
    headings: Sequence[str] = ()
    if len(labels) not in (0, len(pictures)):
        if len(labels) != grid.columns:
            raise ValueError(
                f"There are {len(labels)} labels for {len(pictures)} pictures in {grid.columns} column(s). Write one "
                "line for each picture or for each column, or none at all."
            )
        headings, labels = labels, ()
    if len(row_labels) not in (0, grid.rows):
        raise ValueError(
            f"There are {len(row_labels)} row labels, but {grid.rows} row(s). Write one line for each row, or none."
        )
    page = _Page(pictures, labels, headings, row_labels, title.strip(), grid, (width, height), style, palette)
    return torch.from_numpy(np.asarray(page.draw(), dtype=np.float32) / 255)[None]


def _checked(batch: Tensor) -> Tensor:
    if batch.ndim != 4 or batch.shape[-1] not in (1, 3, 4) or 0 in batch.shape:
        raise ValueError(
            f"Pictures must have shape [batch, height, width, 1, 3 or 4 channels], but these have {list(batch.shape)}."
        )
    if not bool(batch.isfinite().all()):
        raise ValueError(
            "A picture holds NaN or infinite numbers. Look at the node that made it; a VAE in float32 helps."
        )
    return batch


def _picture(image: Tensor, palette: Palette) -> Image.Image:
    """An RGB picture from [H, W, C]."""
    pixels = (image.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
    if pixels.shape[2] == 1:
        return Image.fromarray(pixels[..., 0]).convert("RGB")
    if pixels.shape[2] == 3:
        return Image.fromarray(pixels)
    seen_through = Image.fromarray(pixels)
    paper = Image.new("RGBA", seen_through.size, palette.paper)
    return Image.alpha_composite(paper, seen_through).convert("RGB")


@dataclass(frozen=True)
class _Page:
    pictures: Sequence[Image.Image]
    labels: Sequence[str]  # one per picture, or none
    headings: Sequence[str]  # one per column, or none
    row_labels: Sequence[str]
    title: str
    grid: Grid
    cell: tuple[int, int]
    style: SheetStyle
    palette: Palette

    def draw(self) -> Image.Image:
        width, height = self.cell
        size = max(SMALLEST_TEXT, round(width * self.style.caption_size / 100))
        gap = round(width * self.style.gap / 100)
        margin = max(gap, size)
        caption, strong, large = font(size), font(size, strong=True), font(round(size * 1.5), strong=True)
        line, pad = line_height(caption), round(size * 0.5)

        names = [wrap(name, strong, round(width * 0.8)) for name in self.row_labels]
        side = max((round(strong.getlength(text)) for name in names for text in name), default=0)
        left = margin + (side + size if side else 0)
        right = left + self.grid.columns * (width + gap) - gap
        captions = [wrap(label, caption, width) for label in self.labels]
        titles = wrap(self.title, large, right - margin, most=3)
        along = self._axes(left, gap, size)
        headings = [] if along else [wrap(label, strong, width) for label in self.headings]

        # how much room each row's caption or axis takes
        below = [0] * self.grid.rows
        for row in range(self.grid.rows):
            if along:
                below[row] = pad + axis_height(size) if along[row] else 0
                continue
            lines = [len(text) for i, text in enumerate(captions) if self.grid.cell(i)[0] == row]
            below[row] = pad + max(lines) * line + pad // 2 if lines and max(lines) else 0
        top = margin + (len(titles) * line_height(large) + size if titles else 0)
        top += max(map(len, headings)) * line + pad if headings else 0
        tops = [top + row * (height + gap) + sum(below[:row]) for row in range(self.grid.rows)]

        page = Image.new("RGB", (right + margin, tops[-1] + height + below[-1] + margin), self.palette.paper)
        pen = ImageDraw.Draw(page)
        for i, text in enumerate(titles):
            pen.text((margin, margin + i * line_height(large)), text, self.palette.text, large, anchor="la")
        for column, lines in enumerate(headings):
            for i, text in enumerate(reversed(lines)):
                place = (left + column * (width + gap) + width / 2, top - pad - i * line)
                pen.text(place, text, self.palette.text, strong, anchor="md")
        for row, lines in enumerate(names):
            for i, text in enumerate(lines):
                place = (left - size, tops[row] + height / 2 + (i - (len(lines) - 1) / 2) * line)
                pen.text(place, text, self.palette.text, strong, anchor="rm")
        for index, picture in enumerate(self.pictures):
            row, column = self.grid.cell(index)
            x = left + column * (width + gap)
            _paste(page, picture, (x, tops[row]), self.cell, radius=round(width * 0.03) if gap else 0)
            for i, text in enumerate(captions[index] if captions and not along else ()):
                place = (x + width / 2, tops[row] + height + pad + i * line)
                pen.text(place, text, self.palette.muted, caption, anchor="ma")
        for row, axis in enumerate(along):
            if axis:
                draw_axis(
                    page, axis, tops[row] + height + pad, size, self.palette.line, self.palette.text, self.palette.muted
                )
        return page

    def _axes(self, left: int, gap: int, size: int) -> list[Axis | None]:
        """The axis below each row; only the last row has one if all share it. Empty if the labels are no sweep."""
        grid, width = self.grid, self.cell[0]
        alphas = read_alphas(self.labels or self.headings)
        if alphas is None or not self.style.axis or width < 3 * size:  # below that the numbers would touch
            return []
        if self.headings:
            by_row = [alphas] * grid.rows
        else:
            by_row = [[a for i, a in enumerate(alphas) if grid.cell(i)[0] == row] for row in range(grid.rows)]
        if not all(map(sweeps, by_row)):
            return []
        centres = [left + column * (width + gap) + width // 2 for column in range(grid.columns)]
        axes = [
            Axis(row, centres[: len(row)], left, centres[len(row) - 1] + (width + 1) // 2, self.style.target.strip())
            for row in by_row
        ]
        shared = all(row == by_row[0] for row in by_row)
        return [None] * (grid.rows - 1) + axes[-1:] if shared else list(axes)


def _paste(page: Image.Image, picture: Image.Image, place: tuple[int, int], cell: tuple[int, int], radius: int) -> None:
    """Put `picture` into its cell: as it is where it fits exactly, else scaled and centred; with rounded corners."""
    if picture.size != cell:
        scale = min(cell[0] / picture.width, cell[1] / picture.height)
        fitted = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        picture = picture.resize(fitted, Image.Resampling.LANCZOS)
    corner = (place[0] + (cell[0] - picture.width) // 2, place[1] + (cell[1] - picture.height) // 2)
    smooth = 4
    shape = Image.new("L", (picture.width * smooth, picture.height * smooth), 0)
    box = (0, 0, shape.width - 1, shape.height - 1)
    ImageDraw.Draw(shape).rounded_rectangle(box, radius * smooth, fill=255)
    page.paste(picture, corner, shape.resize(picture.size, Image.Resampling.BOX))
