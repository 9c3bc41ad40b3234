"""Remedies: identities, gradients at collapse, gradcheck, bad input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.func import vmap

from jepa_tutorial.losses import (
    barlow_twins_loss,
    centering_loss,
    cosine_loss,
    covariance_loss,
    dino_loss,
    draw_directions,
    sigreg_loss,
    standardize,
    update_center,
    variance_loss,
    vicreg_loss,
)

EXPECTED = math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3))


def samples(count=512, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=generator, dtype=torch.float64)


def whitened(count=512, size=8):
    """A batch whose covariance matrix is the identity."""
    z = samples(count, size)
    z = z - z.mean(dim=0)
    factor = torch.linalg.cholesky(torch.cov(z.T))
    return torch.linalg.solve_triangular(factor, z.T, upper=False).T


def sides(size=8, count=32):
    generator = torch.Generator().manual_seed(1)
    return draw_directions(size, count, generator).double()


SIDES = sides()
ON_LATENTS = {
    "variance": variance_loss,
    "covariance": covariance_loss,
    "vicreg": vicreg_loss,
    "barlow_batch": lambda z: barlow_twins_loss(z, z),
    "centering": lambda z: centering_loss(z, torch.ones(8, dtype=z.dtype)),
    "sigreg": lambda z: sigreg_loss(z, SIDES.to(z.dtype)),
    "dino": lambda z: dino_loss(z, z, torch.zeros(8, dtype=z.dtype)),
}
remedies = pytest.mark.parametrize("name", ON_LATENTS)


# --- identities --------------------------------------------------------------------------------


def test_vicreg_of_a_whitened_batch_is_zero():
    assert vicreg_loss(whitened()).item() == pytest.approx(0, abs=1e-12)


def test_variance_sees_shrinking_and_covariance_repetition():
    z = whitened()
    assert variance_loss(0.5 * z).item() == pytest.approx(0.5, abs=1e-3)
    z = torch.cat([z, z], dim=1)  # each dimension is correlated with one other
    assert covariance_loss(z).item() == pytest.approx(1)
    assert variance_loss(z).item() == 0


def test_covariance_agrees_with_torch():
    z = samples()
    expected = torch.cov(z.T)
    expected = (expected.square().sum() - expected.diagonal().square().sum()) / 8
    torch.testing.assert_close(covariance_loss(z), expected)


def test_standardize_is_batch_normalization():
    z = 3 * samples() + 7
    expected = F.batch_norm(z, None, None, training=True)
    torch.testing.assert_close(standardize(z), expected)


def test_barlow_twins_of_equal_decorrelated_views_is_zero():
    z = whitened()
    assert barlow_twins_loss(z, z).item() == pytest.approx(0, abs=1e-6)


def test_barlow_twins_of_independent_views_is_about_z():
    a, b = samples(20_000, seed=0), samples(20_000, seed=1)
    assert barlow_twins_loss(a, b).item() == pytest.approx(8, rel=0.05)


def test_barlow_twins_on_one_batch_does_not_see_shrinking():
    z = samples()
    whole, small = (barlow_twins_loss(s * z, s * z) for s in (1, 0.05))
    assert abs(small - whole) < 0.001
    assert variance_loss(0.05 * z) > 0.9


@pytest.mark.parametrize("count", [16, 256])
def test_sigreg_of_normal_samples_tends_to_its_expected_value(count):
    values = [sigreg_loss(samples(count, seed=seed), sides()) for seed in range(200)]
    assert torch.stack(values).mean().item() == pytest.approx(EXPECTED, rel=0.1)


@pytest.mark.parametrize(
    "change",
    [
        lambda z: z + 0.5,
        lambda z: 2 * z,
        lambda z: 0.5 * z,
        lambda z: z / samples(len(z), 1, 2).square().clamp_min(1e-3),
        lambda z: 0 * z,
        lambda z: z[:, :1].expand_as(z),
    ],
    ids=["shifted", "large", "small", "heavy tails", "constant", "line"],
)
def test_sigreg_grows_for_what_is_not_normal(change):
    z = samples()
    assert sigreg_loss(change(z), sides()) > 3 * EXPECTED


def test_sigreg_is_the_integral_over_the_characteristic_function():
    """Against a fine integral in one dimension, written out with complex numbers."""
    z = samples(64, 1)
    t = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    empirical = torch.exp(1j * z * t).mean(dim=0)
    distance = (empirical - torch.exp(-t.square() / 2)).abs().square()
    weighted = distance * torch.exp(-t.square() / 2)
    expected = 64 * torch.trapezoid(weighted, t)
    one = torch.ones(1, 1, dtype=torch.float64)
    assert sigreg_loss(z, one).item() == pytest.approx(expected.item(), rel=0.01)


def test_centering_is_satisfied_by_a_constant_at_the_center():
    center = torch.arange(8).double()
    assert centering_loss(center.expand(32, 8), center) == 0
    assert centering_loss(samples() + center, center) > 0


def test_dino_is_cross_entropy_and_centering_takes_a_shift_away():
    z_hat, z_bar = samples(seed=0), samples(seed=1)
    center = torch.arange(8).double()
    target = ((z_bar - center) / 0.04).softmax(dim=-1)
    expected = F.cross_entropy(z_hat / 0.1, target)
    torch.testing.assert_close(dino_loss(z_hat, z_bar, center), expected)
    shifted = dino_loss(z_hat, z_bar + center, center)
    torch.testing.assert_close(
        shifted, dino_loss(z_hat, z_bar, torch.zeros_like(center))
    )


def test_center_follows_the_mean_without_gradient():
    z = samples().requires_grad_()
    center = update_center(torch.zeros(8).double(), z, 0.75)
    torch.testing.assert_close(center, 0.25 * z.detach().mean(dim=0))
    assert not center.requires_grad


def test_directions_have_length_one_and_come_from_the_generator():
    first, again = sides(), sides()
    torch.testing.assert_close(first.norm(dim=0), torch.ones(32).double())
    assert torch.equal(first, again)


# --- the formulas of the papers, typed once, sample by sample ------------------------------------


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def variance_by_hand(z):
    """Bardes et al. (2022), equations 1 and 2: gamma = 1, epsilon = 1e-4."""
    total = 0.0
    for column in z.T:
        center = mean(column)
        variance = sum((v - center) ** 2 for v in column) / (len(column) - 1)
        total += max(0.0, 1 - math.sqrt(variance + 1e-4))
    return total / z.shape[1]


def covariance_by_hand(z):
    """Bardes et al. (2022), equations 3 and 4."""
    size, dims = z.shape
    center = [mean(column) for column in z.T]
    total = 0.0
    for j in range(dims):
        for k in range(dims):
            entry = sum((r[j] - center[j]) * (r[k] - center[k]) for r in z) / (size - 1)
            total += entry**2 if j != k else 0.0
    return total / dims


def barlow_by_hand(z_a, z_b):
    """Zbontar et al. (2021), equations 1 and 2, lambda = 0.005, after batch normalization."""

    def normal(z):  # of PyTorch: 1e-5 is added to the variance
        return (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)

    a, b = normal(z_a), normal(z_b)
    total = 0.0
    for j in range(a.shape[1]):
        for k in range(a.shape[1]):
            entry = mean(a[i, j] * b[i, k] for i in range(len(a)))
            total += (1 - entry) ** 2 if j == k else 0.005 * entry**2
    return total


def dino_by_hand(z_hat, z_bar, center):
    """Caron et al. (2021), equations 1 and 2 with Algorithm 1: temperatures 0.1 and 0.04."""

    def softmax(scores):
        powers = [math.exp(score) for score in scores]
        return [power / sum(powers) for power in powers]

    return mean(
        -sum(
            t * math.log(s)
            for t, s in zip(
                softmax((bar - center) / 0.04), softmax(hat / 0.1), strict=True
            )
        )
        for hat, bar in zip(z_hat, z_bar, strict=True)
    )


def sigreg_by_hand(z, directions):
    """Balestriero and LeCun (2025), Algorithm 1: 17 knots from -5 to 5, weight exp(-t^2 / 2)."""
    knots = [-5 + 10 * k / 16 for k in range(17)]
    statistics = []
    for direction in directions.T:
        shadow = [sum(p * d for p, d in zip(row, direction, strict=True)) for row in z]
        heights = [
            abs(mean(complex(math.cos(t * s), math.sin(t * s)) for s in shadow) - phi)
            ** 2
            * phi
            for t, phi in ((t, math.exp(-(t**2) / 2)) for t in knots)
        ]
        integral = sum((a + b) / 2 * 10 / 16 for a, b in itertools.pairwise(heights))
        statistics.append(len(z) * integral)
    return mean(statistics)


def cosine_by_hand(z_hat, z_bar):
    """Chapter 1: one minus the mean cosine."""
    return 1 - mean(
        sum(hat * bar) / math.sqrt(sum(hat**2)) / math.sqrt(sum(bar**2))
        for hat, bar in zip(z_hat, z_bar, strict=True)
    )


def squared_by_hand(z_hat, z_bar):
    """Chapter 3: the mean over samples and dimensions."""
    return mean(
        (hat - bar) ** 2 for hat, bar in zip(z_hat.flat, z_bar.flat, strict=True)
    )


FORMULAS = {
    "cosine": (cosine_loss, cosine_by_hand, 2),
    "squared error": (F.mse_loss, squared_by_hand, 2),
    "variance": (variance_loss, variance_by_hand, 1),
    "covariance": (covariance_loss, covariance_by_hand, 1),
    "vicreg": (
        vicreg_loss,
        lambda z: 1.0 * variance_by_hand(z) + 0.04 * covariance_by_hand(z),
        1,
    ),
    "barlow": (barlow_twins_loss, barlow_by_hand, 2),
    "dino": (
        lambda a, b: dino_loss(a, b, torch.arange(5).double() / 10),
        lambda a, b: dino_by_hand(a, b, np.arange(5) / 10),
        2,
    ),
    "new center": (
        lambda z: update_center(torch.arange(5).double() / 10, z),
        lambda z: 0.9 * np.arange(5) / 10 + 0.1 * z.mean(0),
        1,
    ),
    "centering": (
        lambda z: centering_loss(z, torch.arange(5).double() / 10),
        lambda z: sum((z.mean(0) - np.arange(5) / 10) ** 2),
        1,
    ),
    "sigreg": (
        lambda z: sigreg_loss(z, sides(5, 6)),
        lambda z: sigreg_by_hand(z, sides(5, 6).numpy()),
        1,
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("seed", range(3))
def test_code_is_the_formula_of_the_paper(name, seed):
    ours, by_hand, count = FORMULAS[name]
    batches = [0.7 * samples(12, 5, seed=10 * seed + k) + 0.3 for k in range(count)]
    expected = torch.as_tensor(np.float64(by_hand(*(z.numpy() for z in batches))))
    torch.testing.assert_close(ours(*batches), expected, rtol=1e-9, atol=1e-12)


def test_a_small_cloud_is_pulled_as_the_chapter_derives():
    z = samples(256, 16)
    z = (z - z.mean(dim=0)) / z.std(dim=0, correction=0)
    around = sides(16, 4096)
    kappa = math.sqrt(2 * math.pi) - math.sqrt(math.pi) / 2
    for size in (1e-3, 1e-2):
        r = torch.tensor(size, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(sigreg_loss(r * z, around), r)
        assert -slope.item() == pytest.approx(2 * kappa * 256 * size, rel=0.01)


# --- gradients ---------------------------------------------------------------------------------


@remedies
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradients_are_finite_at_collapse_and_pull_no_points_apart(name, value):
    z = torch.full((32, 8), value, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(ON_LATENTS[name](z), z)
    assert gradient.isfinite().all()
    torch.testing.assert_close(gradient, gradient[:1].expand_as(gradient))


@remedies
def test_gradients_are_right(name):
    z = (0.6 * samples(6)).requires_grad_()
    assert torch.autograd.gradcheck(ON_LATENTS[name], z)


@remedies
def test_a_stack_of_batches_gives_each_its_own_loss(name):
    z = torch.stack([samples(seed=seed) for seed in range(3)])
    expected = torch.stack([ON_LATENTS[name](batch) for batch in z])
    torch.testing.assert_close(vmap(ON_LATENTS[name])(z), expected)


def test_hinge_on_the_deviation_pulls_harder_at_a_small_cloud_than_on_the_variance():
    z = (0.05 * samples()).requires_grad_()
    (ours,) = torch.autograd.grad(variance_loss(z), z)
    other = F.relu(1 - z.var(dim=0)).mean()
    (theirs,) = torch.autograd.grad(other, z)
    assert ours.norm() > 5 * theirs.norm()


# --- half precision ----------------------------------------------------------------------------

halves = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])


@remedies
@halves
@pytest.mark.parametrize("scale", [1e-3, 300])
def test_half_precision_is_computed_in_float32(name, dtype, scale):
    z = (scale * samples(64)).to(dtype)
    loss, expected = (ON_LATENTS[name](part) for part in (z, z.double()))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected.float(), rtol=0.01, atol=1e-6)


@remedies
@halves
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_constant_has_the_same_loss_in_every_precision(name, dtype, value):
    z = torch.full((32, 8), value)
    expected = ON_LATENTS[name](z)
    torch.testing.assert_close(
        ON_LATENTS[name](z.to(dtype)), expected, rtol=0.01, atol=0
    )
    zero = torch.zeros(4, 3, dtype=dtype)
    assert cosine_loss(zero, zero) == 1


def test_an_average_in_half_precision_is_kept_in_float32():
    center = torch.ones(3, dtype=torch.bfloat16)
    for _ in range(1000):
        center = update_center(center, torch.zeros(2, 3), decay=0.999)
    torch.testing.assert_close(center, torch.full((3,), 0.999**1000))


# --- bad input ---------------------------------------------------------------------------------


def test_the_variance_term_of_a_constant_is_as_documented():
    assert variance_loss(torch.ones(8, 3)).item() == pytest.approx(0.99)


@pytest.mark.parametrize(
    "loss",
    [variance_loss, covariance_loss, ON_LATENTS["barlow_batch"], ON_LATENTS["sigreg"]],
)
def test_a_batch_of_one_is_refused(loss):
    with pytest.raises(
        ValueError, match=r"must hold a batch of at least 2 samples, got 1"
    ):
        loss(torch.zeros(1, 8))
