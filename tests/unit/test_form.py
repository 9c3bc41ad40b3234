"""The form of a page in the second edition; chapters join as they are rewritten."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import nbformat
import pytest

from jepa_tutorial.publishing import chapters

BOOK = Path(__file__).resolve().parents[2] / "book"
WRITTEN = {1, 2, 3, 4, 5, 6, 7}
CHAPTERS = [p for p in chapters.chapters(BOOK) if int(p.stem[:2]) in WRITTEN]
PICTURES = {
    *("image/png", "image/webp", "image/svg+xml"),
    "application/vnd.jupyter.widget-view+json",
}
DRAWS = re.compile(
    r"\bplt\.|\bplots\.plot_|\b(Explorer|Clouds|GradientField|Shadows|Playground)\("
)


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def shows_picture(cell) -> bool:
    return any(
        PICTURES & output.get("data", {}).keys() for output in cell.get("outputs", [])
    )


def test_opens_with_the_figure_that_it_ends_with(cells):
    (opening,) = (cell for cell in cells[:4] if "opening" in tags(cell))
    (finale,) = (cell for cell in cells if "finale" in tags(cell))
    assert opening.source.startswith("#"), "a page shows nothing of an empty cell"
    assert shows_picture(opening)
    assert [o.data for o in opening.outputs] == [o.data for o in finale.outputs]


def test_figures_have_numbered_captions(path, cells):
    number, found = int(path.stem[:2]), []
    for cell, after in itertools.pairwise(cells):
        if shows_picture(cell) and "hide-cell" not in tags(cell):  # no answer
            assert after.cell_type == "markdown", cell.source[:80]
            label = re.match(r"\*Figure (\d+)\.(\d+)\.\* \S", after.source)
            assert label, after.source[:80] or cell.source[:80]
            found.append(tuple(map(int, label.groups())))
    assert found == [(number, figure) for figure in range(1, len(found) + 1)]


def test_plotting_is_folded(cells):
    for cell in cells:
        if cell.cell_type == "code" and DRAWS.search(cell.source):
            assert {"hide-input", "hide-cell"} & {*tags(cell)}, cell.source[:80]


def test_setup_is_one_folded_cell(cells):
    code = [c for c in cells if c.cell_type == "code" and "opening" not in tags(c)]
    imports = [c for c in code if re.search(r"^(from \S+ )?import ", c.source, re.M)]
    assert imports == [code[1]]
    assert "hide-input" in tags(code[1])


def test_no_wall_of_values(cells):
    for cell in cells:
        if cell.cell_type == "code" and "hide-cell" not in tags(cell):
            seen = "".join(out.get("text", "") for out in cell.outputs)
            assert len(re.findall(r"^\w+ = ", seen, re.M)) <= 5, cell.source[:80]


def test_formulas_are_displayed():
    texts = [nbformat.read(path, as_version=4).cells for path in CHAPTERS]
    prose = "\n".join(c.source for t in texts for c in t if c.cell_type == "markdown")
    assert len(re.findall(r"\$\$[^$]+\$\$", prose)) >= 20


def test_a_chapter_is_one_sitting(cells):
    """Captions aside, and what follows the limits: exercises and tables of names."""
    end = next(i for i, cell in enumerate(cells) if "## Limits" in cell.source)
    main = [cell for cell in cells[:end] if not cell.source.startswith("*Figure")]
    prose = "\n".join(cell.source for cell in main if cell.cell_type == "markdown")
    prose = re.sub(r"\$\$?[^$]*\$\$?|^\|.*$", "", prose, flags=re.M)
    assert len(prose.split()) <= 4500
    assert sum(cell.cell_type == "code" for cell in main) <= 75
