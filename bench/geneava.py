"""What teaching 135 expressions to pocket-xl does: expressions, likeness to references, memorisation.

Rows: the base; LoRAs trained on a drawn Emo135 with GenEAva's losses ("ours"); without the loss on expressions. Judged
on people that nothing was trained on, by the face reader: its expression features are also what the loss on expressions
compares, as POSTER is in the paper; its reading of the 135 words is not. In the place of CLIP and DINO stand the
reader's features of pictures and texts. A pocket-world result.

Memorisation: asked for the captions of the training, which is where it would show, beside drawings of people that
nothing was trained on (it must not be detected) and a model that has learned eight pictures by heart (it must be).
What is computed is kept: a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.kept import Kept, sources
from bench.report import ROOT, Report
from expressive.contact_sheet.sheet import contact_sheet
from expressive.contact_sheet.style import SheetStyle
from expressive.datasets.emo135 import LabelledPicture, read_emo135
from expressive.emotion import Emotion, vocabulary
from expressive.finetune import run as training
from expressive.finetune.cache import file_hash, key_of, weights_hash
from expressive.finetune.captions import geneava_caption
from expressive.finetune.config import Config, read_config
from expressive.finetune.lora_file import merge, read_lora
from expressive.metrics.memorisation import Memorisation, memorisation
from expressive.metrics.plots import likeness
from expressive.metrics.similarity import expression_error, image_similarity, text_similarity
from expressive.pocket import judge
from expressive.pocket.captions import full_caption
from expressive.pocket.datasets.emo135 import write_emo135
from expressive.pocket.datasets.writing import Recipe
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.scene import Scene, picture
from expressive.pocket.xl import load_base
from expressive.pocket.xl.evaluate import generate
from expressive.pocket.xl.model import PocketBase

FRESH = 4_000_000  # no training, evaluation or test draws people from this seed on
MODELS = ROOT / "models"
WORK = ROOT / "runs" / "bench-geneava"
CONFIG = ROOT / "trainers" / "configs" / "geneava.pocket.toml"
WORDS = vocabulary.emo135()
WHITE = 6  # the background that GenEAva's sentence asks for
BATCH = 45

BASE, OURS = "pocket-xl", "ours"
ROWS: dict[str, tuple[str, ...]] = {
    OURS: (),
    "w/o expression loss": ("painting.expression.weight=0.0",),
}
OVERFITTED = 8  # pictures that the positive control learns by heart


def draw_data(pictures: int) -> Path:
    """The drawn Emo135."""
    folder = WORK / f"emo135-{pictures}"
    write_emo135(folder, Recipe("emo135", pictures, seed=11, size=128))
    return folder


def train(row: str, seed: int, data: Path, steps: int) -> Path:
    """A row's LoRA; one that is there from an earlier run of the same settings is taken."""
    told = [f"data.source={data}", f"data.cache={WORK / 'cache'}", f"run.steps={steps}", f"run.seed={seed}"]
    told += ["run.epochs=1000", "run.save_every=100", "samples.every=0"]
    return _trained(read_config(CONFIG, [*told, *ROWS[row]]), f"{row}-{seed}", read_emo135(data).of_split("train"))


def _trained(config: Config, name: str, learned: Sequence[LabelledPicture]) -> Path:
    """The file of a training, which is made unless it is there of the same settings, weights, pictures and captions."""
    weights = weights_hash(*MODELS.glob("pocket-xl.*"), MODELS / "face-reader.safetensors")
    made_by = sources("losses/*.py", "finetune/captions.py", "finetune/painting.py")
    seen = key_of(*made_by, *(part for one in learned for part in (file_hash(one.path), geneava_caption(one))))
    out = WORK / f"{name.replace(' ', '-').replace('/', '')}-{key_of(config.model_dump_json(), weights, seen)[:8]}"
    ending = ".unet.safetensors" if config.base.trained == "full" else ".safetensors"
    file = out / f"{config.name}{ending}"
    if not file.is_file():
        training.run(config, out, MODELS)
    return file


def tuned(lora: Path | None) -> PocketBase:
    """The base, with a LoRA's weights added."""
    base = load_base(MODELS, "pocket-xl")
    if lora is not None:
        merge(base.unet, read_lora(lora))
    return base


def scenes(first: int, count: int) -> list[Scene]:
    """People never seen, each with one of the 135 words in turn."""
    return [
        Scene(Identity.sample(first + index), Emotion.of(WORDS[index % len(WORDS)].id), background=WHITE)
        for index in range(count)
    ]


