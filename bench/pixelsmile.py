"""PixelSmile's tables on the pocket world: trained on drawn pairs, judged on people that nothing was trained on.

Rows: the base without training; all losses ("ours"); each loss left out or replaced; data of three levels. Every row is
trained from the same base with the same budget. The face reader judges; its own errors are in the bench pocket_world.
It also gives the losses on contrast and identity, on other people, so that these rows say whether a loss does what it
says. What is computed is kept: a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from bench.kept import Kept, sources
from bench.report import ROOT, Report
from expressive.contact_sheet.sheet import contact_sheet
from expressive.contact_sheet.style import SheetStyle
from expressive.emotion import Emotion
from expressive.finetune import run as training
from expressive.finetune.cache import DiskCache, file_hash, key_of, weights_hash
from expressive.finetune.config import Config, read_config
from expressive.finetune.encoded import EncodedEdits, View
from expressive.finetune.judges import judges_of
from expressive.finetune.lora import LoraShape, add_lora
from expressive.finetune.lora_file import merge, read_lora
from expressive.finetune.pairs import Pairs
from expressive.finetune.pocket_edit import PocketEditBase
from expressive.finetune.sweep import Sweep
from expressive.finetune.trained import trained
from expressive.metrics.ffe_bench import EXPRESSIONS, Edit, basic, figures
from expressive.metrics.readings import read_faces
from expressive.pocket.datasets.ffe import write_ffe
from expressive.pocket.datasets.writing import Recipe, drawing_digest
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.scene import Scene, picture

FRESH = 2_000_000  # no training, evaluation or test draws people from this seed on
MODELS = ROOT / "models"
WORK = ROOT / "runs" / "bench-pixelsmile"
CONFIG = ROOT / "trainers" / "configs" / "pixelsmile.pocket.toml"
SIZE = 128
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
STEPS = 8  # of a sampler
LEVELS = (0.5, 0.75, 1.0)  # MEAD's
PART = 0.35  # of a blend's expression that has to be seen
FIGURES = ("mSCR", "Acc-6", "Acc-12", "CLS-6", "CLS-12", "ID Sim", "HES")

OURS, UNTRAINED = "ours", "w/o training"
ROWS: dict[str, tuple[str, ...]] = {
    OURS: (),
    "w/o contrastive": ("objective.contrast.weight=0.0",),
    "w/o ID": ("objective.identity.weight=0.0",),
    "w/o symmetric": ("objective.contrast.symmetric=false",),
    "log-ratio": ("objective.contrast.triplet=log_ratio",),
    "hinge": ("objective.contrast.triplet=hinge",),
    "discrete data": (),
}


def draw_data(pairs: int) -> dict[str, Path]:
    """The training files of pairs with any intensity, and of three levels."""
    files = {}
    for name, levels in (("any", ()), ("levels", LEVELS)):
        folder = WORK / f"ffe-{name}-{pairs}"
        write_ffe(folder, Recipe("ffe", pairs, seed=7, size=SIZE), levels=levels)
        files[name] = folder / "train.jsonl"
    return files


def draw_people(count: int, seed: int) -> list[View]:
    """Neutral pictures of people that nothing was trained on."""
    folder = WORK / f"people-{seed}-{drawing_digest()}"
    folder.mkdir(parents=True, exist_ok=True)
    views = []
    for number in range(seed, seed + count):
        file = folder / f"{number}.png"
        if not file.is_file():
            Image.fromarray(picture(Scene(Identity.sample(number), Emotion.neutral()), SIZE)).save(file)
        views.append(View(file, (SIZE, SIZE)))
    return views


def configured(row: str, seed: int, files: dict[str, Path], steps: int) -> Config:
    """The shipped configuration with a row's change."""
    data = files["levels" if row == "discrete data" else "any"]
    told = [f"data.source={data}", f"data.cache={WORK / 'cache'}", f"run.steps={steps}", f"run.seed={seed}"]
    told += ["run.epochs=1000", "run.save_every=100", "samples.every=0", "calibration.pictures=0"]
    return read_config(CONFIG, [*told, *ROWS[row]])


def train(row: str, seed: int, files: dict[str, Path], steps: int) -> Path:
    """The row's LoRA; one that is there from an earlier run of the same settings is taken."""
    config = configured(row, seed, files, steps)
    weights = weights_hash(*MODELS.glob("pocket-edit.*"), MODELS / "face-reader.safetensors")
    made_by = sources("losses/*.py", "finetune/pixelsmile.py", "finetune/pairs.py")
    of = key_of(config.model_dump_json(), weights, file_hash(config.data.source), *made_by)[:8]
    out = WORK / f"{row.replace(' ', '-').replace('/', '')}-{seed}-{of}"
    found = out / "pocket-pixelsmile.safetensors"
    if not found.is_file():
        training.run(config, out, MODELS)
    return found


