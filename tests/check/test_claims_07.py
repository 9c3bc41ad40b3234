"""The claims of chapter 7, over seeds: reach in at least 4 of 5, as is the loss of the dot.

Reach is the chapter's goal: position within 2 % of the room's width, 5 % after twenty pushes,
sine and cosine of a pendulum at an R-squared of 0.95. What counts as losing the dot was fixed
before, on seed 100. Where variants are compared, all runs of one must lie on one side of all runs
of the other. Each claim is also put to a model without the part in question, which must fail: so
the tests can fail. Factors in comparisons were set with these runs in view: they say how clear a
difference is, and guard it; they predict nothing.
"""

from __future__ import annotations

import itertools
import statistics

import pytest
from claims import holding, run_now, stored_runs

from jepa_tutorial.studies import stored_study

CHAPTER = "07_actions"
SHORT = {"steps": 600}
CHANGES = {"mode": "changes"}
RANDOM = {"world": "random"}


def runs(count, **changes):
    """The reported values of the runs with these changes, by seed."""
    return stored_runs(CHAPTER, count, ("seed", "other_worlds"), **changes)


def values(name, count, **changes):
    return [run[name] for run in runs(count, **changes)]


# --- reach -------------------------------------------------------------------------------------


def finds_the_dot(run):
    return run["probe_rmse"] <= 0.02 and run["rmse_20"] <= 0.05


def holds_up(run):
    """A high cosine, and no collapse."""
    return run["cosine_1"] >= 0.95 and run["effective_rank"] >= 2


def test_it_finds_the_dot_now_and_after_twenty_pushes():
    assert holding(finds_the_dot, runs(5)) >= 4


def test_the_cosine_is_high_without_collapse():
    assert holding(holds_up, runs(5)) >= 4
    assert holding(finds_the_dot, runs(5)) >= 4


def test_one_must_know_the_walls():
    for run in runs(5):
        assert run["rmse_20_no_wall"] > 2 * run["rmse_20"]


def sees_the_swing(run, suffix=""):
    return min(run[f"R2_{n}{suffix}"] for n in ("cosine", "sine")) >= 0.95


def test_it_sees_the_angle_of_the_pendulum():
    assert holding(sees_the_swing, runs(5)) >= 4


def test_an_untrained_encoder_does_not():
    assert holding(lambda run: sees_the_swing(run, "_untrained"), runs(5)) == 0


# --- slow features -----------------------------------------------------------------------------


def loses_the_dot(run):
    """All the usual numbers are fine, the wall is there, and the dot is not."""
    usual = run["cosine_1"] >= 0.95 and run["effective_rank"] >= 2
    retrieves = run["other_episodes"] >= 0.9
    knows_nothing = run["probe_rmse"] > 0.7 * run["rmse_of_mean"]
    return usual and retrieves and knows_nothing


def test_walls_that_stay_hide_the_dot():
    assert holding(loses_the_dot, runs(5, **SHORT, **RANDOM)) >= 4


def test_the_wall_is_what_it_encodes():
    for run in runs(5, **SHORT, **RANDOM):
        assert run["R2_wall"] > 0.9


def test_asking_for_changes_brings_it_back():
    mended = values("probe_rmse", 5, **SHORT, **RANDOM, **CHANGES)
    assert max(mended) < min(values("probe_rmse", 5, **SHORT, **RANDOM)) / 2


def test_walls_that_differ_are_read_and_not_yet_used():
    for run in runs(5, **SHORT, **RANDOM, **CHANGES):
        assert run["R2_wall"] > 0.9
        assert run["rmse_20"] > run["rmse_20_no_wall"]


def test_retrieval_within_an_episode_gives_it_away():
    def at_chance(run):
        return run["same_episode"] < 2 / 16

    assert holding(at_chance, runs(5, **SHORT, **RANDOM)) == 5
    assert holding(at_chance, runs(5, **SHORT, **RANDOM, **CHANGES)) == 0
    assert holding(at_chance, runs(5, **SHORT)) == 0


