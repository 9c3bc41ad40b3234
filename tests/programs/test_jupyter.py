"""Chapters and live figures in JupyterLab and Notebook, driven in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import CHAPTERS, Jupyter

# A new workspace each time: JupyterLab opens again what was open before.
PROGRAMS = {"JupyterLab": "lab/tree/{}?reset", "Notebook": "notebooks/{}"}
ACTIVE = """() => [...document.querySelectorAll(".jp-Notebook .jp-Cell")]
    .findIndex((cell) => cell.classList.contains("jp-mod-active"))"""
# What is drawn late moves a heading away; then the link is followed again.
ARRIVED = """([link, heading]) =>
    Math.abs(heading.getBoundingClientRect().top - 150) < 150 || void link.click()"""
FIGURES = 5  # in live.ipynb


@pytest.fixture
def open_notebook(jupyter: Jupyter, tab: Any) -> Callable[..., Any]:
    def open_it(name: str, program: str = "JupyterLab") -> Any:
        tab.goto(f"{jupyter.url}/{PROGRAMS[program].format(name)}")
        tab.locator(".jp-Notebook .jp-Cell").first.wait_for()
        # Only then it restores figures, and would note a kernel of another name.
        tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(
            state="attached"
        )
        return tab

    return open_it


@pytest.mark.parametrize("program", PROGRAMS)
def test_before_trust_a_figure_shows_its_first_frame(
    program: str, open_notebook: Callable[..., Any]
) -> None:
    page = open_notebook("live.ipynb", program)
    frames = page.locator(".jp-OutputArea-output img")
    frames.nth(FIGURES - 1).wait_for()
    assert frames.count() == FIGURES
    for frame in frames.all():
        assert frame.evaluate("(image) => image.naturalWidth") >= 300
    assert page.locator(".live").count() == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_arrow_keys_in_a_figure_move_the_figure_only(
    program: str, jupyter: Jupyter, open_notebook: Callable[..., Any]
) -> None:
    jupyter.trust("live.ipynb")
    page = open_notebook("live.ipynb", program)
    page.locator(".live").nth(FIGURES - 1).wait_for()
    for figure in page.locator(".live").all():
        for kind in ("input[type=range]", "select"):
            if not figure.locator(kind).count():
                continue
            control = figure.locator(kind).first
            figure.locator(".live-title").click()  # makes the cell the active one
            control.focus()
            active = page.evaluate(ACTIVE)
            control.press("Home")
            for key in ("ArrowDown", "ArrowUp", "ArrowRight", "End"):
                control.press(key)
            assert page.evaluate(ACTIVE) == active
            assert control.evaluate("(node) => node === document.activeElement")
            last = control.evaluate("(node) => node.max || String(node.length - 1)")
            assert control.input_value() == last


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_opening_a_chapter_does_not_change_it(
    chapter: Path, jupyter: Jupyter, open_notebook: Callable[..., Any]
) -> None:
    jupyter.trust(chapter.name)
    page = open_notebook(chapter.name)
    page.wait_for_timeout(5000)  # in which figures are restored
    opened = page.locator(".lm-DockPanel .lm-TabBar-tab", has_text=chapter.name)
    assert "jp-mod-dirty" not in opened.get_attribute("class")
    opened.locator(".lm-TabBar-tabCloseIcon").click()
    opened.wait_for(state="detached")  # closed, without a question
    assert (jupyter.folder / chapter.name).read_bytes() == chapter.read_bytes()


def own_links(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return sorted(set(re.findall(r"\]\((#[\w-]+)\)", prose)))


LINKED = [path for path in CHAPTERS if own_links(path)]


@pytest.mark.parametrize("chapter", LINKED, ids=lambda path: path.stem)
def test_links_lead_to_headings(
    chapter: Path, jupyter: Jupyter, open_notebook: Callable[..., Any]
) -> None:
    jupyter.trust(chapter.name)
    page = open_notebook(chapter.name)
    for name in own_links(chapter):
        link = page.locator(f".jp-Notebook a[href='{name}']").first
        anchor = page.locator(f"[data-jupyter-id='{name[1:]}']")
        heading = page.locator(".jp-Cell", has=anchor).locator("h2, h3").first
        link.click()
        page.wait_for_function(
            ARRIVED, arg=[link.element_handle(), heading.element_handle()], polling=3000
        )


def test_these_checks_can_fail(
    jupyter: Jupyter, open_notebook: Callable[..., Any]
) -> None:
    """With a figure that gives away its keys, and a kernel of another name."""
    notebook = nbformat.read(jupyter.folder / "live.ipynb", as_version=4)
    notebook.metadata.kernelspec.display_name = "Python"
    text = nbformat.writes(notebook).replace("data-lm-suppress-shortcuts", "data-not")
    (jupyter.folder / "bad.ipynb").write_text(text)
    jupyter.trust("bad.ipynb")
    page = open_notebook("bad.ipynb")
    page.locator(".live").first.wait_for()
    page.locator(".jp-mod-dirty").first.wait_for()
    page.locator(".live-title").first.click()
    active = page.evaluate(ACTIVE)
    page.locator(".live input").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"() => ({ACTIVE})() !== {active}")
