"""Does Stylize keep who it is and what it feels, better than image-to-image and than the prompt alone?

Drawn portraits of people that pocket-xl never saw, each with one of the twelve expressions, become flat cartoons; the
face reader compares portrait and avatar. The prompt names the style alone, as for a photograph of which nothing is
known, and in a second table a sentence after GenEAva's names age, gender, race group and expression too. All rows have
the same steps, guidance and seeds, and run in ComfyUI. A pocket-world result.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from bench.report import ROOT, Report
from expressive.contact_sheet.sheet import contact_sheet
from expressive.contact_sheet.style import SheetStyle
from expressive.emotion import Emotion
from expressive.emotion.person import Person
from expressive.metrics.ffe_bench import EXPRESSIONS
from expressive.pocket import judge
from expressive.pocket.captions import STYLE_NAMES
from expressive.pocket.faces import Identity
from expressive.pocket.reader.reader import FaceReader
from expressive.pocket.scene import Scene, picture
from launcher.server import Server
from launcher.workflow import run_prompt, saved_files

FRESH = 3_000_000  # no training, evaluation or test draws people from this seed on
SHARED = {"steps": 12, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "seed": 42}
STRENGTH = 0.8


@dataclass(frozen=True)
class Way:
    """How avatars are made. node: Stylize, or KSampler. latent: what KSampler starts from: the picture, or nothing."""

    node: str = "Stylize"
    settings: Mapping[str, object] = field(default_factory=dict)
    latent: str = "picture"


WAYS: dict[str, Way] = {
    "prompt only": Way("KSampler", {"denoise": 1.0}, latent="empty"),
    **{f"image-to-image {s:g}": Way("KSampler", {"denoise": s}) for s in (0.4, 0.5, 0.6, STRENGTH)},
    "Stylize": Way(),
    "Stylize, inverted": Way(settings={"start": "inverted"}),
    "Stylize without injection": Way(settings={"attention": 0.0, "features": 0.0}),
    "Stylize without correction": Way(settings={"correction": 0.0}),
}


def graph(way: Way, files: Sequence[str], sentences: Mapping[str, str]) -> dict[str, dict]:
    """An API graph that makes avatars of pictures in the input folder and saves them in their order."""

    def words(text: str) -> dict:
        return {"class_type": "CLIPTextEncode", "inputs": {"clip": ["base", 1], "text": text}}

    made = {
        "base": {"class_type": "PocketModels", "inputs": {"base": "pocket-xl"}},
        "source": words(sentences["source"]),
        "style": words(sentences["style"]),
        "negative": words(""),
        "batch": {"class_type": "BatchImagesNode", "inputs": {f"images.image{k}": [f, 0] for k, f in enumerate(files)}},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["made", 0], "filename_prefix": "bench/stylize"}},
    }
    made |= {name: {"class_type": "LoadImage", "inputs": {"image": name}} for name in files}
    asked = {"model": ["base", 0], "positive": ["style", 0], "negative": ["negative", 0], **SHARED}
    if way.node == "Stylize":
        kept = {"strength": STRENGTH, "start": "seeded", "attention": 0.8, "features": 0.6, "correction": 1.0}
        kept |= {"colours": 0.0, **way.settings}
        shown = {"vae": ["base", 2], "image": ["batch", 0], "source": ["source", 0]}
        return made | {"made": {"class_type": "Stylize", "inputs": {**asked, **kept, **shown}}}
    start = {"class_type": "VAEEncode", "inputs": {"pixels": ["batch", 0], "vae": ["base", 2]}}
    if way.latent == "empty":
        sizes = {"width": 128, "height": 128, "batch_size": len(files)}
        start = {"class_type": "EmptyLatentImage", "inputs": sizes}
    sampler = {"class_type": "KSampler", "inputs": {**asked, **way.settings, "latent_image": ["start", 0]}}
    decoded = {"class_type": "VAEDecode", "inputs": {"samples": ["sampler", 0], "vae": ["base", 2]}}
    return made | {"start": start, "sampler": sampler, "made": decoded}


def sentence(scene: Scene | None, style: str) -> str:
    """The style alone, or a short form of GenEAva's sentence, with the person and the feeling."""
    name = STYLE_NAMES[style][0]
    if scene is None:
        return f"{name} of a person"
    who = scene.identity
    noun = Person(age=who.age_group, gender=who.gender, race=who.race).noun
    feeling = scene.emotion.words[0].noun
    return f"{name} face of {noun} with shoulders visible, displaying a facial expression of {feeling}"


