"""Live figures on a page of the book: moved by mouse and keyboard, and right in their numbers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from node import run_node
from scipy.integrate import solve_ivp

from jepa_tutorial.losses import draw_directions, sigreg_loss
from jepa_tutorial.widgets.base import assemble

ROOT = Path(__file__).resolve().parents[2]
WIDGETS7 = Path(os.environ.get("JEPA_WIDGETS7", ROOT / ".venv" / "widgets7"))


def build(folder: Path, seven: bool, by_colab: bool = False) -> Path:
    """Render a notebook with live figures as a page of a small book with our settings."""
    for part in ("_static", "_ext", "_templates"):
        shutil.copytree(ROOT / "book" / part, folder / "book" / part)
    path = os.pathsep.join([str(WIDGETS7), str(ROOT)]) if seven else str(ROOT)
    page = folder / "book" / "live.ipynb"
    script = Path(__file__).with_name("live_notebook.py")
    run([sys.executable, str(script), str(page)], PYTHONPATH=path)
    if by_colab:  # which leaves out a key when it saves
        notebook = json.loads(page.read_text())
        (kept,) = notebook["metadata"]["widgets"].values()
        kept.update(kept.pop("state"))
        page.write_text(json.dumps(notebook))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    del config["bibtex_bibfiles"]
    sphinx = config["sphinx"]["config"]
    sphinx["extensions"].remove("sphinxcontrib.bibtex")
    del sphinx["redirects"]
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "_toc.yml").write_text("{format: jb-book, root: book/live}\n")
    builder = Path(sys.executable).with_name("jupyter-book")
    run(
        [str(builder), "build", str(folder), "-W", "--keep-going"], PYTHONPATH=str(ROOT)
    )
    return folder / "_build" / "html" / "book" / "live.html"


def run(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.fixture(scope="module")
def address(tmp_path_factory: Any) -> str:
    return build(tmp_path_factory.mktemp("live"), seven=False).as_uri()


@pytest.fixture
def open_page(address: str, page_factory: Callable[..., Any]) -> Callable[..., Any]:
    def open_it(color_scheme: str = "light", width: int = 1280, **media: str) -> Any:
        page = page_factory(color_scheme, width)
        page.emulate_media(color_scheme=color_scheme, **media)
        page.goto(address)
        page.locator(".live").nth(4).wait_for()
        return page

    return open_it


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page(reduced_motion="reduce")


def test_a_page_whose_figures_lost_their_data_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="5 of 5 live figures have no data: Colab"):
        build(tmp_path, seven=False, by_colab=True)


def says(figure: Any) -> str:
    return figure.locator(".live-says").inner_text()


def pixels(figure: Any) -> str:
    return figure.locator("canvas").evaluate("(canvas) => canvas.toDataURL()")


def test_a_page_shows_the_figures_and_not_their_first_frames(page: Any) -> None:
    check_shown(page)


def test_the_same_cells_work_with_colabs_ipywidgets(
    tmp_path: Path, page_factory: Callable[..., Any]
) -> None:
    assert WIDGETS7.is_dir(), f"{WIDGETS7} is missing: `make test` installs it"
    built = build(tmp_path, seven=True)
    notebook = json.loads((tmp_path / "book" / "live.ipynb").read_text())
    assert notebook["metadata"]["versions"]["ipywidgets"].startswith("7.")
    page = page_factory()
    page.goto(built.as_uri())
    page.locator(".live").nth(4).wait_for()
    check_shown(page)


def check_shown(page: Any) -> None:
    kinds = page.locator(".live").evaluate_all("(all) => all.map((n) => n.className)")
    assert kinds == [
        f"live {k}" for k in ("clouds", "clouds", "field", "shadows", "explorer")
    ]
    assert page.locator("main .cell_output img").count() == 1, "the explorer's picture"
    for figure in page.locator(".live:not(.explorer)").all():
        canvas = figure.locator("canvas")
        assert canvas.get_attribute("role") == "img"
        text = page.locator(f"#{canvas.get_attribute('aria-labelledby')}")
        assert len(text.inner_text()) > 10
        assert text.get_attribute("aria-live") == "polite"
    assert page.problems == []


def test_folded_cells_say_what_is_in_them(page: Any) -> None:
    prompts = page.locator("details.hide > summary").all_inner_texts()
    assert [" ".join(prompt.split()) for prompt in prompts] == [
        "Show the setup",
        *["Show the plotting code"] * 5,
        "Show the code and its output",
        "Show the code",
        "Show the code (3 cells)",
    ]
    joined = page.locator("details.hide", has_text="3 cells").locator("pre")
    assert [text.strip() for text in joined.all_text_contents()] == [
        "3 + 3", "4 + 4", "5 + 5"
    ]  # fmt: skip


def test_every_control_moves_its_figure_by_keyboard(page: Any) -> None:
    for figure in page.locator(".live:not(.explorer)").all():
        for control in figure.locator(":is(input, select):enabled").all():
            before = pixels(figure)
            where = control.get_attribute("id")
            old = control.input_value()
            if control.get_attribute("type") is None:  # a list
                there, back = "ArrowDown", "ArrowUp"
            elif old == control.get_attribute("max"):
                there, back = "ArrowLeft", "ArrowRight"
            else:
                there, back = "ArrowRight", "ArrowLeft"
            control.press(there)
            assert control.input_value() != old, where
            assert pixels(figure) != before, where
            if control.is_enabled():  # else it switched itself off
                control.press(back)
            assert control.input_value() == old
            assert pixels(figure) == before, where
    assert page.problems == []


def test_jupyterlab_leaves_the_keys_to_every_control(page: Any) -> None:
    """On the box it does not work; without it, arrow keys move between cells there."""
    controls = page.locator(".live :is(input, select, button)")
    assert controls.count() >= 18
    for control in controls.all():
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"


def test_every_control_has_a_name_of_its_own_in_its_figure(page: Any) -> None:
    for figure in page.locator(".live").all():
        names = figure.locator("label").all_inner_texts()
        assert len(set(names)) == len(names) == figure.locator("input, select").count()
    ids = page.locator(".live [id]").evaluate_all("(all) => all.map((node) => node.id)")
    assert len(set(ids)) == len(ids)


def test_clouds_say_the_frame_and_the_choice(page: Any) -> None:
    first, second = page.locator(".clouds").all()
    assert says(first) == "living 1.000, dead 0.001.", "where training ends"
    assert first.locator("output").inner_text() == "40"
    first.get_by_role("slider", name="Step").press("Home")
    assert says(first) == "living 0.500, dead 0.500."
    assert "phase \u2212π" in first.locator(".live-key").inner_text()
    first.get_by_role("combobox", name="Color").select_option(label="velocity")
    assert re.match("velocity \u22121 .* 1", first.locator(".live-key").inner_text())
    second.get_by_role("combobox", name="decay tau").select_option(label="1")
    assert says(second) == "Frame 4 of choice 2."
    assert page.problems == []


def test_the_mouse_moves_sliders_and_starts_paths(page: Any) -> None:
    clouds = page.locator(".clouds").first
    slider = clouds.get_by_role("slider", name="Step")
    box = slider.bounding_box()
    slider.click(position={"x": 2, "y": box["height"] / 2})
    assert says(clouds) == "living 0.500, dead 0.500."
    field = page.locator(".field")
    field.locator("canvas").scroll_into_view_if_needed()
    box = field.locator("canvas").bounding_box()
    left, top = box["x"] + 50, box["y"] + 8
    wide, tall = box["width"] - 60, box["height"] - 50
    page.mouse.move(left + wide * 0.5, top + tall * 0.5)  # w = 0.9, p = 0.5
    page.mouse.down()
    assert "from w = 0.90, p = 0.50" in says(field)
    assert "the model lives" in says(field)
    page.mouse.move(left + wide * 0.2, top + tall * 0.1)  # w = 0.36, p = 1.7
    page.mouse.up()
    assert "from w = 0.36, p = 1.70" in says(field)
    assert "the model dies" in says(field)
    page.mouse.move(left + wide * 0.5, top + tall * 0.5)
    assert "from w = 0.36" in says(field), "only while pressed"
    assert page.problems == []


def test_the_field_says_who_lives(page: Any) -> None:
    field = page.locator(".field")

    def choose(name: str, label: str) -> None:
        field.get_by_label(name, exact=True).select_option(label=label)

    start = "from w = 0.50, p = 1.00 training goes to w = "
    assert f"{start}0.00, p = 0.87: the model dies" in says(field)
    choose("Its rate", "\u00d7 10")
    assert f"{start}0.46, p = 0.80: the model lives" in says(field)
    choose("Target", "both branches")
    assert "Every start in the picture dies." in says(field)
    choose("Target", "slow copy")
    assert "slow copy with decay 0.9, which starts equal to w" in says(field)
    choose("Predictor", "none")
    assert "without a predictor, p stays 1, and from w = 0.50" in says(field)
    for name in ("Its rate", "Start p"):
        assert field.get_by_label(name, exact=True).is_disabled()


def test_shadows_turn_and_say_the_statistic(page: Any) -> None:
    shadows = page.locator(".shadows")
    direction = shadows.get_by_role("slider", name="Direction")
    tilt = shadows.get_by_role("slider", name="Tilt")
    assert tilt.is_disabled(), "a flat cloud cannot be tilted"
    assert says(shadows).startswith(
        "Seen along 0°, the shadow of “ring” has a standard"
    )
    shadows.get_by_role("combobox", name="Cloud").select_option(label="flat")
    assert tilt.is_enabled()
    direction.press("End")
    tilt.press("End")
    assert says(shadows).startswith(
        "Seen along 180° at a tilt of 90°, the shadow of “flat”"
    )
    assert page.problems == []


def test_play_speaks_when_it_stops(page: Any) -> None:
    figure = page.locator(".clouds").first
    button = figure.get_by_role("button", name="Play or pause: Step")
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.clock.run_for(5000)
    assert figure.locator("output").inner_text() == "40", "nothing plays by itself"
    button.press("Enter")
    page.clock.run_for(100)
    assert figure.locator("output").inner_text() == "20"
    live = figure.locator(".live-says")
    assert live.get_attribute("aria-live") == "off"
    page.clock.run_for(500)
    assert button.inner_text() == "Play"
    assert live.get_attribute("aria-live") == "polite"
    assert says(figure) == "living 1.000, dead 0.001."


@pytest.mark.slow
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_dot_runs_along_the_path_unless_motion_is_reduced(
    motion: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(reduced_motion=motion)
    field = page.locator(".field")
    page.clock.install(time=0)
    page.clock.pause_at(1)
    field.get_by_role("slider", name="Start w").press("ArrowRight")
    seen = {pixels(field)}
    for _ in range(4):
        page.clock.run_for(200)
        seen.add(pixels(field))
    assert (len(seen) > 2) == (motion == "no-preference")
    assert page.problems == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_figures_fit_and_follow_the_page(
    color_scheme: str, width: int, open_page: Callable[..., Any], node_modules: Path
) -> None:
    page = open_page(color_scheme, width, reduced_motion="reduce")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for figure in page.locator(".live").all():
        assert figure.get_attribute("data-shade") == color_scheme
        for node in figure.locator("canvas, img, input, select, button").all():
            box, outer = node.bounding_box(), figure.bounding_box()
            assert outer["x"] <= box["x"]
            assert box["x"] + box["width"] <= outer["x"] + outer["width"]
        for control in figure.locator("input, select, button").all():
            assert control.bounding_box()["height"] >= 24
    image = page.locator(".explorer img")
    assert image.evaluate("(image) => getComputedStyle(image).filter") == "none"
    page.add_script_tag(path=node_modules / "axe-core" / "axe.min.js")
    found = page.evaluate(
        "() => axe.run('.live', {preload: false}).then((r) => r.violations.map((v) => v.id))"
    )
    assert found == []
    assert page.problems == []


def test_figures_are_drawn_again_when_the_page_changes(
    open_page: Callable[..., Any],
) -> None:
    page = open_page(reduced_motion="reduce")
    figures = page.locator(".live:not(.explorer)").all()
    light = [pixels(figure) for figure in figures]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function("document.querySelector('.live').dataset.shade === 'dark'")
    dark = [pixels(figure) for figure in figures]
    assert not set(light) & set(dark)
    page.set_viewport_size({"width": 500, "height": 900})
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 500
    for figure in figures:
        canvas = figure.locator("canvas")
        assert canvas.evaluate("(canvas) => canvas.width === canvas.clientWidth")
    assert page.problems == []


@pytest.mark.parametrize("name", ["clouds", "shadows"])
def test_missing_data_gives_a_sentence(
    name: str, page_factory: Callable[..., Any]
) -> None:
    modules = {"shadows": ["epps_pulley.js"]}.get(name, [])
    source = assemble("base.js", *modules, f"{name}.js")
    text = page_factory().evaluate(
        """async (source) => {
            const file = new Blob([source], {type: "text/javascript"});
            const figure = (await import(URL.createObjectURL(file))).default;
            const el = document.createElement("div");
            figure.render({model: {get: () => null}, el});
            return el.textContent;
        }""",
        source,
    )
    assert text.endswith("of this figure are missing: run the cell again.")


# --- the numbers, in Node ------------------------------------------------------------------------

DEFAULT = {
    **{"s": 1.0, "c": 0.8, "target": "stop", "predictor": True},
    **{"rate": 1, "decay": 0, "tau": 0.9},
}
# Settings, a start, and whether it lives.
STARTS = [
    ({}, (0.5, 1.0), False),
    ({}, (0.3, 1.3), False),
    ({}, (0.1, -0.5), False),
    ({}, (0.7, 0.2), True),
    ({}, (0.8, -0.5), True),
    ({"rate": 10}, (0.5, 1.0), True),
    ({"rate": 10}, (0.1, -0.5), False),
    ({"rate": 100}, (0.3, 1.3), True),
    ({"rate": 100}, (0.1, -0.5), True),
    ({"target": "both"}, (0.9, 0.8), False),
    ({"target": "both", "rate": 10}, (1.5, 0.2), False),
    ({"predictor": False}, (0.9, 1.0), False),
    ({"target": "slow"}, (0.7, 0.2), True),
    ({"target": "slow"}, (0.5, 1.0), False),
    ({"target": "slow", "rate": 10}, (0.5, 1.0), True),
    ({"target": "slow", "predictor": False}, (0.9, 1.0), False),
    ({"decay": 0.1}, (0.9, 0.5), True),
    ({"decay": 0.1}, (0.2, 1.5), False),
    ({"decay": 0.4}, (0.9, 0.5), False),
    ({"decay": 0.1, "target": "slow", "rate": 3}, (0.5, 1.0), True),
    ({"s": 2.0, "c": 0.5}, (0.8, 0.1), True),
    ({"s": 2.0, "c": 0.5}, (0.8, 1.0), False),
]


def flow(state: Any, s: float, c: float, target: str, **settings: Any) -> list[float]:
    """The velocity of [w, p, w_bar], by autograd from the loss E (p w x - t x')^2."""
    w, p = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in state[:2])
    copy = torch.tensor(state[2], dtype=torch.float64)
    t = {"both": w, "stop": w.detach(), "slow": copy}[target]
    loss = (p * w) ** 2 * s - 2 * p * w * t * c + t**2 * s
    in_w, in_p = torch.autograd.grad(loss, (w, p))
    rate, decay = settings["rate"], settings["decay"]
    return [
        -float(in_w) - decay * state[0],
        -rate * float(in_p) - decay * state[1] if settings["predictor"] else 0.0,
        (1 - settings["tau"]) * (state[0] - state[2]) if target == "slow" else 0.0,
    ]


