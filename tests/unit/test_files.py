"""Every file of ours is written whole or not at all, whoever else writes and whatever fails."""

from __future__ import annotations

import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from jepa_tutorial import artifacts, checkpoints
from jepa_tutorial.files import given_path, replacing, write_text
from jepa_tutorial.worlds import cache

LARGE = 300_000  # bytes, more than the disk of these tests takes


def text(folder: Path) -> None:
    write_text(folder / "file.txt", "x" * LARGE)


def arrays(folder: Path) -> None:
    cache.store(folder / "file.npz", "key", {"x": torch.zeros(LARGE)})


def weights(folder: Path) -> None:
    artifacts.save_weights(folder, file=nn.Linear(LARGE, 1))


def checkpoint(folder: Path) -> None:
    checkpoints.save_checkpoint(folder / "file.pt", {}, {}, model=nn.Linear(LARGE, 1))


def video(folder: Path) -> None:
    frames = torch.randint(256, (20, 1, 256, 256), dtype=torch.uint8)
    artifacts.save_video(folder, "file", frames)


@pytest.fixture(params=[text, arrays, weights, checkpoint, video])
def write(request):
    return request.param


@contextmanager
def full_disk():
    """Files end after 100 kB, by the system's own limit."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_what_was_there(tmp_path, write):
    write(tmp_path / "new")
    (path,) = (tmp_path / "new").iterdir()
    path.write_bytes(b"old")
    with full_disk(), pytest.raises((OSError, SafetensorError), match=r"large|full"):
        write(path.parent)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_an_interruption_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_read_by_whoever_may_read_others(tmp_path):
    write_text(tmp_path / "ours", "")
    (tmp_path / "other").write_text("")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


WRITER = """
import sys
from jepa_tutorial.files import write_text
for _ in range(300):
    write_text(sys.argv[1], sys.argv[2] * 100_000)
"""


def test_two_writers_at_once_never_show_half_a_file(tmp_path):
    path = tmp_path / "file.txt"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, letter])
        for letter in "ab"
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            seen.add(path.read_text())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {"a" * 100_000, "b" * 100_000}
    assert seen
    assert list(tmp_path.iterdir()) == [path]


def test_paths_mean_what_they_mean_in_the_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "ada"))
    assert given_path("~/data") == tmp_path / "ada" / "data"
    assert given_path("data") == tmp_path / "data"
    assert given_path(tmp_path / "data") == tmp_path / "data"
