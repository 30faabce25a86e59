"""The small voice: everybody's own, with the emotion of each sentence, of any length, and with its timings."""

import importlib
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from expressive.emotion import Emotion
from expressive.pocket.talking import VISEMES, speech
from expressive.speech import pocket_voice
from expressive.speech.markup import NON_VERBALS, without_tags
from expressive.speech.pocket_voice import frames, somebody, speak, tuned, variant
from expressive.speech.spoken import Speech, Timed, resampled
from expressive.speech.timings import timings, timings_json
from expressive.speech.voices import LANGUAGES, VARIANTS

GOOD, BAD = "We won the whole thing today, all of us!", "My old dog died last night, alone."
JOY, SADNESS = Emotion.of("text7.joy"), Emotion.of("text7.sadness")


@pytest.fixture(scope="module")
def both() -> Speech:
    return speak(f"{GOOD} {BAD}", variant("f2"), sentences=[(GOOD, JOY), (BAD, SADNESS)])


def words(said: Speech) -> list[str]:
    return [word.text for word in said.words]


def hertz(said: Speech) -> float:
    """The median fundamental frequency of the voiced 64 ms windows, by autocorrelation."""
    size, found = round(0.064 * said.rate), []
    for start in range(0, len(said.audio) - size, size // 3):
        window = said.audio[start : start + size] * np.hanning(size)
        power = np.fft.irfft(np.abs(np.fft.rfft(window, 4 * size)) ** 2)
        low, high = said.rate // 450, said.rate // 60
        lag = low + int(power[low:high].argmax())
        if window.std() > 0.01 and power[lag] > 0.5 * power[0]:
            found.append(said.rate / lag)
    return float(np.median(found))


def test_everybody_has_a_voice_of_their_own_and_keeps_it() -> None:
    assert somebody("woman", 30, 7) == somebody("woman", 30, 7)
    assert len({somebody("man", 30, seed) for seed in range(20)}) > 15
    assert len({somebody("woman", 30, seed).name for seed in range(20)}) > 3
    assert somebody("man", 16, 7).pitch > somebody("man", 40, 7).pitch > somebody("man", 85, 7).pitch
    for age in (1, 120):
        assert speak("Yes.", somebody("woman", age, 3)).seconds > 0.1
    assert somebody("woman", 30, 7, "de").name.startswith("de+")


def test_women_speak_higher_than_men() -> None:
    women, men = ([hertz(speak(GOOD, somebody(who, 30, seed))) for seed in range(4)] for who in ("woman", "man"))
    assert min(women) > max(men)


def test_pitch_is_in_semitones_and_rate_in_words_a_minute() -> None:
    voice = variant("f2")
    usual, higher = (speak(GOOD, tuned(voice, semitones=up)) for up in (0.0, 4.0))
    assert 12 * np.log2(hertz(higher) / hertz(usual)) == pytest.approx(4.0, abs=1.0)
    hasty = speak(GOOD, tuned(voice, rate=330))
    assert 0.3 * usual.seconds < hasty.seconds < 0.6 * usual.seconds
    assert (tuned(voice, semitones=-99).pitch, tuned(voice, semitones=99).pitch) == (0, 99)


def test_the_same_request_gives_the_same_samples(both: Speech) -> None:
    again = speak(f"{GOOD} {BAD}", variant("f2"), sentences=[(GOOD, JOY), (BAD, SADNESS)])
    np.testing.assert_array_equal(again.audio, both.audio)
    assert (again.phonemes, again.words) == (both.phonemes, both.words)


def test_every_sentence_is_spoken_with_its_own_emotion(both: Speech) -> None:
    glad, low = speak(GOOD, variant("f2"), JOY), speak(BAD, variant("f2"), SADNESS)
    fade, first, last = 80, len(glad.audio), len(low.audio)
    np.testing.assert_array_equal(both.audio[: first - fade], glad.audio[:-fade])
    np.testing.assert_array_equal(both.audio[fade - last :], low.audio[fade:])
    pause = both.seconds - glad.seconds - low.seconds
    assert 0.2 < pause < 0.4  # of a glad sentence
    assert words(both) == words(glad) + words(low)
    assert not np.array_equal(speak(GOOD, variant("f2"), SADNESS).audio, glad.audio)


def test_a_sad_sentence_is_followed_by_a_longer_pause() -> None:
    def pause(felt: Emotion) -> float:
        one, other = (speak(text, variant("f2"), felt) for text in (GOOD, BAD))
        whole = speak("", variant("f2"), sentences=[(GOOD, felt), (BAD, felt)])
        return whole.seconds - one.seconds - other.seconds

    assert pause(SADNESS) > 1.5 * pause(JOY)


def test_joined_sentences_neither_click_nor_leave_gaps(both: Speech) -> None:
    alone = [speak(text, variant("f2"), felt) for text, felt in ((GOOD, JOY), (BAD, SADNESS))]
    steps = [float(np.abs(np.diff(one.audio)).max()) for one in alone]
    assert float(np.abs(np.diff(both.audio)).max()) <= max(steps) + 1e-3
    assert both.phonemes[0].start == 0.0 and both.phonemes[-1].end == pytest.approx(both.seconds)
    for before, after in itertools.pairwise(both.phonemes):
        assert before.start < before.end == after.start < after.end
    for before, after in itertools.pairwise(both.words):
        assert before.start < before.end <= after.start < after.end


def test_strength_says_how_much_of_the_emotion_is_heard() -> None:
    plain, half, full = (speak(BAD, variant("f2"), SADNESS, strength=by) for by in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(plain.audio, speak(BAD, variant("f2")).audio)
    assert plain.seconds < half.seconds < full.seconds


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One is here. Two is there. Three are gone. Four stay.", 2),
        ("one two three four five six seven eight nine ten eleven twelve", 2),
    ],
)
def test_a_long_text_is_spoken_in_pieces(monkeypatch: pytest.MonkeyPatch, text: str, pieces: int) -> None:
    whole = speak(text, variant("m1"))
    monkeypatch.setattr(speech, "LONGEST", 40)
    told: list[tuple[int, int]] = []
    said = speak(text, variant("m1"), between=lambda done, total: told.append((done, total)))
    assert told == [(done, pieces) for done in range(pieces + 1)]
    assert "".join(words(said)) == "".join(words(whole))
    assert said.seconds == pytest.approx(whole.seconds, rel=0.25)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Dr. Smith came at noon. He left again. Why?", ["Dr. Smith came at noon.", "He left again. Why?"]),
        ("It is a well-known and well-made old thing. Yes.", ["It is a well-known and", "well-made old thing. Yes."]),
        ("a" * 70, ["a" * 30, "a" * 30, "a" * 10]),
    ],
)
def test_a_long_text_is_cut_where_sentences_end(monkeypatch: pytest.MonkeyPatch, text: str, pieces: list[str]) -> None:
    spoken: list[str] = []

    def silent(words: str, *rest: object) -> Speech:
        spoken.append(words)
        return Speech(np.zeros(1600, np.float32), 16_000, (), ())

    monkeypatch.setattr(speech, "LONGEST", 30)
    monkeypatch.setattr(speech, "speak", silent)
    speak(text, variant("m1"))
    assert spoken == pieces


