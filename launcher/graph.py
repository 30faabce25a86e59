"""From the graph that the canvas saves to the prompt that the server runs.

The server takes the API format alone, {"3": {"class_type": "KSampler", "inputs": {"seed": 1, "model": ["1", 0]}}},
and brings no converter: the canvas makes it in the browser. Here is the same conversion, from the saved UI format
(version 0.4, or 1 with its links as objects) and the live /object_info:

- `widgets_values` is positional, in the order of the required, then the optional inputs that have a widget. A seed's
  "control after generate" and an upload button take an entry each; the inputs of the chosen option of a
  COMFY_DYNAMICCOMBO_V3 follow it under dotted names; a COMFY_AUTOGROW_V3 has sockets only (`images.image0`).
- A link replaces a widget's value. Links are followed through Reroute and bypassed nodes (mode 4); a PrimitiveNode's
  value is put in; a link from a muted node (mode 2) counts as none; Note and MarkdownNote are for the eye.
"""

import json
from typing import Any

from .places import LaunchError

MUTED, BYPASSED = 2, 4
VIRTUAL = ("Note", "MarkdownNote", "Reroute", "PrimitiveNode")
WIDGETS = {
    *("INT", "FLOAT", "BOOLEAN", "STRING", "COMBO", "COLOR", "COLORS", "CURVE", "RANGE", "MARKDOWN", "TEXTAREA"),
    *("BOUNDING_BOX", "BOUNDING_BOXES", "IMAGECOMPARE", "PAINTER", "CHART", "GALLERIA", "COMFY_DYNAMICCOMBO_V3"),
}
AFTER_GENERATE = ("fixed", "increment", "increment-wrap", "decrement", "randomize")
_ABSENT = object()
SAVERS = ("SaveImage", "PreviewImage")

Prompt = dict[str, dict[str, Any]]


def is_prompt(graph: dict[str, Any]) -> bool:
    """Whether a parsed JSON is in API format."""
    return bool(graph) and all(isinstance(node, dict) and "class_type" in node for node in graph.values())


def to_prompt(graph: dict[str, Any], object_info: dict[str, Any]) -> Prompt:
    """The API prompt of a graph in either format.

    Args:
        graph: the parsed JSON of a workflow file.
        object_info: the server's answer to /object_info.

    Raises:
        LaunchError: the JSON is no workflow, holds a node that the server lacks, or a subgraph.
    """
    if is_prompt(graph):
        return {str(key): {**node, "inputs": dict(node.get("inputs", {}))} for key, node in graph.items()}
    if "nodes" not in graph or "links" not in graph:
        raise LaunchError(
            "This JSON is no ComfyUI workflow: it has neither `nodes` and `links`, nor a `class_type` each."
        )
    return _Graph(graph, object_info).prompt()


