from collections import Counter
from dataclasses import replace

import pytest

from expressive.pocket.faces import AGE_GROUPS, GENDERS, RACES, Identity, balanced


def test_given_attributes_are_kept_and_the_others_stay_as_they_were() -> None:
    drawn = Identity.sample(17)
    asked = Identity.sample(17, glasses="round", clothes="pink", freckles=True)
    assert (asked.glasses, asked.clothes_name, asked.freckles) == ("round", "pink", True)
    kept = {"glasses": drawn.glasses, "clothes": drawn.clothes, "freckles": drawn.freckles}
    assert replace(asked, **kept) == drawn


@pytest.mark.parametrize("race", RACES)
def test_skin_follows_the_race_that_is_asked_for(race: str) -> None:
    tones = {sum(Identity.sample(seed, race=race).skin) for seed in range(20)}
    black, white = Identity.sample(0, race="Black"), Identity.sample(0, race="White")
    assert sum(black.skin) < sum(white.skin)
    assert len(tones) > 10


def test_names_of_colours_are_those_asked_for() -> None:
    who = Identity.sample(5, gender="man", hair="blue", hair_style="spiky", eyes="green", beard="full", age=33)
    assert (who.hair_name, who.eye_name, who.beard, who.age_group) == ("blue", "green", "full", "young adult")
    assert Identity.sample(5, hair_style="bald").hair_name == "bald"
    for seed in range(200):
        who = Identity.sample(seed)
        assert who.hair_name and who.eye_name and who.clothes_name and who.age_group


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"hair": "mauve"}, "Expected hair to be one of black, brown.*'mauve'"),
        ({"race": "Martian"}, "Expected race to be one of White"),
        ({"age": 7}, "from 16 to 80 years; got age 7"),
        ({"glasses": "oval"}, "none, round, square; got 'oval'"),
    ],
)
def test_what_is_not_drawn_is_a_sentence(attributes: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Identity.sample(1, **attributes)


def test_balanced_people_hold_every_combination_once_a_round() -> None:
    people = list(balanced(112, seed=4, first_seed=500))
    for part in (people[:56], people[56:]):
        cells = Counter((who.gender, who.race, who.age_group) for who in part)
        assert len(cells) == len(GENDERS) * len(RACES) * len(AGE_GROUPS) == 56
        assert set(cells.values()) == {1}
    assert [who.seed for who in people] == list(range(500, 612))
    assert people == list(balanced(112, seed=4, first_seed=500))
    assert people != list(balanced(112, seed=5, first_seed=500))
