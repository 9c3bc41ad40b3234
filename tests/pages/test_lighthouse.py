"""Lighthouse's accessibility score of three pages: the first, a chapter, a reference."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
BAD = "<!doctype html><title>Bad</title><h1>Bad</h1><img src='data:,'><input><a href='x'></a>"

pytestmark = pytest.mark.xdist_group("lighthouse")
AUDITED = ["book/intro", "book/03_collapse", "book/glossary"]
Scores = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def lighthouse(
    chromium_path: str, chromium_arguments: list[str], node_modules: Path
) -> Callable[..., Scores]:
    """Audit addresses, all with one browser."""

    def run(*urls: str) -> Scores:
        command = [
            "node",
            "lighthouse.mjs",
            chromium_path,
            json.dumps(chromium_arguments),
            *urls,
        ]
        done = subprocess.run(
            command,
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-1000:]
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def scores(
    lighthouse: Callable[..., Scores],
    server_url: str,
    serve: Callable[[Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Scores:
    """Scores by page name, and that of a bad page as `bad`."""
    bad = tmp_path_factory.mktemp("bad")
    (bad / "bad.html").write_text(BAD, encoding="utf-8")
    urls = {page: f"{server_url}/{page}.html" for page in AUDITED}
    urls["bad"] = f"{serve(bad)}/bad.html"
    results = lighthouse(*urls.values())
    return {name: results[url] for name, url in urls.items()}


@pytest.mark.parametrize("page", AUDITED)
def test_accessibility_score(page: str, scores: Scores) -> None:
    assert scores[page]["score"] >= 0.98, f"failed: {scores[page]['failed']}"


def test_the_score_can_fail(scores: Scores) -> None:
    assert scores["bad"]["score"] < 0.98
    assert "image-alt" in scores["bad"]["failed"]
