# pyright: reportCallIssue=false
"""The properties that consistent attention has to have, on random tensors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from expressive.attention.consistent import Bank, Sharing, consistent_attention, key_counts, seen

QUICK = settings(max_examples=40, deadline=None)
sets = st.integers(2, 5)
rates = st.sampled_from((0.1, 0.25, 0.5, 0.75, 1.0))


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    return scaled_dot_product_attention(q, k, v, attn_mask=bias)


def tensors(images: int, chunks: int = 2, heads: int = 2, length: int = 9, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(chunks * images, heads, length, 4, generator=generator) for _ in range(3)]


def naive(q, k, v, sharing, images, first=0, step=0):
    """One query row after the other, with a softmax written out; text tokens are those before `first`."""
    out = torch.zeros_like(q)
    kept = first + sharing.positions(k.shape[2] - first, step)
    anchors = min(sharing.anchors, images) if sharing.anchors else images
    for row in range(len(q)):
        half, image = divmod(row, images)
        others = [half * images + j for j in range(anchors) if j != image]
        for head in range(q.shape[1]):
            keys = torch.cat([k[row, head], *(k[j, head, kept] for j in others)])
            values = torch.cat([v[row, head], *(v[j, head, kept] for j in others)])
            weights = torch.ones(len(keys))
            weights[k.shape[2] :] = sharing.strength
            logits = q[row, head] @ keys.T / math.sqrt(q.shape[-1])
            shares = logits.exp() * weights
            out[row, head] = (shares / shares.sum(1, keepdim=True)) @ values
    return out


@QUICK
@given(images=sets, keep=rates, anchors=st.integers(0, 3), strength=st.sampled_from((0.3, 1.0, 2.0)),
       chunks=st.integers(1, 3), at_once=st.integers(0, 3), first=st.integers(0, 4))  # fmt: skip
def test_it_is_what_its_definition_says(images, keep, anchors, strength, chunks, at_once, first):
    q, k, v = tensors(images, chunks)
    sharing = Sharing(keep, anchors, strength, seed=3, at_once=at_once)
    found = consistent_attention(q, k, v, attend, sharing, images=images, shared=slice(first, None), step=2)
    torch.testing.assert_close(found, naive(q, k, v, sharing, images, first, 2), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_one_image_is_plain_attention_bit_for_bit(chunks):
    q, k, v = tensors(1, chunks)
    assert torch.equal(consistent_attention(q, k, v, attend, Sharing(), images=1), attend(q, k, v, None))


def test_the_first_anchor_of_one_and_a_strength_of_nothing_are_plain_attention_bit_for_bit():
    q, k, v = tensors(4)
    anchored = consistent_attention(q, k, v, attend, Sharing(anchors=1), images=4)
    plain = attend(q, k, v, None)
    assert torch.equal(anchored[[0, 4]], attend(q[[0, 4]], k[[0, 4]], v[[0, 4]], None))
    assert not torch.allclose(anchored[1], plain[1])
    assert torch.equal(consistent_attention(q, k, v, attend, Sharing(strength=0.0), images=4), plain)


@QUICK
@given(images=sets, keep=rates, order=st.randoms(use_true_random=False))
def test_the_order_of_the_images_does_not_matter(images, keep, order):
    q, k, v = tensors(images, 1)
    permutation = list(range(images))
    order.shuffle(permutation)
    found = consistent_attention(q, k, v, attend, Sharing(keep), images=images)
    moved = consistent_attention(*(x[permutation] for x in (q, k, v)), attend, Sharing(keep), images=images)
    torch.testing.assert_close(moved, found[permutation], atol=1e-5, rtol=1e-4)


@QUICK
@given(images=sets, keep=rates, anchors=st.integers(0, 3))
def test_halves_of_guidance_never_mix(images, keep, anchors):
    q, k, v = tensors(images, 2)
    sharing = Sharing(keep, anchors)
    both = consistent_attention(q, k, v, attend, sharing, images=images)
    for half in (slice(0, images), slice(images, None)):
        alone = consistent_attention(q[half], k[half], v[half], attend, sharing, images=images)
        torch.testing.assert_close(both[half], alone, atol=1e-6, rtol=1e-5)
    changed = consistent_attention(
        q, torch.cat((k[:images], k[images:] + 1)), torch.cat((v[:images], v[images:] * 2)), attend, sharing,
        images=images,
    )  # fmt: skip
    assert torch.equal(changed[:images], both[:images])


@QUICK
@given(images=sets, anchors=st.integers(0, 3), at_once=st.integers(1, 4))
def test_parts_give_what_the_whole_gives(images, anchors, at_once):
    q, k, v = tensors(images)
    whole = consistent_attention(q, k, v, attend, Sharing(anchors=anchors), images=images)
    parts = consistent_attention(q, k, v, attend, Sharing(anchors=anchors, at_once=at_once), images=images)
    torch.testing.assert_close(parts, whole, atol=1e-6, rtol=1e-5)


def test_text_tokens_of_others_are_not_seen():
    q, k, v = tensors(3)
    sharing, image = Sharing(1.0), slice(4, None)
    found = consistent_attention(q, k, v, attend, sharing, images=3, shared=image)
    k2, v2 = k.clone(), v.clone()
    k2[1, :, :4] += 5
    v2[1, :, :4] += 5
    again = consistent_attention(q, k2, v2, attend, sharing, images=3, shared=image)
    assert torch.equal(again[[0, 2]], found[[0, 2]])
    assert not torch.allclose(again[1], found[1])


def test_what_one_image_shows_reaches_the_others():
    q, k, v = tensors(3, 1)
    found = consistent_attention(q, k, v, attend, Sharing(0.5), images=3)
    changed = consistent_attention(q, k, torch.cat((v[:1] + 1, v[1:])), attend, Sharing(0.5), images=3)
    assert all(not torch.allclose(changed[i], found[i]) for i in range(3))
    anchored = [consistent_attention(q, k, values, attend, Sharing(0.5, anchors=1), images=3)
                for values in (v, torch.cat((v[:1], v[1:] + 1)))]  # fmt: skip
    assert torch.equal(anchored[0][0], anchored[1][0])  # the anchor sees nobody


def test_an_own_bias_is_kept_and_padding_stays_hidden():
    q, k, v = tensors(3, 2)
    bias = torch.zeros(6, 1, 1, 9)
    bias[:, ..., :2] = float("-inf")
    found = consistent_attention(q, k, v, attend, Sharing(1.0), images=3, shared=slice(2, None), bias=bias)
    k2, v2 = k.clone(), v.clone()
    k2[:, :, :2], v2[:, :, :2] = 9.0, 9.0
    again = consistent_attention(q, k2, v2, attend, Sharing(1.0), images=3, shared=slice(2, None), bias=bias)
    torch.testing.assert_close(again, found)
    shared_bias = consistent_attention(q, k, v, attend, Sharing(1.0), images=3, shared=slice(2, None), bias=bias[:1])
    torch.testing.assert_close(shared_bias, found)


def test_one_more_image_joins_an_old_set_as_if_it_had_been_in_it():
    """With anchors, a later image sees what they showed, beside them or out of a bank."""
    q, k, v = tensors(4)
    sharing = Sharing(0.5, anchors=2, seed=5)
    together = consistent_attention(q, k, v, attend, sharing, images=4, step=1, layer="a")
    first, late = [0, 1, 4, 5], [3, 7]
    keys, values = seen(k[first], v[first], sharing, images=2, step=1, layer="a")
    alone = consistent_attention(
        q[late], k[late], v[late], attend, Sharing(0.5, anchors=0, seed=5), images=1, step=1, layer="a",
        bank=Bank(keys, values),
    )  # fmt: skip
    torch.testing.assert_close(alone, together[late], atol=1e-6, rtol=1e-5)


@QUICK
@given(tokens=st.integers(1, 200), keep=rates, seed=st.integers(0, 5), step=st.integers(0, 5))
def test_positions_are_a_part_of_the_right_size(tokens, keep, seed, step):
    found = Sharing(keep, seed=seed).positions(tokens, step)
    assert len(found) == max(1, round(keep * tokens)) == len(set(found.tolist()))
    assert found.tolist() == sorted(found.tolist()) and 0 <= int(found[0]) and int(found[-1]) < tokens
    assert torch.equal(found, Sharing(keep, seed=seed).positions(tokens, step))


def test_positions_are_redrawn_in_each_step_on_demand():
    redrawn, fixed = Sharing(0.5), Sharing(0.5, redraw=False)
    assert not torch.equal(redrawn.positions(100, 0), redrawn.positions(100, 1))
    assert torch.equal(fixed.positions(100, 0), fixed.positions(100, 1))
    assert not torch.equal(fixed.positions(100, 0, "a"), fixed.positions(100, 0, "b"))
    assert not torch.equal(Sharing(0.5, seed=1).positions(100, 0), redrawn.positions(100, 0))
    state = torch.random.get_rng_state()
    redrawn.positions(100, 3)
    assert torch.equal(torch.random.get_rng_state(), state)


@QUICK
@given(images=sets, anchors=st.integers(0, 6), keep=rates, text=st.integers(0, 3))
def test_the_predicted_number_of_keys_is_the_true_one(images, anchors, keep, text):
    counted = []

    def counting(q, k, v, bias):
        counted.append(len(q) * q.shape[2] * k.shape[2])
        return attend(q, k, v, bias)

    q, k, v = tensors(images, 1)
    sharing = Sharing(keep, anchors)
    consistent_attention(q, k, v, counting, sharing, images=images, shared=slice(text, None))
    assert sum(counted) == 9 * sum(key_counts(images, 9 - text, sharing, text))


def test_anchors_make_the_cost_linear_in_the_number_of_images():
    total = [sum(key_counts(n, 64, Sharing(0.5, anchors=2))) for n in (4, 8, 16)]
    assert total[1] - total[0] == (total[2] - total[1]) / 2
    free = [sum(key_counts(n, 64, Sharing(0.5))) for n in (4, 8, 16)]
    assert free[2] - free[1] > 2 * (free[1] - free[0])


@pytest.mark.parametrize("settings", [{"keep": 0}, {"keep": 1.5}, {"strength": -1}, {"anchors": -1}, {"at_once": -1}])
def test_what_makes_no_sense_is_refused(settings):
    with pytest.raises(ValueError, match="Consistent attention wants"):
        Sharing(**settings)


def test_a_batch_of_half_a_set_is_refused():
    q, k, v = tensors(3, 1)
    with pytest.raises(ValueError, match="whole sets of 2"):
        consistent_attention(q, k, v, attend, Sharing(), images=2)
