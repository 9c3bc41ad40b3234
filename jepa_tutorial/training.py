"""Training: the loop that all models share, and when to end it."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from jepa_tutorial.checks import check_finite, check_positive, check_range
from jepa_tutorial.reports import progress


class Step(NamedTuple):
    """What `minimize` tells after each step."""

    number: int  # steps done, from 1
    loss: Tensor  # of this step's batch, before the weights moved
    lr: float  # the learning rate of this step
    optimizer: torch.optim.Optimizer

    def state(self) -> dict[str, Any]:
        """Return what `minimize` needs to go on from here later."""
        return {"number": self.number, "optimizer": self.optimizer.state_dict()}


def minimize(
    loss_of: Callable[..., Tensor],
    draw: Callable[[], tuple[Any, ...]],
    weights: Iterable[nn.Parameter],
    *,
    steps: int,
    lr: float,
    schedule: Callable[[torch.optim.Optimizer, int], LRScheduler] | None = None,
    state: dict[str, Any] | None = None,
) -> Iterator[Step]:
    """Minimize a loss over random batches with Adam; yield after each step.

    A generator function: the caller's own loop moves targets, checks, keeps and stops.

    Parameters
    ----------
    loss_of : callable
        From the parts of a batch to a scalar, or to one for each of several models.
    draw : callable
        Returns a batch, a tuple.
    weights : iterable of nn.Parameter
        What the optimizer moves. Those that require no gradient stay.
    steps : int
        Optimizer steps, those before ``state`` included.
    lr : float
        Learning rate, at the start if there is a schedule.
    schedule : callable, optional
        From optimizer and steps to a schedule, such as PyTorch's ``CosineAnnealingLR``. Without
        it the learning rate stays.
    state : dict, optional
        Where to go on from; see `Step.state`. The schedule is that of ``steps``, whatever it was
        before.

    Yields
    ------
    Step
        Number, loss, learning rate and optimizer.

    Raises
    ------
    ValueError
        At the first step, for steps below 1 or weights unlike those of the state; at any step, if
        the loss is not finite.
    """
    check_positive(steps=steps)
    optimizer = torch.optim.Adam([w for w in weights if w.requires_grad], lr=lr)
    done = 0
    if state:
        done = state["number"]
        optimizer.load_state_dict(state["optimizer"])
        optimizer.param_groups[0]["lr"] = optimizer.param_groups[0]["initial_lr"] = lr
    decay = schedule(optimizer, steps) if schedule else None
    if decay and done:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the optimizer took these steps elsewhere
            for _ in range(done):
                decay.step()
    for number in progress(range(done + 1, steps + 1), "training"):
        loss, lr_now = loss_of(*draw()), optimizer.param_groups[0]["lr"]
        check_finite(loss=loss)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        if decay:
            decay.step()
        yield Step(number, loss.detach(), lr_now, optimizer)


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
    >>> for score in (0.5, 0.7, 0.6, 0.7):
    ...     stopping.update(score)
    >>> stopping.over
    True
    """

    def __init__(self, model: nn.Module, patience: int, delta: float = 0.0) -> None:
        check_positive(patience=patience)
        check_range(0, math.inf, delta=delta)
        self.model, self.patience, self.delta = model, patience, delta
        self.best, self.waited = -math.inf, 0
        self.weights = copy.deepcopy(model.state_dict())

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.waited >= self.patience

    def update(self, score: float) -> None:
        """Take in the score of a check, higher is better.

        A score that is no number counts as no better.
        """
        self.waited += 1
        if score > self.best + self.delta:
            self.best, self.waited = score, 0
            self.weights = copy.deepcopy(self.model.state_dict())

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
