"""The chapters: their notebooks, presets and parameters."""

from __future__ import annotations

import ast
import copy
import itertools
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

from jepa_tutorial.checks import check_choice

SKIP_STUDY = (
    "skip-study"  # tag of cells that only show, and so are left out of a study
)
Parameters = dict[str, Any]


class ChapterError(Exception):
    """A chapter could not be run; the message says where and why, for a person to read."""


def chapters(book: Path) -> list[Path]:
    """Return the chapters' notebooks in reading order."""
    found = sorted(book.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ChapterError(
            f"No chapters in {book}: name the book's folder with --book"
        )
    return found


def find_chapter(book: Path, name: str) -> Path:
    """Find a chapter by its number or its file name, such as ``01`` or ``01_trajectories``.

    Raises
    ------
    ChapterError
        If there is no such chapter. Lists those that there are.
    """
    for path in chapters(book):
        if name in (
            path.stem,
            path.name,
            path.stem[:2],
            path.stem[:2].lstrip("0"),
        ):
            return path
    known = ", ".join(path.stem for path in chapters(book))
    raise ChapterError(f"CHAPTER must be one of {known}, or all; got {name!r}")


def presets(path: Path) -> dict[str, Any]:
    """Read a chapter's entry of ``presets.yaml``: its budget and parameter sets."""
    entries = yaml.safe_load(
        (path.parent / "presets.yaml").read_text(encoding="utf-8")
    )
    if path.stem not in entries:
        raise ChapterError(
            f"{path.parent / 'presets.yaml'} has no entry {path.stem}"
        )
    return entries[path.stem]


def preset_parameters(path: Path, preset: str) -> Parameters:
    """Return the parameters of a preset; ``default`` is what the notebook itself holds.

    Raises
    ------
    ValueError
        For an unknown preset.
    """
    entry = presets(path)
    named = [
        name for name in entry if name not in ("budget_s", "study_min", "study")
    ]
    check_choice(("default", *named), preset=preset)
    return {} if preset == "default" else entry[preset]


def cell_timeout(path: Path, preset: str) -> int:
    """Return the seconds that one cell may take before the run is given up as hung."""
    if preset in ("quick", "default"):
        return max(600, 4 * presets(path)["budget_s"])
    return 7200


def study_grid(path: Path) -> list[Parameters]:
    """Return the parameters of each run of a chapter's study.

    An entry of ``presets.yaml`` is a grid, the product of its lists, or several grids in a list.
    """
    entry = presets(path).get("study") or []
    grids = entry if isinstance(entry, list) else [entry]
    return [
        dict(zip(grid, row, strict=True))
        for grid in grids
        for row in itertools.product(*grid.values())
    ]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def study_cells(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without the cells that only show."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        c
        for c in notebook.cells
        if SKIP_STUDY not in c.metadata.get("tags", [])
    ]
    return notebook


def default_parameters(notebook: NotebookNode) -> Parameters:
    """Return the names that the notebook's parameters cell assigns, with their values."""
    for cell in code_cells(notebook):
        if "parameters" in cell.metadata.get("tags", []):
            return {
                statement.targets[0].id: ast.literal_eval(statement.value)
                for statement in ast.parse(cell.source).body
                if isinstance(statement, ast.Assign)
                and isinstance(statement.targets[0], ast.Name)
            }
    return {}


def check_parameters(path: Path, given: Parameters) -> Parameters:
    """Check names and types against the notebook's own; return the values, typed alike.

    Text is read as a value where the notebook has one that is not text, and a whole number is
    taken where it has a decimal one.

    Raises
    ------
    ValueError
        For an unknown name, with all names and their defaults, or for a value of another type.
    """
    defaults = default_parameters(nbformat.read(path, as_version=4))
    values = {}
    for name, value in given.items():
        if name not in defaults:
            known = "".join(f"\n  {n} = {v!r}" for n, v in defaults.items())
            raise ValueError(
                f"{path.stem} has no parameter {name!r}. It has these, with their defaults:{known}"
            )
        default = defaults[name]
        if isinstance(value, str) and not isinstance(default, str):
            value = value_of(value)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise ValueError(
                f"{name} of {path.stem} must be of type {type(default).__name__}, such as "
                f"{default!r}, got {value!r}"
            )
        values[name] = value
    return values


def value_of(text: str) -> Any:
    """Read a value as Python writes it, such as ``1e-3``, or else as YAML does."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return yaml.safe_load(text)
