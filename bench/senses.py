"""MAVAGEN's senses measured: emotion of texts, retrieval, voices, landmarks, depth, and how quickly a node stops.

All on the pack's own small models and on drawn people: pocket-world figures. The sentences, people and clips are those
that nothing was trained on.
"""

import argparse
import json
import math
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from bench.report import ROOT, Report
from expressive.datasets.hagrid import LABELS as GESTURES
from expressive.datasets.hagrid import Face, GesturePicture
from expressive.datasets.people_index import PeopleIndex
from expressive.emotion import Emotion, vocabulary
from expressive.emotion.person import GENDERS
from expressive.speech import pocket_voice
from expressive.speech.pitch import pitch_track
from expressive.speech.pocket.ngrams import NgramClassifier
from expressive.speech.pocket.recipe import SENTENCES, figures, read_sentences
from expressive.speech.prosody import CLASSES
from expressive.speech.spoken import FADE, Speech, joined
from launcher.server import Server

MODELS = ROOT / "models"
FRESH = 2_000_000  # no training, evaluation or test draws people from this seed on
TEXTS = (
    "The letter that you sent me came on Tuesday morning, and I have read it twice since then.",
    "We are going to meet the others at the old station, a little after seven in the evening.",
    "My sister told me what she saw on the way home, and I could not stop thinking of it.",
)
"""What any emotion can be heard in."""


def emotion(report: Report) -> None:
    """The bundled classifier on sentences that were written to judge it."""
    texts, labels = read_sentences(SENTENCES / "held_out.tsv")
    classifier = NgramClassifier.load(MODELS / "text_emotion" / "pocket")
    found = figures(classifier, texts, labels)
    report.table(f"Emotion of {len(texts)} held-out sentences", [{"figure": k, "value": v} for k, v in found.items()])
    report.claim("sentences, written apart from those of the training", len(texts), ">=", 300)
    report.claim("emotion: read as it was meant", found["accuracy"], ">=", 0.90)
    report.claim("emotion: expected calibration error", found["calibration error"], "<=", 0.05)


