"""Planners, on energies whose lowest point is known, and in the world itself."""

from __future__ import annotations

import ast
import itertools
import math
from pathlib import Path

import nbformat
import pytest
import torch
from torch import nn

from jepa_tutorial import essence
from jepa_tutorial.planning import (
    cem,
    clip_actions,
    closest_approach,
    distances_ahead,
    mppi,
    propose,
    random_shooting,
    rank_last,
    smooth_noise,
)
from jepa_tutorial.publishing import chapters
from jepa_tutorial.runtime import SetSeeds, deal_seeds, new_generator
from jepa_tutorial.worlds.tasks import (
    ARRIVED,
    Tasks,
    TrueTransition,
    has_arrived,
    make_tasks,
    pursue,
    select,
)
from jepa_tutorial.worlds.two_rooms import MARGIN, MAX_STEP, roll, two_rooms

BOOK = Path(__file__).resolve().parents[2] / "book"
PLANNERS = [random_shooting, cem, mppi]
SETTINGS = {"num_candidates": 64, "iterations": 3, "std": 0.05, "longest": MAX_STEP}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bowl(best: torch.Tensor):
    """An energy that is lowest at one plan, ``(E, F, A)``."""
    return lambda a: (a - best[:, None]).square().sum(dim=(2, 3))


# --- tasks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("random", [False, True])
def test_start_and_goal_are_in_different_rooms_and_clear_of_the_wall(random):
    tasks = make_tasks(500, seeded(), random=random)
    start, goal = (part[:, 0] - tasks.rooms.wall for part in (tasks.start, tasks.goal))
    assert (start * goal < 0).all()
    assert min(start.abs().min(), goal.abs().min()) >= MARGIN - 1e-6
    for part in (tasks.start, tasks.goal):
        assert part.min() >= MARGIN - 1e-6
        assert part.max() <= 1 - MARGIN + 1e-6
    assert 0.4 < (start < 0).float().mean() < 0.6


def test_tasks_are_the_same_for_the_same_seed():
    one, two = make_tasks(5, seeded(3)), make_tasks(5, seeded(3))
    assert torch.equal(one.start, two.start)
    assert not torch.equal(one.start, make_tasks(5, seeded(4)).start)


def test_select_takes_numbers_and_truth_values():
    tasks = make_tasks(4, seeded(), random=True)
    by_number = select(tasks, torch.tensor([1, 3]))
    by_truth = select(tasks, torch.tensor([False, True, False, True]))
    assert torch.equal(by_number.goal, tasks.goal[[1, 3]])
    assert torch.equal(by_number.rooms.wall, by_truth.rooms.wall)
    assert len(select(tasks, torch.tensor([0, 0, 0])).start) == 3


# --- candidates --------------------------------------------------------------------------------


def test_clipping_shortens_only_what_is_too_long():
    actions = torch.tensor([[3.0, 4.0], [0.03, 0.04], [0.0, 0.0]])
    clipped = clip_actions(actions, 0.1)
    assert torch.allclose(clipped[0], torch.tensor([0.06, 0.08]))
    assert torch.equal(clipped[1:], actions[1:])


def test_noise_is_smooth_and_of_the_right_size():
    noise = smooth_noise(4000, 13, 2, seeded(), num_knots=5)
    assert noise.shape == (4000, 13, 2)
    assert noise.mean().abs() < 0.02
    assert (noise.std(dim=(0, 2)) - 1).abs().max() < 0.04  # at each step
    assert noise.diff(dim=1).std() < 0.6


def test_a_plan_may_be_one_action_long():
    assert smooth_noise(3, 1, 2, seeded(), num_knots=5).shape == (3, 1, 2)


def test_candidates_hold_the_plan_itself_and_no_long_action():
    plan = clip_actions(torch.randn(3, 7, 2, generator=seeded()), MAX_STEP)
    candidates = propose(plan, 20, 0.3, seeded(1), MAX_STEP)
    assert candidates.shape == (3, 20, 7, 2)
    assert torch.allclose(candidates[:, 0], plan)
    assert candidates.norm(dim=-1).max() <= MAX_STEP + 1e-6
    assert (candidates[:, 1] - plan).abs().max() > 0.01


