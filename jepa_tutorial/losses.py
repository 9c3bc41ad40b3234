"""Losses: how far a prediction is from its target."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from jepa_tutorial.runtime import check_shape


def cosine_loss(z_hat: Tensor, z_bar: Tensor) -> Tensor:
    """One minus the mean cosine of the angle between prediction and target.

    Parameters
    ----------
    z_hat, z_bar : Tensor
        Prediction and target, each ``(B, Z)``.

    Returns
    -------
    Tensor
        A scalar from 0 (same direction) to 2 (opposite); lengths do not matter.

    Raises
    ------
    ValueError
        If the shapes differ or are not ``(B, Z)``.
    """
    check_shape("B Z", z_hat=z_hat, z_bar=z_bar)
    return 1 - F.cosine_similarity(z_hat, z_bar, dim=-1).mean()
