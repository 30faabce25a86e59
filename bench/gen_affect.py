"""Gen-AFFECT's tables on the pocket world: one identity, twelve expressions, one set.

Rows: the whole way; without consistent attention; without the expression in the prompt; without each loss; an adapter
in the text-to-picture model (“Conditional SDXL”); the prompt alone. People and expressions are told by pictures that
nothing was trained on: one neutral picture of the person, and for each expression a face of somebody else. “Other
pictures”: faces that are pale, grainy and closer than any that the adapter has learned from, and no word in the
prompt, so that nothing else says which expression it is.

The face reader judges. Exp.: distance of its expression features from those of the reference face. ID: cosine of its
identity to the person's. In the place of CLIP stand its joint features of pictures and texts, of DINO the mean of its
map. Such means are alike for any two faces, so that consistency is also told of what is left of them without the mean
over strangers ("centred"), and what the reader says of drawings of one person, and of twelve strangers, stands beside.
It is also what the adapter looks through, and it gives two of the losses, on other people. A pocket-world result. What
is computed is kept: a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from bench.host import load_pack, nodes_file
from bench.kept import Kept, sources
from bench.report import ROOT, Report
from expressive.contact_sheet.sheet import contact_sheet
from expressive.contact_sheet.style import SheetStyle
from expressive.emotion import Emotion, vocabulary
from expressive.finetune import run as training
from expressive.finetune.adapter_config import AdapterConfig, read_adapter_config
from expressive.finetune.cache import file_hash, key_of, weights_hash
from expressive.metrics.consistency import consistency
from expressive.metrics.similarity import expression_error, text_similarity
from expressive.pocket import judge
from expressive.pocket.datasets.ffe import write_ffe
from expressive.pocket.datasets.writing import Recipe
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.scene import Scene, picture

FRESH = 5_000_000  # no training, evaluation or test draws people from this seed on
MODELS = ROOT / "models"
WORK = ROOT / "runs" / "bench-gen-affect"
CONFIG = ROOT / "trainers" / "configs" / "gen-affect.pocket.toml"
WORDS = tuple(word.word for word in vocabulary.pixelsmile())
SIZE, STEPS = 128, 8
PALE = 0.6  # share of the colours that faces in other pictures lack
XL_PROMPT = "A portrait of a person with a {word} expression"
FIGURES = ("accuracy", "no face", "Exp.", "CLIP", "ID", "DINO", "DINO-Con.", "centred", "ID-Con.")


@dataclass(frozen=True)
class Row:
    """adapter: of which training; empty: none. told: the prompts name the expressions. consistent: shared attention.
    foreign: faces in other pictures than it has learned from."""

    adapter: str
    told: bool = True
    consistent: bool = True
    foreign: bool = False


FULL = "full"
TRAININGS: dict[str, tuple[str, ...]] = {
    FULL: (),
    "w/o identity loss": ("objective.identity.weight=0.0",),
    "w/o expression loss": ("objective.expression.weight=0.0",),
    "Conditional SDXL": ("base.kind=pocket-xl", "samples.cfg=4.0", f"data.prompt={XL_PROMPT}"),
}
ROWS: dict[str, Row] = {
    FULL: Row(FULL),
    "w/o consistent attention": Row(FULL, consistent=False),
    "w/o expression prompt": Row(FULL, told=False),
    "w/o identity loss": Row("w/o identity loss"),
    "w/o expression loss": Row("w/o expression loss"),
    "Conditional SDXL": Row("Conditional SDXL", consistent=False),
    "prompt alone": Row("", consistent=False),
    "other pictures": Row(FULL, told=False, foreign=True),
}


def configured(name: str, seed: int, data: Path, steps: int) -> AdapterConfig:
    """The shipped configuration with a training's change."""
    told = [f"data.source={data}", f"data.cache={WORK / 'cache'}", f"run.steps={steps}", f"run.seed={seed}"]
    told += ["run.epochs=1000", "run.save_every=100", "samples.every=0"]
    return read_adapter_config(CONFIG, [*told, *TRAININGS[name]])


def train(name: str, seed: int, data: Path, steps: int) -> Path:
    """An adapter; one that is there from an earlier run of the same settings and weights is taken."""
    config = configured(name, seed, data, steps)
    weights = weights_hash(*MODELS.glob(f"{config.base.kind}.*"), MODELS / "face-reader.safetensors")
    made_by = sources("losses/*.py", "identity/*.py", "finetune/adapter_*.py", "finetune/denoisers.py")
    of = key_of(config.model_dump_json(), weights, file_hash(data), *made_by)[:8]
    out = WORK / f"{name.replace(' ', '-').replace('/', '')}-{seed}-{of}"
    found = out / f"{config.name}.safetensors"
    if not found.is_file():
        training.run(config, out, MODELS)
    return found


