"""Running notebooks: what is kept, what is said when it fails, and that nothing is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jepa_tutorial import chapters, execution, runs, studies, verification
from jepa_tutorial.cli import main

PARAMETERS = "steps = 3\nseed = 0"
REPORT = "from jepa_tutorial.runtime import report\nreport('double', 2 * steps + seed)"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def make_book(folder: Path, *sources: str) -> Path:
    cells = [
        new_markdown_cell("# 1. Toy"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *(new_code_cell(source) for source in sources),
    ]
    path = folder / "01_toy.ipynb"
    nbformat.write(
        new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path
    )
    preset = {
        "budget_s": 10,
        "quick": {"steps": 1},
        "study": {"seed": [0, 1], "steps": [2]},
    }
    (folder / "presets.yaml").write_text(yaml.safe_dump({"01_toy": preset}))
    return path


def run(book: Path, *arguments: str) -> int:
    return main(["run", "01", "--book", str(book), *arguments])


def test_store_executes_in_place_and_the_chapter_is_current(tmp_path, capsys):
    path = make_book(tmp_path, REPORT)
    assert run(tmp_path, "--store") == 0
    notebook = nbformat.read(path, as_version=4)
    assert execution.reported(notebook) == {"double": 6}
    assert verification.stale(path) is None
    assert notebook.metadata[execution.OURS]["seconds"] > 0
    assert str(tmp_path) not in path.read_text()
    assert "01_toy" in capsys.readouterr().out


def test_run_folder_holds_notebook_parameters_and_log(tmp_path):
    make_book(tmp_path, REPORT)
    before = (tmp_path / "01_toy.ipynb").read_bytes()
    given = tmp_path / "given.yaml"
    given.write_text("steps: 7\nseed: 5\n")
    out = tmp_path / "results"
    assert (
        run(
            tmp_path,
            "--params",
            str(given),
            "-p",
            "seed",
            "1",
            "--out",
            str(out),
        )
        == 0
    )
    (folder,) = out.iterdir()
    assert yaml.safe_load((folder / "parameters.yaml").read_text()) == {
        "seed": 1,
        "steps": 7,
    }
    assert execution.reported(
        nbformat.read(folder / "01_toy.ipynb", as_version=4)
    ) == {"double": 15}
    assert "double = 15" in (folder / "run.log").read_text()
    record = json.loads((folder / "run.json").read_text())
    assert record["parameters"] == {"seed": 1, "steps": 7}
    assert record["results"] == {"double": 15}
    assert record["versions"]["torch"]
    assert (tmp_path / "01_toy.ipynb").read_bytes() == before


def test_a_chapter_that_keeps_files_is_given_the_run_folder(tmp_path):
    path = make_book(
        tmp_path, "open(f'{save_dir}/kept.txt', 'w').write('weights')"
    )
    source = nbformat.read(path, as_version=4)
    source.cells[1].source += "\nsave_dir = ''"
    nbformat.write(source, path)
    out, named = tmp_path / "results", tmp_path / "named" / "folder"
    assert run(tmp_path, "--out", str(out)) == 0
    (folder,) = out.iterdir()
    assert (folder / "kept.txt").read_text() == "weights"
    assert run(tmp_path, "-p", "save_dir", str(named)) == 0
    assert {"kept.txt", "run.json", "run.log", "01_toy.ipynb"} <= {
        p.name for p in named.iterdir()
    }


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 1e-3), ("2", 2.0), ("0.5", 0.5)]
)
def test_values_are_typed_like_the_notebooks_own(tmp_path, text, value):
    path = make_book(tmp_path, REPORT)
    source = nbformat.read(path, as_version=4)
    source.cells[
        1
    ].source += "\nlr = 0.1\nworlds = ['a']\nshow = True\nname = 'x'"
    nbformat.write(source, path)
    given = {"lr": text, "worlds": "[b, c]", "show": "false", "name": "1"}
    assert chapters.check_parameters(path, given) == {
        "lr": value,
        "worlds": ["b", "c"],
        "show": False,
        "name": "1",
    }


def test_the_module_runs_as_the_command_does(tmp_path):
    make_book(tmp_path, REPORT)
    command = [
        sys.executable,
        "-m",
        "jepa_tutorial",
        "list",
        "--book",
        str(tmp_path),
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "01_toy" in listed.stdout
    assert "steps                    3            quick: 1" in listed.stdout


def test_a_failing_cell_is_named_and_the_stored_notebook_kept(tmp_path, capsys):
    path = make_book(tmp_path, "x = 1", "raise RuntimeError('no luck')")
    before = path.read_bytes()
    assert run(tmp_path, "--store") == 1
    error = capsys.readouterr().err
    assert (
        "jepa-tutorial: 01_toy, cell 4 (raise RuntimeError('no luck')): RuntimeError: no luck"
        in error
    )
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_hanging_cell_ends_by_a_timeout_that_names_it(
    tmp_path, capsys, monkeypatch
):
    make_book(tmp_path, "import time\ntime.sleep(60)", "y = 2")
    monkeypatch.setattr(execution, "cell_timeout", lambda *_: 2)
    assert run(tmp_path, "--store") == 1
    error = capsys.readouterr().err
    assert (
        "01_toy, cell 3 (import time): took longer than 2 s and was stopped"
        in error
    )


def test_a_kernel_that_dies_is_told(tmp_path, capsys):
    make_book(tmp_path, "import os\nos._exit(1)", "y = 2")
    assert run(tmp_path, "--store") == 1
    assert (
        "01_toy, cell 3 (import os): the kernel died" in capsys.readouterr().err
    )


def test_interrupting_leaves_the_stored_notebook_as_it_was(tmp_path):
    path = make_book(
        tmp_path, "open('started', 'w').close()\nimport time\ntime.sleep(60)"
    )
    source = nbformat.read(path, as_version=4)
    source.cells[2].source = source.cells[2].source.replace(
        "'started'", repr(str(tmp_path / "started"))
    )
    nbformat.write(source, path)
    before = path.read_bytes()
    # A process that was started in the background may have been told to ignore SIGINT.
    command = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from jepa_tutorial.cli import main; raise SystemExit(main())"
    )
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            command,
            "run",
            "01",
            "--book",
            str(tmp_path),
            "--store",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stored results of the book are as they were" in error
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "07"), "CHAPTER must be one of 01_toy, or all; got '07'"),
        (
            ("run", "01", "--preset", "slow"),
            "preset must be one of 'default', 'quick', got 'slow'",
        ),
        (
            ("run", "01", "-p", "speed", "3"),
            "01_toy has no parameter 'speed'. It has these, with their defaults:"
            "\n  steps = 3\n  seed = 0\n",
        ),
        (
            ("run", "01", "-p", "steps", "many"),
            "steps of 01_toy must be of type int, such as 3, got 'many'",
        ),
        (
            ("run", "01", "--store", "-p", "steps", "3"),
            "--store keeps outputs at default parameters only",
        ),
        (("run", "01", "--params", "missing.yaml"), "missing.yaml"),
    ],
)
def test_bad_arguments_get_one_line_and_a_non_zero_exit(
    tmp_path, capsys, arguments, message
):
    make_book(tmp_path, REPORT)
    out = ["--out", str(tmp_path / "results")]
    assert main([*arguments, "--book", str(tmp_path), *out]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == max(1, message.count("\n"))


def test_a_folder_without_chapters_is_told(tmp_path, capsys):
    assert main(["list", "--book", str(tmp_path)]) == 1
    assert "No chapters in" in capsys.readouterr().err


FAIL_ONCE = """
import pathlib
with open({calls!r}, "a") as file:
    file.write(f"{{seed}} ")
