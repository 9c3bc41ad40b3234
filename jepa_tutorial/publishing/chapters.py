"""The chapters: their notebooks, presets and parameters."""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

from jepa_tutorial.checks import check_choice
from jepa_tutorial.files import given_path
from jepa_tutorial.runtime import deal_seeds

SKIP_STUDY = "skip-study"  # tag of cells that only show, and so are left out of a study
Parameters = dict[str, Any]


class ChapterError(Exception):
    """A chapter could not be run; the message says where and why, for a person to read."""


def chapters(book: Path) -> list[Path]:
    """Return the chapters' notebooks in reading order: those that ``_toc.yml`` lists.

    The list stands beside the book's folder, or in it where the book is installed.

    Raises
    ------
    ChapterError
        If there is no list.
    """
    for toc in (book.parent / "_toc.yml", book / "_toc.yml"):
        if toc.is_file():
            parts = yaml.safe_load(toc.read_text(encoding="utf-8"))["parts"]
            files = [Path(c["file"]).name for p in parts for c in p["chapters"]]
            found = [book / f"{name}.ipynb" for name in files]
            return [path for path in found if path.is_file()]
    raise ChapterError(f"No chapters in {book}: name the book's folder with --book")


def find_chapters(book: Path, name: str) -> list[Path]:
    """Find a chapter by its number or its file name, such as ``01`` or ``01_toy``; or all.

    Raises
    ------
    ChapterError
        If there is no such chapter. Lists those that there are.
    """
    found = chapters(book)
    if name == "all":
        return found
    for path in found:
        number = path.stem.split("_")[0]
        if name in (path.stem, path.name, number, number.lstrip("0")):
            return [path]
    known = ", ".join(path.stem for path in found)
    raise ChapterError(f"CHAPTER must be one of {known}, or all; got {name!r}")


def read_notebook(path: Path) -> NotebookNode:
    """Read a chapter's notebook.

    Raises
    ------
    ChapterError
        If the file is damaged.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        if notebook.cells:
            return notebook
        reason = "it has no cells"
    except Exception as error:  # whatever a damaged file makes a reader say
        reason = str(error).split("\n")[0]
    raise ChapterError(f"{path} cannot be read as the notebook of a chapter: {reason}")


def presets(path: Path) -> dict[str, Any]:
    """Read a chapter's entry of ``presets.yaml``: its budget, its presets and its study.

    Raises
    ------
    ChapterError, ValueError
        If the file is damaged, or the entry has not the form that is needed.
    """
    file = path.parent / "presets.yaml"
    entry: Any = read_yaml(file).get(path.stem)
    sound = isinstance(entry, dict) and isinstance(entry.get("budget_s"), int)
    if not sound or not all(isinstance(entry[n], dict) for n in preset_names(entry)):
        raise ChapterError(
            f"{file} must have an entry {path.stem} with a budget_s and presets such as "
            "`quick: {steps: 10}`"
        )
    return entry


def preset_names(entry: dict[str, Any]) -> list[str]:
    """Return the names of the parameter sets in a chapter's entry of ``presets.yaml``."""
    return [n for n in entry if n not in ("budget_s", "study_min", "study")]


def preset_parameters(path: Path, preset: str) -> Parameters:
    """Return the parameters of a preset; ``default`` is what the notebook itself holds.

    Raises
    ------
    ValueError
        For an unknown preset.
    """
    entry = presets(path)
    check_choice(("default", *preset_names(entry)), preset=preset)
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
    from sklearn.model_selection import ParameterGrid  # slow to import

    try:
        return list(ParameterGrid(presets(path).get("study", [])))
    except (TypeError, ValueError) as error:
        raise ChapterError(
            f"{path.parent / 'presets.yaml'}: the study of {path.stem} must have lists of values "
            f"such as `seed: [0, 1]`: {error}"
        ) from error


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Tell whether a cell has a tag."""
    return tag in cell.metadata.get("tags", [])


def study_cells(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without the cells that only show."""
    kept = [cell for cell in notebook.cells if not has_tag(cell, SKIP_STUDY)]
    return NotebookNode({**notebook, "cells": kept})


def stated_parameters(notebook: NotebookNode) -> dict[str, tuple[Any, str]]:
    """Return the names that the notebook's parameters cell assigns, with values and comments."""
    tagged = (c.source for c in code_cells(notebook) if has_tag(c, "parameters"))
    source = next(tagged, "")
    statements = ast.parse(source, "the parameters cell").body
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
    found = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                lines = range(statement.lineno, (statement.end_lineno or 0) + 1)
                comment = " ".join(comments.get(line, "") for line in lines)
                found[name] = (ast.literal_eval(value), comment)
    return found


