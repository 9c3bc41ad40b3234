"""The book as one PDF: complete, answers open, its links inside, and not too large."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
PDF = SITE / "jepa-tutorial.pdf"


def toc() -> list[str]:
    listed = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [page["file"] for part in listed["parts"] for page in part["chapters"]]
    return [listed["root"], *files]


NAMES = toc()
CHAPTERS = [name for name in NAMES if (ROOT / f"{name}.ipynb").is_file()]


def plain(text: str) -> str:
    """Without spaces, since a PDF has only places, and without ligatures."""
    return re.sub(r"\W", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def pdf() -> PdfReader:
    assert PDF.is_file(), "The PDF is not made: run `make pdf` first."
    return PdfReader(PDF)


@pytest.fixture(scope="module")
def texts(pdf: PdfReader) -> list[str]:
    return [plain(page.extract_text()) for page in pdf.pages]


@pytest.fixture(scope="module")
def starts(pdf: PdfReader) -> dict[str, int]:
    """On which sheet each page of the book begins, as the outline says."""
    top = [entry for entry in pdf.outline if not isinstance(entry, list)]
    numbers = [pdf.get_destination_page_number(entry) for entry in top]
    return dict(zip(NAMES, numbers, strict=True))


@pytest.fixture(scope="module")
def soups() -> dict[str, BeautifulSoup]:
    files = {name: (SITE / f"{name}.html").read_text("utf-8") for name in NAMES}
    return {name: BeautifulSoup(text, "html.parser") for name, text in files.items()}


def title_of(section: BeautifulSoup) -> str:
    return section.find(re.compile("h[1-6]")).get_text().rstrip("#")


def test_is_small() -> None:
    assert 1_000_000 < PDF.stat().st_size < 40_000_000


def test_holds_every_page_where_outline_and_contents_say(
    texts: list[str], starts: dict[str, int], soups: dict[str, BeautifulSoup]
) -> None:
    for name, number in starts.items():
        title = plain(title_of(soups[name].article.section))
        assert title in texts[number][:200], name
        assert f"{title}{number + 1}" in texts[0], f"{name} is not in the contents"
    chapters = [name for name in CHAPTERS if re.match(r"\d", texts[starts[name]])]
    assert chapters == CHAPTERS


def test_sheets_are_numbered(texts: list[str]) -> None:
    assert [n for n, text in enumerate(texts, 1) if not text.endswith(str(n))] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_all_answers_are_open(
    name: str, texts: list[str], starts: dict[str, int]
) -> None:
    after = NAMES.index(name) + 1
    text = "".join(texts[starts[name] : starts[NAMES[after]]])
    cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    answers = 0
    for cell in cells:
        for answer in re.findall(r"<summary>Answer</summary>\s+(.*)", cell.source):
            answers += 1
            words = re.split(r"[$`*\[<]", answer)[0]
            assert plain(f"Answer {words[:60]}") in text
        if "hide-cell" in cell.metadata.get("tags", []):
            assert plain(cell.source[:60]) in text
            printed = "".join(out.get("text", "") for out in cell.outputs)
            assert plain(printed[:40]) in text
    assert answers >= 3


def test_no_link_leads_to_a_file(pdf: PdfReader) -> None:
    links = [
        link.get_object() for page in pdf.pages for link in page.get("/Annots", [])
    ]
    outside = {link["/A"]["/URI"] for link in links if "/A" in link}
    assert {urlsplit(url).scheme for url in outside} == {"https"}
    inside = [link["/Dest"] for link in links if "/Dest" in link]
    assert len(inside) > 100
    numbers = {page.indirect_reference.idnum for page in pdf.pages}
    assert {target[0].idnum for target in inside} <= numbers


def test_links_between_pages_lead_to_their_headings(
    pdf: PdfReader,
    texts: list[str],
    starts: dict[str, int],
    soups: dict[str, BeautifulSoup],
) -> None:
    order = {page.indirect_reference.idnum: i for i, page in enumerate(pdf.pages)}
    first, name = starts["book/diagnosing"], "book/diagnosing"
    last = starts[NAMES[NAMES.index(name) + 1]]
    led = [
        order[link.get_object()["/Dest"][0].idnum]
        for page in pdf.pages[first:last]
        for link in page.get("/Annots", [])
        if "/Dest" in link.get_object()
    ]
    hrefs = {a["href"] for a in soups[name].article.find_all("a", href=True)}
    checked = 0
    for href in hrefs:
        file, _, anchor = href.partition("#")
        target = "book/" + file.removesuffix(".html")
        if target in soups and anchor:
            title = plain(title_of(soups[target].find(id=anchor)))
            after = NAMES.index(target) + 1
            own = [n for n in led if starts[target] <= n < starts[NAMES[after]]]
            assert any(title in texts[n] for n in own), href
            checked += 1
    assert checked > 20


def test_the_landing_page_links_to_it(soups: dict[str, BeautifulSoup]) -> None:
    place = soups["book/intro"].find(id="pdf")
    assert place.a["href"] == "../jepa-tutorial.pdf"
    assert f"{len(PdfReader(PDF).pages)} pages" in place.text
