"""Sphinx extension: a playground in a page of Markdown, by ```` ```{playground} full ````.

The page carries the figure as a notebook does, widget and state, and `widget_loader.js` shows it
from a web host and from a file alike. Its first frame and a sentence stand in its place where no
script runs, and in print.
"""

from __future__ import annotations

import base64
import html
import json
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from ipywidgets.embed import embed_data
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from jepa_tutorial.widgets.playground import TITLES, Playground

KIND = "application/vnd.jupyter.widget-{}+json"
SENTENCE = (
    "This figure moves where JavaScript may run: it trains two small models in the page. "
    "The picture shows what they become."
)


def script(kind: str, content: Any) -> str:
    """Return a script of data, in which no text can end it."""
    text = json.dumps(content).replace("<", "\\u003c")
    return f'<script type="{KIND.format(kind)}">{text}</script>'


class PlaygroundDirective(SphinxDirective):
    """Put a playground of the named kind here, one to a page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return it as HTML."""
        kind = directives.choice(self.arguments[0], tuple(TITLES))
        if self.env.metadata[self.env.docname].get("playground"):
            raise self.error("a page can have one playground")
        self.env.metadata[self.env.docname]["playground"] = kind
        figure = Playground(kind, linked=kind == "full")
        models = embed_data([figure], drop_defaults=False)["manager_state"]
        picture = base64.b64encode(figure.first).decode()
        text = (
            '<div class="playground-place">'
            f'<div class="live-first"><img alt="{html.escape(figure.alt)}" width="660" '
            f'src="data:image/png;base64,{picture}"><p>{SENTENCE}</p></div>'
            f"{script('view', {'model_id': figure.model_id})}</div>"
            f"{script('state', models)}"
        )
        return [nodes.raw("", text, format="html")]


def add_loader(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load what shows the figure, on pages that have one."""
    if "playground" in app.env.metadata.get(page, {}):
        app.add_js_file("widget_loader.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run when pages are read and written."""
    app.add_directive("playground", PlaygroundDirective)
    app.connect("html-page-context", add_loader)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
