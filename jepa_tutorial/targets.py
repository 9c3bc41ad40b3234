"""Targets: where the latent to be predicted comes from."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import check_averaged, check_range, check_shape


class EMATarget(nn.Module):
    """A slow copy of the encoder that no gradient reaches.

    Its weights are an exponential moving average (EMA) of the encoder's, as in BYOL
    (Grill et al., 2020) and I-JEPA (Assran et al., 2023).

    Parameters
    ----------
    encoder : nn.Module
        The encoder to copy.
    ema_decay : float
        tau, from 0 (the target is the encoder itself, gradient stopped) to 1 (it never moves).

    Raises
    ------
    ValueError
        If ``ema_decay`` is outside [0, 1], the encoder cannot be copied, or its weights are of half
        precision, whose average would not move.
    """

    def __init__(self, encoder: nn.Module, ema_decay: float) -> None:
        super().__init__()
        check_range(0, 1, ema_decay=ema_decay)
        check_averaged(encoder=encoder)
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.ema_decay = ema_decay

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Encode observations ``(B, T, D)`` into targets ``z_bar``, ``(B, Z)``."""
        return self.encoder(x)

    @torch.no_grad()
    def update(self, encoder: nn.Module) -> None:
        """Move each weight of the copy a little toward the encoder's."""
        check_averaged(encoder=encoder)
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


def linear_decay(base: float, progress: float) -> float:
    """Let tau rise in a straight line from its base to one, as in I-JEPA.

    Parameters
    ----------
    base : float
        tau at the start, from 0 to 1; 0.996 in I-JEPA (Assran et al., 2023).
    progress : float
        The share of training that is done, from 0 to 1.

    Returns
    -------
    float
        From ``base`` to 1.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    check_range(0, 1, base=base, progress=progress)
    return base + (1 - base) * progress


def cosine_decay(base: float, progress: float) -> float:
    """Let tau rise along half a cosine from its base to one, as in BYOL.

    Parameters
    ----------
    base : float
        tau at the start, from 0 to 1; 0.996 in BYOL (Grill et al., 2020) and DINO.
    progress : float
        The share of training that is done, from 0 to 1.

    Returns
    -------
    float
        From ``base`` to 1.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    check_range(0, 1, base=base, progress=progress)
    return 1 - (1 - base) * (math.cos(math.pi * progress) + 1) / 2


def coupled_decay(base: float, *, lr: float, initial_lr: float) -> float:
    """Let the copy slow down as the learning rate falls.

    Parameters
    ----------
    base : float
        tau at the initial learning rate, from 0 to 1.
    lr : float
        The learning rate now, from 0 to ``initial_lr``.
    initial_lr : float
        The learning rate at the start, above 0.

    Returns
    -------
    float
        From ``base``, at the initial rate, to 1, at a rate of zero.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    check_range(0, 1, base=base)
    check_range(1e-12, math.inf, initial_lr=initial_lr)
    check_range(0, initial_lr, lr=lr)
    return 1 - (1 - base) * lr / initial_lr


class Encodings(NamedTuple):
    """What the predictor reads, what it must predict, and what regularizers see.

    Each tensor is ``(B, Z)``, but ``z_bar`` may hold several steps and ``z`` a pair; ``seen``
    holds the online encodings, one or two.
    """

    z: Any
    z_bar: Tensor
    seen: tuple[Tensor, ...]


Mode = Callable[[nn.Module, nn.Module, Tensor, Tensor], Encodings]


def default_mode(
    online: nn.Module, target: nn.Module, x_context: Tensor, x_target: Tensor
) -> Encodings:
    """Read and predict the copy's encodings; regularizers see the online ones.

    Parameters
    ----------
    online : nn.Module
        The encoder that the optimizer moves.
    target : nn.Module
        Its slow copy, such as `EMATarget`.
    x_context, x_target : Tensor
        Past and future, ``(B, T, D)``.

    Returns
    -------
    Encodings
    """
    seen = online(x_context), online(x_target)
    return Encodings(target(x_context), target(x_target), seen)


def vjepa2_mode(
    online: nn.Module, target: nn.Module, x_context: Tensor, x_target: Tensor
) -> Encodings:
    """Read the online encoding of the past, predict the target's of the future.

    Parameters
    ----------
    online, target, x_context, x_target
        As in `default_mode`.

    Returns
    -------
    Encodings
    """
    z = online(x_context)
    return Encodings(z, target(x_target), (z,))


def none_mode(
    online: nn.Module, target: nn.Module, x_context: Tensor, x_target: Tensor
) -> Encodings:
    """Without a copy: predict the online encoding of the future, gradient stopped.

    Parameters
    ----------
    online, target, x_context, x_target
        As in `default_mode`; ``target`` is not used.

    Returns
    -------
    Encodings
    """
    z, z_future = online(x_context), online(x_target)
    return Encodings(z, z_future.detach(), (z, z_future))


def changes_mode(
    online: nn.Module, target: nn.Module, x_context: Tensor, x_target: Tensor
) -> Encodings:
    """As in `vjepa2_mode`, but regularizers see how far a latent moves in time.

    What never changes within an episode cannot please a regularizer that looks at changes.

    Parameters
    ----------
    online, target
        As in `default_mode`.
    x_context : Tensor
        Windows, ``(B, ...)``.
    x_target : Tensor
        The R windows after each, time folded into the batch: ``(B * R, ...)``.

    Returns
    -------
    Encodings
        ``seen``: the latent of the last window less that of the first, divided by the root of
        two, so that it varies as much as a latent does when the two have nothing in common.
    """
    z = online(x_context)
    last = x_target.unflatten(0, (len(x_context), -1))[:, -1]
    change = (online(last) - z) / math.sqrt(2)
    return Encodings(z, target(x_target), (change,))


MODES = {
    "default": default_mode,
    "vjepa2": vjepa2_mode,
    "none": none_mode,
    "changes": changes_mode,
}


def over_time(mode: Mode) -> Mode:
    """Let a mode encode targets of several steps, with time in the batch.

    Parameters
    ----------
    mode : callable
        For targets of one step, such as `vjepa2_mode`.

    Returns
    -------
    callable
        For targets ``(B, R, ...)``; its ``z_bar`` is ``(B, R, Z)``.
    """

    def encode(
        online: nn.Module, target: nn.Module, x_context: Tensor, x_target: Tensor
    ) -> Encodings:
        made = mode(online, target, x_context, x_target.flatten(0, 1))
        return made._replace(z_bar=made.z_bar.unflatten(0, x_target.shape[:2]))

    return encode


def clip_mode(
    online: nn.Module, target: nn.Module, x_context: Tensor, x_target: Tensor
) -> Encodings:
    """Read two frames, predict the others; time is folded into the batch.

    Parameters
    ----------
    online, target
        As in `default_mode`, from frames ``(B, C, H, W)`` to maps ``(B, Z, H', W')``.
    x_context : Tensor
        Two frames, ``(B, 2, C, H, W)``.
    x_target : Tensor
        Those after them, ``(B, R, C, H, W)``.

    Returns
    -------
    Encodings
        ``z`` is a pair of maps; ``seen`` holds both, ``(2 B, Z, H', W')``.
    """
    check_shape("B 2 C H W", x_context=x_context)
    z = online(x_context.flatten(0, 1))
    z_bar = target(x_target.flatten(0, 1))
    pair = z.unflatten(0, x_context.shape[:2]).unbind(dim=1)
    return Encodings(pair, z_bar.unflatten(0, x_target.shape[:2]), (z,))
