"""What it gains to make all episodes of the two rooms at once.

Claim (chapter 8): episodes are made together, not one after the other. Run
``python benchmarks/two_rooms.py``; it takes some seconds. Each row makes as many episodes in one
call and in a call each, in turns, and compares medians.
"""

from __future__ import annotations

import argparse
import statistics
import time

from jepa_tutorial.runtime import new_generator
from jepa_tutorial.worlds.two_rooms import two_rooms

LENGTH = 21


def seconds(calls: int, episodes: int) -> float:
    """Wall-clock time of some calls, with as many episodes in each."""
    generator = new_generator(0)
    start = time.perf_counter()
    for _ in range(calls):
        two_rooms(episodes, LENGTH, generator)
    return time.perf_counter() - start


def main() -> None:
    """Print a table of frames a second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{'episodes':>10}{'frames/s, each':>18}{'together':>12}{'ratio':>8}")
    seconds(1, 10)  # the first call also sets things up
    for episodes in (1, 10, 50, 100, 200):
        kept = [
            (seconds(episodes, 1), seconds(1, episodes)) for _ in range(options.repeats)
        ]
        each, together = map(statistics.median, zip(*kept, strict=True))
        frames = episodes * LENGTH
        print(
            f"{episodes:10}{frames / each:18.0f}{frames / together:12.0f}"
            f"{each / together:8.1f}"
        )


if __name__ == "__main__":
    main()
