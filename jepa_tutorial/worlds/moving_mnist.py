"""Moving MNIST: digits that fly through a picture and bounce off its edges."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from jepa_tutorial.checks import check_positive, check_range, check_shape
from jepa_tutorial.runtime import SEEDS, SET_SEEDS, check_seed, new_generator
from jepa_tutorial.worlds.digits import Digits

GRID = 8  # cells on each side of a location map
PIECE = 16  # clips drawn at a time, so that memory grows with the output only


class Clips(NamedTuple):
    """Clips, with the truth that a model never sees.

    ``frames`` are ``(N, T, 1, H, W)``, uint8. ``centers`` of the digits are ``(N, T, M, 2)``: x to
    the right and y down, in pixels; so are their ``velocities``, in pixels a frame. ``labels``,
    ``(N, M)``, say which digits.
    """

    frames: Tensor
    centers: Tensor
    velocities: Tensor
    labels: Tensor


def moving_mnist(
    digits: Digits,
    num_samples: int,
    seq_len: int,
    *,
    seed: int,
    num_digits: int = 2,
    image_size: int = 64,
    speed: float = 3.6,
    speed_ratio: float = 1.0,
) -> Clips:
    """Clips of digits that fly straight and bounce (Srivastava et al., 2015).

    Each clip has a seed of its own, so that a clip does not depend on how many others are made.
    Digits are drawn between pixels, not rounded to them. Where two overlap, the brighter counts.

    Parameters
    ----------
    digits : Digits
        What clips show.
    num_samples, seq_len : int
        Clips, at most ``SET_SEEDS``, and frames in each.
    seed : int
        Of the first clip; the next has the next, up to 2**32 - 1. See `deal_seeds`.
    num_digits : int
        Digits in each clip, M.
    image_size : int
        Height and width in pixels, larger than a digit.
    speed : float
        Of every digit, in pixels a frame. The direction is random.
    speed_ratio : float
        1 for digits of one speed. Otherwise each has its own, from the speed divided by this
        ratio to the speed times it, evenly in the logarithm.

    Returns
    -------
    Clips

    Raises
    ------
    ValueError
        If a count is below 1, the picture is not larger than a digit, the speed is negative, the
        ratio below 1, or the clips need more seeds than a set may use or seeds out of range.
    """
    check_positive(SET_SEEDS, num_samples=num_samples)
    check_positive(seq_len=seq_len, num_digits=num_digits, image_size=image_size)
    check_seed(seed, SEEDS - num_samples + 1)  # the last clip needs one, too
    check_range(0, image_size, speed=speed)
    check_range(1, image_size, speed_ratio=speed_ratio)
    size = digits.images.shape[-1]
    check_range(size + 1, 4096, image_size=image_size)
    chosen, start, heading, pace = draw_starts(
        len(digits.images), num_samples=num_samples, num_digits=num_digits, seed=seed
    )
    free = image_size - size  # pixels that a digit can move along each axis
    speeds = speed * speed_ratio ** (2 * pace - 1)
    velocity = speeds[..., None] * torch.stack([heading.cos(), heading.sin()], dim=-1)
    steps = torch.arange(seq_len)[:, None, None]
    straight = (free * start)[:, None] + velocity[:, None] * steps
    corners = bounce(straight, free)  # (N, T, M, 2)
    forth = straight.remainder(2 * free) < free
    velocities = velocity[:, None] * torch.where(forth, 1.0, -1.0)
    frames = torch.zeros(
        num_samples, seq_len, 1, image_size, image_size, dtype=torch.uint8
    )
    for some, where, out in zip(
        chosen.split(PIECE), corners.split(PIECE), frames.split(PIECE), strict=True
    ):
        paint(out, digits.images[some].float(), where)
    centers = corners + (size - 1) / 2
    return Clips(frames, centers, velocities, digits.labels[chosen])


def bounce(straight: Tensor, free: float) -> Tensor:
    """Fold a straight path into the room from 0 to ``free``: there and back is one period."""
    return free - (free - straight.remainder(2 * free)).abs()


def draw_starts(
    num_images: int, *, num_samples: int, num_digits: int, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Which digits, where and how fast from 0 to 1, and in which direction: a seed a clip."""
    draws = []
    for n in range(num_samples):
        generator = new_generator(seed + n)
        # Two draws, so that what the first says does not hang on whether speeds vary.
        parts = [torch.rand(num_digits, k, generator=generator) for k in (4, 1)]
        draws.append(torch.cat(parts, dim=1))
    choice, x, y, turn, pace = torch.stack(draws).unbind(dim=-1)
    # A number below 1 can round up to the end.
    chosen = (choice * num_images).long().clamp(max=num_images - 1)
    return chosen, torch.stack([x, y], dim=-1), 2 * torch.pi * turn, pace


