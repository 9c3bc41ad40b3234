"""Running notebooks: what is kept, what is said when it fails, and that nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.system
import nbformat
import papermill
import psutil
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jepa_tutorial import files, studies
from jepa_tutorial.publishing import chapters, execution, runs, verification
from jepa_tutorial.publishing.cli import main

PARAMETERS = "steps = 3\nseed = 0"
REPORT = "from jepa_tutorial.reports import report\nreport('double', 2 * steps + seed)"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def make_book(folder: Path, *sources: str) -> Path:
    cells = [
        new_markdown_cell("# 1. Toy"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        *(new_code_cell(source) for source in sources),
    ]
    path = folder / "01_toy.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
    preset = {
        "budget_s": 10,
        "quick": {"steps": 1},
        "study": {"seed": [0, 1], "steps": [2]},
    }
    (folder / "presets.yaml").write_text(yaml.safe_dump({"01_toy": preset}))
    toc = {"parts": [{"chapters": [{"file": "book/01_toy"}]}]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    return path


def run(book: Path, *arguments: str) -> int:
    return main(["run", "01", "--book", str(book), *arguments])


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command of ours as a terminal does: Ctrl-C goes to all that it starts."""
    # A process that was started in the background may have been told to ignore SIGINT.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from jepa_tutorial.publishing.cli import main; raise SystemExit(main())"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        start_new_session=True,
        text=True,
        **options,
    )


def test_store_executes_in_place_and_the_chapter_is_current(tmp_path, capsys):
    path = make_book(tmp_path, REPORT)
    assert run(tmp_path, "--store") == 0
    notebook = nbformat.read(path, as_version=4)
    assert execution.reported(notebook) == {"double": 6}
    assert verification.stale_page(path) is None
    assert notebook.metadata[execution.OURS]["seconds"] > 0
    assert str(tmp_path) not in path.read_text()
    assert "01_toy" in capsys.readouterr().out


@pytest.mark.parametrize("fails", [2, 3])
def test_a_kernel_that_does_not_start_is_started_again(tmp_path, monkeypatch, fails):
    path, real, calls = make_book(tmp_path, REPORT), papermill.execute_notebook, []

    def flaky(*arguments, **options):
        calls.append(arguments)
        if len(calls) <= fails:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return real(*arguments, **options)

    monkeypatch.setattr(papermill, "execute_notebook", flaky)
    if fails == 2:
        run = execution.execute(path, tmp_path / "out.ipynb", {})
        assert execution.reported(run) == {"double": 6}
        return
    with pytest.raises(chapters.ChapterError, match="no kernel started 3 times"):
        execution.execute(path, tmp_path / "out.ipynb", {})


def test_run_folder_holds_notebook_parameters_and_log(tmp_path):
    make_book(tmp_path, REPORT)
    before = (tmp_path / "01_toy.ipynb").read_bytes()
    given = tmp_path / "given.yaml"
    given.write_text("steps: 7\nseed: 5\n")
    out = tmp_path / "results"
    assert (
        run(tmp_path, "--params", str(given), "-p", "seed", "1", "--out", str(out)) == 0
    )
    (folder,) = out.iterdir()
    assert yaml.safe_load((folder / "parameters.yaml").read_text()) == {
        "seed": 1,
        "steps": 7,
    }
    assert execution.reported(nbformat.read(folder / "01_toy.ipynb", as_version=4)) == {
        "double": 15
    }
    assert "double = 15" in (folder / "run.log").read_text()
    record = json.loads((folder / "run.json").read_text())
    assert record["parameters"] == {"seed": 1, "steps": 7}
    assert record["results"] == {"double": 15}
    assert record["versions"]["torch"]
    assert (tmp_path / "01_toy.ipynb").read_bytes() == before


def test_a_chapter_that_keeps_files_is_given_the_run_folder(tmp_path):
    path = make_book(tmp_path, "open(f'{save_dir}/kept.txt', 'w').write('weights')")
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


def test_the_module_runs_as_the_command_does(tmp_path):
    make_book(tmp_path, REPORT)
    command = [sys.executable, "-m", "jepa_tutorial", "list", "--book", str(tmp_path)]
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


def test_a_hanging_cell_ends_by_a_timeout_that_names_it(tmp_path, capsys, monkeypatch):
    make_book(tmp_path, "import time\ntime.sleep(60)", "y = 2")
    monkeypatch.setattr(execution, "cell_timeout", lambda *_: 2)
    assert run(tmp_path, "--store") == 1
    error = capsys.readouterr().err
    assert "01_toy, cell 3 (import time): took longer than 2 s and was stopped" in error


def test_a_kernel_that_dies_is_told(tmp_path, capsys):
    make_book(tmp_path, "import os\nos._exit(1)", "y = 2")
    assert run(tmp_path, "--store") == 1
    assert "01_toy, cell 3 (import os): the kernel died" in capsys.readouterr().err


