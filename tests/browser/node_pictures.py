"""Make the pictures of the help pages anew, from the real canvas: python -m tests.browser.node_pictures

Each shows a node as it stands in the pocket slider after a run, beside the nodes that show what it gives.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image

from launcher.places import ROOT
from launcher.server import Server
from tests.browser.canvas import Canvas, open_canvas

SCENES: dict[str, list[str]] = {
    "ExpressionPrompt": ["ExpressionPrompt", "prompt", "neutral prompt"],
    "TextLatentInterpolate": ["TextLatentInterpolate", "Save pictures"],
    "ContactSheet": ["ContactSheet", "Save strip"],
    "PocketModels": ["PocketModels"],
    "PocketAvatar": ["PocketAvatar"],
}
"""Which nodes each picture shows, by type or title: the first on the left, the others in a column beside it."""

SIZES = {"prompt": (360, 120), "neutral prompt": (360, 120), "Save pictures": (620, 340), "Save strip": (860, 290)}
MARGIN = 24
TITLE_BAR = 30

ADD_TEXTS = """() => {
  const source = app.graph.nodes.find(n => n.type === 'ExpressionPrompt');
  for (const [output, title] of [[0, 'prompt'], [1, 'neutral prompt']]) {
    const node = LiteGraph.createNode('PreviewAny');
    node.title = title;
    app.graph.add(node);
    source.connect(output, node, 0);
  }
}"""

ARRANGE = """([shown, sizes, bar]) => {
  const named = name => app.graph.nodes.find(n => n.type === name || n.title === name);
  app.graph._groups.length = 0;
  app.canvas.links_render_mode = LiteGraph.HIDDEN_LINK;
  app.graph.nodes.forEach((node, k) => { node.pos = [-9000, 700 * k]; });
  const [first, ...others] = shown.map(named);
  for (const node of others) node.setSize(sizes[node.title]);
  first.pos = [0, bar];
  let y = bar, right = first.size[0], bottom = bar + first.size[1];
  for (const node of others) {
    node.pos = [first.size[0] + 40, y];
    right = Math.max(right, node.pos[0] + node.size[0]);
    bottom = Math.max(bottom, y + node.size[1]);
    y += node.size[1] + bar + 20;
  }
  app.canvas.deselectAll();
  app.canvas.ds.scale = 1;
  app.canvas.ds.offset = [200, 150];
  app.canvas.setDirty(true, true);
  const canvas = app.canvas.canvas.getBoundingClientRect();
  return { x: canvas.left + 200, y: canvas.top + 150, width: right, height: bottom };
}"""


def take(canvas: Canvas, nodes: list[str]) -> Image.Image:
    """A screenshot of these nodes alone, at twice the size."""
    clip = canvas.call(ARRANGE, [nodes, SIZES, TITLE_BAR])
    canvas.page.wait_for_timeout(1500)
    area = {
        "x": clip["x"] - MARGIN,
        "y": clip["y"] - MARGIN,
        "width": clip["width"] + 2 * MARGIN,
        "height": clip["height"] + 2 * MARGIN,
    }
    return Image.open(io.BytesIO(canvas.page.screenshot(clip=area))).convert("RGB")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as state,
        Server(state=Path(state), arguments=["--cpu", "--disable-api-nodes"]) as server,
        open_canvas(server.url, scale=2) as canvas,
    ):
        canvas.load("expression-slider.pocket")
        canvas.call(ADD_TEXTS)
        canvas.run()
        canvas.page.wait_for_function(
            "() => app.graph.nodes.filter(n => n.type === 'SaveImage').every(n => n.imgs?.length)", timeout=600_000
        )
        for name, nodes in SCENES.items():
            take(canvas, nodes).save(ROOT / "web" / "docs" / f"{name}.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
