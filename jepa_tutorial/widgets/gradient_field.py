"""Where a model of two weights goes."""

from __future__ import annotations

from numbers import Real

import numpy as np
import traitlets
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp

from jepa_tutorial.checks import check_choice, check_range
from jepa_tutorial.plots import COLORS
from jepa_tutorial.widgets.base import Live, assemble, first_frame, tidy

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
