"""Renewing stored values by proof: a sample is run again, and must report what is stored."""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from jepa_tutorial.files import write_text
from jepa_tutorial.publishing.chapters import (
    ChapterError,
    Parameters,
    code_cells,
    default_parameters,
    read_notebook,
    study_grid,
)
from jepa_tutorial.publishing.execution import OURS, reported
from jepa_tutorial.publishing.runs import run_rows, write_study
from jepa_tutorial.publishing.staleness import code_hash
from jepa_tutorial.studies import Row, is_time, read_study, study_digest

ROUNDING = 1e-6  # relative


class Difference(NamedTuple):
    """How far a value is from the stored one, relative to it and in parts of what is allowed."""

    name: str
    stored: Any
    now: Any
    relative: float
    share: float  # of what is allowed


# --- what is out of date -----------------------------------------------------------------------


def out_of_date(path: Path) -> list[str]:
    """Return a sentence for each way in which a chapter's stored values are out of date."""
    grid, rows, now = study_grid(path), read_study(path)["rows"], code_hash(path)
    have = [row["parameters"] for row in rows]
    lacks = len([parameters for parameters in grid if parameters not in have])
    old = len([row for row in rows if row["code_hash"] != now])
    page, found = stale_page(path), []
    if lacks:
        found.append(
            f"The study of {path.stem} lacks {lacks} of {len(grid)} runs: {remedy(path, 'study')}"
        )
    if old:
        found.append(
            f"{path.name} or the package code it uses has changed since {old} of {len(rows)} rows "
            f"of its study: {remedy(path, 'verify')}"
        )
    return [*found, page] if page else found


def remedy(path: Path, *targets: str) -> str:
    """Name the commands that bring a chapter up to date."""
    commands = (f"`make {target} CHAPTER={path.stem[:2]}`" for target in targets)
    return f"run {' or '.join(commands)}"


def stale_page(path: Path) -> str | None:
    """Return a sentence saying why a page's stored outputs are out of date, or None."""
    notebook = read_notebook(path)
    run = notebook.metadata.get(OURS, {})
    counts = [c.execution_count for c in code_cells(notebook) if c.source.strip()]
    if None in counts:
        return f"{path.name} has cells that were never run: {remedy(path, 'run')}"
    if run.get("study") != study_digest(path):
        what = f"The study of {path.stem} has other rows or values than when {path.name} was run"
        return f"{what}: {remedy(path, 'run')}"
    if run.get("code_hash") != code_hash(path):
        what = f"{path.name} or the package code it uses has changed since its outputs"
        return f"{what}: {remedy(path, 'verify', 'run')}"
    return None


# --- proof -------------------------------------------------------------------------------------


def verify(path: Path, scheduler: str | None = None) -> Iterator[str]:
    """Run a sample of a chapter's stale rows again; if all agree, stamp rows and page as current.

    The sample is drawn by the hash of the new code: at least two rows, and at least one of each
    variant. The page is proven by the row at its own parameters.

    Parameters
    ----------
    path : Path
        The chapter.
    scheduler : str, optional
        See `run_rows`.

    Yields
    ------
    str
        Sentences that say what is done and found.

    Raises
    ------
    ChapterError
        If a value differs by more than is allowed. Names the values, and what to run.
    """
    study, now = read_study(path), code_hash(path)
    rows = study["rows"]
    old = [row for row in rows if row["code_hash"] != now]
    if old:
        some = sample(old, now)
        yield f"{len(old)} of {len(rows)} rows are stale; running {len(some)} again"
        found: list[Difference] = []
        for row in run_rows(path, some, scheduler):
            before = next(r for r in rows if r["parameters"] == row["parameters"])
            found += differences(before, row, variant(before, rows))
            yield f"{row['parameters']}: {row['seconds']:.0f} s"
        refuse(path, found)
        proof = {"code_hash": now, "rows": some, **describe(found)}
        for row in old:
            row |= {"code_hash": now, "proven": proof["date"]}
        study["proofs"].append(proof)
        write_study(path, study)
        yield f"all agree: {proof['largest_difference']}"
    if stale_page(path):
        yield prove_page(path, rows)


