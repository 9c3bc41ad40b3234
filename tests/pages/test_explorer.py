"""Explorers on a page without a kernel: moved by keyboard, played, and apart from each other."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jepa_tutorial.widgets.base import assemble

ROOT = Path(__file__).resolve().parents[2]
LOADER = ROOT / "book" / "_static" / "widget_loader.js"
WIDGETS7 = Path(os.environ.get("JEPA_WIDGETS7", ROOT / ".venv" / "widgets7"))

# Makes two explorers and prints their state, in the form in which MyST-NB writes it.
MAKE = """
import json, sys
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
from ipywidgets.embed import embed_data
from jepa_tutorial.widgets.explorer import Choice, Explorer, Slider

def draw(step, model):
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.bar([model], [step])
    ax.set(ylim=(0, 10), title=f"{model}{step}")
    return fig

def alt(step, model):
    return f"A bar of height {step} for model {model}."

controls = {"step": Slider("Step", [1, 2, 4, 8], "s"), "model": Choice("Model", ["a", "b", "c"])}
made = [Explorer(draw, controls, alt, title=t, play="step", interval=50) for t in ("One", "Two")]
views = [w.model_id for w in made]
print(json.dumps([embed_data(made, drop_defaults=False)["manager_state"], views]))
"""


def make_page(folder: Path, python_path: str) -> None:
    """Write a page with two explorers and the book's loader."""
    environment = {**os.environ, "PYTHONPATH": python_path}
    made = subprocess.run(
        [sys.executable, "-c", MAKE],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    state, views = json.loads(made.stdout)
    state = json.dumps(state).replace("</script>", "<\\/script>")
    kind = "application/vnd.jupyter.widget"
    scripts = "".join(
        f'<div><script type="{kind}-view+json">{json.dumps({"model_id": view})}</script></div>'
        for view in views
    )
    unknown = (
        f'<div id="unknown"><script type="{kind}-view+json">'
        '{"model_id": "none"}</script></div>'
    )
    (folder / "page.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Explorers</title>"
        "<link rel=icon href='data:,'><script src=widget_loader.js></script>"
        f"<main><h1>Explorers</h1>{scripts}{unknown}</main>"
        f'<script type="{kind}-state+json">{state}</script></html>',
        encoding="utf-8",
    )
    shutil.copy(LOADER, folder)


@pytest.fixture(scope="module", params=["ipywidgets 8", "ipywidgets 7"])
def folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    made = tmp_path_factory.mktemp("explorers")
    seven = request.param == "ipywidgets 7"
    if seven:
        assert WIDGETS7.is_dir(), f"{WIDGETS7} is missing: `make test` installs it"
    make_page(made, os.pathsep.join([str(WIDGETS7), str(ROOT)]) if seven else str(ROOT))
    return made


@pytest.fixture(params=["http", "file"])
def page(
    request: pytest.FixtureRequest,
    folder: Path,
    serve: Callable[[Path], str],
    page_factory: Callable[..., Any],
) -> Any:
    base = serve(folder) if request.param == "http" else folder.as_uri()
    page = page_factory()
    page.goto(f"{base}/page.html")
    page.locator(".explorer img").nth(1).wait_for()
    return page


def look(explorer: Any) -> tuple[str, str, str]:
    """What a reader gets of an explorer: the pixels, the text alternative, a value."""
    image = explorer.locator("img")
    image.evaluate("(img) => img.decode()")
    pixels = hashlib.sha256(image.screenshot()).hexdigest()
    shown = explorer.locator("output")  # beside each slider
    choice = explorer.get_by_role("combobox").first
    return (
        pixels,
        image.get_attribute("alt"),
        shown.first.inner_text() if shown.count() else choice.input_value(),
    )


def test_keyboard_moves_the_picture_its_text_and_the_value(page: Any) -> None:
    one, two = page.locator(".explorer").all()
    first, other = look(one), look(two)
    assert first[1:] == ("A bar of height 1 for model a.", "1 s")
    one.get_by_role("slider", name="Step").press("ArrowRight")
    second = look(one)
    assert second[0] != first[0]
    assert second[1:] == ("A bar of height 2 for model a.", "2 s")
    one.get_by_role("combobox", name="Model").select_option(label="c")
    third = look(one)
    assert third[0] != second[0]
    assert third[1:] == ("A bar of height 2 for model c.", "2 s")
    one.get_by_role("slider", name="Step").press("End")
    assert look(one)[1:] == ("A bar of height 8 for model c.", "8 s")
    assert look(two) == other, "the other explorer has not moved"
    assert page.problems == []


def test_each_explorer_has_ids_and_labels_of_its_own(page: Any) -> None:
    ids = page.locator(".explorer [id]").evaluate_all(
        "(all) => all.map((node) => node.id)"
    )
    assert len(ids) == len(set(ids)) == 4
    for name in ("One", "Two"):
        explorer = page.get_by_role("group", name=name)
        for role, label in (
            ("slider", "Step"),
            ("combobox", "Model"),
            ("button", "Play or pause: Step"),
        ):
            found = explorer.get_by_role(role, name=label, exact=True)
            assert found.count() == 1, f"{name} has one {role} named {label}"
    second = page.locator(".explorer").nth(1)
    second.get_by_text("Step", exact=True).click()  # a label leads to its input
    page.keyboard.press("ArrowRight")
    assert look(second)[2] == "2 s"
    assert look(page.locator(".explorer").first)[2] == "1 s"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_an_explorer_fits_the_screen_and_its_controls_the_finger(
    color_scheme: str, width: int, folder: Path, page_factory: Callable[..., Any]
) -> None:
    page = page_factory(color_scheme, width)
    page.goto(f"{folder.as_uri()}/page.html")
    page.locator(".explorer img").nth(1).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".explorer :is(input, select, button)").all():
        assert control.bounding_box()["height"] >= 24
    slider = page.get_by_role("slider").first
    slider.press("ArrowRight")
    style = "(node) => getComputedStyle(node).outlineStyle"
    assert slider.evaluate(style) == "solid", "focus can be seen"
    assert page.problems == []


