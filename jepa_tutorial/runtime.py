"""What every chapter needs around the model: seeds, device, checks, progress, reports."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Collection, Iterable, Iterator
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from IPython.display import display
from torch import Tensor
from tqdm import tqdm

Item = TypeVar("Item")

RECORD = "application/papermill.record/"  # the prefix that hides a stored value from readers


def set_seed(seed: int) -> torch.Generator:
    """Seed Python, NumPy and PyTorch, and return a generator with the same seed.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, the range that NumPy accepts.

    Returns
    -------
    torch.Generator
        On the CPU, for data that should not depend on what else draws random numbers.

    Raises
    ------
    ValueError
        If ``seed`` is not an integer in the range.
    """
    if (
        not isinstance(seed, Integral)
        or isinstance(seed, bool)
        or not 0 <= seed < 2**32
    ):
        raise ValueError(
            f"seed must be an integer from 0 to {2**32 - 1}, got {seed!r}"
        )
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  scikit-learn draws from the global generator
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def pick_device() -> torch.device:
    """Return the GPU if PyTorch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def progress(items: Iterable[Item], description: str) -> Iterator[Item]:
    """Pass items through and show a text progress bar on standard error.

    A text bar, because a widget bar would stay in the stored notebook and on the page.
    """
    return iter(
        tqdm(
            items,
            desc=description,
            file=sys.stderr,
            mininterval=0.5,
            leave=False,
        )
    )


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
        raise ValueError(
            f"value of {name} must be a finite number, got {value!r}"
        )
    print(
        f"{name} = {value:.4g}"
        if isinstance(value, float)
        else f"{name} = {value}"
    )
    display(
        {RECORD + "text/plain": repr(value)},
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": RECORD}},
    )


def check_shape(pattern: str, /, **tensors: Tensor) -> None:
    """Check that tensors have the named dimensions, and that equal names have equal sizes.

    Parameters
    ----------
    pattern : str
        Dimensions in order, parted by spaces. A letter stands for any size, the same in all
        tensors of one call; a number stands for itself: ``"B T 2"``.
    **tensors : Tensor
        The tensors, by the name that the error should use.

    Raises
    ------
    ValueError
        If a shape does not fit. Names the argument, the expected and the given shape.

    Examples
    --------
    >>> check_shape("B T D", x=torch.zeros(8, 20, 2))
    """
    dimensions = pattern.split()
    sizes: dict[str, int] = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(
                f"{name} must be a tensor ({pattern}), got {type(tensor).__name__}"
            )
        expected = "(" + ", ".join(dimensions) + ")"
        known = ", ".join(f"{key} = {size}" for key, size in sizes.items())
        fits = tensor.ndim == len(dimensions) and all(
            size == (int(key) if key.isdigit() else sizes.setdefault(key, size))
            for key, size in zip(dimensions, tensor.shape, strict=True)
        )
        if not fits:
            where = f" with {known}" if known else ""
            raise ValueError(
                f"{name} must have the shape {expected}{where}, got {tuple(tensor.shape)}"
            )


def check_batch(**latents: Tensor) -> None:
    """Check that batches are ``(B, Z)``, of one shape, with at least two samples.

    Raises
    ------
    ValueError
        Names the argument, what was given and what is accepted.
    """
    check_shape("B Z", **latents)
    for name, z in latents.items():
        if len(z) < 2:
            raise ValueError(
                f"{name} must hold a batch of at least 2 samples, got {len(z)}: "
                "one sample has no variance"
            )


def check_positive(**numbers: int) -> None:
    """Check that counts are integers of at least 1.

    Raises
    ------
    ValueError
        Names the argument and what was given.
    """
    for name, number in numbers.items():
        if (
            not isinstance(number, Integral)
            or isinstance(number, bool)
            or number < 1
        ):
            raise ValueError(
                f"{name} must be an integer of at least 1, got {number!r}"
            )


def check_multiple(of: int, /, **numbers: int) -> None:
    """Check that counts are integers of at least 1 that a number divides.

    Raises
    ------
    ValueError
        Names the argument, what was given and the divisor.
    """
    check_positive(**numbers)
    for name, number in numbers.items():
        if number % of:
            raise ValueError(f"{name} must be a multiple of {of}, got {number}")


def check_range(low: float, high: float, /, **numbers: float) -> None:
    """Check that numbers lie in the closed range from ``low`` to ``high``.

    Raises
    ------
    ValueError
        Names the argument, what was given and the range. NaN is never in range.
    """
    for name, number in numbers.items():
        if (
            not isinstance(number, Real)
            or isinstance(number, bool)
            or not low <= number <= high
        ):
            raise ValueError(
                f"{name} must be a number from {low} to {high}, got {number!r}"
            )


def check_choice(accepted: Collection[str], /, **choices: str) -> None:
    """Check that each value is one of the accepted ones.

    Raises
    ------
    ValueError
        Names the argument, what was given and what is accepted.
    """
    for name, choice in choices.items():
        if choice not in accepted:
            listed = ", ".join(repr(item) for item in accepted)
            raise ValueError(f"{name} must be one of {listed}, got {choice!r}")


def book_folder() -> Path:
    """Return the folder with the notebooks, presets and stored results.

    In a checkout that is ``book/`` beside the package; an installed wheel carries a copy.

    Raises
    ------
    FileNotFoundError
        If neither is there.
    """
    package = Path(__file__).parent
    for folder in (package.parent / "book", package / "_book"):
        if (folder / "presets.yaml").is_file():
            return folder
    raise FileNotFoundError(
        "The book's notebooks were not found beside the package: install jepa-tutorial again, "
        "or name the folder with --book"
    )


def stored_study(chapter: str) -> dict[str, Any]:
    """Read a chapter's stored study: its provenance and one row of results per run.

    Parameters
    ----------
    chapter : str
        The notebook's name without its ending, such as ``"01_trajectories"``.

    Returns
    -------
    dict
        ``provenance`` (device, date, versions, code hash) and ``rows``, a list with the
        ``parameters`` and the reported ``values`` of each run.

    Raises
    ------
    FileNotFoundError
        If the study was not run. Says how to run it.
    """
    path = book_folder() / "results" / f"{chapter}.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"No stored study for {chapter}: make one with `jepa-tutorial study {chapter}`"
        )
    return json.loads(path.read_text(encoding="utf-8"))
