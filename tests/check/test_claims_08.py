"""The claims of chapter 8, over seeds and pooled episodes.

The goals are the chapter's own: 98 % with the fixed wall, 97 % with random ones, and a lower bound
of 92 % at default parameters. Where variants are compared, all runs of one must lie on one side of
all runs of the other. Factors in comparisons were set with these runs in view: they say how clear
a difference is, and guard it; they predict nothing.
"""

from __future__ import annotations

import statistics

import pytest
from claims import run_now, stored_runs
from scipy.stats import binomtest

CHAPTER = "08_planning"
RANDOM = {"random": True, "num_samples": 16000, "steps": 5000}
CHANGES = {"mode": "changes"}
EPISODES = 100  # in each run


def runs(count, **changes):
    """The reported values of the runs with these changes, by seed."""
    return stored_runs(CHAPTER, count, ("seed", "compare"), **changes)


def compared():
    """Those runs that also measured other ways to plan."""
    return stored_runs(CHAPTER, 2, compare=True)


def values(name, count, **changes):
    return [run[name] for run in runs(count, **changes)]


def pooled(count, **changes):
    """The success rate over all runs, and the lower end of its Wilson interval."""
    arrived = round(EPISODES * sum(values("success", count, **changes)))
    test = binomtest(arrived, EPISODES * count)
    return test.statistic, test.proportion_ci(method="wilson").low


# --- who arrives -------------------------------------------------------------------------------


def test_with_the_fixed_wall_nearly_all_arrive():
    rate, low = pooled(5)
    assert rate >= 0.98
    assert low >= 0.92
    assert min(values("success", 5)) >= 0.95


def test_with_random_walls_too():
    rate, low = pooled(5, **RANDOM, **CHANGES)
    assert rate >= 0.97
    assert low >= 0.92


def test_going_straight_does_not():
    for run in runs(5) + runs(5, **RANDOM, **CHANGES):
        assert run["success_straight"] < 0.6


def test_the_world_in_the_place_of_the_model_arrives():
    for run in runs(5):
        assert run["success_world"] >= 0.95


# --- what breaks it ----------------------------------------------------------------------------


def test_without_a_regularizer_nobody_arrives():
    assert max(values("success", 3, aux_weight=0.0)) < 0.1


def test_with_random_walls_the_regularizer_must_see_changes():
    lost = values("success", 2, **RANDOM)
    assert max(lost) < min(values("success", 5, **RANDOM, **CHANGES)) / 2
    # Nor is it for lack of rank.
    rank = values("effective_rank", 2, **RANDOM)
    assert min(rank) > max(values("effective_rank", 5, **RANDOM, **CHANGES))
    assert min(values("probe_rmse", 2, **RANDOM)) > 0.2


def test_with_random_walls_fewer_data_and_steps_are_too_few():
    few = values("success", 3, random=True, **CHANGES)
    assert max(few) < min(values("success", 5, **RANDOM, **CHANGES))


def test_a_greedy_energy_is_held_behind_the_wall():
    """With the world itself, so that the model is not to blame."""
    for run in runs(5):
        assert run["world_mppi_mean"] < run["world_mppi_closest"] - 0.1
        assert run["stuck_mean"] > run["stuck_closest"] + 0.05


@pytest.mark.parametrize("method", ["mppi", "cem", "shooting"])
def test_with_every_search_the_closest_approach_does_best(method):
    for run in compared():
        best = run[f"world_{method}_closest"]
        assert run[f"world_{method}_mean"] < best
        assert run[f"world_{method}_last"] < best


def test_with_the_model_too():
    for run in compared():
        assert run["success_mean"] < run["success"]
        assert run["success_last"] < run["success_mean"]
        assert run["stuck_model_mean"] < run["stuck_mean"] - 0.05


def test_a_plan_that_is_kept_to_its_end_arrives_by_the_last_distance_more_often():
    for run in runs(5):
        assert run["world_last_kept"] > run["world_mppi_last"]
    for run in runs(3, method="cem"):
        assert run["world_last_kept"] > run["world_cem_last"] + 0.05
        assert run["world_last_kept"] >= 0.9


def test_a_short_horizon_leaves_the_model_on_its_plain():
    for run in compared():
        assert run["success_horizon_5"] < run["world_horizon_5"]
        assert run["world_horizon_5"] < run["world_horizon_15"]
        assert run["success_horizon_15"] > 0.9


def test_beyond_what_is_needed_a_longer_horizon_takes_longer_ways():
    for run in compared():
        steps = [run[f"steps_horizon_{h}"] for h in (10, 15, 30)]
        assert sorted([*steps, run["mean_steps"]]) == [
            *steps[:2],
            run["mean_steps"],
            steps[2],
        ]


def test_looking_again_forgives_a_short_rollout():
    """It forecasts several times worse, and arrives all the same."""
    assert min(values("rmse_20", 3, rollout=1)) > 2 * max(values("rmse_20", 5))
    for rollout in (1, 2):
        rate, _ = pooled(3, rollout=rollout)
        assert rate >= 0.95


def test_without_looking_fewer_arrive_and_with_random_walls_more_so():
    fixed, anew = runs(5), runs(5, **RANDOM, **CHANGES)
    for run in fixed + anew:
        assert run["success_open_loop"] < run["success"]
    for run in anew:  # here the search is not to blame
        assert run["success_open_loop"] < run["world_open_loop"] - 0.05
    open_loop = [run["success_open_loop"] for run in fixed]
    assert max(run["success_open_loop"] for run in anew) < min(open_loop)


def test_without_looking_a_short_rollout_costs_more():
    def mean(count, **changes):
        return statistics.mean(values("success_open_loop", count, **changes))

    assert mean(3, rollout=1) < mean(5) - 0.05


# --- which search ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["shooting", "cem", "replan_5"])
def test_all_searches_arrive_in_about_as_many_steps(name):
    for run in compared():
        assert run[f"success_{name}"] >= 0.9
        assert 0.8 < run[f"steps_{name}"] / run["mean_steps"] < 1.25


def test_made_once_the_plan_of_mppi_is_the_worst():
    for run in compared():
        for name in ("success_open_loop", "success_once_shooting"):
            assert run["success_once_mppi"] < run[name] - 0.1


def test_few_candidates_arrive_by_longer_ways():
    for run in compared():
        assert run["success_candidates_8"] >= 0.9
        assert run["steps_candidates_8"] > run["steps_candidates_128"]


# --- the landscape -----------------------------------------------------------------------------


def test_the_landscape_is_a_plain_with_a_hole_that_ends_at_the_wall():
    for run in runs(5):
        assert run["hole_radius_pixels"] < run["hole_radius"] < 0.15
        assert run["wall_ratio"] > 1.2
    for run in runs(3, aux_weight=0.0):
        assert run["wall_ratio"] < 1.2


# --- now ---------------------------------------------------------------------------------------


def test_one_seed_run_now_passes_too(tmp_path):
    run = run_now(CHAPTER, tmp_path, seed=3, num_episodes=40)
    assert run["success"] >= 0.9
    assert run["success_straight"] < 0.7
