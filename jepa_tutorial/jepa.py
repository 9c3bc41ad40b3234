"""The architecture itself, put together from parts."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


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
