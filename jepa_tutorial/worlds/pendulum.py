"""The double pendulum: its motion, its energy and its chaos."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from jepa_tutorial.checks import (
    check_batch,
    check_draw,
    check_finite,
    check_positive,
    check_range,
)

GRAVITY = 9.81  # m / s^2; rods of 1 m without mass, bobs of 1 kg
POTENTIAL_RANGE = 6 * GRAVITY  # J, from both bobs down to both bobs up
FRAME_TIME = 0.05  # s between two frames


def state_derivative(state: Tensor, gravity: float = GRAVITY) -> Tensor:
    """Time derivative of the state of a double pendulum.

    Lagrange's equations for two equal bobs on equal rods without mass.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``: both angles from the vertical in rad, both angular velocities in rad/s.
    gravity : float
        Acceleration of free fall, in m/s^2.

    Returns
    -------
    Tensor
        ``(..., 4)``: angular velocities in rad/s, angular accelerations in rad/s^2.
    """
    angle_1, angle_2, speed_1, speed_2 = state.unbind(-1)
    gap = angle_1 - angle_2
    sine, cosine = gap.sin(), gap.cos()
    # The two equations are linear in the accelerations; solved by Cramer's rule.
    right_1 = -speed_2.square() * sine - 2 * gravity * angle_1.sin()
    right_2 = speed_1.square() * sine - gravity * angle_2.sin()
    determinant = 2 - cosine.square()
    turn_1 = (right_1 - cosine * right_2) / determinant
    turn_2 = (2 * right_2 - cosine * right_1) / determinant
    return torch.stack([speed_1, speed_2, turn_1, turn_2], dim=-1)


def runge_kutta_step(
    state: Tensor, time_step: float, gravity: float = GRAVITY
) -> Tensor:
    """Advance the state by one step of the fourth-order Runge-Kutta method.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``, as in `state_derivative`.
    time_step : float
        Length of a step, in s.
    gravity : float
        Acceleration of free fall, in m/s^2.

    Returns
    -------
    Tensor
        ``(..., 4)``.
    """
    k1 = state_derivative(state, gravity)
    k2 = state_derivative(state + time_step / 2 * k1, gravity)
    k3 = state_derivative(state + time_step / 2 * k2, gravity)
    k4 = state_derivative(state + time_step * k3, gravity)
    return state + time_step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def simulate_pendulum(
    start: Tensor, num_frames: int, substeps: int = 10, gravity: float = GRAVITY
) -> Tensor:
    """Follow double pendulums from their starts, many at once.

    Parameters
    ----------
    start : Tensor
        ``(N, 4)``, as in `state_derivative`; computed in float64.
    num_frames : int
        Frames to keep, T, the start included, `FRAME_TIME` apart.
    substeps : int
        Integration steps between two frames.
    gravity : float
        Acceleration of free fall, in m/s^2.

    Returns
    -------
    Tensor
        States, ``(N, T, 4)``, in float64. Angles are not wrapped.

    Raises
    ------
    ValueError
        If the start is not ``(N, 4)`` or of no float type, a number is not finite, or a count is
        below 1.
    """
    check_batch("N 4", 1, start=start)
    check_finite(start=start, gravity=torch.as_tensor(gravity))
    check_positive(num_frames=num_frames, substeps=substeps)
    state = start.double()
    frames = [state]
    for _ in range(num_frames - 1):
        for _ in range(substeps):
            state = runge_kutta_step(state, FRAME_TIME / substeps, gravity)
        frames.append(state)
    return torch.stack(frames, dim=1)


def energy(state: Tensor, gravity: float = GRAVITY) -> Tensor:
    """Kinetic and potential energy of a double pendulum.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``, as in `state_derivative`.
    gravity : float
        Acceleration of free fall, in m/s^2.

    Returns
    -------
    Tensor
        ``(...)``, in J; 0 at rest with both bobs down.
    """
    angle_1, angle_2, speed_1, speed_2 = state.unbind(-1)
    kinetic = (
        speed_1.square()
        + speed_2.square() / 2
        + speed_1 * speed_2 * (angle_1 - angle_2).cos()
    )
    height = 3 - 2 * angle_1.cos() - angle_2.cos()
    return kinetic + gravity * height


def bob_positions(state: Tensor) -> Tensor:
    """Where the two bobs are.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``, as in `state_derivative`.

    Returns
    -------
    Tensor
        ``(..., 4)``: x and y of the first bob, x and y of the second, in m from the pivot, y up.
    """
    angle_1, angle_2 = state[..., 0], state[..., 1]
    x_1, y_1 = angle_1.sin(), -angle_1.cos()
    x_2, y_2 = x_1 + angle_2.sin(), y_1 - angle_2.cos()
    return torch.stack([x_1, y_1, x_2, y_2], dim=-1)


def lyapunov_exponent(start: Tensor, num_frames: int, substeps: int = 10) -> Tensor:
    """Estimate how fast neighbors part: the largest Lyapunov exponent.

    The method of Benettin et al. (1980): follow a neighbor at a tiny distance, and after each
    frame note the growth of the distance and pull the neighbor back to the tiny distance.

    Parameters
    ----------
    start : Tensor
        ``(N, 4)``, as in `state_derivative`.
    num_frames : int
        Frames to follow; the estimate settles as they grow.
    substeps : int
        As in `simulate_pendulum`.

    Returns
    -------
    Tensor
        ``(N,)``, per second. A distance grows by a factor of e in one over it: a Lyapunov time.

    Raises
    ------
    ValueError
        If the start is not ``(N, 4)`` or of no float type, a number is not finite, or a count is
        below 1.
    """
    check_batch("N 4", 1, start=start)
    check_finite(start=start)
    check_positive(num_frames=num_frames, substeps=substeps)
    tiny, growth = 1e-7, torch.zeros(len(start), dtype=torch.double)
    state = start.double()
    near = state + tiny / 2  # four equal shifts: a distance of tiny
    for _ in range(num_frames):
        both = torch.cat([state, near])
        for _ in range(substeps):
            both = runge_kutta_step(both, FRAME_TIME / substeps)
        state, near = both.chunk(2)
        apart = near - state
        distance = apart.norm(dim=-1)
        growth += (distance / tiny).log()
        near = state + apart * (tiny / distance)[:, None]
    return growth / (num_frames * FRAME_TIME)


def pendulum(
    num_samples: int,
    seq_len: int,
    generator: torch.Generator,
    max_angle: float = 2.0,
    swing: int = 0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Positions of both bobs of double pendulums let go from rest.

    Parameters
    ----------
    num_samples : int
        How many trajectories, N.
    seq_len : int
        How many frames each, T.
    generator : torch.Generator
        The source of randomness.
    max_angle : float
        Both angles of the release are uniform from minus this to this, in rad; up to pi.
    swing : int
        The first frame is taken up to this many frames after the release, uniformly; at 0 it is
        the release itself.

    Returns
    -------
    x : Tensor
        Positions, ``(N, T, 4)``; see `bob_positions`.
    state : dict of str to Tensor
        ``sin_1``, ``cos_1``, ``sin_2``, ``cos_2`` of both angles and ``speed_1``, ``speed_2``
        in rad/s, each ``(N, T)``.

    Raises
    ------
    ValueError
        If a size is below 1, ``max_angle`` is not from 0 to pi, ``swing`` is negative, or the
        generator is none.
    """
    check_draw(generator, num_samples=num_samples, seq_len=seq_len)
    check_range(0, math.pi, max_angle=max_angle)
    check_range(0, math.inf, swing=swing)
    angles = torch.rand(num_samples, 2, generator=generator, dtype=torch.double)
    start = torch.zeros(num_samples, 4, dtype=torch.double)
    start[:, :2] = (2 * angles - 1) * max_angle
    motion = simulate_pendulum(start, swing + seq_len)
    row = torch.arange(num_samples)[:, None]
    first = torch.randint(swing + 1, row.shape, generator=generator)
    motion = motion[row, first + torch.arange(seq_len)]  # (N, T, 4)
    return bob_positions(motion).float(), state_of(motion)


def state_of(motion: Tensor) -> dict[str, Tensor]:
    """Name the parts of the state that a probe should find.

    Sines and cosines, because an angle jumps where it is wrapped.

    Parameters
    ----------
    motion : Tensor
        ``(..., 4)``, as in `state_derivative`.

    Returns
    -------
    dict of str to Tensor
        See `pendulum`; each ``(...)`` in float32.
    """
    angle_1, angle_2, speed_1, speed_2 = motion.float().unbind(-1)
    return {
        "sin_1": angle_1.sin(),
        "cos_1": angle_1.cos(),
        "sin_2": angle_2.sin(),
        "cos_2": angle_2.cos(),
        "speed_1": speed_1,
        "speed_2": speed_2,
    }
