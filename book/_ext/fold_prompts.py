"""Sphinx extension: a folded cell says what is in it, by its tags."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

FOLDED = {
    "input": "the plotting code",
    "output": "the output",
    "all": "the code and its output",
}


def name_folds(app: Sphinx, doctree: nodes.document) -> None:
    """Replace MyST-NB's prompts, before it turns them into what unfolds."""
    for cell in doctree.findall(nodes.container):
        if "hide_mode" not in cell:
            continue
        tags = cell["cell_metadata"].get("tags", [])
        what = "the setup" if "setup" in tags else FOLDED.get(cell["hide_mode"])
        if what:
            cell["prompt_show"], cell["prompt_hide"] = f"Show {what}", f"Hide {what}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page has been read."""
    app.connect("doctree-read", name_folds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