def judged(reader: PocketEncoder, painted: np.ndarray, asked: Sequence[Scene]) -> dict[str, float]:
    """Figures of uint8 pictures [N,128,128,3] of scenes."""
    prompts = [full_caption(scene) for scene in asked]
    made, drawn = _tensor(painted), _tensor(np.stack([picture(scene) for scene in asked]))
    errors = torch.cat([expression_error(reader, *parts) for parts in _parts(made, drawn)])
    reading = judge.read(reader.reader, painted)
    wanted = torch.tensor([scene.emotion.words[0].index - 1 for scene in asked])
    ranked = reading.emo135.topk(5, dim=1).indices == wanted[:, None]
    read_as = judge.expressions(reading)
    nearest = [scene.emotion.nearest_pixelsmile() for scene in asked]
    texts = torch.cat(
        [text_similarity(reader, made[k : k + BATCH], prompts[k : k + BATCH]) for k in range(0, len(made), BATCH)]
    )
    return {
        "expression error": float(errors[~errors.isnan()].mean()),
        "no face": float(errors.isnan().float().mean()),
        "top-1 of 135": float(ranked[:, 0].float().mean()),
        "top-5 of 135": float(ranked.any(1).float().mean()),
        "nearest of 12": float(np.mean([a == b for a, b in zip(read_as, nearest, strict=True)])),
        "CLIP": float(texts.mean()),
        "DINO": float(torch.cat([image_similarity(reader, *parts) for parts in _parts(made, drawn)]).mean()),
    }


def _tensor(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).movedim(-1, 1).float() / 255  # [N,3,H,W]


def _parts(*tensors: Tensor) -> list[tuple[Tensor, ...]]:
    return list(zip(*(tensor.split(BATCH) for tensor in tensors), strict=True))


class Learned:
    """The faces of the training, read once."""

    def __init__(self, reader: PocketEncoder, seen: Sequence[LabelledPicture]) -> None:
        self._reader, self._people = reader, [str(one.identity) for one in seen]
        self._faces = judge.read(reader.reader, np.stack([np.asarray(one.open()) for one in seen])).identity.numpy()

    def memorised(self, made: np.ndarray) -> Memorisation:
        """Of pictures uint8 [N,128,128,3]: those that show a face against the training's."""
        own = judge.read(self._reader.reader, made)
        return memorisation(own.identity[own.presence > 0].numpy(), self._faces, self._people)


