"""Every chapter at its quick preset: alone, offline, from a wheel; then as its study runs it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from jepa_tutorial.publishing import chapters, execution
from jepa_tutorial.publishing.verification import ROUNDING
from jepa_tutorial.studies import is_time

BOOK = Path(__file__).resolve().parents[2] / "book"
MAIN = "import sys; from jepa_tutorial.publishing.cli import main; sys.exit(main())"
STUDY_ROW = """
import json, sys
from jepa_tutorial.publishing.chapters import find_chapters, preset_parameters
from jepa_tutorial.publishing.runs import run_row
from jepa_tutorial.files import book_folder

(path,) = find_chapters(book_folder(), sys.argv[1])
print(json.dumps(run_row(path, preset_parameters(path, "quick"))["values"]))
"""


def test_alone_means_offline_and_from_the_wheel(alone, installed):
    where = alone("-c", "import jepa_tutorial; print(jepa_tutorial.__file__)")
    assert Path(where.stdout.strip()).parent == installed / "jepa_tutorial"
    online = alone("-c", "import urllib.request as r; r.urlopen('http://192.0.2.1/')")
    assert "offline: 192.0.2.1 was asked for" in online.stderr


def untimed(values):
    """Results without the measured times, which differ from run to run."""
    return {name: values[name] for name in values if not is_time(name)}


def nearly(value):
    """What equals a result within rounding; a text must be equal."""
    return value if isinstance(value, str) else pytest.approx(value, rel=ROUNDING)


# The longest first, so that short tests fill the gaps at the end.
@pytest.mark.parametrize(
    "path",
    sorted(
        chapters.chapters(BOOK),
        key=lambda path: chapters.presets(path)["budget_s"],
        reverse=True,
    ),
    ids=lambda path: path.stem,
)
def test_chapter_runs_alone_and_its_study_reports_the_same(alone, path, tmp_path):
    """Equal values say that runs repeat, and that cells that only show move no random state."""
    out = tmp_path / "out"
    arguments = ["--preset", "quick", "--out", str(out)]
    page = alone("-c", MAIN, "run", path.stem, *arguments)
    assert page.returncode == 0, page.stderr[-3000:]
    (executed,) = out.glob(f"*/{path.name}")
    values = execution.reported(nbformat.read(executed, as_version=4))
    study = alone("-c", STUDY_ROW, path.stem)
    assert study.returncode == 0, study.stderr[-3000:]
    row = json.loads(study.stdout)
    # What is left after a forecast that is exact but for rounding differs in its last digits.
    again = untimed(json.loads(json.dumps(values)))
    assert untimed(row) == {name: nearly(value) for name, value in again.items()}
    stored = execution.reported(nbformat.read(path, as_version=4))
    assert set(values) == set(stored), "a run reports the same names as the stored page"