def sample(rows: list[Row], code: str) -> list[Parameters]:
    """Choose rows by a hash: one of each variant, and at least two in all if there are two."""
    left = random.Random(code).sample(rows, len(rows))
    first = [row for row in left if variant(row, left)[0] is row]
    others = [row for row in left if row not in first]
    chosen = first + others[: max(0, 2 - len(first))]
    return [row["parameters"] for row in chosen]


def variant(row: Row, rows: list[Row]) -> list[Row]:
    """Return the rows that are equal to one but for the seed."""
    same = row["parameters"] | {"seed": None}
    return [other for other in rows if other["parameters"] | {"seed": None} == same]


def differences(stored: Row, now: Row, seeds: list[Row]) -> list[Difference]:
    """Compare each reported value of two runs at the same parameters, but no times.

    On the same processor, with the same build of torch and as many threads, numbers must be
    equal but for rounding; elsewhere they may differ by half of what they spread over seeds.
    """
    runs = [(r["machine"], r["threads"], r["versions"]["torch"]) for r in (stored, now)]
    found = []
    for name in sorted(stored["values"].keys() | now["values"].keys()):
        if is_time(name):
            continue
        old, new = stored["values"].get(name), now["values"].get(name)
        relative = share = 0.0
        if old != new:
            relative = share = math.inf
            if {type(old), type(new)} <= {int, float}:
                gap, size = abs(old - new), max(abs(old), abs(new))
                values = [row["values"][name] for row in seeds if name in row["values"]]
                spread = 0 if runs[0] == runs[1] else max(values) - min(values)
                relative, share = gap / size, gap / max(ROUNDING * size, spread / 2)
        found.append(Difference(name, old, new, relative, share))
    return found


def refuse(path: Path, found: list[Difference]) -> None:
    """Raise if a value differs by more than is allowed."""
    wrong = [d for d in found if d.share > 1]
    if wrong:
        listed = "".join(f"\n  {d.name} was {d.stored!r}, is {d.now!r}" for d in wrong)
        raise ChapterError(
            f"{path.stem}: {len(wrong)} of {len(found)} values differ from the stored ones. If "
            f"that is meant, {remedy(path, 'study')} and `make run CHAPTER={path.stem[:2]}`. They "
            f"are:{listed}"
        )


def describe(found: list[Difference]) -> dict[str, Any]:
    """Say what was compared for a proof, and with what result."""
    largest = max(found, key=lambda difference: difference.share)
    return {
        "date": datetime.date.today().isoformat(),
        "values": len(found),
        "tolerance": f"{ROUNDING:g} relative where processor, torch and threads are the same, "
        "else half of the spread over seeds",
        "largest_difference": f"{largest.name}, {largest.relative:.2g} relative, "
        f"{largest.share:.2g} of what is allowed",
    }


def prove_page(path: Path, rows: list[Row]) -> str:
    """Stamp a page whose code has changed, if its row proves that it would report the same.

    Raises
    ------
    ChapterError
        If there is no such row, it is stale, or a value differs.
    """
    notebook, own = read_notebook(path), row_of_page(path, rows)
    run = notebook.metadata.get(OURS, {})
    if own is None or run.get("study") != study_digest(path) or "code_hash" not in run:
        raise ChapterError(stale_page(path))
    page = {"values": reported(notebook)} | run
    refuse(path, differences(page, own, variant(own, rows)))
    run |= {"code_hash": code_hash(path), "proven": datetime.date.today().isoformat()}
    write_text(path, nbformat.writes(notebook) + "\n")
    pictures = f"if its pictures changed, {remedy(path, 'run')}"
    return f"{path.name} reports what its row does, and is stamped; {pictures}"


def row_of_page(path: Path, rows: list[Row]) -> Row | None:
    """Return the row at the page's own parameters, if it is there and not stale."""
    own, now = default_parameters(read_notebook(path)), code_hash(path)
    found = (r for r in rows if own | r["parameters"] == own and r["code_hash"] == now)
    return next(found, None)
