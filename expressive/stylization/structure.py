"""What of a source picture steers another one: tokens of self-attention and the features of one level of a UNet."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from torch import Tensor

FEATURE_LEVEL = 4
"""Features are taken where the UNet is so many times smaller than its latents: coarse enough to leave colours free."""


class SourceStructure:
    """Taken in one pass over the source, given in the next pass over the new pictures.

    Plug-and-Play's two injections (§4, Eqs. 3–4): queries and keys of self-attention come from the source, so that
    each place looks where it looked there, with values of its own; the features of one decoder block are the source's.
    """

    def __init__(self) -> None:
        self._tokens: dict[Hashable, tuple[Tensor, Tensor]] = {}
        self._features: tuple[Hashable, Tensor] | None = None

    def take_tokens(self, place: Hashable, asking: Tensor, asked: Tensor) -> None:
        """Tokens [B,N,C] and [B,M,C] from which a self-attention layer projects its queries and its keys."""
        self._tokens[place] = (asking, asked)

    def take_features(self, place: Hashable, features: Tensor, latents: Sequence[int]) -> None:
        """Features [B,C,h,w] that enter a decoder block; of those at FEATURE_LEVEL the last are kept."""
        if round(latents[-1] / features.shape[-1]) == FEATURE_LEVEL:
            self._features = (place, features.clone())  # the host goes on in place

    def tokens(self, place: Hashable, asking: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        """The source's tokens for every picture of a batch [k·B,…]; own ones where the source has none."""
        if place not in self._tokens:
            return asking, asked
        source = self._tokens[place]
        return _repeated(source[0], asking), _repeated(source[1], asked)

    def features(self, place: Hashable, own: Tensor) -> Tensor:
        """The source's features in their place, the picture's own [k·B,C,h,w] in any other."""
        if self._features is None or self._features[0] != place:
            return own
        return _repeated(self._features[1], own)


def _repeated(source: Tensor, own: Tensor) -> Tensor:
    """B sources for k·B pictures, chunk by chunk: (k b) … Raises ValueError where they are of another size."""
    if len(own) % len(source) or own.shape[1:] != source.shape[1:]:
        raise ValueError(
            f"The source has {_shape(source)} numbers where the new pictures have {_shape(own)}. Sampling a part of "
            "the picture alone, as conditionings of an area, context windows and HyperTile do, cannot keep its "
            "structure."
        )
    return source.to(own).repeat(len(own) // len(source), *(1 for _ in own.shape[1:]))  # b … → (k b) …


def _shape(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape))
