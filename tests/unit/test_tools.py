"""What the commands say when something is missing: one plain sentence with the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_tutorial.publishing.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("sh", "sed", "mkdir", "make", "command", "touch", "id", "grep", "tail")


@pytest.fixture
def run(tmp_path):
    """Run a command where only a few basic programs are installed, and some that pretend."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)

    def call(*command, pretend=(), **variables):
        for name, script in dict(pretend).items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        environment = {
            "PATH": str(folder),
            "HOME": os.environ.get("HOME", ""),
            **variables,
        }
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def test_no_python_gives_one_sentence(run):
    done = run("sh", "tools/find_python.sh")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "No Python 3.11, 3.12 or 3.13 with the venv module was found: "
    )
    assert done.stderr.count("\n") == 1


def test_a_python_that_is_too_old_or_does_not_start_is_passed_over(run):
    shims = {"python3.13": "exit 127", "python3.12": "exit 1", "python3.11": "exit 0"}
    done = run("sh", "tools/find_python.sh", pretend=shims)
    assert done.stdout == "python3.11\n"


@pytest.mark.skipif(
    not (3, 11) <= sys.version_info < (3, 14), reason="needs a supported Python"
)
def test_python_can_be_named(run):
    done = run("sh", "tools/find_python.sh", PYTHON=sys.executable)
    assert done.stdout == f"{sys.executable}\n"


def test_chromium_that_is_there_is_enough_and_named(run):
    done = run("sh", "tools/install_chromium.sh", pretend={"google-chrome": ""})
    assert done.returncode == 0
    assert done.stdout.endswith("/google-chrome\n")


def test_no_chromium_and_no_root_gives_the_command_to_run(run):
    done = run(
        "sh",
        "tools/install_chromium.sh",
        pretend={"id": "echo 1000", "apt-get": "exit 0"},
    )
    assert done.returncode == 1
    assert "run 'sudo apt-get install chromium fonts-dejavu-core'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_root_installs_chromium(run, tmp_path):
    log = tmp_path / "log"
    pretend = {"id": "echo 0", "apt-get": f'echo "$@" >> {log}'}
    done = run("sh", "tools/install_chromium.sh", pretend=pretend)
    assert done.returncode == 0
    assert "install" in log.read_text()
    assert "chromium" in log.read_text()


def test_an_installation_that_fails_is_told(run):
    done = run(
        "sh", "tools/install_chromium.sh", pretend={"id": "echo 0", "apt-get": "exit 1"}
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Chromium could not be installed")


def test_a_book_that_cannot_be_rendered_shows_the_warnings(run, tmp_path):
    (tmp_path / "jupyter-book").write_text(
        "#!/bin/sh\necho 'x.md:3: WARNING: broken'\nexit 1\n"
    )
    (tmp_path / "jupyter-book").chmod(0o755)
    script = str(ROOT / "tools" / "build_book.sh")
    done = subprocess.run(
        ["sh", script, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "x.md:3: WARNING: broken" in done.stderr
    assert "_build/build.log" in done.stderr


@pytest.fixture
def project(tmp_path):
    """The Makefile, its tools, and an environment that pretends: it prints what it is given."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    pretend = {"python": "exit 0", "jepa-tutorial": 'printf "<%s>" "$@"'}
    for name, script in pretend.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    for name in ("torch", "numpy"):
        (tmp_path / ".venv/lib/python3.13/site-packages" / name).mkdir(parents=True)
    counted = make(tmp_path, "tools/check_venv.sh", "count", program="sh")
    (tmp_path / ".venv" / "installed-book").write_text(counted.stdout)
    return tmp_path


def make(project, *arguments, program="make"):
    return subprocess.run(
        [program, *arguments], cwd=project, capture_output=True, text=True, check=False
    )


def test_a_whole_environment_is_used(project):
    done = make(project, "run", "CHAPTER=01")
    assert (done.returncode, done.stdout) == (0, "<run><01><--store>")


def break_off(project):
    shutil.rmtree(project / ".venv/lib/python3.13/site-packages/torch")


def lose_python(project):
    (project / ".venv/bin/python").unlink()


def lose_pip(project):
    (project / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")


@pytest.mark.parametrize("damage", [break_off, lose_python, lose_pip])
def test_a_broken_environment_says_what_to_do(project, damage):
    damage(project)
    done = make(project, "run", "CHAPTER=01")
    assert done.returncode != 0
    assert done.stdout == ""
    sentence, *_ = done.stderr.splitlines()
    assert sentence == (
        "Parts of .venv are missing: run 'make clean', then this command again."
    )
    assert make(project, "clean").returncode == 0
    assert not (project / ".venv").exists()


def test_no_chapter_is_not_all_chapters(project, capsys):
    done = make(project, "run", "CHAPTER=")
    assert done.stdout == "<run><><--store>"
    assert main(["run", ""]) != 0
    assert "CHAPTER must be one of" in capsys.readouterr().err


REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="0" skipped="1"/></testsuites>'


@pytest.mark.parametrize(
    ("reports", "status", "closing"),
    [
        (
            {"a": REPORT.format(5, 0), "b": REPORT.format(3, 0)},
            0,
            "6 passed, 0 failed, 2 skipped",
        ),
        (
            {"a": REPORT.format(5, 1), "b": REPORT.format(3, 0)},
            1,
            "5 passed, 1 failed, 2 skipped",
        ),
        (
            {"a": REPORT.format(5, 0)},
            1,
            "4 passed, 1 failed, 1 skipped",
        ),  # b is missing
    ],
)
def test_the_closing_line_counts_all_reports(tmp_path, reports, status, closing):
    for name, text in reports.items():
        (tmp_path / f"{name}.xml").write_text(text)
    command = [
        sys.executable,
        str(ROOT / "tools" / "count_tests.py"),
        str(tmp_path),
        "a",
        "b",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == closing
