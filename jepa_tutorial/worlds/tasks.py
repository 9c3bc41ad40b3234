"""Tasks in the two rooms: from a start to a goal, past the wall."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.checks import check_draw, check_multiple, check_positive
from jepa_tutorial.worlds.two_rooms import MARGIN, Rooms, make_rooms, step

ARRIVED = 0.05  # how near to the goal counts as there


class Tasks(NamedTuple):
    """Where each of E episodes starts, where it should end, and its rooms.

    ``start`` and ``goal`` are positions, ``(E, 2)``; ``rooms`` are E of them.
    """

    start: Tensor
    goal: Tensor
    rooms: Rooms


def make_tasks(
    num_episodes: int, generator: torch.Generator, *, random: bool = False
) -> Tasks:
    """Draw tasks whose start and goal lie in different rooms.

    Parameters
    ----------
    num_episodes : int
        How many, E.
    generator : torch.Generator
        The source of randomness, on the CPU.
    random : bool
        Whether wall and door differ from task to task; see `make_rooms`.

    Returns
    -------
    Tasks

    Raises
    ------
    ValueError
        If the count is below 1, the generator is none, or ``random`` is no bool.
    """
    check_draw(generator, num_episodes=num_episodes)
    rooms = make_rooms(num_episodes, generator, random=random)
    left, right, y, other_y = torch.rand(4, num_episodes, generator=generator)
    # At least a margin away from every wall.
    x = MARGIN + (rooms.wall - 2 * MARGIN) * left
    other_x = 1 - MARGIN - (1 - rooms.wall - 2 * MARGIN) * right
    y, other_y = (MARGIN + (1 - 2 * MARGIN) * u for u in (y, other_y))
    one, other = torch.stack([x, y], -1), torch.stack([other_x, other_y], -1)
    swap = torch.rand(num_episodes, 1, generator=generator) < 0.5
    start, goal = torch.where(swap, other, one), torch.where(swap, one, other)
    return Tasks(start, goal, rooms)


def has_arrived(position: Tensor, goal: Tensor) -> Tensor:
    """Whether the dot is as good as at its goal: ``(..., 2)`` to ``(...)``."""
    return (position - goal).norm(dim=-1) < ARRIVED


def select(tasks: Tasks, rows: Tensor) -> Tasks:
    """Take some of the tasks, by number or by truth value; numbers may repeat."""
    rooms = Rooms(*(part[rows] for part in tasks.rooms))
    return Tasks(tasks.start[rows], tasks.goal[rows], rooms)


def pursue(
    tasks: Tasks, make_plan: Callable[[Tensor, Tasks, Tensor], Tensor], *,
    horizon: int, max_steps: int, replan_every: int = 1,
) -> Tensor:  # fmt: skip
    """Plan, act, look, and plan again from there, in all episodes at once.

    Parameters
    ----------
    tasks : Tasks
        E of them.
    make_plan : callable
        From positions now ``(E', 2)``, the tasks of these episodes, and what is left of their
        plans ``(E', horizon, 2)``, to their new plans. Episodes that have arrived are not asked.
    horizon : int
        Actions in a plan.
    max_steps : int
        When to give up.
    replan_every : int
        Actions between two plans: 1 looks after each action (receding horizon); ``horizon`` or
        more never looks (open loop). What lies after the end of a plan is standing still.

    Returns
    -------
    Tensor
        Positions, ``(E, max_steps + 1, 2)``. A dot that has arrived stays where it is.

    Raises
    ------
    ValueError
        If a count is below 1.
    """
    check_positive(horizon=horizon, max_steps=max_steps)
    check_positive(replan_every=replan_every)
    position = tasks.start.clone()
    plan = torch.zeros(len(position), horizon, 2)
    path = [tasks.start]
    for t in range(max_steps):
        going = (~has_arrived(position, tasks.goal)).nonzero()[:, 0]
        some = select(tasks, going)
        if len(going) and t % replan_every == 0:
            plan[going] = make_plan(position[going], some, plan[going])
        position[going] = step(position[going], plan[going, 0], some.rooms)
        plan = F.pad(plan[:, 1:], (0, 0, 0, 1))  # one action is done
        path.append(position.clone())
    return torch.stack(path, dim=1)


class TrueTransition(nn.Module):
    """The world itself in the model's place, with positions for latents.

    Parameters
    ----------
    rooms : Rooms
        E of them. A batch of positions holds, for each, the same number of rows, one after the
        other.

    Raises
    ------
    ValueError
        If the rows are not a multiple of the rooms, or not ``(B, 2)``.
    """

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self.rooms = rooms

    def forward(self, position: Tensor, action: Tensor) -> Tensor:
        """Push dots ``(E * K, 2)`` by actions: their new positions."""
        check_multiple(len(self.rooms.wall), positions=len(position))
        copies = len(position) // len(self.rooms.wall)
        parts = (part.repeat_interleave(copies) for part in self.rooms)
        return step(position, action, Rooms(*parts))
