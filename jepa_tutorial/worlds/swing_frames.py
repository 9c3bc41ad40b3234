"""Pictures of a single pendulum, and what disturbs them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from jepa_tutorial.checks import check_batch, check_choice, check_draw, check_range
from jepa_tutorial.worlds.pendulum_frames import distance_to_rod

SPAN = 2.8  # m from one edge of the picture to the other


def render_swings(angle: Tensor, image_size: int = 16) -> Tensor:
    """Draw pendulums: a gray rod and a bright bob, anti-aliased.

    Parameters
    ----------
    angle : Tensor
        From the vertical in rad, ``(N, T)``.
    image_size : int
        Height and width in pixels, from 8 to 128; the picture spans 2.8 m.

    Returns
    -------
    Tensor
        Frames from 0 to 1, ``(N, T, 1, image_size, image_size)``.

    Raises
    ------
    ValueError
        If a shape or a size is out of range.
    """
    check_batch("N T", 1, angle=angle)
    check_range(8, 128, image_size=image_size)
    end = torch.stack([angle.sin(), -angle.cos()], dim=-1).flatten(0, 1)
    rod = 0.45 * covered(torch.zeros_like(end), end, 0.06, image_size)
    frames = rod.lerp(torch.full_like(rod, 0.7), covered(end, end, 0.3, image_size))
    return frames.view(*angle.shape, 1, image_size, image_size)


def covered(start: Tensor, end: Tensor, radius: float, size: int) -> Tensor:
    """How much of each pixel a rod covers; from two points ``(F, 2)`` in m to ``(F, H, W)``."""
    place = (torch.arange(size) + 0.5 - size / 2) * SPAN / size
    distance = distance_to_rod(place[None, None], -place[None, :, None], start, end)
    return ((radius - distance) * size / SPAN + 0.5).clamp(0, 1)


def disturb(
    frames: Tensor, kind: str, contrast: float, rho: float, generator: torch.Generator
) -> Tensor:
    """Lay over frames what has nothing to do with the pendulum.

    What disturbs keeps a share of itself from frame to frame, an autoregression of first order of
    unit variance: at 0 it is white noise, at 1 it stays as it is.

    Parameters
    ----------
    frames : Tensor
        ``(N, T, 1, H, W)``, H equal to W, such as those of `render_swings`.
    kind : str
        ``"none"``; ``"pixels"``, each pixel by itself; ``"patterns"``, eight smooth pictures, each
        with a weight of its own; ``"blob"``, a second bob that moves by itself.
    contrast : float
        Standard deviation of a pixel, or the brightness of the blob.
    rho : float
        The correlation of what disturbs with itself one frame later, from 0 to 1.
    generator : torch.Generator
        The source of randomness.

    Returns
    -------
    Tensor
        ``(N, T, 1, H, W)``, not cut off at 0 and 1.

    Raises
    ------
    ValueError
        If a shape or a number is out of range, the kind is unknown, or the generator is none.
    """
    check_batch("N T 1 H W", 1, frames=frames)
    check_choice(("none", "pixels", "patterns", "blob"), kind=kind)
    check_range(0, math.inf, contrast=contrast)
    check_range(0, 1, rho=rho)
    check_draw(generator)
    clips, size = frames.shape[:2], frames.shape[-1]
    if kind == "pixels":
        return frames + contrast * forgetting(frames.shape, rho, generator)
    if kind == "patterns":
        weights = forgetting((*clips, 8), rho, generator) * contrast / math.sqrt(8)
        return frames + (weights @ patterns(size).flatten(1)).view_as(frames)
    if kind == "blob":
        place = 0.5 * forgetting((*clips, 2), rho, generator).flatten(0, 1)
        cover = covered(place, place, 0.3, size).view_as(frames)
        return frames.lerp(torch.full_like(frames, contrast), cover)
    return frames


def forgetting(
    shape: tuple[int, ...], rho: float, generator: torch.Generator
) -> Tensor:
    """Gaussian numbers of unit variance, each a share rho of the one before along time."""
    fresh = torch.randn(shape, generator=generator)
    for before, now in zip(fresh.unbind(1), fresh.unbind(1)[1:], strict=False):
        now.mul_(math.sqrt(1 - rho**2)).add_(before, alpha=rho)
    return fresh


def patterns(size: int) -> Tensor:
    """Eight products of cosines, ``(8, size, size)``, each with a mean square of one."""
    waves = torch.arange(3)[:, None] * (torch.arange(size) + 0.5) / size * math.pi
    rows, columns = waves.cos().repeat_interleave(3, 0), waves.cos().repeat(3, 1)
    flat = (rows[:, :, None] * columns[:, None])[1:]  # without the constant
    return flat / flat.square().mean(dim=(1, 2), keepdim=True).sqrt()
