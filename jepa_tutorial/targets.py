"""Targets: where the latent to be predicted comes from."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from jepa_tutorial.runtime import check_range


class EMATarget(nn.Module):
    """A slow copy of the encoder that no gradient reaches.

    Its weights are an exponential moving average (EMA) of the encoder's, as in BYOL
    (Grill et al., 2020) and I-JEPA (Assran et al., 2023).

    Parameters
    ----------
    encoder : nn.Module
        The encoder to copy.
    ema_decay : float
        tau, from 0 (the target is the encoder of the last step) to 1 (it never moves).

    Raises
    ------
    ValueError
        If ``ema_decay`` is outside [0, 1].
    """

    def __init__(self, encoder: nn.Module, ema_decay: float) -> None:
        super().__init__()
        check_range(0, 1, ema_decay=ema_decay)
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.ema_decay = ema_decay

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Encode observations ``(B, T, D)`` into targets ``z_bar``, ``(B, Z)``."""
        return self.encoder(x)

    @torch.no_grad()
    def update(self, encoder: nn.Module) -> None:
        """Move each weight of the copy a little toward the encoder's."""
        pairs = self.encoder.parameters(), encoder.parameters()
        for slow, fast in zip(*pairs, strict=True):
            # tau * slow + (1 - tau) * fast
            slow.lerp_(fast, 1 - self.ema_decay)


class OnlineTarget(nn.Module):
    """The encoder as its own target: nothing stops the gradient.

    Parameters
    ----------
    encoder : nn.Module
        The encoder itself, not a copy.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        """Encode observations ``(B, T, D)`` into targets ``z_bar``, ``(B, Z)``."""
        return self.encoder(x)

    def update(self, encoder: nn.Module) -> None:
        """Do nothing: the target is the encoder, so it has moved already."""
