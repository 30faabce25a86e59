# pyright: reportAttributeAccessIssue=false, reportPrivateUsage=false
"""Chat models in the layout of Qwen2.5-7B-Instruct, against transformers' own classes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from expressive.dialogue.chat_model import ChatModel, _Gumbel
from expressive.dialogue.history import Turn
from expressive.dialogue.messages import Message, Sampling, messages_of, without_system

from .small_chat import NO_SYSTEM, write_chat_model

ASKED = messages_of("Be kind.", [Turn("user", "Hello"), Turn("assistant", "Hi.")], "How are you?")
GREEDY = Sampling(12, 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chat_model(tmp_path_factory.mktemp("LLM") / "Small-Instruct")


@pytest.fixture(scope="module")
def model(folder: Path) -> ChatModel:
    return ChatModel.load(folder, torch.float32)


def by_transformers(folder: Path, messages: list[Message]) -> str:
    """The likeliest answer of 12 tokens, as transformers' own classes give it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    network = AutoModelForCausalLM.from_pretrained(str(folder)).float().eval()
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    tokens = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    found = network.generate(
        input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], do_sample=False, max_new_tokens=12
    )
    return tokenizer.decode(found[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def read_by(model: ChatModel, messages: list[Message]) -> list[int]:
    """The tokens of the prompt that the network reads for these messages."""
    seen: list[list[int]] = []
    network: Any = model.network
    embeddings = network.get_input_embeddings()
    hook = embeddings.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][0].tolist()))
    model.reply(messages, GREEDY)
    hook.remove()
    return seen[0]


def test_it_says_what_transformers_says(folder: Path, model: ChatModel) -> None:
    assert len(list(folder.glob("model-*.safetensors"))) > 1  # in parts, as large models come
    assert model.reply(ASKED, GREEDY) == by_transformers(folder, ASKED)
    assert model.name == "Small-Instruct" and model.length == 512


def test_what_ends_an_answer_is_read_from_the_folder(model: ChatModel) -> None:
    assert model.network.generation_config.eos_token_id == [2, 0]
    assert model.network.generation_config.pad_token_id == 0


