"""Every chapter, as stored: its parts, its limits, and that it says what the package says."""

from __future__ import annotations

import ast
import difflib
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook

from jepa_tutorial import essence
from jepa_tutorial.publishing import chapters, execution
from jepa_tutorial.reports import RECORD

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
CHAPTERS = chapters.chapters(BOOK)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REPOSITORY = PROJECT["urls"]["Repository"]
TAG = f"v{PROJECT['version']}"
PACKAGE = ROOT / "jepa_tutorial"
BESIDE = {
    *("__init__", "__main__", "artifacts", "checkpoints", "checks", "essence"),
    *("files", "plots", "published", "reports", "runtime", "studies"),
}
TAUGHT = {
    path.relative_to(PACKAGE).with_suffix("").as_posix()
    for path in PACKAGE.glob("*.py")
    if path.stem not in BESIDE
} | {"worlds/curves", "worlds/pendulum", "worlds/points", "worlds/tasks"}
SAVED = re.compile(r"# saved in jepa_tutorial/([\w/]+)\.py\n")
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/svg+xml")
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(params=[*CHAPTERS, BOOK / "template.ipynb"], ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def prose(notebook) -> str:
    return "\n\n".join(
        cell.source for cell in notebook.cells if cell.cell_type == "markdown"
    )


def code(notebook) -> list:
    return [cell for cell in chapters.code_cells(notebook) if cell.source.strip()]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def folded(cell) -> bool:
    return bool({"hide-input", "hide-cell"} & set(tags(cell)))


def parameters_cell(notebook):
    return next(cell for cell in code(notebook) if "parameters" in tags(cell))


# --- the parts of a chapter --------------------------------------------------------------------


def test_has_the_parts_of_a_chapter(notebook):
    text = prose(notebook)
    titles = [line for line in text.splitlines() if re.match(r"#{1,6} ", line)]
    assert titles[0].startswith("# "), "the first heading is the chapter's title"
    assert sum(title.startswith("# ") for title in titles) == 1
    for part in ("Overview", "Limits", "Exercises", "In short"):
        assert f"## {part}" in titles, part
    for words in ("Measure", "Break it", "Fix it"):
        assert any(title.startswith(f"## {words}") for title in titles), words
    assert "| Prerequisite |" in text
    assert "### What comes next" in titles


def test_search_engines_are_told_the_chapter_that_it_is(path, notebook):
    if path in CHAPTERS:
        description = notebook.metadata.myst.html_meta["description lang=en"]
        number = int(path.stem.split("_")[0])
        assert description.startswith(f"Chapter {number} ")
        assert notebook.cells[0].source.startswith(f"# {number}. ")


def test_states_its_budget_and_what_its_stored_run_took(path, notebook):
    budget, run = (
        chapters.presets(path)["budget_s"],
        notebook.metadata["jepa_tutorial"],
    )
    assert (
        f"**Time:** about {budget} s on two CPU cores. The run that is stored here took "
        f"{run['cpu_seconds']:.0f} s of one core of {run['machine']}. On a Colab GPU:"
    ) in prose(notebook)


def test_opens_in_colab_and_installs_its_own_release(path, notebook):
    place = REPOSITORY.removeprefix("https://github.com/")
    link = (
        f"https://colab.research.google.com/github/{place}/blob/{TAG}/book/{path.name}"
    )
    assert f"]({link})" in notebook.cells[0].source
    setup = next(
        cell.source for cell in code(notebook) if "google.colab" in cell.source
    )
    assert f"git+{REPOSITORY}@{TAG}" in setup


def test_first_code_cell_holds_plain_parameters_and_a_seed(path, notebook):
    first = parameters_cell(notebook)
    before = code(notebook)[: code(notebook).index(first)]
    assert all("opening" in tags(cell) for cell in before)
    for statement in ast.parse(first.source).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
    accepted = chapters.default_parameters(notebook)
    assert "seed" in accepted
    used = [chapters.presets(path)[preset] for preset in ("quick", "full")]
    for parameters in used + chapters.study_grid(path):
        assert set(parameters) <= set(accepted)


def test_has_three_to_five_exercises_each_with_a_folded_answer_that_ran(notebook):
    cells = notebook.cells
    places = [i for i, cell in enumerate(cells) if re.match(r"\*\*\d\. ", cell.source)]
    assert 3 <= len(places) <= 5
    for place in places:
        question, answer = cells[place].source, cells[place + 1]
        assert "<details><summary>Answer</summary>\n\n" in question
        assert question.endswith("</details>")
        assert answer.cell_type == "code"
        assert answer.execution_count
        assert "hide-cell" in answer.metadata.tags
        assert answer.metadata.jupyter.source_hidden
        assert answer.metadata.cellView == "form"


def test_a_heading_that_is_linked_has_an_anchor_for_jupyterlab(notebook):
    """Which names headings in its own way, `Break-it:-two-ways`."""
    prose = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    for name in {n for text in prose for n in re.findall(r"\]\(#([\w-]+)\)", text)}:
        anchor = rf'^<a id="{name}"></a>\n#+ '
        found = [text for text in prose if re.search(anchor, text, re.M)]
        assert len(found) == 1, (
            f'write <a id="{name}"></a> on the line above the heading'
        )


# --- limits ------------------------------------------------------------------------------------


def test_is_light(path):
    assert path.stat().st_size < 1_500_000


def test_cells_are_short(notebook):
    seen = [cell for cell in code(notebook) if not folded(cell)]
    assert statistics.median(len(cell.source.splitlines()) for cell in seen) <= 8
    for cell in code(notebook):
        length = len(cell.source.splitlines())
        if "google.colab" in cell.source and "hide-input" in tags(cell):
            continue  # all imports, folded
        network_or_loop = re.search(
            r"^class |^def (train|minimize)|^parameters", cell.source, re.M
        )
        assert length <= (35 if network_or_loop else 20), cell.source[:80]


def test_lines_fit_on_the_page(notebook):
    for cell in code(notebook):
        for line in cell.source.splitlines():
            assert len(line) <= 88, line


def test_prose_stands_before_code_in_view(notebook):
    cells = notebook.cells
    before = [
        cells[i - 1].cell_type == "markdown"
        for i, cell in enumerate(cells)
        if cell.cell_type == "code" and not folded(cell)
    ]
    assert sum(before) / len(before) >= 0.9


def test_generators_come_from_the_helper_that_refuses_seeds_out_of_range():
    """PyTorch takes any, and cuts them off: of 2**40 it makes 0."""
    texts = {
        path.name: "\n".join(c.source for c in code(nbformat.read(path, 4)))
        for path in CHAPTERS
    }
    for path in PACKAGE.rglob("*.py"):
        if path.stem != "runtime":
            texts[path.name] = path.read_text()
    own = re.compile(r"\bGenerator\(\)|\.manual_seed\(")
    assert not [name for name, text in texts.items() if own.search(text)]


def test_there_is_one_loop_one_roll_out_and_one_jepa():
    texts = {path.stem: path.read_text() for path in PACKAGE.rglob("*.py")}
    for path in CHAPTERS:  # what is saved is counted once, in the package
        own = (c.source for c in code(nbformat.read(path, 4)))
        texts[path.stem] = "\n".join(s for s in own if not SAVED.match(s))

    def where(pattern: str) -> list[str]:
        return sorted(n for n, s in texts.items() for _ in re.findall(pattern, s, re.M))

    assert where(r"optimizer\.step\(\)") == ["01_trajectories", "training"]
    assert where(r"optim\.(Adam|SGD)\w*\(") == ["01_trajectories", "training"]
    assert where(r"class \w*JEPA\b") == ["jepa"]
    assert where(r"^def roll_?out\w*\(") == ["predictors"]


def test_has_a_picture_every_few_cells(notebook):
    cells = chapters.code_cells(notebook)
    main = [cell for cell in cells if "hide-cell" not in tags(cell)]  # no answers
    assert sum(map(has_picture, cells)) >= len(main) / 5


def has_picture(cell) -> bool:
    return any(
        kind in out.get("data", {})
        for out in cell.outputs
        for kind in (*IMAGES, WIDGET)
    )


def test_every_picture_has_a_text_alternative(notebook):
    for cell in code(notebook):
        of_cell = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for out in cell.outputs:
            for kind in set(IMAGES) & set(out.get("data", {})):
                # A widget's first frame carries its own.
                alt = out.metadata.get(kind, {}).get("alt", of_cell)
                assert len(alt) >= 30, cell.source[:80]


def test_was_executed_in_order_without_error(notebook):
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]


