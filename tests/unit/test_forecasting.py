"""Rollouts, windows, baselines, the training loop over windows, and valid times."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from jepa_tutorial.forecasting import (
    Forecaster,
    NextState,
    constant_velocity,
    persistence,
)
from jepa_tutorial.jepa import RolloutJEPA
from jepa_tutorial.losses import vicreg_loss
from jepa_tutorial.networks import mlp
from jepa_tutorial.predictors import ResidualPredictor, roll_out
from jepa_tutorial.probes import r_squared, small_network_probe, valid_times
from jepa_tutorial.targets import EMATarget, OnlineTarget
from jepa_tutorial.training import train_on_windows
from jepa_tutorial.windows import history_windows


def line(count=4, steps=12):
    """Points on straight lines, ``(N, T, 2)``."""
    start, step = torch.randn(
        2, count, 1, 2, generator=torch.Generator().manual_seed(0)
    )
    return start + step * torch.arange(steps).view(1, -1, 1)


def model(target=EMATarget):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), mlp(4, 8, 3))
    predictor = ResidualPredictor(mlp(3, 8, 3))
    copy = target(encoder, 0.9) if target is EMATarget else target(encoder)
    return RolloutJEPA(encoder, predictor, copy, vicreg_loss)


# --- windows -----------------------------------------------------------------------------------


def test_windows_overlap_and_keep_the_order():
    x = torch.arange(2 * 5 * 3).view(2, 5, 3)
    windows = history_windows(x, 2)
    assert windows.shape == (2, 4, 2, 3)
    assert torch.equal(windows[1, 2], x[1, 2:4])


def test_windows_of_frames_are_a_view():
    x = torch.zeros(2, 6, 1, 8, 8, dtype=torch.uint8)
    windows = history_windows(x, 3)
    assert windows.shape == (2, 4, 3, 1, 8, 8)
    assert windows.data_ptr() == x.data_ptr()


@pytest.mark.parametrize("history_length", [0, 6, 1.5])
def test_a_window_must_fit(history_length):
    with pytest.raises(ValueError, match="history_length must be"):
        history_windows(torch.zeros(2, 5, 3), history_length)


# --- rolling out -------------------------------------------------------------------------------


def test_rolling_out_is_repeated_prediction():
    predictor, z = ResidualPredictor(mlp(3, 8, 3)), torch.randn(5, 3)
    ahead = roll_out(predictor, z, 4)
    assert ahead.shape == (5, 4, 3)
    torch.testing.assert_close(ahead[:, 1], predictor(predictor(z)))


def test_a_residual_predictor_without_change_stands_still():
    change = nn.Linear(3, 3)
    nn.init.zeros_(change.weight)
    nn.init.zeros_(change.bias)
    z = torch.randn(5, 3)
    assert torch.equal(ResidualPredictor(change)(z), z)


def test_a_residual_predictor_is_an_euler_step():
    """Of z' = a z: after n steps of size h, (1 + h a) to the n."""
    change = nn.Linear(1, 1, bias=False)
    nn.init.constant_(change.weight, 0.1)
    ahead = roll_out(ResidualPredictor(change), torch.ones(1, 1), 10)
    torch.testing.assert_close(ahead[0, -1, 0].item(), 1.1**10, rtol=1e-5, atol=0)


# --- the model ---------------------------------------------------------------------------------


def test_the_loss_is_cost_plus_regularizer():
    jepa, windows = model(), history_windows(line(), 2)[:, :4]
    z, z_hat, z_bar = jepa(windows)
    assert z.shape == (4, 3)
    assert z_hat.shape == z_bar.shape == (4, 3, 3)
    torch.testing.assert_close(z_bar[:, 1], jepa.target(windows[:, 2]))
    expected = F.mse_loss(z_hat, z_bar) + vicreg_loss(z)
    torch.testing.assert_close(jepa.loss(windows), expected)


