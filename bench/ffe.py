"""FFE-Bench over a folder of edits, whoever made them; without one, over drawn edits, to show what the judge is worth.

    python run.py bench ffe --edits FOLDER --sources FOLDER --judge vlm --endpoint https://… --model NAME --price 2 12

Edits are listed in FOLDER/edits.jsonl, or named as PixelSmile's script names them (face_happy_0.5.jpg). The report
(figures, confusing pairs, every reading, plots) goes to --out.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from bench.report import ROOT, Report
from expressive.emotion import Emotion
from expressive.encoders import IdentityEncoder
from expressive.encoders.insightface import load_insightface
from expressive.metrics import plots
from expressive.metrics.edit_folder import EditFile, read_edit_folder
from expressive.metrics.ffe_bench import EXPRESSIONS, Edit, confusion, figures, structural_confusion
from expressive.metrics.judging import FaceJudge, ReaderJudge, VlmJudge, judged
from expressive.metrics.vlm import KEY, JudgeError, VlmScorer
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.scene import Scene, picture

FRESH = 2_000_000  # no training, evaluation or test draws people from this seed on
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
MODELS = ROOT / "models"


def draw_edits(folder: Path, people: int, first: int) -> tuple[Path, Path]:
    """Perfect edits: the same person drawn with each expression at each α. Folders of edits and of sources."""
    edits, sources = folder / "edits", folder / "sources"
    for place in (edits, sources):
        place.mkdir(parents=True, exist_ok=True)
    for seed in range(first, first + people):
        who = Identity.sample(seed)
        Image.fromarray(picture(Scene(who, Emotion.neutral()))).save(sources / f"{seed}.png")
        for word in EXPRESSIONS:
            for alpha in ALPHAS:
                felt = Emotion.of(f"pixelsmile.{word}", alpha) if alpha else Emotion.neutral()
                Image.fromarray(picture(Scene(who, felt))).save(edits / f"{seed}_{word}_{alpha}.png")
    return edits, sources


def write_report(out: Path, files: Sequence[EditFile], edits: Sequence[Edit]) -> None:
    """report.json, readings.csv, confusion.png, curves.png and trade-off.png."""
    out.mkdir(parents=True, exist_ok=True)
    pairs = {f"{a} – {b}": rate for (a, b), rate in structural_confusion(edits).items()}
    told = {"figures": figures(edits), "confusing pairs": pairs}
    (out / "report.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    with (out / "readings.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["image", "source", "expression", "alpha", "read as", "identity", *EXPRESSIONS])
        for file, edit in zip(files, edits, strict=True):
            row = [file.image, file.source, edit.expression, edit.alpha, edit.dominant, edit.identity, *edit.scores]
            writer.writerow(row)
    full = 1.0 if any(edit.alpha == 1.0 for edit in edits) else max(edit.alpha for edit in edits)
    judged_at = [edit for edit in edits if edit.alpha == full]
    Image.fromarray(plots.confusion_matrix(confusion(judged_at))).save(out / "confusion.png")
    Image.fromarray(plots.alpha_curves(edits)).save(out / "curves.png")
    Image.fromarray(plots.trade_off({"edits": edits})).save(out / "trade-off.png")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python run.py bench ffe", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--edits", type=Path, help="folder of edited pictures; default: drawn ones")
    parser.add_argument("--sources", type=Path, help="folder of the pictures that were edited")
    parser.add_argument("--judge", choices=("reader", "vlm"), default="reader", help="reader: of drawn faces (default)")
    parser.add_argument("--endpoint", help=f"of the vision-language model; its key is in {KEY}")
    parser.add_argument("--model", help="its name")
    parser.add_argument("--price", type=float, nargs=2, default=(0.0, 0.0), metavar=("IN", "OUT"),
                        help="of a million tokens in and out, to be told the cost")  # fmt: skip
    parser.add_argument("--identity", type=Path, nargs="*", default=[], help="folders of InsightFace packs; their mean")
    parser.add_argument("--people", type=int, default=30, help="drawn people, without --edits (30)")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "bench-ffe", help="where the report goes")
    options = parser.parse_args()
    report = Report("ffe", quick=options.edits is not None or options.judge == "vlm" or options.people != 30)
    edits, sources = options.edits, options.sources
    if edits is None:
        edits, sources = draw_edits(options.out / f"drawn-{options.people}", options.people, FRESH)
    identities: list[IdentityEncoder] = [load_insightface(path, differentiable=False) for path in options.identity]
    judge: FaceJudge
    scorer = None
    if options.judge == "vlm":
        if not (options.endpoint and options.model):
            parser.error("--judge vlm needs --endpoint and --model")
        scorer = VlmScorer(options.endpoint, options.model, options.out / "answers")
        judge = VlmJudge(scorer, identities)
    else:
        reader = PocketEncoder.load(MODELS)
        judge = ReaderJudge(reader, identities or [reader])
    files = read_edit_folder(edits, sources)
    found = judged(files, judge)
    write_report(options.out, files, found)
    told = figures(found)
    report.table(f"FFE-Bench, {len(found)} edits, judged by {judge.name}", [told])
    pairs = [{"pair": f"{a} – {b}", "BCR": rate} for (a, b), rate in structural_confusion(found).items()]
    report.table("Confusing pairs", pairs)
    if scorer is not None:
        use = scorer.usage
        sys.stdout.write(f"\n{use.asked} pictures asked about, {use.kept} known, cost {use.cost(options.price):.2f}\n")
    if options.edits is None:
        what = "perfect edits, drawn (pocket world)"
        report.claim(f"{what}: mSCR", told["mSCR"], "<=", 0.05)
        for name in ("Acc-12", "CLS-12"):
            report.claim(f"{what}: {name}", told[name], ">=", 0.95)
        return report.finish()
    sys.stdout.write(f"\nThe report is in {options.out}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, ImportError, JudgeError) as error:
        sys.exit(str(error))
