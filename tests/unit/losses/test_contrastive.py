"""The three triplets against the paper's equations, and what symmetry means."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from expressive.losses import TRIPLETS, symmetric_contrastive_loss, triplet


def features(count: int = 5, width: int = 8, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.randn(3, count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return made[0], made[1], made[2]


def test_info_nce_is_equation_12() -> None:
    g, p, n = features()
    similarity = torch.stack((F.cosine_similarity(g, p), F.cosine_similarity(g, n)), dim=1) / 0.07
    wanted = F.cross_entropy(similarity, torch.zeros(5, dtype=torch.long), reduction="none")
    torch.testing.assert_close(triplet("info_nce")(g, p, n), wanted)


def test_hinge_is_equation_10() -> None:
    g, p, n = features()
    wanted = (F.cosine_similarity(g, n) - F.cosine_similarity(g, p) + 0.2).clamp(min=0)
    torch.testing.assert_close(triplet("hinge")(g, p, n), wanted)
    assert float(triplet("hinge", margin=0.0)(g, g, n).max()) == pytest.approx(0.0, abs=1e-12)


def test_log_ratio_is_equation_11() -> None:
    g, p, n = features()
    near, far = 1 - F.cosine_similarity(g, p), 1 - F.cosine_similarity(g, n)
    torch.testing.assert_close(triplet("log_ratio")(g, p, n), torch.log((near + 1e-6) / (far + 1e-6)))


@pytest.mark.parametrize("name", TRIPLETS)
def test_every_triplet_pulls_towards_its_target_and_forgets_lengths(name: str) -> None:
    g, p, n = features(seed=3)
    of = triplet(name)
    g.requires_grad_()
    loss = of(g, p, n)
    assert loss.shape == (5,)
    (slope,) = torch.autograd.grad(loss.sum(), g)
    moved = g.detach() - 1e-3 * slope
    assert bool((of(moved, p, n) <= loss.detach() + 1e-12).all())
    torch.testing.assert_close(of(3 * g, 0.5 * p, 7 * n), loss)
    assert float(of(p, p, n).mean()) < float(of(n, p, n).mean())


@pytest.mark.parametrize("name", TRIPLETS)
def test_generated_like_its_target_has_finite_loss_and_slope(name: str) -> None:
    _, p, n = features(seed=4)
    g = p.clone().requires_grad_()
    loss = triplet(name)(g, p, n).sum()
    (slope,) = torch.autograd.grad(loss, g)
    assert bool(torch.isfinite(loss)) and bool(torch.isfinite(slope).all())


def test_symmetry_swaps_roles_and_the_ablation_keeps_one() -> None:
    ga, pa, pb = features(seed=5)
    gb = features(seed=6)[0]
    of = triplet("info_nce")
    both = symmetric_contrastive_loss(ga, gb, pa, pb)
    torch.testing.assert_close(both, (of(ga, pa, pb) + of(gb, pb, pa)) / 2)
    torch.testing.assert_close(both, symmetric_contrastive_loss(gb, ga, pb, pa))
    torch.testing.assert_close(symmetric_contrastive_loss(ga, gb, pa, pb, symmetric=False), of(ga, pa, pb))


def test_an_unknown_triplet_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="no triplet “cosine”; there are info_nce, hinge, log_ratio"):
        triplet("cosine")
