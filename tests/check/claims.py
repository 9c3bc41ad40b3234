"""What the tests of claims share: runs of the stored study, and one run made now."""

from __future__ import annotations

from pathlib import Path

from jepa_tutorial import chapters, execution
from jepa_tutorial.studies import matching_runs, stored_study

BOOK = Path(__file__).resolve().parents[2] / "book"


def stored_runs(chapter, count, besides=("seed",), **changes):
    """The values of the stored runs with these changes, of which there must be so many."""
    found = matching_runs(stored_study(chapter), besides, **changes)
    assert len(found) == count
    return found


def holding(claim, runs):
    """How many of these runs a claim holds for."""
    return sum(bool(claim(run)) for run in runs)


def run_now(chapter, folder, **parameters):
    """What a chapter reports with these parameters: the stored study could be old."""
    path = BOOK / f"{chapter}.ipynb"
    timeout = chapters.cell_timeout(path, "default")
    notebook = execution.execute(
        path, folder / path.name, parameters, timeout, for_study=True
    )
    return execution.reported(notebook)