def retrieval(report: Report, rows: int, questions: int) -> None:
    """Avatar Retrieve's index against brute force over the same people, in a process of its own for the memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        index = PeopleIndex.build(_people(rows), Path(folder) / "people.sqlite")
        built = time.perf_counter() - start
        size = index.file.stat().st_size / 2**20
        random, times, wrong = Random(1), [], 0
        asked = [(random.choice(GENDERS), random.uniform(10, 100), seed) for seed in range(questions)]
        for gender, age, seed in asked:
            start = time.perf_counter()
            index.find(gender, age, seed)
            times.append(time.perf_counter() - start)
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        ages = {gender: [] for gender in GENDERS}  # brute force: every age of everybody
        for picture in _people(rows):
            assert picture.person is not None
            ages[picture.person.gender].append(int(picture.person.age))
        known = {gender: np.array(of) for gender, of in ages.items()}
        for gender, age, seed in asked:
            found = index.find(gender, age, seed)
            apart = np.abs(known[gender] - int(age))
            right = found.gender == gender and found.apart == apart.min() and found.ties == (apart == apart.min()).sum()
            wrong += not (right and abs(found.age - int(age)) == found.apart)
    slowest = max(times)
    told = {"people": rows, "index, s": built, "file, MiB": size, "memory, MiB": peak}
    report.table(
        "Retrieval", [{**told, "median query, ms": 1e3 * statistics.median(times), "slowest, ms": 1e3 * slowest}]
    )
    report.claim("retrieval: answers that brute force contradicts", wrong, "<=", 0)
    report.claim(f"retrieval: seconds for the index of {rows:,} people", built, "<=", 60)
    report.claim("retrieval: slowest query, ms", 1e3 * slowest, "<=", 10)
    report.claim("retrieval: memory that index and queries added, MiB", peak, "<=", 1024)


def _people(count: int) -> Iterator[GesturePicture]:
    random = Random(0)
    for number in range(count):
        face = Face(min(max(random.gauss(36, 14), 18.0), 88.0), random.choice(GENDERS), "White")
        yield GesturePicture(
            name=f"{number:032x}", gesture=GESTURES[number % len(GESTURES)], split="train", user=f"{number % 65_977:x}",
            hands=(), faces=(face,),
        )  # fmt: skip


def speech(report: Report) -> None:
    """What each class of emotion changes in the small voice, against the same voice without one."""
    classes = [word for word in vocabulary.text7() if word.word != "neutral"]
    rows, right, checked = [], 0, 0
    kept: list[float] = []
    for word in classes:
        changes = []
        for gender, text in zip((*GENDERS, GENDERS[0]), TEXTS, strict=True):
            voice = pocket_voice.somebody(gender, 35, 1)
            plain = pocket_voice.speak(text, voice)
            said = pocket_voice.speak(text, voice, Emotion.of(word.id))
            changes.append([a / b for a, b in zip(_heard(said), _heard(plain), strict=True)])
            kept.append(_errors([p.text for p in plain.phonemes if p.text], [p.text for p in said.phonemes if p.text]))
            kept.append(
                _errors([w.strip(".,").lower() for w in text.split()], [w.text.strip(".,").lower() for w in said.words])
            )
        pitch, spread, rate, loudness = (statistics.fmean(column) for column in zip(*changes, strict=True))
        wanted = CLASSES[word.word]
        row: dict[str, str | float] = {"emotion": word.word}
        for name, found, asked in (
            ("pitch", pitch, wanted.pitch), ("range", spread, wanted.pitch_range), ("rate", rate, wanted.rate),
            ("loudness", loudness, wanted.volume),
        ):  # fmt: skip
            row[name] = found
            right += (found > 1) == (asked > 0)
            checked += 1
        rows.append(row)
    report.table("PocketVoice: measured change beside the voice without emotion (1 = none)", rows)
    report.claim(
        "speech: directions of pitch, range, rate and loudness that are right, share", right / checked, ">=", 1
    )
    report.claim("speech: worst error of words or phonemes beside the text spoken plainly", max(kept), "<=", 0.1)
    parts = [pocket_voice.speak(text, pocket_voice.somebody("woman", 30, 2)) for text in TEXTS]
    cut = [Speech(p.audio[: len(p.audio) * 2 // 3], p.rate, p.phonemes, p.words) for p in parts]  # in mid-sound
    report.claim("speech: jump where parts are joined, beside the greatest within them", _jump(cut), "<=", 1)


def _heard(said: Speech) -> tuple[float, float, float, float]:
    """(median pitch in Hz, its spread in semitones, words a second, loudness) of a speech."""
    track = pitch_track(said.audio, said.rate)
    voiced = track.hertz[track.voiced]
    semitones = 12 * np.log2(voiced / track.median)
    spread = float(np.percentile(semitones, 90) - np.percentile(semitones, 10))
    loud = said.audio[np.abs(said.audio) > 1e-3]
    return track.median, spread, len(said.words) / said.seconds, float(np.sqrt(np.mean(loud.astype(float) ** 2)))


def _errors(wanted: list[str], found: list[str]) -> float:
    """Insertions, deletions and substitutions, as a share of what was wanted."""
    costs = list(range(len(found) + 1))
    for i, one in enumerate(wanted, 1):
        above, costs[0] = costs[0], i
        for j, other in enumerate(found, 1):
            above, costs[j] = costs[j], min(costs[j] + 1, costs[j - 1] + 1, above + (one != other))
    return costs[-1] / max(1, len(wanted))


def _jump(parts: list[Speech]) -> float:
    whole = joined(parts, 0.0)
    within = max(float(np.abs(np.diff(part.audio)).max()) for part in parts)
    place, worst = 0, 0.0
    for part in parts[:-1]:
        place += len(part.audio)
        near = round(FADE * part.rate)
        worst = max(worst, float(np.abs(np.diff(whole.audio[place - near : place + near])).max()))
    return worst / within


def landmarks(report: Report, clips: int) -> None:
    """The pocket reader on talking people, frame by frame and steadied."""
    from expressive.encoders.interfaces import FACE
    from expressive.pocket.reader.reader import FaceReader
    from expressive.vision.landmarks.one_euro import OneEuro
    from expressive.vision.landmarks.pocket import PocketLandmarker
    from expressive.vision.landmarks.steadying import smooth

    finder = PocketLandmarker(FaceReader.load(MODELS))
    rows = []
    for number in range(clips):
        pictures, known, _ = _clip(number, size=128)
        found = finder.detect(pictures, FPS)
        steady = smooth(found, FPS, OneEuro.of(0.5))
        eyes = (known[:, 33, :2] - known[:, 263, :2]).norm(dim=1)[:, None]  # [F,1]: outer corners of the eyes

        def off(points: torch.Tensor, known: torch.Tensor = known) -> torch.Tensor:
            return points[:, :FACE, :2] - known[:, :FACE, :2]

        def jitter(points: torch.Tensor, eyes: torch.Tensor = eyes) -> float:
            return float((torch.diff(off(points), n=2, dim=0).norm(dim=2) / eyes.mean()).mean())

        rows.append(
            {
                "clip": number,
                "frames": len(pictures),
                "found": float(found.found.float().mean()),
                "error": float((off(found.points).norm(dim=2) / eyes).mean()),
                "error, steadied": float((off(steady.points).norm(dim=2) / eyes).mean()),
                "jitter": jitter(found.points),
                "jitter, steadied": jitter(steady.points),
            }
        )
    report.table("Landmarks of the face in talking clips, shares of the distance between the eyes", rows)
    mean = {key: statistics.fmean(float(row[key]) for row in rows) for key in rows[0]}
    report.claim("landmarks: frames in which the face was found, share", mean["found"], ">=", 0.99)
    report.claim("landmarks: error of the face beside the distance between the eyes", mean["error"], "<=", 0.05)
    report.claim("landmarks: jitter left by the 1€ filter", mean["jitter, steadied"] / mean["jitter"], "<=", 0.8)
    report.claim(
        "landmarks: error after the filter, beside the error before", mean["error, steadied"] / mean["error"], "<=", 1.1
    )


def depth(report: Report, people: int) -> None:
    """The pocket Marigold on people and clips that it has never seen."""
    from expressive.metrics.depth import depth_errors, flicker
    from expressive.pocket.depth.recipe import BEFORE
    from expressive.pocket.scene import picture
    from expressive.pocket.scene.truth import truth
    from expressive.pocket.xl.scenes import body_scene, face_scene
    from expressive.vision.depth import Marigold, estimate

    marigold = Marigold.load(MODELS / "marigold" / "pocket")
    size = marigold.resolution
    rows = []
    for name, plan in (("faces", face_scene), ("upper bodies", body_scene)):
        scenes = [plan(index, FRESH) for index in range(people)]
        pictures = torch.from_numpy(np.stack([picture(scene, size) for scene in scenes])).float() / 255
        known = torch.from_numpy(np.stack([truth(scene, size).depth for scene in scenes])).float()
        start = time.perf_counter()
        found = estimate(marigold, pictures).depth
        seconds = (time.perf_counter() - start) / people
        far, person = known + BEFORE, known < 0.999
        whole, figure = depth_errors(found, far), depth_errors(found, far, person)
        flat = depth_errors(torch.zeros_like(found), far)
        rows.append(
            {
                "pictures": name, "AbsRel": whole["abs_rel"], "δ1": whole["delta1"],
                "AbsRel, person": figure["abs_rel"], "δ1, person": figure["delta1"],
                "AbsRel of a flat map": flat["abs_rel"], "s a picture": seconds,
            }
        )  # fmt: skip
    report.table(f"Depth of {people} faces and {people} upper bodies never seen", rows)
    report.claim("depth: AbsRel, the worse of the two", max(row["AbsRel"] for row in rows), "<=", 0.15)
    report.claim("depth: δ1, the worse of the two", min(row["δ1"] for row in rows), ">=", 0.85)
    pictures, _, known = _clip(0, size=size, frames=24)
    frames = pictures.movedim(1, -1)  # f c h w → f h w c
    single, clip = (flicker(estimate(marigold, frames, clip=of).depth, known) for of in (False, True))
    report.table("Depth: flicker of a talking clip, share of the range", [{"frame by frame": single, "one clip": clip}])
    report.claim("depth: flicker of one clip beside that of single frames", clip / single, "<=", 0.7)


FPS = 25


def _clip(number: int, *, size: int, frames: int = 48) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A talking person: pictures [F,3,S,S] in 0…1, landmarks [F,553,3] and depth [F,S,S] as they were drawn."""
    from expressive.pocket.faces import Identity
    from expressive.pocket.scene import picture
    from expressive.pocket.scene.truth import truth
    from expressive.pocket.talking import TalkingClip

    felt = [Emotion.of(word.id) for word in vocabulary.text7() if word.word != "neutral"][number % 6]
    clip = TalkingClip(Identity.sample(FRESH + number), TEXTS[number % len(TEXTS)], felt, seed=number, frame="face")
    scenes = list(clip.at(clip.times[:frames]))
    known = [truth(scene, size) for scene in scenes]
    pictures = torch.from_numpy(np.stack([picture(scene, size) for scene in scenes])).float() / 255
    return (
        pictures.movedim(-1, 1),  # f h w c → f c h w
        torch.from_numpy(np.stack([one.landmarks for one in known])).float(),
        torch.from_numpy(np.stack([one.depth for one in known])).float(),
    )


