"""The architecture itself, put together from parts."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.predictors import roll_out


class JEPA(nn.Module):
    """Encode the past, predict the latent of the future, encode the future.

    The three boxes of LeCun (2022) and Assran et al. (2023), and the cost that compares two
    of them.

    Parameters
    ----------
    encoder : nn.Module
        From ``x_context`` to ``z``.
    predictor : nn.Module
        From ``z`` to ``z_hat``.
    target : nn.Module
        From ``x_target`` to ``z_bar``, with a method ``update(encoder)``, called after each
        optimizer step.
    cost : callable
        From ``z_hat`` and ``z_bar`` to a scalar, such as `cosine_loss`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        predictor: nn.Module,
        target: nn.Module,
        cost: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.encoder, self.predictor, self.target = encoder, predictor, target
        self.cost = cost

    def forward(
        self, x_context: Tensor, x_target: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the prediction ``z_hat`` and its target ``z_bar``, ``(B, Z)``."""
        z = self.encoder(x_context)
        z_hat = self.predictor(z)
        z_bar = self.target(x_target)
        return z_hat, z_bar


class RolloutJEPA(nn.Module):
    """Encode one window, then predict the latents of those after it, step by step.

    Parameters
    ----------
    encoder : nn.Module
        From windows ``(B, L, ...)`` to ``z``, ``(B, Z)``.
    predictor : nn.Module
        From ``z`` to the latent one step later.
    target : nn.Module
        From windows to ``z_bar``, with a method ``update(encoder)``.
    regularizer : callable
        From ``z`` to a scalar, such as `vicreg_loss`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        predictor: nn.Module,
        target: nn.Module,
        regularizer: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.encoder, self.predictor, self.target = encoder, predictor, target
        self.regularizer = regularizer

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``z`` (B, Z), ``z_hat`` and ``z_bar`` (B, R, Z).

        Of a stretch of windows, ``(B, R + 1, L, ...)``: the first is encoded, the others are
        predicted.
        """
        rollout = windows.shape[1] - 1
        z = self.encoder(windows[:, 0])
        z_hat = roll_out(self.predictor, z, rollout)
        # Fold time into the batch.
        z_bar = self.target(windows[:, 1:].flatten(0, 1))
        return z, z_hat, z_bar.unflatten(0, (-1, rollout))

    def loss(self, windows: Tensor) -> Tensor:
        """Return the prediction cost over all steps, plus the regularizer."""
        z, z_hat, z_bar = self(windows)
        return F.mse_loss(z_hat, z_bar) + self.regularizer(z)
