"""The shadows of a turning cloud, as SIGReg sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor

from jepa_tutorial.checks import check_finite
from jepa_tutorial.losses import sigreg_loss
from jepa_tutorial.plots import COLORS
from jepa_tutorial.widgets.base import Live, assemble, check_texts, first_frame, tidy

EXPECTED = math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3))  # for normal samples


class Shadows(Live):
    """The shadow of a turning cloud on a line, and how far it is from a normal one.

    Left the cloud, turned, with its shadow below it. Right the characteristic function of the
    shadow beside the normal's, and the Epps-Pulley statistic of `losses.sigreg_loss` for this
    direction and for all others.

    Parameters
    ----------
    clouds : dict of str to Tensor
        By name, each ``(B, 2)`` or ``(B, 3)``, with B from 2 to 1,000.
    title : str
        Names the figure.

    Raises
    ------
    ValueError
        If there is no cloud, a shape does not fit, or numbers are not finite.
    """

    _esm = assemble("base.js", "epps_pulley.js", "shadows.js")
    clouds: traitlets.List = traitlets.List().tag(sync=True)  # name and shape of each
    data = traitlets.Bytes().tag(sync=True)  # 32-bit floats, one cloud after the other

    def __init__(
        self,
        clouds: Mapping[str, Tensor],
        *,
        title: str = "A cloud, seen along one direction after the other",
    ) -> None:
        if not isinstance(clouds, Mapping) or not clouds:
            raise ValueError(f"clouds must map names to tensors, got {clouds!r}")
        for name, z in clouds.items():
            check_texts(**{f"the name {name!r}": name})
            shape = tuple(getattr(z, "shape", ()))
            flat = len(shape) == 2 and shape[1] in (2, 3)
            if not isinstance(z, Tensor) or not flat or not 2 <= len(z) <= 1000:
                raise ValueError(
                    f"clouds[{name!r}] must have the shape (B, 2) or (B, 3), with B from 2 "
                    f"to 1000, got {shape or type(z).__name__}"
                )
            check_finite(**{f"clouds[{name!r}]": z})
        arrays = {name: z.detach().cpu().float().numpy() for name, z in clouds.items()}
        name, first = next(iter(arrays.items()))
        around = statistics(torch.from_numpy(first).double())
        alt = (
            f"The cloud {name} with its shadow on the first axis, and the shadow's "
            f"characteristic function beside the normal's; the statistic is {around[0]:.3g}."
        )
        super().__init__(
            first_frame(draw_shadow(first, name, around)),
            alt,
            title,
            clouds=[
                {"name": name, "shape": list(z.shape)} for name, z in arrays.items()
            ],
            data=b"".join(z.tobytes() for z in arrays.values()),
        )


def statistics(z: Tensor) -> np.ndarray:
    """Return the statistic of a cloud ``(B, 2)`` or ``(B, 3)`` every two degrees, as ``(91,)``."""
    angle = torch.arange(0, 181, 2, dtype=z.dtype).deg2rad()
    directions = torch.zeros(z.shape[1], len(angle), dtype=z.dtype)
    directions[0], directions[1] = angle.cos(), angle.sin()
    return np.array([float(sigreg_loss(z, one[:, None])) for one in directions.T])


def draw_shadow(cloud: np.ndarray, name: str, around: np.ndarray) -> Figure:
    """Draw the first frame: a cloud along its first axis."""
    figure = Figure(figsize=(6.6, 4.2))
    seen, below, both, turning = (
        figure.add_axes(place)
        for place in (
            (0.02, 0.3, 0.42, 0.66),
            (0.02, 0.13, 0.42, 0.15),
            (0.55, 0.62, 0.43, 0.31),
            (0.55, 0.13, 0.43, 0.27),
        )
    )
    blue, green = COLORS["context"], COLORS["prediction"]
    shadow, up = cloud[:, 0], cloud[:, -1]
    reach = max(3.2, 1.05 * float(np.linalg.norm(cloud, axis=1).max()))
    seen.plot(shadow, up, "o", ms=2.2, color=blue, mew=0)
    seen.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
    seen.text(0.03, 0.94, name, transform=seen.transAxes)
    x = np.linspace(-reach, reach, 200)
    edges = np.linspace(-reach, reach, 49).tolist()
    below.hist(shadow, edges, density=True, color=blue, alpha=0.6)
    below.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), "--", color=green)
    below.set(xlim=(-reach, reach), ylim=(0, 0.8), yticks=[])
    below.set_xlabel("its shadow", fontsize=9)
    t = np.linspace(-5, 5, 201)
    phi = np.exp(1j * np.outer(shadow, t)).mean(axis=0)
    both.plot(t, phi.real, color=blue, label="shadow")
    both.plot(t, phi.imag, ":", color="0.5", lw=1, label="its odd part")
    both.plot(t, np.exp(-(t**2) / 2), "--", color=green, label="normal")
    both.set_xlabel("frequency t", fontsize=9)
    both.set_title("characteristic function", fontsize=9)
    both.legend(fontsize=7, frameon=False)
    turning.plot(range(0, 181, 2), around, color="0.5", lw=1)
    turning.plot(0, around[0], "o", color=blue, clip_on=False)
    turning.axhline(EXPECTED, ls="--", color=green)
    turning.set(xlim=(0, 180), yscale="log", xticks=range(0, 181, 45))
    turning.set_ylim(min(0.3, around.min()), max(10, 1.5 * around.max()))
    turning.set_xlabel("direction in degrees", fontsize=9)
    turning.set_title(f"statistic, here {around[0]:.3g}", fontsize=9)
    for ax in (below, both, turning):
        tidy(ax)
    return figure
