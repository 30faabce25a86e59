# pyright: reportArgumentType=false
"""Whole texts by Dia; eSpeak NG says what Dia is given."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from expressive.emotion import Emotion
from expressive.pocket.talking import speak
from expressive.speech.dia import Take
from expressive.speech.dia_speech import LEAD, LEVEL, Manner, faults_of, say, trimmed
from expressive.speech.dia_wording import AS_WRITTEN
from expressive.speech.markup import without_tags
from expressive.speech.pitch import pitch_track
from expressive.speech.voice_prompt import VoicePrompt

pytest.importorskip("espeakng_loader")

TEXT = "I passed the exam this morning. Nobody had told me, and I can hardly believe it."
LONG = " ".join([TEXT, "Was it the one in March? No, that was another one, and I did not go there at all."] * 3)
RATE = 16_000
PLAIN = Manner(wording=AS_WRITTEN)


@dataclass
class Reader:
    """Dia's place. wrong: what is wrong with its takes, one after the other: “silent”, “endless”, “short” or “”."""

    wrong: list[str] = field(default_factory=list)
    rate: int = RATE
    texts: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    voices: list[np.ndarray | None] = field(default_factory=list)
    before: str = ""

    def frames(self, seconds: float) -> int:
        return round(86 * seconds)

    def speak(
        self, text: str, seconds: float, *, voice: np.ndarray | None, sampling: Any, seed: int,
        between: Callable[[], None], progress: Callable[[int, int], None],
    ) -> Take:  # fmt: skip
        between()
        self.texts.append(text)
        self.seeds.append(seed)
        self.voices.append(voice)
        words = without_tags(text)
        if voice is None:
            self.before = words
        audio = speak(words if voice is None else words.removeprefix(self.before)).audio
        wrong = self.wrong.pop(0) if self.wrong else ""
        if wrong == "silent":
            audio = np.zeros_like(audio)
        if wrong == "short":
            audio = audio[: RATE // 2]
        progress(self.frames(seconds), self.frames(seconds))
        return Take(np.pad(audio, (2000, 3000)), wrong != "endless")


def letters(text: str) -> str:
    return "".join(sign for sign in without_tags(text).lower() if sign.isalnum())


def level(audio: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt((audio.astype(float) ** 2).mean())))


@pytest.fixture(scope="module")
def neutral() -> np.ndarray:
    return say(Reader(), TEXT, manner=PLAIN).speech.audio


def test_a_long_text_is_spoken_in_one_voice_with_the_time_of_every_word() -> None:
    reader, done = Reader(), []
    said = say(reader, LONG, manner=PLAIN, seed=7, progress=done.append)
    assert len(reader.texts) > 1 and len(set(reader.seeds)) == len(reader.seeds) and reader.seeds[0] == 7
    first, *others = reader.voices
    assert first is None and all(voice is others[0] and voice is not None for voice in others)
    begun = reader.texts[0].removesuffix(" [S2]")
    assert all(text.startswith(begun) and text.endswith(" [S2]") for text in reader.texts[1:])
    assert letters("".join(word.text for word in said.speech.words)) == letters(LONG) == letters(said.text)
    moments = [moment for word in said.speech.words for moment in (word.start, word.end)]
    assert moments == sorted(moments) and moments[-1] <= said.speech.seconds
    assert said.speech.rate == RATE and said.speech.phonemes == () and said.faults == ()
    assert done == sorted(done) and done[-1] == 1.0


def test_parts_have_a_pause_between_them_and_no_clicks() -> None:
    together, apart = (say(Reader(), LONG, manner=Manner(wording=AS_WRITTEN, pause=p)).speech for p in (0.0, 1.0))
    parts = Reader()
    say(parts, LONG, manner=PLAIN)
    assert apart.seconds - together.seconds == pytest.approx(len(parts.texts) - 1, abs=0.01)
    largest = np.abs(np.diff(say(Reader(), TEXT, manner=PLAIN).speech.audio)).max()
    assert np.abs(np.diff(together.audio)).max() < 1.5 * largest


def test_it_goes_on_in_the_voice_that_is_given() -> None:
    words = "This is how I speak."
    spoken = np.resize(speak(words).audio, 3 * RATE)
    reader = Reader(before=words)
    said = say(reader, LONG, voice=VoicePrompt(np.repeat(spoken, 2), 2 * RATE, words), manner=PLAIN)
    assert all(text.startswith(f"[S1] {words} ") for text in reader.texts)
    assert all(voice is not None and len(voice) == 3 * RATE for voice in reader.voices)
    assert letters("".join(word.text for word in said.speech.words)) == letters(LONG)
    short = Reader(before=words)
    say(short, "Yes, indeed.", voice=VoicePrompt(spoken, RATE, words), manner=PLAIN)
    assert short.texts == [f"[S1] {words} Yes, indeed. [S2]"]


def test_a_very_short_text_has_a_sentence_before_it_that_is_not_heard() -> None:
    reader = Reader()
    said = say(reader, "Yes, indeed.", manner=PLAIN)
    assert reader.texts == [f"[S1] {LEAD} Yes, indeed. [S2]"]
    assert said.text == "[S1] Yes, indeed." and [word.text for word in said.speech.words] == ["Yes", "indeed"]
    assert said.speech.seconds == pytest.approx(len(trimmed(speak("Yes, indeed.").audio, RATE)) / RATE, abs=0.5)