def paint(frames: Tensor, images: Tensor, corners: Tensor) -> None:
    """Draw digits ``(N, M, h, w)`` with corners ``(N, T, M, 2)`` into frames, in place.

    A pixel of the picture lies between four of the digit, and takes from each by its distance.
    """
    size, height = images.shape[-1], frames.shape[-1]
    whole = corners.floor()
    right, down = (corners - whole)[..., None, None].unbind(dim=-3)
    padded = F.pad(images, (1, 1, 1, 1))[:, None]  # the same at all times
    rows = torch.lerp(padded[..., 1:, :], padded[..., :-1, :], down)
    patches = torch.lerp(rows[..., 1:], rows[..., :-1], right).round_().byte()
    # One row and column more than the picture, since a patch can reach over the edge by one.
    side = height + 1
    line = torch.arange(size + 1)
    inside = (side * line[:, None] + line).flatten()
    first = (side * whole[..., 1] + whole[..., 0]).long().flatten(0, 1)
    canvas = torch.zeros(len(first), side * side, dtype=torch.uint8)
    for corner, patch in zip(first.unbind(dim=1), patches.unbind(dim=2), strict=True):
        pixels = patch.flatten(0, 1).flatten(1)
        canvas.scatter_reduce_(1, corner[:, None] + inside, pixels, "amax")
    drawn = canvas.view(*frames.shape[:3], side, side)
    frames.copy_(drawn[..., :height, :height])


def location_maps(centers: Tensor, image_size: int) -> Tensor:
    """In which of 8 x 8 cells there is the center of a digit.

    Parameters
    ----------
    centers : Tensor
        ``(N, T, M, 2)``, in pixels.
    image_size : int
        Height and width of the pictures.

    Returns
    -------
    Tensor
        ``(N, T, 8, 8)``: 1 where there is a center, else 0.

    Raises
    ------
    ValueError
        If a shape differs, a center is outside the picture, or its size is below 1.
    """
    check_positive(image_size=image_size)
    check_shape("N T M 2", centers=centers)
    cells = ((centers + 0.5) * GRID / image_size).floor().long()
    if not ((cells >= 0) & (cells < GRID)).all():
        raise ValueError(
            f"centers must lie in {image_size} pixels, got cells {cells.min():d} to {cells.max():d}"
        )
    index = cells[..., 1] * GRID + cells[..., 0]  # row by row
    flat = torch.zeros(*index.shape[:2], GRID * GRID)
    return flat.scatter_(2, index, 1.0).unflatten(2, (GRID, GRID))


def bright_parts(picture: np.ndarray) -> np.ndarray:
    """Where the connected bright parts of a picture are: the middle of the box around each.

    Two digits that touch are one part, and a digit that is broken is several.

    Parameters
    ----------
    picture : array
        ``(H, W)``. Bright is what lies above the middle between its darkest and brightest pixel.

    Returns
    -------
    array
        ``(parts, 2)``: x to the right and y down, in pixels.
    """
    bright = picture > (int(picture.min()) + int(picture.max())) / 2
    parts, _ = ndimage.label(bright, np.ones((3, 3)))  # corners touch, too
    boxes = [
        [(side.start + side.stop - 1) / 2 for side in (columns, rows)]
        for rows, columns in ndimage.find_objects(parts)
    ]
    return np.array(boxes).reshape(-1, 2)


def component_maps(frames: Tensor) -> Tensor:
    """Location maps read off the pictures, as the published example makes its labels.

    From `bright_parts`, so that digits that touch count as one; `location_maps` are exact.

    Parameters
    ----------
    frames : Tensor
        ``(N, T, 1, H, W)``, uint8.

    Returns
    -------
    Tensor
        ``(N, T, 8, 8)``: 1 in the cell of the middle of each part, else 0.

    Raises
    ------
    ValueError
        If the shape differs.
    """
    check_shape("N T 1 H W", frames=frames)
    flat = frames.flatten(0, 2).numpy()
    maps = torch.zeros(len(flat), GRID, GRID)
    for picture, out in zip(flat, maps, strict=True):
        height, width = picture.shape
        for x, y in bright_parts(picture):
            out[int((y + 0.5) * GRID / height), int((x + 0.5) * GRID / width)] = 1
    return maps.unflatten(0, frames.shape[:2])


def read_sequence_file(path: str | Path) -> tuple[Tensor, Tensor]:
    """Open the published test sequences, and part them as the published example does.

    The file, ``mnist_test_seq.npy``, holds 10,000 clips of 20 frames (Srivastava et al., 2015).
    Each becomes two clips of 10. Digits are shared between the parts.

    Parameters
    ----------
    path : str or Path
        Of the file. It is mapped to memory and copied in parts, not read at once.

    Returns
    -------
    tuple of Tensor
        Frames for training, ``(18000, 10, 1, 64, 64)``, and validation, ``(2000, ...)``, uint8.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    sequences = np.load(path, mmap_mode="r", allow_pickle=False)
    expected = (20, 10_000, 64, 64)
    if sequences.shape != expected or sequences.dtype != np.uint8:
        raise ValueError(
            f"{path} must hold uint8 {expected}, got {sequences.dtype} {sequences.shape}"
        )
    order = torch.randperm(10_000, generator=new_generator(42))
    parts = []
    for rows in order.split([9_000, 1_000]):
        clips = torch.from_numpy(sequences[:, rows.numpy()]).transpose(0, 1)
        parts.append(clips.reshape(-1, 10, 1, 64, 64))
    return parts[0], parts[1]
