"""The project's files agree with each other: packages, versions, addresses, workflows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from jepa_tutorial.publishing.execution import KERNEL

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
TAG = f"v{PROJECT['version']}"
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}

# Colab's image of August 2026.
COLAB = {
    "python": "3.13.0", "torch": "2.11.0", "numpy": "2.1.0", "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1", "anywidget": "0.9.21", "ipykernel": "6.17.1", "ipython": "7.34.0",
    "nbformat": "5.11.0",
}  # fmt: skip


def requirements(*extras: str) -> dict[str, Requirement]:
    """Requirements of the package and of some extras, by name."""
    listed = list(PROJECT["dependencies"])
    for extra in extras:
        listed += PROJECT["optional-dependencies"][extra]
    parsed = [Requirement(line) for line in listed]
    return {canonicalize_name(r.name): r for r in parsed if r.name != PROJECT["name"]}


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    parts = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(part) == 2 for part in parts), (
        "every line of constraints.txt is name==version"
    )
    return {canonicalize_name(name): Version(version) for name, version in parts}


def conda() -> tuple[list[str], list[str]]:
    """The lines of environment.yml for conda and for pip."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    return [entry for entry in listed if isinstance(entry, str)], pip


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", *patterns]
    names = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        ROOT / name for name in names.stdout.splitlines() if (ROOT / name).is_file()
    ]


def texts() -> dict[str, str]:
    found = {}
    for path in tracked():
        if path.suffix not in {".png", ".webp"}:
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    return found


def test_every_requirement_is_pinned_to_a_version_that_satisfies_it():
    for name, requirement in requirements("book", "test").items():
        if requirement.marker and not requirement.marker.evaluate(
            {"python_version": "3.11"}
        ):
            continue
        assert name in pins(), f"{name} is not in constraints.txt"
        assert requirement.specifier.contains(pins()[name]), f"{name}: {pins()[name]}"


def test_colab_satisfies_what_a_chapter_needs():
    for name, requirement in requirements().items():
        if name in COLAB:
            assert requirement.specifier.contains(COLAB[name]), (
                f"{requirement}: {COLAB[name]}"
            )
    for version in ("3.10", "3.11", "3.12", COLAB["python"]):
        assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_conda_names_the_same_packages_with_the_same_ranges():
    from rattler import MatchSpec  # conda's own grammar

    lines, pip = conda()
    assert all(MatchSpec(line) for line in lines)
    ranges = dict(re.fullmatch(r"(\S+) ?(.*)", line).groups() for line in lines)
    ranges.pop("pip")
    assert ranges.pop("python") == ">=3.11,<3.14"
    ours = {CONDA_NAMES.get(name, name): text for name, text in ranges.items()}
    wanted = {
        name: str(r.specifier)
        for name, r in requirements().items()
        if name != "papermill"
    }
    assert ours == wanted
    assert pip == ["--constraint constraints.txt", "--editable .[test]"]


def test_conda_grammar_refuses_a_mistake():
    from rattler import MatchSpec

    with pytest.raises(Exception, match="version"):
        MatchSpec("numpy =>1.26")


def check_workflows(*files):
    module = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    command = [sys.executable, *module, *files]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_workflows_are_valid():
    files = [str(path) for path in tracked(".github/workflows/*.yml")]
    assert len(files) == 3
    done = check_workflows(*files)
    assert done.returncode == 0, done.stdout