if seed == 1 and pathlib.Path({calls!r}).read_text().count("1") == 1:
    raise RuntimeError("the power failed")
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_study_stores_each_run_at_once_and_goes_on_from_there(
    tmp_path, jobs, capsys
):
    calls = tmp_path / "calls"
    path = make_book(tmp_path, REPORT, FAIL_ONCE.format(calls=str(calls)))
    study = ["study", "01", "--book", str(tmp_path), "--jobs", jobs]
    assert main(study) == 1
    assert "the power failed" in capsys.readouterr().err
    if jobs == "1":  # with two, either may end first
        rows = json.loads(studies.study_path(path).read_text())["rows"]
        assert [row["values"] for row in rows] == [{"double": 4}]
    assert main(study) == 0
    stored = json.loads(studies.study_path(path).read_text())
    assert [row["values"] for row in stored["rows"]] == [
        {"double": 4},
        {"double": 5},
    ]
    if jobs == "1":
        assert calls.read_text() == "0 1 1 ", "a stored run is not run again"
    assert {"code_hash", "date", "device", "python", "versions"} <= set(
        stored["provenance"]
    )
    assert verification.stale_study(path) is None
    with pytest.raises(ValueError, match="jobs must be an integer of at least"):
        next(runs.run_study(path, jobs=0))


def test_the_workers_of_a_study_end_with_it(tmp_path):
    """Also where it has no time to tell them; else they would go on with what still waits."""
    slow = f"""
import os, pathlib, time
pathlib.Path({str(tmp_path)!r}, f"kernel_{{seed}}").write_text(str(os.getppid()))
time.sleep(60)
"""
    make_book(tmp_path, slow)
    command = ["study", "01", "--book", str(tmp_path), "--jobs", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jepa_tutorial", *command]
    )
    pid = wait_for_text(tmp_path / "kernel_0")
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while is_running(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(int(pid))
    assert not (tmp_path / "kernel_1").exists()


def wait_for_text(path: Path) -> str:
    """The text of a file, as soon as there is some."""
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return path.read_text()


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that ended and that nobody asked for does not count."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_study_notices_that_its_chapter_was_changed(tmp_path, capsys):
    """Else a run would be stored under a hash that is not its own."""
    path = make_book(tmp_path, REPORT)
    change = f"""
if seed == 1:
    import nbformat
    book = nbformat.read({str(path)!r}, as_version=4)
    book.cells[2].source += "\\nx = 1"
    nbformat.write(book, {str(path)!r})
"""
    book = nbformat.read(path, as_version=4)
    book.cells.append(new_code_cell(change))
    nbformat.write(book, path)
    assert main(["study", "01", "--book", str(tmp_path), "--jobs", "1"]) == 1
    assert "has changed while its study ran" in capsys.readouterr().err
    rows = json.loads(studies.study_path(path).read_text())["rows"]
    assert [row["parameters"]["seed"] for row in rows] == [0]


def test_check_names_stale_chapters(tmp_path, capsys):
    path = make_book(tmp_path, REPORT)
    presets = yaml.safe_load((tmp_path / "presets.yaml").read_text())
    del presets["01_toy"]["study"]
    (tmp_path / "presets.yaml").write_text(yaml.safe_dump(presets))
    assert run(tmp_path, "--store") == 0
    check = ["check", "--book", str(tmp_path)]
    assert main(check) == 0
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source += "\nsteps = 4"
    nbformat.write(notebook, path)
    capsys.readouterr()
    assert main(check) == 1
    assert (
        "01_toy.ipynb or the package code it uses has changed"
        in capsys.readouterr().err
    )
