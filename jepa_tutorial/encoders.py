"""Encoders: from observations to latents."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import (
    check_multiple,
    check_positive,
    check_range,
    check_shape,
)
from jepa_tutorial.networks import ResidualBlock, TransformerBlock, mlp


class LSTMEncoder(nn.Module):
    """Read a trajectory step by step and keep one latent vector of it.

    The hidden state after the last step, mapped linearly to the latent
    (Hochreiter and Schmidhuber, 1997, for the LSTM).

    Parameters
    ----------
    input_dim : int
        Size of one observation, D.
    hidden_dim : int
        Size of the LSTM's hidden state.
    latent_dim : int
        Size of the latent, Z.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, T, D)``.
    """

    def __init__(self, input_dim: int, *, hidden_dim: int, latent_dim: int) -> None:
        super().__init__()
        check_positive(input_dim=input_dim, hidden_dim=hidden_dim)
        check_positive(latent_dim=latent_dim)
        self.lstm = nn.LSTM(input_dim, hidden_dim, batch_first=True)
        self.to_latent = nn.Linear(hidden_dim, latent_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Encode observations ``(B, T, D)`` into latents ``(B, Z)``."""
        check_shape(f"B T {self.lstm.input_size}", x=x)
        # hidden: (1, B, hidden_dim), after the last step
        _, (hidden, _) = self.lstm(x)
        return self.to_latent(hidden[-1])  # (B, Z)