def test_interrupting_leaves_the_stored_notebook_as_it_was(tmp_path):
    mark = tmp_path / "started"
    path = make_book(
        tmp_path, f"open({str(mark)!r}, 'w').close()\nimport time\ntime.sleep(60)"
    )
    before = path.read_bytes()
    command = ["run", "01", "--book", str(tmp_path), "--store"]
    process = start(*command, stderr=subprocess.PIPE)
    wait_for(mark.exists)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    *bar, said = error.splitlines()
    assert all(line.startswith("01_toy: ") for line in bar if line)
    assert "stored results of the book are as they were" in said
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
            ("run", "01", "--store", "-p", "steps", "3"),
            "--store keeps outputs at default parameters only",
        ),
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


def study(book: Path, *arguments: str) -> int:
    return main(["study", "01", "--book", str(book), *arguments])


def stored_seeds(book: Path) -> list[int]:
    rows = studies.read_study(book / "01_toy.ipynb")["rows"]
    assert all(r["values"] == {"double": 4 + r["parameters"]["seed"]} for r in rows)  # fmt: skip
    return [row["parameters"]["seed"] for row in rows]


def slow(folder: Path) -> str:
    """A cell that sleeps at the second seed, and says in which process."""
    return f"""
import os, pathlib, time
if seed == 1:
    part = pathlib.Path({str(folder)!r}, "part")
    part.write_text(f"{{os.getpid()}} {{os.getppid()}}")
    part.rename(part.with_name("started"))
    time.sleep(100)
"""


def wait_for(condition: Callable[[], Any]) -> Any:
    """What a condition gives, as soon as it holds."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def started(folder: Path) -> list[int]:
    """The kernel of the second seed and its worker, as soon as it runs and the first is stored."""
    path = folder / "started"
    wait_for(lambda: path.exists() and stored_seeds(folder) == [0])
    kernel, worker = map(int, path.read_text().split())
    path.unlink()
    return [kernel, worker]


def has_ended(pid: int) -> bool:
    """Whether a process is gone; one that ended and that nobody asked for is."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_failing_row_is_named_and_the_others_are_stored(tmp_path, capsys):
    calls, mended = tmp_path / "calls", tmp_path / "mended"
    fail = f"""
import pathlib
with open({str(calls)!r}, "a") as file:
    file.write(f"{{seed}} ")
if seed == 0 and not pathlib.Path({str(mended)!r}).exists():
    raise RuntimeError("the power failed")
"""
    path = make_book(tmp_path, REPORT, fail)
    assert study(tmp_path) == 1
    assert stored_seeds(tmp_path) == [1]
    out, error = capsys.readouterr()
    assert "1 of 2 stored: {'seed': 1, 'steps': 2}" in out
    assert error == (
        "jepa-tutorial: 1 of 2 rows of 01_toy failed:\n"
        "  {'seed': 0, 'steps': 2}: 01_toy, cell 4 (import pathlib): RuntimeError: the power "
        "failed\n1 of 2 rows are stored; the same command runs the others\n"
    )
    mended.touch()
    calls.unlink()
    assert study(tmp_path) == 0
    assert calls.read_text() == "0 ", "a stored row is not run again"
    assert stored_seeds(tmp_path) == [0, 1]
    row = studies.read_study(path)["rows"][0]
    assert {"code_hash", "date", "machine", "threads", "versions"} <= set(row)
    assert verification.out_of_date(path) == [verification.stale_page(path)]


