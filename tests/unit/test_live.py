"""Live figures carry their data small, a first frame as PNG, and refuse what they cannot show."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import runpy
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from ipywidgets.embed import embed_data
from PIL import Image

from jepa_tutorial.widgets.base import HERE, assemble
from jepa_tutorial.widgets.clouds import Clouds, palette, quantize, shade
from jepa_tutorial.widgets.gradient_field import GradientField
from jepa_tutorial.widgets.playground import DEFAULTS, SETTINGS, Playground
from jepa_tutorial.widgets.shadows import Shadows

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"
FRAMES, POINTS = 4, 30
ANGLE = torch.linspace(-math.pi, math.pi, POINTS)
RING = torch.stack([ANGLE.cos(), ANGLE.sin()], dim=-1)
MOVING = torch.tensor([0.5, 0.3, 1.0, 2.0])[:, None, None] * RING


def clouds(**changes):
    arguments = {
        "panels": {"living": MOVING, "dead": MOVING / 100},
        "steps": [0, 10, 20, 30],
        "colors": {"phase": ANGLE, "velocity": RING[:, 0]},
        "alt": lambda frame: f"Two clouds at frame {frame}, of which one is dead.",
        "title": "Two clouds",
    } | changes
    return Clouds(arguments.pop("panels"), **arguments)


@cache
def figures():
    loss = {"loss": torch.tensor([1.0, 0.1, 0.0, 0.2])}
    return {
        "clouds": clouds(),
        "one cloud": clouds(panels={"one": MOVING}),
        "clouds with curves": clouds(curves={"living": loss}),
        "clouds with a choice": clouds(
            panels={"one": MOVING.expand(3, -1, -1, -1)},
            choice=("decay", [0, 0.9, 1]),
            curves={"one": {"loss": loss["loss"].expand(3, -1)}},
            alt=lambda frame, choice: f"Frame {frame} of choice {choice}.",
        ),
        "points on one place": clouds(panels={"dead": 0 * MOVING}),
        "field": GradientField(),
        "field of both": GradientField(2.0, 0.5, target="both"),
        "shadows": Shadows({"ring": RING}),
        "shadows in space": Shadows({"a": torch.randn(2, 3), "b": 100 * RING}),
        "playground": Playground(),
        "playground in short": Playground("landing"),
    }


FIGURES = list(figures())


@pytest.mark.parametrize("name", FIGURES)
def test_a_first_frame_stands_beside_the_widget(name):
    figure = figures()[name]
    data, metadata = figure._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    first = base64.b64decode(data["image/png"])
    image = Image.open(io.BytesIO(first))
    assert image.format == "PNG"
    assert len(first) <= 40_000
    assert 300 <= image.width <= 700
    assert len(set(image.convert("L").tobytes())) > 5, "something is drawn"
    alt = metadata["image/png"]["alt"]
    assert alt == figure.alt
    assert alt.strip()
    assert data["text/plain"].startswith(type(figure).__name__)


@pytest.mark.parametrize("name", FIGURES)
def test_what_the_page_gets_is_small_and_complete(name):
    figure = figures()[name]
    models = embed_data([figure], drop_defaults=False)["manager_state"]["state"]
    entry = models[figure.model_id]
    source, style = entry["state"]["_esm"], entry["state"]["_css"]
    trains = isinstance(figure, Playground)
    assert len(json.dumps(entry)) < (60_000 if trains else 200_000)
    assert len(source) + len(style) < (55_000 if trains else 30_000)
    assert "export default { render };" in source
    assert source.count("export default") == 1
    assert not re.search(
        r"^import|https?://|<!--|</?script", source + style, re.M | re.I
    )
    paths = [buffer["path"] for buffer in entry.get("buffers", [])]
    drawn = isinstance(figure, GradientField)  # from nothing
    assert paths == ([["trained"]] if trains else [] if drawn else [["data"]])


def test_forty_frames_of_two_clouds_take_about_a_hundred_kilobytes():
    many = torch.randn(40, 300, 2)
    figure = clouds(
        panels={"a": many, "b": many},
        steps=range(40),
        colors={"phase": torch.zeros(300)},
    )
    assert 96_000 < len(figure.data) < 98_000


@pytest.mark.parametrize("center", [0.0, 100.0])
@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e4])
def test_integers_are_off_by_at_most_what_is_said(center, size):
    generator = np.random.default_rng(0)
    points = center + size * generator.standard_normal((2, 3, 4, 50, 2))
    scales, integers = quantize(points)
    assert scales.dtype == np.float32
    assert integers.dtype == np.int16
    middle, half = (
        scales[..., None, :2].astype(float),
        scales[..., None, 2:].astype(float),
    )
    again = middle + half * integers / 32767
    bound = half / 65534 * (1 + 1e-6) + 1e-12
    assert (np.abs(again - points) <= bound).all()
    assert np.abs(integers).max() == (32767 if size else 0)
    assert half.max() <= 1.01 * np.abs(points - center).max() + 1e-4 * center + 1e-12


def test_angles_go_around_a_wheel_and_numbers_along_a_scale():
    index, key = shade(torch.tensor([-math.pi, 0.0, math.pi, 3 * math.pi]), "phase")
    assert index[1] == 32
    assert set(index[[0, 2, 3]].tolist()) <= {0, 63}, "both ends have one color"
    assert key["palette"][0] == key["palette"][-1], "it closes"
    assert key["ends"] == ["\u2212π", "π"]
    index, key = shade(torch.tensor([-1.0, 0.0, 2.0]), "velocity")
    assert index[1] == 32
    assert index[0] < 32 < index[2]
    assert key["ends"][0] == "\u2212" + key["ends"][1]
    index, key = shade(torch.linspace(1, 3, 101), "noise")
    assert (index[0], index[-1], key["ends"]) == (0, 63, ["1", "3"])
    assert shade(torch.zeros(3), "nothing")[0].tolist() == [0, 0, 0]
    assert len(set(palette(["#000000", "#ffffff"]))) == 64


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_carry_figures_as_the_package_makes_them(path):
    """With a first frame for GitHub, VS Code, converters, and JupyterLab before trust."""
    tool = runpy.run_path(str(ROOT / "tools" / "renew_figures.py"))
    notebook = nbformat.read(path, as_version=4)
    carried = tool["figures"](notebook)
    assert carried
    for figure in carried:
        assert tool["present"](figure).items() <= figure.items(), (
            f"{figure['title']}: run `.venv/bin/python tools/renew_figures.py`"
        )
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    shown = [out for out in outputs if VIEW in out.get("data", {})]
    assert len(shown) >= len(carried)
    for output in shown:
        first = base64.b64decode(output.data["image/png"])
        assert Image.open(io.BytesIO(first)).format == "PNG"
        assert len(first) <= 40_000
        assert len(output.metadata["image/png"]["alt"]) >= 15


def test_every_script_is_joined_and_none_is_left_over():
    used = {
        "base.js",
        "two_weights.js",
        "epps_pulley.js",
        *("explorer.js", "clouds.js", "gradient_field.js", "shadows.js"),
        *("tiny_jepa.js", "playground.js"),
    }
    assert {path.name for path in HERE.glob("*.js")} == used
    assert "import {" not in assemble(*sorted(used))


NAN = torch.tensor([[float("nan"), 0.0]]).expand(FRAMES, POINTS, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"panels": {}}, "panels must map names to tensors, got {}"),
        ({"panels": dict.fromkeys("abc", MOVING)}, "panels must be one or two, got 3"),
        (
            {"panels": {"a": MOVING[:3]}},
            "panels['a'] must have the shape (4, B, 2), got (3, 30, 2)",
        ),
        (
            {"panels": {"a": MOVING, "b": MOVING[:, :5]}},
            "panels['b'] must have the shape (4, B, 2) with B = 30, got (4, 5, 2)",
        ),
        (
            {"panels": {"a": NAN}},
            "panels['a'] must hold finite numbers, got 120 of 240",
        ),
        ({"panels": {"a": [[1]]}}, "panels['a'] must be a tensor (4 B 2), got list"),
        ({"panels": {"<!--": MOVING}}, "the name '<!--' must have no '<!--'"),
        ({"steps": [0, 10, 5, 30]}, "steps must be at least two, rising"),
        ({"steps": [0]}, "steps must be at least two, rising, got [0]"),
        ({"colors": {}}, "colors must map names to tensors, got {}"),
        (
            {"colors": {"phase": ANGLE[:5]}},
            "colors['phase'] must have the shape (30), got (5,)",
        ),
        ({"alt": "text"}, "alt must be a function, got 'text'"),
        ({"alt": lambda frame: ""}, "alt must be a text, got ''"),
        ({"title": None}, "title must be a text, got None"),
        ({"interval": 0}, "interval must be an integer of at least 1, got 0"),
        (
            {"curves": {"alive": {}}},
            "a panel of curves must be one of 'living', 'dead', got 'alive'",
        ),
        (
            {"curves": {"dead": {"loss": torch.zeros(5)}}},
            "curves['dead']['loss'] must have the shape (4), got (5,)",
        ),
        (
            {"curves": {"dead": {str(i): torch.zeros(4) for i in range(4)}}},
            "curves['dead'] must be at most three, got 4",
        ),
        (
            {"choice": ("decay", [0, 1])},
            "panels['living'] must have the shape (2, 4, B, 2), got (4, 30, 2)",
        ),
        ({"choice": ("decay", [])}, "choice must have a label and values"),
        (
            {
                "panels": {"a": torch.zeros(60, 9000, 2)},
                "steps": range(60),
                "colors": {"phase": torch.zeros(9000)},
            },
            "the clouds must fit into 1000000 bytes, got ",
        ),
    ],
)
def test_bad_clouds_are_named(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        clouds(**changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradientField(0), "s must be a number from 0.1 to 10, got 0"),
        (
            lambda: GradientField(1, 1),
            "c must be a number above 0 and below s = 1, got 1",
        ),
        (lambda: GradientField(c=float("nan")), "c must be a number above 0"),
        (lambda: GradientField(c="x"), "c must be a number above 0 and below"),
        (
            lambda: GradientField(target="ema"),
            "target must be one of 'both', 'stop', 'slow', got 'ema'",
        ),
        (
            lambda: GradientField(ema_decay=1),
            "ema_decay must be a number from 0 to 0.99",
        ),
        (lambda: GradientField(title=" "), "title must be a text, got ' '"),
        (lambda: Shadows({}), "clouds must map names to tensors, got {}"),
        (lambda: Shadows(RING), "clouds must map names to tensors, got tensor"),
        (
            lambda: Shadows({"a": torch.zeros(5, 4)}),
            "clouds['a'] must have the shape (B, 2) or (B, 3), with B from 2 to 1000, "
            "got (5, 4)",
        ),
        (lambda: Shadows({"a": torch.zeros(1001, 2)}), "got (1001, 2)"),
        (lambda: Shadows({"a": [1, 2]}), "with B from 2 to 1000, got list"),
        (lambda: Shadows({"a": RING / 0}), "clouds['a'] must hold finite numbers"),
        (lambda: Shadows({"": RING}), "the name '' must be a text, got ''"),
        (
            lambda: Playground("tiny"),
            "kind must be one of 'landing', 'full', got 'tiny'",
        ),
        (lambda: Playground(tau=0.9), "setting must be one of 'target', 'ema_decay',"),
        (lambda: Playground(lr=1.0), "lr must be one of [0.0003, 0.001, 0.003, 0.01]"),
        (
            lambda: Playground(target=None),
            "target must be one of ['through', 'stop', 'slow'], got None",
        ),
    ],
)
def test_other_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_the_page_offers_what_python_accepts():
    """Both lists are written out, since each language needs one; here they meet."""
    switches = re.search(
        r"const SWITCHES = (\{.*?\n\});", assemble("playground.js"), re.S
    )[1]
    found = {
        name: json.loads(values)
        for name, values in re.findall(
            r"^  (\w+): .*?values: (\[.*?\])", switches, re.M
        )
    }
    assert found == SETTINGS
    assert set(DEFAULTS) == set(SETTINGS)
    assert all(DEFAULTS[name] in values for name, values in SETTINGS.items())