def test_the_velocity_is_that_of_autograd() -> None:
    cases = [
        [[0.7, -0.4, 0.3], {**DEFAULT, **changes, "decay": 0.1}]
        for changes, *_ in STARTS
    ]
    source = (
        assemble("two_weights.js") + "const found = (given.map((g) => velocity(...g)));"
    )
    for (state, settings), found in zip(cases, run_node(source, cases), strict=True):
        assert found == pytest.approx(flow(state, **settings), abs=1e-12)


def test_paths_end_where_scipy_ends() -> None:
    cases = [[start, {**DEFAULT, **changes}] for changes, start, _ in STARTS]
    source = assemble("two_weights.js") + (
        "const found = (given.map((g) => followFlow(...g).at(-1)));"
    )

    def gone(_: float, state: Any) -> float:
        return abs(state[0]) - 0.001

    gone.terminal = True
    for (changes, (w, p), lives), found in zip(
        STARTS, run_node(source, cases), strict=True
    ):
        settings = {**DEFAULT, **changes}
        begin = [w, p if settings["predictor"] else 1.0, w]
        path = solve_ivp(
            lambda _, state, settings=settings: flow(state, **settings),
            (0, 1000),
            begin,
            method="LSODA",
            rtol=1e-8,
            atol=1e-10,
            events=gone,
        )
        assert (abs(path.y[0, -1]) > 0.0011) == lives, (changes, w, p)
        assert (abs(found[0]) >= 0.001) == lives, (changes, w, p)
        end = path.y[:2, -1].tolist()
        assert found[:2] == pytest.approx(end, abs=1e-3), (changes, w, p)


