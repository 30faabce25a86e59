"""One utterance by eSpeak NG, in a process of its own.

eSpeak NG keeps state from one utterance to the next that none of its functions resets: whatever was said before changes
the samples. In a new process they depend on the request alone, no lock is needed, and a crash takes nobody along.
Working inside its folder also spares eSpeak NG the folder's name, of which it takes 160 bytes at most.

Run as `python -I -S espeak.py LIBRARY` in the folder that holds `espeak-ng-data`. stdin: a request as JSON (`text` and
the fields of `speech.Voice`). stdout: one line of JSON, {"rate", "events": [[kind, text position, text length, sample,
phoneme], …]} or {"error"}, then the samples, int16 in the machine's byte order. Uses the standard library alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

WORD, END, PHONEME = 1, 5, 7  # espeak_EVENT_TYPE
_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples come to the callback before espeak_Synth returns
_PHONEME_EVENTS, _PHONEME_IPA, _DONT_EXIT = 0x0001, 0x0002, 0x8000  # options of espeak_Initialize
_UTF8 = 1
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "pitch_range": 4, "pause": 7}  # espeak_PARAMETER


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_void_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


def utter(library: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """(answer, samples) as in the module's text. Once in a process, in the folder that holds `espeak-ng-data`."""
    espeak = ctypes.CDLL(library)
    rate = espeak.espeak_Initialize(_SYNCHRONOUS, 0, b".", _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT)
    if rate <= 0:
        return {"error": "eSpeak NG did not start: its folder espeak-ng-data is missing or damaged."}, b""
    espeak.espeak_ng_SetRandSeed(ctypes.c_long(1))  # else the noise of some voices is seeded by the clock
    name, _, variant = request["name"].partition("+")
    unknown = espeak.espeak_SetVoiceByName(request["name"].encode()) != 0
    if unknown or (variant and variant not in os.listdir(os.path.join("espeak-ng-data", "voices", "!v"))):
        what = f"variant {variant!r}" if not unknown else f"voice {name!r}"
        return {"error": f'eSpeak NG has no {what}; a voice is named like "en-us" or "en-us+f3".'}, b""
    for parameter, number in _PARAMETERS.items():
        espeak.espeak_SetParameter(number, request[parameter], 0)
    samples: list[bytes] = []
    events: list[tuple[int, int, int, int, str]] = []

    def collect(wave: int | None, count: int, first: Any) -> int:
        if wave and count > 0:
            samples.append(ctypes.string_at(wave, 2 * count))
        index = 0
        while (event := first[index]).type != 0:
            if event.type in (WORD, END, PHONEME):
                # 8 bytes at most, and no 0 behind the eighth; a character that was cut off there is left out
                phoneme = event.id.string.decode("utf-8", "ignore") if event.type == PHONEME else ""
                events.append((event.type, event.text_position, event.length, event.sample, phoneme))
            index += 1
        return 0

    callback = _Callback(collect)
    espeak.espeak_SetSynthCallback(callback)
    text = request["text"].encode() + b"\0"
    failed = espeak.espeak_Synth(text, len(text), 0, 0, 0, _UTF8, None, None)
    espeak.espeak_Synchronize()
    espeak.espeak_Terminate()
    if failed:
        return {"error": f"eSpeak NG could not speak this text (its error {failed})."}, b""
    return {"rate": rate, "events": events}, b"".join(samples)


def main() -> None:
    """Read the request, write the answer."""
    answer, samples = utter(sys.argv[1], json.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + samples)


if __name__ == "__main__":
    main()
