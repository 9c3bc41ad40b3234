"""Training: the loop that all the toy worlds share."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from jepa_tutorial.checkpoints import load_checkpoint, save_checkpoint
from jepa_tutorial.checks import check_positive, check_range, check_shape
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.reports import progress
from jepa_tutorial.windows import split_window
from jepa_tutorial.worlds.pendulum_frames import to_float


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
        batch = windows[row, start + torch.arange(length)]  # (B, length, L, ...)
        loss, lr_now = loss_of(batch), optimizer.param_groups[0]["lr"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.item(), lr_now


def draw_stretches(
    moments: Tensor, count: int, length: int, generator: torch.Generator
) -> Tensor:
    """Draw stretches of successive moments, each from a random row and start.

    Parameters
    ----------
    moments : Tensor
        A row for each episode, ``(N, T)``.
    count, length : int
        Stretches, and moments in each.
    generator : torch.Generator
        The source of randomness, on the CPU.

    Returns
    -------
    Tensor
        ``(count, length)``.

    Raises
    ------
    ValueError
        If a count is below 1, or the stretch does not fit.
    """
    check_shape("N T", moments=moments)
    check_positive(count=count)
    check_range(1, moments.shape[1], length=length)
    row = torch.randint(len(moments), (count, 1), generator=generator)
    last_start = moments.shape[1] - length
    start = torch.randint(last_start + 1, row.shape, generator=generator)
    return moments[row, start + torch.arange(length)]


def take_moments(
    windows: Tensor, actions: Tensor, moments: Tensor
) -> tuple[Tensor, Tensor]:
    """Look up what was seen at some moments, and what was done between them.

    Parameters
    ----------
    windows : Tensor
        Of N episodes, ``(N, T, L, C, H, W)``, uint8; see `history_windows`.
    actions : Tensor
        Between frames, ``(N, T + L - 2, A)``.
    moments : Tensor
        Stretches of moments, ``(B, R + 1)``; moment ``n * T + t`` is window t of episode n.

    Returns
    -------
    windows : Tensor
        ``(B, R + 1, L, C, H, W)``, float32 from 0 to 1.
    actions : Tensor
        Between those windows, ``(B, R, A)``.

    Raises
    ------
    ValueError
        If a shape differs.
    """
    check_shape("N T L C H W", windows=windows)
    num_samples, seq_len, history_length = windows.shape[:3]
    between = seq_len + history_length - 2
    check_shape(f"{num_samples} {between} A", actions=actions)
    check_shape("B S", moments=moments)
    n, t = moments // seq_len, moments % seq_len
    # A window ends with its newest frame, and the action follows that.
    done = actions[n[:, :-1], t[:, :-1] + history_length - 1]
    return to_float(windows[n, t]), done


class EarlyStopping:
    """Keep the best weights of a training, and say when to stop waiting.

    Parameters
    ----------
    model : nn.Module
        Whose weights are kept.
    patience : int
        How many checks in a row may be no better before it is time to stop.
    delta : float
        By how much a score must be higher to count as better.

    Raises
    ------
    ValueError
        If the patience is below 1 or delta is negative.

    Examples
    --------
    >>> stopping = EarlyStopping(nn.Linear(1, 1), patience=2)
    >>> [stopping.update(score) for score in (0.5, 0.7, 0.6, 0.7)]
    [False, False, False, True]
    """

    def __init__(self, model: nn.Module, patience: int, delta: float = 0.0) -> None:
        check_positive(patience=patience)
        check_range(0, math.inf, delta=delta)
        self.model, self.patience, self.delta = model, patience, delta
        self.best, self.waited = -math.inf, 0
        self.weights = copy.deepcopy(model.state_dict())

    def update(self, score: float) -> bool:
        """Take in the score of a check, higher is better; return whether to stop."""
        self.waited += 1
        if score > self.best + self.delta:
            self.best, self.waited = score, 0
            self.weights = copy.deepcopy(self.model.state_dict())
        return self.waited >= self.patience

    def restore(self) -> None:
        """Give the model the weights of its best check."""
        self.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must hold."""
        return {n: getattr(self, n) for n in ("best", "waited", "weights")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.best, self.waited = state["best"], state["waited"]
        self.weights = state["weights"]


def train_with_checks(
    model: Any,
    draw: Callable[[], tuple[Tensor, Tensor]],
    check: Callable[[], float],
    steps: int,
    check_every: int,
    patience: int,
    lr: float,
    generator: torch.Generator,
    checkpoint: str | Path = "",
) -> Iterator[tuple[int, float, float]]:
    """Train until checks get no better, and end with the weights of the best one.

    The learning rate follows half a cosine. A checkpoint is written after each check; a training
    that was interrupted goes on from there when it is called again. To train anew, delete the
    file.

    Parameters
    ----------
    model : nn.Module
        With ``loss(windows, actions)``, ``encoder``, and ``target`` with its ``update``, such as
        `ActionJEPA`.
    draw : callable
        Returns a batch of windows and actions, drawn with ``generator``.
    check : callable
        Returns a score of the model, higher is better.
    steps : int
        Optimizer steps at most.
    check_every : int
        Steps between two checks.
    patience : int
        How many checks in a row may be no better; see `EarlyStopping`.
    lr : float
        Learning rate of Adam at the start.
    generator : torch.Generator
        The source of randomness, on the CPU, whose state belongs to the checkpoint.
    checkpoint : str or Path
        A file to go on from and to write; empty for none.

    Yields
    ------
    step : int
        Steps done, after each check.
    loss : float
        Of the last batch.
    score : float
        Of the check.

    Raises
    ------
    ValueError
        At the first step, for a patience below 1 or a checkpoint of something else.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    stopping = EarlyStopping(model, patience)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    parts |= {"stopping": stopping, "generator": generator}
    done = load_checkpoint(checkpoint, **parts) if checkpoint else 0
    for step in progress(range(done + 1, steps + 1), "training"):
        if stopping.waited >= patience:
            break
        loss = model.loss(*draw())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        model.target.update(model.encoder)
        if step % check_every and step < steps:
            continue
        stopping.update(score := check())
        if checkpoint:
            save_checkpoint(checkpoint, step, **parts)
        yield step, loss.item(), score
    stopping.restore()
