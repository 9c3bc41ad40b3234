"""One row of each chapter's study, another one each day, still reports what is stored."""

from __future__ import annotations

import datetime
import random

import pytest
from claims import BOOK

from jepa_tutorial.publishing import chapters
from jepa_tutorial.publishing.runs import run_row
from jepa_tutorial.publishing.verification import differences, variant
from jepa_tutorial.studies import read_study

MOST = 120  # seconds


@pytest.mark.parametrize("path", chapters.chapters(BOOK), ids=lambda path: path.stem)
def test_a_row_drawn_by_date_reports_what_is_stored(path):
    rows = read_study(path)["rows"]
    short = [row for row in rows if row["cpu_seconds"] < MOST]
    if not short:
        pytest.skip(f"each row takes longer than {MOST} s")
    stored = random.Random(f"{datetime.date.today()}").choice(short)
    print(stored["parameters"])
    now = run_row(path, stored["parameters"])
    found = differences(stored, now, variant(stored, rows))
    assert [d for d in found if d.share > 1] == []
