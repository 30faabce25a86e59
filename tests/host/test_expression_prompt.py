"""ExpressionPrompt in a running graph: lists of emotions map over the nodes behind it."""

import json

import pytest

from launcher.places import LaunchError


def graph(**inputs):
    single = {
        "mode": "single",
        "mode.word": "happy",
        "intensity": 1.0,
        "style": "pixelsmile",
        "style.subject": "person",
    }
    return {
        "1": {"class_type": "ExpressionPrompt", "inputs": {**single, **inputs}},
        "prompt": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
        "label": {"class_type": "PreviewAny", "inputs": {"source": ["1", 4]}},
    }


def texts(run, node):
    assert run.end == "execution_success", run.messages[-1]
    return run.history["outputs"][node]["text"]


def test_single(host):
    run = host.run(graph())
    assert texts(run, "prompt") == ["Edit the person to show a happy expression"]
    assert texts(run, "label") == ["happy"]


def test_a_list_runs_the_following_nodes_once_for_each(host):
    run = host.run(graph(mode="pixelsmile 12", **{"style.subject": "character"}))
    assert texts(run, "label")[:3] == ["angry", "confused", "contempt"]
    assert texts(run, "prompt")[11] == "Edit the character to show a anxious expression"


def test_a_persons_inputs_reach_the_sentence(host):
    person = {f"style.{k}": v for k, v in {"age": "elderly", "gender": "man", "race": "Latino", "details": "x"}.items()}
    run = host.run(graph(style="geneava", mode="chosen list", **{"mode.words": "delight\ngrief"}, **person))
    assert [text.split(", displaying")[0] for text in texts(run, "prompt")] == [
        "A photorealistic face of an elderly Latino man with shoulders visible, x"
    ] * 2


def test_emotions_travel_through_the_socket_one_by_one(host):
    chain = graph(mode="primary class", **{"mode.primary": "surprise"})
    chain["2"] = {
        "class_type": "ExpressionPrompt",
        "inputs": {**graph()["1"]["inputs"], "style": "tags", "intensity": 0.5, "emotion": ["1", 3]}
        | {f"style.{k}": "unspecified" for k in ("age", "gender", "race")}
        | {"style.details": ""},
    }
    chain["label"]["inputs"]["source"] = ["2", 4]
    chain["prompt"]["inputs"]["source"] = ["2", 0]
    run = host.run(chain)
    assert texts(run, "label") == ["amazement", "surprise", "astonishment"]
    assert all("solo, portrait, (" in text for text in texts(run, "prompt"))


def test_an_unknown_word_ends_the_run_with_a_sentence(host):
    run = host.run(graph(mode="chosen list", **{"mode.words": "hapy"}))
    assert run.end == "execution_error"
    assert "Did you mean happy" in run.messages[-1]["data"]["exception_message"]


@pytest.mark.parametrize("name", ["mode", "style"])
def test_an_unknown_choice_ends_the_run_with_a_sentence(host, name):
    run = host.run(graph(**{name: "everything"}))
    assert run.end == "execution_error"
    assert f"The {name} is none of: " in run.messages[-1]["data"]["exception_message"]


@pytest.mark.parametrize(("name", "value"), [("mode.word", "hapy"), ("intensity", 2.0), ("style.subject", "cat")])
def test_the_host_refuses_values_outside_the_widgets(host, name, value):
    with pytest.raises(LaunchError, match=name.split(".")[-1]) as refusal:
        host.run(graph(**{name: value}))
    assert json.dumps(value).strip('"') in str(refusal.value)
