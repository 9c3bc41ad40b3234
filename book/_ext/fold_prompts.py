"""Sphinx extension: a folded cell says what is in it."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def content(cell: nodes.container) -> str:
    """Name what a folded cell holds."""
    if "setup" in cell["cell_metadata"].get("tags", []):
        return "the setup"
    if cell["hide_mode"] == "all":
        return "the code and its output"
    return "the plotting code" if any(cell.findall(nodes.image)) else "the code"


def name_folds(app: Sphinx, doctree: nodes.document) -> None:
    """Replace MyST-NB's prompts, before it turns them into what unfolds."""
    for cell in doctree.findall(nodes.container):
        if "hide_mode" in cell:
            cell["prompt_show"] = f"Show {content(cell)}"
            cell["prompt_hide"] = f"Hide {content(cell)}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page has been read."""
    app.connect("doctree-read", name_folds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
