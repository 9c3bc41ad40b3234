"""The explorer: figures that a reader moves, with a kernel or without."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure

from jepa_tutorial.checks import check_positive
from jepa_tutorial.reports import progress
from jepa_tutorial.widgets.base import (
    MAX_BYTES,
    Live,
    assemble,
    check_texts,
    first_frame,
)

MAX_FRAMES = 400


@dataclass(frozen=True)
class Slider:
    """A labeled slider over values in order.

    Parameters
    ----------
    label : str
        What the reader sees, such as ``"Training step"``.
    values : sequence
        At least one; shown as text beside the slider.
    unit : str
        Shown after the value.
    start : optional
        The value that is shown first, one of ``values``; else the first of them.
    """

    label: str
    values: Sequence[Any]
    unit: str = ""
    start: Any = None


@dataclass(frozen=True)
class Choice:
    """A labeled list to choose from.

    Parameters
    ----------
    label : str
        What the reader sees, such as ``"Target"``.
    values : sequence
        At least one; shown as text.
    """

    label: str
    values: Sequence[Any]


class Explorer(Live):
    """Figures drawn in advance, one for each setting of the controls.

    Works in Jupyter, in Colab and on the rendered page without a kernel, since it carries its
    frames. Draws its own labeled HTML controls, which work by keyboard.

    Parameters
    ----------
    draw : callable
        Takes one value of each control, by name, and returns a Matplotlib figure. Called for
        every combination when the explorer is made.
    controls : dict of str to Slider or Choice
        By the names that ``draw`` uses. The last one varies fastest in the list of frames.
    alt : callable
        Takes the same values as ``draw`` and returns what the frame shows, in words.
    title : str
        Names the whole explorer.
    play : str, optional
        The slider that a Play button moves.
    interval : int
        Milliseconds between frames while playing.
    dpi : int
        Resolution of the frames.

    Raises
    ------
    ValueError
        For missing or empty controls, an unknown ``play``, a function that is none, a ``draw``
        that returns no figure, an empty text, too many frames or too many bytes.
    """

    _esm = assemble("base.js", "explorer.js")
    controls: traitlets.List = traitlets.List().tag(sync=True)
    play = traitlets.Unicode(allow_none=True).tag(sync=True)
    interval = traitlets.Int().tag(sync=True)
    frames = traitlets.Bytes().tag(sync=True)  # all pictures, one after the other
    lengths: traitlets.List = traitlets.List().tag(sync=True)  # bytes of each picture
    alts: traitlets.List = traitlets.List().tag(sync=True)
    size: traitlets.List = traitlets.List().tag(sync=True)  # width and height in pixels

    def __init__(
        self,
        draw: Callable[..., Figure],
        controls: Mapping[str, Slider | Choice],
        alt: Callable[..., str],
        *,
        title: str,
        play: str | None = None,
        interval: int = 400,
        dpi: int = 100,
    ) -> None:
        check_controls(controls, play)
        check_positive(interval=interval, dpi=dpi)
        for name, function in (("draw", draw), ("alt", alt)):
            if not callable(function):
                raise ValueError(f"{name} must be a function, got {function!r}")
        check_texts(title=title)
        values = itertools.product(*(control.values for control in controls.values()))
        settings = [dict(zip(controls, setting, strict=True)) for setting in values]
        start = 0  # the setting that is shown first
        for control in controls.values():
            start = start * len(control.values) + place_of_start(control)
        alts = [alt(**setting) for setting in settings]
        for text in alts:
            check_texts(alt=text)
        frames, size = b"", (0, 0)
        lengths: list[int] = []
        for setting in progress(settings, "frames"):
            figure = draw(**setting)
            if not isinstance(figure, Figure):
                raise ValueError(
                    f"draw must return a Matplotlib figure, got {figure!r}"
                )
            data, shape = picture(figure, dpi)
            plt.close(figure)
            size = size if lengths else shape
            if shape != size:
                raise ValueError(
                    f"draw must return figures of one size, got {size} and {shape}"
                )
            frames += data
            lengths.append(len(data))
            if len(frames) > MAX_BYTES:
                raise ValueError(
                    f"the frames must fit into {MAX_BYTES} bytes, got {len(frames)} for "
                    f"{len(lengths)} of {len(settings)}: take fewer values, smaller "
                    "figures or a lower dpi"
                )
        super().__init__(
            first_frame(frames[sum(lengths[:start]) :][: lengths[start]]),
            alts[start],
            title,
            controls=[describe(name, control) for name, control in controls.items()],
            play=play,
            interval=interval,
            frames=frames,
            lengths=lengths,
            alts=alts,
            size=list(size),
        )

    def __repr__(self) -> str:
        """Give viewers without widgets a sentence in place of an object's address."""
        return f"Explorer: {self.title} ({len(self.alts)} frames)"


def check_controls(controls: Mapping[str, Slider | Choice], play: str | None) -> None:
    """Check that there are controls with labels and values, and that ``play`` is a slider."""
    if not isinstance(controls, Mapping) or not controls:
        raise ValueError(
            f"controls must map names to Slider or Choice, got {controls!r}"
        )
    for name, control in controls.items():
        if not isinstance(control, (Slider, Choice)):
            raise ValueError(
                f"controls[{name!r}] must be a Slider or Choice, got {control!r}"
            )
        if not len(control.values):
            raise ValueError(f"controls[{name!r}] must have values, got {control!r}")
        if getattr(control, "start", None) not in (None, *control.values):
            raise ValueError(
                f"controls[{name!r}] must start at one of its values, got {control!r}"
            )
        check_texts(**{f"the label of controls[{name!r}]": control.label})
        listed = " ".join(describe(name, control)["values"])
        check_texts(**{f"the values of controls[{name!r}]": listed})
    count = math.prod(len(control.values) for control in controls.values())
    if count > MAX_FRAMES:  # before anything is drawn
        raise ValueError(
            f"controls must give at most {MAX_FRAMES} frames, got {count}: "
            "take fewer values"
        )
    sliders = [name for name, one in controls.items() if isinstance(one, Slider)]
    if play is not None and play not in sliders:
        raise ValueError(
            f"play must be None or one of the sliders {sliders}, got {play!r}"
        )


def describe(name: str, control: Slider | Choice) -> dict[str, Any]:
    """Write a control as plain data for the browser."""
    unit = f" {control.unit}" if isinstance(control, Slider) and control.unit else ""
    return {
        "name": name,
        "kind": type(control).__name__.lower(),
        "label": control.label,
        "values": [f"{value}{unit}" for value in control.values],
        "start": place_of_start(control),
    }


def place_of_start(control: Slider | Choice) -> int:
    """Tell which of a control's values is shown first."""
    values, start = list(control.values), getattr(control, "start", None)
    return values.index(start) if start in values else 0


def picture(figure: Figure, dpi: int) -> tuple[bytes, tuple[int, int]]:
    """Return a figure as WebP, and its width and height in pixels."""
    file = io.BytesIO()
    options = {"quality": 80, "method": 6}
    figure.savefig(file, format="webp", dpi=dpi, facecolor="white", pil_kwargs=options)
    width, height = (round(inches * dpi) for inches in figure.get_size_inches())
    return file.getvalue(), (width, height)