@cache
def person(seed: int, word: str = "") -> np.ndarray:
    """Somebody, neutral or with an expression: uint8 [128,128,3]."""
    emotion = Emotion.of(f"pixelsmile.{word}") if word else Emotion.neutral()
    return picture(Scene(Identity.sample(seed), emotion), SIZE)


@cache
def faces(seed: int, foreign: bool) -> np.ndarray:
    """A face for each word, of somebody else each: uint8 [12,128,128,3]. foreign: pale, grainy, close."""
    if not foreign:
        return np.stack([person(seed + k, word) for k, word in enumerate(WORDS)])
    drawn = []
    noise = np.random.default_rng(seed)
    for k, word in enumerate(WORDS):
        whole = picture(Scene(Identity.sample(seed + k), Emotion.of(f"pixelsmile.{word}")), 160)
        close = whole[10:138, 16:144].astype(float)
        pale = close + PALE * (close.mean(axis=2, keepdims=True) - close)
        drawn.append((pale + noise.normal(0, 6, pale.shape)).clip(0, 255).astype(np.uint8))
    return np.stack(drawn)


def shown_to(first: int, number: int, foreign: bool) -> np.ndarray:
    """The faces [12,128,128,3] that the number-th person is to make."""
    return faces(first + 100_000 + 12 * number, foreign)


@torch.no_grad()
def check_faces(reader: PocketEncoder, first: int, people: int) -> None:
    """Raises ValueError for a face that the reader does not find, before hours have passed."""
    for foreign in (False, True):
        for number in range(people):
            found = reader.encode_expression(_tensor(shown_to(first, number, foreign))).found
            if not bool(found.all()):
                lacking = [word for word, there in zip(WORDS, found.tolist(), strict=True) if not there]
                raise ValueError(f"Nobody is found on faces {', '.join(lacking)} for person {number}, {foreign=}.")


