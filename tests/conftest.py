"""Chromium, for the suites that open pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    MAC,
)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUMS)), None
    )
    if not found:
        pytest.fail(
            "No Chromium or Chrome was found: install one (`apt-get install chromium`, "
            "`brew install --cask google-chrome`) or set CHROMIUM to its path.",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def chromium_arguments() -> list[str]:
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to sandbox for root
    return arguments


@pytest.fixture(scope="session")
def browser(chromium_path: str, chromium_arguments: list[str]) -> Iterator[Any]:
    # Here, since the package's own tests do without.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=chromium_arguments
        )
        yield browser
        browser.close()
