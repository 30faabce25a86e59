"""Train a LoRA that the host loads: expressions with a strength (PixelSmile), or 135 by name (GenEAva).

    python trainers/train_lora.py --config trainers/configs/pixelsmile.toml --set data.source=my/train.jsonl
    python trainers/train_lora.py --config trainers/configs/geneava.toml --set data.source=my/Emo135
    accelerate launch trainers/train_lora.py --config …       # on several GPUs

Ctrl-C saves, and the same command goes on from there. Everything lands in runs/NAME: the finished NAME.safetensors,
config.toml with every setting, checkpoints, sample sheets, and a log for `tensorboard --logdir runs`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train_lora", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="a TOML file, see trainers/configs")
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="change a setting; may be repeated"
    )
    parser.add_argument("--out", type=Path, help="default: runs/NAME")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="the pack's own weights")
    parser.add_argument("--restart", action="store_true", help="forget earlier checkpoints of this name")
    parser.add_argument("--dry-run", action="store_true", help="encode everything, train one step, keep nothing else")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        train(options)
    except KeyboardInterrupt:
        sys.exit("Stopped at once. What was encoded, and the last checkpoint if there is one, is kept.")


def train(options: argparse.Namespace) -> None:
    from expressive.finetune.config import read_config

    try:
        config = read_config(options.config, options.set)
        import torch

        from expressive.finetune.run import run
        from expressive.finetune.train import NotANumberError
        from expressive.stopping import StoppedError
    except (OSError, ValueError, ImportError) as error:
        sys.exit(str(error))
    try:
        out = options.out or ROOT / "runs" / config.name
        run(config, out, options.models, resume=not options.restart, dry=options.dry_run)
    except torch.OutOfMemoryError as error:
        sys.exit(
            f"The device has too little memory: {error} Set run.batch=1 and run.accumulate higher, a smaller "
            "data.size, or memory.offload=true."
        )
    except (OSError, ValueError, ImportError, NotANumberError, StoppedError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