def tuned(lora: Path | None) -> PocketEditBase:
    """The base, with a LoRA's weights added."""
    base = PocketEditBase(MODELS)
    if lora is not None:
        merge(base.network, read_lora(lora))
    return base


def edited(lora: Path | None, people: Sequence[View], seed: int, reader: PocketEncoder) -> list[Edit]:
    """All people × 12 expressions × α, read by the reader."""
    sweep = Sweep(EncodedEdits(tuned(lora), DiskCache(WORK / "cache")), people, EXPRESSIONS, "human", STEPS, seed)
    found = []
    for index, view in enumerate(people):
        source = view.open()
        neutral = read_faces(reader, sweep.edits(index, EXPRESSIONS[0], ALPHAS[:1]), reader, source)  # the same for all
        for word in EXPRESSIONS:
            readings = neutral + read_faces(reader, sweep.edits(index, word, ALPHAS[1:]), reader, source)
            found += [
                Edit(view.path.stem, word, alpha, reading.scores, reading.identity)
                for alpha, reading in zip(ALPHAS, readings, strict=True)
            ]
    return found


def figures_of(
    kept: Kept, lora: Path | None, people: Sequence[View], seed: int, reader: PocketEncoder
) -> dict[str, float]:
    """Of a row and a noise seed."""
    return kept.get(
        lambda: figures(edited(lora, people, seed, reader)), lora or "none", *(view.path for view in people), seed
    )


def blends(lora: Path, view: View, reader: PocketEncoder) -> tuple[Tensor, list[dict[str, Any]]]:
    """The 15 pairs of the six basic expressions at α = 1 each: pictures [16,H,W,3], the source first, and a table."""
    base = tuned(lora)
    sweep = Sweep(EncodedEdits(base, DiskCache(WORK / "cache")), [view], basic(), "human", STEPS, 0)
    pictures, rows = [view.open()], []
    for a, b in combinations(basic(), 2):
        made = sweep.blend(0, {a: 1.0, b: 1.0})
        scores = read_faces(reader, made)[0].scores
        parts = {word: scores[EXPRESSIONS.index(word)] for word in (a, b)}
        rows.append({"blend": f"{a} + {b}", "first": parts[a], "second": parts[b],
                     "plausible": "yes" if min(parts.values()) >= PART else "no"})  # fmt: skip
        pictures.append(made)
    return torch.cat([one.cpu() for one in pictures]).movedim(1, -1), rows


def step_ratio(files: dict[str, Path], steps: int = 20) -> float:
    """Seconds of a training step without extra losses, as a multiple of a bare loop's on the same model and batches."""
    quiet = ["objective.contrast.weight=0.0", "objective.identity.weight=0.0"]
    config = read_config(CONFIG, [f"data.source={files['any']}", "samples.every=0", "calibration.pictures=0", *quiet])
    bare, whole = [], []
    for number in range(3):  # turn and turn about
        whole.append(_whole_loop(config, steps, WORK / f"step-{number}"))
        bare.append(_bare_loop(config, steps))
    return min(whole) / min(bare)


def _whole_loop(config: Config, steps: int, out: Path) -> float:
    told = {"steps": steps, "epochs": 1000.0, "save_every": 10 * steps}
    config = config.model_copy(update={"run": config.run.model_copy(update=told)})
    config = config.model_copy(update={"data": config.data.model_copy(update={"cache": WORK / "cache"})})
    moments: list[float] = []
    training.run(config, out, MODELS, resume=False, on_step=lambda *_: moments.append(time.perf_counter()))
    shutil.rmtree(out)
    return (moments[-1] - moments[1]) / (len(moments) - 2)


def _bare_loop(config: Config, steps: int) -> float:
    base = PocketEditBase(MODELS)
    judges = judges_of(config.objective, MODELS, base.device)
    pairs = Pairs(config, EncodedEdits(base, DiskCache(WORK / "cache")), judges)
    batch = pairs.batch(range(config.run.batch))
    network: nn.Module = base.network
    add_lora(network, LoraShape(config.lora.rank, config.lora.alpha, targets=base.targets))
    optimiser = torch.optim.AdamW(list(trained(network).values()), lr=1e-4)
    clean, texts = torch.cat((batch.a.latents, batch.b.latents)), torch.cat((batch.a.texts, batch.b.texts))
    source, moments = torch.cat((batch.source, batch.source)), []
    for _ in range(steps):
        noise, sigma = torch.randn_like(clean), torch.rand(len(clean))
        level = sigma[:, None, None, None]
        velocity = base.velocity((1 - level) * clean + level * noise, sigma, texts, None, source)
        torch.nn.functional.mse_loss(velocity, noise - clean).backward()
        optimiser.step()
        optimiser.zero_grad()
        moments.append(time.perf_counter())
    return (moments[-1] - moments[1]) / (len(moments) - 2)


