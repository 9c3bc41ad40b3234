"""Clouds of points that move over training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from jepa_tutorial.checks import check_choice, check_finite, check_positive, check_shape
from jepa_tutorial.plots import COLORS
from jepa_tutorial.widgets.base import (
    MAX_BYTES,
    Live,
    assemble,
    check_texts,
    first_frame,
    tidy,
)

# A wheel of colors of about one lightness for angles, and a scale through gray for numbers.
WHEEL: Sequence[str] = (
    "#0072B2",
    "#7D5FB0",
    "#CC6699",
    "#D55E00",
    "#B08A00",
    "#009E73",
    "#0072B2",
)
SCALE: Sequence[str] = ("#0072B2", "#6FA8CC", "#9A9A9A", "#DE9560", "#D55E00")
SHADES = 64


def palette(colors: Sequence[str]) -> list[str]:
    """Return `SHADES` colors from the first of a list to the last."""
    scale = LinearSegmentedColormap.from_list("", list(colors))(
        np.linspace(0, 1, SHADES)
    )
    return ["#" + "".join(f"{round(255 * v):02x}" for v in rgb[:3]) for rgb in scale]


def shade(values: Tensor, label: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the number of each point's color, and what the page needs for the key."""
    numbers = values.detach().cpu().double().numpy()
    if label == "phase":
        part = (numbers / (2 * np.pi) + 0.5) % 1
        ends, colors = ["\u2212π", "π"], WHEEL
    else:
        low, high = np.quantile(numbers, [0.02, 0.98])
        if numbers.min() < 0 < numbers.max():
            low, high = -np.abs([low, high]).max(), np.abs([low, high]).max()
        part = np.clip((numbers - low) / (high - low if high > low else 1), 0, 1)
        ends = [f"{end:.2g}".replace("-", "\u2212") for end in (low, high)]
        colors = SCALE
    index = np.minimum(part * SHADES, SHADES - 1).astype(np.uint8)
    return index, {"label": label, "ends": ends, "palette": palette(colors)}


