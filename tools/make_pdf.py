"""Print the rendered book: one PDF with contents, page numbers and links, beside its pages.

Chromium, which the variable CHROMIUM names, prints each page. Links between them would lead to
files; they are led to the printed pages. The landing page gets a link to the PDF.
"""

import html
import io
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import yaml
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, Destination, Fit, NameObject

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
PDF = SITE / "jepa-tutorial.pdf"
PLACE = re.compile('(<p id="pdf">).*?(</p>)')  # on the landing page
MARGIN = {"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
PAPER = {"format": "A4", "margin": MARGIN, "print_background": True}
NUMBER = "<p style='font-size: 8px; margin: auto' class=pageNumber></p>"
# Chromium notes where those ids are printed that a link on the same page names.
NAME_ALL = """() => document.querySelectorAll("[id]").forEach((node) => {
    const link = document.createElement("a");
    link.href = "#" + node.id;
    document.body.append(link);
})"""
# A video shows a frame in place of its controls.
STILL = """() => Promise.all([...document.querySelectorAll("video")].map(
    (video) => new Promise((done) => {
        video.controls = false;
        video.onseeked = done;
        video.currentTime = 0.1;
    })))"""
HEADINGS = """() => [...document.querySelectorAll("article h1, article h2")].map(
    (node) => [node.firstChild.textContent.trim(), node.closest("section").id])"""
STYLE = """<style>
body { font: 16px sans-serif } a { color: inherit } table { width: 100% }
td { padding: 5px 0 } td + td { text-align: right }
</style>"""


def pages() -> list[str]:
    """Return the address of each page of the book, in order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [(SITE / f"{name}.html").as_uri() for name in [toc["root"], *files]]


def to_pdf(page: Page, **options: str | bool) -> PdfReader:
    """Print what a tab of Chromium shows."""
    return PdfReader(io.BytesIO(page.pdf(**PAPER, **options)))


class Part:
    """A printed page of the book.

    Parameters
    ----------
    page : Page
        A tab of Chromium.
    url : str
        The page's address.
    start : int
        The number of its first sheet in the book, from 0.
    """

    def __init__(self, page: Page, url: str, start: int) -> None:
        page.goto(url, wait_until="networkidle")
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.evaluate(STILL)
        page.evaluate(NAME_ALL)
        self.pdf, self.start = to_pdf(page), start
        self.headings: list[tuple[str, str]] = page.evaluate(HEADINGS)  # text and id

    def place(self, name: str) -> tuple[int, Fit]:
        """Return the sheet on which an id is printed, and where on it."""
        found = self.pdf.named_destinations.get(f"/{unquote(name)}")
        if found is None:  # the whole page
            return self.start, Fit.xyz()
        sheet = self.pdf.get_destination_page_number(found)
        return self.start + sheet, Fit.xyz(left=0, top=found.top)


def contents(page: Page, parts: dict[str, Part]) -> PdfReader:
    """Print the list of the book's pages, with the numbers of their sheets."""
    rows = "".join(
        f"<tr><td><a href='{url}'>{html.escape(part.headings[0][0])}</a>"
        f"<td>{part.start + 1}"
        for url, part in parts.items()
    )
    page.set_content(
        f"{STYLE}<h1>JEPA, step by step</h1><h2>Contents</h2><table>{rows}</table>"
    )
    return to_pdf(page)


def numbers(page: Page, count: int) -> PdfReader:
    """Print empty sheets with a number at the foot."""
    page.set_content("<div style='break-after: page'>&nbsp;</div>" * count)
    return to_pdf(
        page, display_header_footer=True, header_template="<p>", footer_template=NUMBER
    )


def bind(page: Page) -> PdfWriter:
    """Print all pages, with the contents before them, and lead their links to each other."""
    parts: dict[str, Part] = {}
    sheets = 1  # the contents
    for url in pages():
        parts[url] = Part(page, url, sheets)
        sheets += len(parts[url].pdf.pages)
    book = PdfWriter()
    for part in [contents(page, parts), *(part.pdf for part in parts.values())]:
        for sheet in part.pages:
            book.add_page(sheet)
    urls = [""] + [url for url, part in parts.items() for _ in part.pdf.pages]
    stamps = numbers(page, sheets)
    for sheet, url, stamp in zip(book.pages, urls, stamps.pages, strict=True):
        kept = ArrayObject()
        for entry in sheet.get("/Annots", []):
            link = entry.get_object()
            inside = "/Dest" in link
            address = f"{url}#{link['/Dest'][1:]}" if inside else link["/A"]["/URI"]
            file, _, name = address.partition("#")
            if file in parts:
                number, fit = parts[file].place(name)
                target = Destination(name, book.pages[number].indirect_reference, fit)
                link[NameObject("/Dest")] = target.dest_array
                link.pop("/A", None)
            if file in parts or not file.startswith(
                "file:"
            ):  # else a picture by itself
                kept.append(entry)
        sheet[NameObject("/Annots")] = kept
        sheet.merge_page(stamp)
        sheet.compress_content_streams()
    for part in parts.values():
        (title, _), *sections = part.headings
        chapter = book.add_outline_item(title=title, page_number=part.start)
        for text, name in sections:
            number, fit = part.place(name)
            book.add_outline_item(
                title=text, page_number=number, parent=chapter, fit=fit
            )
    book.add_metadata({"/Title": "JEPA, step by step"})
    book.page_mode = "/UseOutlines"
    book.compress_identical_objects()
    return book


def main() -> None:
    """Print, bind, and link from the landing page."""
    chromium = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    root = hasattr(os, "geteuid") and os.geteuid() == 0  # has no sandbox
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if root else []
        )
        # Canvases are printed as they are on the screen: fine enough for paper.
        book = bind(browser.new_page(device_scale_factor=2))
        browser.close()
    book.write(PDF)
    size = f"{len(book.pages)} pages, {PDF.stat().st_size / 1e6:.0f} MB"
    link = f'<a href="../{PDF.name}">The whole book as one PDF</a> ({size})'
    landing = Path(unquote(pages()[0].removeprefix("file://")))
    text = landing.read_text("utf-8")
    landing.write_text(PLACE.sub(rf"\1{link}.\2", text), "utf-8")
    print(f"The PDF is ready: {PDF} ({size})")


if __name__ == "__main__":
    main()
