"""The node in the real host: its schema, its outputs, and parity with the host's own ConditioningAverage."""

import importlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def node(pack):
    return pack.nodes.text_latent_interpolate.TextLatentInterpolate


@pytest.fixture(scope="module")
def average(host_modules):
    return importlib.import_module("nodes").ConditioningAverage().addWeighted


def conditioning(seed, length=9, **extras):
    generator = torch.Generator().manual_seed(seed)
    pooled = torch.randn(1, 4, generator=generator)
    return [[torch.randn(1, length, 8, generator=generator), {"pooled_output": pooled, **extras}]]


def test_listed_with_a_tooltip_on_everything(pack, node):
    assert node in pack.nodes.NODES
    schema = node.GET_SCHEMA()
    assert schema.node_id == "TextLatentInterpolate" and schema.category == "Expressive Avatars/conditioning"
    assert all(item.tooltip for item in [*schema.inputs, *schema.outputs])
    assert [(o.id, o.get_io_type()) for o in schema.outputs] == [
        ("conditioning", "CONDITIONING"),
        ("count", "INT"),
        ("labels", "STRING"),
    ]


@given(seed=st.integers(0, 1000), strength=st.floats(0, 1))
def test_parity_with_conditioning_average(node, average, seed, strength):
    neutral, target = conditioning(seed), conditioning(seed + 1)
    [[theirs, their_extras]] = average(target, neutral, strength)[0]
    [[ours, our_extras]] = node.execute(neutral, {"target_1": target}, alpha=strength).result[0]
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(our_extras["pooled_output"], their_extras["pooled_output"])


def test_slider_needs_no_text(node):
    mixed, count, labels = node.execute(conditioning(1), {"target_1": conditioning(2)}, alpha=0.25).result
    assert (mixed[0][0].shape, count, labels) == ((1, 9, 8), 1, "α = 0.25")


def test_strip(node):
    mixed, count, labels = node.execute(conditioning(1), {"target_1": conditioning(2)}, alphas="0:1.25:6").result
    assert mixed[0][0].shape == (6, 9, 8) and count == 6
    assert labels.splitlines() == ["α = 0", "α = 0.25", "α = 0.5", "α = 0.75", "α = 1", "α = 1.25"]


def test_targets_pair_with_lines_in_their_own_order(node):
    targets = {f"target_{k}": conditioning(k) for k in (10, 2, 1)}
    mixed, _, labels = node.execute(conditioning(0), targets, alphas="0, 1\n0\n1, 0").result
    assert labels.splitlines() == ["α = 0, 0, 1", "α = 1, 0, 0"]
    assert torch.equal(mixed[0][0], torch.cat([conditioning(10)[0][0], conditioning(1)[0][0]]))


def test_the_host_pairs_prompts_and_references(node, host_modules):
    """The batch reaches a Qwen-Image model with one prompt and the same reference for each picture."""
    import comfy.conds

    latent = torch.randn(1, 16, 1, 4, 4)
    sides = [conditioning(seed, reference_latents=[latent]) for seed in (1, 2)]
    [[tokens, extras]], count, _ = node.execute(sides[0], {"target_1": sides[1]}, alphas="0:1:5").result
    prompts = comfy.conds.CONDRegular(tokens).process_cond(count)
    references = comfy.conds.CONDList(extras["reference_latents"]).process_cond(count)
    assert torch.equal(prompts.cond, tokens)
    assert torch.equal(references.cond[0], latent.expand(5, -1, -1, -1, -1))


def test_a_calibration_bends_alpha_and_labels_stay(pack, node):
    found = pack.expressive.conditioning.Calibration((0.0, 0.5, 1.0), {"happy": (0.0, 0.2, 1.0)})
    target = conditioning(2, expressive_emotion={"happy": 1.0})
    bent, _, labels = node.execute(conditioning(1), {"target_1": target}, alphas="0, 0.6, 1", calibration=found).result
    plain = node.execute(conditioning(1), {"target_1": target}, alphas="0, 0.75, 1").result[0]
    torch.testing.assert_close(bent[0][0], plain[0][0])
    assert labels.splitlines() == ["α = 0", "α = 0.6", "α = 1"]
    with pytest.raises(ValueError, match="Target 1 does not say which expression"):
        node.execute(conditioning(1), {"target_1": conditioning(2)}, calibration=found)


def test_a_schedule_makes_ranges_of_steps(node):
    mixed, count, _ = node.execute(
        conditioning(1), {"target_1": conditioning(2)}, alphas="0:1:3", schedule="0, 1"
    ).result
    assert count == 3 and [entry[1]["start_percent"] for entry in mixed] == [0.0, 0.5]
    assert torch.equal(mixed[0][0], conditioning(1)[0][0].expand(3, -1, -1))
    assert node.validate_inputs({"target_1": None}, schedule="x").startswith("“x” is no schedule")
