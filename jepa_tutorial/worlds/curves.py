"""Worlds whose motion can be forecast: three curves, and the double pendulum."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from jepa_tutorial.checks import check_choice, check_draw, check_positive
from jepa_tutorial.runtime import new_generator
from jepa_tutorial.worlds.pendulum import pendulum
from jepa_tutorial.worlds.points import uniform

State = dict[str, Tensor]


def on_curve(radius: Tensor, phase: Tensor, m: int, n: int) -> tuple[Tensor, State]:
    """Points at a phase of a curve of some radius, with their state.

    Parameters
    ----------
    radius : Tensor
        ``(N, T)`` or ``(N, 1)``.
    phase : Tensor
        In radians, ``(N, T)``.
    m, n : int
        Oscillations along x and along y while the phase goes once around.

    Returns
    -------
    x : Tensor
        Positions, ``(N, T, 2)``, in float32.
    state : dict of str to Tensor
        ``sin_phase``, ``cos_phase`` and ``radius``, each ``(N, T)``.
    """
    x = torch.stack([(m * phase).cos(), (n * phase).sin()], dim=-1)
    state = {
        "sin_phase": phase.sin(),
        "cos_phase": phase.cos(),
        "radius": radius.expand_as(phase),
    }
    return (radius[..., None] * x).float(), state


def orbit(
    num_samples: int, seq_len: int, generator: torch.Generator
) -> tuple[Tensor, State]:
    """Points on circles of radius 0.5 to 1.5, all at one pace, in either direction.

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
    x, state
        See `on_curve`; and ``direction``, -1 or 1.

    Raises
    ------
    ValueError
        If a size is below 1, or the generator is none.
    """
    check_positive(seq_len=seq_len)
    radius = uniform(0.5, 1.5, num_samples, generator)
    start = uniform(0, 2 * math.pi, num_samples, generator)
    direction = uniform(-1, 1, num_samples, generator).sign()
    phase = start + 0.15 * direction * torch.arange(seq_len)  # (N, T)
    x, state = on_curve(radius, phase, 1, 1)
    return x, state | {"direction": direction.expand_as(phase)}


def spiral(
    num_samples: int, seq_len: int, generator: torch.Generator
) -> tuple[Tensor, State]:
    """Points that run outward along a spiral of Archimedes.

    Starts are uniform in arc length, so that wide turns are seen as densely as narrow ones.

    Parameters
    ----------
    num_samples, seq_len, generator
        As in `orbit`.

    Returns
    -------
    x, state
        See `on_curve`.

    Raises
    ------
    ValueError
        If a size is below 1, or the generator is none.
    """
    check_draw(generator, num_samples=num_samples, seq_len=seq_len)
    # Arc length up to a phase, on a grid that is fine enough to look a phase up.
    grid = np.linspace(math.pi, 5 * math.pi, 10_000)
    length = grid * np.sqrt(1 + grid**2) + np.arcsinh(grid)
    # A start is one number: single precision would draw some of them twice.
    share = torch.rand(num_samples, 1, generator=generator, dtype=torch.double)
    drawn = length[0] + (length[-1] - length[0]) * share.numpy()
    start = torch.from_numpy(np.interp(drawn, length, grid))
    phase = start + 0.15 * torch.arange(seq_len)  # (N, T)
    return on_curve(phase / 20, phase, 1, 1)


def lissajous(
    num_samples: int, seq_len: int, generator: torch.Generator, m: int = 3, n: int = 5
) -> tuple[Tensor, State]:
    """Points on a Lissajous figure that grows. It crosses itself many times.

    Parameters
    ----------
    num_samples, seq_len, generator
        As in `orbit`.
    m, n : int
        Oscillations along x and along y in one round.

    Returns
    -------
    x, state
        See `on_curve`.

    Raises
    ------
    ValueError
        If a size or a number of oscillations is below 1, or the generator is none.
    """
    check_draw(generator, num_samples=num_samples, seq_len=seq_len, m=m, n=n)
    # As in the spiral, double precision keeps starts apart.
    share = torch.rand(num_samples, 1, generator=generator, dtype=torch.double)
    start = 2 * math.pi * share
    phase = start + 0.04 * torch.arange(seq_len)  # (N, T)
    return on_curve(0.5 + phase / 10, phase, m, n)


WORLDS = {
    "circle": orbit,
    "spiral": spiral,
    "lissajous": lissajous,
    "pendulum": pendulum,
}


def sample_world(
    world: str, num_samples: int, seq_len: int, *, seed: int, **options: float
) -> tuple[Tensor, State]:
    """Trajectories of one world, without noise, and the true state behind them.

    Parameters
    ----------
    world : str
        ``"circle"``, ``"spiral"``, ``"lissajous"`` or ``"pendulum"``.
    num_samples : int
        How many trajectories, N.
    seq_len : int
        How many steps each, T.
    seed : int
        The same seed gives the same trajectories.
    **options
        Of the world: ``m`` and ``n`` of `lissajous`, ``max_angle`` of `pendulum`.

    Returns
    -------
    x : Tensor
        Observations, ``(N, T, D)`` float32.
    state : dict of str to Tensor
        The true state, by name, each ``(N, T)``.

    Raises
    ------
    ValueError
        For an unknown world, a size below 1, or a seed that is none; see `new_generator`.
    """
    check_choice(WORLDS, world=world)
    check_positive(num_samples=num_samples, seq_len=seq_len)
    return WORLDS[world](num_samples, seq_len, new_generator(seed), **options)
