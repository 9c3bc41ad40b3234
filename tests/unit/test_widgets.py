"""The explorer carries its frames once, describes each, and refuses what it cannot show."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ipywidgets.embed import embed_data
from PIL import Image

from jepa_tutorial.widgets.base import first_frame
from jepa_tutorial.widgets.explorer import Choice, Explorer, Slider

mpl.use("Agg")
ROOT = Path(__file__).resolve().parents[2]
WIDGETS7 = Path(os.environ.get("JEPA_WIDGETS7", ROOT / ".venv" / "widgets7"))

CELL = """
import matplotlib.pyplot as plt
from jepa_tutorial.widgets.explorer import Choice, Explorer, Slider


def draw(step, model):
    fig, ax = plt.subplots(figsize=(2, 1.5))
    ax.bar([model], [step])
    return fig


def alt(step, model):
    return f"A bar of height {step} for model {model}."


explorer = Explorer(
    draw,
    {"step": Slider("Step", [1, 2, 4], "s"), "model": Choice("Model", ["a", "b"])},
    alt,
    title="Bars",
    play="step",
)
"""


@pytest.fixture(scope="module")
def names():
    found = {}
    exec(CELL, found)
    return found


@pytest.fixture(scope="module")
def explorer(names):
    return names["explorer"]


def pictures(explorer):
    start = 0
    for length in explorer.lengths:
        yield explorer.frames[start : start + length]
        start += length
    assert start == len(explorer.frames)


def test_one_frame_and_one_text_for_each_setting_the_last_control_fastest(explorer):
    assert explorer.alts == [
        f"A bar of height {step} for model {model}."
        for step in (1, 2, 4)
        for model in "ab"
    ]
    images = [Image.open(io.BytesIO(data)) for data in pictures(explorer)]
    assert [image.format for image in images] == ["WEBP"] * 6
    assert {image.size for image in images} == {tuple(explorer.size)} == {(200, 150)}
    assert len(set(pictures(explorer))) == 6


def test_the_frame_is_the_figure(explorer, names):
    fig = names["draw"](2, "b")
    file = io.BytesIO()
    fig.savefig(
        file,
        format="webp",
        dpi=100,
        facecolor="white",
        pil_kwargs={"quality": 80, "method": 6},
    )
    plt.close(fig)
    assert list(pictures(explorer))[3] == file.getvalue()


def test_frames_are_stored_once(explorer):
    """As one buffer beside the state: no second copy, and no base64 in the state itself."""
    models = embed_data([explorer])["manager_state"]["state"]
    entry = models[explorer.model_id]
    assert [buffer["path"] for buffer in entry["buffers"]] == [["frames"]]
    assert len(entry["buffers"][0]["data"]) == 4 * -(-len(explorer.frames) // 3)
    state = {
        name: value
        for name, value in entry["state"].items()
        if name not in ("_esm", "_css")
    }
    assert len(str(state)) < 3000


def test_figures_are_closed(explorer):
    assert not plt.get_fignums()


def test_controls_are_labeled_and_values_carry_their_unit(explorer):
    slider, choice = explorer.controls
    assert slider == {
        "name": "step",
        "kind": "slider",
        "label": "Step",
        "values": ["1 s", "2 s", "4 s"],
        "start": 0,
    }
    assert choice == {
        "name": "model",
        "kind": "choice",
        "label": "Model",
        "values": ["a", "b"],
        "start": 0,
    }


def test_a_slider_may_start_elsewhere_and_the_first_frame_is_the_one_there(names):
    slider = Slider("Step", [1, 2, 4], start=4)
    model = Choice("Model", ["a", "b"])
    moved = Explorer(
        names["draw"], {"step": slider, "model": model}, names["alt"], title="Bars"
    )
    assert moved.controls[0]["start"] == 2
    assert moved.alt == moved.alts[4] == "A bar of height 4 for model a."
    assert moved.first == first_frame(list(pictures(moved))[4])


def test_the_first_frame_keeps_the_colors_of_thin_lines():
    fig, ax = plt.subplots(figsize=(7, 3.4))
    time, colors = np.linspace(0, 40, 500), ("#0072b2", "#009e73", "#d55e00")
    for number, color in enumerate(colors[:2]):
        ax.plot(time, np.abs(np.sin(time)) + 0.1 * number, color=color, lw=1)
    ax.plot(time[:40], 1 + time[:40] / 3, color=colors[2], lw=1)  # few pixels
    drawn = Image.open(io.BytesIO(first_frame(fig))).convert("RGB")
    plt.close(fig)
    pixels = np.array(drawn).reshape(-1, 3).astype(int)
    for color in colors:
        wanted = 255 * np.array(mpl.colors.to_rgb(color))
        assert np.abs(pixels - wanted).max(axis=1).min() < 20, color


def test_viewers_without_widgets_get_a_sentence(explorer):
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == "Explorer: Bars (6 frames)"


SLIDER = {"step": Slider("Step", [1, 2])}


def figure(step):
    return plt.figure(figsize=(1, 1))


def noise(step):
    import numpy as np

    fig = plt.figure(figsize=(10, 10))
    fig.figimage(np.random.default_rng(step).random((1000, 1000, 3)))
    return fig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": {}}, "controls must map names to Slider or Choice, got {}"),
        (
            {"controls": {"step": [1, 2]}},
            "controls['step'] must be a Slider or Choice, got [1, 2]",
        ),
        (
            {"controls": {"step": Slider("Step", [])}},
            "controls['step'] must have values",
        ),
        (
            {"controls": {"step": Slider("Step", [1, 2], start=3)}},
            "controls['step'] must start at one of its values, got Slider(",
        ),
        (
            {"controls": {"step": Slider(" ", [1])}},
            "the label of controls['step'] must be a text, got ' '",
        ),
        (
            {"controls": {"step": Slider(None, [1])}},
            "the label of controls['step'] must be a text, got None",
        ),
        (
            {"controls": {"step": Slider("<!--<script>", [1])}},
            "the label of controls['step'] must have no '<!--' or '<script'",
        ),
        (
            {"controls": {"step": Choice("Step", ["a", "</SCRIPT >"])}},
            "the values of controls['step'] must have no '<!--' or '<script'",
        ),
        ({"title": "<!-- x"}, "title must have no '<!--' or '<script', got '<!-- x'"),
        (
            {"play": "time"},
            "play must be None or one of the sliders ['step'], got 'time'",
        ),
        (
            {"controls": {"step": Choice("Step", [1])}, "play": "step"},
            "play must be None or one of the sliders [], got 'step'",
        ),
        ({"draw": "figure"}, "draw must be a function, got 'figure'"),
        ({"alt": None}, "alt must be a function, got None"),
        ({"draw": lambda step: None}, "draw must return a Matplotlib figure, got None"),
        ({"alt": lambda step: " "}, "alt must be a text, got ' '"),
        ({"alt": lambda step: None}, "alt must be a text, got None"),
        (
            {"draw": lambda step: plt.figure(figsize=(step, 1))},
            "draw must return figures of one size",
        ),
        (
            {"controls": {"step": Slider("Step", range(401))}},
            "at most 400 frames, got 401",
        ),
        (
            {"draw": noise, "controls": {"step": Slider("Step", range(400))}},
            "must fit into 1000000 bytes",
        ),
        ({"interval": 0}, "interval must be an integer of at least 1, got 0"),
        ({"dpi": -5}, "dpi must be an integer of at least 1, got -5"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    arguments = {
        "draw": figure,
        "controls": SLIDER,
        "alt": lambda step: f"Step {step}.",
    }
    arguments |= {"title": "Title"} | changes
    with pytest.raises(ValueError, match=re.escape(message)):
        Explorer(**arguments)
    plt.close("all")


def test_the_number_of_frames_is_checked_before_any_is_drawn():
    drawn = []
    controls = {"a": Slider("A", range(1000)), "b": Slider("B", range(1000))}
    with pytest.raises(ValueError, match="at most 400 frames, got 1000000"):
        Explorer(drawn.append, controls, str, title="Title")
    assert drawn == []


def test_the_first_frame_stands_beside_the_widget(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    first = base64.b64decode(data["image/png"])
    image = Image.open(io.BytesIO(first))
    assert (image.format, len(first) <= 40_000) == ("PNG", True)
    assert metadata["image/png"]["alt"] == "A bar of height 1 for model a."
    # It is the first picture, but for the line below it and for its few colors.
    frame = Image.open(io.BytesIO(next(pictures(explorer)))).convert("RGB")
    ours = np.asarray(image.convert("RGB").crop((0, 0, *frame.size)), dtype=int)
    assert np.abs(ours - np.asarray(frame, dtype=int)).mean() < 5


def run_under_widgets7(code):
    assert WIDGETS7.is_dir(), f"{WIDGETS7} is missing: `make test` installs it"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(WIDGETS7), str(ROOT)]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


# What the browser gets, each value as a hash; the state's other keys are the libraries' own.
CONTENT = """
import hashlib

state = explorer.get_state()
content = {
    name: hashlib.sha256(repr(state[name]).encode()).hexdigest()
    for name in [*Explorer.class_own_traits(), "title", "_esm", "_css"]
}
"""
VERSIONS = """
import json, anywidget, ipywidgets
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output

InteractiveShell.instance()
with capture_output() as shown:
    display(explorer)
versions = [ipywidgets.__version__, anywidget.__version__]
(output,) = shown.outputs
assert output.data["image/png"] and output.metadata["image/png"]["alt"]
assert "application/vnd.jupyter.widget-view+json" in output.data
print(json.dumps([versions, content, output.data["text/plain"]]))
"""


def test_the_same_cell_works_with_colabs_ipywidgets():
    """Colab has ipywidgets 7.7.1 and anywidget 0.9: the content must be the same."""
    printed = run_under_widgets7(CELL + CONTENT + VERSIONS)
    versions, content, text = json.loads(printed)
    assert versions == ["7.7.1", "0.9.21"]
    assert text == "Explorer: Bars (6 frames)"
    ours = {}
    exec(CELL + CONTENT, ours)
    assert content == ours["content"]
    assert {"title", "controls", "play", "frames", "alts"} <= set(content)
