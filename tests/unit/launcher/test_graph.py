"""The saved graph becomes the prompt that the canvas itself would send."""

import pytest

from launcher.graph import is_prompt, override, to_prompt, widget_values
from launcher.places import LaunchError

SAMPLER = {
    "display_name": "KSampler",
    "input": {
        "required": {
            "model": ["MODEL", {}],
            "seed": ["INT", {"default": 0, "control_after_generate": True}],
            "steps": ["INT", {"default": 20}],
            "sampler_name": [["euler", "heun"], {}],
        },
        "optional": {"note": ["STRING", {"default": "none"}], "strength": ["FLOAT", {"forceInput": True}]},
    },
}
RESIZE = {
    "input": {
        "required": {
            "image": ["IMAGE", {}],
            "mode": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "options": [
                        {"key": "size", "inputs": {"required": {"width": ["INT", {}], "height": ["INT", {}]}}},
                        {
                            "key": "factor",
                            "inputs": {"required": {"by": ["FLOAT", {}]}, "optional": {"x": ["INT", {}]}},
                        },
                    ]
                },
            ],
            "method": ["COMBO", {"options": ["area", "lanczos"]}],
        }
    }
}
BATCH = {
    "input": {
        "required": {
            "images": [
                "COMFY_AUTOGROW_V3",
                {"template": {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image"}},
            ],
            "name": ["STRING", {"default": "batch"}],
        }
    }
}
INFO = {
    "Load": {
        "input": {
            "required": {"image": [["a.png", "b.png"], {"image_upload": True}]},
            "optional": {"keep": ["BOOLEAN", {"default": False}]},
        }
    },
    "Model": {"input": {"required": {}}},
    "Blur": {"input": {"required": {"amount": ["FLOAT", {}], "image": ["IMAGE", {}]}}},
    "Save": {"input": {"required": {"image": ["IMAGE", {}], "prefix": ["STRING", {"default": "x"}]}}},
    "KSampler": SAMPLER,
    "Resize": RESIZE,
    "Batch": BATCH,
}


def node(id_, type_, values=None, inputs=(), outputs=("IMAGE",), mode=0, **more):
    return {
        "id": id_,
        "type": type_,
        "mode": mode,
        "inputs": [{"name": name, "type": kind, "link": link} for name, kind, link in inputs],
        "outputs": [{"name": kind, "type": kind, "links": []} for kind in outputs],
        "widgets_values": values or [],
        **more,
    }


def graph(nodes, links, **more):
    return {"nodes": nodes, "links": links, "version": 0.4, **more}


def test_widget_values_follow_the_order_of_the_schema_and_skip_the_seeds_control():
    values = widget_values(SAMPLER, [7, "randomize", 30, "heun", "hello"])
    assert values == {"seed": 7, "steps": 30, "sampler_name": "heun", "note": "hello"}


def test_a_seed_without_a_saved_control_is_read_too():
    assert widget_values(SAMPLER, [7, 30, "heun", "hello"])["steps"] == 30


def test_a_plain_int_called_seed_has_a_control_unless_the_schema_says_no():
    plain = {"input": {"required": {"noise_seed": ["INT", {}], "steps": ["INT", {}]}}}
    assert widget_values(plain, [1, "fixed", 2]) == {"noise_seed": 1, "steps": 2}
    without = {"input": {"required": {"seed": ["INT", {"control_after_generate": False}], "mode": ["STRING", {}]}}}
    assert widget_values(without, [1, "fixed"]) == {"seed": 1, "mode": "fixed"}


def test_missing_values_become_defaults():
    assert widget_values(SAMPLER, [7, "fixed"]) == {"seed": 7, "steps": 20, "sampler_name": "euler", "note": "none"}


def test_the_upload_button_takes_an_entry_before_the_optional_inputs():
    assert widget_values(INFO["Load"], ["b.png", "image", True]) == {"image": "b.png", "keep": True}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["size", 64, 32, "lanczos"], {"mode": "size", "mode.width": 64, "mode.height": 32, "method": "lanczos"}),
        (["factor", 0.5, 3, "area"], {"mode": "factor", "mode.by": 0.5, "mode.x": 3, "method": "area"}),
    ],
)
def test_a_dynamic_combo_brings_the_inputs_of_its_choice(values, expected):
    assert widget_values(RESIZE, values) == expected


def test_growing_inputs_are_sockets_under_dotted_names():
    nodes = [
        node(1, "Load", ["a.png", "image", False]),
        node(
            2,
            "Batch",
            ["pair"],
            [("images.image0", "IMAGE", 1), ("images.image1", "IMAGE", 2), ("images.image2", "IMAGE", None)],
        ),
    ]
    prompt = to_prompt(graph(nodes, [[1, 1, 0, 2, 0, "IMAGE"], [2, 1, 0, 2, 1, "IMAGE"]]), INFO)
    assert prompt["2"]["inputs"] == {"name": "pair", "images.image0": ["1", 0], "images.image1": ["1", 0]}


def test_a_link_replaces_the_value_of_its_widget():
    nodes = [
        node(1, "Model", outputs=("MODEL", "INT")),
        node(
            2, "KSampler", [7, "fixed", 30, "heun", "n"], [("model", "MODEL", 1), ("steps", "INT", 2)], title="Sampling"
        ),
    ]
    prompt = to_prompt(graph(nodes, [[1, 1, 0, 2, 0, "MODEL"], [2, 1, 1, 2, 1, "INT"]]), INFO)
    assert prompt["2"]["inputs"]["steps"] == ["1", 1]
    assert prompt["2"]["inputs"]["seed"] == 7
    assert prompt["2"]["_meta"]["title"] == "Sampling"


