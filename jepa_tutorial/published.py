"""The networks of EB-JEPA's video example at their real sizes (Terver et al., 2026).

Every pixel is a place of the map. Chapter 7 counts what that costs; its presets ``full`` and
``reference`` train them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import check_multiple, check_shape
from jepa_tutorial.networks import ResidualBlock


def stem(channels: int, width: int) -> nn.Sequential:
    """The first convolution of both networks: three pixels wide, normalized."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


class PublishedResNet5(nn.Module):
    """A latent of 16 numbers for each pixel; 89,280 parameters.

    Raises
    ------
    ValueError
        If the input is not ``(B, 1, H, W)``.
    """

    latent_dim = 16

    def __init__(self) -> None:
        super().__init__()
        blocks = ResidualBlock(32, 32), ResidualBlock(32, 64), ResidualBlock(64, 16)
        self.layers = nn.Sequential(stem(1, 32), *blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Encode frames ``(B, 1, H, W)`` into maps of latents ``(B, 16, H, W)``."""
        check_shape("B 1 H W", x=x)
        return self.layers(x)


class PublishedResUNet(nn.Module):
    """Predict the next map from the last two, over three halvings; 2,032,496 parameters.

    It makes the next map itself, and not a change of the newest.

    Raises
    ------
    ValueError
        If the inputs are not two ``(B, 16, H, W)`` of one shape, with H and W multiples of 8.
    """

    latent_dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(stem(32, 32), ResidualBlock(32, 32))
        self.down = nn.ModuleList(
            ResidualBlock(width, 2 * width, stride=2) for width in (32, 64, 128)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in (128, 64, 32)
        )
        self.join = nn.ModuleList(
            ResidualBlock(2 * width, width) for width in (128, 64, 32)
        )
        self.leave = nn.Conv2d(32, 16, 1)

    def forward(
        self, maps: tuple[Tensor, Tensor], told: object = None
    ) -> tuple[Tensor, Tensor]:
        """From the last two maps ``(B, 16, H, W)`` to the newer and the next."""
        z_before, z = maps
        check_shape("B 16 H W", z_before=z_before, z=z)
        check_multiple(8, height=z.shape[-2], width=z.shape[-1])
        floors = [self.enter(torch.cat([z_before, z], dim=1))]
        for block in self.down:
            floors.append(block(floors[-1]))
        h = floors.pop()
        for enlarge, block in zip(self.up, self.join, strict=True):
            h = block(torch.cat([enlarge(h), floors.pop()], dim=1))
        return z, self.leave(h)
