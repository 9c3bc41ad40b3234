"""Rollouts, windows, baselines, the training loop over windows, and valid times."""

from __future__ import annotations

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from jepa_tutorial.forecasting import (
    Autoregression,
    Forecaster,
    NextState,
    constant_velocity,
    persistence,
)
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.losses import vicreg_loss
from jepa_tutorial.networks import mlp
from jepa_tutorial.predictors import ResidualPredictor, RollOut, roll_out
from jepa_tutorial.probes import r_squared, small_network_probe, valid_times
from jepa_tutorial.targets import EMATarget, OnlineTarget, over_time, vjepa2_mode
from jepa_tutorial.training import minimize
from jepa_tutorial.windows import draw_stretches, history_windows
from jepa_tutorial.worlds.curves import sample_world


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
    follower = target(encoder, 0.9) if target is EMATarget else target(encoder)
    parts = encoder, RollOut(predictor), follower, F.mse_loss
    return JEPA(*parts, mode=over_time(vjepa2_mode), regularizer=vicreg_loss)


def on_stretch(windows):
    """First window, those after it, and how many there are."""
    return windows[:, 0], windows[:, 1:], range(windows.shape[1] - 1)


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


# --- rolling out -------------------------------------------------------------------------------


def test_rolling_out_is_repeated_prediction():
    predictor, z = ResidualPredictor(mlp(3, 8, 3)), torch.randn(5, 3)
    ahead = roll_out(predictor, z, range(4))
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
    ahead = roll_out(ResidualPredictor(change), torch.ones(1, 1), range(10))
    torch.testing.assert_close(ahead[0, -1, 0].item(), 1.1**10, rtol=1e-5, atol=0)


# --- the model ---------------------------------------------------------------------------------


def test_the_loss_is_cost_plus_regularizer():
    jepa, windows = model(), history_windows(line(), 2)[:, :4]
    z, z_hat, z_bar, _ = jepa(*on_stretch(windows))
    assert z.shape == (4, 3)
    assert z_hat.shape == z_bar.shape == (4, 3, 3)
    torch.testing.assert_close(z_bar[:, 1], jepa.target(windows[:, 2]))
    expected = F.mse_loss(z_hat, z_bar) + vicreg_loss(z)
    torch.testing.assert_close(jepa.loss(*on_stretch(windows)), expected)


@pytest.mark.parametrize(
    ("target", "flows"), [(EMATarget, False), (OnlineTarget, True)]
)
def test_the_gradient_reaches_the_target_only_if_it_is_the_encoder(target, flows):
    jepa = model(target)
    stretch = history_windows(line(), 2)[:, :4]
    assert jepa(*on_stretch(stretch)).z_bar.requires_grad is flows


# --- training ----------------------------------------------------------------------------------


def train(seed=0, *, length=3, batch_size=8, **changes):
    settings = dict(steps=40, lr=1e-2, schedule=CosineAnnealingLR) | changes
    jepa, generator = model(), torch.Generator().manual_seed(seed)
    windows = history_windows(line(), 2)
    return list(
        minimize(
            lambda stretch: jepa.loss(*on_stretch(stretch)),
            lambda: draw_stretches(windows, batch_size, length, generator),
            jepa.parameters(),
            **settings,
        )
    )


def test_training_lowers_the_loss_and_repeats():
    first, again = ([now.loss.item() for now in train()] for _ in range(2))
    assert first == again
    assert sum(first[-5:]) < 0.8 * sum(first[:5])


def test_the_learning_rate_falls_along_half_a_cosine():
    rates = [now.lr for now in train()]
    assert rates[0] == 1e-2
    assert rates[20] == pytest.approx(5e-3)
    assert rates[-1] < 1e-4
    assert rates == sorted(rates, reverse=True)
    assert {now.lr for now in train(schedule=None)} == {1e-2}