class Painter:
    """Sets through the pack's own nodes."""

    def __init__(self) -> None:
        pack = load_pack()
        names = ("identity_adapter", "identity_expression_encode", "apply_identity_expression")
        self._files = {name: nodes_file(pack, name) for name in (*names, "consistent_attention_sampler")}
        self._bases = {
            "pocket-edit": nodes_file(pack, "pocket_host").load_base("pocket-edit"),
            "pocket-xl": nodes_file(pack, "pocket_xl_host").load_base("pocket-xl"),
        }
        self._heard: dict[tuple[str, bool], list[Any]] = {}
        self._loaded: tuple[Path, Any] | None = None  # the last adapter

    def _adapter(self, file: Path) -> Any:
        if self._loaded is None or self._loaded[0] != file:
            self._loaded = file, self._files["identity_adapter"].load(file.name, file)
        return self._loaded[1]

    def _prompts(self, kind: str, told: bool) -> list[Any]:
        """Conditions of the twelve and of the empty prompt."""
        if (kind, told) not in self._heard:
            clip = self._bases[kind][1]
            texts = [*prompts_of(kind, told), ""]
            self._heard[kind, told] = [clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in texts]
        return self._heard[kind, told]

    @torch.no_grad()
    def paint(self, row: Row, adapter: Path | None, source: np.ndarray, shown: np.ndarray, noise: int) -> np.ndarray:
        """uint8 [12,128,128,3] of the person of a picture [128,128,3] with the expressions of faces [12,128,128,3]."""
        files, kind = self._files, "pocket-edit"
        loaded: Any = None
        if adapter is not None:
            loaded = self._adapter(adapter)
            kind = loaded.base
        model, _, vae = self._bases[kind]
        if loaded is not None:
            encode = files["identity_expression_encode"].IdentityExpressionEncode
            who = encode.execute([loaded], [_image(source[None])], [_image(shown)]).args[0]
            apply = files["apply_identity_expression"].ApplyIdentityExpression
            model = apply.execute(model, loaded, who, 1.0, 1.0, 0.0, 1.0).args[0]
        prompts = self._prompts(kind, row.told)
        sampler = files["consistent_attention_sampler"].ConsistentAttentionSampler
        empty = torch.zeros(1, 16, 1, SIZE // 8, SIZE // 8) if kind == "pocket-edit" else torch.zeros(1, 4, 32, 32)
        settings = {
            "noise_seed": noise, "steps": STEPS, "cfg": 1.0 if kind == "pocket-edit" else 4.0, "sampler_name": "euler",
            "scheduler": "simple", "denoise": 1.0, "noise": "own", "keep": 0.5,
            "strength": 1.0 if row.consistent else 0.0, "anchors": 0, "layers": "last two thirds", "start": 0.0,
            "end": 1.0, "draw_seed": 0,
        }  # fmt: skip
        told = {name: [value] for name, value in settings.items()}
        made = sampler.execute([model], prompts[:-1], [prompts[-1]], [{"samples": empty}], **told).args[0]["samples"]
        pixels = vae.decode(made).reshape(len(WORDS), SIZE, SIZE, 3)
        return (pixels.clamp(0, 1) * 255).round().byte().numpy()


def prompts_of(kind: str, told: bool) -> list[str]:
    """The prompts that an adapter's training had, with the word or with neutral."""
    how = read_adapter_config(CONFIG).data.prompt if kind == "pocket-edit" else XL_PROMPT
    return [how.format(word=word if told else "neutral") for word in WORDS]


def _image(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures.copy()).float() / 255  # [N,H,W,3]


def _tensor(pictures: np.ndarray) -> Tensor:
    return _image(pictures).movedim(-1, 1)  # [N,3,H,W]


@cache
def strangers(reader: PocketEncoder) -> Tensor:
    """The mean [128] of the reader's maps over people of no row, with all expressions."""
    drawn = np.concatenate([faces(FRESH - 1_000 + 12 * k, False) for k in range(8)])
    with torch.no_grad():
        return reader.encode_patches(_tensor(drawn)).mean((0, 1))


@torch.no_grad()
def judged(reader: PocketEncoder, made: np.ndarray, source: np.ndarray, shown: np.ndarray) -> dict[str, float]:
    """Figures of one set [12,128,128,3]; a picture without a face is no expression that was reached."""
    pictures, own = _tensor(made), _tensor(source[None])
    errors = expression_error(reader, pictures, _tensor(shown))
    identity = reader.encode_identity(torch.cat((own, pictures))).embeddings
    seen_maps = reader.encode_patches(torch.cat((own, pictures))).mean(1)  # [13,128]
    looks, centred = F.normalize(seen_maps, dim=1), F.normalize(seen_maps - strangers(reader), dim=1)
    reading = judge.read(reader.reader, made)
    seen = (reading.presence > 0).numpy()
    reached = np.array([a == b for a, b in zip(judge.expressions(reading), WORDS, strict=True)])
    return {
        "accuracy": float((reached & seen).mean()),
        "no face": float(1 - seen.mean()),
        "Exp.": float(errors.nanmean()),
        "CLIP": float(text_similarity(reader, pictures, prompts_of("pocket-xl", True)).mean()),
        "ID": float((identity[1:] @ identity[0]).mean()),
        "DINO": float((looks[1:] @ looks[0]).mean()),
        "DINO-Con.": consistency(looks[1:]),
        "centred": consistency(centred[1:]),
        "ID-Con.": consistency(identity[1:]),
    }


def mean_of(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each figure; sets without any face have no Exp."""
    return {name: float(np.nanmean([one[name] for one in figures])) for name in FIGURES}


def row_figures(
    painter: Painter, reader: PocketEncoder, row: Row, adapter: Path | None, first: int, people: int, seed: int
) -> dict[str, float]:
    """The mean over all people."""
    sets = []
    for number in range(people):
        source, shown = person(first + number), shown_to(first, number, row.foreign)
        made = painter.paint(row, adapter, source, shown, noise=seed * 1000 + number)
        sets.append(judged(reader, made, source, shown))
    return mean_of(sets)


def drawings(reader: PocketEncoder, first: int, people: int) -> list[dict[str, Any]]:
    """What the reader says of sets that are drawn: what can be reached, and what no consistency is."""
    rows = []
    for name in ("one person each", "twelve strangers each"):
        sets = []
        for number in range(people):
            shown = shown_to(first, number, False)
            same = np.stack([person(first + number, word) for word in WORDS])
            made = same if name == "one person each" else shown
            sets.append(judged(reader, made, person(first + number), shown))
        rows.append({"drawn": name, **mean_of(sets)})
    return rows


def sheet(sets: Mapping[str, Sequence[np.ndarray]]) -> Tensor:
    """Some people, each with and without consistent attention, as a page."""
    rows, names = [], []
    for name, made in sets.items():
        for number, one in enumerate(made):
            rows.append(_image(one))
            names.append(f"{number + 1} {name}")
    return contact_sheet(rows, list(WORDS), rows=len(rows), row_labels=names, style=SheetStyle(picture_width=112))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench gen_affect", description=__doc__)
    parser.add_argument("--seed", type=int, default=FRESH, help=f"the first person, at least {FRESH}")
    parser.add_argument("--people", type=int, default=40, help="of each row and seed (40)")
    parser.add_argument("--pairs", type=int, default=1000, help="drawn for training (1000)")
    parser.add_argument("--steps", type=int, default=400, help="of each training (400)")
    parser.add_argument("--seeds", type=int, default=3, help="of trainings and noise (3)")
    parser.add_argument("--ablation-seeds", type=int, default=1, help="of rows with a training of their own (1)")
    parser.add_argument("--rows", nargs="*", default=list(ROWS), help="only these")
    parser.add_argument("--picture", action="store_true", help="keep docs/gen-affect.jpg")
    options = parser.parse_args()
    if options.seed < FRESH:
        parser.error(f"people below {FRESH} may have been trained on; take a larger seed")
    given = (options.seed, options.people, options.pairs, options.steps, options.seeds)
    report = Report("gen_affect", quick=given != (FRESH, 40, 1000, 400, 3) or set(options.rows) != set(ROWS))
    folder = WORK / f"ffe-{options.pairs}"
    write_ffe(folder, Recipe("ffe", options.pairs, seed=13, size=SIZE))
    reader, painter = PocketEncoder.load(MODELS), Painter()
    check_faces(reader, options.seed, options.people)
    report.table("Drawings, as the reader judges them (pocket world)", drawings(reader, options.seed, options.people))
    kept = Kept(WORK / "figures", ("*.safetensors",), Painter, row_figures, judged, strangers, faces)
    found: dict[str, list[dict[str, float]]] = {row: [] for row in options.rows}
    data = folder / "train.jsonl"
    for name in options.rows:
        row = ROWS[name]
        for seed in range(options.ablation_seeds if row.adapter not in ("", FULL) else options.seeds):
            adapter = train(row.adapter, seed, data, options.steps) if row.adapter else None
            of = (adapter or "none", row, options.seed, options.people, seed)
            found[name].append(
                kept.get(
                    lambda row=row, adapter=adapter, seed=seed: row_figures(
                        painter, reader, row, adapter, options.seed, options.people, seed
                    ),
                    *of,
                )
            )
            sys.stdout.write(f"{name}, seed {seed}: {found[name][-1]}\n")
            sys.stdout.flush()
    rows = [{"row": name, **{f: _spread([one[f] for one in ran]) for f in FIGURES}} for name, ran in found.items()]
    report.table(f"{options.people} people × 12 expressions, {options.steps} steps a training (pocket world)", rows)
    claims(report, {name: mean_of(ran) for name, ran in found.items()})
    if options.picture:
        adapter = train(FULL, 0, data, options.steps)
        page = sheet(
            {
                name: [
                    painter.paint(ROWS[name], adapter, person(options.seed + k), shown_to(options.seed, k, False), k)
                    for k in range(2)
                ]
                for name in (FULL, "w/o consistent attention")
            }
        )
        pixels = (page[0].numpy() * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(ROOT / "docs" / "gen-affect.jpg", quality=88)
    return report.finish()


def claims(report: Report, mean: dict[str, dict[str, float]]) -> None:
    """The pattern of the supplement's Table 1, and what is better than the baselines."""
    full = mean.get(FULL)
    if full is None:
        return
    report.claim("full: DINO-Con.", full["DINO-Con."], ">=", 0.957)
    report.claim("full: ID-Con.", full["ID-Con."], ">=", 0.80)
    report.claim("full: expressions that are read as asked", full["accuracy"], ">=", 0.85)
    if "w/o consistent attention" in mean:
        other = mean["w/o consistent attention"]
        for figure in ("DINO-Con.", "centred", "ID-Con."):
            report.claim(f"consistent attention raises {figure} by", full[figure] - other[figure], ">=", 0.001)
        report.claim("and leaves ID as it is, difference", abs(full["ID"] - other["ID"]), "<=", 0.02)
    if "w/o expression prompt" in mean:
        other = mean["w/o expression prompt"]
        for figure in ("DINO-Con.", "ID-Con.", "Exp."):
            report.claim(f"w/o expression prompt, {figure} rises by", other[figure] - full[figure], ">=", 0.001)
    if "Conditional SDXL" in mean:
        other = mean["Conditional SDXL"]
        report.claim("Exp. below that of Conditional SDXL by", other["Exp."] - full["Exp."], ">=", 0.0)
        report.claim("ID above that of Conditional SDXL by", full["ID"] - other["ID"], ">=", 0.0)
    if "prompt alone" in mean:
        report.claim(
            "accuracy above that of the prompt alone, by",
            full["accuracy"] - mean["prompt alone"]["accuracy"],
            ">=",
            0.0,
        )
    if {"other pictures", "w/o expression prompt"} <= mean.keys():
        fall = mean["w/o expression prompt"]["accuracy"] - mean["other pictures"]["accuracy"]
        report.claim("faces in other pictures, which alone tell the expression: accuracy falls by", fall, "<=", 0.10)


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
