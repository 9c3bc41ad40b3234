"""Choosing the runs of a stored study."""

from __future__ import annotations

import pytest

from jepa_tutorial.studies import TUNING_SEEDS, matching_runs

ROWS = [
    ({"seed": 0}, "a"),
    ({"seed": 1}, "b"),
    ({"seed": 0, "pattern": "line"}, "c"),
    ({"seed": 0, "pattern": "line", "noise": 0.1}, "d"),
    ({"seed": 100}, "tuning"),
    ({"seed": 104, "pattern": "line"}, "tuning"),
]
STUDY = {"rows": [{"parameters": p, "values": v} for p, v in ROWS]}


@pytest.mark.parametrize(
    ("choice", "runs"),
    [
        ({}, ["a", "b"]),
        ({"pattern": "line"}, ["c"]),
        ({"pattern": "line", "besides": ("seed", "noise")}, ["c", "d"]),
        ({"besides": (), "seed": 1}, ["b"]),
        ({"pattern": "circle"}, []),
    ],
)
def test_runs_are_chosen_by_all_that_they_changed(choice, runs):
    assert matching_runs(STUDY, **choice) == runs


def test_runs_that_thresholds_are_set_on_are_not_chosen():
    for seed in TUNING_SEEDS:
        rows = [{"parameters": {"seed": seed}, "values": seed}]
        assert not matching_runs({"rows": rows})
        assert not matching_runs({"rows": rows}, besides=(), seed=seed)