def avatars(server: Server, way: Way, scenes: Sequence[Scene], style: str, told: bool, batch: int = 8) -> np.ndarray:
    """Avatars uint8 [N,128,128,3] of the pictures that lie in the server's input folder under their numbers."""
    groups = [[k] for k in range(len(scenes))]
    if not told:  # the same prompt for all: several at once
        groups = [list(range(k, min(k + batch, len(scenes)))) for k in range(0, len(scenes), batch)]
    made = []
    for group in groups:
        scene = scenes[group[0]] if told else None
        sentences = {"source": sentence(scene, "portrait"), "style": sentence(scene, style)}
        files = saved_files(run_prompt(server, graph(way, [f"{k}.png" for k in group], sentences)), server.output)
        made += [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return np.stack(made)


def keep_sheet(file: Path, rows: Mapping[str, np.ndarray], people: int = 8) -> None:
    pictures = [torch.tensor(row[:people]).float() / 255 for row in rows.values()]
    sheet = contact_sheet(
        pictures, [], rows=len(rows), columns=people, row_labels=list(rows), style=SheetStyle(picture_width=160)
    )
    Image.fromarray((sheet[0] * 255).round().byte().numpy()).save(file, quality=88)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench stylize", description=__doc__)
    parser.add_argument("--seed", type=int, default=FRESH, help=f"the first person, at least {FRESH}")
    parser.add_argument("--people", type=int, default=48, help="how many people, one expression after the other (48)")
    parser.add_argument("--style", default="cartoon", choices=[s for s in STYLE_NAMES if s != "portrait"])
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS), help="which rows (all)")
    parser.add_argument("--picture", action="store_true", help="keep the sheet as docs/stylize.jpg")
    options = parser.parse_args()
    if options.seed < FRESH:
        parser.error(f"people below {FRESH} may have been trained on; take a larger seed")
    if options.people < 2:
        parser.error("identity is told apart from other people's: take two at least")
    usual = (FRESH, 48, "cartoon", list(WAYS))
    report = Report("stylize", quick=(options.seed, options.people, options.style, options.ways) != usual)
    scenes = [
        Scene(Identity.sample(options.seed + k), Emotion.of(f"pixelsmile.{EXPRESSIONS[k % 12]}"), background=k % 12)
        for k in range(options.people)
    ]
    sources = np.stack([picture(scene) for scene in scenes])
    reader = FaceReader.load(ROOT / "models")
    rows: dict[str, np.ndarray] = {"portrait": sources}
    found: dict[tuple[str, bool], dict[str, float]] = {}
    with TemporaryDirectory() as state, Server(state=Path(state), arguments=["--disable-api-nodes"]) as server:
        for number, one in enumerate(sources):
            Image.fromarray(one).save(server.input / f"{number}.png")
        for told in (False, True):
            for name in options.ways:
                made = avatars(server, WAYS[name], scenes, options.style, told)
                found[name, told] = judge.stylized(reader, sources, made, options.style)
                if not told:
                    rows[name] = made
            title = "A sentence after GenEAva's" if told else "The prompt names the style alone"
            told_rows = [{"way": name, **found[name, told]} for name in options.ways]
            report.table(f"{title}: avatars in the style “{options.style}” (pocket world)", told_rows)
    drawn = np.stack([picture(replace(scene, style=options.style)) for scene in scenes])
    report.table("What the face reader says of drawn avatars", [judge.stylized(reader, sources, drawn, options.style)])
    if "Stylize" in options.ways:
        claims(report, {name: found[name, False] for name in options.ways})
    if options.picture:
        keep_sheet(ROOT / "docs" / "stylize.jpg", {**rows, "drawn": drawn})
    return report.finish()


def claims(report: Report, found: Mapping[str, Mapping[str, float]]) -> None:
    own = found["Stylize"]
    report.claim("dominant expression kept", own["expression"], ">=", 0.96)
    report.claim("identity kept", own["identity"], ">=", 0.93)
    report.claim("style reached", own["style"], ">=", 0.95)
    plain = {name: row for name, row in found.items() if WAYS[name].node == "KSampler" and row["style"] >= 0.95}
    for what in ("expression", "similarity"):
        best = max((row[what] for row in plain.values()), default=float("nan"))  # without any, the claim fails
        report.claim(f"{what}: ahead of the best plain way that reaches the style", own[what] - best, ">=", 0.0)


if __name__ == "__main__":
    sys.exit(main())