def test_with_a_fixed_wall_there_is_nothing_to_hide_behind():
    assert holding(loses_the_dot, runs(5)) == 0
    assert holding(loses_the_dot, runs(2, **SHORT, **CHANGES)) == 0


# --- modes and auxiliary losses ----------------------------------------------------------------


MODES = ("vjepa2", "default", "none")


def variant(name, mode, auxiliary="vicreg"):
    """A value in the runs of 600 steps with this mode and auxiliary loss."""
    changes = {"mode": mode, "auxiliary": auxiliary}
    usual = {"mode": "vjepa2", "auxiliary": "vicreg"}
    others = {k: v for k, v in changes.items() if v != usual[k]}
    count = 5 if auxiliary == usual["auxiliary"] else 2
    return values(name, count, **SHORT, **others)


def test_the_usual_mode_forecasts_best_on_average():
    usual = statistics.mean(variant("rmse_20", "vjepa2"))
    for mode in ("default", "none"):
        assert usual < statistics.mean(variant("rmse_20", mode))


def test_mode_default_reads_worse_at_the_highest_rank():
    ours, theirs = (
        variant("probe_rmse", "vjepa2"),
        variant("probe_rmse", "default"),
    )
    assert max(ours) < min(theirs) / 2
    rank = variant("effective_rank", "default")
    for mode in ("vjepa2", "none"):
        assert max(variant("effective_rank", mode)) < min(rank)


def test_one_run_of_mode_none_loses_its_forecasts():
    assert holding(lambda error: error > 1, variant("rmse_20", "none")) == 1
    for mode in ("vjepa2", "default"):
        assert max(variant("rmse_20", mode)) < 0.2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("auxiliary", ["nothing", "centering"])
def test_without_variance_the_latent_stays_small_and_the_cosine_is_pleased(
    mode, auxiliary
):
    assert (
        max(variant("std", mode, auxiliary)) < min(variant("std", mode)) / 100
    )
    assert min(variant("cosine_1", mode, auxiliary)) > max(
        variant("cosine_1", mode)
    )
    read = variant("probe_rmse", mode, auxiliary)
    assert min(read) > 3 * max(variant("probe_rmse", "vjepa2"))


@pytest.mark.parametrize("mode", MODES)
def test_barlow_twins_keeps_directions_and_sigreg_their_size(mode):
    assert (
        max(variant("std", mode, "barlow_twins"))
        < min(variant("std", mode, "sigreg")) / 4
    )
    rank = variant("effective_rank", mode, "barlow_twins")
    assert min(rank) > max(variant("effective_rank", mode, "sigreg"))


@pytest.mark.parametrize("mode", ["vjepa2", "none"])
@pytest.mark.parametrize("auxiliary", ["barlow_twins", "sigreg"])
def test_both_are_read_worse_than_vicreg_and_better_than_nothing(
    mode, auxiliary
):
    here = variant("probe_rmse", mode, auxiliary)
    assert max(variant("probe_rmse", mode)) < min(here)
    for lost in ("nothing", "centering"):
        assert max(here) < min(variant("probe_rmse", mode, lost))


# --- advice ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ema_decay", [0.0, 0.9, 0.99, 0.999])
def test_no_pace_of_the_copy_cures_the_collapse(ema_decay):
    found = values("std", 2, **SHORT, auxiliary="nothing", ema_decay=ema_decay)
    assert max(found) < min(values("std", 5, **SHORT)) / 100


def test_a_very_slow_copy_forecasts_worse():
    slow = [
        v
        for d in (0.995, 0.999)
        for v in values("rmse_20", 2, **SHORT, ema_decay=d)
    ]
    fast = [
        v
        for d in (0.9, 0.99)
        for v in values("rmse_20", 2, **SHORT, ema_decay=d)
    ]
    assert max(fast + values("rmse_20", 5, **SHORT)) < min(slow)


