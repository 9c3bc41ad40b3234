"""Predictors: from the latent of the past to the latent of the future."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.checks import (
    check_multiple,
    check_positive,
    check_range,
    check_shape,
)
from jepa_tutorial.networks import ResidualBlock, TransformerBlock, mlp


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

    def forward(self, z: Tensor, told: object = None) -> Tensor:
        """Predict the next latent, ``(B, Z)``; there is nothing to tell."""
        check_shape("B Z", z=z)
        return z + self.change(z)


State = Tensor | tuple[Tensor, ...]


def roll_out(
    step: Callable[[Any, Any], State], state: State, inputs: Iterable[Any]
) -> Tensor:
    """Apply a step to its own result, again and again.

    Parameters
    ----------
    step : callable
        From a state and what it is told, such as an action, to the next state.
    state : Tensor or tuple of Tensor
        Where to start. Of a tuple, the last part is the newest latent.
    inputs : iterable
        What each step is told: actions ``(B, A)``, or a range where there is nothing to tell.

    Returns
    -------
    Tensor
        The newest latent after each step, ``(B, steps, ...)``.

    Raises
    ------
    RuntimeError
        If there is no step to take.
    """
    latents = []
    for told in inputs:
        state = step(state, told)
        latents.append(state[-1] if isinstance(state, tuple) else state)
    return torch.stack(latents, dim=1)


class RollOut(nn.Module):
    """A step as the predictor of a model that looks several steps ahead.

    Parameters
    ----------
    step : nn.Module
        See `roll_out`.
    """

    def __init__(self, step: nn.Module) -> None:
        super().__init__()
        self.step = step

    def forward(self, state: State, inputs: Iterable[Any]) -> Tensor:
        """Predict the latent after each step, ``(B, steps, ...)``."""
        return roll_out(self.step, state, inputs)


def enlarge(h: Tensor, like: Tensor) -> Tensor:
    """Repeat each place of a map until it is as high and wide as another.

    Parameters
    ----------
    h : Tensor
        ``(B, C, H, W)``.
    like : Tensor
        The other, ``(B, C', H', W')``.

    Returns
    -------
    Tensor
        ``(B, C, H', W')``.
    """
    return F.interpolate(h, size=like.shape[-2:], mode="nearest")


class UNet(nn.Module):
    """Down for an overview, up for places (Ronneberger et al., 2015).

    Parameters
    ----------
    channels, width, out_channels : int
        Channels of the input, of the inner layers at full size (twice as many below), and of the
        output.

    Raises
    ------
    ValueError
        If a size is below 1.
    """

    def __init__(self, channels: int, width: int, out_channels: int) -> None:
        super().__init__()
        check_positive(channels=channels, width=width, out_channels=out_channels)
        self.enter = ResidualBlock(channels, width)
        self.down = ResidualBlock(width, 2 * width, stride=2)
        self.deepest = ResidualBlock(2 * width, 2 * width, stride=2)
        self.rise = ResidualBlock(4 * width, 2 * width)
        self.top = ResidualBlock(3 * width, width)
        self.leave = nn.Conv2d(width, out_channels, 1)

    def forward(self, h: Tensor) -> Tensor:
        """From ``(B, channels, H, W)`` to ``(B, out_channels, H, W)``."""
        fine = self.enter(h)
        middle = self.down(fine)
        coarse = self.deepest(middle)
        # Skip connections: the way up sees what the way down has seen.
        h = self.rise(torch.cat([enlarge(coarse, middle), middle], dim=1))
        h = self.top(torch.cat([enlarge(h, fine), fine], dim=1))
        return self.leave(h)


class ResUNet(nn.Module):
    """Predict the next map from the last two: the newest, and a correction.

    Parameters
    ----------
    latent_dim : int
        Channels of a map, Z.
    width : int
        Channels inside, see `UNet`.

    Raises
    ------
    ValueError
        If a size is below 1, or the inputs are not two ``(B, Z, H, W)`` of one shape.
    """

    def __init__(self, latent_dim: int, width: int) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim)
        self.latent_dim = latent_dim
        self.change = UNet(2 * latent_dim, width, latent_dim)

    def forward(
        self, maps: tuple[Tensor, Tensor], told: object = None
    ) -> tuple[Tensor, Tensor]:
        """From the last two maps ``(B, Z, H, W)`` to the newer and the next."""
        z_before, z = maps
        check_shape(f"B {self.latent_dim} H W", z_before=z_before, z=z)
        return z, z + self.change(torch.cat([z, z_before], dim=1))


NEIGHBORS = [(i, j) for i in range(3) for j in range(3)]  # of a place, row by row


class CarryingUNet(nn.Module):
    """Predict the next map: each place takes from its neighbors, and is corrected.

    For each place and each group of channels, a U-Net gives nine shares, with which a place takes
    over what it and its neighbors held, and for each channel a correction, zero at the start. So
    what moves is carried and not redrawn; kin of dynamic filter networks (De Brabandere et al.,
    2016).

    Parameters
    ----------
    latent_dim : int
        Channels of a map, Z.
    width : int
        Channels inside, see `UNet`.
    groups : int
        Groups of channels, each carried by shares of its own. Divides ``latent_dim``.

    Raises
    ------
    ValueError
        If a size is below 1 or does not fit, or the inputs are not two ``(B, Z, H, W)`` of one
        shape.
    """

    def __init__(self, latent_dim: int, width: int, groups: int = 4) -> None:
        super().__init__()
        check_positive(groups=groups)
        check_multiple(groups, latent_dim=latent_dim)
        self.latent_dim, self.groups = latent_dim, groups
        self.net = UNet(2 * latent_dim, width, latent_dim + 9 * groups)
        nn.init.zeros_(self.net.leave.weight[:latent_dim])
        assert self.net.leave.bias is not None
        nn.init.zeros_(self.net.leave.bias[:latent_dim])

    def forward(
        self, maps: tuple[Tensor, Tensor], told: object = None
    ) -> tuple[Tensor, Tensor]:
        """From the last two maps ``(B, Z, H, W)`` to the newer and the next."""
        z_before, z = maps
        check_shape(f"B {self.latent_dim} H W", z_before=z_before, z=z)
        out = self.net(torch.cat([z, z_before], dim=1))
        change, shares = out.tensor_split([self.latent_dim], dim=1)
        shares = shares.unflatten(1, (self.groups, 9)).softmax(dim=2)
        rows, columns = z.shape[2:]
        around = F.pad(z, (1, 1, 1, 1), mode="replicate")
        near = torch.stack(
            [around[..., i : i + rows, j : j + columns] for i, j in NEIGHBORS], dim=2
        ).unflatten(1, (self.groups, -1))  # (B, groups, Z / groups, 9, H, W)
        carried = (shares[:, :, None] * near).sum(dim=3).flatten(1, 2)
        return z, carried + change


class ActionEncoder(nn.Module):
    """Turn a continuous action into a vector, with a small network.

    Parameters
    ----------
    action_dim : int
        Size of an action, A.
    action_emb_dim : int
        Size of the vector.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, A)``.
    """

    def __init__(self, action_dim: int, action_emb_dim: int) -> None:
        super().__init__()
        check_positive(action_dim=action_dim, action_emb_dim=action_emb_dim)
        self.action_dim = action_dim
        self.layers = mlp(action_dim, action_emb_dim, action_emb_dim)

    def forward(self, a: Tensor) -> Tensor:
        """Encode actions ``(B, A)`` into ``(B, action_emb_dim)``."""
        check_shape(f"B {self.action_dim}", a=a)
        return self.layers(a)


class ActionEmbedding(nn.Module):
    """Look up a vector for a discrete action, given as one of A.

    Parameters
    ----------
    action_dim : int
        How many actions there are, A.
    action_emb_dim : int
        Size of the vector.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, A)``.
    """

    def __init__(self, action_dim: int, action_emb_dim: int) -> None:
        super().__init__()
        check_positive(action_dim=action_dim, action_emb_dim=action_emb_dim)
        self.action_dim = action_dim
        self.table = nn.Embedding(action_dim, action_emb_dim)

    def forward(self, a: Tensor) -> Tensor:
        """Look up actions ``(B, A)``, each one of A: ``(B, action_emb_dim)``."""
        check_shape(f"B {self.action_dim}", a=a)
        return self.table(a.argmax(dim=-1))


class MLPTransition(nn.Module):
    """Add to the latent a change that depends on it and on the action.

    Parameters
    ----------
    latent_dim : int
        Size of the latent, Z.
    action_encoder : nn.Module
        From actions ``(B, A)`` to ``(B, action_emb_dim)``.
    action_emb_dim : int
        Size of an encoded action.
    hidden_dim : int
        Width of the hidden layers.
    dropout : float
        Share of the inputs of the change that are left out in training.

    Raises
    ------
    ValueError
        If a size is below 1, a share is out of range, or ``z`` is not ``(B, Z)``.
    """

    def __init__(
        self, latent_dim: int, action_encoder: nn.Module, *, action_emb_dim: int,
        hidden_dim: int, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(latent_dim=latent_dim, action_emb_dim=action_emb_dim)
        check_range(0, 1, dropout=dropout)
        self.latent_dim, self.action_encoder = latent_dim, action_encoder
        self.change = nn.Sequential(
            nn.Dropout(dropout),
            mlp(latent_dim + action_emb_dim, hidden_dim, latent_dim),
        )

    def forward(self, z: Tensor, a: Tensor) -> Tensor:
        """Predict the next latent ``(B, Z)`` from ``z`` and actions ``(B, A)``."""
        check_shape(f"B {self.latent_dim}", z=z)
        both = torch.cat([z, self.action_encoder(a)], dim=-1)
        return z + self.change(both)


class TransformerTransition(nn.Module):
    """Latent and action are two tokens that look at each other.

    Parameters
    ----------
    latent_dim : int
        Size of the latent, Z.
    action_encoder : nn.Module
        From actions ``(B, A)`` to ``(B, action_emb_dim)``.
    action_emb_dim : int
        Size of an encoded action.
    dim : int
        Size of a token, a multiple of ``heads``.
    transition_depth, heads : int
        Transformer blocks, and attention heads in each.

    Raises
    ------
    ValueError
        If a size is below 1 or does not fit, or ``z`` is not ``(B, Z)``.
    """

    def __init__(
        self, latent_dim: int, action_encoder: nn.Module, *, action_emb_dim: int,
        dim: int, transition_depth: int, heads: int,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(latent_dim=latent_dim, action_emb_dim=action_emb_dim)
        check_positive(dim=dim, transition_depth=transition_depth)
        self.latent_dim, self.action_encoder = latent_dim, action_encoder
        self.from_latent = nn.Linear(latent_dim, dim)
        self.from_action = nn.Linear(action_emb_dim, dim)
        blocks = [
            TransformerBlock(dim, heads=heads, mlp_dim=2 * dim)
            for _ in range(transition_depth)
        ]
        self.blocks = nn.Sequential(*blocks)
        self.to_change = nn.Linear(dim, latent_dim)

    def forward(self, z: Tensor, a: Tensor) -> Tensor:
        """Predict the next latent ``(B, Z)`` from ``z`` and actions ``(B, A)``."""
        check_shape(f"B {self.latent_dim}", z=z)
        action = self.from_action(self.action_encoder(a))
        tokens = torch.stack([self.from_latent(z), action], dim=1)
        return z + self.to_change(self.blocks(tokens)[:, 0])
