"""Train a LoRA that the host loads: expressions with a strength (PixelSmile).

    python trainers/train_lora.py --config trainers/configs/pixelsmile.toml --set data.source=my/train.jsonl
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


def main(arguments: list[str] | None = None) -> int:
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
    parser.add_argument("--dry-run", action="store_true", help="load everything, train one step, write no weights")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    from expressive.finetune.config import read_config
    from expressive.finetune.run import run

    config = read_config(options.config, options.set)
    out = options.out or ROOT / "runs" / config.name
    run(config, out, options.models, resume=not options.restart, dry=options.dry_run)
    return 0


if __name__ == "__main__":
    from expressive.datasets.rows import BadRowError

    try:
        sys.exit(main())
    except (FileNotFoundError, ValueError, ImportError, RuntimeError, BadRowError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; what was trained is saved. The same command goes on from there.")
