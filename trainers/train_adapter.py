"""Train an adapter that shows a model whom to paint, and with which expression (Gen-AFFECT).

    python trainers/train_adapter.py --config trainers/configs/gen-affect.toml --set data.source=my/train.jsonl
    accelerate launch trainers/train_adapter.py --config …    # on several GPUs

Ctrl-C saves, and the same command goes on from there. Everything lands in runs/NAME: the finished NAME.safetensors,
config.toml with every setting, checkpoints, sample sheets, and a log for `tensorboard --logdir runs`.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main(arguments: list[str] | None = None) -> None:
    from expressive.finetune.adapter_config import read_adapter_config
    from expressive.finetune.command import command

    command("train_adapter", __doc__, read_adapter_config, ROOT, arguments)


if __name__ == "__main__":
    main()
