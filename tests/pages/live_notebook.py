"""Makes a notebook with one figure of each kind, as a run stores it, in the file that is named."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import ipywidgets
import matplotlib as mpl
import nbformat
import torch
from ipywidgets.embed import embed_data

mpl.use("Agg")

from matplotlib import pyplot as plt

from jepa_tutorial.publishing.execution import KERNEL
from jepa_tutorial.widgets.base import Live
from jepa_tutorial.widgets.clouds import Clouds
from jepa_tutorial.widgets.explorer import Choice, Explorer, Slider
from jepa_tutorial.widgets.gradient_field import GradientField
from jepa_tutorial.widgets.shadows import Shadows

torch.manual_seed(0)
PHASE = torch.linspace(-math.pi, math.pi, 60)
RING = torch.stack([PHASE.cos(), PHASE.sin()], dim=-1)
STEPS = [0, 10, 20, 30, 40]
GROWTH = {"living": [0.5, 0.4, 0.6, 0.8, 1.0], "dead": [0.5, 0.2, 0.1, 0.01, 0.001]}


def clouds() -> Clouds:
    sizes = {name: torch.tensor(values) for name, values in GROWTH.items()}
    return Clouds(
        {name: size[:, None, None] * RING for name, size in sizes.items()},
        steps=STEPS,
        colors={"phase": PHASE, "velocity": RING[:, 0]},
        curves={
            name: {"spread": size, "loss": size**2} for name, size in sizes.items()
        },
        alt=lambda frame: (
            f"living {sizes['living'][frame]:.3f}, dead {sizes['dead'][frame]:.3f}."
        ),
        title="Two clouds",
        interval=50,
    )


def choices() -> Clouds:
    growth = torch.linspace(0.2, 1, len(STEPS))[:, None, None]
    points = torch.stack([size * growth * RING for size in (0.5, 1.0, 1.5)])
    return Clouds(
        {"one": points},
        steps=STEPS,
        colors={"phase": PHASE},
        alt=lambda frame, choice: f"Frame {frame} of choice {choice}.",
        title="A cloud and a choice",
        choice=("decay tau", [0, 0.9, 1]),
    )


def draw(step: int, model: str) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.bar([model], [step])
    ax.set(ylim=(0, 8))
    return fig


def figures() -> list[Live]:
    flat = torch.randn(80, 3) * torch.tensor([1.5, 0.1, 1.0])
    controls = {"step": Slider("Step", [1, 2, 4]), "model": Choice("Model", ["a", "b"])}
    return [
        clouds(),
        choices(),
        GradientField(),
        Shadows({"ring": 1.4 * RING, "flat": flat}),
        Explorer(
            draw,
            controls,
            lambda **at: f"Bar {at['model']}{at['step']}.",
            title="Bars",
            play="step",
        ),
    ]


def output(figure: Live) -> nbformat.NotebookNode:
    data, metadata = figure._repr_mimebundle_()
    return nbformat.v4.new_output("display_data", data, metadata=metadata)


if __name__ == "__main__":
    made = figures()
    code = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell("# Live figures"),
        code("import torch", metadata={"tags": ["hide-input", "setup"]}),
        *(
            code(
                f"figure_{i}",
                metadata={"tags": ["hide-input"]},
                outputs=[output(figure)],
            )
            for i, figure in enumerate(made)
        ),
        code("1 + 1", metadata={"tags": ["hide-cell"]}),
        code("2 + 2", metadata={"tags": ["hide-input"]}),
        nbformat.v4.new_markdown_cell("Then three in a row."),
        *(code(f"{n} + {n}", metadata={"tags": ["hide-input"]}) for n in (3, 4, 5)),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = KERNEL
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    state = embed_data(made, drop_defaults=False)["manager_state"]
    kind = "application/vnd.jupyter.widget-state+json"
    notebook.metadata["widgets"] = {kind: json.loads(json.dumps(state))}
    notebook.metadata["versions"] = {"ipywidgets": ipywidgets.__version__}
    nbformat.write(notebook, Path(sys.argv[1]))
