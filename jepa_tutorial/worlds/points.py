"""Toy worlds: a point that moves on a circle or along a line, seen with noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from jepa_tutorial.checks import check_choice, check_draw, check_positive, check_range
from jepa_tutorial.runtime import new_generator


def uniform(
    low: float, high: float, num_samples: int, generator: torch.Generator
) -> Tensor:
    """Draw one number per sample, as a column that broadcasts over time.

    Parameters
    ----------
    low, high : float
        Ends of the range of the numbers.
    num_samples : int
        How many numbers, N.
    generator : torch.Generator
        The source of randomness.

    Returns
    -------
    Tensor
        ``(N, 1)``.

    Raises
    ------
    ValueError
        If a size is below 1, or the generator is none.
    """
    check_draw(generator, num_samples=num_samples)
    return low + (high - low) * torch.rand(num_samples, 1, generator=generator)


def circle(
    num_samples: int, seq_len: int, generator: torch.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Points that go around the origin, each at its own radius and velocity.

    Radius from 0.5 to 1.5, speed from 0.1 to 0.5 radians a step, either direction, any start.

    Parameters
    ----------
    num_samples : int
        How many trajectories, N.
    seq_len : int
        How many steps each, T.
    generator : torch.Generator
        The source of randomness.

    Returns
    -------
    x : Tensor
        Positions without noise, ``(N, T, 2)``.
    state : dict of str to Tensor
        ``sin_phase``, ``cos_phase`` and ``angular_velocity`` (radians a step), each ``(N, T)``.

    Raises
    ------
    ValueError
        If a size is below 1, or the generator is none.
    """
    check_positive(seq_len=seq_len)
    radius = uniform(0.5, 1.5, num_samples, generator)
    start = uniform(0, 2 * math.pi, num_samples, generator)
    direction = uniform(-1, 1, num_samples, generator).sign()
    speed = uniform(0.1, 0.5, num_samples, generator)  # radians per step
    velocity = direction * speed  # (N, 1)
    phase = start + velocity * torch.arange(seq_len)  # (N, T)
    unit = torch.stack([phase.cos(), phase.sin()], dim=-1)  # (N, T, 2)
    state = {
        "sin_phase": phase.sin(),
        "cos_phase": phase.cos(),
        "angular_velocity": velocity.expand(-1, seq_len),
    }
    return radius[:, None] * unit, state


def line(
    num_samples: int, seq_len: int, generator: torch.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Points that move straight ahead, each at its own heading and speed.

    Start in the square from -1 to 1, any heading, speed from 0.02 to 0.15 a step.

    Parameters
    ----------
    num_samples : int
        How many trajectories, N.
    seq_len : int
        How many steps each, T.
    generator : torch.Generator
        The source of randomness.

    Returns
    -------
    x : Tensor
        Positions without noise, ``(N, T, 2)``.
    state : dict of str to Tensor
        ``position_x``, ``position_y``, ``velocity_x`` and ``velocity_y``, each ``(N, T)``.

    Raises
    ------
    ValueError
        If a size is below 1, or the generator is none.
    """
    check_positive(seq_len=seq_len)
    heading = uniform(0, 2 * math.pi, num_samples, generator)
    speed = uniform(0.02, 0.15, num_samples, generator)  # length per step
    velocity_x, velocity_y = speed * heading.cos(), speed * heading.sin()
    t = torch.arange(seq_len)
    x = uniform(-1, 1, num_samples, generator) + velocity_x * t  # (N, T)
    y = uniform(-1, 1, num_samples, generator) + velocity_y * t  # (N, T)
    state = {
        "position_x": x,
        "position_y": y,
        "velocity_x": velocity_x.expand(-1, seq_len),
        "velocity_y": velocity_y.expand(-1, seq_len),
    }
    return torch.stack([x, y], dim=-1), state


PATTERNS = {"circle": circle, "line": line}


def make_trajectories(
    num_samples: int, seq_len: int, pattern: str, noise: float, seed: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """Noisy trajectories of one pattern, and the true state behind them.

    Parameters
    ----------
    num_samples : int
        How many trajectories, N.
    seq_len : int
        How many steps each, T.
    pattern : str
        ``"circle"`` or ``"line"``.
    noise : float
        Standard deviation of the Gaussian noise on each coordinate, from 0 to 10.
    seed : int
        The same seed gives the same trajectories; from 0 to 2**32 - 1.

    Returns
    -------
    x : Tensor
        What the model sees, ``(N, T, 2)`` float32.
    state : dict of str to Tensor
        What it does not see, by name, each ``(N, T)``; see `circle` and `line`.

    Raises
    ------
    ValueError
        For an unknown pattern, a size below 1, or a noise or seed out of range.
    """
    check_positive(num_samples=num_samples, seq_len=seq_len)
    check_choice(PATTERNS, pattern=pattern)
    check_range(0, 10, noise=noise)
    generator = new_generator(seed)
    x, state = PATTERNS[pattern](num_samples, seq_len, generator)
    return x + noise * torch.randn(x.shape, generator=generator), state