@pytest.mark.parametrize("stop_at", [1, 13])
def test_a_training_goes_on_from_its_state_as_if_nothing_had_happened(stop_at):
    def run(**options):
        draw = torch.Generator()
        draw.set_state(batches[-1])
        for now in minimize(
            lambda x: network(x).square().mean(),
            lambda: (torch.rand(8, 3, generator=draw),),
            network.parameters(),
            **dict(steps=20, lr=0.1, schedule=CosineAnnealingLR) | options,
        ):
            rates[now.number] = now.lr
            if now.number == stop_at:
                state = copy.deepcopy((now.state(), network.state_dict()))
                kept[:] = [*state, draw.get_state()]
        return [w.clone() for w in network.parameters()]

    torch.manual_seed(0)
    network, rates, kept = mlp(3, 8, 1), {}, []
    batches = [torch.Generator().manual_seed(0).get_state()]
    whole, planned = run(), dict(rates)
    state, weights, drawn = kept
    network.load_state_dict(weights)
    batches.append(drawn)
    assert all(map(torch.equal, whole, run(state=state)))
    assert rates == planned
    # Of more steps than were asked for before, the schedule is that of all of them.
    network.load_state_dict(weights)
    rates.clear()
    run(state=state, steps=40)
    assert list(rates) == list(range(stop_at + 1, 41))
    assert rates[21] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"steps": 0}, "steps must be"), ({"lr": 1e30}, "loss must hold finite numbers")],
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


@pytest.mark.parametrize("history", [2, 4])
def test_next_state_without_a_change_goes_straight_on(history):
    network = nn.Linear(2 * history, 2)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    x = line()
    seen = NextState(network, step_size=0.7)(x[:, :history], 12 - history)
    torch.testing.assert_close(seen, x[:, history:], atol=1e-4, rtol=0)


def test_next_state_sees_the_position_and_the_newest_step_first():
    seen = []

    class Spy(nn.Module):
        def forward(self, inputs):
            seen.append(inputs)
            return torch.zeros(len(inputs), 1)

    window = torch.tensor([[[0.0], [1.0], [3.0]]])
    ahead = NextState(Spy(), step_size=2.0)(window, 2)
    assert ahead.flatten().tolist() == [5.0, 7.0]
    assert [s.flatten().tolist() for s in seen] == [[3, 1, 0.5], [5, 1, 1]]


@pytest.mark.parametrize(
    ("world", "history", "exact"),
    [
        *(("circle", 1, False), ("circle", 2, True), ("spiral", 1, False)),
        *(("spiral", 2, True), ("lissajous", 3, False), ("lissajous", 4, True)),
    ],
)
def test_autoregression_is_exact_where_the_motion_is_linear(world, history, exact):
    x, _ = sample_world(world, 300, 60, seed=0)
    x_test, _ = sample_world(world, 50, 60, seed=1)
    ahead = Autoregression(x, history)(x_test[:, :10], 50)
    error = (ahead - x_test[:, 10:]).abs().max()
    assert (error < 0.01) == exact
    assert ahead.dtype == x.dtype


def test_autoregression_finds_the_rule_of_a_circle():
    """The next place is twice the cosine of the pace times this one, less the one before."""
    x, _ = sample_world("circle", 300, 30, seed=0)
    eye = torch.eye(2).double()
    rule = torch.cat([-eye, 2 * math.cos(0.15) * eye])
    torch.testing.assert_close(Autoregression(x, 2).map.data, rule, atol=1e-4, rtol=0)


def test_a_forecast_decodes_the_rolled_out_latents():
    jepa, decoder = model(), mlp(3, 8, 2)
    window = line()[:, :2]
    seen = Forecaster(jepa.encoder, jepa.predictor.step, decoder)(window, 5)
    assert seen.shape == (4, 5, 2)
    z = jepa.predictor(jepa.encoder(window), range(2))[:, -1]
    torch.testing.assert_close(seen[:, 1], decoder(z))


# --- measures ----------------------------------------------------------------------------------


def test_valid_times_end_at_the_first_error_and_tell_the_censored():
    error = torch.tensor(
        [[0.1, 0.2, 0.5, 0.1], [torch.nan, 0.1, 0.1, 0.1], [0.1, 0.4, 0.4, 0.2]]
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
