"""Sphinx extension: a folded cell says what is in it, and a run of them is one fold."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx


def content(cell: nodes.container) -> str:
    """Name what a folded cell holds."""
    if "setup" in cell["cell_metadata"].get("tags", []):
        return "the setup"
    if cell["hide_mode"] == "all":
        return "the code and its output"
    if any(cell.findall(nodes.image)):
        return "the plotting code"
    count = len(cell.children[0].children)
    return "the code" if count == 1 else f"the code ({count} cells)"


def is_silent(node: nodes.Node) -> bool:
    """Tell whether a node is a cell whose code is folded and which shows nothing."""
    return (
        isinstance(node, nodes.container)
        and node.get("hide_mode") == "input"
        and "setup" not in node["cell_metadata"]["tags"]
        and len(node.children) == 1
    )


def join_folds(doctree: nodes.document) -> None:
    """Put the code of folded cells that follow each other, and show nothing, into one fold."""
    for cell in list(doctree.findall(is_silent)):
        place = cell.parent.index(cell)
        before = cell.parent[place - 1] if place else None
        if before is not None and is_silent(before):
            before.children[0].extend(cell.children[0].children)
            cell.parent.remove(cell)


def name_folds(app: Sphinx, doctree: nodes.document) -> None:
    """Replace MyST-NB's prompts, before it turns them into what unfolds."""
    join_folds(doctree)
    for cell in doctree.findall(nodes.container):
        if "hide_mode" in cell:
            cell["prompt_show"] = f"Show {content(cell)}"
            cell["prompt_hide"] = f"Hide {content(cell)}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page has been read."""
    app.connect("doctree-read", name_folds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