def test_every_setting_shows_its_own_frame(page: Any) -> None:
    """Python and JavaScript count the frames in the same order."""
    explorer = page.locator(".explorer").first
    slider = explorer.get_by_role("slider")
    choice = explorer.get_by_role("combobox")
    pixels = set()
    for model in "abc":
        choice.select_option(label=model)
        slider.press("Home")
        for step in (1, 2, 4, 8):
            seen = look(explorer)
            pixels.add(seen[0])
            text = f"A bar of height {step} for model {model}."
            assert seen[1:] == (text, f"{step} s")
            slider.press("ArrowRight")
    assert len(pixels) == 12
    assert page.problems == []


def test_a_screen_reader_hears_the_value_with_its_unit(page: Any) -> None:
    slider = page.get_by_role("slider", name="Step").first
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "2 s"
    output = page.locator(".explorer output").first
    assert output.get_attribute("aria-live") == "off", "silent while playing"


def test_play_runs_to_the_end_and_can_be_paused(page: Any) -> None:
    explorer = page.locator(".explorer").first
    button = explorer.get_by_role("button")
    page.clock.install(time=0)
    page.clock.pause_at(1)  # from here on, time passes only when we say so
    button.press("Enter")
    assert button.inner_text() == "Pause"
    for value in ("2 s", "4 s", "8 s"):
        page.clock.run_for(50)
        assert look(explorer)[2] == value
    page.clock.run_for(50)
    assert button.inner_text() == "Play"
    button.press("Enter")  # from the start again
    page.clock.run_for(50)
    button.press("Enter")
    assert button.inner_text() == "Play"
    page.clock.run_for(200)
    assert look(explorer)[2] == "2 s"
    assert page.problems == []


