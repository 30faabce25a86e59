"""ContactSheet: every picture of a run on one labelled page."""

from comfy_api.latest import io
from torch import Tensor

from ..expressive.contact_sheet.style import SheetStyle


class ContactSheet(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContactSheet",
            display_name="Contact Sheet",
            category="Expressive Avatars/output",
            description="Puts a batch of pictures on one page, with captions, a title and, for a sweep of α, an axis.",
            search_aliases=[
                "image grid",
                "collage",
                "montage",
                "labelled strip",
                "xy plot",
                "comparison",
                "join images",
            ],
            is_input_list=True,
            inputs=[
                io.Image.Input("images", tooltip="A batch of pictures, or a list of batches: then each becomes a row."),
                io.String.Input(
                    "labels",
                    default="",
                    multiline=True,
                    placeholder="one line per picture",
                    tooltip="One line per picture, or one per column; empty for none. Lines like “α = 0.25”, as Text "
                    "Latent Interpolate gives them, become an axis.",
                ),
                io.String.Input("title", default="", tooltip="The headline; empty for none."),
                io.Int.Input("columns", default=0, min=0, max=256, tooltip="Pictures side by side. 0 chooses."),
                io.Int.Input("rows", default=0, min=0, max=256, tooltip="Rows of pictures. 0 chooses.", advanced=True),
                io.String.Input(
                    "target_name",
                    default="target",
                    tooltip="What the α axis calls the target at α = 1, for example happy.",
                ),
                io.Combo.Input("background", options=["light", "dark"], default="light", tooltip="Colour of the page."),
                io.Int.Input(
                    "picture_width",
                    default=0,
                    min=0,
                    max=4096,
                    tooltip="Width of each picture on the page in pixels; 0 leaves it as it is.",
                ),
                io.String.Input(
                    "row_labels",
                    default="",
                    multiline=True,
                    placeholder="one line per row",
                    tooltip="One line per row, written to its left; empty for none.",
                    advanced=True,
                ),
                io.Boolean.Input(
                    "axis",
                    default=True,
                    tooltip="Draw an axis where the labels are a rising or falling list of α, instead of captions.",
                    advanced=True,
                ),
                io.Float.Input(
                    "gap",
                    default=SheetStyle.gap,
                    min=0.0,
                    max=100.0,
                    step=0.5,
                    tooltip="Space between pictures, in percent of a picture's width.",
                    advanced=True,
                ),
                io.Float.Input(
                    "caption_size",
                    default=SheetStyle.caption_size,
                    min=1.0,
                    max=50.0,
                    step=0.5,
                    tooltip="Size of the letters, in percent of a picture's width; never below 11 pixels.",
                    advanced=True,
                ),
            ],
            outputs=[io.Image.Output("sheet", tooltip="The page, one picture.")],
        )

    @classmethod
    def execute(
        cls,
        images: list[Tensor],
        labels: list[str],
        title: list[str],
        columns: list[int],
        rows: list[int],
        target_name: list[str],
        background: list[str],
        picture_width: list[int],
        row_labels: list[str],
        axis: list[bool],
        gap: list[float],
        caption_size: list[float],
    ) -> io.NodeOutput:
        from ..expressive.contact_sheet.sheet import contact_sheet

        style = SheetStyle(background[0], picture_width[0], gap[0], caption_size[0], axis[0], target_name[0])
        return io.NodeOutput(
            contact_sheet(
                images,
                _lines(labels),
                rows=rows[0],
                columns=columns[0],
                title=title[0],
                row_labels=_lines(row_labels),
                style=style,
            )
        )


def _lines(texts: list[str]) -> list[str]:
    """The lines of all texts; an empty line in between is an empty label; the end of the last line starts none."""
    return [line for text in texts if text for line in text.removesuffix("\n").split("\n")]
