"""Speech: the same samples always, timings that fit the sound, voices that follow the emotion."""

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.pocket.faces import Identity
from expressive.pocket.talking import RATE, Voice, expressive, speak, voice_of
from expressive.pocket.talking import speech as module
from expressive.speech.prosody import prosody
from expressive.speech.spoken import Speech

ROOT = Path(__file__).parents[3]
TEXT = "Peter picked a bright new map, for five thin judges? Yes: you!"


@pytest.fixture(scope="module")
def said() -> Speech:
    return speak(TEXT)


def digest(speech: Speech) -> str:
    return hashlib.sha256(speech.audio.tobytes() + repr(speech.phonemes).encode()).hexdigest()


def pitch(speech: Speech) -> np.ndarray:
    """Fundamental frequency of the voiced 64 ms windows, by autocorrelation."""
    found = []
    for start in range(0, len(speech.audio) - 1024, 400):
        window = speech.audio[start : start + 1024] * np.hanning(1024)
        power = np.fft.irfft(np.abs(np.fft.rfft(window, 4096)) ** 2)
        low, high = RATE // 450, RATE // 60
        lag = low + int(power[low:high].argmax())
        if window.std() > 0.01 and power[lag] > 0.5 * power[0]:
            found.append(RATE / lag)
    return np.array(found)


def test_the_same_text_sounds_the_same_whatever_was_said_before_and_in_another_process(said: Speech) -> None:
    speak("Something else, in another voice.", Voice("en-us+f3", pitch=80))
    assert digest(speak(TEXT)) == digest(said)
    code = (
        "import hashlib; from expressive.pocket.talking import speak;"
        f"s = speak({TEXT!r}); print(hashlib.sha256(s.audio.tobytes() + repr(s.phonemes).encode()).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(said)


def test_voices_with_noise_repeat_too() -> None:
    first, second = (speak("Peter saw it.", Voice("en-us+f3")) for _ in range(2))
    assert digest(first) == digest(second)


def test_timings_run_through_the_whole_sound(said: Speech) -> None:
    assert said.audio.dtype == np.float32 and said.rate == RATE
    assert 0.2 < np.abs(said.audio).max() <= 1.0
    assert said.phonemes[0].start == 0.0
    assert said.phonemes[-1].end == pytest.approx(said.seconds, abs=1e-3)
    for before, after in itertools.pairwise(said.phonemes):
        assert before.start < before.end == after.start < after.end
    for before, after in itertools.pairwise(said.words):
        assert 0 <= before.start < before.end <= after.start < after.end <= said.seconds
    expected = ["Peter", "picked", "a", "bright", "new", "map", "for", "five", "thin", "judges", "Yes", "you"]
    assert [word.text for word in said.words] == expected


def test_a_stop_begins_in_silence_and_vowels_are_loud(said: Speech) -> None:
    def level(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(said.audio[round(start * RATE) : round(end * RATE)] ** 2)))

    for phoneme in said.phonemes[2:]:
        if phoneme.text == "p":
            assert level(phoneme.start, phoneme.start + 0.03) < 0.01
        elif phoneme.text.startswith("ˈ"):
            assert level(phoneme.start, phoneme.end) > 0.05
        elif not phoneme.text and phoneme.end - phoneme.start > 0.1:
            assert level(phoneme.start + 0.03, phoneme.end - 0.03) < 0.01


def test_silence_around_speech_moves_everything(said: Speech) -> None:
    padded = said.padded(0.5, 0.25)
    assert len(padded.audio) == len(said.audio) + 0.75 * RATE
    assert padded.words[0].start == pytest.approx(said.words[0].start + 0.5)
    assert padded.phonemes[0].text == "" and padded.phonemes[0].end >= 0.5
    assert padded.phonemes[-1].end == pytest.approx(padded.seconds)


def test_every_class_of_emotion_is_heard(said: Speech) -> None:
    plain = Voice(pitch=40)

    def measured(voice: Voice) -> tuple[float, float, float, float]:
        speech = speak(TEXT, voice)
        tones = pitch(speech)
        spread = float(np.subtract(*np.percentile(np.log2(tones), [90, 10])))
        return speech.seconds, float(np.median(tones)), spread, float(speech.audio.std())

    rest = measured(plain)
    for word in vocabulary.text7():
        if word.word == "neutral":
            assert expressive(plain, Emotion.of("text7.neutral")) == plain
            continue
        change = prosody(Emotion.of(word.id))
        seconds, tone, spread, loud = measured(expressive(plain, Emotion.of(word.id)))
        assert (seconds < rest[0]) == (change.rate > 0), word.word
        assert (tone > rest[1]) == (change.pitch > 0), word.word
        assert (spread > rest[2]) == (change.pitch_range > 0), word.word
        assert (loud > rest[3]) == (change.volume > 0), word.word


def test_prosody_follows_the_mixture_and_its_strength() -> None:
    glad, low = Emotion.of("pixelsmile.happy"), Emotion.of("pixelsmile.sad")
    rates = [prosody(Emotion.mix([(glad, share), (low, 1 - share)])).rate for share in (0, 0.25, 0.5, 0.75, 1)]
    assert rates == sorted(rates) and rates[0] < 0 < rates[-1]
    assert 0 < prosody(glad.scaled(0.5)).pitch < prosody(glad).pitch
    assert prosody(Emotion.of("emo135.rage")).volume > prosody(Emotion.of("emo135.annoyance")).volume


def test_loud_voices_are_not_clipped() -> None:
    for seed in range(4):
        angry = expressive(voice_of(Identity.sample(seed)), Emotion.of("pixelsmile.angry", 1.5))
        audio = speak("Go away now, Peter!", angry).audio
        assert np.mean(np.abs(audio) > 0.985) < 1e-4


def test_people_have_voices_of_their_own() -> None:
    people = [Identity.sample(seed) for seed in range(40)]
    assert len({voice_of(person) for person in people}) > 30
    assert voice_of(people[0]) == voice_of(people[0])


@pytest.mark.parametrize(
    ("text", "voice", "message"),
    [
        ("", "en-us", "is empty"),
        (" \n\t ", "en-us", "is empty"),
        ("...", "en-us", "nothing to pronounce"),
        ("a" * (module.LONGEST + 1), "en-us", "at most 6000 characters, this one has 6001"),
        ("Hello", "klingon-x", "no voice 'klingon-x'"),
        ("Hello", "en-us+nobody", "no variant 'nobody'"),
    ],
)
def test_what_cannot_be_said_is_refused_in_a_sentence(text: str, voice: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        speak(text, Voice(voice))


def test_a_voice_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="rate is 80 to 450, got 20"):
        Voice(rate=20)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ImportError, match="pip install espeakng-loader"):
        speak("Hello")


def test_importing_the_package_is_light() -> None:
    code = "import sys, expressive.pocket.talking; print([m for m in ('torch', 'scipy', 'av') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