# --- planners ----------------------------------------------------------------------------------


@pytest.mark.parametrize("planner", PLANNERS)
def test_planners_lower_the_energy_of_each_episode(planner):
    best = clip_actions(torch.randn(5, 9, 2, generator=seeded(1)), MAX_STEP)
    energy, plan = bowl(best), torch.zeros(5, 9, 2)
    found = planner(energy, plan, seeded(), **SETTINGS)
    assert found.shape == plan.shape
    assert (energy(found[:, None]) < energy(plan[:, None])).all()


@pytest.mark.parametrize("planner", PLANNERS)
def test_planners_find_a_known_optimum(planner):
    # A line: it is among the sequences that noise on knots can make.
    best = torch.linspace(-0.06, 0.06, 9)[None, :, None].expand(2, 9, 2)
    settings = dict(num_candidates=200, iterations=40, std=0.02, longest=MAX_STEP)
    found = planner(bowl(best), torch.zeros(2, 9, 2), seeded(), **settings)
    assert (found - best).abs().max() < 0.03


@pytest.mark.parametrize("planner", [random_shooting, cem])
def test_the_best_plan_is_never_forgotten(planner):
    best = clip_actions(torch.randn(4, 9, 2, generator=seeded(1)), MAX_STEP)
    found = planner(bowl(best), best, seeded(), **SETTINGS)
    assert torch.allclose(found, best, atol=1e-6)


@pytest.mark.parametrize("planner", PLANNERS)
def test_episodes_do_not_look_at_each_other(planner):
    best = clip_actions(torch.randn(2, 9, 2, generator=seeded(1)), MAX_STEP)
    other = best.clone()
    other[1] += 0.05
    plan = torch.zeros(2, 9, 2)
    one = planner(bowl(best), plan, seeded(), **SETTINGS)
    two = planner(bowl(other), plan, seeded(), **SETTINGS)
    assert torch.equal(one[0], two[0])
    assert not torch.equal(one[1], two[1])


def test_cem_draws_from_a_smaller_and_smaller_region():
    best = clip_actions(torch.randn(1, 9, 2, generator=seeded(1)), MAX_STEP)
    sizes = []

    def energy(candidates):
        sizes.append(candidates[:, 1:].std(dim=1).mean().item())
        return bowl(best)(candidates)

    settings = SETTINGS | {"iterations": 5}
    cem(energy, torch.zeros(1, 9, 2), seeded(), **settings)
    assert all(later < earlier for earlier, later in itertools.pairwise(sizes))
    assert sizes[-1] < 0.3 * sizes[0]


def test_a_cold_mppi_takes_the_best_and_a_hot_one_the_mean():
    plan = torch.zeros(2, 5, 2)
    candidates = propose(plan, 64, 0.05, seeded(), MAX_STEP)
    energy = bowl(torch.full((2, 5, 2), 0.03))
    once = dict(num_candidates=64, iterations=1, std=0.05, longest=MAX_STEP)
    cold = mppi(energy, plan, seeded(), **once, temperature=1e-6)
    hot = mppi(energy, plan, seeded(), **once, temperature=1e6)
    best = candidates[torch.arange(2), energy(candidates).argmin(dim=1)]
    assert torch.allclose(cold, best, atol=1e-5)
    assert torch.allclose(hot, candidates.mean(dim=1), atol=1e-5)


def test_mppi_takes_the_mean_where_all_energies_are_equal():
    asked = []

    def flat(candidates):
        asked.append(candidates)
        return torch.zeros(candidates.shape[:2])

    settings = dict(num_candidates=16, iterations=1, std=0.1, longest=MAX_STEP)
    plan = mppi(flat, torch.zeros(2, 5, 2), seeded(), **settings)
    assert torch.allclose(plan, asked[0].mean(dim=1), atol=1e-6)


