"""Forecasts: looking ahead with a trained JEPA, and what any forecast must beat."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import (
    check_batch,
    check_finite,
    check_positive,
    check_range,
    check_shape,
)
from jepa_tutorial.predictors import roll_out


class Forecaster(nn.Module):
    """Encode a window, roll the latent out, decode each step.

    Parameters
    ----------
    encoder : nn.Module
        From windows ``(B, L, ...)`` to latents ``(B, Z)``.
    predictor : nn.Module
        From a latent to the one a step later.
    decoder : nn.Module
        From latents ``(B, Z)`` to observations ``(B, ...)``.

    Raises
    ------
    ValueError
        If a horizon is below 1.
    """

    def __init__(
        self, encoder: nn.Module, predictor: nn.Module, decoder: nn.Module
    ) -> None:
        super().__init__()
        self.encoder, self.predictor = encoder, predictor
        self.decoder = decoder

    def forward(self, window: Tensor, horizon: int) -> Tensor:
        """Forecast ``(B, horizon, ...)`` from windows ``(B, L, ...)``."""
        check_positive(horizon=horizon)
        z_hat = roll_out(self.predictor, self.encoder(window), range(horizon))
        x_hat = self.decoder(z_hat.flatten(0, 1))
        return x_hat.unflatten(0, (-1, horizon))


def persistence(window: Tensor, horizon: int) -> Tensor:
    """Forecast that nothing changes.

    Parameters
    ----------
    window : Tensor
        ``(B, L, ...)``.
    horizon : int
        How many steps to look ahead.

    Returns
    -------
    Tensor
        ``(B, horizon, ...)``.

    Raises
    ------
    ValueError
        If the horizon is below 1.
    """
    check_positive(horizon=horizon)
    return torch.stack([window[:, -1]] * horizon, dim=1)


def constant_velocity(window: Tensor, horizon: int) -> Tensor:
    """Forecast that each coordinate goes on as between the last two observations.

    Parameters
    ----------
    window : Tensor
        ``(B, L, D)``, with L at least 2.
    horizon : int
        How many steps to look ahead.

    Returns
    -------
    Tensor
        ``(B, horizon, D)``.

    Raises
    ------
    ValueError
        If the shape is not ``(B, L, D)``, the horizon is below 1, or L below 2.
    """
    check_positive(horizon=horizon)
    check_shape("B L D", window=window)
    check_range(2, math.inf, window_len=window.shape[1])
    velocity = window[:, -1:] - window[:, -2:-1]
    ahead = torch.arange(1, horizon + 1, device=window.device).view(-1, 1)
    return window[:, -1:] + velocity * ahead


class Autoregression(nn.Module):
    """The next observation as a linear map of the last few, fitted by least squares.

    Parameters
    ----------
    x : Tensor
        Trajectories to fit it on, ``(N, T, D)``.
    history_length : int
        Observations that it reads, L, below T.

    Raises
    ------
    ValueError
        If the trajectories are not ``(N, T, D)`` or not finite, L is not from 1 to T - 1, a window
        is shorter than L, or a horizon is below 1.
    """

    def __init__(self, x: Tensor, history_length: int) -> None:
        super().__init__()
        check_batch("N T D", 1, x=x)
        check_finite(x=x)
        check_positive(x.shape[1] - 1, history_length=history_length)
        self.history_length = history_length
        past = x[:, :-1].unfold(1, history_length, 1).mT  # (N, T - L, L, D)
        past, future = past.flatten(2), x[:, history_length:]
        rows = (part.flatten(0, 1).double() for part in (past, future))
        self.map = nn.Parameter(torch.linalg.lstsq(*rows).solution)  # (L * D, D)

    @torch.no_grad()
    def forward(self, window: Tensor, horizon: int) -> Tensor:
        """Forecast ``(B, horizon, D)`` from windows ``(B, L, D)`` or longer ones."""
        check_positive(horizon=horizon)
        check_positive(window.shape[1], history_length=self.history_length)
        path = window[:, -self.history_length :].double()
        for _ in range(horizon):
            ahead = path[:, -self.history_length :].flatten(1) @ self.map
            path = torch.cat([path, ahead[:, None]], dim=1)
        return path[:, self.history_length :].to(window)


class NextState(nn.Module):
    """A network that predicts the next observation itself, fed its own output.

    A strong form of it: it sees the last position and the last steps, scaled to unit size, and
    predicts the change of the step.

    Parameters
    ----------
    network : nn.Module
        From ``(B, L * D)``, the position and L - 1 steps, to ``(B, D)``.
    step_size : float
        The typical size of a step, which is its unit.

    Raises
    ------
    ValueError
        If the step size is below 1e-9, or a horizon is below 1.
    """

    def __init__(self, network: nn.Module, step_size: float) -> None:
        super().__init__()
        check_range(1e-9, math.inf, step_size=step_size)
        self.network, self.step_size = network, step_size

    def forward(self, window: Tensor, horizon: int) -> Tensor:
        """Forecast ``(B, horizon, D)`` from windows ``(B, L, D)``, L at least 2."""
        check_positive(horizon=horizon)
        position, forecast = window[:, -1], []
        steps = window.diff(dim=1).flip(1) / self.step_size  # the newest first
        for _ in range(horizon):
            seen = torch.cat([position, steps.flatten(1)], dim=-1)
            step = steps[:, 0] + self.network(seen)
            position = position + self.step_size * step
            steps = torch.cat([step[:, None], steps[:, :-1]], dim=1)
            forecast.append(position)
        return torch.stack(forecast, dim=1)
