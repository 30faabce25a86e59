"""Token alignment between prompts of different lengths."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from expressive.conditioning.align import align_tokens, common_prefix, place_tokens, real_tokens, resample

WIDTH = 16


def causal(words: list[int]) -> torch.Tensor:
    """Embeddings [L, D] as a causal encoder makes them: each depends on its own word and on all before it."""
    table = torch.randn(200, WIDTH, generator=torch.Generator().manual_seed(7))
    rows = table[words]
    return rows + 0.3 * rows.cumsum(0) / torch.arange(1, len(words) + 1)[:, None]


words = st.lists(st.integers(0, 99), min_size=1, max_size=6)


@given(
    words,
    st.lists(st.integers(100, 149), min_size=1, max_size=4),
    st.lists(st.integers(150, 199), min_size=1, max_size=4),
)
def test_prefix_is_found_in_causal_embeddings(prefix, a, b):
    tail = [0, 1, 2, 3, 4, 5]
    assert common_prefix(causal(prefix + a + tail), causal(prefix + b + tail)) == len(prefix)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_prefix_survives_half_precision_noise(dtype):
    a = causal([1, 2, 3, 4, 110, 6])
    b = causal([1, 2, 3, 4, 120, 6]) * (1 + 1e-3)
    assert common_prefix(a.to(dtype), b.to(dtype)) == 4


@given(words, st.integers(1, 5), st.integers(1, 5))
def test_prefix_and_suffix_stay_on_their_words(prefix, n, m):
    tail = [0, 1, 2, 3, 4, 5]
    source = causal(prefix + list(range(100, 100 + n)) + tail)
    layout = causal(prefix + list(range(150, 150 + m)) + tail)
    aligned = align_tokens(source, layout, 6)
    assert aligned.shape == layout.shape
    assert torch.equal(aligned[: len(prefix)], source[: len(prefix)])
    assert torch.equal(aligned[-6:], source[-6:])
    span, inside = source[len(prefix) : -6], aligned[len(prefix) : -6]
    assert (inside <= span.max(0).values + 1e-5).all() and (inside >= span.min(0).values - 1e-5).all()
    assert bool((aligned.norm(dim=-1) > 0).all()), "never zero padding"


def test_words_left_out_still_leave_something_to_interpolate_from():
    tail = [0, 1, 2, 3, 4, 5]
    short, long = causal([10, 11, 12] + tail), causal([10, 11, 12, 120, 121] + tail)
    grown = align_tokens(short, long, 6)
    assert torch.equal(grown[2:5], short[2:3].expand(3, -1))
    assert align_tokens(long, short, 6).shape == short.shape


def test_resample_keeps_the_ends_and_is_linear():
    span = torch.tensor([[0.0], [3.0]])
    assert resample(span, 4)[:, 0].tolist() == pytest.approx([0, 1, 2, 3])
    assert resample(span, 1).item() == 1.5
    assert resample(span, 2) is span


def test_too_short_for_the_suffix():
    with pytest.raises(ValueError, match="suffix_tokens below 5"):
        align_tokens(torch.randn(5, WIDTH), torch.randn(9, WIDTH), 6)
    assert align_tokens(torch.randn(5, WIDTH), torch.randn(9, WIDTH), 0).shape == (9, WIDTH)


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_is_never_taken_for_text(side):
    tail = [0, 1, 2, 3, 4, 5]
    source, layout = causal([10, 110] + tail), causal([10, 120, 121] + tail)
    pad = torch.full((4, WIDTH), 99.0)

    def padded(tokens):
        parts, marks = [tokens, pad], [torch.ones(len(tokens)), torch.zeros(len(pad))]
        if side == "left":
            parts, marks = parts[::-1], marks[::-1]
        return torch.cat(parts)[None], torch.cat(marks).bool()[None]

    placed = place_tokens(*padded(source), *padded(layout), 6)
    real = padded(layout)[1][0]
    assert torch.equal(placed[0, real], align_tokens(source, layout, 6))
    assert torch.equal(placed[0, ~real], pad)


@pytest.mark.parametrize(
    ("mask", "message"),
    [(torch.ones(1, 4), "shape"), (torch.full((1, 5), 0.5), "0 and 1"), (torch.zeros(1, 5), "hides the whole prompt")],
)
def test_unusable_masks(mask, message):
    with pytest.raises(ValueError, match=message):
        real_tokens(mask, torch.randn(1, 5, WIDTH), "neutral")