def test_a_figure_that_cannot_be_shown_says_so(page: Any) -> None:
    assert (
        page.locator("#unknown").inner_text() == "This figure needs a running notebook."
    )


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_figures_of_a_chapter_move_by_keyboard(
    chapter: str, width: int, site: Path, page_factory: Callable[..., Any]
) -> None:
    page = page_factory(width=width)
    page.goto(f"{site.as_uri()}/{chapter}.html")
    page.locator(".explorer img, .live canvas").first.wait_for()
    for figure in page.locator(".explorer, .live").all():
        drawn = figure.locator("canvas").count()
        seen = [figure.inner_text()] if drawn else look(figure)
        slider = figure.get_by_role("slider")
        choice = figure.get_by_role("combobox")
        control = (slider if slider.count() else choice).first
        at_end = control.input_value() == control.get_attribute("max")
        control.press("Home" if at_end else "End")
        after = [figure.inner_text()] if drawn else look(figure)
        assert all(old != new for old, new in zip(seen, after, strict=True))
    assert page.problems == []


def test_a_dark_page_shows_the_pictures_as_they_are(
    site: Path, page_factory: Callable[..., Any]
) -> None:
    page = page_factory("dark")
    page.goto(f"{site.as_uri()}/book/06_pendulum_pixels.html")
    shown = page.locator(".explorer img").first
    shown.wait_for()
    dimmed = "(image) => getComputedStyle(image).filter"
    assert shown.evaluate(dimmed) == "none"
    others = page.locator("article .cell_output img:not(.explorer *)").first
    assert others.evaluate(dimmed) != "none", "the theme's rule is there"


# Renders a model without a page around it; `kind` is how a host hands over the bytes.
RENDER = """async ([source, kind]) => {
    const file = new Blob([source], {type: "text/javascript"});
    const explorer = (await import(URL.createObjectURL(file))).default;
    const bytes = Uint8Array.of(9, 1, 2, 3);  // the frames begin after a byte that is not theirs
    const frames = {
        none: null,
        DataView: new DataView(bytes.buffer, 1),
        Uint8Array: bytes.subarray(1),
        ArrayBuffer: bytes.slice(1).buffer,
    }[kind];
    const values = {
        frames, lengths: [1, 2], alts: ["one", "two"], size: [1, 1], title: "Title",
        controls: [{name: "t", kind: "slider", label: "Time", values: ["1", "2"]}],
    };
    const made = [], revoked = [];
    const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
    URL.createObjectURL = (blob) => { made.push(blob); return "data:," + made.length; };
    URL.revokeObjectURL = (url) => revoked.push(url);
    const el = document.createElement("div");
    const cleanup = explorer.render({ model: { get: (name) => values[name] }, el });
    cleanup?.();
    [URL.createObjectURL, URL.revokeObjectURL] = [make, revoke];
    const buffers = await Promise.all(made.map((blob) => blob.arrayBuffer()));
    return { text: el.textContent, revoked,
             parts: buffers.map((buffer) => [...new Uint8Array(buffer)]) };
}"""


@pytest.mark.parametrize("kind", ["DataView", "Uint8Array", "ArrayBuffer"])
def test_frames_are_cut_once_and_given_back(
    kind: str, page_factory: Callable[..., Any]
) -> None:
    source = assemble("base.js", "explorer.js")
    shown = page_factory().evaluate(RENDER, [source, kind])
    assert shown["parts"] == [[1], [2, 3]]
    assert shown["revoked"] == ["data:,1", "data:,2"]


def test_missing_frames_give_a_sentence(page_factory: Callable[..., Any]) -> None:
    source = assemble("base.js", "explorer.js")
    shown = page_factory().evaluate(RENDER, [source, "none"])
    assert shown["text"] == (
        "The pictures of this figure are missing: run the cell again."
    )
