"""Figures that several chapters draw, in one style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from torch import Tensor

# One color per role in the whole book, told apart also by color-blind readers (Okabe and Ito).
COLORS = {
    "context": "#0072B2",
    "target": "#D55E00",
    "prediction": "#009E73",
    "other": "#7F7F7F",
}


def use_style() -> None:
    """Set Matplotlib's defaults for the book's figures."""
    plt.rcParams.update(
        {
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.figsize": (7, 3),
            "font.size": 10,
            "legend.frameon": False,
        }
    )


def plot_trajectories(ax: Axes, x: Tensor, title: str) -> None:
    """Draw trajectories ``(N, T, 2)``, each in its color, with a ring at its first step."""
    for number, path in enumerate(x.cpu().numpy()):
        color = f"C{number % 10}"
        ax.plot(*path.T, ".-", color=color, lw=0.8, ms=4)
        ax.plot(*path[0], "o", color=color, ms=8, mfc="none")
    ax.set(aspect="equal", title=title, xlabel="$x_1$", ylabel="$x_2$")


def plot_window(ax: Axes, x_context: Tensor, x_target: Tensor) -> None:
    """Draw one window: its context ``(T, 2)`` and its target ``(T, 2)``."""
    for part, role in ((x_context, "context"), (x_target, "target")):
        ax.plot(*part.cpu().numpy().T, "o-", color=COLORS[role], ms=5, label=role)
    ax.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    ax.legend()


def plot_loss(
    ax: Axes, losses: Mapping[str, Sequence[float]], window: int = 25
) -> None:
    """Draw loss curves on a logarithmic axis, each smoothed by a running mean."""
    for label, values in losses.items():
        width = min(window, len(values))
        smooth = np.convolve(values, np.ones(width) / width, mode="valid")
        ax.plot(np.arange(len(smooth)) + width, smooth, label=label)
    ax.set(xlabel="step", ylabel="loss", yscale="log")
    if len(losses) > 1:
        ax.legend()


def principal_axes(z: Tensor) -> Tensor:
    """Return the two directions in which latents ``(B, Z)`` vary most, as ``(Z, 2)``."""
    _, _, directions = torch.linalg.svd(z - z.mean(dim=0), full_matrices=False)
    return directions[:2].T


def widest_two(clouds: Sequence[Tensor]) -> Tensor:
    """Project clouds ``(B, Z)``, one a frame, on the two directions in which each varies most.

    Such directions may turn or flip from frame to frame, so each frame is turned to lie as closely
    as possible on the one after it. Each is centered. Returns ``(F, B, 2)``.
    """
    frames: list[Tensor] = []
    for z in reversed(clouds):
        flat = (z - z.mean(dim=0)) @ principal_axes(z)
        if frames:
            left, _, right = torch.linalg.svd(flat.T @ frames[-1])
            flat = flat @ left @ right
        frames.append(flat)
    return torch.stack(frames[::-1])


def plot_projection(
    ax: Axes, points: Tensor, angle: Tensor, title: str
) -> PathCollection:
    """Draw points ``(B, 2)``, colored by an angle ``(B,)`` on a color wheel."""
    first, second = points.cpu().numpy().T
    colors = angle.cpu().numpy()
    dots = ax.scatter(
        first, second, 6, colors, cmap="twilight", vmin=-np.pi, vmax=np.pi
    )
    ax.set(aspect="equal", title=title, xlabel="first axis", ylabel="second axis")
    return dots


def plot_cosines(ax: Axes, cosine: Tensor, title: str) -> None:
    """Draw a matrix of cosines, one row per prediction and one column per target."""
    image = ax.imshow(cosine.cpu(), cmap="viridis", vmin=-1, vmax=1)
    ax.set(title=title, xlabel="target", ylabel="prediction")
    plt.colorbar(image, ax=ax, label="cosine")


def plot_pendulum(ax: Axes, x: Tensor, role: str) -> None:
    """Draw a double pendulum from the positions of its bobs, ``(4,)``."""
    x_1, y_1, x_2, y_2 = x.tolist()
    ax.plot([0, x_1, x_2], [0, y_1, y_2], "-", color=COLORS[role], lw=2)
    ax.plot([x_1, x_2], [y_1, y_2], "o", color=COLORS[role], ms=8)
    ax.set(aspect="equal", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))


def plot_room(ax: Axes, wall: float, door: float, half_width: float = 0.1) -> None:
    """Draw the wall between two rooms, with its door, in a square of side one."""
    for ends in ((0, door - half_width), (door + half_width, 1)):
        ax.plot([wall, wall], ends, color="0.2", lw=3)
    ax.set(aspect="equal", xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])


def plot_dots(ax: Axes, rows: Mapping[str, Sequence[float]], color: str = "C0") -> None:
    """Draw a row for each label, with a ring for each run."""
    for row, values in enumerate(rows.values()):
        ax.plot(values, [row] * len(values), "o", color=color, mfc="none")
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
