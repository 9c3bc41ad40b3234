"""The architecture itself, put together from parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from jepa_tutorial.targets import Mode, vjepa2_mode


class Latents(NamedTuple):
    """What a JEPA makes of past and future.

    ``z`` is what the predictor reads, ``z_hat`` what it predicts and ``z_bar`` what it should;
    ``seen`` holds the encodings that a regularizer looks at.
    """

    z: Any
    z_hat: Tensor
    z_bar: Tensor
    seen: tuple[Tensor, ...]


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
    mode : callable
        Who encodes what, such as `vjepa2_mode`.
    projector : nn.Module, optional
        What cost and regularizer look through.
    regularizer : callable, optional
        From latents to a scalar that is added to the cost, such as `vicreg_loss`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        predictor: nn.Module,
        target: nn.Module,
        cost: Callable[[Tensor, Tensor], Tensor],
        *,
        mode: Mode = vjepa2_mode,
        projector: nn.Module | None = None,
        regularizer: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.predictor, self.target = encoder, predictor, target
        self.cost, self.mode, self.regularizer = cost, mode, regularizer
        self.projector = projector or nn.Identity()

    def forward(self, x_context: Tensor, x_target: Tensor, *inputs: Any) -> Latents:
        """Return latent, prediction and target; ``inputs`` go to the predictor."""
        z, z_bar, seen = self.mode(self.encoder, self.target, x_context, x_target)
        z_hat = self.predictor(z, *inputs)
        return Latents(z, z_hat, z_bar, seen)

    def loss(self, x_context: Tensor, x_target: Tensor, *inputs: Any) -> Tensor:
        """Return the cost of the prediction, plus the regularizer if there is one."""
        _, z_hat, z_bar, seen = self(x_context, x_target, *inputs)
        loss = self.cost(self.projector(z_hat), self.projector(z_bar))
        if self.regularizer is None:
            return loss
        asked = [self.regularizer(self.projector(z)) for z in seen]
        return loss + torch.stack(asked).mean()
