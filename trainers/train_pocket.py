"""Make the bundled pocket models from nothing: draw faces, train, evaluate, export.

    python trainers/train_pocket.py edit                        # everything, as trainers/configs/pocket-edit.toml says
    python trainers/train_pocket.py edit --stage vae            # one stage: people, vae, edit, evaluate, export
    python trainers/train_pocket.py edit --stage vae --minutes 10

Ctrl-C saves; the same command goes on from there.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from expressive.pocket.training.recipe import STAGES, Recipe, make  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="train_pocket", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", choices=["edit"], help="which pocket model")
    parser.add_argument("--stage", choices=["all", *STAGES], default="all", help="default: all, one after the other")
    parser.add_argument("--minutes", type=float, help="of training for a single stage, in place of the config's")
    parser.add_argument("--steps", type=int, default=0, help="stop a training stage after so many steps")
    parser.add_argument("--config", type=Path, default=ROOT / "trainers" / "configs" / "pocket-edit.toml")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "runs" / "pocket-edit", help="drawings, checkpoints, sheets"
    )
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where the finished files go")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    recipe = Recipe.read(options.config)
    for stage in STAGES if options.stage == "all" else [options.stage]:
        make(stage, recipe, options.work, options.models, minutes=options.minutes, steps=options.steps)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; what was trained is saved. The same command goes on from there.")
