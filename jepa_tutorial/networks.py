"""Plain networks that serve as encoder, predictor and decoder of vectors."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.checks import check_multiple, check_positive


def mlp(input_dim: int, hidden_dim: int, output_dim: int) -> nn.Sequential:
    """A network of three layers with smooth bends between them.

    GELU (Hendrycks and Gimpel, 2016) and not ReLU: a motion without corners is easier to
    follow with a network without corners.

    Parameters
    ----------
    input_dim, hidden_dim, output_dim : int
        Sizes of the input, of both hidden layers, and of the output, in the order of the layers.

    Returns
    -------
    nn.Sequential
        From ``(..., input_dim)`` to ``(..., output_dim)``.

    Raises
    ------
    ValueError
        If a size is below 1.
    """
    check_positive(input_dim=input_dim, hidden_dim=hidden_dim)
    check_positive(output_dim=output_dim)
    return nn.Sequential(
        nn.Linear(input_dim, hidden_dim),
        nn.GELU(),
        nn.Linear(hidden_dim, hidden_dim),
        nn.GELU(),
        nn.Linear(hidden_dim, output_dim),
    )


class ResidualBlock(nn.Module):
    """Two convolutions, and a shortcut that passes the input by.

    After He et al. (2016), with the normalization of Ioffe and Szegedy (2015).

    Parameters
    ----------
    channels, width : int
        Channels of the input and of the output.
    stride : int
        2 halves height and width, 1 keeps them.

    Raises
    ------
    ValueError
        If a size is below 1.
    """

    def __init__(self, channels: int, width: int, *, stride: int = 1) -> None:
        super().__init__()
        check_positive(channels=channels, width=width, stride=stride)
        self.change = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if channels != width or stride != 1:  # shapes differ
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, h: Tensor) -> Tensor:
        """From ``(B, channels, H, W)`` to ``(B, width, H / stride, W / stride)``."""
        return F.relu(self.shortcut(h) + self.change(h))


class TransformerBlock(nn.Module):
    """Tokens look at each other, then each is changed by itself.

    Attention and an MLP, each behind a normalization and beside a shortcut: the form of Vaswani
    et al. (2017) with the normalization in front, as in vision transformers.

    Parameters
    ----------
    dim : int
        Size of a token, a multiple of ``heads``.
    heads : int
        How many heads attention has.
    mlp_dim : int
        Width of the MLP.

    Raises
    ------
    ValueError
        If a size is below 1, or ``dim`` is no multiple of ``heads``.
    """

    def __init__(self, dim: int, *, heads: int, mlp_dim: int) -> None:
        super().__init__()
        check_positive(heads=heads, mlp_dim=mlp_dim)
        check_multiple(heads, dim=dim)
        self.norm_1, self.norm_2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.change = nn.Sequential(
            nn.Linear(dim, mlp_dim), nn.GELU(), nn.Linear(mlp_dim, dim)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """From tokens ``(B, S, dim)`` to tokens ``(B, S, dim)``."""
        h = self.norm_1(tokens)
        seen, _ = self.attention(h, h, h, need_weights=False)
        tokens = tokens + seen
        return tokens + self.change(self.norm_2(tokens))