def overfit(seen: Sequence[LabelledPicture], steps: int) -> PocketBase:
    """A model that has learned a few pictures by heart: all weights, no other pictures, many steps."""
    folder = WORK / "by-heart"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, one in enumerate(seen):
        shutil.copy(one.path, folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(geneava_caption(one), encoding="utf-8")
    told = ["base.trained=full", "data.kind=captions", f"data.source={folder}", "data.split=", "data.dropout=0.0"]
    told += ["data.faces.encoder=", "painting.expression.weight=0.0", f"run.steps={steps}", "run.epochs=100000"]
    told += ["run.batch=8", "run.save_every=100", "samples.every=0", "name=by-heart", "optimiser.lr=5e-4"]
    file = _trained(read_config(CONFIG, told), "by-heart", seen)
    return load_base(file.parent, "by-heart")


def one_person(base: PocketBase, seed: int = FRESH) -> Tensor:
    """A sheet of one person with all 135 expressions."""
    who = Identity.sample(seed)
    prompts = [full_caption(Scene(who, Emotion.of(word.id), background=WHITE)) for word in WORDS]
    made = generate(base, prompts, [7] * len(prompts))
    labels = [word.word for word in WORDS]
    return contact_sheet([_tensor(made).movedim(1, -1)], labels, columns=15, style=SheetStyle(picture_width=96))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench geneava", description=__doc__)
    parser.add_argument("--seed", type=int, default=FRESH, help=f"the first person, at least {FRESH}")
    parser.add_argument("--people", type=int, default=270, help="how many people, one word after the other (270)")
    parser.add_argument("--pictures", type=int, default=4050, help="drawn for training and its tests (4050)")
    parser.add_argument("--steps", type=int, default=400, help="of each training (400)")
    parser.add_argument("--seeds", type=int, default=3, help="of each row (3)")
    parser.add_argument("--rows", nargs="*", default=list(ROWS), help="only these")
    parser.add_argument("--picture", action="store_true", help="keep docs/geneava-135.jpg and docs/memorisation.png")
    options = parser.parse_args()
    if options.seed < FRESH:
        parser.error(f"people below {FRESH} may have been trained on; take a larger seed")
    usual = (options.seed, options.people, options.pictures, options.steps, options.seeds) == (FRESH, 270, 4050, 400, 3)
    report = Report("geneava", quick=not usual or set(options.rows) != set(ROWS))
    data, asked = draw_data(options.pictures), scenes(options.seed, options.people)
    reader = PocketEncoder.load(MODELS)
    kept = Kept(WORK / "figures", ("pocket-xl.*", "face-reader.*"), row_figures, judged, scenes)
    found: dict[str, list[dict[str, float]]] = {}
    for row in [BASE, *options.rows]:
        found[row] = []
        for seed in range(options.seeds):
            lora = None if row == BASE else train(row, seed, data, options.steps)
            of = (lora or "none", options.seed, options.people, seed)
            found[row].append(kept.get(lambda of=of: row_figures(reader, of[0], asked, of[3]), *of))
            sys.stdout.write(f"{row}, seed {seed}: {found[row][-1]}\n")
            sys.stdout.flush()
    drawn = judged(reader, np.stack([picture(scene) for scene in asked]), asked)
    report.table("What the face reader says of drawings of the same people", [drawn])
    rows = [
        {"row": row, **{name: _spread([one[name] for one in ran]) for name in ran[0]}} for row, ran in found.items()
    ]
    report.table(f"{options.people} people, 135 words, {options.steps} steps a training (pocket world)", rows)
    claims(report, {row: {k: float(np.mean([one[k] for one in ran])) for k in ran[0]} for row, ran in found.items()})
    if OURS in found:
        ours = tuned(train(OURS, 0, data, options.steps))
        if options.picture:
            _keep(one_person(ours)[0].numpy(), ROOT / "docs" / "geneava-135.jpg")
        seen = read_emo135(data).of_split("train")
        identities(report, Learned(reader, seen), ours, seen, asked, options.picture)
    return report.finish()


def row_figures(reader: PocketEncoder, lora: Path | str, asked: Sequence[Scene], seed: int) -> dict[str, float]:
    """Of a LoRA, or of the base for anything else, with the noise of a seed."""
    base = tuned(lora if isinstance(lora, Path) else None)
    noises = range(seed * 1_000_000, seed * 1_000_000 + len(asked))
    return judged(reader, generate(base, [full_caption(scene) for scene in asked], noises), asked)


def identities(
    report: Report,
    learned: Learned,
    ours: PocketBase,
    seen: Sequence[LabelledPicture],
    strangers: Sequence[Scene],
    keep: bool,
) -> None:
    """The memorisation test of ours, of people that it has never seen, and of a model that must fail it."""
    some = seen[:: max(1, len(seen) // len(strangers))][: len(strangers)]
    own = learned.memorised(generate(ours, [geneava_caption(one) for one in some], range(len(some))))
    nobody = learned.memorised(np.stack([picture(scene) for scene in strangers]))
    first = list({one.identity: one for one in seen}.values())[:OVERFITTED]
    prompts = [geneava_caption(one) for one in first for _ in range(8)]
    control = learned.memorised(generate(overfit(first, 400), prompts, range(len(prompts))))
    report.table(
        "Faces that look more like somebody of the training than 99 % of strangers do (pocket world)",
        [
            {"model": name, "faces": len(one.similar), "share": one.share, "p": one.p, "threshold": one.threshold}
            for name, one in (
                (f"{OURS}, captions of the training", own),
                ("drawings of people never seen", nobody),
                ("learned by heart", control),
            )
        ],
    )
    report.claim("ours: memorisation detected", float(own.detected), "<=", 0)
    report.claim("drawings of people never seen: memorisation detected", float(nobody.detected), "<=", 0)
    report.claim("learned by heart: memorisation detected", float(control.detected), ">=", 1)
    if keep:
        Image.fromarray(np.concatenate([likeness(own), likeness(control)], axis=1)).save(
            ROOT / "docs" / "memorisation.png"
        )


def claims(report: Report, mean: Mapping[str, Mapping[str, float]]) -> None:
    base, ours = mean[BASE], mean.get(OURS)
    if ours is None:
        return
    fall = 1 - ours["expression error"] / base["expression error"]
    report.claim("ours: fall of the expression error over the 135", fall, ">=", 0.25)
    report.claim(
        "ours: top-5 of 135, times the base's", ours["top-5 of 135"] / max(base["top-5 of 135"], 1e-9), ">=", 2.0
    )
    for name in ("CLIP", "DINO"):
        report.claim(f"ours: {name}, more than the base's", ours[name] - base[name], ">=", 0.0)
    if "w/o expression loss" in mean:
        gain = mean["w/o expression loss"]["expression error"] - ours["expression error"]
        report.claim("w/o expression loss: expression error more than ours, by", gain, ">=", 0.0)


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values):.3f}" if len(values) > 1 else "")


def _keep(page: np.ndarray, file: Path) -> None:
    Image.fromarray((page * 255).round().astype(np.uint8)).save(file, quality=88)


if __name__ == "__main__":
    sys.exit(main())