def default_parameters(notebook: NotebookNode) -> Parameters:
    """Return the names that the notebook's parameters cell assigns, with their values."""
    stated = stated_parameters(notebook)
    return {name: value for name, (value, _) in stated.items()}


def check_parameters(path: Path, given: Parameters) -> Parameters:
    """Check names and values against the notebook's own; return the values, typed alike.

    Text is read as a value where the notebook has one that is not text, and a whole number is
    taken where it has a decimal one. The name of a folder or file (``_dir``, ``_file``) becomes
    absolute, since the notebook runs in a folder of its own.

    Raises
    ------
    ValueError
        For an unknown name, with all names and their defaults, or for a value that the notebook
        cannot take; see `check_value`.
    """
    stated, values = stated_parameters(read_notebook(path)), {}
    for name, value in given.items():
        label = f"{name} of {path.stem}"
        if name not in stated:
            known = "".join(f"\n  {n} = {v!r}" for n, (v, _) in stated.items())
            raise ValueError(
                f"{path.stem} has no parameter {name!r}. It has these, with their defaults:{known}"
            )
        value = check_value(label, value, *stated[name])
        if name == "seed":
            deal_seeds(value)
        if value and name.endswith(("_dir", "_file")):
            value = str(given_path(value))
            if name.endswith("_file") and not Path(value).is_file():
                raise ValueError(f"{label}: there is no file {value}")
        values[name] = value
    return values


def check_value(name: str, value: Any, default: Any, comment: str) -> Any:
    """Check a value against the default and its comment; return it, typed like the default.

    A comment such as ``# or "line"`` names the other values that a text may have, and one such
    as ``# from 0 to 1`` the range of a number. Else a whole number is at least 1, a decimal one at
    least 0, or the default if that is less.
    """
    kind = type(default)
    value = value_of(value, kind)
    if type(value) is not kind or (
        kind is list and {*map(type, value)} - {*map(type, default or value)}
    ):
        raise ValueError(
            f"{name} must be of type {kind.__name__}, such as {default!r}, got {value!r}"
        )
    choices = re.findall(r'"(\w+)"', comment)
    if kind is str and choices:
        check_choice((default, *choices), **{name: value})
    if kind in (int, float):
        low, high = min(default, 1 if kind is int else 0), math.inf
        accepted = f"a finite number of at least {low}"
        stated = re.search(r"from (-?[\d.e-]+) to (-?[\d.e-]*\d)", comment)
        if stated:
            low, high = map(float, stated.groups())
            accepted = f"a number {stated[0]}"
        if not low <= value <= high or value == math.inf:
            raise ValueError(f"{name} must be {accepted}, got {value!r}")
    return value


def value_of(given: Any, kind: type) -> Any:
    """Read text as a value of some type, a whole number as a decimal one; give back the rest."""
    try:
        if kind in (int, float) and type(given) in (int, str):
            return kind(given)
        if kind is not str and isinstance(given, str):
            return yaml.load(given, StrictLoader)
    except (ArithmeticError, RecursionError, ValueError, yaml.YAMLError):
        pass  # the caller says what is wrong
    return given


class StrictLoader(yaml.SafeLoader):
    """Refuses what YAML takes in silence: a name that is given twice, NaN and infinity."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Read a value, and check it."""
        if isinstance(node, yaml.MappingNode):
            names = [name.value for name, _ in node.value]
            for number, (name, _) in enumerate(node.value):
                if name.value in names[:number]:
                    refuse(name, "is given twice")
        value = super().construct_object(node, deep)
        if isinstance(value, float) and not math.isfinite(value):
            refuse(node, "is not finite")
        return value


def refuse(node: Any, why: str) -> None:
    """Raise an error at the place of a value or a name in a file."""
    raise yaml.constructor.ConstructorError(
        None, None, f"{node.value} {why}", node.start_mark
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of names and values.

    Raises
    ------
    ValueError
        Names the file, the line, and what is wrong.
    """
    try:
        loaded = yaml.load(path.read_bytes(), StrictLoader)
    except (RecursionError, ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else path
        parts = [getattr(error, part, None) for part in ("context", "problem")]
        said = ", ".join(filter(None, parts)) or str(error).split("\n")[0]
        raise ValueError(f"{where}: {said}") from error
    if not isinstance(loaded, dict):
        raise ValueError(f"{path} must hold lines of the form `name: value`")
    return loaded
