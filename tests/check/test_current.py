"""Stored outputs and studies belong to the code as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from jepa_tutorial import chapters, verification

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTERS = chapters.chapters(BOOK)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_outputs_are_current(path):
    message = verification.stale(path)
    assert message is None, message


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_study_is_current_and_complete(path):
    message = verification.stale_study(path)
    assert message is None, message