class _Graph:
    def __init__(self, graph: dict[str, Any], object_info: dict[str, Any]) -> None:
        self.object_info = object_info
        self.nodes = {str(node["id"]): node for node in graph["nodes"]}
        self.origins = dict(_origin(link) for link in graph["links"])
        self.subgraphs = {definition["id"] for definition in graph.get("definitions", {}).get("subgraphs", [])}

    def prompt(self) -> Prompt:
        return {
            key: self._prompt_node(node)
            for key, node in self.nodes.items()
            if node["type"] not in VIRTUAL and node.get("mode", 0) not in (MUTED, BYPASSED)
        }

    def _prompt_node(self, node: dict[str, Any]) -> dict[str, Any]:
        if node["type"] in self.subgraphs:
            raise LaunchError(
                f"Node {node['id']} is a subgraph, which run.py cannot unfold. Open the workflow on the canvas, unpack "
                "the subgraph there and save it again, or export it in API format."
            )
        schema = self.object_info.get(node["type"])
        if schema is None:
            raise LaunchError(
                f"Node {node['id']} is a {node['type']}, which this ComfyUI does not have. "
                "Install the pack that brings it, or remove the node."
            )
        values = node.get("widgets_values") or []
        inputs = dict(values) if isinstance(values, dict) else widget_values(schema, values)
        inputs = {name: {"__value__": v} if isinstance(v, list) else v for name, v in inputs.items()}
        for entry in node.get("inputs") or []:
            if entry.get("link") is None:
                continue
            source = self._source(entry["link"], entry.get("type", "*"))
            if source is not None:
                inputs[entry["name"]] = source
        title = node.get("title") or schema.get("display_name") or node["type"]
        return {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}

    def _source(self, link: int, kind: str) -> Any:
        """What a link brings: [node id, output], a PrimitiveNode's value, or None where nothing arrives."""
        while True:
            origin, slot = self.origins[link]
            node = self.nodes[origin]
            if node.get("mode", 0) == MUTED:
                return None
            if node["type"] == "PrimitiveNode":
                return node["widgets_values"][0]
            if node["type"] == "Reroute":
                through = 0
            elif node.get("mode", 0) == BYPASSED:
                through = _bypass(node, slot, kind)
            else:
                return [origin, slot]
            inputs = node.get("inputs") or []
            if through is None or through >= len(inputs) or inputs[through].get("link") is None:
                return None
            link = inputs[through]["link"]
            if node["type"] != "Reroute":
                kind = inputs[through].get("type", "*")


def widget_values(schema: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """The values of a node's widgets by input name, as the server wants them.

    Args:
        schema: the node's entry in /object_info.
        values: the node's `widgets_values` of the UI format. Widgets beyond its end get their defaults.
    """
    reader = _WidgetReader(values)
    for part in ("required", "optional"):
        inputs = schema["input"].get(part, {})
        reader.read(inputs)
        if any(_options(spec).get(f"{media}_upload") for spec in inputs.values() for media in ("image", "video")):
            reader.skip_if("image", "video", "")  # the upload button
    return reader.found


class _WidgetReader:
    def __init__(self, values: list[Any]) -> None:
        self.values = list(values)
        self.found: dict[str, Any] = {}

    def skip_if(self, *expected: str) -> bool:
        if self.values and self.values[0] in expected:
            self.values.pop(0)
            return True
        return False

    def read(self, inputs: dict[str, Any], prefix: str = "") -> None:
        for key, spec in inputs.items():
            kind, options, name = spec[0], _options(spec), prefix + key
            widget = options.get("widgetType") or ("COMBO" if isinstance(kind, list) else kind)
            if widget not in WIDGETS or options.get("forceInput"):
                continue
            value = self.values.pop(0) if self.values else _default(kind, options)
            if value is not _ABSENT:
                self.found[name] = value
            if widget == "COMFY_DYNAMICCOMBO_V3":
                chosen = next((o["inputs"] for o in options["options"] if o["key"] == value), {})
                for part in ("required", "optional"):
                    self.read(chosen.get(part) or {}, f"{name}.")
            steered = options.get("control_after_generate", widget == "INT" and name in ("seed", "noise_seed"))
            if steered and self.skip_if(*AFTER_GENERATE) and widget == "COMBO":
                self.values = self.values[1:]  # its filter


def override(prompt: Prompt, setting: str) -> None:
    """Put a value of the command line into a prompt.

    Args:
        prompt: changed in place.
        setting: `node.input=value`, where node is an id, a title or a class name that occurs once. The value is read
            as JSON (3, 0.5, true, null) unless the input holds text now; anything else is text.

    Raises:
        LaunchError: no such node or input, or more than one.
    """
    target, equals, text = setting.partition("=")
    wanted, dot, name = target.partition(".")
    if not (equals and dot and name):
        raise LaunchError(f"--set wants node.input=value, for example KSampler.seed=7, but got {setting!r}.")
    inputs = prompt[find(prompt, wanted)]["inputs"]
    if name not in inputs:
        raise LaunchError(f"{setting}: {wanted} has no input {name!r}, but {', '.join(inputs) or 'none at all'}.")
    inputs[name] = text if isinstance(inputs[name], str) else _literal(text)


def find(prompt: Prompt, wanted: str) -> str:
    """The key of the one node with this id, title or class name. LaunchError for none, or more than one."""
    found = [key for key, node in prompt.items() if wanted in (key, node["class_type"], _title(node))]
    found = [wanted] if wanted in found else found
    if len(found) != 1:
        known = ", ".join(f"{key} ({_title(node)})" for key, node in prompt.items())
        raise LaunchError(f"{len(found)} nodes are called {wanted!r}. Use one of these ids: {known}.")
    return found[0]


def keep_only(prompt: Prompt, wanted: str) -> tuple[Prompt, str]:
    """The graph with one output and what it needs, and that output's key.

    The output is made a preview, so that nothing of it stays in the server's output folder, and pictures that pass
    through a Save Image on their way come from before it.

    Args:
        prompt: is left as it is.
        wanted: id, title or class name of the output node.

    Raises:
        LaunchError: no such node, or one that saves no pictures.
    """
    key = find(prompt, wanted)
    node = prompt[key]
    if node["class_type"] not in SAVERS or not _is_link(node["inputs"].get("images"), prompt):
        raise LaunchError(f"{wanted} is a {node['class_type']}. Name a Save Image or Preview Image that has pictures.")
    kept: Prompt = {}
    asked = [key]
    while asked:
        name = asked.pop()
        if name in kept:
            continue
        inputs = {k: _before_savers(v, prompt) for k, v in prompt[name]["inputs"].items()}
        kept[name] = {**prompt[name], "inputs": inputs}
        asked += [value[0] for value in inputs.values() if _is_link(value, prompt)]
    kept[key] |= {"class_type": "PreviewImage", "inputs": {"images": kept[key]["inputs"]["images"]}}
    return kept, key


def _before_savers(value: Any, prompt: Prompt) -> Any:
    while _is_link(value, prompt) and prompt[value[0]]["class_type"] in SAVERS:
        before = prompt[value[0]]["inputs"].get("images")
        if not _is_link(before, prompt):
            return value
        value = before
    return value


def _is_link(value: Any, prompt: Prompt) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] in prompt


