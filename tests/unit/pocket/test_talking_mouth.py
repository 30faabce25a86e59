"""Lips: closed where they must be, open with the sound, smooth in between."""

import numpy as np
import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.pocket.talking import VISEMES, Voice, mouth, speak, viseme
from expressive.pocket.talking.face import spoken
from expressive.pocket.talking.mouth import contact, loudness, segments, speaking
from expressive.pocket.talking.visemes import _SYMBOLS, SHAPES, parts
from expressive.speech.spoken import Speech

TEXT = "My mother baked a big pie before the party, and Bob never even thanked her for five plums."
OPENING = {"AU25": 3.4, "AU26": 6.8, "AU27": 11.9, "AU16": 2.2, "AU22": 2.4}


@pytest.fixture(scope="module")
def said() -> Speech:
    return speak(TEXT).padded(0.3, 0.3)


def opening(units: dict[str, float]) -> float:
    return sum(weight * max(0.0, units.get(code, 0.0)) for code, weight in OPENING.items())


def frames(speech: Speech, offset: float = 0.5) -> np.ndarray:
    return (np.arange(int(speech.seconds * 25)) + offset) / 25


def test_every_sound_of_the_languages_has_a_viseme() -> None:
    assert set(SHAPES) == set(VISEMES)
    assert {name for name, _ in _SYMBOLS.values()} | {"sil"} == set(VISEMES)
    pangrams = {
        "en-us": TEXT + " The beige judge would choose these young singers; how would you use your voice, sir?",
        "en": TEXT + " The beige judge would choose these young singers; how would you use your voice, sir?",
        "de": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
        "fr": "Portez ce vieux whisky au juge blond qui fume, bien sûr, dans un coin.",
        "es": "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío.",
    }
    for language, text in pangrams.items():
        for phoneme in speak(text, Voice(language)).phonemes:
            assert phoneme.text == "" or any(letter in _SYMBOLS for letter in phoneme.text), (language, phoneme)


@pytest.mark.parametrize(
    ("phoneme", "expected"),
    [("", "sil"), ("p", "PP"), ("m", "PP"), ("v", "FF"), ("θ", "TH"), ("tʃ", "CH"), ("ɹ", "RR"), ("w", "ou")]
    + [("ˈuː", "ou"), ("ˈiː", "ih"), ("ɛ", "E"), ("ˈɑː", "aa"), ("ɔː", "oh"), ("n", "nn"), ("z", "SS"), ("ɡ", "kk")],
)
def test_phonemes_have_their_usual_visemes(phoneme: str, expected: str) -> None:
    assert viseme(phoneme) == expected


def test_diphthongs_have_two_shapes_and_fill_their_time(said: Speech) -> None:
    assert [part.viseme for part in parts("ˈaʊ")] == ["aa", "ou"]
    assert sum(part.share for part in parts("aɪɚ")) == pytest.approx(1.0)
    found = segments(said)
    assert all(before.end == pytest.approx(after.start) for before, after in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("rate", [120, 165, 260])
@pytest.mark.parametrize("word", ["neutral", "pixelsmile.angry", "pixelsmile.surprised", "pixelsmile.disgust"])
def test_lips_close_on_every_p_b_m_at_any_frame_offset_and_in_any_mood(rate: int, word: str) -> None:
    speech = speak(TEXT, Voice(rate=rate))
    felt = Emotion.of(word).action_units()
    for offset in (0.0, 0.33, 0.71):
        times = frames(speech, offset)
        shapes, touch, speaks = mouth(speech, times), contact(speech, times), speaking(speech, times)
        gaps = []
        for i, shape in enumerate(shapes):
            change = spoken(felt, shape, speaks[i], touch[i])
            gaps.append(opening({code: felt.get(code, 0.0) + change.get(code, 0.0) for code in {*felt, *change}}))
        closed = 0
        for phoneme in speech.phonemes:
            if viseme(phoneme.text) == "PP":
                inside = np.abs(times - (phoneme.start + phoneme.end) / 2) < (phoneme.end - phoneme.start) / 2 + 0.03
                closed += min(np.array(gaps)[inside]) < 0.05
        assert closed == sum(viseme(phoneme.text) == "PP" for phoneme in speech.phonemes) > 8


def test_teeth_meet_the_lip_in_f_and_v_and_lips_round_in_w(said: Speech) -> None:
    shapes = mouth(said, [(phoneme.start + phoneme.end) / 2 for phoneme in said.phonemes])
    for phoneme, shape in zip(said.phonemes, shapes, strict=True):
        if viseme(phoneme.text) == "FF":
            assert shape["AU32"] > 0.3 and opening(shape) < 0.3
        elif phoneme.text == "w":
            assert shape["AU18"] > 0.3


def test_the_mouth_opens_with_the_sound(said: Speech) -> None:
    times = frames(said)
    gap = np.array([opening(shape) for shape in mouth(said, times)])
    power = said.audio[: len(times) * 640].reshape(-1, 640).astype(np.float64) ** 2
    level = np.log10(np.sqrt(power.mean(axis=1)) + 1e-3)
    shifts = range(-5, 6)
    inner = slice(5, len(times) - 5)
    found = [np.corrcoef(gap[inner], level[5 + s : len(times) - 5 + s])[0, 1] for s in shifts]
    assert abs(shifts[int(np.argmax(found))]) <= 1
    assert found[5] > 0.45


def test_the_mouth_is_smooth_and_independent_of_the_frame_rate(said: Speech) -> None:
    fine = np.arange(0, said.seconds, 0.002)
    shapes = mouth(said, fine)
    for code in ("AU25", "AU26", "AU18", "AU20", "AU24", "AU32"):
        track = np.array([shape.get(code, 0.0) for shape in shapes])
        assert np.abs(np.diff(track)).max() < 0.12, code
    assert mouth(said, fine[[70, 30]]) == [shapes[70], shapes[30]]
    assert mouth(said, []) == []


def test_more_articulation_moves_more_and_silence_rests(said: Speech) -> None:
    times = frames(said)
    small, large = (sum(opening(s) for s in mouth(said, times, by)) for by in (0.8, 1.2))
    assert large == pytest.approx(1.5 * small, rel=0.02)
    assert opening(mouth(said, [0.05])[0]) < 0.05
    assert speaking(said, [0.02, 1.5, said.seconds - 0.02]) == pytest.approx([0, 1, 0], abs=0.05)
    assert loudness(said, [0.05])[0] == 0.0


def test_a_silent_face_is_all_the_emotions_and_a_smile_outlasts_speech() -> None:
    for word in vocabulary.pixelsmile():
        felt = dict(word.action_units)
        assert all(abs(value) < 1e-9 for value in spoken(felt, {"AU25": 1.0}, 0.0, 0.0).values())
        change = spoken(felt, {"AU25": 0.4}, 1.0, 0.0)
        assert all(felt.get(code, 0.0) + value >= -1e-9 for code, value in change.items())
    assert spoken({"AU12": 1.0, "AU25": 0.5, "AU6": 0.8}, {}, 1.0, 1.0) == pytest.approx({"AU12": -0.2, "AU25": -0.5})
