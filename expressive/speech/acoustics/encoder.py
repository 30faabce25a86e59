"""What hears a sound has to do, whichever network it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class AcousticStates:
    """states: float32 [N,L,D] of N audio frames, 50 a second, in L layers. pooled: float32 [D']. Both on the CPU."""

    states: Tensor
    pooled: Tensor


class AcousticEncoder(Protocol):
    """A frozen encoder of speech. name: for people. layers, width: L and D of its states."""

    name: str
    layers: int
    width: int

    @property
    def network(self) -> nn.Module | None:
        """What is to be on the device; None where no weights are at work."""
        ...

    def encode(self, samples: Tensor, between: Callable[[float], None]) -> AcousticStates:
        """Samples [S] at 16 kHz, S ≥ 1, of any length → what is heard, without padding.

        between: called now and then with the share 0 … 1 that is done, to stop or to show progress.
        """
        ...
