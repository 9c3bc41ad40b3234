"""What stored values rest on: code, as its essence, and the study that a page shows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from jepa_tutorial.essence import PACKAGE, essence_hash
from jepa_tutorial.publishing.chapters import code_cells, read_notebook, study_cells
from jepa_tutorial.studies import read_study


def code_hash(path: Path, package: Path = PACKAGE) -> str:
    """Hash the cells of a chapter that compute, and what they reach, as 16 hexadecimal digits."""
    cells = code_cells(study_cells(read_notebook(path)))
    source = "\n\n".join(cell.source for cell in cells)
    return essence_hash(source, package)[:16]


def study_digest(path: Path) -> str:
    """Hash what a page can show of its study: parameters and values, but no times and stamps."""
    shown = [
        [row["parameters"], {k: v for k, v in row["values"].items() if not is_time(k)}]
        for row in read_study(path)["rows"]
    ]
    text = json.dumps(shown, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_time(name: str) -> bool:
    """Tell whether a reported value is a measured time, which differs from run to run."""
    return name.endswith("_seconds")
