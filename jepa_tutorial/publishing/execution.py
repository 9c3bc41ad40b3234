"""Executing a chapter, and what is kept of it."""

from __future__ import annotations

import ast
import copy
import datetime
import importlib.metadata
import os
import platform
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import papermill
import torch
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from jepa_tutorial.files import check_writable, write_text
from jepa_tutorial.publishing.chapters import (
    ChapterError,
    Parameters,
    cell_timeout,
    check_parameters,
    code_cells,
    presets,
    read_notebook,
    study_cells,
)
from jepa_tutorial.publishing.staleness import code_hash
from jepa_tutorial.reports import PROGRESS, RECORD
from jepa_tutorial.runtime import THREADS, pick_device
from jepa_tutorial.studies import is_time, study_digest

OURS = "jepa_tutorial"  # the key of our entry in a notebook's metadata
ATTEMPTS = 3  # to start a kernel
# As the kernel itself names it: else JupyterLab changes the file when it is opened.
KERNEL = dict(display_name="Python 3 (ipykernel)", language="python", name="python3")
# What an overview says of time: the budget, and what the stored run took.
TIME = re.compile(
    r"\*\*Time:\*\* about \d+ s on two CPU cores\."
    r"( The run that is stored here [^\n]*? cores[^.\n]*\.)?"
)


def execute(
    path: Path,
    output: Path,
    parameters: Parameters,
    preset: str = "default",
    *,
    for_study: bool = False,
) -> NotebookNode:
    """Execute a chapter with papermill and write the result to ``output``.

    Parameters
    ----------
    path : Path
        The chapter; it is not changed.
    output : Path
        Where the executed notebook goes, also when a cell fails.
    parameters : dict
        Values for names of the parameters cell.
    preset : str
        What the parameters are of, which says how long a cell may take.
    for_study : bool
        Leave out the cells that only show.

    Returns
    -------
    NotebookNode
        The executed notebook, without what papermill adds for itself, and with our entry in
        its metadata: seconds, device, versions and code hash.

    Raises
    ------
    ChapterError
        If a cell raises, the kernel dies, or a cell takes longer than the timeout. Names the
        chapter and the cell.
    ValueError
        If a parameter is unknown or of another type than the notebook's own.
    """
    source, timeout = read_notebook(path), cell_timeout(path, preset)
    start, children = time.monotonic(), cpu_of_children()
    try:
        executed = run_notebook(
            study_cells(source) if for_study else source,
            output,
            check_parameters(path, parameters),
            cwd=output.parent,
            kernel_name="python3",
            execution_timeout=timeout,
            # Of several rows at a time, bars would write over each other.
            progress_bar=not for_study and {"desc": path.stem},
            # The kernel would log that it was interrupted, in many lines.
            extra_arguments=["--log-level=CRITICAL"],
        )
    except (PapermillExecutionError, CellTimeoutError, DeadKernelError) as error:
        where = stopped_at(source, output)
        if isinstance(error, CellTimeoutError):
            reason = (
                f"took longer than {timeout} s and was stopped. Run it again; if it hangs again, "
                "open the notebook and run that cell"
            )
        elif isinstance(error, DeadKernelError):
            reason = "the kernel died, often for want of memory"
        else:
            reason = f"{error.ename}: {error.evalue}"
        raise ChapterError(f"{path.stem}, {where}: {reason}") from error
    notebook = clean(executed)
    seconds = time.monotonic() - start
    cpu_seconds = cpu_of_children() - children or seconds
    notebook.metadata[OURS] = provenance(path, seconds, cpu_seconds)
    nbformat.write(notebook, output)
    return notebook


def run_notebook(*arguments: Any, **options: Any) -> NotebookNode:
    """Let papermill execute a notebook; try again if its kernel does not start.

    Kernels that start at the same time may want the same port.

    Raises
    ------
    ChapterError
        If the kernel does not start in ``ATTEMPTS`` attempts.
    """
    for _ in range(ATTEMPTS):
        try:
            return papermill.execute_notebook(*arguments, **options)
        except DeadKernelError:  # it had started
            raise
        except RuntimeError as error:
            failure = error
    raise ChapterError(f"no kernel started {ATTEMPTS} times ({failure})") from failure


def stopped_at(source: NotebookNode, output: Path) -> str:
    """Name the cell at which an execution stopped, by number and first line of code."""
    executed = code_cells(nbformat.read(output, as_version=4))
    # Not by execution count: a kernel that dies may take it along.
    started = {c.id for c in executed if c.metadata.papermill.get("start_time")}
    # Papermill adds a cell, so the number is the one in the source.
    for number, cell in reversed([*enumerate(source.cells, start=1)]):
        if cell.id in started:
            first_line = cell.source.strip().split("\n")[0]
            return f"cell {number} ({first_line})"
    return "before the first cell"


