"""Hashes, cleaning and studies of notebooks, without a kernel."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from jepa_tutorial import chapters, execution, staleness, studies, verification

PACKAGE = Path(notebooks.__file__).parent


def write_book(
    folder: Path, code: str = "from jepa_tutorial.losses import cosine_loss"
) -> Path:
    """A book of one chapter, and a copy of the package whose code counts."""
    path = folder / "01_toy.ipynb"
    cells = [
        new_markdown_cell("# 1. Toy"),
        new_code_cell("steps = 3\nseed = 0", metadata={"tags": ["parameters"]}),
        new_code_cell(code),
        new_code_cell(
            "print('look')", metadata={"tags": [chapters.SKIP_STUDY]}
        ),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    entry = "01_toy: {budget_s: 10, quick: {steps: 1}, full: {}, study: {seed: [0, 1], steps: [2]}}"
    (folder / "presets.yaml").write_text(entry)
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that a test may change."""
    copied = shutil.copytree(PACKAGE, tmp_path / "jepa_tutorial")
    monkeypatch.setattr(notebooks, "__file__", str(copied / "notebooks.py"))
    return copied


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_prose_does_not_change_the_hash_but_code_does(tmp_path):
    path = write_book(tmp_path)
    before = staleness.code_hash(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "# 1. Another title"
    nbformat.write(notebook, path)
    assert staleness.code_hash(path) == before
    notebook.cells[1].source = "steps = 4\nseed = 0"
    nbformat.write(notebook, path)
    assert staleness.code_hash(path) != before


def test_package_comments_and_docstrings_do_not_change_the_hash(
    tmp_path, package
):
    path = write_book(tmp_path)
    before = staleness.code_hash(path)
    change(
        package / "losses.py", '"""One minus the mean', '"""1 minus the mean'
    )
    change(
        package / "losses.py",
        "    check_shape(",
        "    # a comment\n    check_shape(",
    )
    assert staleness.code_hash(path) == before


@pytest.mark.parametrize(
    ("module", "old", "new", "counts"),
    [
        ("losses.py", "return 1 - F", "return 2 - F", True),
        (
            "runtime.py",
            "tensor.ndim ==",
            "tensor.ndim !=",
            True,
        ),  # by cosine_loss
        ("runtime.py", "number < 1", "number < 2", False),  # not reached
        ("losses.py", "def cosine", "def f():\n    ...\n\n\ndef cosine", False),
        ("probes.py", "dim=-1", "dim=1", False),  # not imported
    ],
)
def test_package_code_counts_where_it_is_used(
    tmp_path, package, module, old, new, counts
):
    path = write_book(tmp_path)
    before = staleness.code_hash(path)
    change(package / module, old, new)
    assert (staleness.code_hash(path) != before) == counts


def test_explorer_code_counts_where_widgets_are_used(tmp_path, package):
    path = write_book(tmp_path, "from jepa_tutorial.widgets import Explorer")
    before = staleness.code_hash(path)
    change(package / "explorer.js", "Pause", "Stop")
    assert staleness.code_hash(path) != before


def test_import_of_a_module_from_the_package_counts(tmp_path, package):
    path = write_book(tmp_path, "from jepa_tutorial import plots")
    before = staleness.code_hash(path)
    change(package / "plots.py", "window: int = 25", "window: int = 26")
    assert staleness.code_hash(path) != before


@pytest.mark.parametrize(
    ("statement", "old", "new", "counts"),
    [
        # A constant, through a function that uses it.
        ("from jepa_tutorial.plots import use_style", "ROUND", "SQUARE", True),
        ("from jepa_tutorial.plots import plot_loss", "ROUND", "SQUARE", False),
        # A class through an attribute, under another name.
        (
            "import jepa_tutorial.losses as ls\nls.cosine_loss",
            "1 - F",
            "2 - F",
            True,
        ),
        ("from jepa_tutorial import losses as ls", "1 - F", "2 - F", True),
    ],
)
def test_definitions_count_through_whatever_reaches_them(
    tmp_path, package, statement, old, new, counts
):
    plots = package / "plots.py"
    plots.write_text(plots.read_text() + '\n\nSHAPE = "ROUND"\n')
    change(plots, "def use_style() -> None:", "def use_style(s=SHAPE) -> None:")
    path = write_book(tmp_path, statement)
    before = staleness.code_hash(path)
    change(plots if old == "ROUND" else package / "losses.py", old, new)
    assert (staleness.code_hash(path) != before) == counts


def test_every_chapter_reaches_what_it_imports():
    for path in chapters.chapters(PACKAGE.parent / "book"):
        notebook = nbformat.read(path, as_version=4)
        cells = chapters.code_cells(notebook)
        source = staleness.without_magics("\n".join(c.source for c in cells))
        code = ast.parse(source)
        reached = staleness.reached(code, PACKAGE)
        for module, name in staleness.imports(code):
            found = [r for r in reached if r.startswith(f"{module}: ")]
            assert found, module
            assert name == "*" or any(repr(name) in r for r in found), name


def test_cells_that_only_show_do_not_count_in_a_study(tmp_path):
    path = write_book(tmp_path)
    before, study = (
        staleness.code_hash(path),
        staleness.code_hash(path, for_study=True),
    )
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source = "print('look again')"
    nbformat.write(notebook, path)
    assert staleness.code_hash(path) != before
    assert staleness.code_hash(path, for_study=True) == study


def test_magics_do_not_stop_the_hash(tmp_path):
    path = write_book(
        tmp_path, "import sys\nif sys:\n    %pip install x\n!ls\nx = 1"
    )
    assert len(staleness.code_hash(path)) == 16


def test_canonical_text_is_fixed():
    """The same text on all Python versions: this literal was made on 3.11."""
    tree = ast.parse(
        'def f(a, *, b=1):\n    "doc"\n    return f"{a}" if b else None\n'
    )
    text = staleness.canonical(staleness.without_docstrings(tree))
    assert text == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='a')], "
        "kwonlyargs=[arg(arg='b')], kw_defaults=[Constant(value=1)]), "
        "body=[Return(value=IfExp(test=Name(id='b', ctx=Load()), "
        "body=JoinedStr(values=[FormattedValue(value=Name(id='a', ctx=Load()), conversion=-1)]), "
        "orelse=Constant()))])])"
    )


