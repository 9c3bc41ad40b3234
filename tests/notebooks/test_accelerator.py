"""Every chapter where a reader has a GPU: its tensors and the CPU's must never meet."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from jepa_tutorial.publishing import chapters

BOOK = Path(__file__).resolve().parents[2] / "book"
PROGRAM = Path(__file__).with_name("accelerator.py")
# What the presets for a GPU change besides sizes.
CHANGES = {"07_moving_mnist": {"projection_dim": 8, "target_kind": "online"}}

pytestmark = pytest.mark.skipif(
    torch.__version__ < "2.13",
    reason="backends in Python are new, and may still change",
)


def on_accelerator(alone, path: Path, **parameters):
    return alone(str(PROGRAM), str(path), json.dumps(parameters))


def test_the_accelerator_refuses_what_a_gpu_would(alone, tmp_path):
    mixing = """
device = pick_device()
x = torch.zeros(3, 2, device=device)
assert (x + torch.tensor(1.0)).sum().item() == 6
assert x[torch.tensor([0, 2])].device == device and x.cpu().device.type == "cpu"
here = torch.ones(3, 2)
for mix in (
    lambda: x + here,
    lambda: torch.where(here > 0, x, x),
    lambda: here[x[:, 0].long()],
    x.numpy,
):
    try:
        mix()
    except (RuntimeError, TypeError):
        continue
    raise AssertionError("not refused")
"""
    head = "import torch\nfrom jepa_tutorial.runtime import pick_device"
    cells = [new_code_cell(source) for source in (head, mixing, "x + here")]
    path = tmp_path / "mixing.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    ended = on_accelerator(alone, path)
    fails = f"cell {cells[2].id} fails on the accelerator"
    assert fails in ended.stderr, ended.stdout[-2000:]


@pytest.mark.parametrize("path", chapters.chapters(BOOK), ids=lambda path: path.stem)
def test_chapter_runs_on_an_accelerator(alone, path):
    quick = chapters.preset_parameters(path, "quick")
    few = {"steps": min(6, quick["steps"])}  # each operation is slow here
    ended = on_accelerator(alone, path, **quick | few | CHANGES.get(path.stem, {}))
    assert ended.returncode == 0, ended.stderr[-500:] + ended.stdout[-3000:]
