"""Decoders: from latents back to pictures, for looking and not for learning."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import check_multiple, check_positive, check_shape
from jepa_tutorial.networks import TransformerBlock


class CNNDecoder(nn.Module):
    """A linear map, and three convolutions that each double the picture.

    Parameters
    ----------
    latent_dim : int
        Size of the latent, Z.
    channels : int
        Channels of a frame, C.
    image_size : int
        Height and width of a frame, a multiple of 8.
    width : int
        Channels before the last convolution; the others have twice as many.

    Raises
    ------
    ValueError
        If a size is below 1, the image size is no multiple of 8, or the input is not ``(B, Z)``.
    """

    def __init__(
        self, latent_dim: int, *, channels: int, image_size: int, width: int
    ) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, channels=channels, width=width)
        check_multiple(8, image_size=image_size)
        self.latent_dim, side = latent_dim, image_size // 8
        self.layers = nn.Sequential(
            nn.Linear(latent_dim, 2 * width * side**2),
            nn.GELU(),
            nn.Unflatten(1, (2 * width, side, side)),
            nn.ConvTranspose2d(2 * width, 2 * width, 4, 2, 1),
            nn.GELU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
            nn.GELU(),
            nn.ConvTranspose2d(width, channels, 4, 2, 1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Decode latents ``(B, Z)`` into frames ``(B, C, H, W)``."""
        check_shape(f"B {self.latent_dim}", z=z)
        return self.layers(z)


class MapReader(nn.Module):
    """Two convolutions over a map of latents, and layers that say what is asked.

    Parameters
    ----------
    latent_dim : int
        Channels of the map, Z.
    width : int
        Channels of the convolutions.
    *last : Module
        Layers after them, from ``(B, width, H', W')``.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, Z, H', W')`` with this Z.
    """

    def __init__(self, latent_dim: int, width: int, *last: nn.Module) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, width=width)
        self.latent_dim = latent_dim
        first = nn.Conv2d(latent_dim, width, 3, padding=1), nn.ReLU()
        second = nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
        self.layers = nn.Sequential(*first, *second, *last)

    def forward(self, z: Tensor) -> Tensor:
        """Read maps ``(B, Z, H', W')``."""
        check_shape(f"B {self.latent_dim} H W", z=z)
        return self.layers(z)


class PatchDecoder(MapReader):
    """Turn each place of a map into the pixels of a frame that belong to it.

    The last layer gives the pixels of a place as channels, and lays them out (Shi et al., 2016),
    from ``(B, Z, H', W')`` to ``(B, C, H, W)``.

    Parameters
    ----------
    latent_dim : int
        Channels of the map, Z.
    width : int
        Channels of its inner layers.
    channels : int
        Channels of a frame, C.
    scale : int
        Pixels of a frame on each side of one place of the map.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, Z, H', W')`` with this Z.
    """

    def __init__(self, latent_dim: int, width: int, channels: int, scale: int) -> None:
        check_positive(width=width, channels=channels, scale=scale)
        pixels = nn.Conv2d(width, channels * scale**2, 1)
        super().__init__(latent_dim, width, pixels, nn.PixelShuffle(scale))


class DetectionHead(MapReader):
    """Say for each cell of a grid whether the center of a thing is in it.

    It reads ``(B, Z, H', W')`` and gives logits ``(B, grid, grid)``.

    Parameters
    ----------
    latent_dim : int
        Channels of the map, Z.
    width : int
        Channels of its inner layers.
    grid : int
        Cells on each side; the map has at least as many places.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, Z, H', W')`` with this Z.
    """

    def __init__(self, latent_dim: int, width: int, *, grid: int = 8) -> None:
        check_positive(width=width, grid=grid)
        best, score = nn.AdaptiveMaxPool2d(grid), nn.Conv2d(width, 1, 1)
        super().__init__(latent_dim, width, best, score, nn.Flatten(1, 2))


class TransformerDecoder(nn.Module):
    """One token for each patch of the picture, told of the latent from the start.

    Parameters
    ----------
    latent_dim : int
        Size of the latent, Z.
    channels : int
        Channels of a frame, C.
    image_size : int
        Height and width of a frame, a multiple of ``patch_size``.
    patch_size : int
        Height and width of a patch in pixels.
    decoder_dim : int
        Size of a token, a multiple of ``heads``.
    depth, heads, mlp_dim : int
        Transformer blocks, attention heads and the width of the MLP in each.

    Raises
    ------
    ValueError
        If a size is below 1 or does not fit, or the input is not ``(B, Z)``.
    """

    def __init__(
        self, latent_dim: int, *, channels: int, image_size: int, patch_size: int,
        decoder_dim: int, depth: int, heads: int, mlp_dim: int,
    ) -> None:  # fmt: skip
        super().__init__()
        check_positive(latent_dim=latent_dim, channels=channels, depth=depth)
        check_positive(patch_size=patch_size, decoder_dim=decoder_dim)
        check_multiple(patch_size, image_size=image_size)
        self.latent_dim, self.side = latent_dim, image_size // patch_size
        self.from_latent = nn.Linear(latent_dim, decoder_dim)
        queries = 0.02 * torch.randn(self.side**2, decoder_dim)
        self.queries = nn.Parameter(queries)
        blocks = [
            TransformerBlock(decoder_dim, heads=heads, mlp_dim=mlp_dim)
            for _ in range(depth)
        ]
        self.blocks = nn.Sequential(*blocks)
        self.to_pixels = nn.Linear(decoder_dim, channels * patch_size**2)
        self.lay_out = nn.PixelShuffle(patch_size)

    def forward(self, z: Tensor) -> Tensor:
        """Decode latents ``(B, Z)`` into frames ``(B, C, H, W)``."""
        check_shape(f"B {self.latent_dim}", z=z)
        tokens = self.queries + self.from_latent(z)[:, None]
        patches = self.to_pixels(self.blocks(tokens))  # (B, patches, pixels)
        grid = patches.transpose(1, 2).unflatten(2, (self.side, self.side))
        return self.lay_out(grid)
