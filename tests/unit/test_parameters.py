"""Parameters from a command, a file or a preset: what is wrong is said in one sentence."""

from __future__ import annotations

import functools
from pathlib import Path

import nbformat
import pytest
from toy import write_book

from jepa_tutorial.files import book_folder
from jepa_tutorial.publishing import chapters
from jepa_tutorial.publishing.cli import main, parser, read_parameters

PARAMETERS = """
pattern = "circle"  # or "line", "spiral"
steps = 3
depth = 0  # 0 for none
lr = 3e-3
image_size = (
    32  # pixels; a multiple of 8 from 16 to 128
)
shift = 0.0  # from -1.5 to 1e1
curves = ["circle", "line"]
show = True
save_dir = ""  # a folder; empty for none
sequence_file = ""  # if you have it
name = "x"
seed = 0
"""


@pytest.fixture
def path(tmp_path):
    path = write_book(tmp_path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = PARAMETERS.strip()
    nbformat.write(notebook, path)
    return path


def read(path: Path, *arguments: object):
    """What ``jepa-tutorial run 01`` would run with."""
    options = parser().parse_args(["run", "01", *map(str, arguments)])
    return read_parameters(options, path)


def refused(path: Path, capsys, *arguments: object) -> str:
    """The one sentence that the command says."""
    command = ["run", "01", "--book", str(path.parent), *map(str, arguments)]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert error.startswith("jepa-tutorial: ")
    assert error.count("\n") == 1
    assert not (path.parent / "results").exists()
    return error


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("pattern", "line", "line"),
        ("name", "1", "1"),
        ("steps", "7", 7),
        ("steps", "010", 10),
        ("depth", "0", 0),
        ("lr", "1e-3", 1e-3),
        ("lr", "2", 2.0),
        ("lr", "0", 0.0),
        ("shift", "-1.5", -1.5),
        ("image_size", "128", 128),
        ("curves", "[line]", ["line"]),
        ("curves", "[]", []),
        ("show", "false", False),
        ("seed", "1364", 1364),
    ],
)
def test_values_are_typed_like_the_notebooks_own(path, name, text, value):
    for found in (
        read(path, "-p", name, text),
        chapters.check_parameters(path, {name: value}),
    ):
        assert found == {name: value}
        assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pattern", "cirlce", "must be one of 'circle', 'line', 'spiral'"),
        ("steps", "[1", "must be of type int, such as 3, got '[1'"),
        ("steps", "many", "must be of type int, such as 3, got 'many'"),
        ("steps", "3.0", "must be of type int"),
        ("steps", "True", "must be of type int"),
        ("steps", "9" * 5000, "must be of type int"),
        ("steps", "0", "must be a finite number of at least 1, got 0"),
        ("depth", "-1", "must be a finite number of at least 0, got -1"),
        ("lr", "-1", "must be a finite number of at least 0, got -1.0"),
        ("lr", "nan", "must be a finite number"),
        ("lr", ".nan", "must be of type float"),
        ("lr", "inf", "must be a finite number"),
        ("lr", "1e999", "must be a finite number"),
        ("image_size", "8", "must be a number from 16 to 128, got 8"),
        ("shift", "11", "must be a number from -1.5 to 1e1, got 11.0"),
        ("curves", "[1]", "must be of type list, such as ['circle', 'line']"),
        ("curves", "[.nan]", "must be of type list"),
        ("curves", "[" * 1000, "must be of type list"),
        ("show", "maybe", "must be of type bool, such as True, got 'maybe'"),
        ("seed", "1365", "seed must be an integer from 0 to 1364"),
        ("sequence_file", "missing.npy", "there is no file"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(
    path, capsys, name, text, message
):
    error = refused(path, capsys, "-p", name, text)
    assert f"-p: {name}" in error or name == "seed"
    assert message in error


def test_a_name_that_is_given_twice_is_refused(path, capsys):
    twice = ("-p", "steps", 1, "-p", "steps", 2)
    assert "-p gives steps twice" in refused(path, capsys, *twice)


FILES = [
    ("", "must hold lines of the form `name: value`"),
    ("- 1", "must hold lines of the form `name: value`"),
    ("steps: 1\n\tlr: 1", "line 2: while scanning"),
    ("steps: 1\n---\nsteps: 2", "line 2: expected a single document"),
    ("steps: 1\nlr: 1\nsteps: 2", "line 3: steps is given twice"),
    ("lr: .nan", "line 1: .nan is not finite"),
    ("lr: -.Inf", "line 1: -.Inf is not finite"),
    ("lr: 1.0e+999", "line 1: 1.0e+999 is not finite"),
    ("lr: 1e999", "lr of 01_toy must be a finite number"),
    ("steps: [1", "line 1: while parsing a flow sequence"),
    ("steps: !!python/name:os.system x", "line 1: could not determine"),
    ("? [a]\n: 1", "line 1: while constructing a mapping"),
    ("steps: 2001-99-99", "month must be in 1..12"),
    ("[" * 1000, "maximum recursion depth"),
    ("steps: 0", "steps of 01_toy must be a finite number of at least 1"),
    ("pattern: no", "pattern of 01_toy must be of type str"),
    ("\0", "unacceptable character"),
]


@pytest.mark.parametrize(("text", "message"), FILES)
def test_what_is_wrong_in_a_file_is_said_with_its_name(path, capsys, text, message):
    file = path.parent / "given.yaml"
    file.write_text(text)
    error = refused(path, capsys, "--params", file)
    assert f"{file}" in error
    assert message in error


def test_a_file_that_is_no_text_is_told(path, capsys):
    file = path.parent / "given.yaml"
    file.write_bytes(b"steps: \xff")
    assert f"{file}: unacceptable" in refused(path, capsys, "--params", file)
    assert "nope.yaml" in refused(path, capsys, "--params", "nope.yaml")


def test_pairs_win_over_the_file_and_the_file_over_the_preset(path):
    file = path.parent / "given.yaml"
    file.write_text("steps: 7\nlr: 1e-2\nseed: 5")
    given = ("--preset", "quick", "--params", file, "-p", "seed", 1)
    assert read(path, *given) == {"steps": 7, "lr": 0.01, "seed": 1}
    assert read(path, "--preset", "quick") == {"steps": 1}


@pytest.mark.parametrize(("text", "message"), FILES[:10])
def test_what_is_wrong_in_the_presets_is_said_with_their_name(
    path, capsys, text, message
):
    file = path.parent / "presets.yaml"
    indented = text.replace("\n", "\n  ")
    file.write_text(
        f"01_toy:\n  budget_s: 1\n  quick: {{}}\n  {indented}" if text else ""
    )
    assert str(file) in refused(path, capsys)


@pytest.mark.parametrize("entry", ["3", "{quick: {}}", "{budget_s: 1, quick: 3}"])
def test_presets_of_another_form_are_refused(path, capsys, entry):
    (path.parent / "presets.yaml").write_text(f"01_toy: {entry}")
    assert "must have an entry 01_toy" in refused(path, capsys)


@pytest.mark.parametrize("study", ["{seed: 0}", "[3]", "{pattern: line}"])
def test_a_study_without_lists_is_refused(path, study):
    text = f"01_toy: {{budget_s: 1, study: {study}}}"
    (path.parent / "presets.yaml").write_text(text)
    with pytest.raises(chapters.ChapterError, match="must have lists of value"):
        chapters.study_grid(path)


def test_a_preset_with_a_value_that_cannot_be_meant_is_refused(path, capsys):
    text = "01_toy: {budget_s: 1, quick: {steps: 0}}"
    (path.parent / "presets.yaml").write_text(text)
    error = refused(path, capsys, "--preset", "quick")
    assert "presets.yaml, quick: steps of 01_toy" in error


def test_paths_are_those_of_the_shell(path, monkeypatch, tmp_path):
    (tmp_path / "shell").mkdir()
    monkeypatch.chdir(tmp_path / "shell")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Path("clips.npy").write_text("")
    named = {"save_dir": "kept", "sequence_file": "clips.npy", "name": "kept"}
    assert chapters.check_parameters(path, named) == {
        "save_dir": str(tmp_path / "shell" / "kept"),
        "sequence_file": str(tmp_path / "shell" / "clips.npy"),
        "name": "kept",
    }
    assert read(path, "-p", "save_dir", "~/kept") == {
        "save_dir": str(tmp_path / "kept")
    }
    assert read(path, "-p", "save_dir", "") == {"save_dir": ""}


def test_every_preset_and_row_of_the_book_is_accepted(monkeypatch):
    monkeypatch.setattr(nbformat, "read", functools.cache(nbformat.read))
    for path in chapters.chapters(book_folder()):
        entry = chapters.presets(path)
        for name in chapters.preset_names(entry):
            chapters.check_parameters(path, entry[name])
        for row in chapters.study_grid(path):
            chapters.check_parameters(path, row)
