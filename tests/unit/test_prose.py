"""What pages say of the project holds: no stale sentence, no link or chapter that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from jepa_tutorial.publishing import chapters

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(BOOK.glob("*.md")),
    *sorted(BOOK.glob("*.ipynb")),
]
NUMBERS = {int(path.stem[:2]) for path in chapters.chapters(BOOK)}
STALE = re.compile(
    r"being written|to be written|(not|n't)( yet)? written|coming soon|will follow soon"
    r"|\b(TODO|FIXME|TBD)\b",
    re.I,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|\b(?:src|srcset|href)=\"([^\"]+)\"")
CHAPTER = re.compile(r"\bchapters? ((?:\d+(?:, | and | or | to )?)+)", re.I)


def prose(path: Path) -> str:
    """The text of a page, without code."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return re.sub(r"^```\w+\n.*?^```$|`[^`\n]+`", "", text, flags=re.M | re.S)


def slugs(path: Path) -> set[str]:
    """Where a link may lead on a page: its headings, as GitHub and MyST name them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.M)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def faults(text: str, folder: Path) -> list[str]:
    """Stale words, links to files and headings, and numbers of chapters that are not there."""
    found = [match[0] for match in STALE.finditer(text)]
    for target in map(lambda match: match[1] or match[2], LINK.finditer(text)):
        if re.match(r"\w+:", target):
            continue
        name, _, fragment = unquote(target).partition("#")
        file = folder / name
        if (name and not file.is_file()) or (
            name and fragment and fragment not in slugs(file)
        ):
            found.append(target)
    for match in CHAPTER.finditer(text):
        if missing := {int(n) for n in re.findall(r"\d+", match[1])} - NUMBERS:
            found.append(f"chapter {min(missing)}")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_nothing_is_stale(path):
    assert faults(prose(path), path.parent) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("More chapters are being written.", "being written"),
        ("That part is not yet written.", "not yet written"),
        ("Coming soon: images.", "Coming soon"),
        ("TODO: say why", "TODO"),
        ("See [images](12_images.ipynb).", "12_images.ipynb"),
        ("See [loss](diagnosing.md#the-loss-of-it).", "diagnosing.md#the-loss-of-it"),
        ('<img src="figures/none.webp">', "figures/none.webp"),
        ("As chapters 3 and 99 say.", "chapter 99"),
    ],
)
def test_what_is_stale_is_found(text, fault):
    assert faults(text, BOOK) == [fault]


def test_what_is_there_is_not_reported():
    text = "[The loss](diagnosing.md#the-loss), chapters 1 to 3, <https://example.org/x>, a todos"
    assert faults(text, BOOK) == []
