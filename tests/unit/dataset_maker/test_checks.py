"""What is said of a painted picture, with drawn people and the bundled reader."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from expressive.dataset_maker.checks import Checker
from expressive.dataset_maker.config import Checks
from expressive.dataset_maker.known_people import KnownPeople
from expressive.dataset_maker.plan import PlannedAvatar
from expressive.emotion import Emotion
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT

MODELS = ROOT / "models"
HAPPY = PlannedAvatar(0, "happiness", 1.0, 0, "young adult", "woman", "Indian", "", 1)


def drawn(seed: int, emotion: str = "pixelsmile.happy", intensity: float = 1.0) -> np.ndarray:
    return picture(Scene(Identity.sample(7_000_000 + seed), Emotion.of(emotion, intensity)))


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(Checks(faces="reader", expressions="reader", border=0.0), MODELS)


def test_a_happy_face_is_kept_when_happiness_was_asked_for(checker):
    verdict = checker(drawn(1), HAPPY)
    assert (verdict.fault, verdict.reached, verdict.about["shows"]) == ("", True, "happy")
    assert verdict.score > 0.5
    assert len(verdict.about["scores"]) == 12


def test_another_expression_is_said_and_can_be_kept(checker):
    verdict = checker(drawn(1, "pixelsmile.angry"), HAPPY)
    assert (verdict.fault, verdict.reached, verdict.about["shows"]) == ("", False, "angry")
    assert verdict.score < checker(drawn(1), HAPPY).score


def test_pictures_without_a_face_or_of_one_colour_cannot_be_used(checker):
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    assert checker(noise, HAPPY).fault == "no face"
    assert "one colour" in checker(np.full((128, 128, 3), 90, np.uint8), HAPPY).fault


def test_faces_have_to_be_large_and_free_of_the_border():
    assert "border" in Checker(Checks(faces="reader", border=0.3), MODELS)(drawn(1), HAPPY).fault
    assert "small" in Checker(Checks(faces="reader", border=0.0, smallest=0.95), MODELS)(drawn(1), HAPPY).fault


def test_without_encoders_only_broken_pictures_are_refused():
    verdict = Checker(Checks(), Path("nowhere"))(drawn(1), HAPPY)
    assert (verdict.fault, verdict.reached, verdict.about) == ("", True, {})


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("known")
    for seed in range(40):
        Image.fromarray(drawn(seed, "pixelsmile.sad")).save(folder / f"{seed:02d}.png")
    return folder


def test_nobody_may_look_like_known_people(known):
    checker = Checker(Checks(faces="reader", border=0.0, known=known, alike=0.7), MODELS)
    faults = [checker(drawn(seed), HAPPY).fault for seed in range(12)]
    assert sum(fault == f"somebody like {seed:02d}.png" for seed, fault in enumerate(faults)) >= 10
    strangers = [checker(drawn(seed), HAPPY).fault for seed in range(100, 112)]
    assert sum(not fault for fault in strangers) >= 9


def test_copies_of_known_people_are_told_from_strangers_as_a_set(known, tmp_path):
    people = KnownPeople.load(known, "reader", MODELS)
    assert len(people.faces) == 40 and len(set(people.people)) == 40

    def saved(seeds):
        files = []
        for seed in seeds:
            for emotion in ("pixelsmile.happy", "pixelsmile.sleepy"):
                files.append((tmp_path / f"{seed}-{emotion}.png", seed))
                Image.fromarray(drawn(seed, emotion)).save(files[-1][0])
        return files

    copies, strangers = people.memorised(saved(range(20))), people.memorised(saved(range(200, 220)))
    assert copies is not None and copies.detected and len(copies.similar) == 20
    assert strangers is not None and not strangers.detected


def test_in_emo135s_layout_the_identities_of_its_list_count(tmp_path):
    for place, seed in (("delight/a", 1), ("delight/b", 1), ("grief/a", 2)):
        file = tmp_path / f"{place}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(drawn(seed)).save(file)
    (tmp_path / "identities.csv").write_text(
        "picture,identity,split\ndelight/a.png,anna,train\ndelight/b.png,anna,train\ngrief/a.png,ben,train\n"
    )
    assert sorted(KnownPeople.load(tmp_path, "reader", MODELS).people) == ["anna", "anna", "ben"]


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        (Checks(known=Path("nowhere")), "checks.faces"),
        (Checks(known=Path("nowhere"), faces="reader"), "nowhere"),
    ],
)
def test_known_people_need_pictures_and_eyes(checks, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Checker(checks, MODELS)
