"""Every chapter, executed with its quick preset: alone, offline, from a wheel, and twice."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from jepa_tutorial import chapters, execution

BOOK = Path(__file__).resolve().parents[2] / "book"
MAIN = "import sys; from jepa_tutorial.cli import main; sys.exit(main())"


def test_alone_means_offline_and_from_the_wheel(alone, installed):
    where = alone("-c", "import jepa_tutorial; print(jepa_tutorial.__file__)")
    assert Path(where.stdout.strip()).parent == installed / "jepa_tutorial"
    online = alone(
        "-c", "import urllib.request as r; r.urlopen('http://192.0.2.1/')"
    )
    assert "offline: 192.0.2.1 was asked for" in online.stderr


def untimed(values):
    """Results without the measured times, which differ from run to run."""
    return {k: v for k, v in values.items() if not k.endswith("_seconds")}


@pytest.mark.parametrize(
    "path", chapters.chapters(BOOK), ids=lambda path: path.stem
)
def test_chapter_runs_alone_and_twice_with_the_same_results(
    alone, path, tmp_path
):
    values = []
    for out in ("first", "second"):
        done = alone(
            "-c",
            MAIN,
            "run",
            path.stem,
            "--preset",
            "quick",
            "--out",
            str(tmp_path / out),
        )
        assert done.returncode == 0, done.stderr[-3000:]
        (executed,) = (tmp_path / out).glob(f"*/{path.name}")
        notebook = nbformat.read(executed, as_version=4)
        values.append(execution.reported(notebook))
    assert untimed(values[0]) == untimed(values[1])
    stored = execution.reported(nbformat.read(path, as_version=4))
    assert set(values[0]) == set(stored), (
        "a run reports the same names as the stored page"
    )