@pytest.mark.parametrize(
    ("target", "flows"), [(EMATarget, False), (OnlineTarget, True)]
)
def test_the_gradient_reaches_the_target_only_if_it_is_the_encoder(target, flows):
    jepa = model(target)
    _, _, z_bar = jepa(history_windows(line(), 2)[:, :4])
    assert z_bar.requires_grad is flows


# --- training ----------------------------------------------------------------------------------


def train(seed=0, **changes):
    settings = dict(length=3, steps=40, batch_size=8, lr=1e-2) | changes
    jepa = model()
    weights = [*jepa.encoder.parameters(), *jepa.predictor.parameters()]
    generator = torch.Generator().manual_seed(seed)
    windows = history_windows(line(), 2)
    return list(
        train_on_windows(jepa.loss, weights, windows, **settings, generator=generator)
    )


def test_training_lowers_the_loss_and_repeats():
    first, again = train(), train()
    assert first == again
    losses = [loss for loss, _ in first]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_learning_rate_falls_along_half_a_cosine():
    rates = [rate for _, rate in train()]
    assert rates[0] == 1e-2
    assert rates[20] == pytest.approx(5e-3)
    assert rates[-1] < 1e-4
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 12}, "length must be a number from 1 to 11"),
        ({"steps": 0}, "steps must be"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_bad_training_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        train(**changes)


# --- forecasts ---------------------------------------------------------------------------------


def test_constant_velocity_is_exact_on_lines_and_persistence_is_not():
    x = line()
    window, future = x[:, :3], x[:, 3:]
    torch.testing.assert_close(constant_velocity(window, 9), future, atol=1e-4, rtol=0)
    still = persistence(window, 9)
    assert torch.equal(still[:, 0], x[:, 2])
    assert torch.equal(still[:, -1], x[:, 2])


def test_next_state_without_a_change_goes_straight_on():
    network = nn.Linear(4, 2)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    x = line()
    seen = NextState(network, step_size=0.7)(x[:, :2], 10)
    torch.testing.assert_close(seen, x[:, 2:], atol=1e-4, rtol=0)


def test_a_forecast_decodes_the_rolled_out_latents():
    jepa, decoder = model(), mlp(3, 8, 2)
    window = line()[:, :2]
    seen = Forecaster(jepa.encoder, jepa.predictor, decoder)(window, 5)
    assert seen.shape == (4, 5, 2)
    z = jepa.predictor(jepa.predictor(jepa.encoder(window)))
    torch.testing.assert_close(seen[:, 1], decoder(z))


# --- measures ----------------------------------------------------------------------------------


def test_valid_times_end_at_the_first_error_and_tell_the_censored():
    error = torch.tensor(
        [[0.1, 0.2, 0.5, 0.1], [0.5, 0.1, 0.1, 0.1], [0.1, 0.4, 0.4, 0.2]]
    )
    times, censored = valid_times(error, frame_time=0.5)
    assert times.tolist() == [1.0, 0.0, 2.0]
    assert censored.tolist() == [False, False, True]


def test_the_small_network_reads_what_no_line_can():
    generator = torch.Generator().manual_seed(0)
    z, z_test = torch.randn(2, 3000, 2, generator=generator)
    y, y_test = (torch.stack([p.prod(dim=1), p[:, 0]], dim=1) for p in (z, z_test))
    read = small_network_probe(z, y, seed=0)
    scores = r_squared(read(z_test), y_test)
    assert (scores > 0.95).all()
    assert read(z_test.view(30, 100, 2)).shape == (30, 100, 2)
    noise = small_network_probe(z, torch.randn(3000, 1, generator=generator), seed=0)
    assert r_squared(noise(z_test), y_test[:, 1:]).item() < 0.1


def test_r_squared_of_the_mean_is_zero():
    y = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        r_squared(y.mean(0).expand_as(y), y), torch.zeros(2), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(r_squared(y, y), torch.ones(2))
