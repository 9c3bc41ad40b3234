"""The claims of chapter 6, over seeds: reach in at least 4 of 5, the variants in each run.

The goal is the chapter's own; where variants are compared, all runs of one must lie on one side of
all runs of the other. The two other thresholds, of a static pattern and of a late failure, were
fixed before, on seed 100. Each claim is also put to a model without the part in question, which
must fail: so the tests can fail.
"""

from __future__ import annotations

import math
import statistics

import pytest
from claims import holding, run_now, stored_runs

CHAPTER = "06_moving_mnist"
SHORT = {"steps": 400}
ONLINE = {"target_kind": "online"}
SPREAD = {"center_places": False}
PROJECTED = {"projection_dim": 64}
COMMAND = {
    **ONLINE,
    **SPREAD,
    "std_coeff": 200.0,
    "cov_coeff": 10.0,
    "lr": 5e-4,
    "rollout": 1,
    "batch_size": 64,
    "steps": 600,
}


def runs(count, **changes):
    """The reported values of the runs with these changes, by seed."""
    return stored_runs(CHAPTER, count, **changes)


def values(name, count, **changes):
    return [run[name] for run in runs(count, **changes)]


# --- reach -------------------------------------------------------------------------------------


def reaches(run):
    return run["mAP"] >= 0.4 and run["mAP"] >= 2.9 * run["mAP_persistence"]


def test_it_reaches_its_goal():
    assert holding(reaches, runs(5)) >= 4


def test_the_twin_does_not():
    assert holding(reaches, runs(2, learner="pixels")) == 0


def test_it_aims_higher_than_that():
    assert holding(lambda run: run["mAP"] >= 0.5, runs(5)) >= 4


def test_precision_falls_with_the_horizon_and_true_maps_are_the_ceiling():
    for run in runs(5):
        ahead = [run[f"AP_{k}"] for k in range(1, 8)]
        assert ahead == sorted(ahead, reverse=True)
        assert run["mAP_true_maps"] > run["AP_1"]


# --- what varies -------------------------------------------------------------------------------


def is_static(run):
    return run["static_share"] > 0.5


def test_without_centering_the_encoder_paints_a_static_pattern():
    assert holding(is_static, runs(2, **SHORT, **SPREAD, **ONLINE)) == 2
    assert holding(is_static, runs(2, **SHORT, **SPREAD)) == 2
    assert holding(is_static, runs(2, **SHORT, **ONLINE)) == 0
    assert holding(is_static, runs(3, **SHORT)) == 0
    assert holding(is_static, runs(5)) == 0


def test_a_static_pattern_flatters_the_error():
    name = "log10_error_of_everything"
    for target, count in (({}, 3), (ONLINE, 2)):
        spread = values(name, 2, **SHORT, **SPREAD, **target)
        assert max(spread) < min(values(name, count, **SHORT, **target))


def test_online_it_takes_the_forecast_and_beside_the_slow_copy_it_does_not():
    def forecasts(run):
        return run["times_persistence"] > 1.1

    assert holding(forecasts, runs(2, **SHORT, **SPREAD, **ONLINE)) == 0
    assert holding(forecasts, runs(2, **SHORT, **SPREAD)) == 2
    assert holding(forecasts, runs(2, **SHORT, **ONLINE)) == 2


# --- rollouts, targets, projections, twin ------------------------------------------------------


def test_training_over_a_rollout_carries_the_forecast():
    one = values("AP_7", 2, rollout=1)
    two = values("AP_7", 2, rollout=2)
    four = values("AP_7", 5)
    eight = values("AP_7", 2, rollout=8)
    assert max(eight) < min(
        one
    )  # as it came out; the chapter says why that may be
    assert max(one) < min(two)
    assert max(two) < min(four)


def test_one_step_ahead_the_rollout_hardly_matters():
    shorter = values("AP_1", 2, rollout=1) + values("AP_1", 2, rollout=2)
    usual = values("AP_1", 5)
    gap = statistics.mean(shorter) - statistics.mean(usual)
    assert 0 < gap < 0.05


@pytest.mark.parametrize("target", [{}, ONLINE])
def test_acting_on_a_projection_leaves_few_directions_in_the_maps(target):
    usual = values("effective_rank", 2 if target else 3, **SHORT, **target)
    changes = {**SHORT, **PROJECTED, **target}
    assert max(values("effective_rank", 2, **changes)) < min(usual) / 2


def test_beside_the_slow_copy_it_takes_the_forecast():
    usual = values("mAP", 3, **SHORT)
    assert max(values("mAP", 2, **SHORT, **PROJECTED)) < min(usual)


def test_gradients_through_both_branches_forecast_less_far():
    usual = values("mAP", 3, **SHORT)
    assert max(values("mAP", 2, **SHORT, **ONLINE)) < min(usual)


def test_the_twin_sees_as_well_and_forecasts_less_far():
    twins, ours = runs(2, learner="pixels"), runs(5)
    assert all(twin["mAP_true_maps"] > 0.8 for twin in twins)
    best = max(max(twin["mAP"], twin["mAP_through_pictures"]) for twin in twins)
    assert best < min(run["mAP"] for run in ours)


# --- the failure that comes late ---------------------------------------------------------------


def checks(run, name):
    return [run[f"check_{k}_{name}"] for k in range(1, 11)]


def fails_late(run):
    """The loss falls to less than half, and the held-out error at least doubles, above one."""
    loss, error = checks(run, "loss"), checks(run, "log10_error")
    doubled = error[9] - min(error) > math.log10(2)
    return loss[9] < loss[0] / 2 and doubled and error[9] > 0


def test_on_projections_beside_the_slow_copy_training_fails_late():
    for run in runs(2, **SHORT, **PROJECTED):
        assert fails_late(run)
        assert run["best_step"] == 40  # the first check


def test_on_maps_it_does_not():
    assert holding(fails_late, runs(5)) == 0
    assert holding(fails_late, runs(3, **SHORT)) == 0


def test_with_the_settings_of_the_example_it_does_not_either():
    assert holding(fails_late, runs(2, **COMMAND)) == 0
    assert holding(fails_late, runs(2, **COMMAND, **PROJECTED)) == 0


def test_there_the_projector_helps():
    on_maps = values("mAP", 2, **COMMAND)
    assert min(values("mAP", 2, **COMMAND, **PROJECTED)) > max(on_maps)


def test_the_error_has_peaks():
    """Passing ones on maps, and one of two rollouts of eight that never came back."""

    def peak(run):
        return max(checks(run, "log10_error")) > 1

    assert holding(peak, runs(5)) >= 1
    assert holding(lambda run: run["best_step"] >= 1200, runs(5)) == 5
    lost = [checks(run, "log10_error")[9] > 3 for run in runs(2, rollout=8)]
    assert sorted(lost) == [False, True]


# --- now ---------------------------------------------------------------------------------------


def test_one_seed_run_now_passes_too(tmp_path):
    run = run_now(CHAPTER, tmp_path, seed=3, steps=400)
    assert run["mAP"] >= 1.5 * run["mAP_persistence"]
    assert not is_static(run)
