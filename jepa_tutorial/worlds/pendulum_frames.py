"""Pictures of the double pendulum, anti-aliased."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from jepa_tutorial.checks import check_batch, check_choice, check_range, check_type


def render_bobs(
    positions: Tensor, image_size: int = 32, channels: int = 1, swapped: bool = False
) -> Tensor:
    """Draw double pendulums: two rods, a bright large bob and a darker small one.

    Anti-aliased: a pixel is covered by as much as its distance to the shape's edge says. Rods are
    1 m long; draw no others.

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
        If a shape or a size is out of range, or a bob is where none can be.
    """
    check_batch("N T 4", 1, positions=positions)
    check_range(16, 128, image_size=image_size)
    check_choice(("1", "3"), channels=str(channels))
    check_type(bool, swapped=swapped)
    if not (positions.abs() <= 2.01).all():  # so that NaN fails, too
        raise ValueError(
            "positions must lie within 2 m of the pivot, got a coordinate of "
            f"{positions.abs().max().item():.3g} m"
        )
    places = positions.float().flatten(0, 1)  # (N * T, 4)
    frames = torch.zeros(
        len(places), channels, image_size, image_size, dtype=torch.uint8
    )
    looks = (SECOND_BOB, FIRST_BOB) if swapped else (FIRST_BOB, SECOND_BOB)
    # In pieces, so that memory grows with the output only.
    for piece, out in zip(places.split(PIECE), frames.split(PIECE), strict=True):
        draw(out, piece, looks)
    return frames.view(*positions.shape[:2], *frames.shape[1:])


SPAN = 4.6  # m from one edge of the picture to the other
Look = tuple[float, tuple[float, float, float]]
# Radius or half-width in m, then red, green, blue; the mean of these is the gray.
ROD = (0.06, (0.45, 0.45, 0.45))
FIRST_BOB = (0.24, (1.0, 0.85, 0.2))
SECOND_BOB = (0.18, (0.25, 0.6, 1.0))


PIECE = 512  # frames


def draw(frames: Tensor, places: Tensor, looks: tuple[Look, Look]) -> None:
    """Draw bobs at ``(F, 4)`` onto frames, ``(F, C, H, W)``, uint8, in place.

    Each shape is drawn in a square that holds it, and the square is set into the frame.
    """
    channels, size = frames.shape[1:3]
    pixels = frames.view(len(places), channels, size * size)
    meter = size / SPAN  # in pixels, as all lengths below
    flip = torch.tensor([1.0, -1.0])  # rows go down
    first, second = (size / 2 + meter * flip * bob for bob in places.split(2, 1))
    pivot = torch.full_like(first, size / 2)
    shapes = (
        (pivot, first, meter, ROD),
        (first, second, meter, ROD),
        (first, first, 0.0, looks[0]),  # a bob is a rod of no length
        (second, second, 0.0, looks[1]),
    )
    for start, end, length, (radius, color) in shapes:
        # Cover ends half a pixel outside the shape; its middle is half a pixel off at most.
        reach = math.floor(length / 2 + meter * radius + 1)
        square = torch.arange(-reach, reach + 1)
        nearest = ((start + end) / 2).long()[..., None]
        # At the frame's edge a pixel may come twice, with the same paint.
        column, row = (nearest + square).clamp_(0, size - 1).split(1, 1)
        row = row.mT
        distance = distance_to_rod(column + 0.5, row + 0.5, start, end)
        cover = (meter * radius + 0.5 - distance).clamp_(0, 1).flatten(1)
        where = (size * row + column).flatten(1)[:, None]
        where = where.expand(-1, channels, -1)
        paint = 255 * torch.tensor(color)
        paint = (paint if channels == 3 else paint.mean()).view(-1, 1)
        below = pixels.gather(2, where).float()
        above = below.lerp_(paint, cover[:, None]).round_().byte()
        pixels.scatter_(2, where, above)


def distance_to_rod(x: Tensor, y: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Distance of points from the rod between two points, or from a point if both are one.

    From columns ``(F, 1, W)`` and rows ``(F, H, 1)`` and points ``(F, 2)`` to ``(F, H, W)``.
    """
    along = end - start
    square_length = along.square().sum(dim=1).clamp_min(1e-9)
    x_a, y_a = start[..., None, None].unbind(1)
    along_x, along_y = along[..., None, None].unbind(1)
    x, y = x - x_a, y - y_a
    per_length = along / square_length[:, None]
    to_x, to_y = per_length[..., None, None].unbind(1)
    share = (x * to_x + y * to_y).clamp_(0, 1)
    off_x = torch.addcmul(x, share, along_x, value=-1)
    off_y = torch.addcmul(y, share, along_y, value=-1)
    # Faster than torch.hypot.
    return off_x.square_().add_(off_y.square_()).sqrt_()
