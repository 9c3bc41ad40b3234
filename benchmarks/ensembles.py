"""How much faster an ensemble trains than its members one by one.

Claim (chapters 2 and 3): all seeds of a configuration train at once, so that a sweep is affordable.
Run ``python benchmarks/ensembles.py``; it takes under a minute. Both ways take the same steps on
the same data, in turns, and the ratio of the medians is printed: machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import nn

from jepa_tutorial.encoders import MLPEncoder
from jepa_tutorial.ensembles import Ensemble
from jepa_tutorial.predictors import MLPPredictor


def networks(count: int) -> list[nn.Module]:
    """Encoders with predictors of the size that chapter 3 uses."""
    torch.manual_seed(0)
    return [
        nn.Sequential(
            MLPEncoder(3, window_len=8, hidden_dim=64, latent_dim=16),
            MLPPredictor(16, 64),
        )
        for _ in range(count)
    ]


def train(network: nn.Module, x: torch.Tensor, steps: int) -> None:
    """Train a network or an ensemble on one batch; what it learns does not matter."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        # The mean over samples and dimensions, the sum over members.
        loss = network(x).square().mean(dim=(-2, -1)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def together(count: int, x: torch.Tensor, steps: int) -> None:
    """Train all at once."""
    train(Ensemble(networks(count)), x.expand(count, *x.shape), steps)


def one_by_one(count: int, x: torch.Tensor, steps: int) -> None:
    """Train one after the other."""
    for network in networks(count):
        train(network, x, steps)


def seconds(way, *arguments) -> float:
    """Wall-clock time of a call."""
    start = time.perf_counter()
    way(*arguments)
    return time.perf_counter() - start


def main() -> None:
    """Print a table of times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    x = torch.randn(256, 8, 3)
    print(f"{'members':>8}{'one by one':>14}{'together':>12}{'ratio':>8}")
    for count in (1, 3, 10, 30, 100):
        times: dict = {one_by_one: [], together: []}
        for _ in range(options.repeats):
            for way, kept in times.items():
                kept.append(seconds(way, count, x, options.steps))
        apart, joined = (statistics.median(kept) for kept in times.values())
        print(
            f"{count:8}{1e3 * apart:11.1f} ms{1e3 * joined:9.1f} ms"
            f"{apart / joined:8.1f}"
        )


if __name__ == "__main__":
    main()