# --- energies ----------------------------------------------------------------------------------


def test_distances_follow_each_candidate_of_each_episode():
    tasks = make_tasks(3, seeded(), random=True)
    candidates = propose(torch.zeros(3, 6, 2), 4, 0.1, seeded(1), MAX_STEP)
    distances = distances_ahead(
        TrueTransition(tasks.rooms), tasks.start, tasks.goal, candidates
    )
    assert distances.shape == (3, 4, 6)
    path = roll(tasks.start, candidates[:, 2], tasks.rooms)[:, 1:]
    expected = (path - tasks.goal[:, None]).norm(dim=-1)
    assert torch.allclose(distances[:, 2], expected)
    assert torch.equal(closest_approach(distances), distances.min(dim=-1).values)


def test_distances_work_with_any_transition():
    class Push(nn.Module):
        def forward(self, z, a):
            return z + a.sum(dim=-1, keepdim=True)

    z, goal = torch.zeros(2, 5), torch.ones(2, 5)
    distances = distances_ahead(Push(), z, goal, torch.full((2, 3, 4, 2), 0.25))
    expected = 5**0.5 * torch.tensor([0.5, 0.0, 0.5, 1.0])
    assert torch.allclose(distances, expected.expand(2, 3, 4))


def test_positions_that_are_not_the_same_number_in_each_room_are_named():
    rooms = make_tasks(2, seeded()).rooms
    with pytest.raises(ValueError, match="positions must be a multiple of 2"):
        TrueTransition(rooms)(torch.zeros(3, 2), torch.zeros(3, 2))


# --- the loop ----------------------------------------------------------------------------------


def planning_with_the_world(planner, generator, **settings):
    """What makes plans with the true transition."""

    def make_plan(position, tasks, plan):
        transition = TrueTransition(tasks.rooms)

        def energy(candidates):
            return closest_approach(
                distances_ahead(transition, position, tasks.goal, candidates)
            )

        return planner(energy, plan, generator, longest=MAX_STEP, **settings)

    return make_plan


def straight(position, tasks, plan):
    """Toward the goal, whatever stands between."""
    return clip_actions(tasks.goal - position, MAX_STEP)[:, None].expand_as(plan)


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("random", [False, True])
def test_the_loop_reaches_goals_with_the_true_world(planner, random):
    tasks = make_tasks(100, seeded(1), random=random)
    make_plan = planning_with_the_world(
        planner, seeded(), num_candidates=64, iterations=2, std=0.15
    )
    path = pursue(tasks, make_plan, horizon=15, max_steps=40)
    assert path.shape == (100, 41, 2)
    assert has_arrived(path[:, -1], tasks.goal).float().mean() >= 0.95


def test_going_straight_stops_at_the_wall():
    tasks = make_tasks(200, seeded(2))
    path = pursue(tasks, straight, horizon=1, max_steps=40)
    rate = has_arrived(path[:, -1], tasks.goal).float().mean()
    assert 0.05 < rate < 0.6


def test_a_dot_that_has_arrived_stays_and_is_not_asked_again():
    tasks = make_tasks(50, seeded(2))
    asked = []

    def make_plan(position, some, plan):
        asked.append(len(position))
        assert not has_arrived(position, some.goal).any()
        return straight(position, some, plan)

    path = pursue(tasks, make_plan, horizon=1, max_steps=30)
    there = has_arrived(path, tasks.goal[:, None])
    assert torch.equal(there, there.cummax(dim=1).values)
    assert asked == sorted(asked, reverse=True)
    moved = (path[:, 1:] - path[:, :-1]).norm(dim=-1)
    assert moved[there[:, :-1]].abs().max() == 0


def test_open_loop_asks_once_and_then_stands_still():
    tasks = make_tasks(10, seeded(2))
    calls = []

    def make_plan(position, some, plan):
        calls.append(len(position))
        return torch.full_like(plan, 0.01)

    path = pursue(tasks, make_plan, horizon=4, max_steps=9, replan_every=9)
    assert calls == [10]
    assert torch.equal(path[:, 4], path[:, 9])
    assert not torch.equal(path[:, 3], path[:, 4])


