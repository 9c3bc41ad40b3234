"""A book of one chapter, for tests of what happens to chapters."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jepa_tutorial.publishing.chapters import SKIP_STUDY

TOC = "parts: [{chapters: [{file: book/01_toy}]}]"
CODE = "from jepa_tutorial.losses import cosine_loss\ncosine_loss"


def write_book(folder: Path, code: str = CODE) -> Path:
    """A chapter with a cell of code and a cell that only shows."""
    path = folder / "01_toy.ipynb"
    cells = [
        new_markdown_cell("# 1. Toy"),
        new_code_cell("steps = 3\nseed = 0", metadata={"tags": ["parameters"]}),
        new_code_cell(code),
        new_code_cell("print('look')", metadata={"tags": [SKIP_STUDY]}),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    entry = (
        "01_toy: {budget_s: 10, study_min: 1, quick: {steps: 1}, full: {}, "
        "study: {seed: [0, 1, 2], steps: [3]}}"
    )
    (folder / "presets.yaml").write_text(entry)
    (folder / "_toc.yml").write_text(TOC)
    return path


def change(path: Path, old: str, new: str) -> None:
    """Replace text in a file that must hold it."""
    text = path.read_text()
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new))
