"""Each benchmark runs, and its ratios are what it says: one printed column over another."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
# The ratio of each row: which column over which.
RATIOS = {
    "ensembles": ("one by one", "together"),
    "moving_mnist": ("at once", "loop"),
    "threads": ("1 thread", "2 threads"),
    "two_rooms": ("together", "frames/s, each"),
    "playground": ("page, steps/s", "engine, steps/s"),
}
SHORT = {
    "ensembles": ["--steps", "1", "--repeats", "1"],
    "losses": ["--repeats", "1"],
    "moving_mnist": ["--clips", "10", "--repeats", "1"],
    "pendulum": ["--rounds", "1", "--sequences", "20", "--clips", "50"],
    "threads": ["--steps", "1", "--repeats", "1"],
    "two_rooms": ["--repeats", "1"],
    "playground": ["--seconds", "0.5"],
}
ROUNDED = {"rel": 0.1, "abs": 0.06}  # columns and ratios are printed rounded


def table(name):
    """The words of the header and of each row that a benchmark prints."""
    command = [sys.executable, FOLDER / f"{name}.py", *SHORT[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    header, *rows = (
        re.split(r" {2,}", line.strip()) for line in done.stdout.splitlines()
    )
    return header, rows


def number(text):
    return float(text.split()[0])


def test_every_benchmark_is_tried():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SHORT)


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_one_column_over_another(name):
    header, rows = table(name)
    assert len(rows) >= 3
    for row in rows:
        values = dict(zip(header, row, strict=True))
        over, under = (number(values[column]) for column in RATIOS[name])
        assert number(values["ratio"]) == pytest.approx(over / under, **ROUNDED)


def test_losses_cost_multiples_of_the_variance_term():
    header, rows = table("losses")
    assert header[:3] == ["B", "Z", "variance"]
    assert len(rows) == 6
    for row in rows:
        values = dict(zip(header, map(number, row), strict=True))
        assert values["variance"] == 1


def test_pendulums_take_multiples_of_the_time_of_all_at_once():
    header, rows = table("pendulum")
    *rows, memory = rows
    assert header == ["time each", "ratio"]
    assert [row[0].partition(":")[0] for row in rows] == [
        *("all at once", "simulate", "simulate"),
        *("all at once", "draw", "draw"),
    ]
    for name, each, ratio in rows:
        if name == "all at once":
            base = number(each)
        assert number(ratio) == pytest.approx(number(each) / base, **ROUNDED)
    frames, at_most = map(float, re.findall(r"\d+\.\d+", memory[0]))
    assert frames < at_most