def test_the_rest_of_a_plan_is_handed_on():
    tasks = make_tasks(3, seeded(2))
    plans = []

    def make_plan(position, some, plan):
        plans.append(plan.clone())
        return torch.arange(1, 5)[None, :, None].expand(3, 4, 2) * 0.001

    pursue(tasks, make_plan, horizon=4, max_steps=3)
    assert torch.equal(plans[0], torch.zeros(3, 4, 2))
    kept = torch.tensor([0.002, 0.003, 0.004, 0.0])
    assert torch.allclose(plans[1][0, :, 0], kept)


def test_nothing_happens_where_start_and_goal_are_one():
    tasks = make_tasks(4, seeded())
    tasks = Tasks(tasks.goal, tasks.goal, tasks.rooms)
    path = pursue(tasks, straight, horizon=2, max_steps=3)
    assert torch.equal(path, tasks.goal[:, None].expand(4, 4, 2))
    assert has_arrived(tasks.goal, tasks.goal + 0.7 * ARRIVED).all()


# --- what the chapter measures on ----------------------------------------------------------------


def drawn_by_the_chapter(runs, random, deal=deal_seeds):
    """Seeds, places and motions of all its sets: its own lines make them, but smaller."""
    notebook = nbformat.read(BOOK / "09_planning.ipynb", as_version=4)
    lines = [
        ast.unparse(line)
        for cell in chapters.code_cells(notebook)
        for line in essence.parse(cell.source).body
        if isinstance(line, ast.Assign)
        and ast.unparse(line.targets[0])
        in {"seeds", "tasks", "episodes", "own", "held_out"}
    ]
    seeds, places, motions = [], [], []

    def noting(seed):
        seeds.append(seed)
        return new_generator(seed)

    for run in runs:
        names = {
            "num_samples": 50, "num_episodes": 50, "random": random, "seed": run,
            "deal_seeds": deal, "new_generator": noting,
            "make_tasks": make_tasks, "two_rooms": two_rooms,
        }  # fmt: skip
        exec("\n".join(lines), names)
        tasks, episodes = names["tasks"], [names["episodes"], names["held_out"]]
        starts = [e.positions[:, 0] for e in episodes]
        places += torch.cat([*starts, tasks.start, tasks.goal]).tolist()
        motions += torch.cat([e.actions for e in episodes]).flatten(1).tolist()
    return seeds, list(map(tuple, places)), list(map(tuple, motions))


@pytest.mark.parametrize("random", [False, True])
def test_no_sets_of_the_chapter_share_a_seed_a_place_or_a_motion(random):
    runs = [*range(5), *range(100, 105)]
    for things in drawn_by_the_chapter(runs, random):
        assert len(things) >= 3 * len(runs)
        assert len(set(things)) == len(things)


@pytest.mark.parametrize("random", [False, True])
def test_sets_that_shared_a_seed_would_be_noticed(random):
    shared = SetSeeds(train=8, validation=8, test=7)
    for things in drawn_by_the_chapter([0], random, lambda run: shared):
        assert len(set(things)) < len(things)


@pytest.mark.parametrize("method", PLANNERS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_energy_that_is_no_number_never_wins(method, bad):
    def energy(plans):
        found = plans.square().sum(dim=(2, 3))
        found[:, 1::2] = bad
        return found

    plan = method(energy, torch.full((3, 4, 2), 0.05), seeded(), **SETTINGS)
    assert plan.isfinite().all()
    assert (plan.norm(dim=(1, 2)) < 0.2).all()


def test_energies_none_of_which_is_finite_are_named():
    with pytest.raises(ValueError, match="energies must hold finite numbers"):
        rank_last(torch.tensor([[1.0, 2.0], [math.nan, math.inf]]))
