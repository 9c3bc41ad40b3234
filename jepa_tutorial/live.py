"""Live figures: drawn in the page itself, moved by the reader, with a kernel or without."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets
from torch import Tensor


class Live(anywidget.AnyWidget):
    """What all figures that a reader moves share.

    A model that carries its data, JavaScript that draws it in the page, one style sheet, and a
    first frame as PNG, which is shown wherever a widget cannot run.
    """

    title = traitlets.Unicode().tag(sync=True)


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
        on a color wheel; under all others, numbers on a diverging scale around zero.
    alt : callable
        Takes the number of a frame, and with ``choice`` the number of the choice, and returns
        what is seen there, as a sentence.
    title : str
        Names the whole figure.
    curves : dict of str to dict of str to Tensor, optional
        By panel and label, what is drawn small under the panel over the steps on a logarithmic
        scale, each ``(F,)``, or ``(C, F)`` with ``choice``.
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
        super().__init__(title=title)


class GradientField(Live):
    """Where training leads a model of two weights, computed in the page.

    The encoder is z = w x, the predictor z_hat = p z; x and the next x' have variance s and
    covariance c. The reader chooses the target (both branches, stop-gradient, a slow copy),
    predictor or none, the predictor's rate and weight decay, and starts a path by a click or
    by the sliders of w and p. Shaded: starts from which the model dies. Dashed: p = c / s.

    Parameters
    ----------
    s : float
        Variance of x and x', above 0.
    c : float
        Their covariance, above 0 and below ``s``.
    target : str
        What is chosen first: ``"both"``, ``"stop"`` or ``"slow"``.
    title : str
        Names the figure.

    Raises
    ------
    ValueError
        If a number is out of range, or ``target`` is unknown.
    """

    def __init__(
        self,
        s: float = 1.0,
        c: float = 0.8,
        *,
        target: str = "stop",
        title: str = "Where a model of two weights goes",
    ) -> None:
        super().__init__(title=title)


class Shadows(Live):
    """The shadow of a turning cloud on a line, and how far it is from a normal one.

    Left the cloud, turned, with its shadow below it. Right the characteristic function of the
    shadow beside the normal's, and the Epps-Pulley statistic of `losses.sigreg_loss` for this
    direction and for all others.

    Parameters
    ----------
    clouds : dict of str to Tensor
        By name, each ``(B, 2)`` or ``(B, 3)``, with B from 2 to 2,000.
    title : str
        Names the figure.

    Raises
    ------
    ValueError
        If there is no cloud, a shape does not fit, or numbers are not finite.
    """

    def __init__(
        self,
        clouds: Mapping[str, Tensor],
        *,
        title: str = "A cloud, seen along one direction after the other",
    ) -> None:
        super().__init__(title=title)