def test_the_shaded_edge_parts_those_that_die_from_those_that_live() -> None:
    settings = [
        {**DEFAULT, **changes}
        for changes in (
            {},
            {"rate": 10},
            {"target": "slow"},
            {"decay": 0.1},
            {"decay": 0.1, "target": "slow"},
        )
    ]
    source = (
        assemble("two_weights.js")
        + """
    const found = (given.map((settings) => [-0.7, -0.2, 1, 1.4, 1.9].map((p) => {
        const w = edge(p, settings, 1.8);
        const end = (w) => Math.abs(followFlow([w, p], settings).at(-1)[0]);
        return [w, end(Math.max(0, 0.9 * w - 0.004)), end(1.05 * w + 0.004)];
    })));"""
    )
    for setting, edges in zip(settings, run_node(source, settings), strict=True):
        for w, left, right in edges:
            assert 0 < w < 1.8
            assert left < 0.0011 < right, (setting, w)


def test_both_branches_and_no_predictor_die_everywhere() -> None:
    settings = [
        {**DEFAULT, **changes}
        for changes in ({"target": "both"}, {"predictor": False}, {"decay": 0.4})
    ]
    source = assemble("two_weights.js") + (
        "const found = (given.map((settings) => edge(0.8, settings) === Infinity));"
    )
    assert run_node(source, settings) == [True] * 3


