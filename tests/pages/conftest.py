"""Fixtures for the page tests: the built book, a server that compresses, a Chromium that is offline."""

from __future__ import annotations

import gzip
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", MAC)


def toc_pages() -> list[str]:
    """Every page of the book, as a path below the site without its ending."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *files]


PAGES = toc_pages()
CHAPTERS = [page for page in PAGES if page.split("/")[-1][:2].isdigit()]


@pytest.fixture(scope="session")
def site() -> Path:
    assert (SITE / "index.html").is_file(), "The book is not built: run `make book` first"
    return SITE


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    assert found, "No Chromium or Chrome was found: install one, or set CHROMIUM to its path"
    return found


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


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    arguments = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to sandbox for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page_factory(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Make pages that reach no other host and list what went wrong in ``page.problems``."""
    contexts = []

    def make(color_scheme: str = "light", width: int = 1280) -> Page:
        context = browser.new_context(
            color_scheme=color_scheme, viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        page = context.new_page()
        page.problems = []

        def allow(request: Request) -> bool:
            parts = urlsplit(request.url)
            return parts.scheme in ("file", "blob", "data") or parts.hostname == "127.0.0.1"

        def route(route: Any, request: Request) -> None:
            if allow(request):
                route.continue_()
            else:
                page.problems.append(f"asked another host: {request.url}")
                route.abort()

        context.route("**/*", route)
        page.on("console", lambda m: m.type == "error" and page.problems.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: page.problems.append(f"error: {error}"))
        page.on("requestfailed", lambda r: page.problems.append(f"failed: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and page.problems.append(f"{r.status}: {r.url}"))
        return page

    yield make
    for context in contexts:
        context.close()
