"""Windows: stretches of a trajectory, cut into what is known and what is to be predicted."""

from __future__ import annotations

import torch
from torch import Tensor

from jepa_tutorial.checks import check_batch, check_draw, check_positive, check_shape


def split_window(x: Tensor, context_len: int, target_len: int) -> tuple[Tensor, Tensor]:
    """Cut a window into its past, the context, and its future, the target.

    Parameters
    ----------
    x : Tensor
        Trajectories, ``(B, T, D)``.
    context_len, target_len : int
        Steps in each part.

    Returns
    -------
    x_context, x_target : Tensor
        The first steps, ``(B, context_len, D)``, and those after them, ``(B, target_len, D)``.

    Raises
    ------
    ValueError
        If the window does not fit into the trajectories.
    """
    check_shape("B T D", x=x)
    check_positive(context_len=context_len, target_len=target_len)
    check_positive(x.shape[1], window=context_len + target_len)
    return x[:, :context_len], x[:, context_len : context_len + target_len]


def history_windows(x: Tensor, history_length: int) -> Tensor:
    """All windows of some successive observations.

    Parameters
    ----------
    x : Tensor
        Trajectories, ``(N, T, ...)``: vectors or frames.
    history_length : int
        Observations in a window, L.

    Returns
    -------
    Tensor
        ``(N, T - L + 1, L, ...)``; a view, so it takes no memory. Window t ends with
        observation ``t + L - 1``.

    Raises
    ------
    ValueError
        If the history is below 1 or longer than the trajectories.
    """
    check_positive(x.shape[1], history_length=history_length)
    return x.unfold(1, history_length, 1).movedim(-1, 2)


def draw_window(
    x: Tensor,
    batch_size: int,
    context_len: int,
    target_len: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Draw a window of random trajectories, cut at a random step, the same for all.

    Parameters
    ----------
    x : Tensor
        Trajectories, ``(N, T, D)``.
    batch_size : int
        How many, B, drawn with replacement.
    context_len, target_len : int
        Steps in each part.
    generator : torch.Generator
        The source of randomness, on the CPU.

    Returns
    -------
    x_context, x_target : Tensor
        See `split_window`.

    Raises
    ------
    ValueError
        If a size is below 1, the window does not fit, there are no trajectories or their type is
        no float type, or the generator is none.
    """
    check_batch("N T D", 1, x=x)
    check_draw(generator, batch_size=batch_size)
    check_positive(context_len=context_len, target_len=target_len)
    check_positive(x.shape[1], window=context_len + target_len)
    last_start = x.shape[1] - context_len - target_len
    rows = torch.randint(len(x), (batch_size,), generator=generator)
    start = int(torch.randint(last_start + 1, (1,), generator=generator))
    return split_window(x[rows, start:], context_len, target_len)


def draw_stretches(
    windows: Tensor,
    batch_size: int,
    length: int,
    generator: torch.Generator,
    actions: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Draw stretches of successive windows, each from a random trajectory and start.

    Parameters
    ----------
    windows : Tensor
        All windows of all trajectories, ``(N, T, ...)``; see `history_windows`.
    batch_size, length : int
        How many stretches, B, and windows in each, S.
    generator : torch.Generator
        The source of randomness, on the CPU.
    actions : Tensor, optional
        What was done between those windows, ``(N, T - 1, A)``.

    Returns
    -------
    tuple of Tensor
        ``(B, S, ...)``, and ``(B, S - 1, A)`` if there are actions.

    Raises
    ------
    ValueError
        If a size is below 1, the stretch does not fit, there are no trajectories, the actions are
        not those between the windows, or the generator is none.
    """
    check_draw(generator, batch_size=batch_size, windows=len(windows))
    check_positive(windows.shape[1], length=length)
    row = torch.randint(len(windows), (batch_size, 1), generator=generator)
    last_start = windows.shape[1] - length
    start = torch.randint(last_start + 1, row.shape, generator=generator)
    at = start + torch.arange(length)  # (B, S)
    if actions is None:
        return (windows[row, at],)
    check_shape(f"{len(windows)} {windows.shape[1] - 1} A", actions=actions)
    return windows[row, at], actions[row, at[:, :-1]]


def to_float(frames: Tensor) -> Tensor:
    """Turn frames in uint8, 0 to 255, into float32 from 0 to 1."""
    return frames.float() / 255
