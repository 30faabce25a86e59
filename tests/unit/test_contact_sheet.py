"""Contact sheets: where pictures go, what is written, what is refused; and the node in the real host."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from expressive.conditioning.alphas import read_alphas
from expressive.contact_sheet.grid import Grid, arrange
from expressive.contact_sheet.lettering import font, wrap
from expressive.contact_sheet.sheet import contact_sheet
from expressive.contact_sheet.style import SheetStyle

COLOURS = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=torch.float32)


def plain(count: int, height: int = 48, width: int = 40) -> torch.Tensor:
    """A batch of one-coloured pictures [count, H, W, 3]."""
    return COLOURS[torch.arange(count) % 6][:, None, None].expand(-1, height, width, -1)


def area(sheet: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    """(y, x) of every pixel [n, 2] that has exactly this colour."""
    return (sheet[0] == colour).all(dim=-1).nonzero()


def box(sheet: torch.Tensor, index: int) -> list[int]:
    """[top, left, height, width] of the picture with that colour."""
    places = area(sheet, COLOURS[index])
    low, high = places.min(0).values, places.max(0).values
    return [*low.tolist(), *(high - low + 1).tolist()]


def captions(*alphas: float) -> list[str]:
    return [f"α = {a:g}" for a in alphas]


def test_pictures_keep_size_order_and_colours():
    sheet = contact_sheet([plain(6)], columns=3)
    assert sheet.shape[0] == 1 and sheet.shape[3] == 3 and sheet.dtype == torch.float32
    boxes = [box(sheet, i) for i in range(6)]
    assert all(b[2:] == [48, 40] for b in boxes)
    assert boxes[0][0] == boxes[2][0] < boxes[3][0] and boxes[0][1] == boxes[3][1] < boxes[1][1] < boxes[2][1]


def test_no_gap_shows_every_pixel():
    sheet = contact_sheet([plain(4)], columns=2, style=SheetStyle(gap=0))
    assert [len(area(sheet, COLOURS[i])) for i in range(4)] == [48 * 40] * 4
    assert box(sheet, 1)[1] == box(sheet, 0)[1] + 40


@settings(deadline=None)  # about values, not about how busy the machine is
@given(st.integers(1, 40), st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_every_picture_has_its_own_cell(pictures, rows, columns, sweep):
    if rows and columns and rows * columns < pictures:
        with pytest.raises(ValueError, match="do not fit"):
            arrange(pictures, None, [pictures], 1.0, rows, columns)
        return
    grid = arrange(pictures, [i / 10 for i in range(pictures)] if sweep else None, [pictures], 1.0, rows, columns)
    cells = [grid.cell(i) for i in range(pictures)]
    assert len(set(cells)) == pictures
    assert all(row < grid.rows and column < grid.columns for row, column in cells)
    assert (not rows or grid.rows == rows) and (not columns or grid.columns == columns)


@pytest.mark.parametrize(
    ("alphas", "batches", "grid"),
    [
        ([0, 0.5, 1], [3], Grid(1, 3)),
        ([0, 0.5, 1, 0, 0.5, 1], [6], Grid(2, 3)),
        ([0, 0, 0.5, 0.5, 1, 1], [6], Grid(2, 3, column_major=True)),
        ([i / 10 for i in range(24)], [24], Grid(2, 12)),
        (None, [3, 3, 3, 3], Grid(4, 3)),
        (None, [3, 2], Grid(1, 5)),
        (None, [1], Grid(1, 1)),
    ],
)
def test_automatic_grid(alphas, batches, grid):
    assert arrange(sum(batches), alphas, batches, 1.0) == grid


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (2, 0), (0, 3), (2, 3)])
def test_faces_that_share_a_sweep_stay_rows_when_the_rows_are_given(rows, columns):
    assert arrange(6, [0, 0, 0.5, 0.5, 1, 1], [6], 1.0, rows, columns) == Grid(2, 3, column_major=True)


@pytest.mark.parametrize(
    ("labels", "alphas"),
    [(["α = 0.25", "α=−1", "α = .5"], [0.25, -1, 0.5]), (["α = 1", "happy"], None), (["α = 1, 0"], None), ([], None)],
)
def test_alphas_are_read_from_labels(labels, alphas):
    assert read_alphas(labels) == alphas


def test_axis_is_drawn_for_a_sweep_only():
    bare = contact_sheet([plain(3)])
    axis = contact_sheet([plain(3)], captions(0, 0.5, 1))
    rest = axis[:, box(axis, 0)[0] + 48 :]
    orange = torch.tensor([0xE4, 0x57, 0x2E]) / 255
    assert axis.shape[1] > bare.shape[1]
    ticks = area(rest, orange)
    assert len(ticks) > 0
    centre = box(axis, 2)[1] + 20
    assert abs(ticks[:, 1].float().mean() - centre) < 12, "α = 1 stands under its own picture"
    for labels, style in (
        (captions(0, 1, 0.5), None),
        (["a", "b", "c"], None),
        (captions(0, 0.5, 1), SheetStyle(axis=False)),
    ):
        assert len(area(contact_sheet([plain(3)], labels, style=style), orange)) == 0


def test_falling_sweeps_and_shared_axes():
    falling = contact_sheet([plain(3)], captions(1, 0.5, 0))
    assert falling.shape == contact_sheet([plain(3)], captions(0, 0.5, 1)).shape
    shared = contact_sheet([plain(6)], captions(0, 0.5, 1) * 2)
    own = contact_sheet([plain(6)], captions(0, 0.5, 1, 1.5, 2, 2.5), columns=3)
    assert shared.shape[1] < own.shape[1], "one axis for both rows"


def test_faces_by_alpha_become_rows():
    sheet = contact_sheet([plain(6)], captions(0, 0, 0.5, 0.5, 1, 1))
    assert box(sheet, 0)[0] == box(sheet, 2)[0] == box(sheet, 4)[0] < box(sheet, 1)[0]
    assert box(sheet, 0)[1] == box(sheet, 1)[1] < box(sheet, 2)[1]


@pytest.mark.parametrize("place", ["labels", "headings", "row_labels", "title"])
def test_text_takes_room_and_is_drawn(place):
    bare = contact_sheet([plain(4)], columns=2)
    given_text = {
        "labels": {"labels": ["joy"] * 4},
        "headings": {"labels": ["joy", "fear"]},
        "row_labels": {"row_labels": ["A", "B"]},
        "title": {"title": "Title"},
    }[place]
    sheet = contact_sheet([plain(4)], columns=2, **given_text)
    grown = 2 if place == "row_labels" else 1
    assert sheet.shape[grown] > bare.shape[grown]
    assert len(sheet[0].flatten(0, 1).unique(dim=0)) > len(bare[0].flatten(0, 1).unique(dim=0))


def test_dark_and_light():
    assert contact_sheet([plain(1)])[0, 0, 0].min() > 0.9
    assert contact_sheet([plain(1)], style=SheetStyle(background="dark"))[0, 0, 0].max() < 0.2


def test_channels_and_ranges():
    grey = torch.full((1, 30, 30, 1), 0.4)
    assert (contact_sheet([grey])[0] * 255).round().int().eq(102).all(-1).any()
    clear = torch.cat([torch.ones(1, 30, 30, 3) * torch.tensor([1.0, 0, 0]), torch.zeros(1, 30, 30, 1)], dim=-1)
    sheet = contact_sheet([clear])
    assert (sheet == sheet[0, 0, 0]).all(), "what is fully transparent shows the page"
    assert contact_sheet([torch.full((1, 30, 30, 3), 7.0)]).max() == 1.0


def test_other_sizes_are_fitted_and_centred():
    sheet = contact_sheet([plain(1, 60, 60), plain(2, 20, 60)[1:]], style=SheetStyle(gap=0))
    assert box(sheet, 1) == [box(sheet, 0)[0] + 20, box(sheet, 0)[1] + 60, 20, 60]
    assert box(contact_sheet([plain(1)], style=SheetStyle(picture_width=80, gap=0)), 0)[2:] == [96, 80]


def test_tiny_pictures_with_long_labels():
    sheet = contact_sheet([plain(2, 4, 4)], captions(0, 1), title="A title that is wider than the page")
    assert sheet.isfinite().all()


def test_input_is_left_alone():
    images = torch.rand(3, 20, 20, 3)
    before = images.clone()
    contact_sheet([images], captions(0, 0.5, 1)).zero_()
    assert torch.equal(images, before)


def test_repeats_bit_for_bit():
    args = [plain(3)], captions(0, 0.5, 1)
    assert torch.equal(contact_sheet(*args), contact_sheet(*args))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": []}, "no pictures"),
        ({"images": [torch.rand(3, 20, 20)]}, r"\[3, 20, 20\]"),
        ({"images": [torch.rand(1, 20, 20, 2)]}, r"\[1, 20, 20, 2\]"),
        ({"images": [torch.full((1, 20, 20, 3), torch.nan)]}, "NaN"),
        ({"labels": ["a", "b"]}, "2 labels for 4 pictures"),
        ({"row_labels": ["a", "b", "c"]}, "3 row labels"),
        ({"rows": 1, "columns": 3}, "do not fit into 1 × 3"),
        ({"style": SheetStyle(background="pink")}, "light or dark"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(**({"images": [plain(4)]} | arguments))


def test_fonts_have_every_sign_that_is_drawn():
    def drawn(sign: str, strong: bool) -> bytes:
        canvas = Image.new("L", (60, 60))
        ImageDraw.Draw(canvas).text((5, 5), sign, 255, font(40, strong))
        return canvas.tobytes()

    for strong in (False, True):
        for sign in "α=−.0123456789…→×éß":
            assert drawn(sign, strong) != drawn("\uffff", strong), sign


@settings(deadline=None)  # about values, not about how busy the machine is
@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60), st.integers(30, 300))
def test_wrapped_text_fits(text, width):
    face = font(14)
    lines = wrap(text, face, width)
    assert len(lines) <= 2
    assert all(face.getlength(line) <= width for line in lines)


@pytest.fixture(scope="module")
def node(pack):
    return pack.nodes.contact_sheet.ContactSheet


def run(node, images, **changes):
    """As the host calls it: every input a list, widgets at their defaults."""
    values = {i.id: [i.default] for i in node.GET_SCHEMA().inputs if i.id != "images"}
    return node.execute(images=images, **(values | changes)).result[0]


def test_node_is_listed_with_tooltips(pack, node):
    assert node in pack.nodes.NODES
    schema = node.GET_SCHEMA()
    assert (schema.node_id, schema.category) == ("ContactSheet", "Expressive Avatars/output")
    assert all(item.tooltip for item in [*schema.inputs, *schema.outputs])


def test_node_defaults_and_lists(node):
    assert torch.equal(run(node, [plain(4)]), contact_sheet([plain(4)]))
    rows = run(node, [plain(3), plain(3)], labels=["α = 0\nα = 0.5\nα = 1"] * 2, row_labels=["A\nB\n"])
    expected = contact_sheet([plain(3)] * 2, captions(0, 0.5, 1) * 2, row_labels=["A", "B"])
    assert torch.equal(rows, expected)
