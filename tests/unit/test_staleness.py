"""What makes stored values stale: code that can change a value, and nothing else."""

from __future__ import annotations

import shutil

import nbformat
import pytest
from toy import change, write_book

from jepa_tutorial import essence
from jepa_tutorial.essence import PACKAGE
from jepa_tutorial.publishing import chapters, staleness


@pytest.fixture
def package(tmp_path):
    """A copy of the package that a test may change."""
    ignore = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PACKAGE, tmp_path / "jepa_tutorial", ignore=ignore)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("losses.py", '"""One minus the mean', '"""1 minus the mean'),
        ("losses.py", "    check_batch(", "    # a comment\n    check_batch("),
        ("losses.py", "    check_batch(", "    assert True\n    check_batch("),
        ("losses.py", "    check_batch(", "    check_positive("),
        ("losses.py", "z_hat: Tensor", "z_hat: object"),
        ("losses.py", "@in_float32\ndef cosine", "def f():\n    ...\n\n\n@in_float32\ndef cosine"),
        ("checks.py", "must be one of", "must be among"),
        ("checks.py", "not 1 <= number", "not 2 <= number"),
        ("reports.py", "mininterval=0.5", "mininterval=0.7"),
        ("plots.py", "def use_style() -> None:", "def use_style(x=1) -> None:"),
        ("widgets/explorer.py", "class Explorer", "class Explored"),
        ("widgets/base.js", "Pause", "Stop"),
        ("probes.py", "dim=-1", "dim=1"),  # nothing here imports it
        ("runtime.py", "must be an integer from 0", "must lie between 0"),
    ],
)  # fmt: skip
def test_what_cannot_change_a_value_makes_nothing_stale(
    tmp_path, package, file, old, new
):
    path = write_book(
        tmp_path,
        "from jepa_tutorial.losses import cosine_loss\n"
        "from jepa_tutorial.runtime import set_seed\nfrom jepa_tutorial import plots\n"
        "from jepa_tutorial.widgets import Explorer\ncosine_loss, set_seed, plots, Explorer",
    )
    before = staleness.code_hash(path, package)
    change(package / file, old, new)
    assert staleness.code_hash(path, package) == before


@pytest.mark.parametrize(
    ("names", "file", "old", "new"),
    [
        (".losses import cosine_loss", "losses.py", "return 1 - F", "return 1.001 - F"),
        # Whatever name it has here, or as an attribute.
        (".losses import cosine_loss as c", "losses.py", "1 - F", "2 - F"),
        (" import losses as ls\nls.cosine_loss", "losses.py", "1 - F", "2 - F"),
        (".worlds import points\npoints.line", "worlds/points.py", "seq_len", "length"),
        # Through a module that only passes it on.
        (".jepa import vjepa2_mode", "targets.py", "(x_target), (z,)", "(x_target), ()"),
        # Under another name; through a constant, an import, a function of another module.
        (".losses import cosine_loss", "losses.py", "cosine_loss", "cosine_cost"),
        (".losses import cosine_loss", "losses.py", "torch.nn.functional as F", "torch as F"),
        (".runtime import set_seed", "runtime.py", "SEEDS = 2**32", "SEEDS = 2**31"),
        (".worlds.points import make_trajectories", "runtime.py", "SEEDS = 2**32", "SEEDS = 9"),
    ],
)  # fmt: skip
def test_what_can_change_a_value_makes_it_stale(
    tmp_path, package, names, file, old, new
):
    path = write_book(tmp_path, f"from jepa_tutorial{names}")
    before = staleness.code_hash(path, package)
    change(package / file, old, new)
    assert staleness.code_hash(path, package) != before


@pytest.mark.parametrize(
    ("number", "source", "counts"),
    [
        (0, "# Another title", False),
        (1, "steps = 4\nseed = 0", True),
        (2, "from torch import Tensor", True),
        (3, "print('look again')", False),
    ],
)
def test_cells_that_compute_count_and_no_others(tmp_path, number, source, counts):
    path = write_book(tmp_path)
    before = staleness.code_hash(path)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number].source = source
    nbformat.write(notebook, path)
    assert (staleness.code_hash(path) != before) == counts


def test_every_chapter_reaches_what_it_imports():
    for path in chapters.chapters(PACKAGE.parent / "book"):
        notebook = chapters.study_cells(nbformat.read(path, as_version=4))
        source = "\n".join(c.source for c in chapters.code_cells(notebook))
        code = essence.parse(source)
        reached = essence.reached(code, PACKAGE)
        for module, name in essence.imported(code, PACKAGE).values():
            if not essence.is_left_out(module):
                assert any(repr(name) in part for part in reached), f"{module}.{name}"


def test_magics_do_not_stop_the_hash(tmp_path):
    path = write_book(tmp_path, "import sys\nif sys:\n    %pip install x\n!ls\nx = 1")
    assert len(staleness.code_hash(path)) == 16


def test_canonical_text_is_fixed():
    """The same text on all Python versions: this literal was made on 3.11."""
    tree = essence.parse(
        'def f(a: int, *, b=1) -> str:\n    "doc"\n    if a:\n        raise E(a)\n'
        '    return f"{a}" if b else None\n'
    )
    assert essence.canonical(tree) == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='a')], "
        "kwonlyargs=[arg(arg='b')], kw_defaults=[Constant(value=1)]), "
        "body=[Return(value=IfExp(test=Name(id='b', ctx=Load()), "
        "body=JoinedStr(values=[FormattedValue(value=Name(id='a', ctx=Load()), conversion=-1)]), "
        "orelse=Constant()))])])"
    )
