"""Stored outputs and studies belong to the code as it stands, agree, and keep their budgets."""

from __future__ import annotations

import nbformat
import pytest
from claims import BOOK

from jepa_tutorial.publishing import chapters, verification
from jepa_tutorial.publishing.execution import OURS, reported
from jepa_tutorial.publishing.verification import differences, row_of_page, variant
from jepa_tutorial.studies import read_study

CHAPTERS = chapters.chapters(BOOK)
SLACK = 1.3  # machines differ; seconds are those of a core, so that other work does not count
WORKERS = 2


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def path(request):
    return request.param


def page_of(path):
    notebook = nbformat.read(path, as_version=4)
    return {"values": reported(notebook)} | notebook.metadata[OURS]


def test_stored_values_are_current(path):
    assert verification.out_of_date(path) == []


def test_page_and_study_agree_at_the_same_parameters(path):
    rows = read_study(path)["rows"]
    own = row_of_page(path, rows)
    assert own, "no row of the study is at the page's own parameters"
    found = differences(page_of(path), own, variant(own, rows))
    assert [d for d in found if d.share > 1] == []


def test_page_and_study_ran_with_the_same_number_of_threads(path):
    threads = {row["threads"] for row in read_study(path)["rows"]}
    assert threads == {page_of(path)["threads"]}


def test_every_variant_has_at_least_five_seeds(path):
    grid = [{"parameters": parameters} for parameters in chapters.study_grid(path)]
    assert min(len(variant(row, grid)) for row in grid) >= 5


@pytest.mark.parametrize("what", ["run", "study"])
def test_budgets_hold(path, what):
    entry = chapters.presets(path)
    if what == "run":
        ratio = page_of(path)["cpu_seconds"] / (SLACK * entry["budget_s"])
    else:
        seconds = sum(row["cpu_seconds"] for row in read_study(path)["rows"])
        ratio = seconds / WORKERS / (60 * entry["study_min"])
    assert ratio <= 1, f"{ratio:.2f} of what is allowed"
