"""Predictors: from the latent of the past to the latent of the future."""

from __future__ import annotations

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
