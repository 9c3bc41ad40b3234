"""Stored values that code has left behind are renewed by proof, and by nothing else."""

from __future__ import annotations

import json

import nbformat
import pytest
from nbformat.v4 import new_output
from toy import change, write_book

from jepa_tutorial.publishing import verification
from jepa_tutorial.publishing.chapters import ChapterError, code_cells
from jepa_tutorial.publishing.execution import OURS
from jepa_tutorial.publishing.staleness import code_hash
from jepa_tutorial.publishing.verification import out_of_date, verify
from jepa_tutorial.reports import RECORD
from jepa_tutorial.studies import read_study, study_digest, study_path

RUN = {"machine": "here", "threads": 1, "versions": {"torch": "2.13"}, "seconds": 1.0}


def row(seed, value, code="old", **values):
    values = {"loss": value, "kind": "toy", "training_seconds": 3.0} | values
    return RUN | {
        "parameters": {"seed": seed, "steps": 3},
        "values": values,
        "code_hash": code,
    }


def write_study(path, rows):
    study_path(path).parent.mkdir(exist_ok=True)
    study_path(path).write_text(json.dumps({"proofs": [], "rows": rows}))


def write_page(path, code, **values):
    """Make the page look as if it had been run, and had reported these values."""
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = number
    code_cells(notebook)[1].outputs = [
        new_output(
            "display_data",
            {RECORD + "text/plain": repr(value)},
            metadata={"scrapbook": {"name": name, "mime_prefix": RECORD}},
        )
        for name, value in values.items()
    ]
    notebook.metadata[OURS] = RUN | {"code_hash": code, "study": study_digest(path)}
    nbformat.write(notebook, path)


@pytest.fixture
def book(tmp_path):
    """A chapter with a study of three seeds and a page, all of them made by older code."""
    path = write_book(tmp_path)
    write_study(path, [row(seed, 1.0 + seed) for seed in range(3)])
    write_page(path, "old", loss=1.0, kind="toy")
    return path


@pytest.fixture
def reruns(monkeypatch):
    """Which rows ran again; each reports what `change` says, else what is stored."""
    made = {"ran": [], "change": lambda new: None}

    def run_rows(path, grid, *scheduler):
        for parameters in grid:
            new = row(parameters["seed"], 1.0 + parameters["seed"], code_hash(path))
            made["change"](new)
            made["ran"].append(parameters)
            yield new

    monkeypatch.setattr(verification, "run_rows", run_rows)
    return made


def hashes(path):
    return [row["code_hash"] for row in read_study(path)["rows"]]


def test_a_chapter_is_out_of_date_until_it_is_proven(book, reruns):
    study, page = out_of_date(book)
    assert "since 3 of 3 rows of its study: run `make verify CHAPTER=01`" in study
    assert (
        "01_toy.ipynb or the package code it uses has changed since its outputs" in page
    )
    before = nbformat.read(book, as_version=4)
    said = list(verify(book))
    assert said[0] == "3 of 3 rows are stale; running 2 again"
    assert len(reruns["ran"]) == 2
    assert out_of_date(book) == []
    assert hashes(book) == [code_hash(book)] * 3
    study = read_study(book)
    (proof,) = study["proofs"]
    assert proof["rows"] == reruns["ran"]
    assert {"date", "tolerance", "largest_difference", "code_hash"} <= set(proof)
    assert all(row["proven"] == proof["date"] for row in study["rows"])
    page = nbformat.read(book, as_version=4)
    assert page.metadata[OURS]["proven"] == proof["date"]
    assert [c.outputs for c in code_cells(page)] == [
        c.outputs for c in code_cells(before)
    ]
    assert list(verify(book)) == [], "nothing is left to prove"


def shift(share):
    def change(new):
        new["values"]["loss"] *= 1 + share

    return change


