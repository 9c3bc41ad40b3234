"""What the command does around a run: folders, the cache, closed pipes, damaged files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
import torch
from toy import change, write_book

from jepa_tutorial.publishing import cli, execution
from jepa_tutorial.publishing.cli import main
from jepa_tutorial.worlds import cache


@pytest.fixture
def book(tmp_path):
    """A book with one chapter that keeps files."""
    folder = tmp_path / "book"
    folder.mkdir()
    change(write_book(folder), "steps = 3", "steps = 3\\nsave_dir = ''")
    return folder


@pytest.fixture
def executed(monkeypatch):
    """Stands in for a kernel; notes down the folder and the data folder of each execution."""
    calls = []

    def execute(path, output, parameters, *_):
        calls.append((output.parent, os.environ.get("JEPA_TUTORIAL_DATA")))
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata[execution.OURS] = {"seconds": 1.0}
        nbformat.write(notebook, output)
        return notebook

    monkeypatch.setattr(execution, "execute", execute)
    return calls


def run(book: Path, *arguments: object) -> int:
    return main(["run", "01", "--book", str(book), *map(str, arguments)])


def test_a_folder_with_a_notebook_that_is_no_runs_is_refused(book, executed, capsys):
    before = (book / "01_toy.ipynb").read_bytes()
    assert run(book, "-p", "save_dir", book) == 1
    error = capsys.readouterr().err
    assert f"{book} holds a notebook 01_toy.ipynb" in error
    assert "name another save_dir" in error
    assert (book / "01_toy.ipynb").read_bytes() == before
    assert executed == []


def test_a_run_may_go_on_in_its_own_folder(book, executed, tmp_path):
    for _ in range(2):
        assert run(book, "-p", "save_dir", tmp_path / "kept") == 0
    assert executed == 2 * [(tmp_path / "kept", os.environ.get("JEPA_TUTORIAL_DATA"))]
    files = {path.name for path in (tmp_path / "kept").iterdir()}
    assert files == {"01_toy.ipynb", "parameters.yaml", "run.json", "run.log"}


def test_a_folder_of_a_run_with_other_parameters_is_refused_by_name(
    book, executed, tmp_path, capsys
):
    kept = ("-p", "save_dir", tmp_path / "kept")
    assert run(book, *kept, "--preset", "quick") == 0
    assert run(book, *kept, "-p", "steps", 1) == 0
    assert run(book, *kept) == 1
    error = capsys.readouterr().err
    assert "kept belongs to a run with steps = 1, not 3: name another" in error
    assert len(executed) == 2


def test_relative_folders_are_those_of_the_shell(book, executed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for data, meant in (("data", "data"), ("~/data", "home/data")):
        monkeypatch.setenv("JEPA_TUTORIAL_DATA", data)
        assert run(Path("book"), "--out", "~/runs") == 0
        folder, told = executed.pop()
        assert folder.parent == tmp_path / "home" / "runs"
        assert told == str(tmp_path / meant)


def test_many_runs_at_once_get_a_folder_each(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: cli.new_folder(tmp_path / "new", "01"), range(50))
    assert len(set(made)) == 50


def test_a_folder_that_cannot_be_made_is_told(book, executed, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(book, "--out", tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
    assert executed == []


def test_a_book_that_cannot_be_written_is_told_before_anything_runs(
    book, executed, monkeypatch, capsys
):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert run(book, "--store") == 1
    assert f"Permission denied: '{book}'" in capsys.readouterr().err
    assert executed == []


def damage_notebook(book):
    (book / "01_toy.ipynb").write_text("{")


def empty_notebook(book):
    (book / "01_toy.ipynb").write_text("")


def notebook_without_cells(book):
    nbformat.write(nbformat.v4.new_notebook(), book / "01_toy.ipynb")


def damage_study(book):
    (book / "results" / "01_toy.json").write_text('{"rows": [')


def empty_study(book):
    (book / "results" / "01_toy.json").write_text("")


def another_study(book):
    (book / "results" / "01_toy.json").write_text('{"rows": [{"seed": 1}]}')


def damage_presets(book):
    (book / "presets.yaml").write_text("01_toy: {")


def empty_presets(book):
    (book / "presets.yaml").write_text("")


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (damage_notebook, "01_toy.ipynb"),
        (empty_notebook, "01_toy.ipynb"),
        (notebook_without_cells, "01_toy.ipynb"),
        (damage_study, "01_toy.json"),
        (empty_study, "01_toy.json"),
        (another_study, "01_toy.json"),
        (damage_presets, "presets.yaml"),
        (empty_presets, "presets.yaml"),
    ],
)
def test_a_damaged_file_is_named_in_one_sentence(book, capsys, damage, name):
    (book / "results").mkdir()
    damage(book)
    unread = {"01_toy.json": ("list", "run"), "presets.yaml": ("verify",)}
    for command in {"check", "list", "run", "study", "verify"}.difference(
        unread.get(name, ())
    ):
        assert main([command, "--book", str(book)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("jepa-tutorial: ")
        assert error.count("\n") == 1
        assert str(book) in error
        assert name in error


def test_a_closed_pipe_ends_in_silence(book):
    command = [sys.executable, "-m", "jepa_tutorial", "list", "--book", book]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 1


INTERRUPTED = """
import builtins, sys
original = builtins.__import__
def interrupt(name, *rest):
    if name == "torch":
        raise KeyboardInterrupt
    return original(name, *rest)
builtins.__import__ = interrupt
from jepa_tutorial.__main__ import main
sys.exit(main())
"""


def test_an_interruption_while_loading_ends_in_one_sentence():
    command = [sys.executable, "-c", INTERRUPTED, "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "jepa-tutorial: interrupted\n"


def ones(size):
    return {"x": torch.ones(size)}


def test_the_cache_is_shown_and_cleared(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path))
    for size in (2**18, 2**19):
        cache.cached("toy", ones, size=size)
    kept = [tmp_path / "cache" / "mine.npz", tmp_path / "mnist"]
    for path in kept:
        path.write_text("")
    assert main(["cache"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(tmp_path / "cache")
    assert [line.split()[1] for line in lines[1:3]] == ["1.0", "2.0"]
    assert lines[3].strip() == "2 files, 3.0 MiB of at most 4096 MiB"
    assert main(["cache", "--clear"]) == 0
    assert "removed 2 files, 3.0 MiB" in capsys.readouterr().out
    assert [*tmp_path.glob("cache/*"), tmp_path / "mnist"] == kept
    assert main(["cache"]) == 0
    assert "0 files, 0.0 MiB" in capsys.readouterr().out
