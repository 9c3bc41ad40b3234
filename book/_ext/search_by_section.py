"""Sphinx extension: search finds sections, terms and functions, instead of whole pages.

It writes what there is to find to `sections.js`, which `search_sections.js` ranks. Sphinx's own
search page, stemmer and highlighter do the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

FOUND = (nodes.section, addnodes.desc, nodes.definition_list_item)
NO_PROSE = (nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.comment)


def prose(node: nodes.Node) -> str:
    """Return the text of a node, without code, formulas, and what is found by itself."""
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, (*FOUND, *NO_PROSE)):
        return ""
    text = "".join(map(prose, node.children))
    return text if isinstance(node, nodes.Inline) else f" {text} "


def found_in(doctree: nodes.document) -> Iterator[tuple[str, str, str]]:
    """Yield anchor, title and text of all that can be found on a page."""
    for node in doctree.findall(lambda node: isinstance(node, FOUND)):
        title, *rest = node.children
        anchors = node["ids"] or title.get("ids", [])
        if not anchors:
            continue
        name = title.get("fullname", title.astext())
        yield anchors[0], name, " ".join("".join(map(prose, rest)).split())


def write_sections(app: Sphinx, exception: Exception | None) -> None:
    """Write all sections of all pages, as a script, since a page on disk cannot fetch."""
    if exception or app.builder.format != "html":
        return
    pages = {name: app.env.get_doctree(name) for name in sorted(app.env.found_docs)}
    sections = [
        [app.builder.get_target_uri(name), app.env.titles[name].astext(), *found]
        for name, doctree in pages.items()
        for found in found_in(doctree)
    ]
    script = f"const SECTIONS = {json.dumps(sections, ensure_ascii=False)};\n"
    path = Path(app.outdir) / "_static" / "sections.js"
    path.write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when all pages are written."""
    app.connect("build-finished", write_sections)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