@pytest.mark.parametrize("lr", [1e-5, 1e-4, 1e-3, 1e-2])
def test_the_learning_rate_has_a_best_value_in_between(lr):
    other = values("rmse_20", 2, **SHORT, lr=lr)
    assert max(values("rmse_20", 5, **SHORT)) < min(other)


def test_a_wider_latent_is_read_better_and_forecasts_no_better():
    widths = (16, 32, None, 128)
    read, ahead = (
        [
            values(
                name, 2 if w else 5, **SHORT, **({"latent_dim": w} if w else {})
            )
            for w in widths
        ]
        for name in ("probe_rmse", "rmse_20")
    )
    for narrow, wide in itertools.pairwise(read):
        assert max(wide) < min(narrow)
    widest = values("rmse_20", 2, **SHORT, latent_dim=256)
    assert min(widest) > max(v for found in ahead for v in found)


@pytest.mark.parametrize("depth", [1, 2, 4, 6])
def test_a_transformer_in_place_of_the_mlp_does_not_help(depth):
    deep = values("rmse_20", 2, **SHORT, transition_depth=depth)
    assert min(deep) > max(values("rmse_20", 5, **SHORT))


GUIDE = {
    "latent_dim": 128,
    "action_emb_dim": 64,
    "transition_depth": 4,
    "batch_size": 32,
    "lr": 1e-4,
    "ema_decay": 0.995,
    "patience": 15,
}


@pytest.mark.parametrize(
    "changes",
    [{**SHORT, "transition_depth": 4, "lr": lr} for lr in (3e-4, 1e-3)]
    + [GUIDE],
)
def test_smaller_learning_rates_and_the_guides_own_settings_have_not_begun(
    changes,
):
    assert (
        max(values("std", 2, **changes)) < min(values("std", 5, **SHORT)) / 100
    )


@pytest.mark.parametrize("encoder", ["mlp", "vit"])
def test_all_encoders_read_the_position(encoder):
    for run in runs(2, **SHORT, encoder_type=encoder):
        assert run["probe_rmse"] < run["rmse_of_mean"] / 10


def test_patience_never_ran_out():
    for row in stored_study(CHAPTER)["rows"]:
        asked = row["parameters"].get("steps", 1500)
        assert row["values"]["steps_taken"] == asked


# --- the twin ----------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"rollout": 2}])
def test_the_twin_does_not_forecast(changes):
    twins = runs(2, learner="pixels", **changes)
    assert holding(finds_the_dot, twins) == 0
    ours = max(values("rmse_20", 5))
    for run in twins:
        assert min(run["rmse_20"], run["pictures_rmse_20"]) > 2 * ours


def test_with_a_smaller_learning_rate_the_twin_forecasts_worse():
    usual = runs(2, learner="pixels", rollout=2)
    slower = runs(2, learner="pixels", rollout=2, lr=1e-3)
    far = "pictures_rmse_20"
    assert max(run[far] for run in usual) < min(run[far] for run in slower)


def test_in_the_waves_the_twin_is_behind_after_twenty_pushes():
    ours = values("rmse_20", 2, world="waves")
    for run in runs(2, world="waves", learner="pixels", rollout=2):
        assert min(run["rmse_20"], run["pictures_rmse_20"]) > max(ours)


# --- other worlds ------------------------------------------------------------------------------


def test_with_the_actions_of_another_episode_the_pendulum_is_lost():
    for run in runs(5):
        assert (
            run["pendulum_true_actions"] > run["pendulum_other_actions"] + 0.2
        )


def test_cart_pole_does_not_show_that_anything_was_learned():
    for run in runs(5):
        assert run["cartpole_true_actions"] < 0.5
        assert run["R2_cart"] < run["R2_cart_untrained"]


# --- now ---------------------------------------------------------------------------------------


def test_one_seed_run_now_passes_too(tmp_path):
    run = run_now(CHAPTER, tmp_path, seed=3, other_worlds=False)
    assert finds_the_dot(run)
    assert holds_up(run)
    assert not loses_the_dot(run)
