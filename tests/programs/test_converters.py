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


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request: pytest.FixtureRequest) -> Path:
    return request.param


def convert(chapter: Path, to: str, folder: Path) -> None:
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", to, str(chapter)]
    command += ["--output-dir", str(folder), "--log-level", "ERROR"]
    subprocess.run(command, check=True, capture_output=True)


def test_a_script_is_python(chapter: Path, tmp_path: Path) -> None:
    convert(chapter, "script", tmp_path)
    script = tmp_path / f"{chapter.stem}.py"
    compile(script.read_text(encoding="utf-8"), script.name, "exec")


def test_a_text_has_the_first_frames(chapter: Path, tmp_path: Path) -> None:
    convert(chapter, "markdown", tmp_path)
    cells = nbformat.read(chapter, as_version=4).cells
    data = [
        out.data for cell in cells for out in cell.get("outputs", []) if "data" in out
    ]
    wanted = {one["image/png"].replace("\n", "") for one in data if VIEW in one}
    assert wanted
    pictures = (tmp_path / f"{chapter.stem}_files").glob("*.png")
    made = {base64.b64encode(path.read_bytes()).decode() for path in pictures}
    assert wanted <= made
