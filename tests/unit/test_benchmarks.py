"""Each benchmark runs, and its ratios are what it says: one printed column over another."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
# The ratio of each row: which column over which.
RATIOS = {
    "ensembles": ("one by one", "together"),
    "moving_mnist": ("at once", "loop"),
    "threads": ("1 thread", "2 threads"),
    "two_rooms": ("together", "frames/s, each"),
}
SHORT = {
    "ensembles": ["--steps", "1", "--repeats", "1"],
    "losses": ["--repeats", "1"],
    "moving_mnist": ["--clips", "10", "--repeats", "1"],
    "pendulum": ["--rounds", "1", "--sequences", "20", "--clips", "50"],
    "threads": ["--steps", "1", "--repeats", "1"],
    "two_rooms": ["--repeats", "1"],
}
ROUNDED = {"rel": 0.1, "abs": 0.06}  # columns and ratios are printed rounded


@pytest.fixture
def table(monkeypatch, capsys):
    """The words of the header and of each row that a benchmark prints."""

    def run(name):
        monkeypatch.setattr(sys, "argv", [name, *SHORT[name]])
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
        lines = capsys.readouterr().out.splitlines()
        header, *rows = (re.split(r" {2,}", line.strip()) for line in lines)
        return header, rows

    threads = torch.get_num_threads()  # which a benchmark may change
    yield run
    torch.set_num_threads(threads)


def number(text):
    return float(text.split()[0])


def test_every_benchmark_is_tried():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SHORT)


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_one_column_over_another(table, name):
    header, rows = table(name)
    assert len(rows) >= 3
    for row in rows:
        values = dict(zip(header, row, strict=True))
        over, under = (number(values[column]) for column in RATIOS[name])
        assert number(values["ratio"]) == pytest.approx(over / under, **ROUNDED)


def test_losses_cost_multiples_of_the_variance_term(table):
    header, rows = table("losses")
    assert header[:3] == ["B", "Z", "variance"]
    assert len(rows) == 6
    for row in rows:
        values = dict(zip(header, map(number, row), strict=True))
        assert values["variance"] == 1


def test_pendulums_take_multiples_of_the_time_of_all_at_once(table):
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