def test_holds_no_widget_that_is_dead_on_the_page(notebook):
    for cell in code(notebook):
        assert not re.search(
            r"\b(interact|interactive|Output)\(|tqdm\.(auto|notebook)", cell.source
        )
        assert not re.search(r"os\.environ|getenv", cell.source)


def test_says_nothing_that_needs_sphinx(notebook):
    text = prose(notebook)
    assert not re.search(r"\{[a-z:-]+\}`|^```\{|^:::", text, re.M)


def test_prose_has_no_number_typed_by_hand(notebook):
    """Decimals, percents and multiples come from cells; tables of settings are tested below."""
    text = re.sub(
        r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)|^\|.*$|\*\*Time:\*\*.*|Figure \d+\.\d+",
        "",
        re.sub(r"\$\$.*?\$\$", "", prose(notebook), flags=re.S),
        flags=re.M,
    )
    found = re.findall(r"\d+\.\d+|\d+ ?%|\d+ times", text)
    assert not found


def test_table_of_names_shows_the_parameters(notebook):
    values = {}
    for statement in ast.parse(parameters_cell(notebook).source).body:
        values[statement.targets[0].id] = ast.literal_eval(statement.value)
    table = prose(notebook).split("### Names in other code")[1].split("### ")[0]
    rows = [
        [part.strip() for part in line.split("|")[1:-1]]
        for line in table.splitlines()
        if "|" in line
    ]
    checked = 0
    for _, _, here, value in rows[2:]:
        name = re.match(r"`(\w+)`", here)
        if name and name[1] in values:
            assert values[name[1]] == yaml.safe_load(value.strip("`")) or values[
                name[1]
            ] == float(value)
            checked += 1
    assert checked >= 5


