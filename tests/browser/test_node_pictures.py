"""The pictures of the help pages: each node as it stands in the pocket slider after a run, and what it gives.

With EXPRESSIVE_AVATARS_FREEZE=1 they go into web/docs; look at them in tests/browser/shots first.
"""

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from launcher.places import ROOT

SHOTS = Path(__file__).with_name("shots")

NODES = sorted(page.stem for page in (ROOT / "web" / "docs").glob("*.md"))
SCENES = {node: [node] for node in NODES} | {
    "ExpressionPrompt": ["ExpressionPrompt", "prompt", "neutral prompt"],
    "TextLatentInterpolate": ["TextLatentInterpolate", "Save pictures"],
    "ContactSheet": ["ContactSheet", "Save strip"],
    "ControlCurve": ["ControlCurve", "curve"],
}
"""Which nodes each picture shows, by type or title: the first on the left, the others in a column beside it."""

SIZES = {
    "TextLatentInterpolate": (290, 230),
    "PocketAvatar": (480, 330),
    "ExpressionScore": (420, 230),
    "Emo135Reference": (420, 620),
    "IdentityExpressionEncode": (320, 110),
    "EmotionFromText": (420, 260),
    "AssistantReply": (440, 420),
    "PocketVoice": (420, 470),
    "DiaTTS": (420, 480),
    "HolisticLandmarks": (420, 290),
    "MarigoldDepth": (420, 300),
    "SaveVoice": (400, 220),
    "curve": (380, 420),
    "prompt": (360, 150),
    "neutral prompt": (360, 150),
    "Save pictures": (540, 330),
    "Save strip": (860, 270),
}
MARGIN = 24
BADGE = 24
TITLE_BAR = 30

ADD = """() => {
  const source = app.graph.nodes.find(n => n.type === 'ExpressionPrompt');
  for (const [output, title] of [[0, 'prompt'], [1, 'neutral prompt']]) {
    const node = LiteGraph.createNode('PreviewAny');
    node.title = title;
    app.graph.add(node);
    source.connect(output, node, 0);
  }
  const score = LiteGraph.createNode('ExpressionScore'), plot = LiteGraph.createNode('ControlCurve');
  const curve = LiteGraph.createNode('PreviewImage');
  const slider = app.graph.nodes.find(n => n.type === 'TextLatentInterpolate');
  curve.title = 'curve';
  for (const node of [score, plot, curve]) app.graph.add(node);
  app.graph.nodes.find(n => n.type === 'VAEDecode').connect(0, score, 0);
  app.graph.nodes.find(n => n.type === 'PocketAvatar').connect(0, score, 1);
  score.connect(0, plot, 0);
  slider.connect(2, plot, 1);
  plot.connect(0, curve, 0);
  const people = LiteGraph.createNode('PocketAvatar'), preview = LiteGraph.createNode('PreviewImage');
  app.graph.add(people);
  app.graph.add(preview);
  people.connect(0, preview, 0);
  const references = LiteGraph.createNode('Emo135Reference'), shown = LiteGraph.createNode('PreviewImage');
  app.graph.add(references);
  app.graph.add(shown);
  references.connect(0, shown, 0);
  for (const [name, value] of Object.entries({ seed: 3, control_after_generate: 'fixed', size: 256 }))
    references.widgets.find(w => w.name === name).value = value;
  for (const [name, value] of Object.entries({ seed: 1000010, control_after_generate: 'fixed', count: 3 }))
    people.widgets.find(w => w.name === name).value = value;
}"""

STAND = """types => {
  for (const type of types)
    if (!app.graph.nodes.some(n => n.type === type)) app.graph.add(LiteGraph.createNode(type));
}"""  # after the run, in which they would have nothing to work on

ARRANGE = """([shown, sizes, bar]) => {
  const named = name => app.graph.nodes.findLast(n => n.type === name || n.title === name);
  app.graph._groups.length = 0;
  app.canvas.links_render_mode = LiteGraph.HIDDEN_LINK;
  app.graph.nodes.forEach((node, k) => { node.pos = [-9000, 700 * k]; });
  const [first, ...others] = shown.map(named);
  shown.forEach(name => sizes[name] && named(name).setSize(sizes[name]));
  first.pos = [0, bar];
  let y = bar, right = first.size[0], bottom = bar + first.size[1];
  for (const node of others) {
    node.pos = [first.size[0] + 40, y];
    right = Math.max(right, node.pos[0] + node.size[0]);
    bottom = Math.max(bottom, y + node.size[1]);
    y += node.size[1] + bar + 20;
  }
  app.canvas.deselectAll();
  app.canvas.ds.scale = 2;
  app.canvas.ds.offset = [100, 80];
  app.canvas.setDirty(true, true);
  const canvas = app.canvas.canvas.getBoundingClientRect();
  return { x: canvas.left + 200, y: canvas.top + 160, width: 2 * right, height: 2 * bottom };
}"""


@pytest.fixture(scope="module")
def slider(opened):
    """The canvas with the pocket slider and a few more nodes, after a run."""
    opened.close_panel()
    usual = opened.page.viewport_size
    opened.page.set_viewport_size({"width": 2600, "height": 1400})
    opened.load("expression-slider.pocket")
    opened.call(ADD)
    opened.run()
    opened.page.wait_for_function(
        "() => app.graph.nodes.filter(n => n.type === 'SaveImage').every(n => n.imgs?.length)"
        " && app.graph.nodes.findLast(n => n.type === 'PocketAvatar').imgs?.length",
        timeout=300_000,
    )
    opened.call(STAND, NODES)
    yield opened
    opened.page.set_viewport_size(usual)


@pytest.mark.parametrize("node", SCENES)
def test_the_picture_of_a_node_can_be_taken(slider, node):
    area = slider.call(ARRANGE, [SCENES[node], SIZES, TITLE_BAR])
    slider.page.wait_for_timeout(1500)  # text boxes and pictures follow their nodes in the frames after
    clip = {
        "x": area["x"] - MARGIN,
        "y": area["y"] - MARGIN - BADGE,
        "width": area["width"] + 2 * MARGIN,
        "height": area["height"] + 2 * MARGIN + BADGE,
    }
    picture = Image.open(io.BytesIO(slider.page.screenshot(clip=clip))).convert("RGB")
    SHOTS.mkdir(exist_ok=True)
    picture.save(SHOTS / f"node.{node}.jpg", quality=80, optimize=True)
    assert picture.width > 500
    assert np.asarray(picture).std() > 10
    if os.environ.get("EXPRESSIVE_AVATARS_FREEZE"):
        shutil.copy(SHOTS / f"node.{node}.jpg", ROOT / "web" / "docs" / f"{node}.jpg")
