"""A JEPA that trains in the page."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from typing import Any

import numpy as np
import traitlets
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from jepa_tutorial.checks import check_choice
from jepa_tutorial.plots import COLORS
from jepa_tutorial.widgets.base import HERE, Live, assemble, first_frame
from jepa_tutorial.widgets.clouds import SCALE, WHEEL, palette

TITLES = {
    "landing": "Collapse, in one tap",
    "full": "A JEPA that trains in your browser",
}
# What can be chosen; the page reads the same lists from playground.js.
SETTINGS: dict[str, list[Any]] = {
    "target": ["through", "stop", "slow"],
    "ema_decay": [0.9, 0.99, 0.999],
    "regularizer": ["none", "variance", "vicreg", "sigreg"],
    "weight": [0.001, 0.01, 0.1, 1, 10],
    "predictor": [True, False],
    "lr": [0.0003, 0.001, 0.003, 0.01],
    "noise": [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5],
    "seed": list(range(10)),
    "color": ["phase", "velocity"],
    "scale": ["run", "step"],
}
DEFAULTS = {
    **{"target": "slow", "ema_decay": 0.99, "regularizer": "none", "weight": 1},
    **{"predictor": True, "lr": 0.003, "noise": 0.05, "seed": 2},
    **{"color": "phase", "scale": "run"},
}


class Playground(Live):
    """A JEPA that trains in the page, with its cloud of latents and its measures.

    The world is chapter 1's circle. An encoder of two hidden layers reads four positions and
    gives a latent of two numbers, so that the cloud is seen as it is; the cost is the squared
    error. Everything is computed in the page, by ``tiny_jepa.js``, which equals the package's
    losses and PyTorch's Adam in double precision.

    Parameters
    ----------
    kind : str
        ``"full"``, with all switches, or ``"landing"``: two equal models side by side, of which
        one has a switch.
    linked : bool
        Whether the page's address keeps the state of the full kind, after its ``#``.
    **settings
        What is chosen first in the full kind: ``target`` (``"through"``, ``"stop"``,
        ``"slow"``), ``ema_decay``, ``regularizer`` (``"none"``, ``"variance"``, ``"vicreg"``,
        ``"sigreg"``), ``weight``, ``predictor`` (True, False), ``lr``, ``noise``, ``seed``,
        ``color`` (``"phase"``, ``"velocity"``), ``scale`` (``"run"``, ``"step"``).

    Raises
    ------
    ValueError
        For an unknown kind, an unknown setting, or a value that cannot be chosen.
    """

    # The page gets the code without comments and indents; the package has it to read.
    _esm = re.sub(
        r"^ *(//.*\n)?",
        "",
        assemble("base.js", "tiny_jepa.js", "playground.js"),
        flags=re.M,
    )
    _css = "".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("live.css", "playground.css")
    )
    kind = traitlets.Unicode().tag(sync=True)
    settings: traitlets.Dict = traitlets.Dict().tag(sync=True)
    linked = traitlets.Bool().tag(sync=True)
    palettes: traitlets.Dict = traitlets.Dict().tag(sync=True)
    # Weights of encoder and predictor, times 8,192 (16 bits).
    trained = traitlets.Bytes().tag(sync=True)

    def __init__(
        self, kind: str = "full", *, linked: bool = False, **settings: Any
    ) -> None:
        check_choice(list(TITLES), kind=kind)
        for name, value in settings.items():
            check_choice(list(SETTINGS), setting=name)
            if value not in SETTINGS[name]:
                raise ValueError(
                    f"{name} must be one of {SETTINGS[name]}, got {value!r}"
                )
        data = stored()
        alt = (
            f"Two clouds of latents of one model, colored by phase, {data['more']} steps "
            "after they parted. Left, where the gradient is stopped at the target, the "
            f"points fill the frame: loss {data['stop']['cost']:.2g}. Right, where it flows, "
            f"they lie on one spot: loss {data['through']['cost']:.2g}."
        )
        super().__init__(
            first_frame(draw_clouds(), limit=30_000),
            alt,
            TITLES[kind],
            kind=kind,
            settings=DEFAULTS | settings,
            linked=linked,
            palettes={"phase": palette(WHEEL), "velocity": palette(SCALE)},
            trained=base64.b64decode(data["trained"]) if kind == "landing" else b"",
        )


@cache
def stored() -> dict[str, Any]:
    """Return what tools/train_playground.py has written."""
    return json.loads((HERE / "playground.json").read_text(encoding="utf-8"))


def draw_clouds() -> Figure:
    """Draw the first frame: a living and a dead cloud at one scale."""
    data = stored()
    figure = Figure(figsize=(6.6, 3.7), layout="constrained")
    wheel = ListedColormap(palette(WHEEL))
    half = 3.2 * data["stop"]["deviation"]
    for ax, target, title in zip(
        figure.subplots(1, 2),
        ("stop", "through"),
        ("gradient stopped: alive", "gradient flows: collapsed"),
        strict=True,
    ):
        z = np.array(data[target]["z"]).reshape(-1, 2)
        z -= z.mean(axis=0)
        ax.scatter(*z.T, s=7, c=np.mod(data["phase"], 2 * np.pi), cmap=wheel)
        ax.set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[])
        ax.set_aspect("equal")
        ax.set_title(title, fontsize=10, fontweight="bold")
        cost, size = data[target]["cost"], data[target]["deviation"]
        color = COLORS["target" if target == "through" else "context"]
        ax.set_xlabel(f"loss {cost:.2g}     size {size:.2g}", fontsize=11, color=color)
    return figure