def test_cites_only_what_the_bibliography_holds(notebook):
    known = set(re.findall(r"url = \{(.+?)\}", (BOOK / "references.bib").read_text()))
    cited = set(
        re.findall(
            r"\]\((https://(?:arxiv\.org|doi\.org|openreview\.net)[^)]*)\)",
            prose(notebook),
        )
    )
    assert cited <= known


def test_reports_are_stored_in_glue_form(notebook):
    values = execution.reported(notebook)
    assert len(values) >= 5
    for cell in code(notebook):
        for output in cell.outputs:
            if "scrapbook" in output.get("metadata", {}):
                assert list(output.data) == [RECORD + "text/plain"]


def test_figures_that_move_carry_their_data_and_texts(notebook):
    states = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"][
        "state"
    ]
    figures = [s for s in states.values() if s["model_module"] == "anywidget"]
    assert figures, "a chapter has at least one figure that moves"
    for figure in figures:
        state = figure["state"]
        kind = state["_anywidget_id"].rpartition(".")[2]
        bytes_of = {"Explorer": [["frames"]], "GradientField": []}
        bytes_of["Playground"] = [["trained"]]
        buffers = bytes_of.get(kind, [["data"]])
        assert [buffer["path"] for buffer in figure.get("buffers", [])] == buffers
        if kind == "Explorer":
            assert len(state["alts"]) == len(state["lengths"]) > 1


# --- a study leaves out the cells that only show -------------------------------------------------

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
EXPRESSIONS_WITH_NAMES_OF_THEIR_OWN = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


def taken_from_outside(node: ast.AST) -> set[str]:
    """Names that a definition, lambda or comprehension reads and does not bind itself."""
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    own = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            own.add(part.arg)
        elif isinstance(part, DEFINITIONS):
            own.add(part.name)
    return read - own


