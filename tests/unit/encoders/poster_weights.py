"""A POSTER of one fusion block, with weights that follow from their names and places alone."""

import re
import zlib
from functools import cache

import torch
from torch import Tensor

from expressive.encoders.poster_network import Poster


@cache
def table() -> Tensor:
    """A prime number of numbers in −0.5..0.5, the same everywhere: products modulo a Mersenne prime."""
    places = torch.arange(1, 1_000_004, dtype=torch.int64)
    mixed = (places * 48271 % 2147483647) * 16807 % 2147483647
    return mixed.double().div(2147483647).sub(0.5).float()


def uniform(name: str, count: int) -> Tensor:
    """`count` numbers of the table, from a place that follows from the name, round and round."""
    numbers = table()
    first = zlib.crc32(name.encode()) % len(numbers)
    return numbers.repeat((first + count) // len(numbers) + 1)[first : first + count].clone()


def weights(like: dict[str, Tensor]) -> dict[str, Tensor]:
    """For each key of a state dict; what takes no part in POSTER is zero and takes no room."""
    state = {}
    for name, tensor in like.items():
        if ".output_layer." in name:
            state[name] = torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)
            continue
        values = uniform(name, tensor.numel()).reshape(tensor.shape)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
        elif tensor.ndim > 1:
            fan = tensor.numel() // tensor.shape[0]
            state[name] = values * (12 / fan) ** 0.5
        elif name.endswith(("running_var", "weight")):
            state[name] = values + 1
        else:
            state[name] = values * 0.4
    return state


def picture() -> Tensor:
    """[2, 3, 224, 224] around 0, as normalised pictures are: slow waves and a little noise."""
    line = torch.linspace(-3, 3, 224)
    waves = torch.sin(line[:, None] * torch.tensor([1.0, 2.0, 3.0])[:, None, None]) + torch.cos(line * 1.5)
    noise = uniform("noise", 2 * 3 * 224 * 224).reshape(2, 3, 224, 224)
    return torch.stack((waves, waves.flip(-1, -2))) + noise


def small_poster() -> dict[str, Tensor]:
    """State dict of one block in the layout for RAF-DB; about 28 million numbers."""
    with torch.device("meta"):
        network = Poster(7, 1, mixed=True)
    return weights(network.state_dict())


def unmixed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same in the layout for AffectNet."""
    return {key: weight for key, weight in state.items() if not re.search(r"block_[lms]\.conv\.", key)}


def hollow(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Same keys and shapes in a file of a few kilobytes: each weight is one number repeated."""
    return {key: weight.flatten()[0].clone().expand(weight.shape) for key, weight in state.items()}