def test_a_seed_repeats_and_the_global_generator_stays(model: ChatModel) -> None:
    before = torch.get_rng_state()
    answers = [model.reply(ASKED, Sampling(24, 1.0, seed)) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert answers[0] == answers[1] != answers[2]


def test_tokens_are_drawn_by_their_probabilities() -> None:
    shares = torch.tensor([[0.5, 0.3, 0.15, 0.05, 0.0]])
    draw, nothing = _Gumbel(0), torch.zeros(1, 0, dtype=torch.long)
    drawn = torch.cat([draw(nothing, shares.log()).argmax(1) for _ in range(4000)])
    found = drawn.bincount(minlength=5) / 4000
    torch.testing.assert_close(found, shares[0], atol=0.03, rtol=0)
    assert found[4] == 0


def test_progress_is_told_and_what_it_raises_stops(model: ChatModel) -> None:
    told: list[int] = []
    usual = model.reply(ASKED, GREEDY, told.append)
    assert told == sorted(told) and told[0] == 0 and told[-1] == 12 and set(told) == set(range(13))

    for last in (0, 3):
        seen: list[int] = []

        def cancel(tokens: int, seen: list[int] = seen, last: int = last) -> None:
            seen.append(tokens)
            if tokens >= last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            model.reply(ASKED, GREEDY, cancel)
        assert seen[-1] == last
    network: Any = model.network
    assert not any(layer._forward_pre_hooks for layer in network.base_model.layers)
    assert model.reply(ASKED, GREEDY) == usual


def test_a_long_history_is_cut_at_its_beginning(model: ChatModel) -> None:
    history = [Turn(("user", "assistant")[k % 2], f"This is turn number {k}.") for k in range(80)]
    whole = read_by(model, messages_of("Be kind.", history, "And now?"))
    assert 400 < len(whole) <= 500
    assert whole == read_by(model, messages_of("Be kind.", history[40:], "And now?"))
    short = read_by(model, messages_of("Be kind.", history[78:], "And now?"))
    assert len(short) < 150 and whole[-len(short) + 20 :] == short[20:] and whole[:15] == short[:15]
    with pytest.raises(ValueError, match="there is room for 500 beside the answer"):
        model.reply(messages_of("Be kind.", [], "word " * 600), GREEDY)


def test_a_model_without_a_system_role_is_told_all_the_same(tmp_path: Path) -> None:
    model = ChatModel.load(write_chat_model(tmp_path / "small", NO_SYSTEM), torch.float32)
    assert read_by(model, ASKED) == read_by(model, without_system(ASKED)) != read_by(model, ASKED[1:])


def test_other_precisions_and_tied_weights(folder: Path, tmp_path: Path) -> None:
    half = ChatModel.load(folder, torch.bfloat16)
    assert {parameter.dtype for parameter in half.network.parameters()} == {torch.bfloat16}
    assert half.reply(ASKED, GREEDY)
    tied = write_chat_model(tmp_path / "tied", tied=True)
    model = ChatModel.load(tied, torch.float32)
    assert model.reply(ASKED, GREEDY) == by_transformers(tied, ASKED)
    network: Any = model.network
    assert network.lm_head.weight is network.get_input_embeddings().weight


def test_the_memory_of_a_conversation(model: ChatModel) -> None:
    """Keys and values, 2 layers, 2 heads of 8 numbers, 4 bytes each."""
    assert model.cache_bytes(10) == 2 * 2 * 2 * 8 * 4 * 10
    assert model.cache_bytes(10**6) == model.cache_bytes(512)
    assert not any(parameter.requires_grad for parameter in model.network.parameters())


def test_a_missing_or_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    small = write_chat_model(tmp_path / "small")
    index = json.loads((small / "model.safetensors.index.json").read_text(encoding="utf-8"))
    part = small / index["weight_map"]["model.norm.weight"]
    whole = part.read_bytes()
    rest = {key: value for key, value in load_file(part).items() if key != "model.norm.weight"}
    save_file(rest or {"model.other": torch.zeros(1)}, part, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="not a whole chat model.*lacks 1 weights .model.norm.weight"):
        ChatModel.load(small, torch.float32)
    part.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="cannot be loaded"):
        ChatModel.load(small, torch.float32)
    part.write_bytes(whole)
    ChatModel.load(small, torch.float32)
    part.unlink()
    with pytest.raises(FileNotFoundError, match=f"1 of .* files of weights are not in .*{part.name}"):
        ChatModel.load(small, torch.float32)
    for file in small.glob("model*"):
        file.unlink()
    with pytest.raises(FileNotFoundError, match="no model.safetensors"):
        ChatModel.load(small, torch.float32)
    with pytest.raises(FileNotFoundError, match="no config.json"):
        ChatModel.load(tmp_path, torch.float32)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architectures": ["RobertaForSequenceClassification"]}, "but a chat model for text .…ForCausalLM. is needed"),
        ({"architectures": None}, "a model for something else"),
        ({"quantization_config": {"quant_method": "awq"}}, "are quantised .awq."),
    ],
)
def test_another_kind_of_model_is_a_sentence(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", **change}), encoding="utf-8"
    )
    with pytest.raises(ValueError, match=sentence):
        ChatModel.load(tmp_path, torch.float32)


def test_a_base_model_does_not_chat(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="base has no chat template"):
        ChatModel.load(write_chat_model(tmp_path / "base", None), torch.float32)
    bare = write_chat_model(tmp_path / "bare")
    for file in ("tokenizer.json", "vocab.json"):
        (bare / file).unlink()
    with pytest.raises(FileNotFoundError, match="tokenizer's files"):
        ChatModel.load(bare, torch.float32)