def cpu_of_children() -> float:
    """Return the seconds that kernels which have ended kept a core busy; 0 where none says."""
    times = os.times()
    return times.children_user + times.children_system


def provenance(path: Path, seconds: float, cpu_seconds: float) -> dict[str, Any]:
    """Say what a run's results come from, and how long it took, by the clock and of a core.

    The second is what a run of one thread takes on an idle machine.
    """
    packages = ("torch", "numpy", "scikit-learn", "jepa-tutorial")
    return {
        "code_hash": code_hash(path),
        "date": datetime.date.today().isoformat(),
        "machine": machine(path),
        "threads": THREADS,
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def machine(path: Path) -> str:
    """Name the processor, and the GPU if there is one and the chapter uses it."""
    info = Path("/proc/cpuinfo")  # elsewhere Python knows the name
    first = info.read_text("utf-8").split("\n\n")[0] if info.is_file() else ""
    named = dict(re.findall(r"^([\w ]+?)\s*: (.*\S)", first, re.MULTILINE))
    name = named.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in named:
        name += f" (family {named['cpu family']}, model {named['model']})"
    name += f", {os.cpu_count()} cores"
    if pick_device().type == "cuda" and "pick_device" in path.read_text("utf-8"):
        name += f"; {torch.cuda.get_device_name()}"
    return name


def clean(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run without meaning: times, paths, progress bars, ids."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("papermill", None)
    notebook.metadata["kernelspec"] = KERNEL
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
    for cell in code_cells(notebook):
        outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        cell.outputs = [o for o in outputs if PROGRESS not in o.get("metadata", {})]
    text = nbformat.writes(notebook)
    state = notebook.metadata.get("widgets", {})
    state = state.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    # Widget ids are random. Number them in the order in which the page shows them.
    for number, model in enumerate(sorted(state, key=text.find)):
        text = text.replace(model, f"{number:032x}")
    return nbformat.reads(text, as_version=4)


def store(path: Path) -> NotebookNode:
    """Execute a chapter at its own parameters and put the result in its place, all or nothing.

    Outputs that have not changed stay as they are, measured times included.
    """
    before = {cell.id: cell for cell in code_cells(read_notebook(path))}
    check_writable(path.parent)  # else hours are lost
    with tempfile.TemporaryDirectory() as folder:
        notebook = execute(path, Path(folder) / path.name, {})
    for cell in code_cells(notebook):
        stored = before.get(cell.id)
        if stored and untimed(stored.outputs) == untimed(cell.outputs):
            cell.outputs = stored.outputs
    open_with_finale(notebook)
    notebook.metadata[OURS]["study"] = study_digest(path)
    state_time(path, notebook)
    write_text(path, nbformat.writes(notebook) + "\n")
    return notebook


def open_with_finale(notebook: NotebookNode) -> None:
    """Show the figure that a chapter ends with in its first cell, too, which computes nothing."""
    tagged = {t: c for c in code_cells(notebook) for t in c.metadata.get("tags", [])}
    if "opening" in tagged:
        tagged["opening"].outputs = tagged["finale"].outputs


def untimed(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return outputs without measured times, and without the numbers of executions."""
    outputs = copy.deepcopy(outputs)
    for output in outputs:
        output.pop("execution_count", None)
        if "text" in output:
            output.text = re.sub(r"(?m)^\w+_seconds = .*$", "", output.text)
        if is_time(output.get("metadata", {}).get("scrapbook", {}).get("name", "")):
            output.data = {}
    return outputs


def state_time(path: Path, notebook: NotebookNode) -> None:
    """Write into a chapter's overview what its stored run took, and on what."""
    budget, run = presets(path)["budget_s"], notebook.metadata[OURS]
    sentence = (
        f"**Time:** about {budget} s on two CPU cores. The run that is stored here took "
        f"{run['cpu_seconds']:.0f} s of one core of {run['machine']}."
    )
    for cell in notebook.cells:
        cell.source = TIME.sub(sentence, cell.source)


def reported(notebook: NotebookNode) -> dict[str, Any]:
    """Return the values that the notebook's cells reported, by name."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return {
        output.metadata.scrapbook.name: ast.literal_eval(
            output.data[RECORD + "text/plain"]
        )
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    }