class MLPEncoder(nn.Module):
    """Lay a window of fixed length side by side and encode it at once.

    Parameters
    ----------
    input_dim : int
        Size of one observation, D.
    window_len : int
        Steps of the window, T.
    hidden_dim : int
        Width of the two hidden layers.
    latent_dim : int
        Size of the latent, Z.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, T, D)`` with these T and D.
    """

    def __init__(
        self, input_dim: int, *, window_len: int, hidden_dim: int, latent_dim: int
    ) -> None:
        super().__init__()
        check_positive(input_dim=input_dim, window_len=window_len)
        check_positive(hidden_dim=hidden_dim, latent_dim=latent_dim)
        self.expected = f"B {window_len} {input_dim}"
        self.layers = nn.Sequential(
            nn.Linear(window_len * input_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, latent_dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Encode observations ``(B, T, D)`` into latents ``(B, Z)``."""
        check_shape(self.expected, x=x)
        return self.layers(x.flatten(start_dim=1))


class Changes(nn.Module):
    """Show the newest observation, and how each differs from the one before it.

    The same information as the observations themselves, with the motion already brought out.

    Parameters
    ----------
    unit : float
        The typical size of a change, so that it counts as one.

    Raises
    ------
    ValueError
        If the unit is below 1e-9.
    """

    def __init__(self, unit: float = 1.0) -> None:
        super().__init__()
        check_range(1e-9, math.inf, unit=unit)
        self.unit = unit

    def forward(self, windows: Tensor) -> Tensor:
        """Turn windows ``(B, L, ...)`` into changes and the newest observation."""
        changes = windows.diff(dim=1) / self.unit
        return torch.cat([changes, windows[:, -1:]], dim=1)


class CNNEncoder(nn.Module):
    """Three convolutions that each halve the picture, and a linear map.

    Parameters
    ----------
    history_length, channels : int
        Frames in a window, L, and channels of a frame, C.
    image_size : int
        Height and width of a frame, a multiple of 8.
    width : int
        Channels after the first convolution; the other two have twice as many.
    latent_dim : int
        Size of the latent, Z.

    Raises
    ------
    ValueError
        If a size is below 1, the image size is no multiple of 8, or the input is not
        ``(B, L, C, image_size, image_size)``.
    """

    def __init__(
        self, *, history_length: int, channels: int, image_size: int, width: int,
        latent_dim: int,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(history_length=history_length, channels=channels)
        check_positive(width=width, latent_dim=latent_dim)
        check_multiple(8, image_size=image_size)
        size = f"{image_size} {image_size}"
        self.expected = f"B {history_length} {channels} {size}"
        self.layers = nn.Sequential(
            nn.Conv2d(history_length * channels, width, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(2 * width, 2 * width, 4, 2, 1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(2 * width * (image_size // 8) ** 2, latent_dim),
        )

    def forward(self, windows: Tensor) -> Tensor:
        """Encode windows of frames ``(B, L, C, H, W)`` into latents ``(B, Z)``."""
        check_shape(self.expected, windows=windows)
        return self.layers(windows.flatten(1, 2))  # L * C channels


class ResNet5(nn.Module):
    """Five convolutions, four of them in residual blocks, and a map of latents.

    Each place of the map sees a part of the frame, so a thing that moves in the frame moves in the
    map. The first convolution looks at patches that do not overlap.

    Parameters
    ----------
    channels : int
        Channels of a frame, C.
    width : int
        Channels of its inner layers.
    latent_dim : int
        Channels of the map, Z.
    patch : int
        Height and width of a patch in pixels. 1 looks at single pixels.
    stride : int
        Of the first block: 2 halves height and width once more.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, C, H, W)`` with this C.
    """

    def __init__(
        self, channels: int, *, width: int, latent_dim: int, patch: int = 4,
        stride: int = 2,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(channels=channels, latent_dim=latent_dim, patch=patch)
        check_positive(width=width, stride=stride)
        self.channels = channels
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, patch, patch, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            ResidualBlock(width, width, stride=stride),
            ResidualBlock(width, width),
            nn.Conv2d(width, latent_dim, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Encode frames ``(B, C, H, W)`` into maps of latents ``(B, Z, H', W')``."""
        check_shape(f"B {self.channels} H W", x=x)
        return self.layers(x)


class FlatEncoder(nn.Module):
    """Lay all pixels of a window side by side, and encode them with an MLP.

    Parameters
    ----------
    history_length, channels : int
        Frames in a window, L, and channels of a frame, C.
    image_size : int
        Height and width of a frame.
    hidden_dim : int
        Width of the hidden layers.
    latent_dim : int
        Size of the latent, Z.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, L, C, image_size, image_size)``.
    """

    def __init__(
        self, *, history_length: int, channels: int, image_size: int,
        hidden_dim: int, latent_dim: int,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(history_length=history_length, channels=channels)
        check_positive(image_size=image_size, latent_dim=latent_dim)
        size = f"{image_size} {image_size}"
        self.expected = f"B {history_length} {channels} {size}"
        pixels = history_length * channels * image_size**2
        self.layers = mlp(pixels, hidden_dim, latent_dim)

    def forward(self, windows: Tensor) -> Tensor:
        """Encode windows of frames ``(B, L, C, H, W)`` into latents ``(B, Z)``."""
        check_shape(self.expected, windows=windows)
        return self.layers(windows.flatten(1))


class ViTEncoder(nn.Module):
    """Cut the picture into patches, let them look at each other, and average.

    A vision transformer (Dosovitskiy et al., 2021), small.

    Parameters
    ----------
    history_length, channels : int
        Frames in a window, L, and channels of a frame, C.
    image_size : int
        Height and width of a frame, a multiple of ``patch``.
    patch : int
        Height and width of a patch in pixels.
    dim : int
        Size of a token, a multiple of ``heads``.
    depth, heads : int
        Transformer blocks, and attention heads in each.
    latent_dim : int
        Size of the latent, Z.

    Raises
    ------
    ValueError
        If a size is below 1 or does not fit, or the input is not
        ``(B, L, C, image_size, image_size)``.
    """

    def __init__(
        self, *, history_length: int, channels: int, image_size: int, patch: int,
        dim: int, depth: int, heads: int, latent_dim: int,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(history_length=history_length, channels=channels, dim=dim)
        check_positive(depth=depth, latent_dim=latent_dim, patch=patch)
        check_multiple(patch, image_size=image_size)
        size = f"{image_size} {image_size}"
        self.expected = f"B {history_length} {channels} {size}"
        self.cut = nn.Conv2d(history_length * channels, dim, patch, patch)
        count = (image_size // patch) ** 2
        self.places = nn.Parameter(0.02 * torch.randn(count, dim))
        blocks = [
            TransformerBlock(dim, heads=heads, mlp_dim=2 * dim) for _ in range(depth)
        ]
        self.blocks = nn.Sequential(*blocks)
        read_out = nn.Linear(dim, latent_dim)
        self.to_latent = nn.Sequential(nn.LayerNorm(dim), read_out)

    def forward(self, windows: Tensor) -> Tensor:
        """Encode windows of frames ``(B, L, C, H, W)`` into latents ``(B, Z)``."""
        check_shape(self.expected, windows=windows)
        tokens = self.cut(windows.flatten(1, 2)).flatten(2).transpose(1, 2)
        tokens = self.blocks(tokens + self.places)  # (B, patches, dim)
        return self.to_latent(tokens.mean(dim=1))
