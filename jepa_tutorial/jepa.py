"""The architecture itself, put together from parts."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.checks import check_shape
from jepa_tutorial.predictors import roll_out, roll_out_actions, roll_out_pairs
from jepa_tutorial.targets import Encodings


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

    def forward(self, x_context: Tensor, x_target: Tensor) -> tuple[Tensor, Tensor]:
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


class VideoJEPA(nn.Module):
    """Encode two frames, then predict the maps of those after them, step by step.

    Prediction and regularization both look at projections, as in Bardes et al. (2022); with
    ``nn.Identity()`` for a projector they look at the maps themselves.

    Parameters
    ----------
    encoder : nn.Module
        From frames ``(B, C, H, W)`` to maps ``(B, Z, H', W')``.
    predictor : nn.Module
        From two maps to the next.
    target : nn.Module
        From frames to maps, with a method ``update(encoder)``.
    projector : nn.Module
        From maps ``(B, Z, H', W')`` to maps ``(B, P, H', W')``.
    regularizer : callable
        From maps ``(B, P, H', W')`` to a scalar.
    """

    def __init__(
        self,
        encoder: nn.Module,
        predictor: nn.Module,
        target: nn.Module,
        projector: nn.Module,
        regularizer: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.encoder, self.predictor, self.target = encoder, predictor, target
        self.projector, self.regularizer = projector, regularizer

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``z`` (B, 2, Z, H', W'), ``z_hat`` and ``z_bar`` (B, R, Z, H', W').

        Of clips ``(B, 2 + R, C, H, W)``: two frames are encoded, the others are predicted.
        """
        check_shape("B T C H W", x=x)
        rollout = x.shape[1] - 2
        z = self.encoder(x[:, :2].flatten(0, 1)).unflatten(0, (-1, 2))
        z_hat = roll_out_pairs(self.predictor, z[:, 0], z[:, 1], rollout)
        z_bar = self.target(x[:, 2:].flatten(0, 1))
        return z, z_hat, z_bar.unflatten(0, (-1, rollout))

    def loss(self, x: Tensor) -> Tensor:
        """Return the prediction cost over all steps, plus the regularizer."""
        p, p_hat, p_bar = (
            self.projector(z.flatten(0, 1)) for z in self(x)
        )  # time folded into the batch
        return F.mse_loss(p_hat, p_bar) + self.regularizer(p)


class ActionJEPA(nn.Module):
    """Encode one window, then follow the actions: predict the latent after each.

    Parameters
    ----------
    encoder : nn.Module
        From windows ``(B, L, C, H, W)`` to latents ``(B, Z)``.
    transition : nn.Module
        From latents ``(B, Z)`` and actions ``(B, A)`` to the next latents.
    target : nn.Module
        From windows to ``z_bar``, with a method ``update(encoder)``.
    mode : callable
        Who encodes what, such as `vjepa2_mode`.
    regularizer : callable
        From latents ``(B, Z)`` to a scalar.
    """

    def __init__(
        self,
        encoder: nn.Module,
        transition: nn.Module,
        target: nn.Module,
        mode: Callable[..., Encodings],
        regularizer: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.encoder, self.transition = encoder, transition
        self.target, self.mode = target, mode
        self.regularizer = regularizer

    def forward(
        self, windows: Tensor, actions: Tensor
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Return ``z_hat`` and ``z_bar``, (B, R, Z), and what the regularizer sees.

        Of a stretch of windows, ``(B, R + 1, L, C, H, W)``, and the actions between them,
        ``(B, R, A)``: the first window is encoded, the others are predicted.
        """
        check_shape("B T L C H W", windows=windows)
        check_shape(f"{len(windows)} {windows.shape[1] - 1} A", actions=actions)
        later = windows[:, 1:].flatten(0, 1)  # time folded into the batch
        z, z_bar, seen = self.mode(self.encoder, self.target, windows[:, 0], later)
        z_hat = roll_out_actions(self.transition, z, actions)
        return z_hat, z_bar.unflatten(0, z_hat.shape[:2]), seen

    def loss(self, windows: Tensor, actions: Tensor) -> Tensor:
        """Return the prediction cost over all steps, plus the regularizer."""
        z_hat, z_bar, seen = self(windows, actions)
        asked = torch.stack([self.regularizer(z) for z in seen]).mean()
        return F.mse_loss(z_hat, z_bar) + asked