def test_a_row_whose_worker_is_killed_runs_once_more(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(dask.system, "CPU_COUNT", 2)
    kill = f"""
import os, pathlib, psutil, time
folder = pathlib.Path({str(tmp_path)!r})
killed = folder / "killed"
while seed == 1 and not (folder / "results" / "01_toy.json").exists():
    time.sleep(0.1)
if seed == 1 or not killed.exists():
    killed.touch()
    psutil.Process(os.getppid()).kill()
    time.sleep(60)
"""
    make_book(tmp_path, REPORT, kill)
    assert study(tmp_path) == 1
    assert stored_seeds(tmp_path) == [0]
    assert capfd.readouterr().err == (
        "jepa-tutorial: 1 of 2 rows of 01_toy failed:\n"
        "  {'seed': 1, 'steps': 2}: its worker died each time, often for want of memory\n"
        "1 of 2 rows are stored; the same command runs the others\n"
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_study_that_is_stopped_keeps_what_is_stored_and_leaves_nothing(tmp_path, how):
    """Not even where it has no time to tell its processes to end."""
    make_book(tmp_path, REPORT, slow(tmp_path))
    left = tmp_path / "left"
    left.mkdir()
    process = start(
        *("study", "01", "--book", str(tmp_path)),
        env={**os.environ, "TMPDIR": str(left)},
        stderr=subprocess.PIPE,
    )
    pids = started(tmp_path)
    children = psutil.Process(process.pid).children(recursive=True)
    assert {child.pid for child in children} >= set(pids)
    if how == signal.SIGKILL:
        process.kill()
        process.wait()
    else:
        os.killpg(process.pid, how)
        time.sleep(0.3)
        os.killpg(process.pid, how)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert error == (
            "jepa-tutorial: interrupted; 1 of 2 rows are stored; "
            "the same command runs the others\n"
        )
        assert list(left.iterdir()) == []
    wait_for(lambda: all(has_ended(child.pid) for child in children))
    assert stored_seeds(tmp_path) == [0]


def test_a_study_ends_before_its_first_row_where_it_cannot_be_stored(
    tmp_path, capsys, monkeypatch
):
    make_book(tmp_path, REPORT)
    (tmp_path / "results").write_text("a file, not a folder")
    monkeypatch.setattr(runs, "run_rows", lambda *_: pytest.fail("a row ran"))
    assert study(tmp_path) == 1
    error = capsys.readouterr().err
    assert f"File exists: '{tmp_path / 'results'}'" in error
    assert "0 of 2 rows are stored" in error


def test_a_study_goes_on_after_the_disk_was_full(tmp_path, capsys, monkeypatch):
    path = make_book(tmp_path, REPORT)

    def run_rows(path, grid, scheduler):
        for parameters in grid:
            yield runs.run_row(path, parameters)

    def full(path, text):
        if studies.study_path(path.parents[1] / "01_toy.ipynb").is_file():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        files.write_text(path, text)

    monkeypatch.setattr(runs, "run_rows", run_rows)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "write_text", full)
        assert study(tmp_path) == 1
    error = capsys.readouterr().err
    assert f"No space left on device: '{studies.study_path(path)}'" in error
    assert "1 of 2 rows are stored; the same command runs the others" in error
    assert study(tmp_path) == 0
    assert stored_seeds(tmp_path) == [0, 1]


@pytest.fixture
def dask_command(tmp_path):
    """Start one of dask's own commands; it ends with the test."""
    processes = []

    def command(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--no-dashboard"],
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        return process

    yield command
    for process in processes:
        process.terminate()
        process.wait()


def test_a_study_on_another_cluster(tmp_path, capfd, monkeypatch, dask_command):
    make_book(tmp_path, REPORT, slow(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    address = f"tcp://{host}:{port}"
    there = ["--scheduler", address]

    def is_up() -> bool:
        with socket.socket() as client:
            return client.connect_ex((host, port)) == 0

    monkeypatch.setattr(runs, "PATIENCE", 1)
    assert study(tmp_path, *there) == 1
    assert f"no scheduler answers at {address}" in capfd.readouterr().err
    scheduler = dask_command("scheduler", "--host", host, "--port", str(port))
    wait_for(is_up)
    monkeypatch.setattr(runs, "PATIENCE", 3)
    assert study(tmp_path, *there) == 1
    error = capfd.readouterr().err
    assert f"no workers: start some with `dask worker {address}" in error
    monkeypatch.setattr(runs, "PATIENCE", 60)
    dask_command("worker", address, "--nworkers", "1", "--nthreads", "1")
    with monkeypatch.context() as patch:
        patch.setattr(runs, "__version__", "0.0.0")
        assert study(tmp_path, *there) == 1
    assert "jepa-tutorial is 0.0.0 here, and" in capfd.readouterr().err

    command = ["study", "01", "--book", str(tmp_path), *there]
    process = start(*command, stderr=subprocess.PIPE)
    kernel, worker = started(tmp_path)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; 1 of 2 rows are stored" in error
    wait_for(lambda: has_ended(kernel))
    assert not has_ended(worker), "it waits for other rows"

    process = start(*command, stderr=subprocess.PIPE)
    kernel, worker = started(tmp_path)
    scheduler.kill()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error == (
        "jepa-tutorial: the scheduler was lost: start it again, or leave out --scheduler\n"
        "1 of 2 rows are stored; the same command runs the others\n"
    )
    wait_for(lambda: has_ended(kernel))
    assert stored_seeds(tmp_path) == [0]


def test_a_study_notices_that_its_chapter_was_changed(tmp_path, capsys):
    """Else rows would be stored that are stale at once."""
    path = make_book(tmp_path, REPORT)
    change = f"""
if seed == 1:
    import nbformat, pathlib, time
    while not pathlib.Path({str(studies.study_path(path))!r}).exists():
        time.sleep(0.1)
    book = nbformat.read({str(path)!r}, as_version=4)
    book.cells[2].source += "\\nx = 1"
    nbformat.write(book, {str(path)!r})
"""
    book = nbformat.read(path, as_version=4)
    book.cells.append(new_code_cell(change))
    nbformat.write(book, path)
    assert study(tmp_path) == 1
    assert "has changed while it ran" in capsys.readouterr().err
    assert stored_seeds(tmp_path) == [0]


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
