"""Sphinx extension: leave out the anchors that a notebook has for JupyterLab.

There, `[...](#break-it)` finds no heading, since JupyterLab names it `Break-it`; so a heading
that is linked has `<a id="break-it"></a>` on the line above. On the page, the heading has that id.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

ANCHOR = re.compile(r'<a id="[\w-]+"></a>')


def drop_anchors(app: Sphinx, doctree: nodes.document) -> None:
    """Remove paragraphs that are such an anchor and nothing else."""
    for paragraph in [*doctree.findall(nodes.paragraph)]:
        raw = all(isinstance(child, nodes.raw) for child in paragraph)
        if raw and ANCHOR.fullmatch(paragraph.astext()):
            paragraph.parent.remove(paragraph)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when a page has been read."""
    app.connect("doctree-read", drop_anchors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
