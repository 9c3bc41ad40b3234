"""Two rooms: a dot that is pushed around, and a wall with a door."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from jepa_tutorial.checks import (
    check_draw,
    check_finite,
    check_range,
    check_shape,
    check_type,
)

MARGIN = 0.03  # how near the dot comes to a wall; the whole place is 1 wide
DOOR = 0.1  # half the width of the door
MAX_STEP = 0.1  # the longest step that the policy takes
BLOB = 0.04  # standard deviation of the dot's blob
PIECE = 256  # episodes drawn at a time, so that memory grows with the output only


class Rooms(NamedTuple):
    """Where the wall is, and the middle of its door.

    Each tensor is ``(N,)``: x of the wall, and y of the middle of the door, from 0 to 1.
    """

    wall: Tensor
    door: Tensor


class Episodes(NamedTuple):
    """What happened, and what a model may see of it.

    ``frames`` are ``(N, T, 2, H, W)``, uint8, with the dot in one channel and the walls in the
    other. ``positions`` of the dot are ``(N, T, 2)``: x to the right and y down, from 0 to 1.
    ``actions`` are the steps that were tried, ``(N, T - 1, 2)``. There is one wall, and one door,
    for each episode in ``rooms``.
    """

    frames: Tensor
    positions: Tensor
    actions: Tensor
    rooms: Rooms


def make_rooms(
    num_samples: int, generator: torch.Generator, *, random: bool = False
) -> Rooms:
    """Walls and doors: always in the same place, or anywhere.

    Parameters
    ----------
    num_samples : int
        How many, N.
    generator : torch.Generator
        The source of randomness, on the CPU.
    random : bool
        Whether wall and door differ from sample to sample.

    Returns
    -------
    Rooms

    Raises
    ------
    ValueError
        If the count is below 1, the generator is none, or ``random`` is no bool.
    """
    check_draw(generator, num_samples=num_samples)
    check_type(bool, random=random)
    if not random:
        return Rooms(torch.full((num_samples,), 0.5), torch.full((num_samples,), 0.3))
    draws = torch.rand(2, num_samples, generator=generator)
    # Neither room narrower than a quarter, and a door within the wall.
    return Rooms(0.25 + 0.5 * draws[0], 0.15 + 0.7 * draws[1])


def step(position: Tensor, action: Tensor, rooms: Rooms) -> Tensor:
    """Push dots by actions; walls stop them, at any speed.

    A dot slides along the wall that stops it.

    Parameters
    ----------
    position : Tensor
        ``(N, 2)``.
    action : Tensor
        The step to try, ``(N, 2)``.
    rooms : Rooms
        N of them.

    Returns
    -------
    Tensor
        The new positions, ``(N, 2)``.

    Raises
    ------
    ValueError
        If shapes differ, or a number is not finite.
    """
    check_shape("N 2", position=position, action=action)
    check_finite(position=position, action=action)
    check_shape("N", wall=rooms.wall, door=rooms.door)
    x, y = position.unbind(dim=-1)
    x_new, y_new = (position + action).unbind(dim=-1)
    left, left_new = x < rooms.wall, x_new < rooms.wall
    # Where on its straight way the dot meets the line of the wall.
    share = (rooms.wall - x) / (x_new - x)
    meets = y + share * (y_new - y)
    stopped = (left != left_new) & ((meets - rooms.door).abs() > DOOR)
    beside = rooms.wall + torch.where(left, -MARGIN, MARGIN)
    x_new = torch.where(stopped, beside, x_new)
    return torch.stack([x_new, y_new], dim=-1).clamp(MARGIN, 1 - MARGIN)


def roll(position: Tensor, actions: Tensor, rooms: Rooms) -> Tensor:
    """Follow actions ``(N, T - 1, 2)`` from ``(N, 2)``: positions ``(N, T, 2)``."""
    path = [position]
    for action in actions.unbind(dim=1):
        path.append(step(path[-1], action, rooms))
    return torch.stack(path, dim=1)


def wander(num_samples: int, length: int, generator: torch.Generator) -> Tensor:
    """Actions of a policy that keeps its direction for a while, ``(N, length, 2)``."""
    shape = (num_samples, length)
    turns = 0.5 * torch.randn(shape, generator=generator)
    turns[:, 0] = 2 * torch.pi * torch.rand(num_samples, generator=generator)
    heading = turns.cumsum(dim=1)
    size = MAX_STEP * torch.rand(shape, generator=generator)
    return size[..., None] * torch.stack([heading.cos(), heading.sin()], dim=-1)


def two_rooms(
    num_samples: int,
    seq_len: int,
    generator: torch.Generator,
    *,
    image_size: int = 32,
    random: bool = False,
    background: float = 0.0,
) -> Episodes:
    """Episodes of a dot that wanders about two rooms.

    Parameters
    ----------
    num_samples, seq_len : int
        Episodes, and frames in each.
    generator : torch.Generator
        The source of randomness, on the CPU.
    image_size : int
        Height and width in pixels, from 16 to 128.
    random : bool
        Whether wall and door differ from episode to episode.
    background : float
        Brightness of waves that move behind everything, from 0 to 1.

    Returns
    -------
    Episodes

    Raises
    ------
    ValueError
        If a count is below 1, a number is out of range, the generator is none, or ``random`` is
        no bool.
    """
    check_draw(generator, num_samples=num_samples, seq_len=seq_len)
    check_range(0, 1, background=background)
    rooms = make_rooms(num_samples, generator, random=random)
    free = 1 - 2 * MARGIN
    start = MARGIN + free * torch.rand(num_samples, 2, generator=generator)
    actions = wander(num_samples, seq_len, generator)[:, : seq_len - 1]
    positions = roll(start, actions, rooms)
    frames = render_rooms(positions, rooms, image_size)
    if background:
        add_waves(frames, background, generator)
    return Episodes(frames, positions, actions, rooms)


def render_rooms(positions: Tensor, rooms: Rooms, image_size: int = 32) -> Tensor:
    """Draw the dot as a blob and the walls as soft lines, in a channel each.

    Parameters
    ----------
    positions : Tensor
        ``(N, T, 2)``.
    rooms : Rooms
        N of them.
    image_size : int
        Height and width in pixels, from 16 to 128.

    Returns
    -------
    Tensor
        ``(N, T, 2, H, W)``, uint8.

    Raises
    ------
    ValueError
        If a shape differs, a position is not finite, or the size is out of range.
    """
    check_shape("N T 2", positions=positions)
    check_finite(positions=positions)
    check_shape(f"{len(positions)}", wall=rooms.wall, door=rooms.door)
    check_range(16, 128, image_size=image_size)
    line = (torch.arange(image_size) + 0.5) / image_size  # middles of pixels
    frames = torch.zeros(
        *positions.shape[:2], 2, image_size, image_size, dtype=torch.uint8
    )
    frames[:, :, 1] = draw_walls(rooms, line)[:, None]
    for place, out in zip(positions.split(PIECE), frames.split(PIECE), strict=True):
        # A Gaussian is the product of one along x and one along y.
        near = (-0.5 * ((line - place[..., None]) / BLOB).square()).exp()
        blob = near[:, :, 1, :, None] * near[:, :, 0, None, :]
        out[:, :, 0] = (255 * blob).round_()
    return frames


def in_color(frames: Tensor) -> Tensor:
    """Frames as pictures on white: the dot orange, the wall blue.

    Parameters
    ----------
    frames : Tensor
        ``(..., 2, H, W)``, from 0 to 255, of any type.

    Returns
    -------
    Tensor
        ``(..., H, W, 3)``, from 0 to 1.
    """
    dot, wall = frames.float().cpu().clamp(0, 255).unbind(dim=-3)
    orange, blue = torch.tensor([[0.1, 0.5, 1.0], [0.9, 0.55, 0.3]])
    ink = dot[..., None] * orange + wall[..., None] * blue
    return (1 - ink / 255).clamp(0, 1)


def draw_walls(rooms: Rooms, line: Tensor) -> Tensor:
    """Walls with their doors, ``(N, H, W)`` in uint8."""
    across = (line - rooms.wall[:, None]).abs() / BLOB
    beside = (line - rooms.door[:, None]).abs() - DOOR  # above 0 in the wall
    wall = (1 - across).clamp(0, 1)[:, None, :]
    closed = (beside * len(line) + 0.5).clamp(0, 1)[:, :, None]
    return (255 * wall * closed).round().byte()


def add_waves(frames: Tensor, brightness: float, generator: torch.Generator) -> None:
    """Add three plane waves that travel, each episode its own, in place."""
    num_samples, seq_len, _, size, _ = frames.shape
    draws = torch.rand(3, num_samples, 3, 1, 1, 1, generator=generator)
    heading, speed, phase = draws  # of three waves in each episode
    line = torch.arange(size) / size
    x, y = line, line[:, None]
    t = torch.arange(seq_len)[:, None, None]
    for n in range(num_samples):
        angle = 2 * torch.pi * heading[n]
        turns = 2 * (angle.cos() * x + angle.sin() * y) + phase[n]
        turns = turns + 0.2 * (speed[n] - 0.5) * t  # (3, T, H, W)
        waves = (2 * torch.pi * turns).sin().mean(dim=0)
        bright = (127.5 * brightness * (1 + waves)).byte()
        frames[n] = torch.maximum(frames[n], bright[:, None])
