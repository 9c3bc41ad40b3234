"""Schedules and target modes: every entry of chapter 2's tables."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import nn

from jepa_tutorial.encoders import MLPEncoder
from jepa_tutorial.losses import cosine_loss
from jepa_tutorial.predictors import MLPPredictor
from jepa_tutorial.targets import (
    MODES,
    EMATarget,
    cosine_decay,
    coupled_decay,
    linear_decay,
)


@pytest.mark.parametrize("schedule", [linear_decay, cosine_decay])
def test_schedules_rise_from_the_base_to_one(schedule):
    values = [schedule(0.996, k / 50) for k in range(51)]
    assert values[0] == pytest.approx(0.996)
    assert values[25] == pytest.approx(0.998)  # both are half way at half time
    assert values[-1] == pytest.approx(1)
    assert values == sorted(values)


def test_linear_is_straight_and_cosine_is_flat_at_both_ends():
    linear = torch.tensor([linear_decay(0.9, k / 100) for k in range(101)]).double()
    torch.testing.assert_close(
        linear.diff(), torch.full((100,), 0.001).double(), atol=1e-6, rtol=0
    )
    cosine = (
        torch.tensor([cosine_decay(0.9, k / 100) for k in range(101)]).double().diff()
    )
    assert cosine[0] < 0.1 * cosine[50]
    assert cosine[-1] < 0.1 * cosine[50]


def test_coupled_decay_is_the_formula_and_meets_the_cosine_schedule():
    assert coupled_decay(0.99, lr=1e-3, initial_lr=1e-3) == pytest.approx(0.99)
    assert coupled_decay(0.99, lr=0.0, initial_lr=1e-3) == 1
    assert coupled_decay(0.99, lr=5e-4, initial_lr=1e-3) == pytest.approx(
        1 - 0.01 * 0.5
    )
    for progress in (0.0, 0.3, 0.7, 1.0):
        lr = 1e-3 * (1 + math.cos(math.pi * progress)) / 2
        assert coupled_decay(0.99, lr=lr, initial_lr=1e-3) == pytest.approx(
            cosine_decay(0.99, progress)
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_whose_average_would_not_move_are_refused(dtype):
    with pytest.raises(ValueError, match=r"encoder must have weights in float32, got"):
        EMATarget(nn.Linear(2, 2).to(dtype), 0.99)
    encoder = nn.Linear(2, 2)
    target = EMATarget(encoder, 0.99)
    with pytest.raises(ValueError, match=r"use torch\.autocast"):
        target.update(encoder.to(dtype))


def test_weights_in_double_precision_stay_so_and_autocast_moves_the_average():
    for encoder in (nn.Linear(2, 2).double(), nn.Linear(2, 2)):
        target = EMATarget(encoder, 0.999)
        before = target.encoder.weight.clone()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            encoder.weight += 1
            target.update(encoder)
        assert target.encoder.weight.dtype == encoder.weight.dtype
        torch.testing.assert_close(target.encoder.weight, before + 1e-3)


def test_weight_norm_of_the_old_kind_is_refused_and_of_the_new_kind_is_copied():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nn.Sequential(nn.utils.weight_norm(nn.Linear(2, 2)))
    message = (
        "encoder must be a network that can be copied, got one that keeps a computed"
    )
    with pytest.raises(ValueError, match=f"{message} 'weight': .*parametrizations"):
        EMATarget(old, 0.9)
    new = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    target, x = EMATarget(new, 0.0), torch.ones(1, 2)
    with torch.no_grad():
        new.parametrizations.weight.original0 += 1
    target.update(new)
    torch.testing.assert_close(target(x), new(x))


class Setup:
    """An encoder, a copy with other weights, a predictor, and one batch."""

    def __init__(self, mode):
        torch.manual_seed(0)
        self.online = MLPEncoder(2, window_len=5, hidden_dim=16, latent_dim=4)
        self.target = EMATarget(
            MLPEncoder(2, window_len=5, hidden_dim=16, latent_dim=4), 0.9
        )
        self.predictor = MLPPredictor(4, 16)
        self.past, self.future = torch.randn(9, 5, 2), torch.randn(9, 5, 2)
        self.made = MODES[mode](self.online, self.target, self.past, self.future)

    def prediction_loss(self):
        return cosine_loss(self.predictor(self.made.z), self.made.z_bar)

    def learns(self, loss):
        loss.backward()
        parts = ("online", "target", "predictor")
        return {
            name
            for name in parts
            if any(w.grad is not None for w in getattr(self, name).parameters())
        }


@pytest.mark.parametrize(
    ("mode", "reads", "aims", "sees"),
    [
        ("default", "target", "target", ("past", "future")),
        ("vjepa2", "online", "target", ("past",)),
        ("none", "online", "online", ("past", "future")),
    ],
)
def test_who_encodes_what(mode, reads, aims, sees):
    setup = Setup(mode)
    assert torch.equal(setup.made.z, getattr(setup, reads)(setup.past))
    assert torch.equal(setup.made.z_bar, getattr(setup, aims)(setup.future))
    expected = [setup.online(getattr(setup, part)) for part in sees]
    assert len(setup.made.seen) == len(expected)
    assert all(
        torch.equal(a, b) for a, b in zip(setup.made.seen, expected, strict=True)
    )


@pytest.mark.parametrize(
    ("mode", "learns"),
    [
        ("default", {"predictor"}),
        ("vjepa2", {"online", "predictor"}),
        ("none", {"online", "predictor"}),
    ],
)
def test_who_learns_from_the_prediction(mode, learns):
    setup = Setup(mode)
    assert setup.learns(setup.prediction_loss()) == learns


@pytest.mark.parametrize("mode", MODES)
def test_only_the_encoder_learns_from_a_regularizer(mode):
    setup = Setup(mode)
    assert setup.learns(sum(z.square().mean() for z in setup.made.seen)) == {"online"}


@pytest.mark.parametrize("mode", MODES)
def test_no_gradient_flows_through_the_target(mode):
    assert not Setup(mode).made.z_bar.requires_grad


def test_buffers_are_not_averaged():
    """What chapter 2 shows: batch norm's running mean stays behind in our copy."""
    normed = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))
    target = EMATarget(normed, 0.5)
    normed(5 + torch.randn(64, 2))
    target.update(normed)
    assert target.encoder[1].running_mean.norm() == 0
    assert normed[1].running_mean.norm() > 0