def what_happens(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that a cell reads or binds, in order; a function reads when it is called."""
    if isinstance(node, DEFINITIONS):
        yield "binds", node.name
    elif isinstance(node, EXPRESSIONS_WITH_NAMES_OF_THEIR_OWN):
        for name in taken_from_outside(node):
            yield "reads", name
    elif isinstance(node, ast.alias):
        yield "binds", (node.asname or node.name).split(".")[0]
    elif isinstance(node, ast.Name):
        yield "reads" if isinstance(node.ctx, ast.Load) else "binds", node.id
    else:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield "reads", node.target.id
        parts = list(ast.iter_child_nodes(node))
        for first in ("value", "iter"):  # before the names that they are given
            parts.sort(key=lambda part: part is not getattr(node, first, None))
        for part in parts:
            yield from what_happens(part)
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(
            node.ctx, ast.Store
        ):  # x.y = 1 or x[y] = 1 makes another x
            for part in ast.walk(node.value):
                if isinstance(part, ast.Name):
                    yield "binds", part.id


def held_functions(statement: ast.stmt) -> dict[str, set[str]]:
    """What the functions that a statement keeps under a name read, when they are called."""
    if isinstance(statement, DEFINITIONS):
        return {statement.name: taken_from_outside(statement)}
    if not isinstance(statement, ast.Assign):
        return {}
    read = [
        taken_from_outside(part)
        for part in ast.walk(statement.value)
        if isinstance(part, ast.Lambda)
    ]
    parts = [part for target in statement.targets for part in ast.walk(target)]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return {name: set().union(*read) for name in names if read}


def breaches(notebook) -> list[str]:
    """How the cells that only show have a hand in what is computed; empty if they do not."""
    found: list[str] = []
    shown: set[str] = set()  # names as a cell that only shows has left them
    held: dict[str, set[str]] = {}

    def reached(name: str) -> set[str]:
        seen, waiting = set(), [name]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += held.get(name, ())
        return seen

    for cell in code(notebook):
        only_shows = chapters.SKIP_STUDY in cell.metadata.get("tags", [])
        if not only_shows and re.search(
            r"\b(stored_study|stored_values|matching_runs)\(", cell.source
        ):
            found.append(f"computes with the stored study: {cell.source[:60]!r}")
        for statement in essence.parse(cell.source).body:
            for name, read in held_functions(statement).items():
                held[name] = held.get(name, set()) | read
            for does, name in what_happens(statement):
                if does == "reads" and only_shows and "report" in reached(name):
                    found.append(f"reports, only showing: {cell.source[:60]!r}")
                elif does == "reads" and not only_shows:
                    found += [
                        f"{one} is what a cell that only shows made it: {cell.source[:60]!r}"
                        for one in sorted(reached(name) & shown)
                    ]
                elif does == "binds" and only_shows:
                    shown.add(name)
                elif does == "binds":
                    shown.discard(name)
    return list(dict.fromkeys(found))


def test_cells_that_only_show_leave_the_computation_alone(notebook):
    found = breaches(notebook)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["report('a', 1)"], ["reports, only showing"]),
        (["def f():\n    report('a', 1)", "f()"], ["reports, only showing"]),
        (["import numpy as np", "-np.ones(3)"], ["np is what"]),
        (["for x in (1, 2):\n    pass", "-y = [x]"], ["x is what"]),
        (["with f() as x:\n    pass", "-x += 1"], ["x is what"]),
        (["x = 2", "-x = x + 1"], ["x is what"]),
        (["-x = {}", "x[1] = 2", "-x"], ["x is what"]),
        (["x = 2", "-for x in (1,):\n    x = x + 1", "-x"], []),
        (["-def f():\n    return x", "x = 2", "-f()"], ["x is what"]),
        (["-d = {1: lambda: x}", "x = 2", "-d[1]()"], ["x is what"]),
        (["x = 2", "-def f():\n    return x", "-x = 3", "-f()"], []),
        (["x = 2", "-y = [x for x in (1, 2)]"], []),
        (["x = 2", "x + 1", "-x = 1", "-report('a', x)"], []),
        (["-s = stored_study('a')"], ["computes with the stored study"]),
        (["-runs = matching_runs(s)"], ["computes with the stored study"]),
        (["runs = matching_runs(stored_study('01'))"], []),
    ],
)
def test_the_check_of_cells_that_only_show_sees_each_breach(cells, words):
    """A cell that computes begins with a minus."""
    notebook = new_notebook(
        cells=[
            new_code_cell(
                cell.removeprefix("-"),
                metadata={"tags": [] if cell[0] == "-" else ["skip-study"]},
            )
            for cell in cells
        ]
    )
    found = breaches(notebook)
    assert len(found) == len(words)
    assert all(w in text for w, text in zip(words, found, strict=True))


# --- chapter and package stay one --------------------------------------------------------------


def definitions(source: str) -> dict[str, str]:
    """Each top-level statement's text by name, its docstrings cut down to their first line."""
    lines = source.splitlines()
    tree = ast.parse(source)
    drop: set[int] = set()
    owners = (ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, owners) and ast.get_docstring(node):
            docstring = node.body[0]
            first, last = docstring.lineno, docstring.end_lineno
            lines[first - 1] = lines[first - 1].rstrip().removesuffix('"""')
            drop |= set(range(first + 1, last + 1))
    found = {}
    for node in tree.body:
        first = min(
            [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]
        )
        text = [
            lines[i - 1] for i in range(first, node.end_lineno + 1) if i not in drop
        ]
        if isinstance(node, owners):
            found[node.name] = "\n".join(text)
        elif isinstance(node, ast.Assign):
            found[node.targets[0].id] = "\n".join(text)
    return found


def saved_cells(path: Path) -> list[tuple[str, str]]:
    """Module and source of each cell that says where it is saved."""
    cells = chapters.code_cells(nbformat.read(path, as_version=4))
    found = ((SAVED.match(cell.source), cell.source) for cell in cells)
    return [(match[1], source) for match, source in found if match]


def differences(cell: str, module: str) -> str:
    """How the definitions of a cell differ from the module's, as a diff; empty if not at all."""
    package, report = definitions(module), []
    for name, text in definitions(cell).items():
        other = package.get(name, "")
        if text != other:
            diff = difflib.unified_diff(
                text.splitlines(), other.splitlines(), "chapter", "package", lineterm=""
            )
            report += [f"{name}:", *diff]
    return "\n".join(report)


def test_saved_cells_are_the_package_text(path):
    for module, source in saved_cells(path):
        text = (PACKAGE / f"{module}.py").read_text()
        report = differences(source, text)
        assert not report, (
            f"{path.name} and jepa_tutorial/{module}.py differ:\n{report}"
        )


def test_saved_cells_hold_only_definitions(path):
    for _, source in saved_cells(path):
        for node in ast.parse(source).body:
            assert isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.Assign)), (
                source[:80]
            )


