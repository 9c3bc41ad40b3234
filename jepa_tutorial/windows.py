"""Windows: stretches of a trajectory, cut into what is known and what is to be predicted."""

from __future__ import annotations

from torch import Tensor

from jepa_tutorial.checks import check_positive, check_range, check_shape


def split_window(
    x: Tensor, context_len: int, target_len: int, start: int = 0
) -> tuple[Tensor, Tensor]:
    """Cut a window into its past, the context, and its future, the target.

    Parameters
    ----------
    x : Tensor
        Trajectories, ``(B, T, D)``.
    context_len, target_len : int
        Steps in each part.
    start : int
        The step at which the context begins.

    Returns
    -------
    x_context, x_target : Tensor
        ``(B, context_len, D)`` and, right after it, ``(B, target_len, D)``.

    Raises
    ------
    ValueError
        If the window does not fit into the trajectories.
    """
    check_shape("B T D", x=x)
    check_positive(context_len=context_len, target_len=target_len)
    check_range(0, x.shape[1], start=start)
    check_range(1, x.shape[1] - start, window=context_len + target_len)
    middle = start + context_len
    return x[:, start:middle], x[:, middle : middle + target_len]


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
    check_positive(history_length=history_length)
    check_range(1, x.shape[1], history_length=history_length)
    return x.unfold(1, history_length, 1).movedim(-1, 2)
