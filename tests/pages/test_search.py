"""Search: what readers ask leads to the section that answers, with their words highlighted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RESULTS = "#search-results li a"
ASKED = {
    "loss goes up": "questions.html#my-loss-rises",
    "loss increases": "questions.html#my-loss-rises",
    "which tensor do I decode": "questions.html#where-is-the-decoder",
    "collapse batch size": "questions.html#my-batch-is-small",
    "why does it not collapse": "questions.html#why-does-it-not-collapse",
    "can I remove the stop-gradient": "questions.html#can-i-drop-ema",
    "which checkpoint should I keep": "questions.html#which-checkpoint",
    "choose a learning rate": "questions.html#latent-size-decay-rate",
    "effective rank": "glossary.html#term-Effective-rank",
    "vicreg_loss": "api.html#jepa_tutorial.losses.vicreg_loss",
}


def search(page: Any, base: str, query: str) -> None:
    page.goto(f"{base}/search.html")
    page.locator("main input[name=q]").fill(query)
    page.keyboard.press("Enter")
    page.locator(".search-summary:not(:empty)").wait_for()


def problems(page: Any) -> list[str]:
    """What went wrong, but for a favicon that was still on its way when the next page came."""
    return [line for line in page.problems if "favicon" not in line]


@pytest.mark.parametrize("address", ["http", "file"])
def test_what_readers_ask_is_answered_on_top(
    address: str, server_url: str, site: Path, page_factory: Callable[..., Any]
) -> None:
    page = page_factory()
    base = server_url if address == "http" else site.as_uri()
    wrong = {}
    for query, answer in ASKED.items():
        search(page, base, query)
        first = page.locator(RESULTS).first.get_attribute("href")
        if not first.startswith(f"book/{answer}"):
            wrong[query] = first
    assert wrong == {}
    assert problems(page) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_result_opens_its_section_with_the_words_highlighted(
    width: int, server_url: str, page_factory: Callable[..., Any]
) -> None:
    page = page_factory(width=width)
    search(page, server_url, "do I leave out the noise")
    assert page.locator("#search-results li .highlighted").count() > 0
    page.locator(RESULTS, has_text="Does it leave out the noise").first.click()
    page.wait_for_url("**/01_trajectories.html#does-it-leave-out-the-noise")
    section = page.locator("#does-it-leave-out-the-noise")
    marked = section.locator(".highlighted", has_text="noise").first
    marked.wait_for()
    texts = set(page.locator("article .highlighted").all_text_contents())
    assert {text.lower() for text in texts} == {"leave", "out", "noise"}
    assert 0 <= section.bounding_box()["y"] < 200
    page.goto(f"{server_url}/book/glossary.html")  # only where a search has led
    page.wait_for_load_state("networkidle")
    assert page.locator(".highlighted").count() == 0
    assert problems(page) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_results_are_readable_in_both_themes(
    width: int, node_modules: Path, server_url: str, visit: Callable[..., Any]
) -> None:
    seen = visit(f"{server_url}/search.html?q=loss+goes+up", width)
    assert seen.problems == []
    assert seen.scroll_width <= width
    assert seen.themes == {"light": "light", "dark": "dark"}
    assert seen.violations == {"light": [], "dark": []}


def test_nothing_found_is_said(
    server_url: str, page_factory: Callable[..., Any]
) -> None:
    page = page_factory()
    search(page, server_url, "xyzzy")
    assert page.locator(RESULTS).count() == 0
    assert "No section has any" in page.locator(".search-summary").inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_magnifier_stands_beside_what_is_typed(
    width: int, server_url: str, page_factory: Callable[..., Any]
) -> None:
    page = page_factory(width=width)
    search(page, server_url, "collapse")
    form = page.locator("main form.bd-search")
    icon = form.locator(".fa-magnifying-glass").bounding_box()
    typed = form.locator("input").evaluate(
        "(field) => field.getBoundingClientRect().x"
        " + parseFloat(getComputedStyle(field).paddingLeft)"
    )
    assert icon["x"] + icon["width"] <= typed
