"""Sphinx extension: a notebook whose live figures have lost their data is not built in silence.

Colab saves a notebook in this way: the figures' data without the key under which they are looked
for. The page would show a sentence in place of each figure.
"""

from __future__ import annotations

import json

from sphinx.application import Sphinx
from sphinx.util import logging

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def warn_of_lost_data(app: Sphinx, page: str, source: list[str]) -> None:
    """Compare the figures that a notebook shows with those whose data it carries."""
    if not str(app.env.doc2path(page)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    carried = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    shown = [
        out["data"][VIEW]["model_id"] for out in outputs if VIEW in out.get("data", {})
    ]
    if lost := [model for model in shown if model not in carried]:
        logging.getLogger(__name__).warning(
            "%d of %d live figures have no data: Colab saved this notebook without them. "
            "Restore it by Git, or run it again (`jepa-tutorial run CHAPTER --store`).",
            len(lost),
            len(shown),
            location=page,
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before a page is parsed."""
    app.connect("source-read", warn_of_lost_data)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
