"""The double pendulum: against SciPy, by its energy, its chaos and its pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from jepa_tutorial.pendulum import (
    FRAME_TIME,
    POTENTIAL_RANGE,
    accelerations,
    bob_positions,
    energy,
    lyapunov_exponent,
    render_pendulum,
    simulate_pendulum,
)


def starts(count=32, angle=2.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(count, 4, generator=generator, dtype=torch.float64)
    return (2 * drawn - 1) * torch.tensor([angle, angle, 0.0, 0.0])


def test_agrees_with_scipy_before_chaos_parts_them():
    start = starts(4)
    ours = simulate_pendulum(start, 61)  # 3 s
    times = FRAME_TIME * np.arange(61)
    for number, first in enumerate(start):
        solved = solve_ivp(
            lambda _, y: accelerations(torch.from_numpy(y)).numpy(),
            (0, times[-1]),
            first.numpy(),
            method="DOP853",
            t_eval=times,
            rtol=1e-12,
            atol=1e-12,
        )
        np.testing.assert_allclose(ours[number], solved.y.T, atol=1e-4)


def test_energy_drifts_by_less_than_a_ten_thousandth_in_30_s():
    states = simulate_pendulum(starts(256), 601)
    drift = (energy(states) - energy(states[:, :1])).abs() / POTENTIAL_RANGE
    assert drift.max() < 1e-4


def test_one_runge_kutta_step_a_frame_is_not_enough():
    states = simulate_pendulum(starts(256), 601, substeps=1)
    drift = (energy(states) - energy(states[:, :1])).abs() / POTENTIAL_RANGE
    assert drift.max() > 1e-2


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
    calm, wild = torch.zeros(2, 1, 4).double()
    calm[..., :2] = 0.1
    wild[..., :2] = 3.0
    assert lyapunov_exponent(calm, 600).item() < 0.2
    assert lyapunov_exponent(wild, 600).item() > 0.7


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_frames_have_the_asked_shape_and_type(size, channels):
    frames = render_pendulum(simulate_pendulum(starts(2), 3), size, channels)
    assert frames.shape == (2, 3, channels, size, size)
    assert frames.dtype == torch.uint8


def test_bobs_are_drawn_where_they_are():
    state = torch.zeros(1, 1, 4).double()
    state[..., 0] = math.pi / 2  # first rod to the right, second down
    frame = render_pendulum(state, 64, 3)[0, 0].float()
    row, column = 32, 32 + 64 / 4.6
    yellow = frame[0] - frame[2]  # the first bob has red and no blue
    weight = yellow.clamp_min(0)
    grid = torch.arange(64) + 0.5
    assert (weight.sum(0) @ grid / weight.sum()).item() == pytest.approx(
        column, abs=0.5
    )
    assert (weight.sum(1) @ grid / weight.sum()).item() == pytest.approx(
        row, abs=0.5
    )


def test_edges_are_smooth_and_area_does_not_depend_on_the_place():
    states = simulate_pendulum(starts(64), 1)
    frames = render_pendulum(states, 32).float()
    values = frames.unique()
    assert len(values) > 50  # many grays between the shapes' own
    total = frames.sum(dim=(1, 2, 3, 4))
    assert (total.std() / total.mean()).item() < 0.15


def test_pieces_do_not_change_the_picture():
    states = simulate_pendulum(starts(300), 1)
    together = render_pendulum(states, 16)
    apart = torch.cat([render_pendulum(part, 16) for part in states.split(7)])
    assert torch.equal(together, apart)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulate_pendulum(torch.zeros(3, 2), 5), "start must have"),
        (lambda: simulate_pendulum(torch.zeros(3, 4), 0), "num_frames must be"),
        (
            lambda: render_pendulum(torch.zeros(1, 1, 4), 8),
            "image_size must be a number from 16 to 128",
        ),
        (lambda: render_pendulum(torch.zeros(1, 4)), "state must have"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
