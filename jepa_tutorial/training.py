"""Training: the loop that all the toy worlds share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from jepa_tutorial.jepa import JEPA
from jepa_tutorial.runtime import (
    check_positive,
    check_range,
    check_shape,
    progress,
)
from jepa_tutorial.trajectories import split_window


def train(
    model: JEPA,
    x: Tensor,
    *,
    steps: int,
    batch_size: int,
    lr: float,
    context_len: int,
    target_len: int,
    generator: torch.Generator,
) -> Iterator[tuple[int, float]]:
    """Train a JEPA on random windows; yield each step's number and loss.

    A generator function, so that the caller's own loop decides what to keep and when to stop.

    Parameters
    ----------
    model : JEPA
        Trained in place.
    x : Tensor
        Trajectories, ``(N, T, D)``.
    steps : int
        Optimizer steps.
    batch_size : int
        Windows in a step, drawn with replacement; all begin at the same random step.
    lr : float
        Learning rate of Adam.
    context_len, target_len : int
        Steps in the two parts of a window.
    generator : torch.Generator
        The source of randomness.

    Yields
    ------
    step : int
        From 0.
    loss : float
        Of this step's batch, before the weights moved.

    Raises
    ------
    ValueError
        At the first step, for a wrong shape, a size below 1 or a window that does not fit.
    """
    check_shape("N T D", x=x)
    check_positive(steps=steps, batch_size=batch_size)
    check_range(1, x.shape[1], window=context_len + target_len)
    last_start = x.shape[1] - context_len - target_len
    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=lr)
    for step in progress(range(steps), "training"):
        rows = torch.randint(len(x), (batch_size,), generator=generator)
        start = int(torch.randint(last_start + 1, (1,), generator=generator))
        window = split_window(x[rows], context_len, target_len, start)
        z_hat, z_bar = model(*window)
        loss = model.cost(z_hat, z_bar)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.target.update(model.encoder)
        yield step, loss.item()


def train_on_windows(
    loss_of: Callable[[Tensor], Tensor],
    weights: Iterable[nn.Parameter],
    windows: Tensor,
    *,
    length: int,
    steps: int,
    batch_size: int,
    lr: float,
    generator: torch.Generator,
) -> Iterator[tuple[float, float]]:
    """Minimize a loss over random stretches of windows; yield it and the rate.

    A generator function: the caller's own loop moves targets and keeps what it wants. The
    learning rate follows half a cosine.

    Parameters
    ----------
    loss_of : callable
        From a batch of stretches, ``(B, length, L, ...)``, to a scalar.
    weights : iterable of nn.Parameter
        What the optimizer, Adam, moves.
    windows : Tensor
        All windows of all trajectories, ``(N, T, L, ...)``; see `history_windows`.
    length : int
        Windows in a stretch, one after the other.
    steps : int
        Optimizer steps.
    batch_size : int
        Stretches in a step, each from a random trajectory and start.
    lr : float
        Learning rate at the start.
    generator : torch.Generator
        The source of randomness, on the CPU.

    Yields
    ------
    loss : float
        Of this step's batch, before the weights moved.
    lr_now : float
        The learning rate of this step.

    Raises
    ------
    ValueError
        At the first step, for a size below 1 or a stretch that does not fit.
    """
    check_positive(steps=steps, batch_size=batch_size, length=length)
    check_range(1, windows.shape[1], length=length)
    last_start = windows.shape[1] - length
    optimizer = torch.optim.Adam(weights, lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in progress(range(steps), "training"):
        row = torch.randint(len(windows), (batch_size, 1), generator=generator)
        start = torch.randint(last_start + 1, row.shape, generator=generator)
        batch = windows[
            row, start + torch.arange(length)
        ]  # (B, length, L, ...)
        loss, lr_now = loss_of(batch), optimizer.param_groups[0]["lr"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.item(), lr_now