def test_each_taught_name_is_saved_by_exactly_one_chapter():
    saved = [
        (module, name)
        for path in CHAPTERS
        for module, source in saved_cells(path)
        for name in definitions(source)
    ]
    assert len(saved) == len(set(saved)), "saved twice"
    public = {
        (module, name)
        for module in TAUGHT
        for name in definitions((PACKAGE / f"{module}.py").read_text())
        if not name.startswith("_")
    }
    assert public == set(saved)


def test_taught_modules_import_numpy_and_torch_only():
    modules = [name.replace("/", ".") for name in sorted(TAUGHT)]
    code = (
        "import importlib, sys, numpy, torch\nbefore = set(sys.modules)\n"
        f"for name in {modules}:\n"
        "    importlib.import_module(f'jepa_tutorial.{name}')\n"
        "    new = {loaded.split('.')[0] for loaded in set(sys.modules) - before}\n"
        "    print(name, *new - sys.stdlib_module_names - {'jepa_tutorial'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == modules, done.stdout


def test_no_chapter_redefines_what_the_package_offers():
    for path in CHAPTERS:
        mine = {name for _, source in saved_cells(path) for name in definitions(source)}
        offered = {
            name
            for module in TAUGHT
            for name in definitions((PACKAGE / f"{module}.py").read_text())
        }
        for cell in chapters.code_cells(nbformat.read(path, as_version=4)):
            if not SAVED.match(cell.source):
                defined = {
                    n.name
                    for n in essence.parse(cell.source).body
                    if isinstance(n, (ast.ClassDef, ast.FunctionDef))
                }
                assert not defined & (offered | mine), path.name


MODULE = '''
@decorated
def f(x: int) -> int:
    """Double a number.

    Parameters
    ----------
    x : int
    """
    return 2 * x  # (B, T)
'''
CELL = '''# saved in jepa_tutorial/m.py
@decorated
def f(x: int) -> int:
    """Double a number."""
    return 2 * x  # (B, T)
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("", "", True),
        ("(B, T)", "(B, Z)", False),  # a comment holds a shape
        ("2 * x", "x * 2", False),
        ("Double a number", "Halve a number", False),
        ("@decorated\n", "", False),
        ("def f", "def g", False),
    ],
)
def test_the_comparison_sees_every_change(old, new, same):
    assert (differences(CELL.replace(old, new), MODULE) == "") == same


def test_pages_list_the_chapters_with_their_budgets():
    for page in (BOOK / "intro.md", ROOT / "README.md"):
        text = page.read_text()
        for path in CHAPTERS:
            budget = chapters.presets(path)["budget_s"]
            rows = (line for line in text.splitlines() if line.startswith("| ["))
            row = next((line for line in rows if path.name in line), "")
            assert row.rstrip().endswith(f"| {budget} s |"), f"{page.name}: {path.stem}"


def test_first_screens_say_how_long_it_takes():
    budgets = [chapters.presets(path)["budget_s"] for path in CHAPTERS]
    assert min(budgets) >= 30
    assert max(budgets) <= 7 * 60
    assert sum(budgets) < 30 * 60
    for page in (BOOK / "intro.md", ROOT / "README.md"):
        told = "half a minute to seven minutes on two CPU cores"
        assert told in page.read_text(), page.name
    assert "together run in less than half an hour" in (BOOK / "intro.md").read_text()


LISTED = re.compile(r"automodule:: jepa_tutorial\.([\w.]+)\n   :members:(.*)")
NOT_FOR_READERS = {"essence", "files", "widgets.base"} | {
    f"publishing.{path.stem}" for path in (PACKAGE / "publishing").glob("*.py")
}


def on_api_page() -> dict[str, set[str]]:
    """What the page lists of each module."""
    listed = {}
    for module, names in LISTED.findall((BOOK / "api.md").read_text()):
        source = (PACKAGE / f"{module.replace('.', '/')}.py").read_text()
        offered = {name for name in definitions(source) if not name.startswith("_")}
        listed[module] = set(names.replace(",", " ").split()) or offered
        assert listed[module] <= offered, module
    return listed


def test_the_api_page_lists_every_module_for_readers():
    modules = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.stem not in ("__init__", "__main__")
    }
    assert modules - NOT_FOR_READERS == set(on_api_page())


def test_the_api_page_lists_what_chapters_import():
    listed = on_api_page()
    for path in CHAPTERS:
        for cell in chapters.code_cells(nbformat.read(path, as_version=4)):
            for node in ast.walk(essence.parse(cell.source)):
                if isinstance(node, ast.ImportFrom) and "jepa_tutorial." in node.module:
                    module = node.module.removeprefix("jepa_tutorial.")
                    asked = {a.name for a in node.names if not a.name.isupper()}
                    if module in listed:
                        assert asked <= listed[module], f"{path.stem}: {module}"


def test_the_api_page_describes_each_argument():
    """In more than two words, or with a shape or a name; "low - The range" says nothing."""
    for module in on_api_page():
        tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                text = (ast.get_docstring(node) or "").partition("Parameters\n---")[2]
                text = re.split(r"\n\n\w+\n---", text)[0]
                for name, said in re.findall(
                    r"^(\S.* : .*)\n((?:    .*\n?)+)", text, re.M
                ):
                    assert len(said.split()) > 2 or "`" in said, f"{node.name}: {name}"


def test_no_output_is_a_bare_value(notebook):
    """A cell's last value is shown as a figure or a table, or given to ``_``."""
    for cell in code(notebook):
        for output in cell.outputs:
            if output.output_type == "execute_result":
                assert set(output.data) != {"text/plain"}, cell.source[-80:]
