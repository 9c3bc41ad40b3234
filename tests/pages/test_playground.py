"""The playground on its own page and on the landing page: what it shows, says, and keeps."""

from __future__ import annotations

import base64
import json
import re
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jepa_tutorial.widgets.playground import DEFAULTS, stored

ROOT = Path(__file__).resolve().parents[2]

FULL, LANDING = "book/playground.html", "book/intro.html"
SAYS = "document.querySelector('.playground .live-says').textContent"


@pytest.fixture
def open_page(site: Path, page_factory: Callable[..., Any]) -> Callable[..., Any]:
    def open_it(where: str, fragment: str = "", width: int = 1280, **media: str) -> Any:
        page = page_factory(width=width)
        page.emulate_media(**media)
        page.goto(f"{site.as_uri()}/{where}{fragment}")
        page.locator(".playground.live").wait_for()
        return page

    return open_it


def says(page: Any) -> str:
    return page.evaluate(SAYS)


def pixels(page: Any, number: int = 0) -> str:
    canvas = page.locator(".playground canvas").nth(number)
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def wait_for(page: Any, pattern: str, **options: Any) -> re.Match[str]:
    page.wait_for_function(f"() => /{pattern}/.test({SAYS})", **options)
    return re.search(pattern, says(page))


COLLAPSED = (
    r"size (0\.0\d+), \d+\s% of what it was: the cloud has collapsed "
    r"while the loss is (0\.00\d+), near zero.*"
    r"Left, the same steps with the gradient stopped: size (\d\.\d+): the cloud is alive"
)


# --- the landing page ----------------------------------------------------------------------------


def test_one_tap_on_a_phone_collapses_a_model(open_page: Callable[..., Any]) -> None:
    """Within ten seconds. On a machine busy with other things, the clock says too much.

    Then the time counts for which the page's thread had a processor, the slowdown included; two
    of the ten seconds are left for waiting between frames.
    """
    page = open_page(LANDING, width=390)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    switch = page.get_by_role("switch", name="Right: stop the gradient")
    assert switch.get_attribute("aria-checked") == "true"
    assert says(page).startswith("Both clouds are alive: loss 0.0")
    before, begin = worked(), time.monotonic()
    switch.click()
    assert switch.get_attribute("aria-checked") == "false"
    found = wait_for(page, COLLAPSED)
    assert time.monotonic() - begin <= 10 or worked() - before <= 8
    size, loss, left = map(float, found.groups())
    assert size < left / 8
    assert loss < 0.002
    assert page.problems == []


def test_a_second_tap_saves_it(open_page: Callable[..., Any]) -> None:
    page = open_page(LANDING)
    switch = page.get_by_role("switch")
    switch.press("Space")
    wait_for(page, "the cloud has collapsed")
    switch.press("Enter")
    wait_for(page, "gradient stopped: size .*: the cloud is alive.* It came back")
    assert switch.get_attribute("aria-checked") == "true"


def test_the_landing_page_rests_until_it_is_tapped(
    open_page: Callable[..., Any],
) -> None:
    page = open_page(LANDING)
    before = pixels(page)
    page.wait_for_timeout(500)
    assert pixels(page) == before


def test_the_stored_model_is_what_the_engine_learns() -> None:
    train = runpy.run_path(str(ROOT / "tools" / "train_playground.py"))["train"]
    again, kept = json.loads(train()), stored()
    assert again.keys() == kept.keys()
    weights = [
        np.frombuffer(base64.b64decode(data["trained"]), dtype="<i2")
        for data in (again, kept)
    ]
    assert abs(weights[0].astype(int) - weights[1]).max() <= 2
    for part in ("stop", "through"):
        assert again[part]["deviation"] == pytest.approx(
            kept[part]["deviation"], rel=0.01
        )
        assert again[part]["cost"] == pytest.approx(kept[part]["cost"], rel=0.05)
    assert kept["through"]["deviation"] < kept["stop"]["deviation"] / 10


# --- all switches --------------------------------------------------------------------------------


