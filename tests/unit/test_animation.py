"""The pictures that move in the README: light, in its first lines, and made by the script."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from nbformat import NotebookNode
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FIRST_LINES = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]
THEMES = ("light", "dark")


def times(path: Path) -> list[int]:
    """For how many milliseconds each frame of a picture is seen."""
    found = []
    with Image.open(path) as image:
        for frame in range(image.n_frames):
            image.seek(frame)
            image.load()
            found.append(image.info["duration"])
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_the_picture_moves_and_is_light(theme):
    path = ROOT / "book" / "figures" / f"moving-{theme}.webp"
    assert path.stat().st_size < 2_000_000
    seen = times(path)
    assert len(seen) > 40
    assert 10_000 < sum(seen) < 20_000
    with Image.open(path) as image:
        assert image.info["loop"] == 0  # again and again
        assert image.width >= 1200


def test_it_stands_in_the_first_lines_of_the_readme_for_both_themes():
    text = "\n".join(FIRST_LINES)
    source, picture = (re.search(rf"<{tag} .*?>", text)[0] for tag in ("source", "img"))
    assert 'media="(prefers-color-scheme: dark)"' in source
    assert 'srcset="book/figures/moving-dark.webp"' in source
    assert 'src="book/figures/moving-light.webp"' in picture
    assert len(re.search(r'alt="([^"]+)"', picture)[1]) > 100


@pytest.fixture
def script(monkeypatch):
    specification = importlib.util.spec_from_file_location(
        "make_animation", ROOT / "tools" / "make_animation.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "DPI", 30)
    return module


def test_the_script_makes_it_from_the_chapters_own_cells(script, tmp_path):
    """In small: few samples, few steps, few pixels."""
    clouds = script.two_clouds(num_samples=256, steps=3)
    rooms = script.way_through_the_door(
        num_samples=40, steps=3, num_episodes=2, max_steps=3, num_candidates=8
    )
    for name in ("figures", "_static"):
        (tmp_path / name).mkdir()
    script.write(clouds, rooms, tmp_path)
    assert clouds["steps"] == [0, 1, 2, 3]
    assert len(rooms["path"]) == 4
    for theme in THEMES:
        seen = times(tmp_path / "figures" / f"moving-{theme}.webp")
        assert len(seen) == 8
        assert (seen[3], seen[7]) == (script.HOLD, script.HOLD)
    with Image.open(tmp_path / "_static" / "preview.png") as image:
        assert image.size == (1200, 630)


def test_a_chapter_that_lost_a_name_is_refused(script, monkeypatch):
    monkeypatch.setattr(script, "study_cells", lambda notebook: NotebookNode(cells=[]))
    with pytest.raises(SystemExit, match="in 01_trajectories defines no_such_name"):
        script.run_cells("01_trajectories", "no_such_name", {})
