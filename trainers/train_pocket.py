"""Make the bundled pocket models from nothing: draw faces, train, evaluate, export.

    python trainers/train_pocket.py edit                        # everything, as trainers/configs/pocket-edit.toml says
    python trainers/train_pocket.py edit --stage vae            # one stage of it
    python trainers/train_pocket.py edit --stage vae --minutes 10
    python trainers/train_pocket.py reader                      # the others: reader, xl, video, text, depth

Ctrl-C saves; the same command goes on from there.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

RECIPES = {
    "edit": "expressive.pocket.training.recipe",
    "reader": "expressive.pocket.reader.recipe",
    "xl": "expressive.pocket.xl.recipe",
    "video": "expressive.pocket.xl.recipe",
    "text": "expressive.speech.pocket.recipe",
    "depth": "expressive.pocket.depth.recipe",
}
"""Model → the module with its STAGES, Recipe and make."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="train_pocket", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", choices=list(RECIPES), help="which pocket model")
    parser.add_argument("--stage", default="all", help="default: all, one after the other")
    parser.add_argument("--minutes", type=float, help="of training for a single stage, in place of the config's")
    parser.add_argument("--steps", type=int, default=0, help="stop a training stage after so many steps")
    parser.add_argument("--config", type=Path, help="default: trainers/configs/pocket-MODEL.toml")
    parser.add_argument("--work", type=Path, help="drawings, checkpoints, sheets; default: runs/pocket-MODEL")
    parser.add_argument("--start", type=Path, help="folder of finished files to begin with, in place of random weights")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where the finished files go")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    module = importlib.import_module(RECIPES[options.model])
    if options.stage not in ("all", *module.STAGES):
        parser.error(f"the stages of {options.model} are {', '.join(module.STAGES)}")
    recipe = module.Recipe.read(options.config or ROOT / "trainers" / "configs" / f"pocket-{options.model}.toml")
    work = options.work or ROOT / "runs" / f"pocket-{options.model}"
    if options.start is not None and not options.start.is_dir():
        parser.error(f"--start {options.start} is no folder")
    settings = {"minutes": options.minutes, "steps": options.steps, "start": options.start}
    for stage in module.STAGES if options.stage == "all" else [options.stage]:
        module.make(stage, recipe, work, options.models, **settings)
    return 0


def run(arguments: list[str] | None = None) -> NoReturn:
    """`main` as a program: ends with its status, or with a sentence that says what is wrong."""
    try:
        sys.exit(main(arguments))
    except (FileNotFoundError, ValueError, ImportError) as error:
        sys.exit(str(error))
    except RuntimeError as error:
        if type(error).__name__ != "NotANumberError":  # a package that is not imported before it is needed
            raise
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; what was trained is saved. The same command goes on from there.")


if __name__ == "__main__":
    run()
