"""Chapters, their presets, and what is kept of an execution, without a kernel."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from toy import write_book

from jepa_tutorial.publishing import chapters, execution
from jepa_tutorial.reports import PROGRESS


def test_clean_drops_times_paths_bars_and_random_ids():
    widget = "b31e" * 8
    bundle = {
        "application/vnd.jupyter.widget-view+json": {"model_id": widget},
        "text/plain": "x",
    }
    outputs = [
        new_output("stream", name="stderr", text="bar"),
        new_output("display_data", {"text/plain": ""}, metadata={PROGRESS: True}),
        new_output("display_data", bundle),
    ]
    cell = new_code_cell(
        "x", outputs=outputs, metadata={"papermill": {"a": 1}, "tags": ["t"]}
    )
    state = {"state": {widget: {"state": {}}}, "version_major": 2, "version_minor": 0}
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


def test_a_chapter_is_found_by_number_or_name_else_all_are_listed(tmp_path):
    path = write_book(tmp_path)
    for name in ("01", "1", "01_toy", "01_toy.ipynb", "all"):
        assert chapters.find_chapters(tmp_path, name) == [path]
    for name in ("7", ""):
        message = f"must be one of 01_toy, or all; got '{name}'"
        with pytest.raises(chapters.ChapterError, match=message):
            chapters.find_chapters(tmp_path, name)


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
        {"seed": seed, "steps": 3} for seed in range(3)
    ]


def test_a_study_may_be_several_grids(tmp_path):
    path = tmp_path / "01_toy.ipynb"
    grids = "[{seed: [0, 1]}, {seed: [0], steps: [2, 3]}]"
    (tmp_path / "presets.yaml").write_text(f"01_toy: {{budget_s: 1, study: {grids}}}")
    assert chapters.study_grid(path) == [
        {"seed": 0},
        {"seed": 1},
        {"seed": 0, "steps": 2},
        {"seed": 0, "steps": 3},
    ]


def test_a_chapter_opens_with_the_figure_that_it_ends_with():
    figure = [new_output("display_data", {"image/png": "x"})]
    first = new_code_cell("", metadata={"tags": ["opening", "skip-study"]})
    last = new_code_cell("draw()", outputs=figure, metadata={"tags": ["finale"]})
    notebook = new_notebook(cells=[first, new_code_cell("1"), last])
    execution.open_with_finale(notebook)
    assert first.outputs == figure
    execution.open_with_finale(new_notebook(cells=[last]))  # without an opening
