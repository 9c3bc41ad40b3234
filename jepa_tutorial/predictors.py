"""Predictors: from the latent of the past to the latent of the future."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
