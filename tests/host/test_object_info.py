"""How the nodes describe themselves to the canvas, and that saved graphs keep working."""

import asyncio
import json
import os
from pathlib import Path

import pytest

FROZEN = Path(__file__).with_name("object_info.json")
ADDITIONS = "EXPRESSIVE_AVATARS_FREEZE"


@pytest.fixture(scope="session")
def ids(pack):
    extension = asyncio.run(pack.comfy_entrypoint())
    return [node.GET_SCHEMA().node_id for node in asyncio.run(extension.get_node_list())]


@pytest.fixture(scope="session")
def described(host, ids):
    info = host.object_info()
    missing = [node_id for node_id in ids if node_id not in info]
    assert not missing, f"the server does not know {missing}"
    return {node_id: info[node_id] for node_id in ids}


def flat_inputs(inputs, prefix=""):
    """(name, type, options) of every input, those inside growing and dynamic inputs under dotted names."""
    for part in ("required", "optional"):
        for key, spec in (inputs.get(part) or {}).items():
            options = spec[1] if len(spec) > 1 else {}
            kind = "COMBO" if isinstance(spec[0], list) else spec[0]
            yield prefix + key, kind, options
            if kind == "COMFY_AUTOGROW_V3":
                template = options["template"]
                sockets = ",".join(template.get("names", [])) or f"{template['prefix']}*"
                yield from (
                    (f"{prefix}{key}.{sockets}", kind, inner) for _, kind, inner in flat_inputs(template["input"])
                )
            if kind == "COMFY_DYNAMICCOMBO_V3":
                for option in options["options"]:
                    yield from flat_inputs(option["inputs"], f"{prefix}{key}.{option['key']}.")


def shape(info):
    """What a saved graph relies on: the inputs with their types, and the outputs in their order."""
    return {
        "inputs": {name: kind for name, kind, _ in flat_inputs(info["input"])},
        "outputs": list(zip(info["output_name"], info["output"], strict=True)),
    }


def test_every_node_says_what_it_is(described, host):
    for node_id, info in described.items():
        assert info["python_module"].startswith("custom_nodes."), node_id
        assert info["category"].startswith("Expressive Avatars/"), node_id
        assert info["display_name"] and info["description"], node_id


def test_every_input_and_output_has_a_tooltip(described):
    bare = [
        f"{node_id}.{name}"
        for node_id, info in described.items()
        for name, _, options in flat_inputs(info["input"])
        if not options.get("tooltip")
    ]
    bare += [
        f"{node_id} → {name}"
        for node_id, info in described.items()
        for name, tooltip in zip(info["output_name"], info["output_tooltips"], strict=True)
        if not tooltip
    ]
    assert bare == []


def docs(info):
    return f"/extensions/{info['python_module'].removeprefix('custom_nodes.')}/docs/"


def test_every_node_has_a_help_page(described, host):
    for node_id, info in described.items():
        page = host.get_bytes(f"{docs(info)}{node_id}.md").decode()
        assert page.startswith("# "), node_id
        assert f"({node_id}.jpg)" in page, f"{node_id}: the help page shows no picture {node_id}.jpg"


def test_every_help_page_has_its_picture(described, host):
    for node_id, info in described.items():
        assert host.get_bytes(f"{docs(info)}{node_id}.jpg")[:3] == b"\xff\xd8\xff", f"{node_id}.jpg is no JPEG"


def test_saved_graphs_keep_working(described):
    """Ids, input names and types, and outputs are append-only: graphs that artists saved name them.

    New ones are added to the frozen file by running this test with EXPRESSIVE_AVATARS_FREEZE=1; nothing is removed.
    """
    frozen = json.loads(FROZEN.read_text(encoding="utf-8")) if FROZEN.exists() else {}
    live = json.loads(json.dumps({node_id: shape(info) for node_id, info in described.items()}))
    broken = []
    for node_id, before in frozen.items():
        now = live.get(node_id, {"inputs": {}, "outputs": []})
        broken += [
            f"{node_id}.{name} was {kind} and is {now['inputs'].get(name, 'gone')}"
            for name, kind in before["inputs"].items()
            if now["inputs"].get(name) != kind
        ]
        kept = [name for name in now["inputs"] if name in before["inputs"]]
        if kept != [name for name in before["inputs"] if name in now["inputs"]]:
            broken.append(f"{node_id}: the inputs changed their order, by which graphs store their values")
        if now["outputs"][: len(before["outputs"])] != before["outputs"]:
            broken.append(f"{node_id}: the outputs were {before['outputs']} and are {now['outputs']}")
    assert broken == []
    if os.environ.get(ADDITIONS):
        FROZEN.write_text(json.dumps(live, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    assert live == frozen, f"there are additions: freeze them with {ADDITIONS}=1 python run.py test host"
