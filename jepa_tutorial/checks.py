"""Checks of arguments: an error names the argument, what was given and what is accepted."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral, Real

from torch import Tensor


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


def check_finite(**tensors: Tensor) -> None:
    """Check that tensors hold finite numbers only.

    Raises
    ------
    ValueError
        Names the argument, and how many of its numbers are not finite.
    """
    for name, tensor in tensors.items():
        bad = tensor.numel() - int(tensor.isfinite().sum())
        if bad:
            raise ValueError(
                f"{name} must hold finite numbers, got {bad} of {tensor.numel()} that are not"
            )


def check_positive(**numbers: int) -> None:
    """Check that counts are integers of at least 1.

    Raises
    ------
    ValueError
        Names the argument and what was given.
    """
    for name, number in numbers.items():
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {number!r}")


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
