"""Stored studies: what a chapter reported at other seeds and parameters, row by row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from jepa_tutorial.files import book_folder

# Runs with these seeds are there to set the thresholds of claims on, and for nothing else.
TUNING_SEEDS = range(100, 105)

Row = dict[str, Any]
Study = dict[str, Any]


def stored_study(chapter: str) -> dict[str, Any]:
    """Read a chapter's stored study: one row of results per run, with where it comes from.

    Parameters
    ----------
    chapter : str
        The notebook's name without its ending, such as ``"01_trajectories"``.

    Returns
    -------
    dict
        ``rows``, a list: the ``parameters`` and the reported ``values`` of each run, with its
        seconds, threads, machine, versions, date and the hash of its code. ``proofs``, a list: on
        which reruns it rests that rows are still what newer code gives.

    Raises
    ------
    FileNotFoundError
        If the study was not run. Says how to run it.
    """
    path = book_folder() / f"{chapter}.ipynb"
    if not study_path(path).is_file():
        raise FileNotFoundError(
            f"No stored study for {chapter}: make one with `jepa-tutorial study {chapter}`"
        )
    return read_study(path)


def matching_runs(
    study: dict[str, Any], besides: Collection[str] = ("seed",), **changes: object
) -> list[dict[str, Any]]:
    """Reported values of all runs that changed these parameters, and no others, in this way.

    Runs with a seed among ``TUNING_SEEDS`` are left out: what was set on them cannot be tested or
    shown on them.

    Parameters
    ----------
    study : dict
        See `stored_study`.
    besides : collection of str
        Parameters that may have any value.
    **changes
        Parameters and their values.

    Returns
    -------
    list of dict
        In the study's order, by name of the value. Empty if there is no such run.
    """
    found = []
    for row in study["rows"]:
        others = {
            name: value
            for name, value in row["parameters"].items()
            if name not in besides
        }
        tuning = row["parameters"].get("seed") in TUNING_SEEDS
        if others == changes and not tuning:
            found.append(row["values"])
    return found


def stored_values(
    study: dict[str, Any],
    name: str,
    besides: Collection[str] = ("seed",),
    **changes: object,
) -> list[Any]:
    """One reported value in all runs that `matching_runs` finds and that report it."""
    runs = matching_runs(study, besides, **changes)
    return [run[name] for run in runs if name in run]


def study_path(path: Path) -> Path:
    """Return where a chapter's study is stored."""
    return path.parent / "results" / f"{path.stem}.json"


def read_study(path: Path) -> dict[str, Any]:
    """Read the study of the chapter at a path; empty where none is stored.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    file = study_path(path)
    if not file.is_file():
        return {"proofs": [], "rows": []}
    try:
        study = {"proofs": [], **json.loads(file.read_bytes())}
        if all({"parameters", "values"} <= row.keys() for row in study["rows"]):
            return study
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise ValueError(
        f"{file} is damaged: restore it, or delete it and run "
        f"`jepa-tutorial study {path.stem}`"
    )


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
