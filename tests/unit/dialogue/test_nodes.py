# pyright: reportAttributeAccessIssue=false
"""The nodes of the dialogue step, in the real host."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from .small_chat import write_chat_model


@pytest.fixture
def module(pack: ModuleType) -> Callable[[str], Any]:
    """A module of the pack, as the host has loaded it."""
    return lambda name: importlib.import_module(f"{pack.__name__}.{name}")


@pytest.fixture
def reply(module: Callable[[str], Any]) -> Callable[..., tuple[Any, ...]]:
    """Runs AssistantReply with the values that its widgets have at first, and some others."""
    node = module("nodes.assistant_reply").AssistantReply
    usual: dict[str, Any] = {}
    for item in node.define_schema().inputs:
        if not item.optional:
            usual[item.id] = item.options[0] if hasattr(item, "options") else item.default
    return lambda **changed: node.execute(**{**usual, **changed}).args


class Listener:
    """An assistant that keeps what it is asked."""

    name = "listener"

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def reply(self, messages: Any, sampling: Any, progress: Callable[[int], None]) -> str:
        progress(1)
        self.asked.append((messages, sampling))
        return "I hear you."


def test_it_is_useful_at_once(reply: Callable[..., tuple[Any, ...]]) -> None:
    answer, history, told, gender, age, known = reply()
    assert (gender, age, known) == ("woman", 30, True) and "a woman of 30" in answer.lower()
    assert [turn.role for turn in history] == ["user", "assistant"] and history[1].text == answer
    assert [turn["text"] for turn in json.loads(told)["turns"]] == [turn.text for turn in history]
    assert reply() == (answer, history, told, gender, age, known)


def test_a_history_comes_as_turns_or_as_text(reply: Callable[..., tuple[Any, ...]]) -> None:
    first = reply(message="")
    assert [turn.role for turn in first[1]] == ["assistant"] and first[5] is False
    second = reply(message="a man", history=first[1])
    assert second[3:] == ("man", 30, False)
    for history in (second[1], second[2]):
        third = reply(message="fifty", history=history)
        assert third[3:] == ("man", 50, True) and len(third[1]) == 5
    assert reply(message="a man", history="")[3:] == ("man", 30, False)
    assert reply(message="Hello", gender_if_unknown="man", age_if_unknown=66)[3:] == ("man", 66, False)


def test_a_model_is_told_what_is_known(reply: Callable[..., tuple[Any, ...]], module: Callable[[str], Any]) -> None:
    felt = module("expressive.emotion").Emotion.of("sad", 0.8)
    listener = Listener()
    answer, history, _, gender, age, known = reply(
        message="A woman of 40, please. I lost my job.", assistant=listener, emotion=felt, system_prompt="Be kind.",
        max_tokens=9, temperature=0.2, seed=5,
    )  # fmt: skip
    assert answer == history[-1].text == "I hear you." and (gender, age, known) == ("woman", 40, True)
    ((messages, sampling),) = listener.asked
    assert messages[0]["content"].startswith("Be kind.\n\n") and "a woman of 40" in messages[0]["content"]
    assert "sadness 80%" in messages[0]["content"] and messages[-1]["content"].endswith("I lost my job.")
    assert (sampling.tokens, sampling.temperature, sampling.seed) == (9, 0.2, 5)
    reply(message="a girl of 12", assistant=listener)
    assert "asked for an avatar of 12 years" in listener.asked[-1][0][0]["content"]
    opening = reply(message="", assistant=listener)[0]
    assert len(listener.asked) == 2 and opening != "I hear you."  # who is to open, opens by the script


def test_the_sockets_fit(module: Callable[[str], Any]) -> None:
    from comfy_execution.validation import validate_node_input

    schema = module("nodes.assistant_reply").AssistantReply.GET_SCHEMA()
    outputs = {item.id: item.get_io_type() for item in schema.outputs}
    inputs = {item.id: item.get_io_type() for item in schema.inputs}
    wanted = {
        item.id: item.get_io_type() for item in module("nodes.avatar_retrieve").AvatarRetrieve.GET_SCHEMA().inputs
    }
    assert validate_node_input(outputs["gender"], wanted["gender"])
    assert validate_node_input(outputs["gender"], "STRING") and validate_node_input(outputs["age"], wanted["age"])
    for given in (outputs["history_out"], outputs["history_json"]):
        assert validate_node_input(given, inputs["history"])
    for name, file in (("LoadAssistant", "load_assistant"), ("AssistantEndpoint", "assistant_endpoint")):
        (given,) = getattr(module(f"nodes.{file}"), name).GET_SCHEMA().outputs
        assert validate_node_input(given.get_io_type(), inputs["assistant"])


def test_a_slip_is_a_sentence(reply: Callable[..., tuple[Any, ...]]) -> None:
    with pytest.raises(ValueError, match="Both assistant and clip"):
        reply(assistant=Listener(), clip=object())
    with pytest.raises(ValueError, match="message is empty"):
        reply(message=" ", history=reply()[1])
    with pytest.raises(ValueError, match="not JSON"):
        reply(history="Hello")


def test_a_chat_model_of_the_models_folder(
    reply: Callable[..., tuple[Any, ...]],
    module: Callable[[str], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_chat_model(tmp_path / "Small-Instruct", positions=4096)
    paths = importlib.import_module("folder_paths")
    known, extensions = paths.folder_names_and_paths["LLM"]
    monkeypatch.setitem(paths.folder_names_and_paths, "LLM", ([str(tmp_path), *known], extensions))
    loader = module("nodes.load_assistant").LoadAssistant
    assert "Small-Instruct" in loader.define_schema().inputs[0].options
    loaded = loader.execute("Small-Instruct", "automatic").args[0]
    assert next(loaded.model.network.parameters()).dtype == torch.float32  # on the CPU
    assert loaded.name == "Small-Instruct"
    one, again, other = (reply(assistant=loaded, max_tokens=16, temperature=1.0, seed=seed)[0] for seed in (1, 1, 2))
    assert one == again != other
    before = loader.fingerprint_inputs("Small-Instruct", "automatic")
    assert before == loader.fingerprint_inputs("Small-Instruct", "automatic") and before != "[]"
    with pytest.raises(FileNotFoundError, match="models/LLM/Qwen2.5-7B-Instruct"):
        loader.execute("gone", "automatic")


def test_nothing_is_sent_unless_it_is_ticked(module: Callable[[str], Any]) -> None:
    node = module("nodes.assistant_endpoint").AssistantEndpoint
    usual = {item.id: item.default for item in node.define_schema().inputs}
    assert usual["allow_network"] is False and usual["key_variable"] == ""
    with pytest.raises(ValueError, match="would be sent to http://127.0.0.1:11434/v1. Tick allow_network"):
        node.execute(**usual)
    found = node.execute(**{**usual, "allow_network": True}).args[0]
    assert (found.base_url, found.timeout, found.retries) == (usual["base_url"], 60.0, 2)


def host_clip(tokenizer: Any, model: Any, name: str, shape: dict[str, int]) -> Any:
    """CLIP of one of the host's own text encoders, small, with random weights."""
    import comfy.sd
    from comfy.supported_models_base import ClipTarget

    clip = comfy.sd.CLIP(
        ClipTarget(tokenizer, model), model_options={"dtype": torch.float32, f"{name}_model_config": shape}
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in clip.cond_stage_model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return clip


def test_the_hosts_own_text_generation(reply: Callable[..., tuple[Any, ...]], pack: ModuleType) -> None:
    from comfy.text_encoders import z_image

    shape = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }  # fmt: skip
    clip = host_clip(z_image.ZImageTokenizer, z_image.te(), "qwen3_4b", shape)
    before = torch.get_rng_state()
    one, again, other = (reply(clip=clip, max_tokens=12, temperature=1.0, seed=seed)[0] for seed in (1, 1, 2))
    assert one == again != other and torch.equal(torch.get_rng_state(), before)
    assert reply(clip=clip, max_tokens=12, temperature=0.0)[0] == reply(clip=clip, max_tokens=12, temperature=0.0)[0]


