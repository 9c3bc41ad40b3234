"""Live figures: drawn in the page itself, moved by the reader, with a kernel or without."""

from __future__ import annotations

import base64
import io
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from scipy.integrate import solve_ivp
from torch import Tensor

from jepa_tutorial.checks import (
    check_choice,
    check_finite,
    check_positive,
    check_range,
    check_shape,
)
from jepa_tutorial.losses import sigreg_loss
from jepa_tutorial.plots import COLORS

STATIC = Path(__file__).parent / "static"
MAX_BYTES = 1_000_000
MAX_FIRST = 40_000  # bytes of a first frame
HINT = "First frame. To move it, run this cell or trust the notebook."


def assemble(*names: str) -> str:
    """Join modules of the folder ``static`` into one, since a widget carries a single one."""
    parts = [(STATIC / name).read_text(encoding="utf-8") for name in names]
    return re.sub(
        r'^import \{[^}]*\} from "\./.*";\n', "", "\n".join(parts), flags=re.M
    )


class Live(anywidget.AnyWidget):
    """What all figures that a reader moves share.

    Data that the model carries, JavaScript that draws it in the page, one style sheet, and a
    first frame as PNG with a text of its own, shown wherever a widget cannot run.

    Parameters
    ----------
    first : bytes
        The first frame, see `first_frame`.
    alt : str
        What it shows, in words.
    title : str
        Names the figure.
    **traits
        What the JavaScript reads.
    """

    title = traitlets.Unicode().tag(sync=True)
    _css = STATIC / "live.css"
    # ipywidgets 7 shows a widget by this method, and would leave out the first frame.
    _ipython_display_ = None

    def __init__(self, first: bytes, alt: str, title: str, **traits: Any) -> None:
        check_texts(title=title, alt=alt)
        self.first, self.alt = first, alt
        super().__init__(title=title, **traits)

    def __repr__(self) -> str:
        """Give viewers without widgets and pictures a sentence."""
        return f"{type(self).__name__}: {self.title}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:  # closed
            return None
        data, metadata = shown
        first = base64.b64encode(self.first).decode()
        return data | {"image/png": first}, metadata | {"image/png": {"alt": self.alt}}


def first_frame(figure: Figure, limit: int = MAX_FIRST) -> bytes:
    """Draw a figure as a PNG of at most ``limit`` bytes, with a line that says how it moves."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100, facecolor="white")
    drawn = Image.open(file).convert("RGB")
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 11)
    width = max(drawn.width, round(font.getlength(HINT)) + 12)
    image = Image.new("RGB", (width, drawn.height + 20), "white")
    image.paste(drawn)
    ImageDraw.Draw(image).text((6, drawn.height + 2), HINT, "#595959", font)
    while True:
        file = io.BytesIO()
        few = image.quantize(64, dither=Image.Dither.NONE)
        few.save(file, format="png", optimize=True)
        if file.tell() <= limit:
            return file.getvalue()
        image = image.resize([round(0.8 * side) for side in image.size])


def check_texts(**texts: str) -> None:
    """Check that texts say something and can stand in the script of a page.

    Raises
    ------
    ValueError
        Names the argument and what was given.
    """
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must be a text, got {text!r}")
        # A page keeps the state in a script, and these would end it or swallow its end.
        if re.search(r"<!--|</?script", text, re.I):
            raise ValueError(f"{name} must have no '<!--' or '<script', got {text!r}")


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

    The reader moves through the steps by a slider or Play, chooses what colors the points, and
    switches between axes that stay and axes of its own for each frame. Coordinates are stored
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
            alts[0],
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
    """Draw the first frame of clouds ``(P, C, F, B, 2)`` as the page does."""
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
        ax.scatter(*clouds[column, 0, 0].T, s=5, c=colors, linewidths=0)
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.set_title(f"{name}, step {steps[0]:,}", fontsize=10)
        ax.set_xlim(middle[0] - half, middle[0] + half)
        ax.set_ylim(middle[1] - half, middle[1] + half)
        if not below:
            continue
        ax = axes[1, column]
        for number, label in enumerate(curves.get(name, {})):
            values = np.maximum(waiting.pop(0)[0], floor)
            color = list(COLORS.values())[number]
            ax.plot(steps, values, color=color, label=label, lw=1.2)
            ax.plot(steps[:1], values[:1], "o", color=color, ms=4)
        ax.set(yscale="log", xlabel="training step", ylim=(0.8 * floor, 1.3 * top))
        tidy(ax)
        if curves.get(name):
            ax.legend(fontsize=8, frameon=False)
    return figure


def tidy(ax: Axes) -> None:
    """Take away the frame's upper and right line, and make the numbers small."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)


TARGETS = {"both": "both branches", "stop": "stop-gradient", "slow": "slow copy"}