def stopping(report: Report) -> None:
    """How long the nodes that may take long go on once they are asked to stop, in the host itself."""
    rows: list[dict[str, str | float]] = []
    with Server(state=Path(tempfile.mkdtemp()), arguments=["--disable-api-nodes", "--cpu"]) as server:
        for name, prompt in _long_graphs().items():
            rows.append({"node": name, "seconds": _seconds_to_stop(server, prompt, name)})
    report.table("Seconds from the request to stop to the end of the run", rows)
    report.claim("slowest node to stop, s", max(float(row["seconds"]) for row in rows), "<=", 1)


def _long_graphs() -> dict[str, dict[str, Any]]:
    """Node → a graph in which it works for many seconds."""
    story = " ".join(TEXTS * 120)
    frames = {
        "class_type": "EmptyImage",
        "inputs": {"width": 128, "height": 128, "batch_size": 1200, "color": 0x806040},
    }
    classifier = {"class_type": "LoadTextEmotion", "inputs": {"classifier": "pocket"}}
    person = {"voice": "person", "voice.gender": "woman", "voice.age": 30}
    spoken = {
        "text": story, **person, "seed": 1, "language": "en-us (English, America)", "rate": 165, "pitch": 0.0,
        "strength": 1.0, "before": 0.2, "after": 0.4, "sample_rate": "44.1 kHz", "fps": 25.0, "sentences": ["2", 4],
    }  # fmt: skip
    read = {"text_emotion": ["1", 0], "text": story, "words": "7 classes"}
    seen = {
        "image": ["1", 0], "frames": "video", "frames.fps": 25.0, "frames.smoothing": 0.5, "frames.hold": 5,
        "background": "picture", "torso": "shoulders",
    }  # fmt: skip
    measured = {
        "image": ["1", 0], "marigold": ["2", 0], "frames": "one clip", "steps": 0, "ensemble": 1,
        "processing_resolution": 0, "seed": 1, "smoothing": 0.1, "near_is_white": True,
    }  # fmt: skip
    marigold = {"class_type": "LoadMarigold", "inputs": {"model": "pocket", "dtype": "auto"}}
    graphs = {
        "PocketVoice": {"1": classifier, "2": _node("EmotionFromText", read), "3": _node("PocketVoice", spoken)},
        "HolisticLandmarks": {"1": frames, "3": _node("HolisticLandmarks", seen)},
        "MarigoldDepth": {"1": frames, "2": marigold, "3": _node("MarigoldDepth", measured)},
    }
    return {name: {**graph, "4": _node("PreviewAny", {"source": ["3", 2]})} for name, graph in graphs.items()}


