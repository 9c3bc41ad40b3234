"""Predictors: from the latent of the past to the latent of the future."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.networks import ResidualBlock
from jepa_tutorial.runtime import check_positive, check_shape


class MLPPredictor(nn.Module):
    """Guess the latent of the future from the latent of the past.

    Parameters
    ----------
    latent_dim : int
        Size of both latents, Z.
    hidden_dim : int
        Width of the one hidden layer.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, Z)``.
    """

    def __init__(self, latent_dim: int, hidden_dim: int) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, hidden_dim=hidden_dim)
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, latent_dim),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Predict ``z_hat``, ``(B, Z)``, from ``z``, ``(B, Z)``."""
        check_shape(f"B {self.latent_dim}", z=z)
        return self.layers(z)


class ResidualPredictor(nn.Module):
    """Add a learned change to the latent: one Euler step of a learned motion.

    Parameters
    ----------
    change : nn.Module
        From ``z`` to the change of it, both ``(B, Z)``.

    Raises
    ------
    ValueError
        If the input is not ``(B, Z)``.
    """

    def __init__(self, change: nn.Module) -> None:
        super().__init__()
        self.change = change

    def forward(self, z: Tensor) -> Tensor:
        """Predict the next latent, ``(B, Z)``, from ``z``, ``(B, Z)``."""
        check_shape("B Z", z=z)
        return z + self.change(z)


def roll_out(predictor: nn.Module, z: Tensor, horizon: int) -> Tensor:
    """Apply the predictor to its own output, again and again.

    Parameters
    ----------
    predictor : nn.Module
        From ``(B, Z)`` to ``(B, Z)``, one step ahead.
    z : Tensor
        Latents to start from, ``(B, Z)``.
    horizon : int
        How many steps.

    Returns
    -------
    Tensor
        Predictions for steps 1 to ``horizon``, ``(B, horizon, Z)``.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)`` or the horizon is below 1.
    """
    check_shape("B Z", z=z)
    check_positive(horizon=horizon)
    predictions = []
    for _ in range(horizon):
        z = predictor(z)
        predictions.append(z)
    return torch.stack(predictions, dim=1)


def enlarge(h: Tensor, like: Tensor) -> Tensor:
    """Repeat each place of a map until it is as high and wide as another.

    Parameters
    ----------
    h : Tensor
        ``(B, C, H, W)``.
    like : Tensor
        The other, ``(B, C', H', W')``.

    Returns
    -------
    Tensor
        ``(B, C, H', W')``.
    """
    return F.interpolate(h, size=like.shape[-2:], mode="nearest")


class ResUNet(nn.Module):
    """Predict the next map from the last two: down for an overview, up for places.

    A U-Net (Ronneberger et al., 2015) of residual blocks. It gives a correction, which is added to
    the newest map.

    Parameters
    ----------
    latent_dim : int
        Channels of a map, Z.
    width : int
        Channels inside, at full size; twice as many below.

    Raises
    ------
    ValueError
        If a size is below 1, or the inputs are not two ``(B, Z, H, W)`` of one shape.
    """

    def __init__(self, latent_dim: int, width: int) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, width=width)
        self.latent_dim = latent_dim
        self.enter = ResidualBlock(2 * latent_dim, width)
        self.down = ResidualBlock(width, 2 * width, stride=2)
        self.deepest = ResidualBlock(2 * width, 2 * width, stride=2)
        self.rise = ResidualBlock(4 * width, 2 * width)
        self.top = ResidualBlock(3 * width, width)
        self.leave = nn.Conv2d(width, latent_dim, 1)

    def forward(self, z_before: Tensor, z: Tensor) -> Tensor:
        """Predict ``z_hat`` from the last two maps, each ``(B, Z, H, W)``."""
        check_shape(f"B {self.latent_dim} H W", z_before=z_before, z=z)
        fine = self.enter(torch.cat([z, z_before], dim=1))
        middle = self.down(fine)
        coarse = self.deepest(middle)
        # Skip connections: the way up sees what the way down has seen.
        h = self.rise(torch.cat([enlarge(coarse, middle), middle], dim=1))
        h = self.top(torch.cat([enlarge(h, fine), fine], dim=1))
        return z + self.leave(h)


def roll_out_pairs(
    predictor: nn.Module, z_before: Tensor, z: Tensor, horizon: int
) -> Tensor:
    """Apply a predictor that reads two maps to its own output, again and again.

    Parameters
    ----------
    predictor : nn.Module
        From two maps ``(B, Z, H, W)`` to the next.
    z_before, z : Tensor
        The two to start from, ``(B, Z, H, W)``.
    horizon : int
        How many steps.

    Returns
    -------
    Tensor
        Predictions for steps 1 to ``horizon``, ``(B, horizon, Z, H, W)``.

    Raises
    ------
    ValueError
        If the shapes differ or the horizon is below 1.
    """
    check_shape("B Z H W", z_before=z_before, z=z)
    check_positive(horizon=horizon)
    predictions = []
    for _ in range(horizon):
        z_before, z = z, predictor(z_before, z)
        predictions.append(z)
    return torch.stack(predictions, dim=1)