def spread(values: Sequence[float]) -> str:
    """A mean, with the deviation where there are several."""
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values):.3f}" if len(values) > 1 else "")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench pixelsmile", description=__doc__)
    parser.add_argument("--seed", type=int, default=FRESH, help=f"the first person, at least {FRESH}")
    parser.add_argument("--people", type=int, default=30, help="how many people (30)")
    parser.add_argument("--pairs", type=int, default=1200, help="lines of training data (1200)")
    parser.add_argument("--steps", type=int, default=300, help="of each training (300)")
    parser.add_argument("--seeds", type=int, default=3, help="of the two main rows (3)")
    parser.add_argument("--rows", nargs="*", default=list(ROWS), help="only these")
    parser.add_argument("--picture", action="store_true", help="keep the blends as docs/pixelsmile-blends.jpg")
    options = parser.parse_args()
    if options.seed < FRESH:
        parser.error(f"people below {FRESH} may have been trained on; take a larger seed")
    whole = (options.seed, options.people, options.pairs, options.steps, options.seeds) == (FRESH, 30, 1200, 300, 3)
    report = Report("pixelsmile", quick=not whole or set(options.rows) != set(ROWS))
    files, people = draw_data(options.pairs), draw_people(options.people, options.seed)
    reader = PocketEncoder.load(MODELS)

    kept = Kept(WORK / "figures", ("pocket-edit.*", "face-reader.*"), edited)
    found: dict[str, list[dict[str, float]]] = {}
    for row in [UNTRAINED, *options.rows]:
        found[row] = []
        for seed in range(options.seeds if row in (UNTRAINED, OURS) else 1):
            lora = None if row == UNTRAINED else train(row, seed, files, options.steps)
            found[row].append(figures_of(kept, lora, people, seed, reader))
            sys.stdout.write(f"{row}, seed {seed}: {found[row][-1]}\n")
            sys.stdout.flush()
    rows = [
        {"row": row, **{name: spread([one[name] for one in ran]) for name in FIGURES}} for row, ran in found.items()
    ]
    report.table(f"PixelSmile on {options.people} drawn people, {options.steps} steps a row (pocket world)", rows)
    mean = {row: {name: float(np.mean([one[name] for one in ran])) for name in FIGURES} for row, ran in found.items()}
    claims(report, mean, {row: ran[0] for row, ran in found.items()})
    if OURS in found:
        sheet, table = blends(train(OURS, 0, files, options.steps), people[0], reader)
        report.table(f"Blends of two basic expressions; plausible: both at least {PART} (pocket world)", table)
        if options.picture:
            labels = ["source", *(str(row["blend"]) for row in table)]
            page = contact_sheet([sheet], labels, columns=4, style=SheetStyle(picture_width=256))
            kept = Image.fromarray((page[0] * 255).round().byte().numpy())
            kept.save(ROOT / "docs" / "pixelsmile-blends.jpg", quality=88)
    report.claim("a step without extra losses, times a bare loop's step", step_ratio(files), "<=", 1.1)
    return report.finish()


def claims(report: Report, mean: dict[str, dict[str, float]], first: dict[str, dict[str, float]]) -> None:
    """The targets of "ours", by its mean, and the paper's findings, by the seed that all rows have."""
    ours = mean.get(OURS)
    if ours is None:
        return
    report.claim("ours: mSCR", ours["mSCR"], "<=", 0.05)
    for name, target in (("CLS-6", 0.85), ("CLS-12", 0.8), ("Acc-6", 0.9), ("Acc-12", 0.75)):
        report.claim(f"ours: {name}", ours[name], ">=", target)
    ours = first[OURS]
    better = sum(other["HES"] > ours["HES"] for row, other in first.items() if row != OURS)
    report.claim("rows with a higher HES than ours", better, "<=", 1)
    for row, name, sign in (("w/o contrastive", "mSCR", 1), ("w/o ID", "ID Sim", -1), ("w/o symmetric", "mSCR", 1)):
        if row in first:
            words = "more" if sign > 0 else "less"
            report.claim(f"{row}: {name} {words} than ours, by", sign * (first[row][name] - ours[name]), ">=", 0.0)


if __name__ == "__main__":
    sys.exit(main())
