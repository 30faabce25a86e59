"""From phonemes to visemes, and from visemes to action units.

The fifteen visemes are those of MPEG-4's face animation (ISO/IEC 14496-2, table C.1) under the names by which Oculus
LipSync made them known. Their action units are this project's, tuned on the drawn faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""Silence; p b m; f v; th; t d; k g; ch j sh zh; s z; n l; r; and the vowels of car, bed, sit, tore, book."""

SHAPES: MappingProxyType[str, dict[str, float]] = MappingProxyType(
    {
        "sil": {},
        "PP": {"AU24": 0.35},
        "FF": {"AU32": 0.55, "AU10": 0.25, "AU25": 0.1},
        "TH": {"AU25": 0.45, "AU26": 0.16, "AU16": 0.15, "AU19": 0.6},
        "DD": {"AU25": 0.40, "AU26": 0.12, "AU16": 0.20},
        "kk": {"AU25": 0.40, "AU26": 0.22},
        "CH": {"AU25": 0.45, "AU26": 0.06, "AU22": 0.70, "AU18": 0.30, "AU16": 0.30, "AU10": 0.15},
        "SS": {"AU25": 0.45, "AU26": 0.04, "AU20": 0.25, "AU16": 0.25, "AU10": 0.10},
        "nn": {"AU25": 0.42, "AU26": 0.16},
        "RR": {"AU25": 0.35, "AU26": 0.14, "AU18": 0.30, "AU22": 0.25},
        "aa": {"AU25": 0.70, "AU26": 0.85, "AU27": 0.15},
        "E": {"AU25": 0.60, "AU26": 0.42, "AU20": 0.25, "AU10": 0.10},
        "ih": {"AU25": 0.50, "AU26": 0.16, "AU20": 0.45},
        "oh": {"AU25": 0.50, "AU26": 0.58, "AU18": 0.50, "AU22": 0.50},
        "ou": {"AU25": 0.30, "AU26": 0.14, "AU18": 1.05, "AU22": 0.50},
    }
)
"""Viseme → FACS code → intensity, of a clearly spoken sound."""

_CONSONANTS = {
    "PP": "pbmɓʙɸβ",
    "FF": "fvɱʋⱱ",
    "TH": "θðɬɮ",
    "DD": "tdʈɖɗɾɽ",
    "kk": "kgɡxɣqɢχʁħʕhɦʔŋɴcɟçʝɠʛjʲ",
    "CH": "ʃʒɕʑʂʐ",
    "SS": "szǀǃ",
    "nn": "nɳɲlɭʎʟɫɺ",
    "RR": "rɹɻʀɚɝ",
    "ou": "wʍɥ",
}
_VOWELS = {  # symbol → viseme, and how open or tense it is among the sounds of its class
    **dict.fromkeys("aɑɐ", ("aa", 1.0)),
    "æ": ("aa", 0.9),
    "ʌ": ("aa", 0.75),
    "ə": ("aa", 0.45),
    "ɘ": ("aa", 0.45),
    "ɜ": ("E", 0.7),
    "ɛ": ("E", 1.0),
    "e": ("E", 0.8),
    "ɞ": ("oh", 0.8),
    **dict.fromkeys("iy", ("ih", 1.0)),
    **dict.fromkeys("ɪɨᵻ", ("ih", 0.75)),
    **dict.fromkeys("ɔɒɶ", ("oh", 1.0)),
    **dict.fromkeys("oœøɵɤ", ("oh", 0.85)),
    **dict.fromkeys("uʉɯ", ("ou", 1.0)),
    **dict.fromkeys("ʊʏ", ("ou", 0.75)),
}
_SYMBOLS = {symbol: (name, 1.0) for name, symbols in _CONSONANTS.items() for symbol in symbols} | _VOWELS
_SYMBOLS |= {"y": ("ou", 0.9), "j": ("ih", 0.7), "h": ("kk", 0.7), "ɐ": ("aa", 0.6), "ø": ("ou", 0.75)}
_AFFRICATES = ("tʃ", "dʒ", "tɕ", "dʑ", "ʈʂ", "ɖʐ", "ts", "dz", "pf")
_FIRST_OF_TWO = 0.58  # share of a diphthong that its first vowel takes


@dataclass(frozen=True)
class Part:
    """One mouth shape within a phoneme."""

    viseme: str  # one of VISEMES
    strength: float  # share of its shape
    share: float  # of the phoneme's time; a phoneme's parts add up to 1


def parts(phoneme: str) -> tuple[Part, ...]:
    """The mouth shapes of a phoneme in IPA, one after the other: two of a diphthong. A pause is `sil`."""
    letters = phoneme.strip("ˈˌ")
    if not letters:
        return (Part("sil", 1.0, 1.0),)
    if letters.startswith(_AFFRICATES):
        letters = letters[1:]  # one gesture, shaped by its second half
    found = [_SYMBOLS[letter] for letter in letters if letter in _SYMBOLS]
    if not found:
        return (Part("nn", 0.6, 1.0),)  # a sound that no table has: a little open
    if len(found) == 1:
        return (Part(found[0][0], found[0][1], 1.0),)
    rest = (1 - _FIRST_OF_TWO) / (len(found) - 1)
    return tuple(Part(name, by, _FIRST_OF_TWO if i == 0 else rest) for i, (name, by) in enumerate(found))


def viseme(phoneme: str) -> str:
    """The viseme that a phoneme begins with."""
    return parts(phoneme)[0].viseme
