"""Fixtures for the page tests: the built book, a compressing server, an offline Chromium."""

from __future__ import annotations

import gzip
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, Page, Request, Response
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
MODULES = Path(__file__).parent / "node_modules"


def toc_pages() -> list[str]:
    """Every page of the book, below the site, without its ending; the landing page first."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *files]


PAGES = toc_pages()
CHAPTERS = [page for page in PAGES if (ROOT / f"{page}.ipynb").is_file()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with an argument `page_name` (`chapter`) once for each page (chapter)."""
    for argument, names in {"page_name": PAGES, "chapter": CHAPTERS}.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, names)


class ByPage(LoadScopeScheduling):
    """Give all tests of a page to the same worker, which opens the page for them once."""

    def _split_scope(self, nodeid: str) -> str:
        # The page, or another first parameter; what has none shares a worker.
        return nodeid.partition("[")[2].partition("-")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return ByPage(config, log)


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").is_file():
        pytest.fail("The book is not built: run `make book` first.", pytrace=False)
    return SITE


@pytest.fixture(scope="session")
def built_pages(site: Path) -> list[Path]:
    return [site / f"{page}.html" for page in PAGES]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    if not shutil.which("node"):
        pytest.fail(
            "Node.js was not found: install it, version 18 or newer.", pytrace=False
        )
    if not (MODULES / "axe-core").is_dir():
        pytest.fail(
            "axe-core is not installed: run `npm ci --prefix tests/pages`.",
            pytrace=False,
        )
    return MODULES


class CompressingHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files as a web host does: text compressed with gzip."""

    TEXT = (".html", ".css", ".js", ".svg", ".json", ".txt", ".inv")

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        if path.suffix in self.TEXT:
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Stay quiet."""


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on loopback and return its address."""
    servers = []

    def start(folder: Path) -> str:
        handler = partial(CompressingHandler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def server_url(site: Path, serve: Callable[[Path], str]) -> str:
    return serve(site)


def is_ours(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("file", "blob", "data") or parts.hostname == "127.0.0.1"


def new_page(browser: Browser, color_scheme: str = "light", width: int = 1280) -> Page:
    """Open a page that reaches no other host.

    ``page.problems`` lists what went wrong, ``page.sizes`` the bytes sent by address.
    """
    context = browser.new_context(
        color_scheme=color_scheme, viewport={"width": width, "height": 900}
    )
    context.set_default_timeout(120_000)  # a busy machine is no failure
    page = context.new_page()
    page.problems = []
    page.sizes = {}

    def on_route(route: Any, request: Request) -> None:
        if is_ours(request.url):
            route.continue_()
        else:
            page.problems.append(f"asked another host: {request.url}")
            route.abort()

    def on_response(response: Response) -> None:
        page.sizes[response.url] = int(response.headers.get("content-length", 0))
        if response.status >= 400:
            page.problems.append(f"{response.status}: {response.url}")

    def on_failure(request: Request) -> None:
        # A picture that the next one overtakes before it is decoded is aborted; one whose
        # address is gone fails otherwise.
        overtaken = (
            request.url.startswith("blob:") and request.failure == "net::ERR_ABORTED"
        )
        if is_ours(request.url) and not overtaken:
            page.problems.append(f"failed: {request.url}")

    context.route("**/*", on_route)
    page.on(
        "console",
        lambda m: m.type == "error" and page.problems.append(f"console: {m.text}"),
    )
    page.on("pageerror", lambda error: page.problems.append(f"error: {error}"))
    page.on("requestfailed", on_failure)
    page.on("response", on_response)
    return page


@pytest.fixture
def page_factory(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Make fresh pages, see `new_page`."""
    pages: list[Page] = []

    def make(color_scheme: str = "light", width: int = 1280) -> Page:
        pages.append(new_page(browser, color_scheme, width))
        return pages[-1]

    yield make
    for page in pages:
        page.context.close()


@dataclass
class Visit:
    """What was seen on one page at one width."""

    problems: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    unset_math: int = 0  # formulas that MathJax left alone
    scroll_width: int = 0
    wide: list[str] = field(default_factory=list)  # elements that stick out of the page
    shrunk: list[str] = field(
        default_factory=list
    )  # figures drawn too small to be read
    # axe: rule, impact, element; by color scheme
    violations: dict[str, list[str]] = field(default_factory=dict)
    themes: dict[str, str] = field(default_factory=dict)  # what the page chose


SETTLE = "() => window.MathJax?.startup?.promise ?? true"
UNSET_MATH = """() => [...document.querySelectorAll('.math')].filter(
    (el) => !el.querySelector('mjx-container')).length"""
WIDE = """() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const boxed = (el) => el && el !== document.body && (
        getComputedStyle(el).overflowX !== 'visible' || boxed(el.parentElement));
    return [...document.querySelectorAll('main *')]
        .filter((el) => el.getBoundingClientRect().right > innerWidth + 1)
        .filter((el) => !boxed(el.parentElement))
        .slice(0, 5).map((el) => el.cloneNode(false).outerHTML.slice(0, 120));
}"""
SHRUNK = """() => [...document.querySelectorAll('.cell_output > img')]
    .filter((img) => img.width < Math.min(560, img.naturalWidth))
    .map((img) => `${img.width} of ${img.naturalWidth}: ${img.alt.slice(0, 60)}`)"""
# In full it would also describe each of the thousands of elements that passed.
AXE = """() => axe.run({preload: false, resultTypes: ['violations'], selectors: false}).then(
    (result) => result.violations.flatMap((rule) => rule.nodes.map(
        (node) => `${rule.id} (${rule.impact}): ${node.html.slice(0, 160)}`)))"""
THEME = "document.documentElement.dataset.theme"
# On a busy machine a page hears of a new color scheme some frames later. A page without the
# theme chooses by its style sheet alone.
FOLLOWS = """(scheme) => matchMedia(`(prefers-color-scheme: ${scheme})`).matches
    && [undefined, scheme].includes(document.documentElement.dataset.theme)"""
STILL = "*, *::before, *::after { transition: none !important }"


@pytest.fixture(scope="session")
def visit(browser: Browser) -> Callable[..., Visit]:
    """Open an address once for each width, and note all that the tests ask about."""

    @cache
    def look(url: str, width: int = 1280) -> Visit:
        page = new_page(browser, width=width)
        page.goto(url, wait_until="networkidle")
        page.evaluate(SETTLE)
        seen = Visit(
            problems=list(page.problems),
            sizes=dict(page.sizes),
            unset_math=page.evaluate(UNSET_MATH),
            scroll_width=page.evaluate("document.documentElement.scrollWidth"),
            wide=page.evaluate(WIDE),
            shrunk=page.evaluate(SHRUNK),
        )
        if (MODULES / "axe-core").is_dir() and not url.startswith("file:"):
            page.add_script_tag(path=MODULES / "axe-core" / "axe.min.js")
            # Halfway from one theme to the other, colors are those of neither.
            page.add_style_tag(content=STILL)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function(FOLLOWS, arg=scheme)
                seen.themes[scheme] = page.evaluate(THEME)
                seen.violations[scheme] = page.evaluate(AXE)
        page.context.close()
        return seen

    return look
