"""Make the pictures that move in the README, and the still one for previews of links.

The models are trained by the cells of chapters 1 and 9, at the parameters of their pages: some
minutes on one core. Usage: python tools/make_animation.py
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from IPython.core.inputtransformer2 import TransformerManager
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from jepa_tutorial import plots
from jepa_tutorial.files import book_folder
from jepa_tutorial.publishing.chapters import has_tag, read_notebook, study_cells
from jepa_tutorial.widgets.clouds import SHADES, WHEEL, palette
from jepa_tutorial.worlds.two_rooms import DOOR

Names = dict[str, Any]
SIZE, DPI = (7.2, 3.78), 180  # inches, in the proportions of a link's preview
PREVIEW = (1200, 630)
IMAGINED = 24  # paths that are drawn before each push
HOLD = 2500  # milliseconds that the end of a scene stays
THEMES = {
    "light": plots.COLORS
    | {"paper": "#ffffff", "ink": "#1f2328", "pale": "#818b98", "far": "#edf2f7"},
    "dark": {
        "paper": "#0d1117", "ink": "#e6edf3", "pale": "#7d8590", "far": "#1a212b",
        "context": "#58a6ff", "target": "#ff8a3d", "prediction": "#2fcfa3",
    },
}  # fmt: skip


def run_cells(chapter: str, until: str, parameters: Names) -> Names:
    """Run a chapter's computing cells until one defines a name; return all names."""
    names: Names = {"__name__": chapter}
    for cell in study_cells(read_notebook(book_folder() / f"{chapter}.ipynb")).cells:
        if cell.cell_type == "code":
            source = TransformerManager().transform_cell(cell.source)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, chapter, "exec", dont_inherit=True), names)
        if has_tag(cell, "parameters"):
            names |= parameters
        if until in names:
            return names
    raise SystemExit(f"No cell that computes in {chapter} defines {until}")


def two_clouds(**parameters: Any) -> Names:
    """Train the two models of chapter 1; return what is drawn of them."""
    # Other levels of noise are not drawn.
    parameters = {"noise_levels": [], **parameters}
    names = run_cells("01_trajectories", "broken_snapshots", parameters)
    few, now, x = slice(400), names["now"], names["x_test"]
    clouds, curves = {}, {}
    for title, shots in (
        ("gradient through the target", names["broken_snapshots"]),
        ("gradient stopped, target a slow copy", names["snapshots"]),
    ):
        z = [names["directions"](made.z[few]) for made in shots.values()]
        clouds[title] = plots.widest_two(z).cpu()
        loss, spread, _ = names["course"](shots)
        curves[title] = {"loss": loss, "spread": spread}
    phase = torch.atan2(x[few, now, 1], x[few, now, 0]).cpu()
    steps = names["snapshot_steps"]
    return {"clouds": clouds, "curves": curves, "phase": phase, "steps": steps}


def way_through_the_door(**parameters: Any) -> Names:
    """Train chapter 9's model and let it drive one dot; return what is drawn of it."""
    names = run_cells("09_planning", "drive", parameters)
    goal = torch.tensor(names["goals"]["in the open"])
    start = torch.tensor([names["wall"] - 0.3 * names["side"], names["level"]])
    rooms = names["select"](names["tasks"], torch.tensor([0])).rooms
    asked: list[Tensor] = []

    def watched(energy_of: Any, plan: Tensor, *others: Any, **search: Any) -> Tensor:
        """Search as the chapter does, and note the candidates of the last round."""

        def noting(plans: Tensor) -> Tensor:
            rounds.append(plans[0])
            return energy_of(plans)

        rounds: list[Tensor] = []
        plan = names["METHODS"][names["method"]](noting, plan, *others, **search)
        asked.append(rounds[-1])
        return plan

    names["METHODS"] |= {"watched": watched}
    tasks = names["Tasks"](start[None], goal[None], rooms)
    path = names["drive"](tasks, method="watched")[0, : len(asked) + 1]
    imagined = []
    for place, plans in zip(path, asked, strict=False):
        z = names["look"](place[None], rooms).expand(len(plans), -1)
        ahead = names["model"].predictor(z, plans.to(z).unbind(dim=1))
        imagined.append(names["read"](torch.cat([z[:, None], ahead], dim=1)).cpu())
    line = names["line"]
    energy = names["landscapes"]["latent, goal in the open"].view(len(line), -1).T
    made = {"path": path, "imagined": imagined, "goal": goal, "energy": energy.cpu()}
    return made | {"line": line, "wall": names["wall"], "door": names["door"]}


def scene(theme: Names, heading: str, note: str) -> Figure:
    """Begin a picture: what it is about above, and where it stands below."""
    figure = Figure(SIZE, DPI, facecolor=theme["paper"], layout="none")
    style = {"color": theme["ink"], "ha": "center", "fontsize": 14}
    figure.text(0.5, 0.925, heading, fontweight="bold", **style)
    figure.text(0.5, 0.025, note, **style | {"color": theme["pale"], "fontsize": 10})
    return figure


def panel(figure: Figure, theme: Names, box: tuple[float, ...], title: str) -> Axes:
    """Add a panel without ticks in the theme's colors."""
    ax = figure.add_axes(box, facecolor=theme["paper"])
    ax.set_title(title, fontsize=11, color=theme["ink"], pad=5)
    ax.spines[:].set(visible=True, color=theme["pale"], lw=0.8)
    ax.set(xticks=[], yticks=[])
    return ax


