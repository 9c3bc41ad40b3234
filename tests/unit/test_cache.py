"""The cache gives what was asked for, or makes it again: never a wrong array, never a crash."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from jepa_tutorial import essence
from jepa_tutorial.worlds import cache

ASKED = SimpleNamespace(sizes=[])  # not a constant, so not in the key


def make(size, seed=0):
    """Toy data; notes down that it was asked."""
    ASKED.sizes.append(size)
    generator = torch.Generator().manual_seed(seed)
    return {
        "x": torch.randn(size, 3, generator=generator),
        "frames": torch.arange(size, dtype=torch.uint8),
    }


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path))
    ASKED.sizes.clear()
    return tmp_path / "cache"


def same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert torch.equal(found[name], array)


def test_second_time_comes_from_the_file(folder):
    first = cache.cached("toy", make, size=5)
    again = cache.cached("toy", make, size=5)
    assert ASKED.sizes == [5]
    same(again, first)
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("other", {"size": 5}), ("toy", {"size": 6}), ("toy", {"size": 5, "seed": 1})],
)
def test_another_key_is_made_anew(name, parameters):
    cache.cached("toy", make, size=5)
    found = cache.cached(name, make, **parameters)
    assert len(ASKED.sizes) == 2
    same(found, make(**parameters))


GENERATOR = """
import torch
from jepa_tutorial.worlds.points import circle

OFFSET = 1
seed = {unused}

def shift(x):
    return x + OFFSET

def make(size, seed):
    # {comment}
    return {{"x": shift(circle(torch.arange(size) / size)) * {factor}}}
"""


def generator(tmp_path, *, offset="1", factor="1", comment="", unused="0"):
    """The function of a reader's notebook, as it stands after some edit."""
    text = GENERATOR.format(factor=factor, comment=comment, unused=unused)
    text = text.replace("OFFSET = 1", f"OFFSET = {offset}")
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
    path.write_text(text)
    space = {"__name__": "__main__"}
    exec(compile(text, path, "exec"), space)
    return space["make"]


def test_the_code_of_the_generator_belongs_to_the_key(tmp_path):
    before = cache.source_hash(generator(tmp_path))
    for edit in ({"comment": "same"}, {"unused": "7"}):
        assert cache.source_hash(generator(tmp_path, **edit)) == before
    for edit in ({"factor": "2"}, {"offset": "2"}):
        assert cache.source_hash(generator(tmp_path, **edit)) != before


def test_the_package_code_that_the_generator_uses_belongs_to_the_key(
    tmp_path, monkeypatch
):
    package = shutil.copytree(essence.PACKAGE, tmp_path / "copy")
    there = functools.partial(essence.essence_hash, package=package)
    monkeypatch.setattr(cache, "essence_hash", there)
    made = generator(tmp_path)
    before = cache.source_hash(made)
    for module, old, new, counts in (
        ("losses.py", "return", "return 0 or", False),
        ("worlds/points.py", "    return", '    "edited"\n    return', False),
        ("worlds/points.py", "phase.cos()", "phase.sin()", True),
    ):
        text = (package / module).read_text()
        assert old in text
        (package / module).write_text(text.replace(old, new))
        assert (cache.source_hash(made) != before) == counts


def test_another_scale_in_a_closure_is_another_key():
    def scaled(factor):
        def make(size):
            return {"x": factor * torch.ones(size)}

        return make

    for factor in (1, 2):
        found = cache.cached("toy", scaled(factor), size=3)
        assert found["x"].tolist() == [factor] * 3


def test_a_function_without_source_is_not_cached(folder):
    space: dict = {"__name__": "__main__", "torch": torch}
    exec("def make(size): return {'x': torch.ones(size)}", space)
    with pytest.warns(UserWarning, match="Not cached"):
        cache.cached("toy", space["make"], size=2)
    assert not folder.exists()


def test_least_recently_used_files_go_first(folder, monkeypatch):
    for age, size in ((3, 10), (2, 11), (1, 12)):
        cache.cached("toy", make, size=size)
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        then = newest.stat().st_mtime - 100 * age
        os.utime(newest, (then, then))
    cache.cached("toy", make, size=10)  # used again
    (folder / "mine.npz").write_bytes(bytes(10_000))  # not ours
    limit = 500 + sum(state.st_size for _, state in cache.cache_files())
    monkeypatch.setattr(cache, "LIMIT", limit)
    ASKED.sizes.clear()
    for size in (13, 12, 10, 11):
        cache.cached("toy", make, size=size)
    assert ASKED.sizes == [13, 11]
    assert sum(s.st_size for _, s in cache.cache_files()) <= limit
    assert (folder / "mine.npz").exists()


def damage_by_cutting(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_by_emptying(path):
    path.write_bytes(b"")


def damage_by_one_bit(path):
    data = bytearray(path.read_bytes())
    where = data.index(make(5)["x"].numpy().tobytes())
    data[where] ^= 1
    path.write_bytes(bytes(data))


def damage_by_another_file(path):
    np.savez(path, x=np.zeros(3))


def damage_by_other_parameters(path):
    about = '["toy", {"size": 7}]'
    cache.store(path, about, make(7))


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
def test_a_damaged_or_foreign_file_is_made_again(folder, damage):
    expected = cache.cached("toy", make, size=5)
    (path,) = folder.iterdir()
    damage(path)
    ASKED.sizes.clear()
    with pytest.warns(UserWarning, match="damaged or foreign"):
        found = cache.cached("toy", make, size=5)
    same(found, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # and the new file is sound
        same(cache.cached("toy", make, size=5), expected)
    assert ASKED.sizes == [5]


def test_a_folder_that_cannot_be_made_costs_a_warning(tmp_path, monkeypatch):
    """As in a read-only place; root may write anywhere, so a file stands in the way."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="could not be cached"):
        found = cache.cached("toy", make, size=5)
    same(found, make(5))


PROCESS = """
import torch
from jepa_tutorial.worlds.cache import cached
def make(size):
    return {"x": torch.arange(size)}
if __name__ == "__main__":
    for _ in range(20):
        found = cached("shared", make, size=100_000)
        assert torch.equal(found["x"], torch.arange(100_000))
"""


def test_processes_at_once_do_not_disturb_each_other(folder, tmp_path):
    (tmp_path / "process.py").write_text(PROCESS)
    command = [sys.executable, "-W", "error", tmp_path / "process.py"]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(list(folder.iterdir())) == 1


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("JEPA_TUTORIAL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.data_folder() == tmp_path / "jepa_tutorial"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for named, meant in (
        (tmp_path / "named", "named"),
        ("named", "named"),
        ("~/named", "home/named"),
    ):
        monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(named))
        assert cache.data_folder() == tmp_path / meant
