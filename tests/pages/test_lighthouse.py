"""Lighthouse's accessibility score of three pages; axe, which it asks, looks at all of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BAD = "<!doctype html><title>Bad</title><h1>Bad</h1><img src='data:,'><input><a href='x'></a>"


@pytest.mark.slow
def test_accessibility_scores(
    chromium_path: str,
    chromium_arguments: list[str],
    node_modules: Path,
    site: Path,
    built_pages: list[Path],
    server_url: str,
    serve: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    """The landing page, the heaviest chapter and the API reference score well; a bad page not."""
    (tmp_path / "bad.html").write_text(BAD, encoding="utf-8")
    chapters = [page for page in built_pages if page.name[:2].isdigit()]
    pages = [
        built_pages[0],
        max(chapters, key=lambda page: page.stat().st_size),
        site / "book" / "api.html",
    ]
    urls = [f"{server_url}/{page.relative_to(site).as_posix()}" for page in pages]
    bad = f"{serve(tmp_path)}/bad.html"
    arguments = [chromium_path, json.dumps(chromium_arguments), *urls, bad]
    done = subprocess.run(
        ["node", "lighthouse.mjs", *arguments],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    results = json.loads(done.stdout)
    low = {url: found for url, found in results.items() if found["score"] < 0.98}
    assert set(low) == {bad}, f"failed: {low}"
    assert "image-alt" in low[bad]["failed"]