def test_a_clip_that_cannot_write_is_a_sentence(reply: Callable[..., tuple[Any, ...]], pack: ModuleType) -> None:
    from comfy import sd1_clip

    shape = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "projection_dim": 32,
    }  # fmt: skip
    clip = host_clip(sd1_clip.SD1Tokenizer, sd1_clip.SD1ClipModel, "clip_l", shape)
    with pytest.raises(ValueError, match="This CLIP .l. cannot write text"):
        reply(clip=clip)


def test_a_chat_is_written_as_each_family_reads_it(module: Callable[[str], Any]) -> None:
    rendered = module("nodes.host_assistant").rendered
    asked = [
        {"role": "system", "content": "S"}, {"role": "user", "content": "{a}"}, {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]  # fmt: skip
    start = "<|im_start|>"
    qwen = f"{start}system\nS<|im_end|>\n{start}user\n{{a}}<|im_end|>\n{start}assistant\nb<|im_end|>\n"
    qwen += f"{start}user\nc<|im_end|>\n{start}assistant\n"
    assert rendered(asked, "qwen25_7b") == qwen
    assert rendered(asked, "qwen3_4b") == qwen + "<think>\n\n</think>\n\n"
    assert rendered(asked, "gemma3_12b") == (
        "\n<start_of_turn>user\nS\n\n{a}<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n"
        "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n"
    )
    assert rendered(asked, "gemma4").startswith("<|turn>system\nS<turn|>\n<|turn>user\n{a}<turn|>\n<|turn>model\nb")
    assert rendered(asked, "ministral3_3b") == "[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST]{a}[/INST]b</s>[INST]c[/INST]"
    assert rendered(asked, "l") == "System: S\n\nUser: {a}\n\nAssistant: b\n\nUser: c\n\nAssistant:"