def test_it_plays_steps_and_begins_again(open_page: Callable[..., Any]) -> None:
    page = open_page(FULL)
    assert says(page).startswith("Step 0, random weights: loss 0.0")
    first = pixels(page)
    page.get_by_role("button", name="Step").press("Enter")
    assert says(page).startswith("Step 1. Loss 0.0")
    play = page.get_by_role("button", name="Play")
    play.press("Enter")
    wait_for(page, r"^Step [3-9]\d\d\. ")
    page.get_by_role("button", name="Pause").press("Space")
    assert re.search(r": the cloud is alive\. Effective rank [12]\.\d", says(page))
    assert page.locator(".live-says").get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="Reset").press("Enter")
    assert says(page).startswith("Step 0, random weights")
    assert pixels(page) == first
    assert page.problems == []


def test_letting_the_gradient_through_kills_what_lives(
    open_page: Callable[..., Any],
) -> None:
    page = open_page(FULL, "#target=slow&seed=2&steps=400")
    wait_for(page, r"^Step 400\. .*the cloud is alive")
    page.get_by_role("radio", name="slow copy").press("ArrowLeft")
    page.get_by_role("radio", name="stopped").press("ArrowLeft")
    page.get_by_role("button", name="Play").press("Enter")
    wait_for(page, "near zero; size .* the cloud has collapsed")
    page.get_by_role("button", name="Pause").press("Enter")
    texts = page.locator(".live-meter").all_inner_texts()
    assert [text.split("\n")[0] for text in texts] == [
        *("Loss", "Size", "Effective rank", "Retrieval")
    ]
    assert "hardly anything is left to predict" in texts[0]
    assert "shows the collapse" in texts[1]
    assert "A dead model can pass" in texts[2]


def test_every_switch_works_by_keyboard(open_page: Callable[..., Any]) -> None:
    page = open_page(FULL, "#target=slow&regularizer=sigreg&weight=0.1&steps=3")
    wait_for(page, r"^Step 3\.")
    for control in page.locator(".playground :is(select, input[type=range])").all():
        before = control.input_value()
        if control.get_attribute("type"):
            control.press("ArrowRight")
        else:  # the last one of a list goes back
            values = control.locator("option").evaluate_all(
                "(o) => o.map((one) => one.value)"
            )
            control.press("ArrowUp" if before == values[-1] else "ArrowDown")
        assert control.input_value() != before
    kept = dict(part.split("=") for part in page.url.split("#")[1].split("&"))
    assert kept["noise"] == "0.1"  # a new world: begun again with all that was chosen
    assert kept["seed"] == "3"
    assert kept["steps"] == "0"
    assert kept["color"] == "velocity"
    assert kept["lr"] == "0.01"
    assert kept["predictor"] == "false"
    assert page.locator(".live-key").inner_text().startswith("velocity \u22120.5")
    assert page.problems == []


def test_only_what_has_an_effect_can_be_chosen(open_page: Callable[..., Any]) -> None:
    page = open_page(FULL)
    weight = page.get_by_label("Its weight \u03bb")
    assert weight.is_disabled()
    page.get_by_label("Regularizer").select_option(label="SIGReg")
    assert weight.is_enabled()
    decay = page.get_by_label("Decay \u03c4 of the copy")
    assert decay.is_enabled()
    page.get_by_text("flows", exact=True).click()
    assert decay.is_disabled()


def test_a_link_keeps_the_whole_state(open_page: Callable[..., Any]) -> None:
    page = open_page(FULL, "#seed=4&lr=0.01&regularizer=vicreg&steps=60")
    wait_for(page, r"^Step 60\.")
    page.get_by_text("flows", exact=True).click()
    page.get_by_role("button", name="Step").click()
    page.get_by_label("Predictor").select_option(label="none")
    page.get_by_label("Color", exact=True).select_option(label="velocity")
    for _ in range(3):
        page.get_by_role("button", name="Step").click()
    fragment = page.url.split("#")[1]
    assert "then=60.target.through,61.predictor.false" in fragment
    again = open_page(FULL, f"#{fragment}")
    wait_for(again, r"^Step 64\.")
    again.wait_for_function(
        "() => document.querySelector('.live-play').textContent === 'Play'"
    )
    assert says(again) == says(page)
    assert pixels(again) == pixels(page), "the same weights, to the last bit"
    assert again.get_by_role("radio", name="flows").is_checked()
    assert again.url == page.url


