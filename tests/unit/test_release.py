"""A release: one version, links that follow from it, and a refusal for each thing that is wrong."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHANGES = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2030-01-31\n\n### Added\n\n- A test.\n"
LINK = "https://github.com/jepa-tutorial/jepa-tutorial"
FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "_config.yml": f"repository:\n  url: {LINK}\n  branch: v1.2.3 # these pages'\n",
    "CITATION.cff": "cff-version: 1.2.0\nversion: 1.2.3\n",
    "CHANGELOG.md": CHANGES,
    "README.md": f"[Colab]({LINK}/blob/v1.2.3/book/01_toy.ipynb)\n",
    "book/01_toy.ipynb": f'"%pip install -q git+{LINK}@v1.2.3\\n",\n',
    "Makefile": "test check:\n\t@echo ran $@\n",
    ".venv/bin/jepa-tutorial": "#!/bin/sh\necho ran the command $1\n",
}


@pytest.fixture
def project(tmp_path):
    """A project that is ready to be released, with tests that pretend."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".venv/bin/jepa-tutorial").chmod(0o755)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "release.py", tmp_path / "tools")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(project, *arguments):
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    return subprocess.run(["git", *author, *arguments], cwd=project, check=True)


def commit(project):
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "change")


def release(project, *arguments):
    command = [sys.executable, str(project / "tools" / "release.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def change(project, file, old, new):
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    commit(project)


def test_a_project_that_is_ready_gets_the_commands_that_tag_it(project):
    done = release(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ran the command check\nran test\nran check\n" in done.stdout
    assert done.stdout.endswith(
        "  git tag -a v1.2.3 -m v1.2.3\n  git push origin v1.2.3\n"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("README.md", "v1.2.3", "v1.2.2", "README.md names another release"),
        ("_config.yml", "v1.2.3", "v1.2.2", "_config.yml names another release"),
        ("CITATION.cff", "n: 1.2.3", "n: 1", "CITATION.cff names another release"),
        ("book/01_toy.ipynb", "@v1", "@v0", "book/01_toy.ipynb names another release"),
        ("CHANGELOG.md", "[1.2.3]", "[1.2.2]", "CHANGELOG.md needs an entry"),
        ("CHANGELOG.md", " - 2030-01-31", "", "CHANGELOG.md needs an entry"),
        ("CHANGELOG.md", "### Added\n\n- A test.\n", "", "CHANGELOG.md needs an entry"),
        ("CHANGELOG.md", "ed]\n", "ed]\n\n- New.\n", "CHANGELOG.md lists changes as un"),
    ],
)  # fmt: skip
def test_what_is_not_in_line_is_refused_before_anything_runs(
    project, file, old, new, sentence
):
    change(project, file, old, new)
    done = release(project)
    assert (done.returncode, done.stdout) == (1, "")
    (told,) = done.stderr.splitlines()
    assert told.startswith(f"No release: {sentence}")


def test_a_tag_that_exists_is_refused(project):
    git(project, "tag", "v1.2.3")
    done = release(project)
    assert done.returncode == 1
    assert done.stderr == (
        "No release: the tag v1.2.3 exists: raise the version in pyproject.toml.\n"
    )


def test_changes_that_are_not_committed_are_refused(project):
    (project / "notes.txt").write_text("new")
    done = release(project)
    assert done.returncode == 1
    assert "changes that are not committed" in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "failed"),
    [
        ("Makefile", "@echo ran $@", "@test $@ = check", "make test"),
        ("Makefile", "@echo ran $@", "@test $@ = test", "make check"),
        (".venv/bin/jepa-tutorial", "echo", "exit 1 #", ".venv/bin/jepa-tutorial check"),
    ],
)  # fmt: skip
def test_tests_that_fail_are_refused(project, file, old, new, failed):
    change(project, file, old, new)
    done = release(project)
    assert done.returncode == 1
    assert f"No release: '{failed}' failed.\n" in done.stderr
    assert "git tag" not in done.stdout


def test_a_new_version_is_written_wherever_a_release_is_named(project):
    change(project, "pyproject.toml", "1.2.3", "1.10.0rc1")
    change(project, "CHANGELOG.md", "1.2.3", "1.10.0rc1")
    assert "names another release than v1.10.0rc1" in release(project).stderr
    assert release(project, "--write").stdout.count("names v1.10.0rc1 now") == 4
    for name in FILES.keys() - {"Makefile", ".venv/bin/jepa-tutorial"}:
        text = (project / name).read_text()
        assert "1.2.3" not in text
        assert "1.10.0rc1" in text
    commit(project)
    assert release(project).returncode == 0


def test_this_project_names_one_release():
    specification = importlib.util.spec_from_file_location(
        "release", ROOT / "tools" / "release.py"
    )
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    for path, text, wanted in tool.in_line(ROOT):
        assert text == wanted, f"{path.name}: run tools/release.py --write"


def test_nobody_else_states_the_version():
    """Notebooks aside, which say with which version they ran."""
    number = re.escape(
        re.search(r'version = "(.+)"', (ROOT / "pyproject.toml").read_text())[1]
    )
    listed = [
        "_config.yml",
        "README.md",
        "CONTRIBUTING.md",
        "Makefile",
        "environment.yml",
    ]
    files = [ROOT / name for name in listed]
    files += [*ROOT.glob("book/*.md"), *ROOT.glob("jepa_tutorial/**/*.py")]
    files += [*ROOT.glob("tools/*"), *ROOT.glob(".github/workflows/*")]
    links = re.compile(rf"(github.*|branch: )v{number}")
    for path in files:
        text = links.sub("", path.read_text(encoding="utf-8"))
        assert not re.search(rf"\b{number}\b", text), path.name
