"""What every chapter needs before it computes: seeds, threads, a device, a precision."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from jepa_tutorial.checks import HALF

Computation = TypeVar("Computation", bound=Callable[..., Any])
SEEDS = 2**32  # what NumPy and PyTorch's generator tell apart
SET_SEEDS = 2**20  # seeds that one set of data may use
THREADS = 1  # small models compute no faster with more: see benchmarks/threads.py


class SetSeeds(NamedTuple):
    """Where the seeds of each set of data begin; each may use ``SET_SEEDS`` of them."""

    train: int
    validation: int
    test: int


def check_seed(seed: int, seeds: int = SEEDS) -> int:
    """Check that a seed is an integer from 0 to below ``seeds``, and return it as an int.

    PyTorch's generators accept larger ones and cut them off, so that two seeds are one.

    Raises
    ------
    ValueError
        Names what was given and the range.
    """
    if (
        not isinstance(seed, Integral)
        or isinstance(seed, bool)
        or not 0 <= seed < seeds
    ):
        raise ValueError(f"seed must be an integer from 0 to {seeds - 1}, got {seed!r}")
    return int(seed)


def new_generator(seed: int) -> torch.Generator:
    """Return a generator on the CPU that draws from this seed.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1: the generator would cut off a larger one.

    Raises
    ------
    ValueError
        If ``seed`` is not an integer in the range.
    """
    return torch.Generator().manual_seed(check_seed(seed))


def deal_seeds(seed: int) -> SetSeeds:
    """Deal out the seeds of the training, validation and test set of a run.

    No two sets of one run or of different runs share a seed, also where each sample of a set
    has a seed of its own.

    Parameters
    ----------
    seed : int
        Of the run, from 0 to 1364: there are no more ranges.

    Returns
    -------
    SetSeeds
        The first seed of each set; ``SET_SEEDS`` of them belong to it.

    Raises
    ------
    ValueError
        If ``seed`` is not an integer in the range.
    """
    first = 3 * check_seed(seed, SEEDS // (3 * SET_SEEDS))
    return SetSeeds(*(SET_SEEDS * (first + number) for number in range(3)))


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
    seed = check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  scikit-learn draws from the global generator
    torch.manual_seed(seed)
    return new_generator(seed)


def limit_threads() -> None:
    """Compute with ``THREADS`` threads, wherever a chapter runs, so that its numbers agree.

    Threads wait for each other in busy loops: on a machine that does anything else, more of them
    make small models many times slower.
    """
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(THREADS)
    threadpool_limits(THREADS)  # the linear algebra under NumPy and SciPy


def pick_device() -> torch.device:
    """Return the GPU if PyTorch sees one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def in_float32(compute: Computation) -> Computation:
    """Let a function take tensors of half precision as float32.

    In float16 a number above 65,504 is infinite, and the small ones that keep a quotient finite
    are zero. Call losses outside of ``torch.autocast``, which turns products back.

    Parameters
    ----------
    compute : callable
        A function of tensors.

    Returns
    -------
    callable
        The same function; other types stay as they are.
    """

    def widen(value: Any) -> Any:
        half = isinstance(value, Tensor) and value.dtype in HALF
        return value.float() if half else value

    @functools.wraps(compute)
    def computed(*args: Any, **named: Any) -> Any:
        named = {name: widen(value) for name, value in named.items()}
        return compute(*map(widen, args), **named)

    return computed  # type: ignore[return-value]
