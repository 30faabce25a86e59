"""The workflow files: laid out to be read from left to right, complete in themselves, the same graph in both sizes."""

import json
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from PIL import Image

from launcher.places import WORKFLOWS

FILES = sorted(file for file in WORKFLOWS.glob("*.json"))
PAIRS = [
    (file, file.with_name(f"{file.stem.removesuffix('.pocket')}.json")) for file in FILES if ".pocket" in file.name
]

TITLE_BAR = 30
SCREEN = (1920, 1080)

LOADERS = {"UNETLoader", "LoadExpressionLoRA", "CLIPLoader", "VAELoader", "LoadImage", "PocketModels", "PocketAvatar"}
LOADERS |= {"LoadMediaPipeFaceLandmarker", "MediaPipeFaceLandmarker"}  # the pocket reader finds drawn faces itself
LOADERS |= {"CheckpointLoaderSimple", "Emo135Reference"}
LOADERS |= {"LoadDia", "DiaTTS", "PocketVoice"}  # who speaks
SIZES = {"side", "size", "width", "height", "steps", "picture_width"}
"""What the two sizes of a workflow may have different besides their loaders."""

FOLDERS = {"checkpoints", "diffusion_models", "text_encoders", "vae", "loras", "detection"}

Graph = dict[str, Any]


class Box(NamedTuple):
    name: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


def read(file) -> Graph:
    return json.loads(file.read_text(encoding="utf-8"))


def node_boxes(graph: Graph) -> dict[int, Box]:
    return {
        n["id"]: Box(f"{n['id']} {n['type']}", x, y - TITLE_BAR, x + w, y + h)
        for n in graph["nodes"]
        for (x, y), (w, h) in [(n["pos"], n["size"])]
    }


def group_boxes(graph: Graph) -> list[Box]:
    return [Box(g["title"], x, y, x + w, y + h) for g in graph["groups"] for x, y, w, h in [g["bounding"]]]


def test_there_are_workflows_in_both_sizes():
    assert PAIRS
    assert all(full.is_file() for _, full in PAIRS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestEachWorkflow:
    def test_is_in_the_format_that_the_canvas_saves(self, file):
        graph = read(file)
        assert graph["version"] == 0.4
        assert graph["last_node_id"] == max(node["id"] for node in graph["nodes"])
        assert graph["last_link_id"] == max(link[0] for link in graph["links"])

    def test_its_links_and_sockets_agree(self, file):
        graph = read(file)
        nodes = {node["id"]: node for node in graph["nodes"]}
        for number, origin, slot, target, place, kind in graph["links"]:
            assert number in nodes[origin]["outputs"][slot]["links"]
            assert nodes[target]["inputs"][place]["link"] == number
            assert nodes[origin]["outputs"][slot]["type"] == kind
        wired = [i["link"] for node in graph["nodes"] for i in node.get("inputs", []) if i["link"] is not None]
        assert sorted(wired) == sorted(link[0] for link in graph["links"])

    def test_nothing_overlaps(self, file):
        graph = read(file)
        nodes = list(node_boxes(graph).values())
        for boxes in (nodes, group_boxes(graph)):
            assert [(a.name, b.name) for a, b in combinations(boxes, 2) if a.overlaps(b)] == []

    def test_every_node_but_the_notes_lies_inside_one_group(self, file):
        graph = read(file)
        groups = group_boxes(graph)
        for node in graph["nodes"]:
            box = node_boxes(graph)[node["id"]]
            touched = [group.name for group in groups if group.overlaps(box)]
            inside = [group.name for group in groups if group.holds(box)]
            assert touched == inside, box.name
            assert len(inside) == (0 if node["type"] == "MarkdownNote" else 1), box.name

    def test_links_run_to_the_right_or_down_a_column(self, file):
        graph = read(file)
        boxes = node_boxes(graph)
        for _, origin, _, target, *_ in graph["links"]:
            a, b = boxes[origin], boxes[target]
            rightwards = a.right <= b.left
            downwards = a.left == b.left and a.bottom <= b.top
            assert rightwards or downwards, f"{a.name} → {b.name}"

    def test_the_default_view_shows_all_of_it(self, file):
        graph = read(file)
        view = graph["extra"]["ds"]
        for box in [*node_boxes(graph).values(), *group_boxes(graph)]:
            for low, high, offset, size in (
                (box.left, box.right, view["offset"][0], SCREEN[0]),
                (box.top, box.bottom, view["offset"][1], SCREEN[1]),
            ):
                assert (low + offset) * view["scale"] >= 0, box.name
                assert (high + offset) * view["scale"] <= size, box.name

    def test_letters_are_drawn_when_the_template_browser_fits_it_to_the_screen(self, file):
        boxes = node_boxes(read(file)).values()
        width = max(b.right for b in boxes) - min(b.left for b in boxes) + 20
        height = max(b.bottom for b in boxes) - min(b.top for b in boxes) + 20
        scale = 0.75 * min(SCREEN[0] / width, SCREEN[1] / height)
        assert 14 * scale >= 8  # below, the canvas leaves out the text

    def test_every_node_says_where_it_comes_from(self, file):
        for node in read(file)["nodes"]:
            if node["type"] == "MarkdownNote":
                continue
            properties = node["properties"]
            assert properties["cnr_id"] in ("comfy-core", "expressive-avatars")
            assert properties["ver"]
            assert properties["Node name for S&R"] == node["type"]

    def test_it_has_notes_and_a_thumbnail(self, file):
        assert any(node["type"] == "MarkdownNote" for node in read(file)["nodes"])
        with Image.open(file.with_suffix(".jpg")) as thumbnail:
            assert min(thumbnail.size) >= 256


@pytest.mark.parametrize(("pocket", "full"), PAIRS, ids=lambda file: file.stem)
def test_the_two_sizes_differ_in_loaders_and_sizes_alone(pocket, full):
    def rest(file) -> dict[str, Any]:
        prompt = read(WORKFLOWS / "api" / file.name)

        def value(name: str, given: Any) -> Any:
            if isinstance(given, list) and prompt[given[0]]["class_type"] in LOADERS:
                return "a loader"
            return "a size" if name in SIZES and not isinstance(given, list) else given

        return {
            key: (
                node["class_type"],
                node["_meta"]["title"],
                {n: value(n, v) for n, v in node["inputs"].items() if n != "face_landmarks"},
            )  # fmt: skip
            for key, node in prompt.items()
            if node["class_type"] not in LOADERS
        }

    assert rest(pocket) == rest(full)


@pytest.mark.parametrize("file", [full for _, full in PAIRS], ids=lambda file: file.stem)
def test_a_full_workflow_names_the_download_of_every_model_file(file):
    for node in read(file)["nodes"]:
        named = {value for value in node.get("widgets_values", []) if str(value).endswith(".safetensors")}
        offered = {model["name"]: model for model in node["properties"].get("models", [])}
        assert named == set(offered), node["type"]
        for name, model in offered.items():
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].endswith(f"/{name}")
            assert model["directory"] in FOLDERS
