"""Many prompts become one conditioning with a row for each."""

import pytest
import torch

from expressive.conditioning.joining import join_prompts


def prompt(length: int, seed: int = 0, batch: int = 1, **more):
    return [[torch.randn(batch, length, 8, generator=torch.Generator().manual_seed(seed)), more]]


def test_prompts_of_one_length_lie_side_by_side():
    made = join_prompts([prompt(4, k, pooled_output=torch.full((1, 2), float(k))) for k in range(3)], masked=False)
    ((tokens, told),) = made
    assert tokens.shape == (3, 4, 8)
    assert torch.equal(tokens[1:2], prompt(4, 1)[0][0])
    assert told["pooled_output"][:, 0].tolist() == [0, 1, 2]
    assert "attention_mask" not in told


def test_a_prompt_may_hold_several():
    ((tokens, _),) = join_prompts([prompt(4, 0, batch=2), prompt(4, 1)], masked=False)
    assert tokens.shape == (3, 4, 8)


def test_shorter_prompts_are_repeated_where_nothing_can_be_masked():
    ((tokens, _),) = join_prompts([prompt(77, 0), prompt(154, 1)], masked=False)
    assert tokens.shape == (2, 154, 8)
    assert torch.equal(tokens[0, :77], tokens[0, 77:])
    with pytest.raises(ValueError, match="similar length"):
        join_prompts([prompt(7, 0), prompt(11, 1)], masked=False)


def test_shorter_prompts_are_filled_up_and_masked():
    ((tokens, told),) = join_prompts([prompt(3, 0), prompt(5, 1)], masked=True)
    assert tokens.shape == (2, 5, 8) and not tokens[0, 3:].any()
    assert told["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [1] * 5]
    given = prompt(5, 1, attention_mask=torch.tensor([[0, 1, 1, 1, 1]]))
    ((_, told),) = join_prompts([prompt(3, 0), given], masked=True)
    assert told["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]]


def test_reference_pictures_are_joined_picture_by_picture():
    prompts = [prompt(4, k, reference_latents=[torch.full((1, 2, 3, 3), float(k))]) for k in range(3)]
    ((_, told),) = join_prompts(prompts, masked=True)
    (latents,) = told["reference_latents"]
    assert latents.shape == (3, 2, 3, 3) and latents[:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "no prompt"),
        ([prompt(4) * 2], "2 entries"),
        ([prompt(4), [[torch.zeros(1, 4, 9), {}]]], "same CLIP"),
        ([prompt(4, guidance=3.5), prompt(4, guidance=4.0)], "guidance"),
        ([prompt(4, pooled_output=torch.zeros(1, 2)), prompt(4)], "pooled_output"),
    ],
)
def test_what_does_not_fit_together_is_said(prompts, message):
    with pytest.raises(ValueError, match=message):
        join_prompts(prompts, masked=False)


def test_nothing_given_is_changed():
    prompts = [prompt(3, 0, attention_mask=torch.ones(1, 3, dtype=torch.long)), prompt(5, 1)]
    before = [one[0][0].clone() for one in prompts]
    join_prompts(prompts, masked=True)
    assert all(torch.equal(one[0][0], was) for one, was in zip(prompts, before, strict=True))
    assert prompts[0][0][1]["attention_mask"].shape == (1, 3)