@pytest.mark.parametrize(
    "fragment", ["#switches", "#target=dead&lr=7&steps=x&then=1.a.b,2", "#steps=-5"]
)
def test_a_bad_link_gives_the_opening_state(
    fragment: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(FULL, fragment)
    assert says(page).startswith("Step 0, random weights")
    assert page.get_by_role("radio", name="slow copy").is_checked()
    assert page.problems == []


@pytest.mark.slow
def test_the_links_of_the_text_set_the_switches(open_page: Callable[..., Any]) -> None:
    page = open_page(FULL)
    links = page.locator("article a[href*='=']")
    addresses = links.evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert len(addresses) >= 6
    for number, address in enumerate(addresses):
        values = dict(part.split("=") for part in address.split("#")[1].split("&"))
        steps = values.pop("steps")
        switched = values.pop("then", "")
        assert values.keys() <= DEFAULTS.keys()
        links.nth(number).click()
        wait_for(page, rf"^Step {int(steps):,}")
        page.wait_for_function(
            "() => document.querySelector('.live-play').textContent === 'Play'"
        )
        fragment = page.url.split("#")[1]
        for name, value in values.items():
            assert f"{name}={value}" in fragment, "the page knows this value"
        assert switched in fragment
    assert page.problems == []


# --- everywhere ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [FULL, LANDING])
def test_its_first_frame_stands_where_no_script_runs(
    where: str, browser: Any, site: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/{where}")
    image = page.locator(".live-first img")
    assert image.is_visible()
    assert "lie on one spot" in image.get_attribute("alt")
    assert page.get_by_text("moves where JavaScript may run").is_visible()
    context.close()


@pytest.mark.parametrize("where", [FULL, LANDING])
def test_print_shows_its_first_frame(where: str, open_page: Callable[..., Any]) -> None:
    page = open_page(where)
    figure, first = page.locator(".playground.live"), page.locator(".live-first")
    assert (figure.is_visible(), first.is_visible()) == (True, False)
    page.emulate_media(media="print")
    assert (figure.is_visible(), first.is_visible()) == (False, True)


@pytest.mark.parametrize("where", [FULL, LANDING])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_it_fits_and_follows_the_page(
    where: str,
    color_scheme: str,
    width: int,
    open_page: Callable[..., Any],
    node_modules: Path,
) -> None:
    page = open_page(where, width=width, color_scheme=color_scheme)
    figure = page.locator(".playground.live")
    assert figure.get_attribute("data-shade") == color_scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outer = figure.bounding_box()
    for node in figure.locator("canvas, input, select, button").all():
        box = node.bounding_box()
        assert outer["x"] <= box["x"]
        assert box["x"] + box["width"] <= outer["x"] + outer["width"]
    for control in figure.locator("input, select, button").all():
        assert control.bounding_box()["height"] >= 24
        assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
    ids = figure.locator("[id]").evaluate_all("(all) => all.map((node) => node.id)")
    assert len(set(ids)) == len(ids)
    page.add_script_tag(path=node_modules / "axe-core" / "axe.min.js")
    found = page.evaluate(
        "() => axe.run('.live', {preload: false})"
        ".then((r) => r.violations.map((v) => `${v.id}: ${v.nodes[0].html}`))"
    )
    assert found == []


@pytest.mark.parametrize(("motion", "most"), [("reduce", 3), ("no-preference", 99)])
def test_reduced_motion_means_a_picture_a_second(
    motion: str, most: int, open_page: Callable[..., Any]
) -> None:
    page = open_page(FULL, reduced_motion=motion)
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.get_by_role("button", name="Play").click()
    seen = {pixels(page)}
    for _ in range(8):
        page.clock.run_for(250)
        seen.add(pixels(page))
    assert 2 <= len(seen) <= most
    assert (len(seen) > 3) == (motion == "no-preference")
