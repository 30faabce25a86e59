"""α, the strength of an expression: 0 is neutral, 1 the target, more exaggerates, less than 0 turns away from it."""

import re
from collections.abc import Sequence

ALPHA_MIN, ALPHA_MAX = -1.0, 3.0
_LABEL = re.compile(r"\s*α\s*=\s*([-+−]?\d*\.?\d+)\s*")
MOST_ALPHAS = 4096  # the largest batch of the host's empty latents


def check_alpha(alpha: float) -> float:
    """`alpha` itself. ValueError if it is not a number in [−1, 3]."""
    if not ALPHA_MIN <= alpha <= ALPHA_MAX:
        raise ValueError(f"α must lie between {ALPHA_MIN:g} and {ALPHA_MAX:g}, but is {alpha:g}. 1 is the full target.")
    return alpha


def _number(text: str, within: str) -> float:
    try:
        return float(text.replace("−", "-"))
    except ValueError:
        raise ValueError(
            f'"{within}" is not a list of α values: "{text}" is not a number. Write a number (0.5), '
            "a list (0, 0.5, 1), or a range as start:stop:count (0:1.25:6)."
        ) from None


def parse_alphas(text: str) -> list[float]:
    """The α values that `text` lists, in its order: `0.5`, `0, .5, 1`, `0:1.2:7` (start:stop:count, both ends
    included, evenly spaced) or a mixture, separated by commas or semicolons.

    ValueError if it lists nothing, holds something else, or leaves [−1, 3].
    """
    alphas: list[float] = []
    for item in filter(None, (part.strip() for part in text.replace(";", ",").split(","))):
        numbers = [part.strip() for part in item.split(":")]
        if len(numbers) == 1:
            alphas.append(_number(item, text))
        elif len(numbers) == 3 and re.fullmatch("[0-9]+", numbers[2]) and 2 <= int(numbers[2]) <= MOST_ALPHAS:
            start, stop, count = _number(numbers[0], text), _number(numbers[1], text), int(numbers[2])
            step = (stop - start) / (count - 1)
            alphas += [round(start + i * step, 9) for i in range(count)]  # rounded so that 0 and 1 are hit exactly
        else:
            raise ValueError(
                f'"{item}" is not a range of α values. Write start:stop:count with a whole count from 2 to '
                f"{MOST_ALPHAS}, for example 0:1.25:6."
            )
    if not alphas:
        raise ValueError(f'"{text}" lists no α value. Write for example 0:1.25:6.')
    if len(alphas) > MOST_ALPHAS:
        raise ValueError(f"{len(alphas)} α values are listed, but a batch holds at most {MOST_ALPHAS}.")
    return [check_alpha(alpha) for alpha in alphas]


def alpha_rows(text: str, targets: int, slider: float) -> list[tuple[float, ...]]:
    """For every picture the α of each target: A rows of `targets` numbers.

    `text` has a line per target, each as in `parse_alphas`; a target without a line, or with an empty one, takes
    `slider`. Lines with one value are used for every picture; the others must list equally many.
    ValueError if there are more lines than targets, or lists of different lengths.
    """
    lines = text.rstrip().splitlines()
    if len(lines) > targets:
        raise ValueError(f"There are {len(lines)} lines of α values, but {targets} connected target(s): one line each.")
    lists = [parse_alphas(line) if line.strip() else [check_alpha(slider)] for line in lines]
    lists += [[check_alpha(slider)]] * (targets - len(lines))
    counts = sorted({len(alphas) for alphas in lists} - {1})
    if len(counts) > 1:
        raise ValueError(
            f"The targets list different numbers of α values ({' and '.join(map(str, counts))}). "
            "Give every line equally many, or a single value for all pictures."
        )
    pictures = counts[0] if counts else 1
    return list(zip(*(alphas * pictures if len(alphas) == 1 else alphas for alphas in lists), strict=True))


def alpha_label(row: Sequence[float]) -> str:
    """Caption of one picture: `α = 0.25`, with several targets `α = 0.5, 0.25`; three decimals at most."""
    return "α = " + ", ".join(f"{round(alpha, 3) + 0.0:g}" for alpha in row)  # + 0.0 turns −0 into 0


def read_alphas(labels: Sequence[str]) -> list[float] | None:
    """The α of every label if all have the form `α = 0.25`, else None."""
    found = [_LABEL.fullmatch(label) for label in labels]
    if not found or None in found:
        return None
    return [float(match[1].replace("−", "-")) for match in found if match]


def faces_of_sweep(alphas: Sequence[float]) -> int:
    """How many faces share the sweep of an α-major batch (α₁ of every face, then α₂ …); 0 if it is none."""
    faces = next((i for i, alpha in enumerate(alphas) if alpha != alphas[0]), 0)
    if faces < 2 or len(alphas) % faces:
        return 0
    return faces if list(alphas) == [alpha for alpha in alphas[::faces] for _ in range(faces)] else 0