@pytest.mark.parametrize("scale", [0.02, 1.0, 5.0])
def test_the_statistic_is_that_of_sigreg_loss(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    z = scale * torch.randn(150, 3, generator=generator, dtype=torch.float64) + 0.3
    directions = draw_directions(3, 5, generator).double()
    source = (
        assemble("epps_pulley.js") + "const found = (given.map((x) => eppsPulley(x)));"
    )
    found = run_node(source, (z @ directions).T.tolist())
    expected = [float(sigreg_loss(z, one[:, None])) for one in directions.T]
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_page_reads_the_points_that_python_wrote() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from live_notebook import GROWTH, RING, clouds

    figure = clouds()
    given = {"data": list(figure.data), "points": figure.points}
    source = (
        assemble("base.js", "clouds.js")
        + """
    const sizes = {panels: 2, choices: 1, frames: 5, points: given.points, colors: 2,
                   curves: [["spread", "loss"], ["spread", "loss"]]};
    const data = unpack(Uint8Array.from(given.data).buffer, sizes);
    const frames = [0, 1, 2, 3, 4];
    const found = ({
        points: [0, 1].map((panel) => frames.map((frame) => {
            const cloud = data.cloud(panel, 0, frame);
            return Array.from({length: given.points}, (_, i) => cloud.at(i));
        })),
        curves: [0, 1, 2, 3].map((number) => [...data.curve(number, 0)]),
        shades: [data.shade(0, 0), data.shade(0, given.points / 2)],
    });"""
    )
    found = run_node(source, given)
    sizes = np.array(list(GROWTH.values()))
    expected = sizes[:, :, None, None] * RING.numpy()
    error = np.abs(np.array(found["points"]) - expected).max(axis=(2, 3))
    assert (error <= 1.01 * sizes / 65534 + 1e-9).all()
    assert np.allclose(found["curves"][0::2], sizes)
    assert np.allclose(found["curves"][1::2], sizes**2)
    assert found["shades"][0] in (0, 63)
    assert abs(found["shades"][1] - 32) <= 1
