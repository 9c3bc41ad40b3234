"""Checks of arguments: an error names the argument, what was given and what is accepted."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real

import torch
from torch import Tensor, nn

HALF = torch.float16, torch.bfloat16  # types of half precision


def check_shape(pattern: str, /, **tensors: Tensor) -> None:
    """Check that tensors have the named dimensions, equal names with equal sizes, on one device.

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
        If a shape or a device does not fit. Names the argument, what was expected and given.

    Examples
    --------
    >>> check_shape("B T D", x=torch.zeros(8, 20, 2))
    """
    dimensions = pattern.split()
    sizes: dict[str, int] = {}
    devices: dict[torch.device, str] = {}
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
        devices.setdefault(tensor.device, name)
    if len(devices) > 1:
        places = ", ".join(f"{name} on {device}" for device, name in devices.items())
        raise ValueError(f"all tensors must be on one device, got {places}")


def check_batch(pattern: str, least: int, /, **batches: Tensor) -> None:
    """Check that batches have the named dimensions, numbers of a float type, and enough samples.

    Parameters
    ----------
    pattern : str
        As in `check_shape`; samples come first.
    least : int
        How many samples a batch must have: one has a mean, and two have a variance.
    **batches : Tensor
        The batches, by the name that the error should use.

    Raises
    ------
    ValueError
        Names the argument, what was given and what is accepted.
    """
    check_shape(pattern, **batches)
    for name, z in batches.items():
        if not z.is_floating_point():
            raise ValueError(f"{name} must hold numbers of a float type, got {z.dtype}")
        if len(z) < least:
            raise ValueError(
                f"{name} must hold a batch of at least {least} samples, got {len(z)}"
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


def check_positive(most: float = math.inf, /, **numbers: int) -> None:
    """Check that counts are integers of at least 1, and at most ``most``.

    Raises
    ------
    ValueError
        Names the argument, what was given and what is accepted.
    """
    for name, number in numbers.items():
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or not 1 <= number <= most:
            raise ValueError(
                f"{name} must be an integer {limits(1, most)}, got {number!r}"
            )


def check_draw(generator: torch.Generator, /, **numbers: int) -> None:
    """Check the source of randomness, and that counts are integers of at least 1.

    PyTorch takes None for its global generator, whose numbers depend on all that drew before.

    Raises
    ------
    ValueError
        Names the argument and what was given.
    """
    check_type(torch.Generator, generator=generator)
    check_positive(**numbers)


def check_type(accepted: type, /, **values: object) -> None:
    """Check that values are of a type.

    Raises
    ------
    ValueError
        Names the argument, what was given and the type.
    """
    for name, value in values.items():
        if not isinstance(value, accepted):
            raise ValueError(f"{name} must be a {accepted.__name__}, got {value!r}")


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
    """Check that numbers are finite and lie in the closed range from ``low`` to ``high``.

    Raises
    ------
    ValueError
        Names the argument, what was given and the range.
    """
    for name, number in numbers.items():
        real = isinstance(number, Real) and not isinstance(number, bool)
        if not real or not math.isfinite(number) or not low <= number <= high:
            raise ValueError(
                f"{name} must be a number {limits(low, high)}, got {number!r}"
            )


def limits(low: float, high: float) -> str:
    """Say in words what a range is."""
    return f"of at least {low}" if high == math.inf else f"from {low} to {high}"


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


def check_averaged(**networks: nn.Module) -> None:
    """Check that a network can be copied, and that a moving average of its weights moves.

    `copy.deepcopy` refuses a tensor that autograd computed from weights, and half precision rounds
    small moves away.

    Raises
    ------
    ValueError
        Names the argument, what is wrong with it and the remedy.
    """
    for name, network in networks.items():
        for part in network.modules():
            for held, value in vars(part).items():
                if isinstance(value, Tensor) and not value.is_leaf:
                    raise ValueError(
                        f"{name} must be a network that can be copied, got one that keeps a "
                        f"computed {held!r}: for weight normalization use "
                        "torch.nn.utils.parametrizations.weight_norm"
                    )
        for weight in network.parameters():
            if weight.dtype in HALF:
                raise ValueError(
                    f"{name} must have weights in float32, got {weight.dtype}, whose average "
                    "does not move: keep them in float32 and use torch.autocast"
                )