class GradientField(Live):
    """Where training leads a model of two weights, computed in the page.

    The encoder is z = w x, the predictor z_hat = p z; x and the next x' have variance s and
    covariance c. The reader chooses the target (both branches, stop-gradient, a slow copy),
    predictor or none, the predictor's rate k and weight decay lambda, and starts a path by a
    click or by the sliders of w and p. Shaded: starts from which the model dies. Dashed: the
    best predictor, p = c / s.

    With t for the target's weight, the flow is dw/dt = -2 p (p w s - t c) - lambda w and
    dp/dt = -2 k w (p w s - t c) - lambda p, where t is w (stop-gradient) or a third variable
    that follows w at the rate 1 - tau (slow copy; drawn in the slice where it equals w, which
    is where each path starts). Through both branches, dw/dt = -2 w (p^2 s - 2 p c + s) -
    lambda w.

    Parameters
    ----------
    s : float
        Variance of x and x', from 0.1 to 10.
    c : float
        Their covariance, above 0 and below ``s``.
    target : str
        What is chosen first: ``"both"``, ``"stop"`` or ``"slow"``.
    ema_decay : float
        tau, the decay of the slow copy, from 0 to 0.99.
    title : str
        Names the figure.

    Raises
    ------
    ValueError
        If a number is out of range, or ``target`` is unknown.
    """

    _esm = assemble("base.js", "two_weights.js", "gradient_field.js")
    s = traitlets.Float().tag(sync=True)
    c = traitlets.Float().tag(sync=True)
    ema_decay = traitlets.Float().tag(sync=True)
    target = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        s: float = 1.0,
        c: float = 0.8,
        *,
        target: str = "stop",
        ema_decay: float = 0.9,
        title: str = "Where a model of two weights goes",
    ) -> None:
        check_range(0.1, 10, s=s)
        check_range(0, 0.99, ema_decay=ema_decay)
        check_choice(list(TARGETS), target=target)
        if not isinstance(c, Real) or not 0 < c < s:
            raise ValueError(f"c must be a number above 0 and below s = {s}, got {c!r}")
        alt = (
            f"Arrows over the plane of the encoder's weight w and the predictor's weight p, "
            f"with the target {TARGETS[target]}; the starts from which w goes to zero are "
            f"shaded, and the best predictor, p = {c / s:.2g}, is a dashed line. "
            "A path starts at w = 0.5, p = 1."
        )
        super().__init__(
            first_frame(draw_field(s, c, target)),
            alt,
            title,
            s=float(s),
            c=float(c),
            target=target,
            ema_decay=float(ema_decay),
        )


def draw_field(s: float, c: float, target: str) -> Figure:
    """Draw the first frame: the field at equal rates and without weight decay, and a path."""

    def flow(_: float, at: np.ndarray) -> np.ndarray:
        w, p = at
        error = p * s - c
        both = 2 * w * (p**2 * s - 2 * p * c + s)
        return np.stack(
            [-both if target == "both" else -2 * w * p * error, -2 * w**2 * error]
        )

    figure = Figure(figsize=(6.6, 4), layout="constrained")
    ax = figure.subplots()
    if target == "both":
        ax.axvspan(0, 1.8, color=COLORS["target"], alpha=0.2, lw=0)
    else:
        # w^2 - p^2 is conserved; a path from p < 0 must cross p = 0, where w is smallest.
        p = np.linspace(-1, 2, 301)
        edge = np.sqrt(np.maximum(0, p**2 - np.where(p < 0, 0, c**2 / s**2)))
        ax.fill_betweenx(p, 0, edge, color=COLORS["target"], alpha=0.2, lw=0)
    ax.axhline(c / s, color=COLORS["prediction"], ls="--", lw=1.5)
    grid = np.stack(
        np.meshgrid(np.linspace(0.06, 1.74, 15), np.linspace(-0.9, 1.9, 12))
    )
    arrows = flow(0, grid) / np.array([1.8, 3])[:, None, None]
    arrows /= np.hypot(*arrows) + 1e-9
    ax.quiver(*grid, *arrows, color="0.4", scale=42, width=0.0025, pivot="mid")
    path = solve_ivp(flow, (0, 100), (0.5, 1.0), rtol=1e-6, max_step=0.5).y
    color = COLORS["context" if path[0, -1] > 1e-3 else "target"]
    ax.plot(*path, color=color, lw=2.5)
    ax.plot(*path[:, 0], "o", color="k", mfc="w", ms=8)
    ax.plot(*path[:, -1], "o", color=color, mec="w", ms=8, clip_on=False)
    ax.set(xlabel="encoder's weight w", ylabel="predictor's weight p")
    ax.set(xlim=(0, 1.8), ylim=(-1, 2))
    ax.set_title(f"target: {TARGETS[target]}", fontsize=10)
    tidy(ax)
    return figure


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
