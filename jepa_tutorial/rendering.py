"""Pictures of the double pendulum, anti-aliased."""

from __future__ import annotations

import torch
from torch import Tensor

from jepa_tutorial.runtime import check_choice, check_range, check_shape


def render_bobs(
    positions: Tensor,
    image_size: int = 32,
    channels: int = 1,
    swapped: bool = False,
) -> Tensor:
    """Draw double pendulums: two rods, a bright large bob and a darker small one.

    Anti-aliased: a pixel is covered by as much as its distance to the shape's edge says.

    Parameters
    ----------
    positions : Tensor
        Of both bobs, ``(N, T, 4)``; see `bob_positions`.
    image_size : int
        Height and width in pixels, from 16 to 128; the picture spans 4.6 m.
    channels : int
        1 for gray, 3 for color.
    swapped : bool
        Draw the first bob as the second looks, and the second as the first.

    Returns
    -------
    Tensor
        Frames, ``(N, T, C, H, W)``, uint8.

    Raises
    ------
    ValueError
        If a shape or a size is out of range.
    """
    check_shape("N T 4", positions=positions)
    check_range(16, 128, image_size=image_size)
    check_choice(("1", "3"), channels=str(channels))
    places = positions.float().flatten(0, 1)  # (N * T, 4)
    frames = torch.empty(
        len(places), channels, image_size, image_size, dtype=torch.uint8
    )
    looks = (SECOND_BOB, FIRST_BOB) if swapped else (FIRST_BOB, SECOND_BOB)
    # In pieces, so that memory grows with the output only.
    for piece, out in zip(places.split(256), frames.split(256), strict=True):
        out.copy_(draw(piece, image_size, channels, looks))
    return frames.view(*positions.shape[:2], *frames.shape[1:])


def to_float(frames: Tensor) -> Tensor:
    """Frames as networks want them: uint8 from 0 to 255 becomes float32 from 0 to 1."""
    return frames.float() / 255


SPAN = 4.6  # m from one edge of the picture to the other
Look = tuple[float, tuple[float, float, float]]
# Radius or half-width in m, then red, green, blue; the mean of these is the gray.
ROD = (0.06, (0.45, 0.45, 0.45))
FIRST_BOB = (0.24, (1.0, 0.85, 0.2))
SECOND_BOB = (0.18, (0.25, 0.6, 1.0))


def draw(
    places: Tensor, image_size: int, channels: int, looks: tuple[Look, Look]
) -> Tensor:
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
        (torch.hypot(x - x_1, y - y_1), looks[0]),
        (torch.hypot(x - x_2, y - y_2), looks[1]),
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