def executed(path: Path) -> None:
    """Make the chapter look as if it had just been run."""
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(chapters.code_cells(notebook), start=1):
        cell.execution_count = number
    notebook.metadata[execution.OURS] = {"code_hash": staleness.code_hash(path)}
    nbformat.write(notebook, path)


def test_stale_names_the_notebook_and_the_command(tmp_path, package):
    path = write_book(tmp_path)
    assert (
        "cells that were never run: run `make run CHAPTER=01`"
        in verification.stale(path)
    )
    executed(path)
    assert verification.stale(path) is None
    change(package / "losses.py", "return 1 - F", "return 2 - F")
    message = verification.stale(path)
    assert "01_toy.ipynb" in message
    assert "`make run CHAPTER=01`" in message


def write_study(path: Path, seeds: list[int], code_hash: str) -> None:
    rows = [
        {"parameters": {"seed": s, "steps": 2}, "values": {}, "seconds": 1}
        for s in seeds
    ]
    studies.study_path(path).parent.mkdir(exist_ok=True)
    study = {"provenance": {"code_hash": code_hash}, "rows": rows}
    studies.study_path(path).write_text(json.dumps(study))


def test_stale_study_is_found(tmp_path):
    path = write_book(tmp_path)
    assert "never run: run `make study CHAPTER=01`" in verification.stale_study(
        path
    )
    now = staleness.code_hash(path, for_study=True)
    write_study(path, [0], now)
    assert "lacks 1 of its runs" in verification.stale_study(path)
    write_study(path, [0, 1], "0" * 16)
    assert "has changed since its study" in verification.stale_study(path)
    write_study(path, [0, 1], now)
    assert verification.stale_study(path) is None


def test_a_renewed_study_makes_the_chapter_that_shows_it_stale(tmp_path):
    path = write_book(tmp_path)
    write_study(path, [0], "1")
    executed(path)
    assert verification.stale(path) is None
    write_study(path, [0, 1], "1")
    assert verification.stale(path) is not None


def test_clean_drops_times_paths_bars_and_random_ids():
    widget = "b31e" * 8
    bundle = {
        "application/vnd.jupyter.widget-view+json": {"model_id": widget},
        "text/plain": "x",
    }
    outputs = [
        new_output("stream", name="stderr", text="bar"),
        new_output("display_data", bundle),
    ]
    cell = new_code_cell(
        "x", outputs=outputs, metadata={"papermill": {"a": 1}, "tags": ["t"]}
    )
    state = {
        "state": {widget: {"state": {}}},
        "version_major": 2,
        "version_minor": 0,
    }
    metadata = {
        "papermill": {"path": "here"},
        "widgets": {"application/vnd.jupyter.widget-state+json": state},
    }
    cleaned = execution.clean(new_notebook(cells=[cell], metadata=metadata))
    text = nbformat.writes(cleaned)
    assert widget not in text
    assert text.count("0" * 32) == 2
    assert "papermill" not in text
    assert [output.output_type for output in cleaned.cells[0].outputs] == [
        "display_data"
    ]
    assert cleaned.cells[0].metadata.tags == ["t"]


def test_find_chapter_takes_number_or_name_and_lists_what_there_is(tmp_path):
    path = write_book(tmp_path)
    for name in ("01", "1", "01_toy", "01_toy.ipynb"):
        assert chapters.find_chapter(tmp_path, name) == path
    with pytest.raises(
        chapters.ChapterError, match="must be one of 01_toy, or all; got '7'"
    ):
        chapters.find_chapter(tmp_path, "7")


def test_presets_and_timeouts(tmp_path):
    path = write_book(tmp_path)
    assert chapters.preset_parameters(path, "quick") == {"steps": 1}
    assert chapters.preset_parameters(path, "default") == {}
    with pytest.raises(
        ValueError, match="preset must be one of 'default', 'quick', 'full'"
    ):
        chapters.preset_parameters(path, "slow")
    assert chapters.cell_timeout(path, "default") == 600
    assert chapters.cell_timeout(path, "full") == 7200
    assert chapters.study_grid(path) == [
        {"seed": 0, "steps": 2},
        {"seed": 1, "steps": 2},
    ]


def test_write_in_place_keeps_the_old_file_when_writing_fails(
    tmp_path, monkeypatch
):
    path = tmp_path / "file.json"
    path.write_text("old")

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(notebooks.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        execution.write_in_place(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_a_study_may_be_several_grids(tmp_path):
    path = tmp_path / "01_toy.ipynb"
    grids = "[{seed: [0, 1]}, {seed: [0], steps: [2, 3]}]"
    (tmp_path / "presets.yaml").write_text(f"01_toy: {{study: {grids}}}")
    assert chapters.study_grid(path) == [
        {"seed": 0},
        {"seed": 1},
        {"seed": 0, "steps": 2},
        {"seed": 0, "steps": 3},
    ]
