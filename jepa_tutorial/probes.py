"""Probes: what a frozen representation holds, measured on held-out data."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from sklearn.linear_model import LinearRegression
from torch import Tensor

from jepa_tutorial.runtime import check_range, check_shape


def retrieval_accuracy(
    z_hat: Tensor, z_bar: Tensor, num_candidates: int
) -> float:
    """How often the right target is the nearest among candidates, by cosine.

    The batch is cut into groups of candidates; each prediction looks for its own target in
    its group. Chance is ``1 / num_candidates``, and that is what a constant encoder scores.

    Parameters
    ----------
    z_hat, z_bar : Tensor
        Predictions and targets, each ``(B, Z)``, row by row. A last group that is not full is
        left out.
    num_candidates : int
        Size of a group, at most B.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the shapes differ, or there are fewer rows than candidates.
    """
    check_shape("B Z", z_hat=z_hat, z_bar=z_bar)
    check_range(1, len(z_hat), num_candidates=num_candidates)
    groups = len(z_hat) // num_candidates
    rows = groups * num_candidates
    z_hat = F.normalize(z_hat[:rows], dim=-1).view(groups, num_candidates, -1)
    z_bar = F.normalize(z_bar[:rows], dim=-1).view(groups, num_candidates, -1)
    cosine = z_hat @ z_bar.mT  # (groups, predictions, candidates)
    right = torch.arange(num_candidates, device=cosine.device)
    return (cosine.argmax(dim=-1) == right).float().mean().item()


def linear_probe(
    z_train: Tensor, y_train: Tensor, z_test: Tensor, y_test: Tensor
) -> float:
    """R-squared of a linear map from latent to quantity, on held-out data.

    Ordinary least squares from scikit-learn, in float64.

    Parameters
    ----------
    z_train, z_test : Tensor
        Frozen latents, ``(N, Z)`` and ``(M, Z)``.
    y_train, y_test : Tensor
        The quantity, ``(N,)`` and ``(M,)``.

    Returns
    -------
    float
        1 for a perfect map; 0 for one that knows only the mean; negative for worse.

    Raises
    ------
    ValueError
        If the shapes do not fit each other.
    """
    check_shape("N", y_train=y_train)
    check_shape(f"{len(y_train)} Z", z_train=z_train)
    check_shape(f"{len(y_test)} {z_train.shape[1]}", z_test=z_test)
    parts = (z_train, y_train, z_test, y_test)
    z_train, y_train, z_test, y_test = (part.double().cpu() for part in parts)
    return LinearRegression().fit(z_train, y_train).score(z_test, y_test)
