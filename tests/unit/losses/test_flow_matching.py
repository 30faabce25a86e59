"""Flow matching and identity."""

import pytest
import torch

from expressive.losses import clean_estimate, flow_matching_loss, identity_loss, identity_weight, noised


def test_the_estimate_of_an_exact_velocity_is_the_clean_latent() -> None:
    clean, noise, sigma = torch.randn(4, 16, 8, 8), torch.randn(4, 16, 8, 8), torch.tensor([0.0, 0.3, 0.8, 1.0])
    noisy = noised(clean, noise, sigma)
    torch.testing.assert_close(noisy[0], clean[0])
    torch.testing.assert_close(noisy[3], noise[3])
    torch.testing.assert_close(clean_estimate(noisy, noise - clean, sigma), clean, atol=1e-5, rtol=1e-5)


def test_the_loss_is_per_sample_and_weighs_places() -> None:
    clean, noise = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    velocity = noise.clone()
    velocity[1, 0, 0, 0] = 3.0
    torch.testing.assert_close(flow_matching_loss(velocity, clean, noise), torch.tensor([0.0, 1.0]))
    weight = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(flow_matching_loss(velocity, clean, noise, weight), torch.tensor([0.0, 4.0]))
    assert flow_matching_loss(velocity.bfloat16(), clean.bfloat16(), noise.bfloat16()).dtype == torch.float32


def test_a_level_for_each_sample_is_asked_for() -> None:
    with pytest.raises(ValueError, match="2 samples, values"):
        noised(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([0.5]))


def test_identity_is_one_minus_cosine_and_unseen_faces_have_no_gradient() -> None:
    generated = torch.randn(3, 8, requires_grad=True)
    target = generated.detach().clone()
    target[2] = -target[2]
    loss = identity_loss(generated, target, torch.tensor([True, False, True]))
    torch.testing.assert_close(loss, torch.tensor([0.0, 0.0, 2.0]), atol=1e-6, rtol=0)
    (slope,) = torch.autograd.grad(identity_loss(generated, target.roll(1, 0), torch.tensor([True, False, True])).sum(),
                                   generated)  # fmt: skip
    assert float(slope[1].abs().max()) == 0.0 < float(slope[0].abs().max())


def test_identity_counts_where_a_face_can_be_seen() -> None:
    assert identity_weight(torch.tensor([0.0, 0.6, 0.61, 1.0])).tolist() == [1.0, 1.0, 0.0, 0.0]
