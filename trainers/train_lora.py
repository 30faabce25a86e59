"""Train a LoRA that the host loads: expressions with a strength (PixelSmile), or 135 by name (GenEAva).

    python trainers/train_lora.py --config trainers/configs/pixelsmile.toml --set data.source=my/train.jsonl
    python trainers/train_lora.py --config trainers/configs/geneava.toml --set data.source=my/Emo135
    accelerate launch trainers/train_lora.py --config …       # on several GPUs

Ctrl-C saves, and the same command goes on from there. Everything lands in runs/NAME: the finished NAME.safetensors,
config.toml with every setting, checkpoints, sample sheets, and a log for `tensorboard --logdir runs`.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main(arguments: list[str] | None = None) -> None:
    from expressive.finetune.command import command
    from expressive.finetune.config import read_config

    command("train_lora", __doc__, read_config, ROOT, arguments)


if __name__ == "__main__":
    main()
