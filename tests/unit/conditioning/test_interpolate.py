"""The blend and the six methods, against PixelSmile's formulas written out a second time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from expressive.conditioning import ALPHA_MAX, ALPHA_MIN, METHODS, blend
from expressive.conditioning.interpolate import sides

seeds = st.integers(0, 2**31)
alphas = st.floats(ALPHA_MIN, ALPHA_MAX)
dtypes = st.sampled_from([torch.float32, torch.bfloat16, torch.float16, torch.float64])


def draw(seed, *shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def run(method, neutral, targets, rows, suffix=6):
    """[A, L, D] from prompts [L, D] without masks."""
    pairs = [(t[None], torch.ones(1, len(t), dtype=torch.bool)) for t in (neutral, *targets)]
    start, ends, _ = sides(pairs[0], pairs[1:], method, suffix)
    return blend(start, ends, rows)


def released(method, e_n, e_t, s):
    """The formulas of PixelSmile's linear_conditioning.py, on [L, D]."""
    if method == "direct":
        return e_t
    if method == "score_scale":
        out = e_t.clone()
        out[-7] *= s
        return out
    if method == "score_one":
        return torch.cat([e_t[:-7], e_n[-7:] + s * (e_t[-7:] - e_n[-7:])])
    if method == "score_one_exp":
        return torch.cat([e_t[:-6], e_n[-6:] + s * (e_t[-6:] - e_n[-6:])])
    if method == "score_one_tgt":
        out = e_t.clone()
        out[-7] = e_n[-7] + s * (e_t[-7] - e_n[-7])
        return out
    return e_n + s * (e_t - e_n)


@pytest.mark.parametrize("method", METHODS)
@given(seed=seeds, alpha=alphas, length=st.integers(7, 12))
@settings(max_examples=25)
def test_the_six_released_methods(method, seed, alpha, length):
    e_n, e_t = draw(seed, 2, length, 8)
    torch.testing.assert_close(run(method, e_n, [e_t], [[alpha]])[0], released(method, e_n, e_t, alpha))


@pytest.mark.parametrize(
    "method", [m for m in METHODS if m.startswith("score_one_") and m != "score_one_all"] + ["score_one"]
)
@given(seed=seeds, alpha=alphas, longer=st.integers(-3, 3))
@settings(max_examples=15)
def test_windows_count_from_the_end_whatever_the_lengths(method, seed, alpha, longer):
    e_n, e_t = draw(seed, 10 + longer, 8), draw(seed + 1, 10, 8)
    torch.testing.assert_close(run(method, e_n, [e_t], [[alpha]])[0], released(method, e_n, e_t, alpha))


@given(seed=seeds, dtype=dtypes, method=st.sampled_from(METHODS))
def test_one_is_the_target_bit_for_bit(seed, dtype, method):
    e_n, e_t = draw(seed, 2, 9, 8, dtype=dtype)
    assert torch.equal(run(method, e_n, [e_t], [[1.0]])[0], e_t)


@given(seed=seeds, dtype=dtypes)
def test_zero_is_the_neutral_bit_for_bit(seed, dtype):
    e_n, e_t = draw(seed, 2, 9, 8, dtype=dtype)
    assert torch.equal(run("score_one_all", e_n, [e_t], [[0.0]])[0], e_n)
    assert torch.equal(run("score_one", e_n, [e_t], [[0.0]])[0], torch.cat([e_t[:-7], e_n[-7:]]))


@given(seed=seeds, a=alphas, b=alphas, t=st.floats(0, 1))
def test_linear_in_alpha(seed, a, b, t):
    e_n, e_t = draw(seed, 2, 9, 8, dtype=torch.float64)
    first, second, between = run("score_one_all", e_n, [e_t], [[a], [b], [a + t * (b - a)]])
    torch.testing.assert_close(between, first + t * (second - first))


