"""Each page in Chromium: offline, light in weight, accessible, and no wider than a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MB = 1_000_000
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]

# Violations of the theme itself that page_fixes.js and custom.css cannot mend, each with its
# reason. None at present.
THEME_VIOLATIONS: dict[str, str] = {}


def serious(violations: list[str]) -> list[str]:
    return [
        line
        for line in violations
        if ("(serious)" in line or "(critical)" in line)
        and line.split()[0] not in THEME_VIOLATIONS
    ]


@pytest.mark.parametrize("address", ["http", "file"])
def test_a_page_needs_no_other_host_and_logs_no_error(
    page_name: str, address: str, server_url: str, site: Path, visit: Callable[..., Any]
) -> None:
    base = server_url if address == "http" else site.as_uri()
    seen = visit(f"{base}/{page_name}.html")
    assert seen.problems == []
    assert seen.unset_math == 0, "formulas were not typeset"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_forecast_video_plays_and_fits(
    width: int, site: Path, page_factory: Callable[..., Any]
) -> None:
    page = page_factory(width=width)
    page.goto(f"{site.as_uri()}/book/06_pendulum_pixels.html")
    video = page.locator("video").first
    video.evaluate("(video) => video.play()")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert video.evaluate("(video) => video.videoWidth") >= 256
    assert video.bounding_box()["width"] <= width
    assert page.problems == []


def test_the_landing_page_is_light(
    site: Path, server_url: str, visit: Callable[..., Any]
) -> None:
    check_weight(visit(f"{server_url}/book/intro.html").sizes, 1.1 * MB)


def test_a_chapter_is_light(
    chapter: str, server_url: str, visit: Callable[..., Any]
) -> None:
    check_weight(visit(f"{server_url}/{chapter}.html").sizes, 2.0 * MB)


def check_weight(sizes: dict[str, int], limit: float) -> None:
    heaviest = sorted(((size, url) for url, size in sizes.items()), reverse=True)[:5]
    assert 0 < sum(sizes.values()) < limit, (
        f"{sum(sizes.values())} bytes, heaviest: {heaviest}"
    )


@pytest.mark.parametrize(("color_scheme", "width"), LOOKS)
def test_axe_finds_nothing_serious(
    page_name: str,
    color_scheme: str,
    width: int,
    node_modules: Path,
    server_url: str,
    visit: Callable[..., Any],
) -> None:
    seen = visit(f"{server_url}/{page_name}.html", width)
    assert seen.themes[color_scheme] == color_scheme
    assert serious(seen.violations[color_scheme]) == []


def test_no_page_is_wider_than_a_phone(
    page_name: str, server_url: str, visit: Callable[..., Any]
) -> None:
    seen = visit(f"{server_url}/{page_name}.html", 390)
    assert seen.scroll_width <= 390, f"sticking out: {seen.wide}"


def test_a_phone_shows_figures_large_enough_to_read(
    chapter: str, server_url: str, visit: Callable[..., Any]
) -> None:
    assert visit(f"{server_url}/{chapter}.html", 390).shrunk == []


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_first_screen_says_it_all(
    width: int, height: int, server_url: str, page_factory: Callable[..., Any]
) -> None:
    """What the book is, three ways in, how long it takes, and the clouds that move."""
    page = page_factory(width=width)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{server_url}/book/intro.html", wait_until="networkidle")
    article = page.locator("article.bd-article")
    canvas = article.locator(".playground-place canvas").first
    canvas.wait_for()
    box = canvas.bounding_box()  # two squares, and curves below them
    assert box["y"] + box["width"] / 2 <= height
    shown = [article.get_by_text("Why does it not collapse").first]
    shown += [article.get_by_text("two CPU cores").first]
    for name in ("Read", "Colab", "Your machine"):
        shown.append(article.get_by_role("link", name=name, exact=True))
    for place in shown:
        box = place.bounding_box()
        assert box["y"] + box["height"] <= height, place


CARDS = """() => [...document.querySelectorAll("table.cards td")].map((cell) => ({
    right: cell.getBoundingClientRect().right, text: cell.innerText.trim(),
    label: getComputedStyle(cell, "::before").content}))"""


@pytest.mark.parametrize("name", ["intro", "questions", "diagnosing"])
def test_rows_of_wide_tables_are_cards_on_a_phone(
    name: str, server_url: str, page_factory: Callable[..., Any]
) -> None:
    page = page_factory(width=390)
    page.goto(f"{server_url}/book/{name}.html")
    cells = page.evaluate(CARDS)
    assert len(cells) >= 20
    assert all(cell["right"] <= 390 and cell["text"] for cell in cells)
    labels = {cell["label"] for cell in cells}
    assert "none" in labels  # the first of each row is its title
    assert all(label == "none" or len(label) > len('" : "') for label in labels)


def test_these_checks_can_fail(
    tmp_path: Path,
    node_modules: Path,
    serve: Callable[[Path], str],
    visit: Callable[..., Any],
) -> None:
    (tmp_path / "bad.html").write_text(
        "<!doctype html><html lang=en><title>A bad page</title><main><h1>Bad</h1>"
        "<link rel=icon href='data:,'><script src='https://example.org/x.js'></script>"
        "<script>console.error('planted')</script><span class=math>x</span>"
        "<style>@media (prefers-color-scheme: dark) { p { color: #333; background: #222 } }"
        "</style><p>Dark</p>"
        "<img src=missing.png><div style='width: 900px'>wide</div></main>",
        encoding="utf-8",
    )
    seen = visit(f"{serve(tmp_path)}/bad.html", 390)
    problems = " ".join(seen.problems)
    assert "asked another host: https://example.org/x.js" in problems
    assert "console: planted" in problems
    assert "404" in problems
    assert seen.unset_math == 1
    assert seen.scroll_width > 390
    assert "900px" in " ".join(seen.wide)
    found = {
        scheme: {line.split()[0] for line in serious(lines)}
        for scheme, lines in seen.violations.items()
    }
    assert found == {"light": {"image-alt"}, "dark": {"image-alt", "color-contrast"}}
    with pytest.raises(AssertionError, match="heaviest"):
        check_weight({"big.js": 3 * MB}, 2.0 * MB)