def quantize(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write points ``(..., B, 2)`` as integers of 16 bits around a center for each cloud.

    Returns
    -------
    tuple of ndarray
        ``(..., 3)``, the center and the half-width of each cloud, and ``(..., B, 2)``, the
        integers. A point is center + half-width * integer / 32,767, off by at most half-width /
        65,534 in each coordinate, and by the rounding of the center to 32 bits.
    """
    low, high = points.min(axis=-2), points.max(axis=-2)
    center = ((low + high) / 2).astype(np.float32)
    half = np.abs(points - center[..., None, :]).max(axis=(-2, -1))
    half = np.maximum(half, 1e-12).astype(np.float32)
    unit = (points - center[..., None, :]) / half[..., None, None]
    integers = np.clip(np.rint(unit * 32767), -32767, 32767).astype(np.int16)
    return np.concatenate([center, half[..., None]], axis=-1), integers


class Clouds(Live):
    """Clouds of points that move over training, one or two side by side.

    The figure opens at the last step. The reader moves through the steps by a slider or Play,
    chooses what colors the points, and switches between axes that stay and axes of its own for
    each frame. Coordinates are stored
    as 16-bit integers, with a center and a half-width for each frame: what is drawn is off by
    at most half-width / 65,534.

    Parameters
    ----------
    panels : dict of str to Tensor
        One or two clouds by name, each ``(F, B, 2)``; with ``choice``, each ``(C, F, B, 2)``.
    steps : sequence of int
        The F training steps of the frames, rising.
    colors : dict of str to Tensor
        What may color the points, each ``(B,)``. Under the name ``"phase"``, angles in radians
        on a color wheel; under all others, numbers on a scale that is gray at zero if they have
        both signs; the lowest and the highest two in a hundred share the end colors.
    alt : callable
        Takes the number of a frame, and with ``choice`` the number of the choice, and returns
        what is seen there, as a sentence.
    title : str
        Names the whole figure.
    curves : dict of str to dict of str to Tensor, optional
        By panel and label, what is drawn small under the panel over the steps on a logarithmic
        scale, each ``(F,)``, or ``(C, F)`` with ``choice``. At most three to a panel.
    choice : tuple of str and sequence, optional
        A label and C values, such as ``("decay tau", [0, 0.9, 0.99])``.
    interval : int
        Milliseconds between frames while playing.

    Raises
    ------
    ValueError
        For shapes that do not fit each other, numbers that are not finite, an empty text, or
        more than 1 MB.
    """

    _esm = assemble("base.js", "clouds.js")
    panels: traitlets.List = traitlets.List().tag(sync=True)
    steps: traitlets.List = traitlets.List().tag(sync=True)
    points = traitlets.Int().tag(sync=True)
    colors: traitlets.List = traitlets.List().tag(sync=True)
    curves: traitlets.List = traitlets.List().tag(sync=True)  # labels, for each panel
    choice: traitlets.Dict = traitlets.Dict(allow_none=True).tag(sync=True)
    interval = traitlets.Int().tag(sync=True)
    alts: traitlets.List = traitlets.List().tag(sync=True)
    # Centers and half-widths, curves (both 32-bit floats), points (16 bits), colors (8 bits).
    data = traitlets.Bytes().tag(sync=True)

    def __init__(
        self,
        panels: Mapping[str, Tensor],
        *,
        steps: Sequence[int],
        colors: Mapping[str, Tensor],
        alt: Callable[..., str],
        title: str,
        curves: Mapping[str, Mapping[str, Tensor]] | None = None,
        choice: tuple[str, Sequence[Any]] | None = None,
        interval: int = 150,
    ) -> None:
        curves = curves or {}
        check_clouds(panels, steps, colors, curves, choice)
        check_positive(interval=interval)
        if not callable(alt):
            raise ValueError(f"alt must be a function, got {alt!r}")
        # Everything gets a dimension for the choices, if only of one.
        values = [str(value) for value in choice[1]] if choice else [""]
        shape = (len(values), len(steps))
        stacked = np.stack(
            [
                z.detach().cpu().double().numpy().reshape(*shape, -1, 2)
                for z in panels.values()
            ]
        )
        lines = [
            line.detach().cpu().float().numpy().reshape(shape)
            for name in panels
            for line in curves.get(name, {}).values()
        ]
        scales, integers = quantize(stacked)
        shades = [shade(values, label) for label, values in colors.items()]
        parts = [scales, *lines, integers, *(index for index, _ in shades)]
        data = b"".join(part.tobytes() for part in parts)
        if len(data) > MAX_BYTES:
            raise ValueError(
                f"the clouds must fit into {MAX_BYTES} bytes, got {len(data)}: "
                "take fewer frames, points or choices"
            )
        frames = range(len(steps))
        alts = [
            alt(frame, number) if choice else alt(frame)
            for number in range(len(values))
            for frame in frames
        ]
        for text in alts:
            check_texts(alt=text)
        first = draw_clouds(stacked, steps, panels, curves, shades[0], lines)
        super().__init__(
            first_frame(first),
            alts[len(steps) - 1],
            title,
            panels=list(panels),
            steps=[int(step) for step in steps],
            points=stacked.shape[-2],
            colors=[key for _, key in shades],
            curves=[list(curves.get(name, {})) for name in panels],
            choice={"label": choice[0], "values": values} if choice else None,
            interval=interval,
            alts=alts,
            data=data,
        )


def check_clouds(
    panels: Mapping[str, Tensor],
    steps: Sequence[int],
    colors: Mapping[str, Tensor],
    curves: Mapping[str, Mapping[str, Tensor]],
    choice: tuple[str, Sequence[Any]] | None,
) -> None:
    """Check that clouds, steps, colors, curves and choice fit each other."""
    for name, given in (("panels", panels), ("colors", colors)):
        if not isinstance(given, Mapping) or not given:
            raise ValueError(f"{name} must map names to tensors, got {given!r}")
    if len(panels) > 2:
        raise ValueError(f"panels must be one or two, got {len(panels)}")
    check_texts(**{f"the name {name!r}": name for name in (*panels, *colors)})
    rising = all(a < b for a, b in itertools.pairwise(steps))
    if len(steps) < 2 or not rising:
        raise ValueError(f"steps must be at least two, rising, got {list(steps)}")
    sizes = str(len(steps))
    if choice is not None:
        label, values = choice
        if not len(values):
            raise ValueError(f"choice must have a label and values, got {choice!r}")
        check_texts(choice=label, **{"a value of choice": ", ".join(map(str, values))})
        sizes = f"{len(values)} {sizes}"
    tensors = {f"panels[{name!r}]": z for name, z in panels.items()}
    check_shape(f"{sizes} B 2", **tensors)
    check_finite(**tensors)
    points = next(iter(panels.values())).shape[-2]
    check_positive(points=points)
    tensors = {f"colors[{label!r}]": values for label, values in colors.items()}
    check_shape(str(points), **tensors)
    check_finite(**tensors)
    for name, lines in curves.items():
        check_choice(list(panels), **{"a panel of curves": name})
        if len(lines) > 3:
            raise ValueError(
                f"curves[{name!r}] must be at most three, got {len(lines)}"
            )
        check_texts(**{f"the label {label!r}": label for label in lines})
        tensors = {f"curves[{name!r}][{label!r}]": y for label, y in lines.items()}
        check_shape(sizes, **tensors)
        check_finite(**tensors)


def draw_clouds(
    clouds: np.ndarray,
    steps: Sequence[int],
    panels: Mapping[str, Tensor],
    curves: Mapping[str, Mapping[str, Tensor]],
    shaded: tuple[np.ndarray, dict[str, Any]],
    lines: Sequence[np.ndarray],
) -> Figure:
    """Draw the last step of clouds ``(P, C, F, B, 2)`` as the page does."""
    index, key = shaded
    count, below = len(panels), bool(lines)
    figure = Figure(figsize=(3.4 * count, 4.6 if below else 3.6), layout="constrained")
    axes = figure.subplots(
        1 + below, count, squeeze=False, height_ratios=[3, 1][: 1 + below]
    )
    waiting = list(lines)
    low, high = (f(clouds, axis=(0, 1, 2, 3)) for f in (np.min, np.max))
    ever = np.concatenate([line.ravel() for line in lines] or [np.ones(1)])
    floor = min(ever[ever > 0], default=0.1)
    top = max(ever.max(), 10 * floor)
    for column, name in enumerate(panels):
        middle, half = (low + high) / 2, 0.54 * max(*(high - low), 1e-12)
        ax = axes[0, column]
        colors = np.array(key["palette"])[index]
        ax.scatter(*clouds[column, 0, -1].T, s=5, c=colors, linewidths=0)
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.set_title(f"{name}, step {steps[-1]:,}", fontsize=10)
        ax.set_xlim(middle[0] - half, middle[0] + half)
        ax.set_ylim(middle[1] - half, middle[1] + half)
        if not below:
            continue
        ax = axes[1, column]
        for number, label in enumerate(curves.get(name, {})):
            values = np.maximum(waiting.pop(0)[0], floor)
            color = list(COLORS.values())[number]
            ax.plot(steps, values, color=color, label=label, lw=1.2)
            ax.plot(steps[-1:], values[-1:], "o", color=color, ms=4)
        ax.set(yscale="log", xlabel="training step", ylim=(0.8 * floor, 1.3 * top))
        tidy(ax)
        if curves.get(name):
            ax.legend(fontsize=8, frameon=False)
    return figure