@given(
    seed=seeds,
    row=st.lists(alphas, min_size=2, max_size=4),
    method=st.sampled_from([m for m in METHODS if m != "direct"]),
)
def test_blend_of_several_targets(seed, row, method):
    e_n, *targets = draw(seed, len(row) + 1, 9, 8)
    expected = released(method, e_n, targets[0], row[0])
    start = torch.zeros(9, 8) if method == "score_scale" else e_n
    window = {"score_one_all": slice(None), "score_one": slice(-7, None), "score_one_exp": slice(-6, None)}.get(
        method, slice(-7, -6)
    )
    for alpha, target in zip(row[1:], targets[1:], strict=True):
        expected[window] += alpha * (target - start)[window]
    torch.testing.assert_close(run(method, e_n, targets, [row])[0], expected, rtol=1e-4, atol=1e-4)


@given(seed=seeds, row=st.lists(alphas, min_size=3, max_size=3), order=st.permutations([0, 1, 2]))
def test_order_of_targets_does_not_matter(seed, row, order):
    e_n, *targets = draw(seed, 4, 9, 8, dtype=torch.float64)
    shuffled = run("score_one_all", e_n, [targets[i] for i in order], [[row[i] for i in order]])
    torch.testing.assert_close(shuffled, run("score_one_all", e_n, targets, [row]))


@given(seed=seeds, alpha=alphas)
def test_a_target_with_alpha_zero_is_not_there(seed, alpha):
    e_n, e_t, other = draw(seed, 3, 9, 8)
    assert torch.equal(
        run("score_one_all", e_n, [e_t, other], [[alpha, 0.0]]), run("score_one_all", e_n, [e_t], [[alpha]])
    )


@given(seed=seeds, alpha=alphas, dtype=st.sampled_from([torch.bfloat16, torch.float16]))
def test_half_precision_is_rounded_once(seed, alpha, dtype):
    e_n, e_t = draw(seed, 2, 9, 8, dtype=dtype)
    fine = released("score_one_all", e_n.float(), e_t.float(), alpha)
    mixed = run("score_one_all", e_n, [e_t], [[alpha]])[0]
    assert mixed.dtype == dtype
    torch.testing.assert_close(mixed, fine.to(dtype))


def test_overflow_is_said():
    e_n, e_t = torch.full((9, 8), -3e4, dtype=torch.float16), torch.full((9, 8), 3e4, dtype=torch.float16)
    with pytest.raises(ValueError, match="overflows torch.float16"):
        run("score_one_all", e_n, [e_t], [[2.5]])


def test_prompts_of_different_lengths_take_the_longest_target():
    prefix, tail = draw(1, 3, 8), draw(2, 6, 8)
    e_n, short, long = (torch.cat([prefix, draw(s, n, 8), tail]) for s, n in ((3, 1), (4, 2), (5, 4)))
    rows = run("score_one_all", e_n, [short, long], [[0, 0], [0, 1], [0.5, 0.5]])
    assert rows.shape == (3, len(long), 8)
    assert torch.equal(rows[1], long)
    assert torch.equal(rows[0, :3], e_n[:3]) and torch.equal(rows[0, -6:], tail)


@pytest.mark.parametrize("method", ["score_one", "score_one_exp", "score_one_tgt", "score_scale"])
def test_windows_need_enough_tokens(method):
    with pytest.raises(ValueError, match="at least"):
        run(method, draw(1, 5, 8), [draw(2, 5, 8)], [[0.5]])


def test_windows_count_real_tokens_only():
    e_n, e_t, pad = draw(1, 8, 8), draw(2, 9, 8), torch.zeros(3, 8)
    real_n, real_t = torch.arange(11)[None] < 8, torch.arange(12)[None] < 9
    start, ends, _ = sides(
        (torch.cat([e_n, pad])[None], real_n), [(torch.cat([e_t, pad])[None], real_t)], "score_one_tgt"
    )
    torch.testing.assert_close(blend(start, ends, [[0.3]])[0, :9], released("score_one_tgt", e_n, e_t, 0.3))


def test_direct_takes_one_target():
    with pytest.raises(ValueError, match="one target"):
        run("direct", draw(1, 9, 8), [draw(2, 9, 8), draw(3, 9, 8)], [[1, 1]])


def test_unknown_method():
    with pytest.raises(ValueError, match="score_one_all"):
        run("score_multi_all", draw(1, 9, 8), [draw(2, 9, 8)], [[1]])
