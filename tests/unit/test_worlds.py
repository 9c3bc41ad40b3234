"""The worlds of chapters 1 to 5: shapes, held-out sets, geometry, and the state behind them."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from jepa_tutorial.runtime import deal_seeds, new_generator
from jepa_tutorial.worlds.curves import WORLDS, lissajous, sample_world, spiral
from jepa_tutorial.worlds.points import PATTERNS, make_trajectories


@pytest.mark.parametrize("world", WORLDS)
def test_shapes_types_and_seeds(world):
    x, state = sample_world(world, 20, 30, seed=3)
    again, _ = sample_world(world, 20, 30, seed=3)
    other, _ = sample_world(world, 20, 30, seed=4)
    assert x.shape == (20, 30, 4 if world == "pendulum" else 2)
    assert x.dtype == torch.float32
    assert torch.equal(x, again)
    assert not torch.equal(x, other)
    assert all(quantity.shape == (20, 30) for quantity in state.values())


def repeated(sets):
    """How many rows of all sets together were there before."""
    rows = torch.cat(sets).flatten(1)
    return len(rows) - len(rows.unique(dim=0))


MAKERS = {world: partial(sample_world, world) for world in WORLDS} | {
    f"{pattern} of chapter 1": partial(make_trajectories, pattern=pattern, noise=0.0)
    for pattern in PATTERNS
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_no_two_sets_of_any_runs_share_a_seed_a_start_or_a_motion(make):
    seeds = [seed for run in (0, 1, 100) for seed in deal_seeds(run)]
    assert len(set(seeds)) == 9
    sets = [make(num_samples=2000, seq_len=10, seed=seed) for seed in seeds]
    motions = [x for x, _ in sets]
    starts = [
        torch.stack([quantity[:, 0] for quantity in state.values()], dim=1)
        for _, state in sets
    ]
    assert repeated(motions) == repeated(starts) == 0
    # A seed that is used twice is seen.
    assert repeated([*motions, motions[0]]) == 2000
    assert repeated([*starts, starts[0]]) == 2000


@pytest.mark.parametrize("world", ["circle", "spiral"])
def test_positions_follow_from_the_state(world):
    x, state = sample_world(world, 20, 30, seed=0)
    unit = torch.stack([state["cos_phase"], state["sin_phase"]], dim=-1)
    torch.testing.assert_close(x, (state["radius"][..., None] * unit).float())


def test_circles_are_gone_around_both_ways_at_one_pace():
    x, state = sample_world("circle", 200, 10, seed=0)
    steps = x.diff(dim=1).norm(dim=-1) / state["radius"][:, 1:]
    torch.testing.assert_close(steps, steps[:1, :1].expand_as(steps))
    assert set(state["direction"][:, 0].tolist()) == {-1.0, 1.0}


def test_spiral_starts_are_uniform_in_arc_length():
    """The length of a spiral of Archimedes grows nearly with the square of its radius."""
    x, _ = spiral(20_000, 1, new_generator(0))
    square = x[:, 0].norm(dim=-1).square()
    place = (square - square.min()) / (square.max() - square.min())
    shares = torch.histc(place, 10, 0, 1) / len(place)
    torch.testing.assert_close(shares, torch.full((10,), 0.1), atol=0.012, rtol=0)


def test_spiral_runs_outward():
    x, _ = sample_world("spiral", 50, 30, seed=0)
    assert (x.norm(dim=-1).diff(dim=1) > 0).all()


def test_lissajous_oscillates_as_asked():
    for a, b in ((3, 5), (1, 2)):
        x, state = lissajous(1, 158, new_generator(0), m=a, n=b)
        figure = x[0] / state["radius"][0, :, None]  # one round: 158 * 0.04 = 2 pi
        turns = (figure.diff(dim=0).sign().diff(dim=0) != 0).sum(dim=0)
        assert turns.tolist() == pytest.approx([2 * a, 2 * b], abs=1)