def draw_clouds(made: Names, frame: int, theme: Names) -> Figure:
    """Draw both clouds at a step of their trainings, and how loss and spread went so far."""
    steps = made["steps"][: frame + 1]
    last = made["steps"][-1]
    note = f"step {steps[-1]} of {last}"
    figure = scene(theme, "The model with the better loss is dead", note)
    turns = (made["phase"] / math.tau + 0.5) % 1
    colors = np.array(palette(WHEEL))[(turns * SHADES).int().clamp(max=SHADES - 1)]
    ever = torch.cat([cloud.flatten(0, 1) for cloud in made["clouds"].values()])
    low, high = ever.amin(dim=0), ever.amax(dim=0)
    (x, y), half = ((low + high) / 2).tolist(), 0.54 * (high - low).max().item()
    width, height = 0.44, 0.5
    wide = half * width * SIZE[0] / (height * SIZE[1])
    for left, (title, cloud) in zip((0.04, 0.52), made["clouds"].items(), strict=True):
        ax = panel(figure, theme, (left, 0.335, width, height), title)
        ax.scatter(*cloud[frame].T, s=12, c=colors, linewidths=0)
        ax.set(xlim=(x - wide, x + wide), ylim=(y - half, y + half))
        ax = panel(figure, theme, (left, 0.175, width, 0.14), "")
        for (name, values), role, side in zip(
            made["curves"][title].items(), ("target", "prediction"), (0, 1), strict=True
        ):
            seen, color = values[: frame + 1].clamp_min(1e-7), theme[role]
            ax.semilogy(steps, seen, color=color, lw=2)
            ax.semilogy(steps[-1], seen[-1], "o", color=color, ms=5)
            number = np.format_float_positional(seen[-1], 2, fractional=False)
            ax.text(
                side, -0.12, f"{name} {number}", color=color, fontsize=12, va="top",
                ha=("left", "right")[side], fontweight="bold", transform=ax.transAxes,
            )  # fmt: skip
        ax.set(xlim=(-0.02 * last, 1.02 * last), ylim=(1e-6, 3), yticks=[])
        ax.minorticks_off()
    return figure


def draw_rooms(made: Names, frame: int, theme: Names) -> Figure:
    """Draw the dot on its way, the paths that it imagines, and the energy of each place."""
    path, wall, door = made["path"][: frame + 1], made["wall"], made["door"]
    note = f"push {frame} of {len(made['path']) - 1}"
    figure = scene(theme, "A model that only saw pictures finds the door", note)
    width, height = 0.74 * SIZE[1] / SIZE[0], 0.74
    left, right = (
        panel(figure, theme, (middle - width / 2, 0.095, width, height), title)
        for middle, title in (
            (0.27, "the paths that it imagines"),
            (0.73, "how far from the goal each place seems"),
        )
    )
    for way in (
        made["imagined"][frame][:IMAGINED] if frame < len(made["imagined"]) else ()
    ):
        left.plot(*way.T, color=theme["context"], lw=0.9, alpha=0.5)
    right.set_facecolor(theme["far"])
    right.contourf(
        made["line"], made["line"], made["energy"] / made["energy"].max(),
        levels=np.linspace(0, 1, 25), cmap=LinearSegmentedColormap.from_list(
            "", [theme["context"], theme["far"]]
        ),
    )  # fmt: skip
    for ax in (left, right):
        for ends in ((0, door - DOOR), (door + DOOR, 1)):
            ax.plot([wall, wall], ends, color=theme["ink"], lw=4, solid_capstyle="butt")
        ax.plot(*made["goal"], "x", color=theme["ink"], ms=11, mew=3)
        ax.plot(*path.T, "-", color=theme["target"], lw=2.2)
        dot = {"color": theme["target"], "mec": theme["paper"], "mew": 1.5}
        ax.plot(*path[-1], "o", ms=11, **dot)
        ax.set(xlim=(0, 1), ylim=(1, 0))
    return figure


def to_image(figure: Figure) -> Image.Image:
    """Return a figure as pixels."""
    file = io.BytesIO()
    figure.savefig(file)
    return Image.open(file).convert("RGB")


def frames(
    clouds: Names, rooms: Names, theme: Names
) -> Iterator[tuple[Image.Image, int]]:
    """Yield all pictures of a theme, and for how many milliseconds each is seen."""
    for made, draw, count, time in (
        (clouds, draw_clouds, len(clouds["steps"]), 120),
        (rooms, draw_rooms, len(rooms["path"]), 280),
    ):
        for frame in range(count):
            wait = HOLD if frame == count - 1 else time
            yield to_image(draw(made, frame, theme)), wait


def write(clouds: Names, rooms: Names, book: Path) -> None:
    """Write the pictures where README and pages look for them."""
    for name, theme in THEMES.items():
        images, times = zip(*frames(clouds, rooms, theme), strict=True)
        images[0].save(
            book / "figures" / f"moving-{name}.webp", save_all=True, loop=0,
            append_images=images[1:], duration=times, quality=70, method=6,
        )  # fmt: skip
    still = to_image(draw_clouds(clouds, len(clouds["steps"]) - 1, THEMES["light"]))
    still.resize(PREVIEW, Image.Resampling.LANCZOS).save(
        book / "_static" / "preview.png", optimize=True
    )


if __name__ == "__main__":
    write(two_clouds(), way_through_the_door(), book_folder())
