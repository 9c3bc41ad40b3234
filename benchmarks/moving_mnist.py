"""How much faster Moving MNIST is drawn all at once than frame by frame.

Claim (chapter 7): at least 20,000 frames a second of 64 x 64 pixels on two cores, and many times
as many as by a loop over frames that draws the same pictures with NumPy. Run
``python benchmarks/moving_mnist.py``; it takes about half a minute. Both ways take turns on the
same clips; medians are compared, and the ratio is printed last. Frames a second depend on the
machine and on what else it does.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from jepa_tutorial.worlds.digits import Digits, load_digits
from jepa_tutorial.worlds.moving_mnist import Clips, moving_mnist


def one_by_one(digits: Digits, clips: Clips) -> np.ndarray:
    """The same frames, drawn one digit of one frame at a time.

    Labels must number the pictures, so that the clips say which ones were drawn.
    """
    size, side = digits.images.shape[-1], clips.frames.shape[-1]
    corners = clips.centers.numpy() - (size - 1) / 2
    frames = np.zeros(clips.frames.shape, np.uint8)
    images = digits.images.numpy().astype(np.float32)
    for n, t in np.ndindex(*frames.shape[:2]):
        canvas = np.zeros((side + 1, side + 1), np.float32)
        for m in range(corners.shape[2]):
            x, y = corners[n, t, m]
            column, row = int(x), int(y)
            right, down = x - column, y - row
            padded = np.pad(images[clips.labels[n, m]], 1)
            rows = (1 - down) * padded[1:] + down * padded[:-1]
            patch = (1 - right) * rows[:, 1:] + right * rows[:, :-1]
            place = canvas[row : row + size + 1, column : column + size + 1]
            np.maximum(place, patch, out=place)
        frames[n, t, 0] = np.round(canvas[:side, :side])
    return frames


def main() -> None:
    """Print a table of frames a second, and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    found = load_digits()
    digits = found._replace(labels=torch.arange(len(found.images)))
    print(f"{'digits':>8}{'size':>6}{'at once':>12}{'loop':>12}{'ratio':>8}")
    for num_digits, image_size in (
        (1, 64), (2, 64), (3, 64), (2, 32), (2, 128)
    ):  # fmt: skip
        kept: dict[str, list[float]] = {"at once": [], "loop": []}
        for _ in range(options.repeats):
            start = time.perf_counter()
            clips = moving_mnist(
                digits,
                options.clips,
                20,
                seed=0,
                num_digits=num_digits,
                image_size=image_size,
            )
            middle = time.perf_counter()
            few = max(1, options.clips // 10)
            some = Clips(*(part[:few] for part in clips))
            drawn = one_by_one(digits, some)
            end = time.perf_counter()
            difference = np.abs(drawn.astype(int) - some.frames.numpy())
            assert difference.max() <= 1, "the two ways must draw the same"
            kept["at once"].append(options.clips * 20 / (middle - start))
            kept["loop"].append(few * 20 / (end - middle))
        fast, slow = (statistics.median(rates) for rates in kept.values())
        print(f"{num_digits:8}{image_size:6}{fast:12.0f}{slow:12.0f}{fast / slow:8.1f}")


if __name__ == "__main__":
    main()
