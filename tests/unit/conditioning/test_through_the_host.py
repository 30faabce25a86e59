"""TextLatentInterpolate and ContactSheet in a graph that the host's own executor validates and runs."""

import asyncio
import importlib

import pytest
import torch


class Prompt:
    """A source of conditionings that needs no text encoder."""

    RETURN_TYPES = ("CONDITIONING",)
    FUNCTION = "encode"
    CATEGORY = "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"seed": ("INT", {"default": 0})}}

    def encode(self, seed):
        return ([[torch.randn(1, 9, 8, generator=torch.Generator().manual_seed(seed)), {"pooled_output": None}]],)


class Seen:
    """The end of the graph: keeps what arrives."""

    RETURN_TYPES = ()
    FUNCTION = "keep"
    CATEGORY = "test"
    OUTPUT_NODE = True
    kept: tuple = ()

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"conditioning": ("CONDITIONING",), "sheet": ("IMAGE",)}}

    def keep(self, conditioning, sheet):
        type(self).kept = conditioning, sheet
        return {}


class Client:
    """Who the executor reports to."""

    client_id = None
    last_node_id = None
    last_prompt_id = None
    sockets_metadata: dict = {}

    def send_sync(self, event, message, sid=None):
        pass


@pytest.fixture
def execution(pack, monkeypatch):
    mappings = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    for node in pack.nodes.NODES:
        monkeypatch.setitem(mappings, node.GET_SCHEMA().node_id, node)
    monkeypatch.setitem(mappings, "Prompt", Prompt)
    monkeypatch.setitem(mappings, "Seen", Seen)
    return importlib.import_module("execution")


def graph(alphas, **targets):
    defaults = {"title": "", "columns": 0, "rows": 0, "target_name": "happy", "background": "light", "picture_width": 0}
    defaults |= {"row_labels": "", "axis": True, "gap": 5.0, "caption_size": 8.0}
    slider = {"neutral": ["1", 0], "alpha": 0.5, "alphas": alphas, "method": "score_one_all", "suffix_tokens": 6}
    slider |= {f"targets.{name}": link for name, link in targets.items()}
    empty = {"width": 40, "height": 40, "batch_size": ["4", 1], "color": 255}
    return {
        "1": {"class_type": "Prompt", "inputs": {"seed": 1}},
        "2": {"class_type": "Prompt", "inputs": {"seed": 2}},
        "3": {"class_type": "Prompt", "inputs": {"seed": 3}},
        "4": {"class_type": "TextLatentInterpolate", "inputs": slider},
        "5": {"class_type": "EmptyImage", "inputs": empty},
        "6": {"class_type": "ContactSheet", "inputs": {"images": ["5", 0], "labels": ["4", 2], **defaults}},
        "7": {"class_type": "Seen", "inputs": {"conditioning": ["4", 0], "sheet": ["6", 0]}},
    }


def test_strip_with_two_targets_runs(execution):
    prompt = graph("0, 0.5, 1\n0", target_1=["2", 0], target_2=["3", 0])
    valid, error, outputs, node_errors = asyncio.run(execution.validate_prompt("strip", prompt, None))
    assert valid, (error, node_errors)
    executor = execution.PromptExecutor(Client(), cache_args={"lru": 0, "ram": 0, "ram_inactive": 0})
    executor.execute(prompt, "strip", {}, outputs)
    assert executor.success, executor.status_messages
    [[tokens, _]], sheet = Seen.kept
    neutral, target = (Prompt().encode(seed)[0][0][0] for seed in (1, 2))
    assert torch.equal(tokens[0], neutral[0]) and torch.equal(tokens[2], target[0]) and len(tokens) == 3
    assert sheet.shape[0] == 1 and sheet.shape[2] > 3 * 40


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ("0:1", "not a range"),
        ("4", "between -1 and 3"),
        ("0, 1\n0, .5, 1", "different numbers"),
        ("0\n0\n0", "3 lines of α values, but 2"),
    ],
)
def test_a_bad_list_is_refused_before_the_run(execution, alphas, message):
    prompt = graph(alphas, target_1=["2", 0], target_2=["3", 0])
    valid, _, _, node_errors = asyncio.run(execution.validate_prompt("bad", prompt, None))
    assert not valid
    assert message in node_errors["4"]["errors"][0]["details"]
