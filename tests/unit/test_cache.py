"""The cache gives what was asked for, or makes it again: never a wrong array, never a crash."""

from __future__ import annotations

import errno
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from jepa_tutorial import cache


class Maker:
    """Counts how often it was asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, size, seed=0):
        self.calls += 1
        generator = torch.Generator().manual_seed(seed)
        return {
            "x": torch.randn(size, 3, generator=generator),
            "frames": torch.arange(size, dtype=torch.uint8),
        }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path))
    return tmp_path / "cache"


@pytest.fixture
def make():
    return Maker()


def same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert torch.equal(found[name], array)


def test_second_time_comes_from_the_file(folder, make):
    first = cache.cached("toy", 1, make, size=5)
    again = cache.cached("toy", 1, make, size=5)
    assert make.calls == 1
    same(again, first)
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    ("name", "version", "parameters"),
    [
        ("other", 1, {"size": 5}),
        ("toy", 2, {"size": 5}),
        ("toy", 1, {"size": 6}),
        ("toy", 1, {"size": 5, "seed": 1}),
    ],
)
def test_another_key_is_made_anew(folder, make, name, version, parameters):
    cache.cached("toy", 1, make, size=5)
    found = cache.cached(name, version, make, **parameters)
    assert make.calls == 2
    same(found, Maker()(**parameters))


def damage_by_cutting(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_by_emptying(path):
    path.write_bytes(b"")


def damage_by_one_bit(path):
    data = bytearray(path.read_bytes())
    where = data.index(Maker()(5)["x"].numpy().tobytes())
    data[where] ^= 1
    path.write_bytes(bytes(data))


def damage_by_another_file(path):
    np.savez(path, x=np.zeros(3))


def damage_by_other_parameters(path):
    about = '["toy", 1, {"size": 7}]'
    cache.store(path, about, Maker()(7))


@pytest.mark.parametrize(
    "damage",
    [
        damage_by_cutting,
        damage_by_emptying,
        damage_by_one_bit,
        damage_by_another_file,
        damage_by_other_parameters,
    ],
)
def test_a_damaged_or_foreign_file_is_made_again(folder, make, damage):
    expected = cache.cached("toy", 1, make, size=5)
    (path,) = folder.iterdir()
    damage(path)
    with pytest.warns(UserWarning, match="damaged or foreign"):
        found = cache.cached("toy", 1, make, size=5)
    same(found, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # and the new file is sound
        same(cache.cached("toy", 1, make, size=5), expected)
    assert make.calls == 2


def test_a_full_disk_costs_a_warning_and_leaves_nothing(
    folder, make, monkeypatch
):
    def full(*arguments, **arrays):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        found = cache.cached("toy", 1, make, size=5)
    same(found, Maker()(5))
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_a_warning(
    tmp_path, make, monkeypatch
):
    """As in a read-only place; root may write anywhere, so a file stands in the way."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="could not be cached"):
        found = cache.cached("toy", 1, make, size=5)
    same(found, Maker()(5))


PROCESS = """
import torch
from jepa_tutorial.cache import cached
make = lambda size: {"x": torch.arange(size)}
for _ in range(20):
    found = cached("shared", 1, make, size=100_000)
    assert torch.equal(found["x"], torch.arange(100_000))
"""


def test_processes_at_once_do_not_disturb_each_other(folder):
    command = [sys.executable, "-W", "error", "-c", PROCESS]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(list(folder.iterdir())) == 1


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("JEPA_TUTORIAL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.data_folder() == tmp_path / "jepa_tutorial"
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path / "named"))
    assert cache.data_folder() == tmp_path / "named"
