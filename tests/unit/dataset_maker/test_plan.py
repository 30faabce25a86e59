"""The plan of a dataset: every pair once, balanced, and so is any beginning of it."""

import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from expressive.dataset_maker.config import Config, People
from expressive.dataset_maker.plan import PLAN, balance, balanced, keep_plan, make_plan
from expressive.emotion import vocabulary
from expressive.settings import read_settings
from launcher.places import ROOT

CONFIGS = ROOT / "trainers" / "configs"
WORDS = [word.word for word in vocabulary.emo135()]


def config(**changes) -> Config:
    return Config.model_validate({"name": "x", "workflow": {"file": "x.json", "keep": "x", "inputs": {}}, **changes})


def spread(counts: Counter) -> int:
    return max(counts.values()) - min(counts.values())


@pytest.mark.parametrize("name", ["geneava-1.0", "geneava-1.0.pocket"])
def test_the_shipped_plans_are_geneavas_13230(name):
    shipped = read_settings(CONFIGS / f"{name}.toml", Config)
    plan = make_plan(shipped)
    assert len(plan) == len({avatar.name for avatar in plan}) == 135 * 98 == 13_230
    assert len({(avatar.word, avatar.person) for avatar in plan}) == 13_230
    assert [avatar.number for avatar in plan] == list(range(13_230))
    counts = balance(plan)
    assert (spread(counts["word"]), spread(counts["gender"]), spread(counts["race"])) == (0, 0, 0)
    assert spread(counts["age"]) == 135  # of 98 people in five age groups, three groups have one more
    assert (CONFIGS / shipped.workflow.file).is_file()


@pytest.mark.parametrize("limit", [135, 270, 1000])
def test_a_beginning_of_it_is_balanced_too(limit):
    counts = balance(make_plan(config())[:limit])
    assert spread(counts["word"]) <= 1
    assert len(counts["word"]) == 135
    for axis in ("gender", "race", "age"):
        assert spread(counts[axis]) <= 0.06 * limit / len(counts[axis]) + 3, counts[axis]


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=12, unique=True),
    count=st.integers(1, 30),
    seed=st.integers(0, 10),
)
def test_every_expression_meets_everybody_once(words, count, seed):
    plan = make_plan(config(expressions=words, people={"count": count}, seed=seed))
    assert len({(avatar.word, avatar.person) for avatar in plan}) == len(plan) == len(words) * count
    first_round = plan[: math.lcm(len(words), count)]
    assert spread(Counter(avatar.word for avatar in first_round)) == 0
    assert spread(Counter(avatar.person for avatar in first_round)) == 0


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 150))
def test_people_are_balanced(count):
    people = balanced(People(count=count, details=(("a", "b", "c"), ("d", "e"))), 3)
    assert len(people) == count
    for of in (
        lambda who: (who.race, who.gender),
        lambda who: who.gender,
        lambda who: who.details.split(", ")[0],
        lambda who: who.details.split(", ")[1],
    ):
        counts = Counter(of(who) for who in people)
        assert spread(counts) <= 1
    ages = Counter((who.race, who.gender, who.age) for who in people)
    assert max(ages.values()) - (min(ages.values()) if len(ages) == 70 else 0) <= math.ceil(count / 70)
    if count >= 70:
        assert spread(Counter(who.age for who in people)) <= 3
        assert spread(Counter((who.gender, who.age) for who in people)) <= 2


def test_seeds_stay_with_people_or_are_everybodys_own_and_change_with_each_try():
    same, own = make_plan(config()), make_plan(config(same_seed=False))
    by_person = {avatar.person: avatar.seed for avatar in same}
    assert all(by_person[avatar.person] == avatar.seed for avatar in same)
    assert len(set(by_person.values())) == 98
    assert len({avatar.seed for avatar in own}) == 13_230
    assert same[0].seed != make_plan(config(seed=1))[0].seed
    tries = [same[0].seed_of_try(number) for number in range(5)]
    assert tries[0] == same[0].seed and len(set(tries)) == 5
    assert all(0 <= seed < 2**53 for seed in tries)


def test_a_plan_says_what_is_asked_for():
    avatar = make_plan(config(people={"count": 14, "details": [["red hair"]]}, intensity=0.5))[7]
    assert avatar.emotion.label == avatar.word
    assert avatar.emotion.intensity == 0.5
    assert "red hair" in avatar.prompt and f"mild facial expression of {avatar.word}" in avatar.prompt


def test_a_folder_keeps_its_plan_and_refuses_another(tmp_path: Path):
    plan = make_plan(config(expressions=["delight", "grief"], people={"count": 3}))
    keep_plan(plan, tmp_path)
    written = (tmp_path / PLAN).read_bytes()
    keep_plan(plan, tmp_path)
    assert (tmp_path / PLAN).read_bytes() == written
    assert written.count(b"\n") == 6
    with pytest.raises(ValueError, match="another plan"):
        keep_plan(make_plan(config(expressions=["delight", "grief"], people={"count": 3}, seed=1)), tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expressions": ["delight", "hungry"]}, "hungry"),
        ({"expressions": ["delight", "delight"]}, "each once"),
        ({"people": {"details": [[]]}}, "empty"),
        ({"people": {"races": ["Martian"]}}, "Martian"),
    ],
)
def test_what_cannot_be_planned_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(config(**changes))


def test_ages_stand_once_each():
    with pytest.raises(ValidationError, match="each once"):
        config(people={"ages": ["child", "child"]})
