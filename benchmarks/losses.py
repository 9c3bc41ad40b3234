"""What each remedy against collapse costs, as a multiple of the variance term.

Claim (chapter 3): time grows with B Z for variance and centering, with B Z^2 for covariance and
Barlow Twins, and with B K Z for SIGReg. Run ``python benchmarks/losses.py``; it takes some seconds.
Each row has a latent or a batch four times as large as another; all losses are timed in turns,
forward and backward, and medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from jepa_tutorial import losses

DIRECTIONS = 64


def remedies(latent_dim: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """Each remedy as a function of one batch of latents."""
    generator = torch.Generator().manual_seed(0)
    sides = losses.draw_directions(latent_dim, DIRECTIONS, generator)
    center = torch.zeros(latent_dim)
    return {
        "variance": losses.variance_loss,
        "covariance": losses.covariance_loss,
        "barlow": lambda z: losses.barlow_twins_loss(z, z),
        "centering": lambda z: losses.centering_loss(z, center),
        "dino": lambda z: losses.dino_loss(z, z, center),
        "sigreg": lambda z: losses.sigreg_loss(z, sides),
    }


def seconds(loss: Callable[[Tensor], Tensor], z: Tensor) -> float:
    """Wall-clock time of a loss and its gradient."""
    start = time.perf_counter()
    torch.autograd.grad(loss(z), z)
    return time.perf_counter() - start


def main() -> None:
    """Print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    names = list(remedies(1))
    print(f"{'B':>6}{'Z':>6}" + "".join(f"{name:>12}" for name in names))
    for batch_size, latent_dim in (
        (256, 16), (256, 64), (256, 256), (256, 1024), (1024, 256), (4096, 256)
    ):  # fmt: skip
        z = torch.randn(batch_size, latent_dim, requires_grad=True)
        kept: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(options.repeats):
            for name, loss in remedies(latent_dim).items():
                kept[name].append(seconds(loss, z))
        medians = {name: statistics.median(t) for name, t in kept.items()}
        row = (value / medians["variance"] for value in medians.values())
        print(
            f"{batch_size:6}{latent_dim:6}" + "".join(f"{value:12.1f}" for value in row)
        )


if __name__ == "__main__":
    main()
