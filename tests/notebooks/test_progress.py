"""What a progress bar leaves in a notebook: nothing that a reader sees."""

from __future__ import annotations

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from jepa_tutorial.publishing.execution import KERNEL, clean

CELL = """
from jepa_tutorial.reports import progress
for i in progress(range(3), "counting"):
    print(i)
"""


def test_no_empty_bar_is_left():
    cells, metadata = [new_code_cell(CELL)], {"kernelspec": KERNEL}
    notebook = new_notebook(cells=cells, metadata=metadata)
    NotebookClient(notebook).execute()
    outputs = notebook.cells[0].outputs
    assert [output.get("name") for output in outputs] == [None, "stdout"]
    assert outputs[0].data == {"text/plain": ""}  # shown while it counted
    (kept,) = clean(notebook).cells[0].outputs
    assert kept.text == "0\n1\n2\n"
