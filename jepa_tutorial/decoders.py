"""Decoders: from latents back to pictures, for looking and not for learning."""

from __future__ import annotations

from torch import Tensor, nn

from jepa_tutorial.runtime import check_multiple, check_positive, check_shape


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
        self, latent_dim: int, channels: int, image_size: int, width: int
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


class PatchDecoder(nn.Module):
    """Turn each place of a map of latents into the pixels that belong to it.

    The last layer gives the pixels of a place as channels, and lays them out (Shi et al., 2016).

    Parameters
    ----------
    latent_dim : int
        Channels of the map, Z.
    channels : int
        Channels of a frame, C.
    width : int
        Channels inside.
    scale : int
        Pixels of a frame on each side of one place of the map.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, Z, H', W')`` with this Z.
    """

    def __init__(
        self, latent_dim: int, channels: int, width: int, scale: int
    ) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, channels=channels, width=width)
        check_positive(scale=scale)
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Conv2d(latent_dim, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, channels * scale**2, 1),
            nn.PixelShuffle(scale),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Decode maps ``(B, Z, H', W')`` into frames ``(B, C, H, W)``."""
        check_shape(f"B {self.latent_dim} H W", z=z)
        return self.layers(z)


class DetectionHead(nn.Module):
    """Say for each cell of a grid whether the center of a thing is in it.

    Parameters
    ----------
    latent_dim : int
        Channels of the map, Z.
    width : int
        Channels inside.
    grid : int
        Cells on each side; the map has at least as many places.

    Raises
    ------
    ValueError
        If a size is below 1, or the input is not ``(B, Z, H', W')`` with this Z.
    """

    def __init__(self, latent_dim: int, width: int, grid: int = 8) -> None:
        super().__init__()
        check_positive(latent_dim=latent_dim, width=width, grid=grid)
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            nn.Conv2d(latent_dim, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(grid),
            nn.Conv2d(width, 1, 1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """From maps ``(B, Z, H', W')`` to logits ``(B, grid, grid)``."""
        check_shape(f"B {self.latent_dim} H W", z=z)
        return self.layers(z)[:, 0]
