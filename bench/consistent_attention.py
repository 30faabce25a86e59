"""What consistent attention costs beside plain attention, and beside what the number of keys predicts.

One self-attention layer of SDXL's size (1,280 channels in 20 heads) over random tensors, with its projections, for sets
of 2 to 16 images: all see all at three keep rates, and two anchors. On the same tensors the two public ways: all tokens
of the whole set as one sequence, and everybody looking at the first image. Times are ratios to plain attention, taken
in turn within a run; memory is what a process of its own needed beyond plain attention.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from bench.report import ROOT, Report
from expressive.attention.consistent import Sharing, consistent_attention, key_counts

WIDTH, HEADS = 1280, 20
SIZES = (2, 4, 8, 16)
RATES = (0.25, 0.5, 1.0)
ANCHORS = 2

Way = Callable[[Tensor, Tensor, Tensor], Tensor]


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    return scaled_dot_product_attention(q, k, v, attn_mask=bias)


def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return attend(q, k, v, None)


def shared(sharing: Sharing) -> Way:
    return lambda q, k, v: consistent_attention(q, k, v, attend, sharing, images=len(q))


def whole_set(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """All tokens of all images as one sequence."""
    one, keys, values = (rearrange(x, "n h l d -> 1 h (n l) d") for x in (q, k, v))
    return rearrange(attend(one, keys, values, None), "1 h (n l) d -> n h l d", n=len(q))


def first_image(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Everybody sees itself and all of the first image."""
    keys, values = (torch.cat((x, x[:1].expand_as(x)), 2) for x in (k, v))
    return attend(q, keys, values, None)


def ways() -> dict[str, tuple[Way, Sharing | None]]:
    """Name → the way, and how it shares, where it is ours."""
    free = {f"keep {keep:g}": Sharing(keep) for keep in RATES}
    anchored = {f"keep {keep:g}, {ANCHORS} anchors": Sharing(keep, anchors=ANCHORS) for keep in RATES}
    ours = {name: (shared(sharing), sharing) for name, sharing in {**free, **anchored}.items()}
    return {**ours, "whole set": (whole_set, None), "first image": (first_image, None)}


class Layer(nn.Module):
    """Self-attention with its projections, around any way to attend."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    @torch.no_grad()
    def forward(self, x: Tensor, way: Way) -> Tensor:
        """[N,L,C] → [N,L,C]."""
        q, k, v = rearrange(self.qkv(x), "n l (three h d) -> three n h l d", three=3, h=HEADS)
        return self.out(rearrange(way(q, k, v), "n h l d -> n l (h d)"))


def operations(images: int, tokens: int, keys: float) -> float:
    """Multiplications of a layer in which each query sees `keys` keys on average: projections and attention."""
    return images * tokens * (4 * WIDTH * WIDTH + 2 * keys * WIDTH)


def predicted(images: int, tokens: int, name: str, sharing: Sharing | None) -> float:
    """Time as a multiple of plain attention's, by the number of keys alone."""
    if sharing is not None:
        keys = sum(key_counts(images, tokens, sharing)) / images
    else:
        keys = tokens * (images if name == "whole set" else 2)
    return operations(images, tokens, keys) / operations(images, tokens, tokens)


def timed(layer: Layer, x: Tensor, name: str, way: Way, repeats: int) -> float:
    """Time as a multiple of plain attention's: the best of several, turn and turn about."""
    del name
    best = {plain: float("inf"), way: float("inf")}
    for _ in range(repeats):
        for one in best:
            start = time.perf_counter()
            layer(x, one)
            best[one] = min(best[one], time.perf_counter() - start)
    return best[way] / best[plain]


def memory(images: int, tokens: int, name: str) -> float:
    """Megabytes at most of a process that runs one layer in one way, by Linux's account."""
    script = (
        "import sys, torch; sys.path.insert(0, '.')\n"
        "from bench.consistent_attention import Layer, WIDTH, plain, ways\n"
        f"way = plain if {name!r} == 'plain' else ways()[{name!r}][0]\n"
        f"Layer()(torch.randn({images}, {tokens}, WIDTH), way)\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(int(peak.split()[1]) / 1024)"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(told.stdout.split()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench consistent_attention", description=__doc__)
    parser.add_argument("--tokens", type=int, default=1024, help="of each image (1024)")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--quick", action="store_true", help="256 tokens and sets of 2 to 8")
    options = parser.parse_args()
    tokens, sizes = (256, SIZES[:-1]) if options.quick else (options.tokens, SIZES)
    report = Report("consistent_attention", quick=options.quick or (options.tokens, options.repeats) != (1024, 3))
    layer, worst, totals = Layer().eval(), 0.0, {}
    for images in sizes:
        x = torch.randn(images, tokens, WIDTH, generator=torch.Generator().manual_seed(images))
        layer(x, plain)
        base = memory(images, tokens, "plain")
        rows = []
        for name, (way, sharing) in ways().items():
            expected, found = predicted(images, tokens, name, sharing), timed(layer, x, name, way, options.repeats)
            rows.append({"way": name, "time": found, "predicted": expected, "time / predicted": found / expected,
                         "MB more": memory(images, tokens, name) - base})  # fmt: skip
            if sharing is not None:
                worst = max(worst, found / expected)
                totals[images, name] = images * found
        report.table(f"{images} images of {tokens} tokens; time as a multiple of plain attention's", rows)
    report.claim("time of ours, as a multiple of what the number of keys predicts", worst, "<=", 1.15)
    for keep in RATES:
        name, last = f"keep {keep:g}, {ANCHORS} anchors", sizes[-1]
        growth = totals[last, name] / totals[last // 2, name]
        report.claim(f"{name}: time of {last} images, as a multiple of {last // 2}'s", growth, "<=", 2.3)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
