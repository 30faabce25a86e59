"""Talking people: speech, the lips that speak it, and everything else that moves while someone talks."""

from ...speech.spoken import Speech, Timed
from .clip import FPS, SAMPLES_A_FRAME, EmotionCurve, TalkingClip
from .files import save
from .mouth import mouth
from .prosody import expressive, prosody, voice_of
from .speech import RATE, Voice, speak
from .visemes import VISEMES, viseme

__all__ = [
    "FPS",
    "RATE",
    "SAMPLES_A_FRAME",
    "VISEMES",
    "EmotionCurve",
    "Speech",
    "TalkingClip",
    "Timed",
    "Voice",
    "expressive",
    "mouth",
    "prosody",
    "save",
    "speak",
    "viseme",
    "voice_of",
]
