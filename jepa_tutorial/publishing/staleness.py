"""Stored values are stale when the essence of the code behind them changes."""

from __future__ import annotations

from pathlib import Path

from jepa_tutorial.essence import PACKAGE, essence_hash
from jepa_tutorial.publishing.chapters import code_cells, read_notebook, study_cells


def code_hash(path: Path, package: Path = PACKAGE) -> str:
    """Hash the cells of a chapter that compute, and what they reach, as 16 hexadecimal digits."""
    cells = code_cells(study_cells(read_notebook(path)))
    source = "\n\n".join(cell.source for cell in cells)
    return essence_hash(source, package)[:16]
