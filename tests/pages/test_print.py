"""A chapter on paper: answers are open, pages are light, and nothing is wider than the sheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAPER = 673  # A4 between margins of 16 mm, in CSS pixels
WIDE = f"""() => [...document.querySelectorAll("article *")]
    .filter((node) => node.getBoundingClientRect().right > {PAPER + 1})
    .filter((node) => !node.closest("svg, mjx-assistive-mml"))
    .slice(0, 5).map((node) => node.cloneNode(false).outerHTML.slice(0, 160))"""
BREAKS = """() => [...document.querySelectorAll("article :is(img, svg, video, .live, .cell pre)")]
    .filter((node) => getComputedStyle(node).breakInside !== "avoid").length"""
CLOSED = """() => [...document.querySelectorAll("article details")]
    .filter((node) => !node.open).length"""


@pytest.fixture
def page(chapter: str, site: Path, page_factory: Callable[..., Any]) -> Any:
    page = page_factory("dark", PAPER)
    page.goto(f"{site.as_uri()}/{chapter}.html", wait_until="networkidle")
    page.locator(".live").first.wait_for()
    return page


@pytest.mark.slow
def test_printing_opens_answers_and_makes_the_page_light(page: Any) -> None:
    answers = page.locator("article details:not(.hide)")
    worked = page.locator("article .tag_hide-cell > details")
    plotting = page.locator("article .tag_hide-input > details")
    closed = page.evaluate(CLOSED)
    assert answers.count() >= 3
    assert worked.count() >= 3
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    for folded in (*answers.all(), *worked.all()):
        assert folded.get_attribute("open") is not None
        assert folded.locator("> :not(summary)").first.is_visible()
    for folded in plotting.all():
        assert not folded.is_visible()
    for figure in page.locator(".live").all():
        assert figure.get_attribute("data-shade") == "light"
        assert figure.locator("canvas, img").first.is_visible()
        for control in figure.locator("button, input").all():
            assert not control.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(CLOSED) == closed


@pytest.mark.slow
def test_nothing_is_torn_or_cut_off(page: Any) -> None:
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(BREAKS) == 0
    assert page.evaluate(WIDE) == []
