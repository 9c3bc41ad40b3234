"""Runs of chapters at other seeds and parameters, which make up their studies."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jepa_tutorial.chapters import (
    ChapterError,
    Parameters,
    cell_timeout,
    study_grid,
)
from jepa_tutorial.execution import OURS, execute, reported, write_in_place
from jepa_tutorial.staleness import code_hash
from jepa_tutorial.studies import Row, Study, read_study, study_path


def run_study(path: Path) -> Iterator[tuple[int, int, Parameters]]:
    """Run what is missing or stale of a chapter's study; store each run as soon as it is done.

    Stale rows stay, marked by their hash, until their run is done. Rows that the grid no longer
    has are dropped.

    Parameters
    ----------
    path : Path
        The chapter.

    Yields
    ------
    number, total : int
        How many runs are current now, and how many there are.
    parameters : dict
        Those of the run that was stored last.

    Raises
    ------
    ChapterError
        If the chapter has no study, or its code changes meanwhile: what ran is kept.
    """
    grid, now = study_grid(path), code_hash(path)
    if not grid:
        raise ChapterError(f"{path.stem} has no study in presets.yaml")
    study = read_study(path)
    rows = {key(row["parameters"]): row for row in study["rows"]}

    def is_current(parameters: Parameters) -> bool:
        return rows.get(key(parameters), {}).get("code_hash") == now

    for row in run_rows(path, [p for p in grid if not is_current(p)]):
        if code_hash(path) != now:
            raise ChapterError(
                f"{path.stem} or the package code it uses has changed while its study ran; the "
                "runs stored so far are kept. Run the study again"
            )
        rows[key(row["parameters"])] = row
        study["rows"] = [rows[key(p)] for p in grid if key(p) in rows]
        write_study(path, study)
        yield sum(map(is_current, grid)), len(grid), row["parameters"]


def key(parameters: Parameters) -> str:
    """Write parameters as text, so that they can be looked up."""
    return json.dumps(parameters, sort_keys=True)


def write_study(path: Path, study: Study) -> None:
    """Store a study, without proofs that no row rests on any more."""
    proven = {row["code_hash"] for row in study["rows"] if "proven" in row}
    study["proofs"] = [p for p in study["proofs"] if p["code_hash"] in proven]
    study_path(path).parent.mkdir(exist_ok=True)
    write_in_place(study_path(path), json.dumps(study, indent=1) + "\n")


def run_rows(path: Path, grid: list[Parameters]) -> Iterator[Row]:
    """Run a chapter at each of some parameters; yield each row as soon as it is done."""
    for parameters in grid:
        yield run_row(path, parameters)


def run_row(path: Path, parameters: Parameters) -> Row:
    """Execute a chapter for a study; return what it reported, and where it ran."""
    timeout = cell_timeout(path, "default")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / path.name
        notebook = execute(path, output, parameters, timeout, for_study=True)
    values = reported(notebook)
    return {"parameters": parameters, "values": values} | notebook.metadata[
        OURS
    ]
