"""Every workflow on the real canvas, the pocket slider run from it, and the help page of every node."""

import json
import time

import pytest

from launcher.places import ROOT, WORKFLOWS

FILES = sorted(WORKFLOWS.glob("*.json"))
NODES = sorted(file.stem for file in (ROOT / "web" / "docs").glob("*.md"))


def test_the_template_browser_shows_every_workflow_with_its_thumbnail(canvas):
    shown = canvas.show_templates()
    canvas.shot("templates")
    assert sorted(shown) == sorted(file.stem for file in FILES)
    assert all(width >= 256 for width in shown.values())
    assert canvas.problems == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_opens_whole(canvas, file):
    canvas.load(file.stem)
    canvas.shot(file.stem)
    graph = json.loads(file.read_text(encoding="utf-8"))

    assert canvas.page.get_by_test_id("error-overlay").count() == 0  # it tells missing nodes, models, pictures
    assert canvas.page.get_by_role("dialog").count() == 0
    types = canvas.call(
        "() => app.graph.nodes.map(n => [Number(n.id), n.type, n.type in LiteGraph.registered_node_types])"
    )
    assert sorted(types) == sorted([node["id"], node["type"], True] for node in graph["nodes"])

    links = canvas.call(
        "() => [...app.graph.links.values()].map("
        "l => [l.id, Number(l.origin_id), l.origin_slot, Number(l.target_id), l.target_slot, l.type])"
    )
    assert sorted(links) == sorted(graph["links"])
    values = canvas.call(
        "() => JSON.stringify(app.graph.serialize().nodes.map(n => [Number(n.id), n.widgets_values ?? null]))"
    )
    assert {id_: given or [] for id_, given in json.loads(values)} == {
        node["id"]: node.get("widgets_values", []) for node in graph["nodes"]
    }
    assert canvas.problems == []


def test_the_canvas_would_send_what_the_api_file_says(canvas):
    for file in FILES:
        canvas.load(file.stem)
        sent = json.loads(canvas.call("async () => JSON.stringify((await app.graphToPrompt()).output)"))
        written = json.loads((WORKFLOWS / "api" / file.name).read_text(encoding="utf-8"))
        assert {k: (n["class_type"], n["inputs"]) for k, n in sent.items()} == {
            k: (n["class_type"], n["inputs"]) for k, n in written.items()
        }


def test_the_pocket_slider_runs_from_the_canvas(canvas, server):
    canvas.load("expression-slider.pocket")
    before = set(server.client.get("/history"))
    canvas.run()
    deadline = time.monotonic() + 300
    while not (new := set(server.client.get("/history")) - before):
        assert time.monotonic() < deadline, server.log_tail()
        time.sleep(0.5)
    entry = server.client.history(new.pop())
    assert entry is not None and entry["status"]["status_str"] == "success"

    saved = {node: files["images"] for node, files in entry["outputs"].items()}
    graph = json.loads((WORKFLOWS / "expression-slider.pocket.json").read_text(encoding="utf-8"))
    for node in (n for n in graph["nodes"] if n["type"] == "SaveImage"):
        count = len(saved[str(node["id"])])
        assert count == (1 if node["title"] == "Save strip" else 6)
        canvas.page.wait_for_function(
            "([id, count]) => { const shown = app.graph.getNodeById(id).imgs ?? [];"
            " return shown.length === count && shown.every(image => image.naturalWidth > 0) }",
            arg=[node["id"], count],
        )
    canvas.page.wait_for_function(
        "() => app.graph.nodes.find(n => n.type === 'PocketAvatar').imgs?.[0]?.naturalWidth > 0", timeout=20_000
    )
    canvas.page.wait_for_timeout(1000)
    canvas.shot("expression-slider.pocket.after-run")
    assert canvas.page.get_by_test_id("error-overlay").count() == 0
    assert canvas.problems == []


@pytest.mark.parametrize("node", NODES)
def test_the_help_page_of_a_node_has_its_picture(canvas, node):
    canvas.call(
        "type => { app.graph.clear(); const node = LiteGraph.createNode(type); app.graph.add(node);"
        " node.pos = [0, 0]; app.canvas.ds.scale = 1; app.canvas.ds.offset = [300, 300]; app.canvas.selectNode(node) }",
        node,
    )
    canvas.page.get_by_test_id("info-button").click()
    help_page = canvas.page.locator(".node-help-content .markdown-content")
    help_page.wait_for()
    picture = help_page.locator("img").first
    picture.wait_for()
    canvas.page.wait_for_function("image => image.complete", arg=picture.element_handle())
    canvas.shot(f"help.{node}")
    assert picture.evaluate("image => image.naturalWidth") > 0
    assert help_page.locator("h1").first.inner_text().replace(" ", "") == node
    assert canvas.problems == []
