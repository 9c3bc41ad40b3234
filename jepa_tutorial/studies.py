"""Reading a stored study, and choosing its runs by their parameters."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from jepa_tutorial.runtime import book_folder

# Runs with these seeds are there to set the thresholds of claims on, and for nothing else.
TUNING_SEEDS = range(100, 105)


def matching_runs(
    study: dict[str, Any],
    besides: Collection[str] = ("seed",),
    **changes: object,
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


def stored_study(chapter: str) -> dict[str, Any]:
    """Read a chapter's stored study: its provenance and one row of results per run.

    Parameters
    ----------
    chapter : str
        The notebook's name without its ending, such as ``"01_trajectories"``.

    Returns
    -------
    dict
        ``provenance`` (device, date, versions, code hash) and ``rows``, a list with the
        ``parameters`` and the reported ``values`` of each run.

    Raises
    ------
    FileNotFoundError
        If the study was not run. Says how to run it.
    """
    path = book_folder() / "results" / f"{chapter}.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"No stored study for {chapter}: make one with `jepa-tutorial study {chapter}`"
        )
    return json.loads(path.read_text(encoding="utf-8"))
