"""What converters make of a chapter: Python that compiles, and first frames of its figures."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import CHAPTERS

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All chapters as scripts and as Markdown."""
    folder = tmp_path_factory.mktemp("converted")
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--log-level", "ERROR"]
    command += ["--output-dir", str(folder), *map(str, CHAPTERS)]
    for kind in ("script", "markdown"):
        subprocess.run([*command, "--to", kind], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_script_is_python(chapter: Path, converted: Path) -> None:
    script = converted / f"{chapter.stem}.py"
    compile(script.read_text(encoding="utf-8"), script.name, "exec")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_text_has_the_first_frames(chapter: Path, converted: Path) -> None:
    cells = nbformat.read(chapter, as_version=4).cells
    data = [out.get("data", {}) for cell in cells for out in cell.get("outputs", [])]
    wanted = {one["image/png"].replace("\n", "") for one in data if VIEW in one}
    assert wanted
    pictures = (converted / f"{chapter.stem}_files").glob("*.png")
    made = {base64.b64encode(path.read_bytes()).decode() for path in pictures}
    assert wanted <= made
