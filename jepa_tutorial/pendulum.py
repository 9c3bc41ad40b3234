"""The double pendulum: its motion, its energy, its chaos, and pictures of it."""

from __future__ import annotations

import torch
from torch import Tensor

from jepa_tutorial.runtime import check_positive, check_range, check_shape

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


def lyapunov_exponent(
    start: Tensor, num_frames: int, substeps: int = 20
) -> Tensor:
    """Estimate how fast neighbors of a trajectory part: the largest Lyapunov exponent.

    Benettin's method: follow a neighbor at a tiny distance, and after each frame note the growth
    of the distance and pull the neighbor back to the tiny distance.

    Parameters
    ----------
    start : Tensor
        ``(N, 4)``, as in `accelerations`.
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
        If the start is not ``(N, 4)`` or a count is below 1.
    """
    check_shape("N 4", start=start)
    check_positive(num_frames=num_frames, substeps=substeps)
    tiny = 1e-7
    state = start.double()
    near = state + tiny / 2  # four equal shifts: a distance of tiny
    growth = torch.zeros(len(start), dtype=torch.float64)
    both = torch.cat([state, near])
    for _ in range(num_frames):
        for _ in range(substeps):
            both = runge_kutta_step(both, FRAME_TIME / substeps)
        state, near = both.chunk(2)
        apart = near - state
        distance = apart.norm(dim=-1)
        growth += (distance / tiny).log()
        near = state + apart * (tiny / distance)[:, None]
        both = torch.cat([state, near])
    return growth / (num_frames * FRAME_TIME)


def render_pendulum(
    state: Tensor, image_size: int = 32, channels: int = 1
) -> Tensor:
    """Draw double pendulums: two rods, a bright large bob and a darker small one.

    Anti-aliased: a pixel is covered by as much as its distance to the shape's edge says.

    Parameters
    ----------
    state : Tensor
        ``(N, T, 4)``, as in `accelerations`.
    image_size : int
        Height and width in pixels, from 16 to 128; the picture spans 4.6 m.
    channels : int
        1 for gray, 3 for color.

    Returns
    -------
    Tensor
        Frames, ``(N, T, C, H, W)``, uint8.

    Raises
    ------
    ValueError
        If a shape or a size is out of range.
    """
    check_shape("N T 4", state=state)
    check_range(16, 128, image_size=image_size)
    check_range(1, 3, channels=channels)
    places = bob_positions(state).float().flatten(0, 1)  # (N * T, 4)
    frames = torch.empty(
        len(places), channels, image_size, image_size, dtype=torch.uint8
    )
    # In pieces, so that memory grows with the output only.
    for piece, out in zip(places.split(256), frames.split(256), strict=True):
        out.copy_(draw(piece, image_size, channels))
    return frames.view(*state.shape[:2], *frames.shape[1:])


SPAN = 4.6  # m from one edge of the picture to the other
# Radius or half-width in m, then red, green, blue; the mean of these is the gray.
ROD = (0.06, (0.45, 0.45, 0.45))
FIRST_BOB = (0.24, (1.0, 0.85, 0.2))
SECOND_BOB = (0.18, (0.25, 0.6, 1.0))


def draw(places: Tensor, image_size: int, channels: int) -> Tensor:
    """Draw bobs at ``(F, 4)`` as frames ``(F, C, H, W)`` in float32 from 0 to 255."""
    pixel = SPAN / image_size
    middles = (torch.arange(image_size) + 0.5) * pixel - SPAN / 2
    x, y = (
        middles[None, None, :],
        -middles[None, :, None],
    )  # (1, 1, W), (1, H, 1)
    x_1, y_1, x_2, y_2 = places[..., None, None].unbind(1)  # (F, 1, 1)
    shapes = (
        (distance_to_rod(x, y, 0 * x_1, 0 * y_1, x_1, y_1), ROD),
        (distance_to_rod(x, y, x_1, y_1, x_2, y_2), ROD),
        (torch.hypot(x - x_1, y - y_1), FIRST_BOB),
        (torch.hypot(x - x_2, y - y_2), SECOND_BOB),
    )
    image = torch.zeros(len(places), channels, image_size, image_size)
    for distance, (radius, color) in shapes:
        cover = ((radius - distance) / pixel + 0.5).clamp_(0, 1)[:, None]
        paint = (
            torch.tensor(color) if channels == 3 else torch.tensor(color).mean()
        )
        image += cover * (paint.view(-1, 1, 1) - image)
    return (255 * image).round_()


def distance_to_rod(
    x: Tensor, y: Tensor, x_a: Tensor, y_a: Tensor, x_b: Tensor, y_b: Tensor
) -> Tensor:
    """Distance of points from the rod between a and b, which is 1 m long."""
    along_x, along_y = x_b - x_a, y_b - y_a
    share = ((x - x_a) * along_x + (y - y_a) * along_y).clamp_(0, 1)
    return torch.hypot(x - x_a - share * along_x, y - y_a - share * along_y)
