"""Each benchmark runs and prints a ratio on every row. How large it is, a test cannot say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(
    (Path(__file__).resolve().parents[2] / "benchmarks").glob("*.py")
)
SHORT = {
    "ensembles": ["--steps", "1", "--repeats", "1"],
    "losses": ["--repeats", "1"],
    "moving_mnist": ["--clips", "10", "--repeats", "1"],
    "two_rooms": ["--repeats", "1"],
    "pendulum": ["--rounds", "1", "--sequences", "20", "--clips", "50"],
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_runs_and_prints_ratios(script):
    command = [sys.executable, script, *SHORT[script.stem]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _, *rows = done.stdout.splitlines()
    assert len(rows) >= 5
    for row in rows:
        assert float(row.split()[-1]) > 0
