"""Sphinx extension: leave MathJax out of pages without mathematics.

Sphinx loads it also on a page whose table of contents leads to mathematics, and so on the
landing page, which is to stay light.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def drop_mathjax(
    app: Sphinx,
    page: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Take MathJax's scripts off the page's list if the page has no mathematics."""
    if (
        doctree is None
        or any(doctree.findall(nodes.math))
        or any(doctree.findall(nodes.math_block))
    ):
        return
    context["script_files"] = [
        script for script in context["script_files"] if not is_mathjax(script)
    ]


def is_mathjax(script: Any) -> bool:
    """Tell whether a script is MathJax or its settings."""
    text = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', '')}"
    return "mathjax" in text.lower()


def setup(app: Sphinx) -> dict[str, bool]:
    """Run after Sphinx's own handler, which puts the scripts on the list."""
    app.connect("html-page-context", drop_mathjax, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