def _literal(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return {"__value__": value} if isinstance(value, list) else value


def _title(node: dict[str, Any]) -> str:
    return node.get("_meta", {}).get("title", node["class_type"])


def _options(spec: list[Any]) -> dict[str, Any]:
    return spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}


def _default(kind: Any, options: dict[str, Any]) -> Any:
    if "default" in options:
        return options["default"]
    choices = kind if isinstance(kind, list) else options.get("options")
    if not choices:
        return _ABSENT
    return choices[0]["key"] if isinstance(choices[0], dict) else choices[0]


def _origin(link: Any) -> tuple[int, tuple[str, int]]:
    """(link id, (origin node, its output)) of a link of version 0.4 (a list) or 1 (an object)."""
    if isinstance(link, dict):
        return link["id"], (str(link["origin_id"]), link["origin_slot"])
    return link[0], (str(link[1]), link[2])


def _fits(one: str, other: str) -> bool:
    return "*" in (one, other) or bool(set(one.upper().split(",")) & set(other.upper().split(",")))


def _bypass(node: dict[str, Any], slot: int, kind: str) -> int | None:
    """Which input of a bypassed node stands for its output `slot`: at the same place, else of the same type."""
    types = [entry.get("type", "*") for entry in node.get("inputs") or []]
    made = node["outputs"][slot].get("type", "*")
    if kind == "*":
        return slot if slot < len(types) else 0
    if slot < len(types) and _fits(types[slot], made) and _fits(types[slot], kind):
        return slot
    if kind in types:
        return types.index(kind)
    return next((i for i, type_ in enumerate(types) if _fits(type_, made) and _fits(type_, kind)), None)
