"""Probes score what they should: everything, nothing, and chance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from jepa_tutorial.probes import (
    directions,
    effective_rank,
    linear_probe,
    mean_pairwise_cosine,
    monitor,
    noisy_probe,
    r_squared,
    rankme,
    retrieval_accuracy,
    spectrum,
    spread,
)


def test_retrieval_is_one_for_a_perfect_prediction_at_any_length():
    z = torch.randn(256, 8)
    assert retrieval_accuracy(5 * z, z, 64) == 1


def test_retrieval_is_chance_for_a_constant():
    z = torch.ones(640, 8)
    assert retrieval_accuracy(z, z, 64) == pytest.approx(1 / 64)


def test_retrieval_is_near_chance_for_unrelated_latents():
    torch.manual_seed(0)
    found = retrieval_accuracy(torch.randn(64 * 200, 8), torch.randn(64 * 200, 8), 64)
    assert found == pytest.approx(1 / 64, abs=0.005)


def test_retrieval_agrees_with_a_plain_loop():
    torch.manual_seed(1)
    z_bar = torch.randn(70, 5)
    z_hat = z_bar + torch.randn(70, 5)
    hits = 0
    for group in range(7):
        rows = range(10 * group, 10 * group + 10)
        for row in rows:
            cosines = [
                torch.cosine_similarity(z_hat[row], z_bar[c], dim=0) for c in rows
            ]
            hits += int(np.argmax(cosines)) == row - rows[0]
    assert retrieval_accuracy(z_hat, z_bar, 10) == pytest.approx(hits / 70)


def test_an_incomplete_last_group_is_left_out():
    z = torch.randn(70, 5)
    z_hat = z.clone()
    z_hat[64:] = -z[64:]
    assert retrieval_accuracy(z_hat, z, 32) == 1


def test_probe_finds_a_linear_quantity_and_not_a_random_one():
    torch.manual_seed(2)
    z, z_test = torch.randn(400, 6), torch.randn(200, 6)
    direction = torch.randn(6)
    assert linear_probe(z, z @ direction, z_test, z_test @ direction) == pytest.approx(
        1
    )
    assert linear_probe(z, torch.randn(400), z_test, torch.randn(200)) < 0.1


def test_probe_agrees_with_scikit_learn_on_held_out_data():
    torch.manual_seed(3)
    z, y, z_test, y_test = (
        torch.randn(*shape) for shape in ((50, 4), (50,), (30, 4), (30,))
    )
    y, y_test = y + z[:, 0], y_test + z_test[:, 0]
    fitted = LinearRegression().fit(z.double(), y.double())
    expected = r2_score(y_test.double(), fitted.predict(z_test.double()))
    assert linear_probe(z, y, z_test, y_test) == pytest.approx(expected)


def test_probe_of_a_constant_latent_knows_only_the_mean():
    torch.manual_seed(4)
    y, y_test = torch.randn(400), torch.randn(4000)
    score = linear_probe(torch.ones(400, 6), y, torch.ones(4000, 6), y_test)
    assert score == pytest.approx(0, abs=0.02)


# --- meters of collapse ------------------------------------------------------------------------


def cloud(count=4000, size=6):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, size, generator=generator)


def test_spectrum_is_the_variance_along_principal_axes_largest_first():
    z = cloud() * torch.tensor([3.0, 2.0, 1.0, 0.0, 0.0, 0.0])
    found = spectrum(z)
    singular = torch.linalg.svdvals(z.double() - z.double().mean(dim=0))
    torch.testing.assert_close(found, singular.square() / len(z), atol=1e-6, rtol=1e-6)
    assert found.tolist() == sorted(found.tolist(), reverse=True)


@pytest.mark.parametrize("axes", [1, 2, 6])
def test_effective_rank_counts_equal_axes(axes):
    z = cloud()
    z = z - z.mean(dim=0)
    orthonormal = torch.linalg.qr(z).Q
    z = orthonormal * (torch.arange(6) < axes)
    assert effective_rank(z) == pytest.approx(axes, rel=1e-3)


def test_effective_rank_has_no_scale_and_a_constant_has_none():
    assert effective_rank(1e-4 * cloud()) == pytest.approx(effective_rank(cloud()))
    assert effective_rank(torch.ones(32, 4)) == 0


def test_both_ranks_are_their_papers_formulas():
    z = 0.5 + cloud(300) * torch.tensor([3.0, 2.0, 1.0, 0.5, 0.1, 0.01])
    found = np.linalg.svd(z.double().numpy(), compute_uv=False)
    shares = [value / sum(found) + 1e-7 for value in found]
    expected = np.exp(-sum(p * np.log(p) for p in shares))
    assert rankme(z) == pytest.approx(expected, rel=1e-9)
    found = np.linalg.eigvalsh(np.cov(z.double().numpy().T))
    shares = [value / sum(found) for value in found]
    expected = np.exp(-sum(p * np.log(p) for p in shares))
    assert effective_rank(z) == pytest.approx(expected, rel=1e-6)


def test_the_two_ranks_disagree_far_from_the_origin_and_on_uneven_axes():
    far = 1 + 1e-3 * cloud()
    assert effective_rank(far) > 5.9
    assert rankme(far) < 1.1
    uneven = cloud() * 0.5 ** torch.arange(6)
    assert effective_rank(uneven) + 1 < rankme(uneven)
    assert rankme(torch.zeros(9, 4)) == pytest.approx(1, abs=1e-4)


def test_monitor_reads_what_the_meters_read():
    z = cloud() * torch.tensor([1.0, 1.0, 1.0, 1.0, 0.5, 0.001])
    values = monitor(z.requires_grad_())
    assert values["rank"] == effective_rank(z.detach())
    assert values["rankme"] == rankme(z.detach())
    assert values["cosine"] == mean_pairwise_cosine(z.detach())
    assert values["std"] == pytest.approx(4.501 / 6, rel=0.02)
    assert values["std_min"] == pytest.approx(0.001, rel=0.05)
    assert values["dead"] == pytest.approx(1 / 6)
    assert values["offset"] < 0.05
    assert monitor(cloud() + 2)["offset"] == pytest.approx(2, rel=0.05)


def test_monitor_of_a_constant_is_all_alarms():
    values = monitor(torch.ones(32, 4))
    assert (values["std"], values["rank"], values["dead"]) == (0, 0, 1)
    assert values["rankme"] == pytest.approx(1, abs=1e-4)
    assert values["offset"] > 1e30
    assert monitor(torch.zeros(32, 4))["offset"] == 0
    with pytest.raises(ValueError, match="at least 2 samples, got 1"):
        monitor(torch.ones(1, 4))


def test_mean_pairwise_cosine_is_the_mean_over_pairs():
    z = cloud(50) + 1
    cosine = torch.nn.functional.cosine_similarity(z[:, None], z, dim=-1)
    pairs = cosine[~torch.eye(50, dtype=torch.bool)]
    assert mean_pairwise_cosine(z) == pytest.approx(pairs.mean().item(), abs=1e-5)
    assert mean_pairwise_cosine(torch.ones(9, 4)) == pytest.approx(1)


def test_spread_is_zero_for_a_constant_and_one_for_opposite_directions():
    assert spread(torch.ones(8, 3)) == pytest.approx(0, abs=1e-6)
    z = torch.tensor([[1.0, 0.0], [-2.0, 0.0]])
    assert spread(z) == pytest.approx(1)
    torch.testing.assert_close(directions(z).norm(dim=-1), torch.ones(2))


def test_spread_is_the_formula_and_near_it_width_over_distance():
    z = torch.randn(50, 6) + 1
    u = torch.stack([row / row.norm() for row in z])
    distances = [(row - u.mean(dim=0)).norm() ** 2 for row in u]
    assert spread(z) == pytest.approx((sum(distances) / 50).sqrt().item(), rel=1e-5)
    center = torch.zeros(6)
    center[0] = 100.0
    rest = torch.randn(50, 6)
    rest -= rest.mean(dim=0)
    across = rest[:, 1:].square().sum(dim=1).mean().sqrt()
    assert spread(center + rest) == pytest.approx((across / 100).item(), rel=0.05)


def test_noisy_probe_does_not_find_what_has_become_tiny():
    z = cloud()
    y = z[:, 0]
    tiny = torch.cat([1e-5 * z[:, :1], torch.ones(len(z), 1)], dim=1)

    def both(z):
        halves = z[:2000], y[:2000], z[2000:], y[2000:]
        generator = torch.Generator().manual_seed(0)
        return linear_probe(*halves), noisy_probe(*halves, generator)

    plain, noisy = both(tiny)
    assert plain > 0.99
    assert noisy < 0.05
    # The same quantity, large: both find it.
    plain, noisy = both(torch.cat([0.3 * z[:, :1], torch.ones(len(z), 1)], dim=1))
    assert min(plain, noisy) > 0.9


DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
def test_the_rank_of_a_constant_is_zero_in_every_precision(dtype, value):
    assert effective_rank(torch.full((30, 4), value, dtype=dtype)) == 0
    nearly = torch.full((30, 4), value, dtype=torch.float64)
    nearly[:, 0] += 1e-6 * max(value, 1) * torch.randn(30, dtype=torch.float64)
    assert effective_rank(nearly) == pytest.approx(1, abs=0.01)


def test_a_latent_of_zero_has_a_cosine_of_zero_with_every_other():
    z = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    assert mean_pairwise_cosine(z) == pytest.approx(1 / 3)
    assert mean_pairwise_cosine(torch.zeros(5, 2)) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e4])
def test_a_constant_looks_constant_in_every_precision(dtype, value):
    z = torch.full((12, 4), value, dtype=dtype)
    assert spread(z) == pytest.approx(0, abs=1e-6)
    assert mean_pairwise_cosine(z) == pytest.approx(float(value > 0))
    assert retrieval_accuracy(z, z, 4) == 0.25
    y = torch.arange(12.0)
    assert linear_probe(z, y, z, y) == pytest.approx(0, abs=1e-9)
    # Scikit-learn's convention for a quantity that does not vary.
    assert r_squared(z, z).tolist() == [1] * 4
    assert r_squared(z + 1, z).tolist() == [float((z + 1 == z).all())] * 4


def test_latents_with_a_gradient_can_be_probed():
    z = torch.randn(30, 4)
    with_gradient = z.clone().requires_grad_()
    y = z[:, 0]
    assert linear_probe(with_gradient, y, with_gradient, y) == pytest.approx(1)
