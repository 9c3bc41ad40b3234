"""The double pendulum: its motion, its energy, its chaos, and pictures of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from jepa_tutorial.runtime import check_choice, check_positive, check_shape

GRAVITY = 9.81  # m / s^2; rods of 1 m without mass, bobs of 1 kg
POTENTIAL_RANGE = 6 * GRAVITY  # J, from both bobs down to both bobs up
FRAME_TIME = 0.05  # s between two frames


def accelerations(state: Tensor, gravity: float = GRAVITY) -> Tensor:
    """Time derivative of the state of a double pendulum.

    Lagrange's equations for two equal bobs on equal rods without mass.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``: both angles from the vertical in rad, both angular velocities in rad/s.
    gravity : float
        In m/s^2.

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
    """Advance the state by one step of the classical fourth-order Runge-Kutta method.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``, as in `accelerations`.
    time_step : float
        In s.
    gravity : float
        In m/s^2.

    Returns
    -------
    Tensor
        ``(..., 4)``.
    """
    k1 = accelerations(state, gravity)
    k2 = accelerations(state + time_step / 2 * k1, gravity)
    k3 = accelerations(state + time_step / 2 * k2, gravity)
    k4 = accelerations(state + time_step * k3, gravity)
    return state + time_step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def simulate_pendulum(
    start: Tensor, num_frames: int, substeps: int = 20
) -> Tensor:
    """Follow double pendulums from their starts, many at once.

    Parameters
    ----------
    start : Tensor
        ``(N, 4)``, as in `accelerations`; computed in float64.
    num_frames : int
        Frames to keep, T, the start included, `FRAME_TIME` apart.
    substeps : int
        Integration steps between two frames.

    Returns
    -------
    Tensor
        States, ``(N, T, 4)``, in float64. Angles are not wrapped.

    Raises
    ------
    ValueError
        If the start is not ``(N, 4)`` or a count is below 1.
    """
    check_shape("N 4", start=start)
    check_positive(num_frames=num_frames, substeps=substeps)
    state, frames = start.double(), []
    for _ in range(num_frames):
        frames.append(state)
        for _ in range(substeps):
            state = runge_kutta_step(state, FRAME_TIME / substeps)
    return torch.stack(frames, dim=1)


def energy(state: Tensor) -> Tensor:
    """Kinetic and potential energy of a double pendulum.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``, as in `accelerations`.

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
    return kinetic + GRAVITY * height


def bob_positions(state: Tensor) -> Tensor:
    """Where the two bobs are.

    Parameters
    ----------
    state : Tensor
        ``(..., 4)``, as in `accelerations`.

    Returns
    -------
    Tensor
        ``(..., 4)``: x and y of the first bob, x and y of the second, in m from the pivot, y up.
    """
    angle_1, angle_2 = state[..., 0], state[..., 1]
    x_1, y_1 = angle_1.sin(), -angle_1.cos()
    x_2, y_2 = x_1 + angle_2.sin(), y_1 - angle_2.cos()
    return torch.stack([x_1, y_1, x_2, y_2], dim=-1)
