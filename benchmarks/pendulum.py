"""How much faster the pendulum is simulated and drawn all at once than one by one.

Claims (chapters 5 and 6): many pendulums are simulated at least 40 times as fast as by a Python
loop over sequences with the same integrator and substeps, and drawn at least 5 times as fast as
by Pillow at equal quality, frame by frame. Memory for frames grows with the output only.
Run ``python benchmarks/pendulum.py``; it takes about two minutes. The ways take turns on the same
data, and the ratio of the medians is printed: machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from jepa_tutorial.worlds import pendulum_frames as rendering
from jepa_tutorial.worlds.pendulum import (
    FRAME_TIME,
    GRAVITY,
    bob_positions,
    simulate_pendulum,
)

SUBSTEPS = 10


def starts(count: int) -> Tensor:
    """Starts at rest, ``(count, 4)``."""
    generator = torch.Generator().manual_seed(0)
    angles = 4 * torch.rand(count, 2, generator=generator, dtype=torch.double) - 2
    return torch.cat([angles, torch.zeros_like(angles)], dim=1)


# --- simulation: the same equations, one sequence at a time ------------------------------------


def slope(state: np.ndarray) -> np.ndarray:
    """Accelerations of one pendulum, in NumPy."""
    angle_1, angle_2, speed_1, speed_2 = state
    sine, cosine = np.sin(angle_1 - angle_2), np.cos(angle_1 - angle_2)
    right_1 = -(speed_2**2) * sine - 2 * GRAVITY * np.sin(angle_1)
    right_2 = speed_1**2 * sine - GRAVITY * np.sin(angle_2)
    determinant = 2 - cosine**2
    turn_1 = (right_1 - cosine * right_2) / determinant
    turn_2 = (2 * right_2 - cosine * right_1) / determinant
    return np.array([speed_1, speed_2, turn_1, turn_2])


def numpy_loop(first: Tensor, num_frames: int) -> np.ndarray:
    """Simulate each sequence by itself."""
    step, sequences = FRAME_TIME / SUBSTEPS, []
    for state in first.numpy():
        frames = []
        for _ in range(num_frames):
            frames.append(state)
            for _ in range(SUBSTEPS):
                k1 = slope(state)
                k2 = slope(state + step / 2 * k1)
                k3 = slope(state + step / 2 * k2)
                k4 = slope(state + step * k3)
                state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        sequences.append(frames)
    return np.array(sequences)


def plain_slope(a: float, b: float, u: float, v: float) -> tuple[float, ...]:
    """Accelerations of one pendulum, in plain Python."""
    sine, cosine = math.sin(a - b), math.cos(a - b)
    right_1 = -v * v * sine - 2 * GRAVITY * math.sin(a)
    right_2 = u * u * sine - GRAVITY * math.sin(b)
    determinant = 2 - cosine * cosine
    turn_1 = (right_1 - cosine * right_2) / determinant
    return u, v, turn_1, (2 * right_2 - cosine * right_1) / determinant


def plain_loop(first: Tensor, num_frames: int) -> np.ndarray:
    """The same without NumPy, which is faster for four numbers."""
    h, sequences = FRAME_TIME / SUBSTEPS, []
    for state in first.tolist():
        frames = []
        for _ in range(num_frames):
            frames.append(state)
            for _ in range(SUBSTEPS):
                k1 = plain_slope(*state)
                k2 = plain_slope(
                    *(s + h / 2 * k for s, k in zip(state, k1, strict=True))
                )
                k3 = plain_slope(
                    *(s + h / 2 * k for s, k in zip(state, k2, strict=True))
                )
                k4 = plain_slope(*(s + h * k for s, k in zip(state, k3, strict=True)))
                state = [
                    s + h / 6 * (p + 2 * q + 2 * r + t)
                    for s, p, q, r, t in zip(state, k1, k2, k3, k4, strict=True)
                ]
        sequences.append(frames)
    return np.array(sequences)


# --- drawing: the same picture, one frame at a time --------------------------------------------


def pillow(positions: Tensor, size: int, supersampling: int) -> np.ndarray:
    """Draw each frame with lines and ellipses, enlarged, then reduced."""
    large = size * supersampling
    pixel = rendering.SPAN / large

    def place(x: float, y: float) -> tuple[float, float]:
        return x / pixel + large / 2, large / 2 - y / pixel

    frames = []
    gray = [
        round(255 * sum(c) / 3)
        for _, c in (rendering.ROD, rendering.FIRST_BOB, rendering.SECOND_BOB)
    ]
    for x_1, y_1, x_2, y_2 in positions.flatten(0, 1).tolist():
        image = Image.new("L", (large, large))
        pen = ImageDraw.Draw(image)
        points = [place(0, 0), place(x_1, y_1), place(x_2, y_2)]
        pen.line(points, fill=gray[0], width=round(2 * rendering.ROD[0] / pixel))
        bobs = (rendering.FIRST_BOB, rendering.SECOND_BOB)
        for (x, y), (radius, _), fill in zip(points[1:], bobs, gray[1:], strict=True):
            r = radius / pixel
            pen.ellipse([x - r, y - r, x + r, y + r], fill=fill)
        if supersampling > 1:
            image = image.reduce(supersampling)
        frames.append(np.asarray(image))
    return np.stack(frames)


# --- measuring ---------------------------------------------------------------------------------


def seconds(way: Callable[[], object]) -> float:
    """Wall-clock time of a call."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def compare(ways: dict[str, tuple[Callable[[], object], int]], rounds: int) -> None:
    """Print the time per item of each way, and its ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (way, items) in ways.items():
            times[name].append(seconds(way) / items)
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"  {name:28} {1e6 * median:10.1f} us each   {median / base:7.3g}")


def memory(num_samples: int) -> None:
    """Print the largest memory of this process after drawing many frames."""
    positions = bob_positions(simulate_pendulum(starts(num_samples), 30)).float()
    frames = rendering.render_bobs(positions, 64)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"  memory in GiB: frames {frames.nbytes / 2**30:.2f}, in all at most {peak:.2f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sequences", type=int, default=2000)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument(
        "--memory", type=int, help="only measure memory, for so many clips"
    )
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
        return
    many, few, frames = starts(options.sequences), starts(4), 60
    print("                                      time each    ratio")
    compare(
        {
            "all at once": (
                lambda: simulate_pendulum(many, frames, SUBSTEPS),
                len(many),
            ),
            "simulate: one by one, NumPy": (lambda: numpy_loop(few, frames), len(few)),
            "simulate: one by one, plain Python": (
                lambda: plain_loop(few, frames),
                len(few),
            ),
        },
        options.rounds,
    )
    positions = bob_positions(simulate_pendulum(starts(200), 30)).float()
    some = positions[:20]
    compare(
        {
            "all at once": (
                lambda: rendering.render_bobs(positions, 64),
                positions[..., 0].numel(),
            ),
            "draw: Pillow, 4 x 4 supersampled": (
                lambda: pillow(some, 64, 4),
                some[..., 0].numel(),
            ),
            "draw: Pillow, jagged edges": (
                lambda: pillow(some, 64, 1),
                some[..., 0].numel(),
            ),
        },
        10 * options.rounds,  # each takes a tenth of a second
    )
    command = [sys.executable, __file__, "--memory", str(options.clips)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(done.stdout.strip())


if __name__ == "__main__":
    main()