def test_a_value_that_differs_is_named_and_nothing_is_stamped(book, reruns):
    reruns["change"] = shift(1e-3)
    with pytest.raises(
        ChapterError, match=r"loss was 2.0, is 2.002|loss was 1.0, is 1.001"
    ):
        list(verify(book))
    assert hashes(book) == ["old"] * 3
    assert nbformat.read(book, as_version=4).metadata[OURS]["code_hash"] == "old"
    reruns["change"] = shift(1e-7)  # rounding
    assert "all agree" in "".join(verify(book))


def test_elsewhere_half_of_the_spread_over_seeds_is_allowed(book, reruns):
    def elsewhere(share):
        def change(new):
            new["machine"] = "there"
            new["values"]["loss"] += share

        return change

    reruns["change"] = elsewhere(1.01)  # the seeds span 2
    with pytest.raises(ChapterError, match="loss was"):
        list(verify(book))
    reruns["change"] = elsewhere(0.99)
    assert "0.99 of what is allowed" in "".join(verify(book))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kind", "other", "kind was 'toy', is 'other'"),
        ("more", 1.0, "more was None, is 1.0"),
        ("loss", 7, "loss was"),
    ],
)
def test_every_kind_of_value_is_compared(book, reruns, name, value, message):
    reruns["change"] = lambda new: new["values"].update({name: value})
    with pytest.raises(ChapterError, match=message):
        list(verify(book))


def test_measured_times_are_not_compared(book, reruns):
    reruns["change"] = lambda new: new["values"].update(training_seconds=9.0)
    assert "all agree" in "".join(verify(book))


def test_rows_that_are_current_stay_as_they_are(book, reruns):
    now = code_hash(book)
    write_study(book, [row(0, 1.0, now), row(1, 2.0), row(2, 3.0)])
    list(verify(book))
    assert {p["seed"] for p in reruns["ran"]} == {1, 2}
    assert ["proven" in r for r in read_study(book)["rows"]] == [False, True, True]


def test_the_sample_has_each_variant_and_follows_the_hash():
    rows = [{"parameters": {"seed": s, "lr": lr}} for lr in (1, 2, 3) for s in range(5)]
    samples = [verification.sample(rows, str(code)) for code in range(20)]
    assert all({p["lr"] for p in some} == {1, 2, 3} for some in samples)
    assert all(len(some) == 3 for some in samples)
    assert len({json.dumps(some) for some in samples}) > 5
    assert verification.sample(rows, "3") == samples[3]
    assert len(verification.sample(rows[:5], "3")) == 2
    assert len(verification.sample(rows[:1], "3")) == 1


def test_a_page_that_reports_something_else_than_its_row_is_refused(book, reruns):
    write_page(book, "old", loss=1.1, kind="toy")
    with pytest.raises(ChapterError, match=r"loss was 1.1, is 1.0"):
        list(verify(book))
    assert "changed since its outputs" in out_of_date(book)[0]


def test_a_page_without_a_row_of_its_own_must_be_run(book, reruns):
    change(book, "steps = 3", "steps = 4")
    with pytest.raises(ChapterError, match="make run CHAPTER=01"):
        list(verify(book))


def test_a_study_with_other_values_makes_the_page_that_shows_it_stale(book, reruns):
    list(verify(book))
    study = read_study(book)
    study["rows"][1]["values"]["training_seconds"] = 8.0
    study_path(book).write_text(json.dumps(study))
    assert out_of_date(book) == [], "times do not count"
    study["rows"][1]["values"]["loss"] = 9.0
    study_path(book).write_text(json.dumps(study))
    (page,) = out_of_date(book)
    assert "has other rows or values than when 01_toy.ipynb was run" in page
    with pytest.raises(ChapterError, match="has other rows or values"):
        list(verify(book))


def test_missing_rows_are_named(book):
    write_study(book, [row(0, 1.0, code_hash(book))])
    assert "lacks 2 of 3 runs: run `make study CHAPTER=01`" in out_of_date(book)[0]


def test_a_page_that_was_never_run_is_named(tmp_path):
    path = write_book(tmp_path)
    study, page = out_of_date(path)
    assert "lacks 3 of 3 runs" in study
    assert "cells that were never run: run `make run CHAPTER=01`" in page
