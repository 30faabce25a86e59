"""The pocket world measured: drawings, face reader, and the three bases, on people that nothing was trained on.

Every figure is a pocket-world figure: it says how well the small models do on drawn people, and nothing about the
papers' models. The face reader judges the bases; its own errors on drawings stand beside its judgements.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.report import ROOT, Report
from expressive.pocket import judge
from expressive.pocket.captions import full_caption
from expressive.pocket.model import PocketEdit
from expressive.pocket.reader.drawings import reader_scene
from expressive.pocket.reader.evaluate import confusion, held_out_figures
from expressive.pocket.reader.labels import Labels
from expressive.pocket.reader.reader import FaceReader
from expressive.pocket.scene import STYLES, draw, picture, render
from expressive.pocket.training import evaluate as editing
from expressive.pocket.training.collection import load_collection
from expressive.pocket.training.people import picture as person
from expressive.pocket.training.vae import decode_latents, encode_pictures, psnr
from expressive.pocket.xl import evaluate as painting
from expressive.pocket.xl import load_base
from expressive.pocket.xl import train_vae as xl_vae
from expressive.pocket.xl.scenes import body_scene, face_scene
from launcher.server import Server
from launcher.workflow import run_prompt

FRESH = 2_000_000  # no training, evaluation or test draws people from this seed on
MODELS = ROOT / "models"
STRIP = ROOT / "workflows" / "api" / "expression-slider.pocket.json"
FACE = (0.2, 0.15, 0.8, 0.85)  # left, top, right, bottom of the face in a picture of a face
PARITY = ("tests/unit/pocket/test_host_parity.py", "tests/unit/pocket/test_xl_host.py")


def missing() -> list[str]:
    """Files that there are none of, before half an hour has passed."""
    parts = ("pocket-edit.transformer", "pocket-xl.unet", "pocket-video.unet", "face-reader")
    return [f"{part}.safetensors" for part in parts if not (MODELS / f"{part}.safetensors").is_file()]


def drawing(report: Report, first: int) -> None:
    """How quickly one core draws."""
    rows: list[dict[str, Any]] = []
    for style in STYLES:
        scenes = [reader_scene(i, first, 1, 0.0, ("neutral", "pixelsmile", "emo135")) for i in range(60)]
        kept = [scene for scene in scenes if scene.style == style]
        best = min(_seconds_to_draw(kept) for _ in range(5))
        rows.append({"style": style, "pictures a second": 1 / best})
    report.table("Faces of 128 px, any pose and light, drawn by one process", rows)
    slowest = min(row["pictures a second"] for row in rows)
    report.claim("pictures a second on one core, slowest style", slowest, ">=", 100)


def _seconds_to_draw(scenes: list) -> float:
    start = time.perf_counter()
    for scene in scenes:
        render(draw(scene))
    return (time.perf_counter() - start) / len(scenes)


def reading(report: Report, reader: FaceReader, first: int, cache: Path, people: int) -> None:
    """The face reader on drawings."""
    kinds = ("neutral", "pixelsmile", "pixelsmile", "emo135", "blend")
    plan = partial(reader_scene, first_seed=first, each=12, upper_bodies=0.2, kinds=kinds)
    collection = load_collection("bench-reader", plan, people * 12, cache)
    labels = Labels.of(collection)
    figures: dict[str, Any] = held_out_figures(reader.net, collection, labels)
    report.table("Face reader, faces", [{"figure": k, "value": v} for k, v in figures.items() if isinstance(v, float)])
    report.table("Face reader, by style", [{"style": k, **v} for k, v in figures["style"].items()])
    bodies = {k: v for k, v in figures["upper_body"].items() if isinstance(v, float)}
    report.table("Face reader, upper bodies", [{"figure": k, "value": v} for k, v in bodies.items()])
    report.table("Usually taken for", [confusion(reader.net, collection, labels)])
    millions = sum(p.numel() for p in reader.net.parameters()) / 1e6
    report.claim("reader: million parameters", millions, "<=", 3)
    report.claim("reader: dominant expression at intensity >= 0.6", figures["dominant"], ">=", 0.97)
    report.claim("reader: Pearson r of the intensity", figures["intensity_r"], ">=", 0.97)
    report.claim("reader: equal error rate across expressions", figures["eer_expressions"], "<=", 0.03)
    report.claim("reader: equal error rate across styles", figures["eer_styles"], "<=", 0.06)
    report.claim("reader: landmarks, share of inter-ocular distance", figures["landmarks"], "<=", 0.02)


@torch.no_grad()
def edit(report: Report, reader: FaceReader, first: int, people: int) -> None:
    """PocketEdit: its auto-encoder, and what its edits show."""
    base = PocketEdit.load(MODELS)
    seeds = range(first, first + people)
    sources = np.stack([person(seed, "neutral", 0.0) for seed in seeds])
    again = decode_latents(base.vae, encode_pictures(base.vae, sources))
    shown = {"whole": psnr(again, sources), "face": psnr(again, sources, FACE)}
    report.table("PocketEdit: auto-encoder, dB", [shown])
    edited = []
    for seed in seeds:
        prompts = [editing.prompt(word, editing.subject(seed)) for word in judge.WORDS]
        edited.append(editing.edits(base, seed, base.encode_prompts(prompts)))
    found = judge.edits(reader, sources, np.stack(edited))
    rows = [
        {"asked for": word, "reached": share, "else mostly": found.taken_for[word]}
        for word, share in found.accuracy_of.items()
    ]
    report.table(f"PocketEdit: edits of {people} people", rows)
    report.table("PocketEdit: identity", [{"cosine to source": found.similarity, "others' 99th": found.threshold}])
    report.claim("edit: PSNR on face boxes, dB", shown["face"], ">=", 30)
    report.claim("edit: expression that was asked for", found.accuracy, ">=", 0.80)
    report.claim("edit: closer to the source than 99 % of other people", found.kept, ">=", 0.95)


@torch.no_grad()
def paint(report: Report, reader: FaceReader, name: str, first: int, count: int) -> None:
    """PocketXL or the PocketVideo base: captions of people never seen, judged by the reader."""
    base = load_base(MODELS, name)
    frame, plan = ("face", face_scene) if name == "pocket-xl" else ("upper_body", body_scene)
    scenes = [plan(index, first) for index in range(count)]
    drawn = np.stack([picture(scene, base.config.size) for scene in scenes])
    again = xl_vae.decode_latents(base.vae, xl_vae.encode_pictures(base.vae, drawn))
    box = xl_vae.share_box(xl_vae.FACE, frame)
    shown = {"whole": psnr(again, drawn), "face": psnr(again, drawn, box)}
    report.table(f"{name}: auto-encoder, dB", [shown])
    start = time.monotonic()
    painted = painting.generate(base, [full_caption(scene) for scene in scenes], range(count))
    seconds = (time.monotonic() - start) / count
    figures = judge.text_to_picture(reader, painted, scenes)
    ceiling = judge.text_to_picture(reader, drawn, scenes)
    report.table(
        f"{name}: pictures of {count} captions, as the reader reads them, and drawings of the same",
        [{"figure": k, "painted": v, "drawn": ceiling[k]} for k, v in figures.items()],
    )
    report.table(f"{name}: speed", [{"seconds a picture, 12 steps with guidance": seconds}])
    report.claim(f"{name}: PSNR on face boxes, dB", shown["face"], ">=", 30)
    if name == "pocket-xl":
        report.claim(f"{name}: prompted expression", figures["expression"], ">=", 0.85)
        for what in ("hair", "glasses", "gender"):
            report.claim(f"{name}: prompted {what}", figures[what], ">=", 0.90)


def files(report: Report) -> None:
    """Sizes of what is bundled."""
    sizes = {file.name: file.stat().st_size / 1e6 for file in sorted(MODELS.glob("*.safetensors"))}
    rows: list[dict[str, Any]] = [{"file": name, "MB": size} for name, size in sizes.items()]
    report.table("Bundled weights", rows)
    bases: dict[str, float] = {}
    for name, size in sizes.items():
        base = name.split(".")[0]
        bases[base] = bases.get(base, 0.0) + size
    report.claim("MB of the largest base", max(bases.values()), "<=", 40)
    report.claim("MB of all bases and the reader", sum(bases.values()), "<=", 90)


def parity(report: Report) -> None:
    """Host and diffusers compute the same, to 1e-3."""
    command = [sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "--rootdir", "tests", "-q", *PARITY]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report.table("Parity", [{"tests": (answer.stdout.strip() or "nothing").splitlines()[-1]}])
    report.claim("parity of host and diffusers: exit status of the tests", float(answer.returncode), "<=", 0)


def strip(report: Report) -> None:
    """Seconds for a strip of nine pictures, models loaded, in the host."""
    prompt = json.loads(STRIP.read_text(encoding="utf-8"))
    node = {entry["class_type"]: entry["inputs"] for entry in prompt.values()}  # the graph's own dicts
    node["TextLatentInterpolate"]["alphas"] = "0:1.25:9"
    seconds = []
    with Server(arguments=["--disable-api-nodes"]) as server:
        for seed in range(FRESH, FRESH + 3):
            node["PocketAvatar"]["seed"] = seed
            start = time.monotonic()
            run_prompt(server, prompt)
            seconds.append(time.monotonic() - start)
    report.table("A strip of nine in the host", [{"run": i, "seconds": s} for i, s in enumerate(seconds)])
    report.claim("seconds for a strip of nine, models loaded", min(seconds[1:]), "<=", 20)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench pocket_world", description=__doc__)
    parser.add_argument("--seed", type=int, default=FRESH, help=f"the first person, at least {FRESH}")
    parser.add_argument("--quick", action="store_true", help="fewer people, under ten minutes")
    options = parser.parse_args()
    if options.seed < FRESH:
        parser.error(f"people below {FRESH} were drawn in trainings and their evaluations; take a larger seed")
    if lacking := missing():
        parser.error(f"{MODELS} lacks {', '.join(lacking)}: python run.py pocket makes them")
    report = Report("pocket_world", quick=options.quick or options.seed != FRESH)
    share = 4 if options.quick else 1
    reader = FaceReader.load(MODELS)
    drawing(report, options.seed)
    files(report)
    with tempfile.TemporaryDirectory() as folder:
        reading(report, reader, options.seed, Path(folder), 200 // share)
    edit(report, reader, options.seed, 48 // share)
    paint(report, reader, "pocket-xl", options.seed, 416 // share)
    paint(report, reader, "pocket-video", options.seed, 104 // share)
    strip(report)
    parity(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