def test_what_stops_between_parts_ends_the_work() -> None:
    def stop(done: int, total: int) -> None:
        if done == 1:
            raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError, match="1 of 2"):
        speak("", variant("m1"), sentences=[(GOOD, JOY), (BAD, SADNESS)], between=stop)


def test_tags_for_dia_are_not_read_aloud() -> None:
    tagged = speak("[S1] Hello there (laughs). [S2] (Clears throat) Good day to you.", variant("m1"))
    np.testing.assert_array_equal(tagged.audio, speak("Hello there. Good day to you.", variant("m1")).audio)
    assert without_tags("Oh (sighs) (gasps)! [S2] No (really).") == "Oh! No (really)."
    assert all(without_tags(f"a ({sound}) b") == "a b" for sound in NON_VERBALS)


def test_sentences_without_letters_are_left_out_of_many() -> None:
    said = speak("", variant("m1"), sentences=[("(laughs)", JOY), ("…", JOY), ("Well.", JOY)])
    assert words(said) == ["Well"]


@pytest.mark.parametrize(
    ("text", "sentences", "message"),
    [
        (" \n", (), "nothing to say: the text is empty"),
        ("[S1] (laughs) (sighs)", (), "nothing but tags such as"),
        ("", (("(laughs)", JOY),), "nothing but tags such as"),
        ("...", (), "nothing to pronounce"),
        ("Good morning.", ((GOOD, JOY),), "not those of the text"),
    ],
)
def test_what_cannot_be_said_is_refused_in_a_sentence(text: str, sentences: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        speak(text, variant("m1"), sentences=sentences)


def test_sentences_fit_their_text_whatever_the_blanks() -> None:
    said = speak(f"  {GOOD}\n\n\t{BAD} ", variant("m1"), sentences=[(GOOD, JOY), (BAD, SADNESS)])
    assert words(said)[-1] == "alone"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_speaks(language: str) -> None:
    assert len(speak("1, 2.", variant("f2", language)).phonemes) > 3


def test_every_variant_is_there() -> None:
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    assert set(VARIANTS) <= {file.name for file in folder.iterdir()}


def test_44_kilohertz_are_brighter_than_what_16_can_hold() -> None:
    def bright(said: Speech) -> float:
        power = np.abs(np.fft.rfft(said.audio)) ** 2
        return float(power[np.fft.rfftfreq(len(said.audio), 1 / said.rate) > 9500].sum() / power.sum())

    low, high = (speak("She sells sea shells.", variant("f2"), sample_rate=rate) for rate in (16_000, 44_100))
    assert high.rate == 44_100 and high.seconds == pytest.approx(low.seconds, abs=1e-3)
    assert (high.phonemes, high.words) == (low.phonemes, low.words)
    assert bright(high) > 3 * bright(resampled(low, 44_100))


@pytest.mark.parametrize(
    ("seconds", "fps", "expected"), [(2.2, 25, 55), (2.21, 25, 56), (1.0, 23.976, 24), (1 / 3, 30, 10), (0.0, 25, 1)]
)
def test_a_video_lasts_as_long_as_the_voice(seconds: float, fps: float, expected: int) -> None:
    assert frames(seconds, fps) == expected


def test_timings_tell_words_sounds_and_mouth_shapes(both: Speech) -> None:
    found = json.loads(timings_json(both))
    assert [word["text"] for word in found["words"]] == words(both)
    assert [phoneme["text"] for phoneme in found["phonemes"]] == [phoneme.text for phoneme in both.phonemes]
    visemes = found["visemes"]
    assert {one["viseme"] for one in visemes} <= set(VISEMES) and len(visemes) > len(both.phonemes)
    assert visemes[0]["start"] == 0 and visemes[-1]["end"] == pytest.approx(both.seconds, abs=1e-3)
    for before, after in itertools.pairwise(visemes):
        assert before["start"] <= before["end"] == after["start"]


def test_a_diphthong_has_two_mouth_shapes_and_a_voice_without_phonemes_none() -> None:
    said = Speech(np.zeros(16_000, np.float32), 16_000, (Timed("p", 0.0, 0.5), Timed("ˈaɪ", 0.5, 1.0)), ())
    found = timings(said)["visemes"]
    assert [one["viseme"] for one in found] == ["PP", "aa", "ih"]
    assert found[1]["start"] == 0.5 and found[2]["end"] == 1.0
    unknown = timings(Speech(said.audio, said.rate, (), (Timed("pie", 0.0, 1.0),)))
    assert unknown["visemes"] == unknown["phonemes"] == [] and unknown["words"][0]["end"] == 1.0


PERSON = {"voice": "person", "gender": "woman", "age": 30}
WIDGETS = {
    **{"text": GOOD, "seed": 7, "language": "en-us (English, America)", "rate": 165, "pitch": 0.0, "strength": 1.0},
    **{"before": 0.2, "after": 0.4, "sample_rate": "16 kHz", "fps": 25.0, "voice": PERSON},
}


@pytest.fixture
def node(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.pocket_voice").PocketVoice


def test_the_node_gives_what_the_host_calls_audio(node: Any) -> None:
    audio, said, told, seconds, count = node.execute(**WIDGETS | {"sample_rate": "44.1 kHz"}).args
    waveform = audio["waveform"]
    assert audio["sample_rate"] == said.rate == 44_100
    assert waveform.dtype == torch.float32 and waveform.shape == (1, 1, len(said.audio))
    assert seconds == said.seconds == waveform.shape[-1] / 44_100 and count == frames(seconds, 25)
    assert not waveform[..., :8820].any() and not waveform[..., -17_640:].any() and waveform.any()
    assert json.loads(told)["words"][0] == {"text": "We", **{k: pytest.approx(v, abs=1e-3) for k, v in _first(said)}}
    waveform.zero_()
    assert said.audio.any()  # what follows may change the audio, and the timings' own stays


def _first(said: Any) -> list[tuple[str, float]]:
    return [("start", said.words[0].start), ("end", said.words[0].end)]


def test_the_node_takes_a_variant_and_the_emotions_of_sentences(node: Any, pack: ModuleType, both: Speech) -> None:
    emotions = importlib.import_module(f"{pack.__name__}.expressive.emotion").Emotion
    sentence = importlib.import_module(f"{pack.__name__}.expressive.speech.text_emotion").Sentence
    read = (
        sentence(GOOD, emotions.of("text7.joy"), 0.5),
        sentence(BAD, emotions.of("text7.sadness"), 0.5),
    )
    by_name = {"voice": "variant", "variant": "f2"}
    silent = {"before": 0.0, "after": 0.0, "voice": by_name}
    said = node.execute(**WIDGETS | silent | {"text": f"{GOOD} {BAD}"}, sentences=read).args[1]
    np.testing.assert_array_equal(said.audio, both.audio)
    glad = node.execute(**WIDGETS | silent, emotion=emotions.of("text7.joy")).args[1]
    assert len(glad.audio) < len(node.execute(**WIDGETS | silent).args[1].audio)


def test_the_node_stops_when_it_is_told_to(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise InterruptedError

    management = importlib.import_module("comfy.model_management")
    monkeypatch.setattr(management, "throw_exception_if_processing_interrupted", stop)
    with pytest.raises(InterruptedError):
        node.execute(**WIDGETS)


def test_the_node_says_what_is_missing(node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="The voice is none of: person, variant"):
        node.execute(**WIDGETS | {"voice": None})
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ImportError, match="espeakng-loader is needed to speak.*pip install espeakng-loader"):
        node.execute(**WIDGETS)


def test_every_default_of_the_node_is_a_choice(node: Any) -> None:
    schema = node.define_schema()
    languages = next(item.options for item in schema.inputs if item.id == "language")
    assert languages[0] == WIDGETS["language"]
    assert [text.partition(" ")[0] for text in languages] == list(LANGUAGES)
    assert pocket_voice.USUAL_RATE == next(item.default for item in schema.inputs if item.id == "rate")
