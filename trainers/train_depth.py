"""Make the bundled Marigold: teach PocketXL's UNet to paint the depth of drawn people.

    python trainers/train_depth.py                     # draw, train, evaluate, export, as pocket-depth.toml says
    python trainers/train_depth.py --minutes 15
    python trainers/train_depth.py --stage evaluate    # one stage of it
    python trainers/train_depth.py --start models      # go on from the finished model

The same as `python trainers/train_pocket.py depth`. It trains the pocket model alone: for photographs, take the
published weights, or their authors' trainer (https://github.com/prs-eth/Marigold).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from trainers.train_pocket import run

    run(["depth", *sys.argv[1:]])