def test_what_is_not_sound_is_spoken_again_with_another_seed() -> None:
    reader = Reader(["silent", "endless", ""])
    said = say(reader, TEXT, manner=PLAIN, seed=2**64 - 1)
    assert len(set(reader.seeds)) == 3 and max(reader.seeds) < 2**64 and said.faults == ()
    reader = Reader(["short", "endless", "silent", "silent"])
    said = say(reader, TEXT, manner=PLAIN)
    assert len(reader.texts) == 3 and len(said.faults) == 1
    assert said.faults[0].startswith("Part 1 of 1 ") and said.speech.seconds > 0
    once = Reader(["endless"])
    said = say(once, TEXT, manner=Manner(attempts=1))
    assert len(once.texts) == 1 and said.faults == ("Part 1 of 1 does not come to an end.",)


def test_a_part_that_is_not_sound_is_no_voice_for_the_others() -> None:
    reader = Reader(["endless"])
    say(reader, LONG, manner=Manner(wording=AS_WRITTEN, attempts=1))
    assert reader.voices[0] is None and reader.voices[1] is None


@pytest.mark.parametrize(
    ("emotion", "faster", "higher", "louder"), [("anger", 1, 1, 1), ("joy", 1, 1, 1), ("sadness", -1, -1, -1)]
)
def test_an_emotion_changes_the_voice(neutral: np.ndarray, emotion: str, faster: int, higher: int, louder: int) -> None:
    found = say(Reader(), TEXT, Emotion.of(f"text7.{emotion}"), manner=PLAIN).speech.audio
    half = say(Reader(), TEXT, Emotion.of(f"text7.{emotion}", 0.5), manner=PLAIN).speech.audio
    assert faster * (len(neutral) - len(half)) > 0 and faster * (len(half) - len(found)) > 0
    pitches = [pitch_track(audio, RATE).median for audio in (neutral, half, found)]
    assert higher * np.diff(pitches).min() > 0 if higher > 0 else np.diff(pitches).max() < 0
    assert louder * (level(found) - level(neutral)) > 0.7


def test_without_an_emotion_and_without_strength_it_is_the_same(neutral: np.ndarray) -> None:
    angry = Emotion.of("text7.anger")
    calm = say(Reader(), TEXT, angry, manner=Manner(wording=AS_WRITTEN, strength=0.0)).speech.audio
    assert np.array_equal(calm, neutral) and np.array_equal(say(Reader(), TEXT, manner=PLAIN).speech.audio, neutral)
    looks = neutral[: len(neutral) // 320 * 320].reshape(-1, 320)
    spoken = np.sqrt((looks.astype(float) ** 2).mean(1))
    spoken = spoken[spoken > 0.1 * spoken.max()]
    assert np.sqrt((spoken**2).mean()) == pytest.approx(LEVEL, rel=0.05)


def test_the_emotion_is_in_the_words_too_unless_they_are_to_stay() -> None:
    reader = Reader()
    said = say(reader, TEXT, Emotion.of("text7.joy"))
    assert "(laughs)" in reader.texts[0] and "(laughs)" in said.text
    assert letters("".join(word.text for word in said.speech.words)) == letters(TEXT)


def test_the_tempo_moves_the_words_with_the_sound(neutral: np.ndarray) -> None:
    usual = say(Reader(), TEXT, manner=PLAIN).speech
    slow = say(Reader(), TEXT, manner=Manner(wording=AS_WRITTEN, tempo=0.8)).speech
    assert len(slow.audio) == pytest.approx(len(neutral) / 0.8, rel=1e-3)
    for one, other in zip(usual.words, slow.words, strict=True):
        assert other.start == pytest.approx(one.start / 0.8, abs=1e-3)


def test_dialogue_keeps_its_speakers() -> None:
    reader = Reader()
    said = say(reader, f"[S1] {TEXT} [S2] Well done, I always knew it would be you!", manner=PLAIN)
    assert said.text.count("[S2]") == 1 and reader.texts[0].endswith("[S1]")


def test_it_can_be_stopped() -> None:
    class Stopped(Exception):
        pass

    calls = itertools.count()

    def stop() -> None:
        if next(calls) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        say(Reader(), LONG, between=stop)


def test_faults_are_told_from_what_is_sound() -> None:
    said = np.pad(speak(TEXT).audio, (0, 4000))
    seconds = len(said) / RATE
    assert faults_of(Take(said, True), RATE, seconds) == ()
    assert faults_of(Take(said, False), RATE, seconds) == ("does not come to an end",)
    assert faults_of(Take(np.zeros(RATE, np.float32), True), RATE, 1.0) == ("is silent",)
    assert faults_of(Take(np.zeros(0, np.float32), True), RATE, 1.0) == ("is silent",)
    loud = int(np.abs(said[RATE : 3 * RATE]).argmax()) + RATE
    assert "breaks off" in " ".join(faults_of(Take(said[:loud], True), RATE, loud / RATE))
    assert "too short" in faults_of(Take(said, True), RATE, 4 * seconds)[0]
    assert "too long" in faults_of(Take(said, True), RATE, seconds / 5)[0]


def test_silence_is_trimmed_at_both_ends_alone() -> None:
    tone = 0.3 * np.sin(np.arange(RATE) * 0.2).astype(np.float32)
    audio = np.concatenate([np.zeros(RATE), tone, np.zeros(RATE), tone, np.zeros(RATE)]).astype(np.float32)
    assert len(trimmed(audio, RATE)) / RATE == pytest.approx(3.12, abs=0.03)
    silent = np.zeros(RATE, np.float32)
    assert np.array_equal(trimmed(silent, RATE), silent) and len(trimmed(silent[:0], RATE)) == 0
