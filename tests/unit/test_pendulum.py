"""The double pendulum: against SciPy, by its energy, its chaos."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from jepa_tutorial.runtime import new_generator
from jepa_tutorial.worlds import pendulum as module
from jepa_tutorial.worlds.pendulum import (
    FRAME_TIME,
    POTENTIAL_RANGE,
    bob_positions,
    energy,
    lyapunov_exponent,
    pendulum,
    simulate_pendulum,
    state_derivative,
)


def starts(count=32, angle=2.0, seed=0):
    drawn = torch.rand(count, 4, generator=new_generator(seed), dtype=torch.float64)
    return (2 * drawn - 1) * torch.tensor([angle, angle, 0.0, 0.0])


def test_agrees_with_scipy_before_chaos_parts_them():
    start = starts(4)
    ours = simulate_pendulum(start, 61)  # 3 s
    times = FRAME_TIME * np.arange(61)
    for number, first in enumerate(start):
        solved = solve_ivp(
            lambda _, y: state_derivative(torch.from_numpy(y)).numpy(),
            (0, times[-1]),
            first.numpy(),
            method="DOP853",
            t_eval=times,
            rtol=1e-12,
            atol=1e-12,
        )
        np.testing.assert_allclose(ours[number], solved.y.T, atol=1e-4)


def test_nothing_is_computed_past_the_last_frame(monkeypatch):
    steps = []
    monkeypatch.setattr(
        module, "runge_kutta_step", lambda state, *_: steps.append(1) or state
    )
    assert simulate_pendulum(starts(2), 4, substeps=5).shape == (2, 4, 4)
    assert len(steps) == 3 * 5


def drift(**settings):
    """The largest change of energy in 30 s, as a share of the potential energy's range."""
    states = simulate_pendulum(starts(256), 601, **settings)
    return ((energy(states) - energy(states[:, :1])).abs() / POTENTIAL_RANGE).max()


def test_energy_drifts_by_less_than_a_ten_thousandth_in_30_s():
    assert drift() < 1e-4


def test_one_runge_kutta_step_a_frame_is_not_enough():
    assert drift(substeps=1) > 1e-2


def test_small_swings_have_the_two_known_frequencies():
    """In phase, both angles swing at sqrt((2 - sqrt 2) g / l), the second sqrt 2 times as far."""
    start = 1e-3 * torch.tensor([[1.0, math.sqrt(2), 0.0, 0.0]])
    pulse = math.sqrt((2 - math.sqrt(2)) * 9.81)
    times = FRAME_TIME * torch.arange(100, dtype=torch.float64)
    expected = 1e-3 * (pulse * times).cos()
    found = simulate_pendulum(start, 100)[0, :, 0]
    torch.testing.assert_close(found, expected, atol=1e-7, rtol=0)


def test_rods_keep_their_length():
    places = bob_positions(simulate_pendulum(starts(), 50))
    torch.testing.assert_close(
        places[..., :2].norm(dim=-1), torch.ones(32, 50).double()
    )
    second = places[..., 2:] - places[..., :2]
    torch.testing.assert_close(second.norm(dim=-1), torch.ones(32, 50).double())


def test_lyapunov_exponent_tells_chaos_from_order():
    angles = torch.tensor([[0.1, 0.1, 0.0, 0.0], [3.0, 3.0, 0.0, 0.0]]).double()
    calm, wild = lyapunov_exponent(angles, 600)
    assert calm < 0.2
    assert wild > 0.7


def test_the_world_starts_at_rest_within_the_angle_and_names_its_state():
    x, state = pendulum(500, 3, new_generator(0), max_angle=1.5)
    assert x.shape == (500, 3, 4)
    assert x.dtype == torch.float32
    angle = torch.atan2(state["sin_1"], state["cos_1"])[:, 0]
    assert angle.abs().max() <= 1.5
    assert angle.abs().max() > 1.4
    assert not state["speed_1"][:, 0].any()
    torch.testing.assert_close(x[..., 0], state["sin_1"])
    torch.testing.assert_close(x[..., 3] - x[..., 1], -state["cos_2"])


def test_a_start_in_mid_swing_is_a_moment_of_the_same_motion():
    size, draw = dict(num_samples=40, max_angle=1.5), partial(new_generator, 3)
    whole, _ = pendulum(seq_len=35, generator=draw(), **size)
    x, state = pendulum(seq_len=5, generator=draw(), swing=30, **size)
    pieces = whole.unfold(1, 5, 1).mT  # (N, 31, 5, 4)
    apart = (pieces - x[:, None]).abs().amax(dim=(2, 3))
    assert apart.amin(dim=1).max() < 1e-6
    assert len(apart.argmin(dim=1).unique()) > 10
    assert state["speed_1"][:, 0].abs().median() > 0.3
    with pytest.raises(ValueError, match="swing"):
        pendulum(seq_len=5, generator=draw(), swing=-1, **size)


def test_less_gravity_swings_more_slowly():
    start = torch.tensor([[0.1, 0.1, 0.0, 0.0]])
    usual = simulate_pendulum(start, 8)[0, -1, 0]
    weak = simulate_pendulum(start, 8, gravity=2.0)[0, -1, 0]
    assert weak > usual


def test_energy_is_kept_under_any_gravity():
    start = torch.tensor([[1.0, 0.5, 0.0, 0.0]])
    path = module.simulate_pendulum(start, 40, gravity=3.7)
    kept = module.energy(path, gravity=3.7)
    assert (kept - kept[:, :1]).abs().max() < 1e-4
    assert (module.energy(path) - module.energy(path)[:, :1]).abs().max() > 0.1