def test_links_of_version_1_are_objects():
    nodes = [node(1, "Load", ["a.png", "image"]), node(2, "Save", ["p"], [("image", "IMAGE", 5)])]
    link = {"id": 5, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0, "type": "IMAGE"}
    assert to_prompt(graph(nodes, [link]), INFO)["2"]["inputs"]["image"] == ["1", 0]


def test_notes_reroutes_and_primitives_leave_no_node():
    nodes = [
        node(1, "Load", ["a.png", "image"]),
        node(2, "Reroute", inputs=[("", "*", 1)]),
        node(3, "Reroute", inputs=[("", "*", 2)]),
        node(4, "PrimitiveNode", ["from primitive"], outputs=("STRING",)),
        node(5, "Save", ["p"], [("image", "IMAGE", 3), ("prefix", "STRING", 4)]),
        node(6, "Note", ["text"]),
        node(7, "MarkdownNote", ["text"]),
    ]
    links = [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"], [3, 3, 0, 5, 0, "IMAGE"], [4, 4, 0, 5, 1, "STRING"]]
    prompt = to_prompt(graph(nodes, links), INFO)
    assert set(prompt) == {"1", "5"}
    assert prompt["5"]["inputs"] == {"image": ["1", 0], "prefix": "from primitive"}


def test_a_bypassed_node_passes_its_input_of_the_same_type():
    nodes = [
        node(1, "Load", ["a.png", "image"]),
        node(2, "Blur", [0.5], [("amount", "FLOAT", None), ("image", "IMAGE", 1)], mode=4),
        node(3, "Save", ["p"], [("image", "IMAGE", 2)]),
    ]
    prompt = to_prompt(graph(nodes, [[1, 1, 0, 2, 1, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]]), INFO)
    assert set(prompt) == {"1", "3"}
    assert prompt["3"]["inputs"]["image"] == ["1", 0]


def test_a_bypassed_node_without_such_an_input_passes_nothing():
    nodes = [
        node(2, "Blur", [0.5], [("amount", "FLOAT", None)], mode=4),
        node(3, "Save", ["p"], [("image", "IMAGE", 2)]),
    ]
    assert to_prompt(graph(nodes, [[2, 2, 0, 3, 0, "IMAGE"]]), INFO)["3"]["inputs"] == {"prefix": "p"}


def test_a_muted_node_and_its_link_are_gone():
    nodes = [node(1, "Load", ["a.png", "image"], mode=2), node(2, "Save", ["p"], [("image", "IMAGE", 1)])]
    assert to_prompt(graph(nodes, [[1, 1, 0, 2, 0, "IMAGE"]]), INFO)["2"]["inputs"] == {"prefix": "p"}
    assert "1" not in to_prompt(graph(nodes, [[1, 1, 0, 2, 0, "IMAGE"]]), INFO)


def test_lists_are_wrapped_so_that_the_server_does_not_take_them_for_links():
    info = {"Points": {"input": {"required": {"curve": ["CURVE", {}]}}}}
    prompt = to_prompt(graph([node(1, "Points", [[[0, 0], [1, 1]]])], []), info)
    assert prompt["1"]["inputs"] == {"curve": {"__value__": [[0, 0], [1, 1]]}}


def test_an_api_graph_is_taken_as_it_is():
    api = {"4": {"class_type": "Save", "inputs": {"image": ["1", 0], "prefix": "p"}}}
    assert is_prompt(api)
    prompt = to_prompt(api, INFO)
    override(prompt, "4.prefix=q")
    assert prompt["4"]["inputs"] == {"image": ["1", 0], "prefix": "q"}
    assert api["4"]["inputs"]["prefix"] == "p", "the caller's graph stays as it was"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"hello": 1}, "no ComfyUI workflow"),
        (graph([node(1, "Unheard", [])], []), "Node 1 is a Unheard, which this ComfyUI does not have"),
        (graph([node(1, "ab-cd", [])], [], definitions={"subgraphs": [{"id": "ab-cd"}]}), "is a subgraph"),
    ],
)
def test_what_cannot_be_converted_is_said_in_a_sentence(broken, message):
    with pytest.raises(LaunchError, match=message):
        to_prompt(broken, INFO)


@pytest.fixture
def prompt():
    return {
        "1": {"class_type": "Load", "inputs": {"image": "a.png", "keep": False}, "_meta": {"title": "Portrait"}},
        "2": {"class_type": "KSampler", "inputs": {"seed": 1, "cfg": 1.0, "note": "7", "steps": ["1", 0]}},
        "3": {"class_type": "KSampler", "inputs": {"seed": 2}},
    }


@pytest.mark.parametrize(
    ("setting", "node_id", "name", "value"),
    [
        ("2.seed=9", "2", "seed", 9),
        ("2.cfg=2.5", "2", "cfg", 2.5),
        ("2.note=9", "2", "note", "9"),
        ("2.note=a=b", "2", "note", "a=b"),
        ("2.steps=12", "2", "steps", 12),
        ("Portrait.image=b.png", "1", "image", "b.png"),
        ("Load.keep=true", "1", "keep", True),
    ],
)
def test_override(prompt, setting, node_id, name, value):
    override(prompt, setting)
    assert prompt[node_id]["inputs"][name] == value
    assert type(prompt[node_id]["inputs"][name]) is type(value)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed=9", "wants node.input=value"),
        ("2.seed", "wants node.input=value"),
        ("KSampler.seed=9", "2 nodes are called 'KSampler'"),
        ("Nobody.seed=9", "0 nodes are called 'Nobody'"),
        ("2.sede=9", "no input 'sede', but seed, cfg, note, steps"),
    ],
)
def test_override_says_what_is_wrong(prompt, setting, message):
    with pytest.raises(LaunchError, match=message):
        override(prompt, setting)
