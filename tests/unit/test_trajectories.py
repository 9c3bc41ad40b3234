"""The toy worlds move as they say, and refuse what they cannot make."""

from __future__ import annotations

import math

import pytest
import torch

from jepa_tutorial.windows import split_window
from jepa_tutorial.worlds.points import make_trajectories


def make(**changes):
    settings = {
        "num_samples": 500,
        "seq_len": 20,
        "pattern": "circle",
        "noise": 0.0,
        "seed": 3,
    }
    return make_trajectories(**(settings | changes))


def test_circle_keeps_its_radius_and_turns_at_its_velocity():
    x, state = make()
    radius = x.norm(dim=-1)
    torch.testing.assert_close(radius, radius[:, :1].expand(-1, 20))
    assert radius.min() >= 0.5
    assert radius.max() <= 1.5
    phase = torch.atan2(state["sin_phase"], state["cos_phase"])
    turned = torch.remainder(phase.diff(dim=1) + math.pi, 2 * math.pi) - math.pi
    torch.testing.assert_close(
        turned, state["angular_velocity"][:, 1:], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(x[..., 1], radius * state["sin_phase"])


def test_circle_turns_both_ways_at_speeds_in_its_range():
    velocity = make()[1]["angular_velocity"][:, 0]
    assert 0.4 < (velocity > 0).float().mean() < 0.6
    assert velocity.abs().min() >= 0.1
    assert velocity.abs().max() <= 0.5


def test_line_moves_by_its_velocity():
    x, state = make(pattern="line")
    for axis, name in enumerate("xy"):
        torch.testing.assert_close(x[..., axis], state[f"position_{name}"])
        step, velocity = (x[..., axis].diff(dim=1), state[f"velocity_{name}"][:, 1:])
        torch.testing.assert_close(step, velocity, atol=1e-6, rtol=0)


@pytest.mark.parametrize("pattern", ["circle", "line"])
def test_shapes_types_and_seed(pattern):
    x, state = make(pattern=pattern, noise=0.1)
    assert x.shape == (500, 20, 2)
    assert x.dtype == torch.float32
    assert all(values.shape == (500, 20) for values in state.values())
    torch.testing.assert_close(x, make(pattern=pattern, noise=0.1)[0], rtol=0, atol=0)
    assert not torch.equal(x, make(pattern=pattern, noise=0.1, seed=4)[0])


def test_noise_has_its_standard_deviation():
    noise = make(noise=0.2)[0] - make()[0]
    assert noise.std().item() == pytest.approx(0.2, rel=0.03)
    assert noise.mean().item() == pytest.approx(0, abs=0.01)


def test_window_is_cut_without_gap_or_overlap():
    x = torch.arange(20.0).view(1, 20, 1)
    context, target = split_window(x, 8, 4)
    assert context.flatten().tolist() == list(range(8))
    assert target.flatten().tolist() == list(range(8, 12))
