"""The expression slider on people that the pocket base never saw: does the expression grow with α?

The shipped workflow runs in ComfyUI. Each picture is read by comparison with drawings: the same person is drawn neutral
and at full intensity, both pass through the model's own auto-encoder, so that its blur is on both sides, and the
picture's place along the line between the two is its intensity (eyes, brows and mouth only).
"""

import argparse
import json
import sys

import numpy as np
import torch
from PIL import Image

from bench.report import ROOT, Report
from expressive.contact_sheet.sheet import contact_sheet
from expressive.contact_sheet.style import SheetStyle
from expressive.emotion import Emotion
from expressive.pocket.faces import BACKGROUNDS, Identity
from expressive.pocket.model import PocketEdit
from expressive.pocket.scene import Scene, picture
from expressive.pocket.training.evaluate import features
from expressive.pocket.training.people import HELD_OUT
from expressive.pocket.training.vae import decode_latents, encode_pictures
from launcher.server import Server
from launcher.workflow import run_prompt, saved_files

WORKFLOW = ROOT / "workflows" / "api" / "expression-slider.pocket.json"
SUBJECTS = {"portrait": "person", "cartoon": "character"}


@torch.no_grad()
def intensities(
    edit: PocketEdit, pictures: np.ndarray, seed: int, style: str, background: int, word: str
) -> np.ndarray:
    """Read pictures uint8 [N,H,W,3] of a person: 0 where they show the neutral drawing, 1 the full expression; [N]."""
    who, full = Identity.sample(seed), Emotion.of(f"pixelsmile.{word}")
    drawn = [picture(Scene(who, felt, style=style, background=background)) for felt in (Emotion.neutral(), full)]
    rest, end = features(decode_latents(edit.vae, encode_pictures(edit.vae, np.stack(drawn))))
    axis = end - rest
    return (features(pictures) - rest) @ axis / (axis @ axis)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench slider", description=__doc__)
    parser.add_argument("--seed", type=int, default=HELD_OUT, help=f"the first person, at least {HELD_OUT}")
    parser.add_argument("--people", type=int, default=3, help="how many people (3)")
    parser.add_argument("--word", default="happy", help="one of PixelSmile's expressions (happy)")
    parser.add_argument("--picture", action="store_true", help="keep the strips as docs/expression-slider.jpg")
    options = parser.parse_args()
    if options.seed < HELD_OUT:
        parser.error(f"people below {HELD_OUT} were trained on; take a larger seed")
    other = (options.seed, options.people, options.word) != (HELD_OUT, 3, "happy")
    report = Report("slider", quick=other)  # only the run that the claims are about is kept
    edit = PocketEdit.load(ROOT / "models")
    prompt = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    node = {entry["class_type"]: entry["inputs"] for entry in prompt.values()}  # the graph's own dicts
    alphas, rows, strips = np.zeros(0), [], []
    with Server(arguments=["--disable-api-nodes"]) as server:
        for number in range(options.people):
            seed, style = options.seed + number, list(SUBJECTS)[number % 2]
            background = number % len(BACKGROUNDS)
            node["PocketAvatar"].update(seed=seed, style=style, background=background)
            node["ExpressionPrompt"] |= {"mode.word": options.word, "style.subject": SUBJECTS[style]}
            node["SaveImage"]["filename_prefix"] = "bench/slider"
            files = saved_files(run_prompt(server, prompt), server.output)
            opened = [np.asarray(Image.open(file).convert("RGB")) for file in files]
            strip = np.stack([one for one in opened if one.shape[0] == one.shape[1] == 128])
            start, stop, count = node["TextLatentInterpolate"]["alphas"].split(":")
            alphas = np.linspace(float(start), float(stop), int(count))
            read = intensities(edit, strip, seed, style, background, options.word)
            rows.append(
                {"person": seed, "style": style} | {f"α {a:g}": float(x) for a, x in zip(alphas, read, strict=True)}
            )
            strips.append(torch.tensor(strip).float() / 255)  # [N,H,W,3]
    report.table(f"Intensity of “{options.word}” read from the picture at each α (pocket world)", rows)
    read = np.array([[row[f"α {a:g}"] for a in alphas] for row in rows])
    falls = -np.diff(read, axis=1)
    report.claim("no step of α lowers the expression on anybody (largest fall)", float(falls.max()), "<=", 0.0)
    full = read[:, int(np.abs(alphas - 1).argmin())]
    report.claim(
        "at α = 1 everybody shows at least a third of the full drawing (smallest)", float(full.min()), ">=", 1 / 3
    )
    if options.picture:
        labels = [f"α = {a:g}" for a in alphas] * options.people
        style = SheetStyle(picture_width=256, target=options.word)
        sheet = contact_sheet(strips, labels, rows=options.people, columns=len(alphas), style=style)
        kept = Image.fromarray((sheet[0] * 255).round().byte().numpy())
        (ROOT / "docs").mkdir(exist_ok=True)
        kept.save(ROOT / "docs" / "expression-slider.jpg", quality=88)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
