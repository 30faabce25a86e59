# pyright: reportArgumentType=false
"""ε-prediction and the expression loss."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from expressive.losses import diffused, expression_loss, expression_weight, min_snr_weight, one_step_estimate


def test_noising_is_the_reference_schedulers() -> None:
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    clean, noise = torch.randn(4, 3, 5, 5), torch.randn(4, 3, 5, 5)
    time = torch.tensor([0, 250, 700, 999])
    kept = scheduler.alphas_cumprod[time]
    torch.testing.assert_close(diffused(clean, noise, kept), scheduler.add_noise(clean, noise, time.int()))
    torch.testing.assert_close(
        one_step_estimate(diffused(clean, noise, kept), noise, kept), clean, atol=1e-3, rtol=1e-3
    )


def test_min_snr_is_the_reference_formula() -> None:
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
    from diffusers.training_utils import compute_snr

    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    time = torch.arange(0, 1000, 37)
    snr = compute_snr(scheduler, time)
    found = min_snr_weight(scheduler.alphas_cumprod[time], 5.0)
    torch.testing.assert_close(found, torch.minimum(snr, torch.full_like(snr, 5.0)) / snr)
    assert bool((min_snr_weight(scheduler.alphas_cumprod[time], 0.0) == 1).all())


@given(st.floats(0.001, 0.999), st.floats(0, 1))
def test_expressions_count_where_there_is_a_face_to_be_read(kept: float, least: float) -> None:
    found = float(expression_weight(torch.tensor([kept]), least)[0])
    assert abs(found - (torch.tensor(kept) if kept >= least else 0)) < 1e-6 or abs(kept - least) < 1e-6


def test_a_face_that_was_not_found_has_no_gradient() -> None:
    found = torch.randn(3, 4, requires_grad=True)
    loss = expression_loss(found, torch.randn(3, 4), torch.tensor([True, False, True]))
    assert float(loss[1].detach()) == 0 and bool((loss[[0, 2]] > 0).all())
    loss.sum().backward()
    assert found.grad is not None and not bool(found.grad[1].any())
