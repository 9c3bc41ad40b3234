"""Choosing runs of a stored study by their parameters."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def matching_runs(
    study: dict[str, Any],
    besides: Collection[str] = ("seed",),
    **changes: object,
) -> list[dict[str, Any]]:
    """Reported values of all runs that changed these parameters, and no others, in this way.

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
        if others == changes:
            found.append(row["values"])
    return found
