"""Give the live figures that notebooks carry the package's present JavaScript and styles.

A notebook keeps a copy with each figure, so that it works by itself. What a figure shows stays.
"""

import importlib
from pathlib import Path
from typing import Any

import nbformat

from jepa_tutorial.files import write_text

BOOK = Path(__file__).resolve().parents[1] / "book"
STATE = "application/vnd.jupyter.widget-state+json"


def figures(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """Return the state of each live figure that a notebook carries."""
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    return [model.state for model in models.values() if "_esm" in model.state]


def present(figure: dict[str, Any]) -> dict[str, str]:
    """Return the JavaScript and the styles that the package has for a figure."""
    module, _, name = figure["_anywidget_id"].rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    return {key: str(getattr(kind, key)) for key in ("_esm", "_css")}


def main() -> None:
    """Renew and say where."""
    for path in sorted(BOOK.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        before = nbformat.writes(notebook)
        for figure in figures(notebook):
            figure.update(present(figure))
        if nbformat.writes(notebook) != before:
            write_text(path, nbformat.writes(notebook) + "\n")
            print(f"{path.name}: renewed")


if __name__ == "__main__":
    main()
