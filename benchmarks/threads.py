"""How much faster a training step is with two threads than with one.

Claim (``THREADS`` in ``jepa_tutorial.runtime``): small models gain nothing. Run
``python benchmarks/threads.py``; it takes under a minute. Each row trains a model of a chapter's
size on one batch, with either number of threads in turns, and compares the medians of the time of
a step; a ratio below 1 says that one thread is faster.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.encoders import LSTMEncoder, MLPEncoder, ResNet5
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.losses import cosine_loss, vicreg_loss
from jepa_tutorial.predictors import MLPPredictor, ResUNet, RollOut
from jepa_tutorial.targets import EMATarget, clip_mode


def trajectories(encoder: nn.Module) -> Callable[[], Tensor]:
    """Make the loss of a model of chapters 1 and 2 on windows of 8 steps."""
    target = EMATarget(encoder, 0.99)
    model = JEPA(encoder, MLPPredictor(32, 64), target, cosine_loss)
    windows = torch.randn(2, 128, 8, 2)
    return lambda: model.loss(*windows)


def video() -> Callable[[], Tensor]:
    """Make the loss of a model of chapter 7, which rolls out four steps."""
    encoder = ResNet5(1, width=32, latent_dim=32, patch=4, stride=2)
    parts = encoder, RollOut(ResUNet(32, 48)), EMATarget(encoder, 0.95)

    def regularizer(z: Tensor) -> Tensor:
        return vicreg_loss(z.movedim(1, -1).flatten(0, -2))

    model = JEPA(*parts, F.mse_loss, mode=clip_mode, regularizer=regularizer)
    clips = torch.rand(32, 6, 1, 64, 64)
    return lambda: model.loss(clips[:, :2], clips[:, 2:], range(4))


def step_seconds(loss: Callable[[], Tensor], threads: int, steps: int) -> float:
    """Wall-clock time of a step, forward and backward, the mean of some."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    for _ in range(steps):
        loss().backward()
    return (time.perf_counter() - start) / steps


def main() -> None:
    """Print a table of times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    models = {
        "chapter 2, MLP": (
            trajectories(MLPEncoder(2, window_len=8, hidden_dim=64, latent_dim=32)),
            1,
        ),
        "chapter 1, LSTM": (
            trajectories(LSTMEncoder(2, hidden_dim=64, latent_dim=32)),
            1,
        ),
        "chapter 7, CNN": (video(), 50),
    }
    print(f"{'model':18}{'1 thread':>12}{'2 threads':>13}{'ratio':>8}")
    for name, (loss, slower) in models.items():
        steps = max(1, options.steps // slower)
        step_seconds(loss, 2, 1)  # the first call also sets things up
        times = [
            [step_seconds(loss, threads, steps) for threads in (1, 2)]
            for _ in range(options.repeats)
        ]
        one, two = map(statistics.median, zip(*times, strict=True))
        print(f"{name:18}{1e3 * one:9.2f} ms{1e3 * two:10.2f} ms{one / two:8.2f}")


if __name__ == "__main__":
    main()
