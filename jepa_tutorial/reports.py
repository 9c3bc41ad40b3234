"""What a chapter shows while and after it computes: progress, and results by name."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from numbers import Real
from typing import Any, TypeVar

Item = TypeVar("Item")

# The prefix that hides a stored value from readers.
RECORD = "application/papermill.record/"
PROGRESS = "jepa_tutorial_progress"


class Display:
    """A place in a notebook's output that shows the last text written to it.

    What is written to standard error there leaves an empty red bar behind.
    """

    def __init__(self) -> None:
        from IPython.display import display  # only a notebook has it already

        self.display: Any = display
        self.handle: Any = None

    def write(self, text: str) -> None:
        """Show a text, without the characters that move a terminal's cursor."""
        bundle = {"text/plain": text.strip()}
        options = {"raw": True, "metadata": {PROGRESS: True}}
        if self.handle:
            self.handle.update(bundle, **options)
        elif bundle["text/plain"]:
            self.handle = self.display(bundle, display_id=True, **options)

    def flush(self) -> None:
        """Do nothing: a text is shown at once."""


def progress(items: Iterable[Item], description: str) -> Iterator[Item]:
    """Pass items through and show a text progress bar, which goes when they end.

    A text bar, because a widget bar would stay in the stored notebook and on the page.
    """
    from tqdm import tqdm  # only a loop needs it

    place = Display() if in_notebook() else sys.stderr
    bar = tqdm(items, desc=description, file=place, mininterval=0.5, leave=False)
    return iter(bar)


def in_notebook() -> bool:
    """Tell whether output goes to a notebook."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")


def report(name: str, value: float | int | str | bool) -> None:
    """Show a result and store it with the notebook under its name.

    The first output is for the reader. The second is hidden; it has the form that MyST-NB's
    ``glue`` reads, so that a page or a test can find the value by its name.

    Parameters
    ----------
    name : str
        A Python identifier, such as ``"mean_cosine"``.
    value : float, int, str or bool
        The result. Numbers are shown with four significant digits and stored in full.

    Raises
    ------
    ValueError
        If ``name`` is not an identifier, or ``value`` is of another type or not finite.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(
            f"name must be an identifier such as 'mean_cosine', got {name!r}"
        )
    if isinstance(value, Real) and not isinstance(value, (bool, int)):
        value = float(value)
    if not isinstance(value, (float, int, str, bool)) or value in (
        float("inf"),
        -float("inf"),
    ):
        raise ValueError(
            f"value of {name} must be a finite number, text or bool, got {value!r}"
        )
    if value != value:
        raise ValueError(f"value of {name} must be a finite number, got {value!r}")
    from IPython.display import display  # not every program that imports us has it

    print(f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}")
    display(
        {RECORD + "text/plain": repr(value)},
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": RECORD}},
    )


def report_table(
    rows: Mapping[str, Mapping[str, float | int | bool]], show: bool = True
) -> None:
    """Store many results as ``column_row`` and show them as one table, or not at all.

    Parameters
    ----------
    rows : dict of str to dict of str to value
        By the name of the row, results by the name of the column.
    show : bool
        Whether to print the table; False where a figure shows the values.

    Raises
    ------
    ValueError
        As in `report`.
    """
    width = max(map(len, rows))
    columns = {name: max(10, len(name) + 2) for name in next(iter(rows.values()))}
    lines = [" " * width + "".join(f"{name:>{size}}" for name, size in columns.items())]
    for row, values in rows.items():
        with contextlib.redirect_stdout(io.StringIO()):  # the table shows them
            for column, value in values.items():
                report(f"{column}_{row}".replace(" ", "_"), value)
        shown = (f"{values[name]:>{size}.3g}" for name, size in columns.items())
        lines.append(f"{row:{width}}" + "".join(shown))
    if show:
        print("\n".join(lines))