def _node(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def _seconds_to_stop(server: Server, prompt: dict[str, Any], name: str) -> float:
    """From the request, half a second after the node began, to the end of the run.

    Raises RuntimeError where it had ended before.
    """
    import websocket

    key = next(key for key, node in prompt.items() if node["class_type"] == name)
    client = server.client
    socket = websocket.create_connection(f"{server.url.replace('http', 'ws')}/ws?clientId={client.id}", timeout=120)
    asked = math.nan
    try:
        client.queue(prompt)
        while True:
            received = socket.recv()
            message: dict[str, Any] = json.loads(received) if isinstance(received, str) else {"type": "preview"}
            if message["type"] == "executing" and message["data"]["node"] == key:
                time.sleep(0.5)
                asked = time.perf_counter()
                client.interrupt()
            elif message["type"] == "execution_interrupted":
                return time.perf_counter() - asked
            elif message["type"] in ("execution_success", "execution_error"):
                raise RuntimeError(f"{name} ended before it was asked to stop: {message}")
    finally:
        socket.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer people, rows and clips")
    options = parser.parse_args()
    report = Report("senses", quick=options.quick)
    torch.set_grad_enabled(False)
    retrieval(report, 100_000 if options.quick else 1_000_000, 100 if options.quick else 500)
    emotion(report)
    speech(report)
    landmarks(report, 2 if options.quick else 6)
    depth(report, 8 if options.quick else 48)
    stopping(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