def test_workflow_check_refuses_a_mistake(tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("name: x\non: push\njobs: {a: {steps: []}}\n")
    assert check_workflows(str(bad)).returncode == 1


def test_the_citation_is_valid_and_says_what_the_project_says():
    schema = ["--builtin-schema", "vendor.citation-file-format"]
    command = [sys.executable, "-m", "check_jsonschema", *schema]
    file = ROOT / "CITATION.cff"
    done = subprocess.run([*command, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    citation = yaml.safe_load(file.read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == REPOSITORY
    assert citation["authors"] == PROJECT["authors"]
    assert (
        citation["title"] == yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
    )
    assert "[CITATION.cff](CITATION.cff)" in (ROOT / "README.md").read_text()


def test_the_check_of_the_citation_refuses_a_mistake(tmp_path):
    bad = tmp_path / "CITATION.cff"
    bad.write_text((ROOT / "CITATION.cff").read_text().replace("authors:", "author:"))
    schema = ["--builtin-schema", "vendor.citation-file-format"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, bad]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_badges_are_true():
    """Each leads to what it speaks of: tests that exist, the license, the versions."""
    readme = (ROOT / "README.md").read_text()
    badges = dict(re.findall(r"\[!\[([^\]]+)\]\([^)]+\)\]\(([^)]+)\)", readme))
    workflow = f"{REPOSITORY}/actions/workflows/tests.yml"
    assert f"[![Tests]({workflow}/badge.svg)]({workflow})" in readme
    assert (ROOT / ".github/workflows/tests.yml").is_file()
    versions = [
        text.rsplit(" ", 1)[1] for text in PROJECT["classifiers"] if ":: 3." in text
    ]
    python = f"Python {versions[0]} to {versions[-1]}"
    license_ = f"License: {PROJECT['license']}"
    assert badges.keys() == {"Tests", python, license_}
    static = [
        python.replace(" ", "-", 1).replace(" ", "_"),
        license_.replace(": ", "-"),
    ]
    for text in static:
        assert f"img.shields.io/badge/{text.lower()}".lower() in readme.lower()
    assert PROJECT["license"] in (ROOT / "LICENSE").read_text().splitlines()[0]


def test_workflows_use_the_pinned_torch_and_colab_versions():
    pinned = f"torch=={pins()['torch']}"
    for name in ("tests", "book"):
        assert pinned in (ROOT / f".github/workflows/{name}.yml").read_text()
    assert pinned in (ROOT / "README.md").read_text()
    weekly = (ROOT / ".github/workflows/weekly.yml").read_text()
    for name in ("torch", "ipywidgets", "anywidget", "ipykernel", "ipython"):
        assert f"{name}=={COLAB[name]}" in weekly
    assert f'python-version: "{COLAB["python"][:4]}"' in weekly


def test_hooks_use_the_pinned_tools():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    revisions = {
        hook["repo"].rsplit("/", 1)[1]: hook["rev"].lstrip("v") for hook in hooks
    }
    assert revisions["ruff-pre-commit"] == str(pins()["ruff"])
    assert revisions["check-jsonschema"] == str(pins()["check-jsonschema"])


def test_the_repository_has_one_address_and_one_release():
    owner_and_name = REPOSITORY.removeprefix("https://github.com/")
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["repository"]["url"] == REPOSITORY
    assert config["repository"]["branch"] == TAG
    name = owner_and_name.split("/")[1]
    for file, text in texts().items():
        for found in re.findall(rf"github(?:\.com)?/([\w.-]+/{name})\b", text):
            assert found == owner_and_name, f"{file}: {found}"
        for found in re.findall(rf"{owner_and_name}(?:@|/blob/)([\w.]+)", text):
            assert found == TAG, f"{file}: {found}"


def test_the_package_knows_its_version():
    import jepa_tutorial

    assert jepa_tutorial.__version__ == PROJECT["version"]


def test_no_file_names_a_machine_or_a_package_registry():
    # Written so that this file does not hold what it looks for.
    hosts = [f"{host}[.]{end}" for host, end in (("pypi", "org"), ("npmjs", "org"))]
    hosts.append("python" + "hosted")
    folders = [f"/{folder}/" for folder in ("work", "root", "home")]
    pattern = re.compile("|".join([*hosts, *folders, "/tmp" + r"/\w"]))
    for file, text in texts().items():
        assert not pattern.search(text), f"{file}: {pattern.search(text)}"


def test_help_and_readme_list_every_make_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    done = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^  (\w+) ", done.stdout, re.M)
    assert sorted(listed) == sorted(set(phony) - {"whole"})  # for the others
    for target in listed:
        assert f"`make {target}" in (ROOT / "README.md").read_text()


def lines_of_code(path: Path) -> int:
    """Lines without blanks, comments and docstrings."""
    lines = set()
    for node in ast.walk(ast.parse(path.read_text())):
        for field in ("lineno", "end_lineno"):
            if isinstance(node, (ast.stmt, ast.expr, ast.arg)):
                is_text = isinstance(node, ast.Expr) and isinstance(
                    node.value, ast.Constant
                )
                if not is_text and not isinstance(node, ast.Constant):
                    lines.add(getattr(node, field))
    return len(lines)


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ("*.py", 2000),
        ("worlds/*.py", 950),
        ("widgets/*.py", 670),
        ("publishing/*.py", 900),
    ],
)
def test_package_stays_small(files, most):
    found = (ROOT / "jepa_tutorial").glob(files)
    assert 100 < sum(map(lines_of_code, found)) <= most


def test_notebooks_are_normalized():
    for path in tracked("book/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        # Else JupyterLab changes the file when it is opened, and converters write `.txt`.
        assert notebook.metadata.kernelspec == KERNEL
        assert notebook.metadata.language_info.nbconvert_exporter == "python"
        assert notebook.metadata.language_info.file_extension == ".py"


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
def test_pins_install_on_the_first_release_of_each_python(python):
    """A distribution's Python is seldom the newest: Debian 12 has 3.11.2."""
    seen = 0
    for name, version in pins().items():
        try:
            found = metadata(name)
        except PackageNotFoundError:  # needed on another platform only
            continue
        asked = found.get("Requires-Python") or ""
        if Version(found["Version"]) == version:
            assert SpecifierSet(asked).contains(python), f"{name} needs {asked}"
            seen += 1
    assert seen > len(pins()) / 2, "the pinned packages are not what is installed"
