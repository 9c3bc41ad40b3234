"""Running the chapters: parameters, execution, stored results, and whether they are stale."""

from __future__ import annotations

import ast
import copy
import datetime
import hashlib
import importlib.metadata
import itertools
import json
import multiprocessing
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import nbformat
import torch
import yaml
from nbformat import NotebookNode

from jepa_tutorial.checks import check_choice, check_positive
from jepa_tutorial.reports import RECORD
from jepa_tutorial.runtime import pick_device
from jepa_tutorial.staleness import hash_of_code

OURS = "jepa_tutorial"  # the package's name, and the key of our entry in a notebook's metadata
SKIP_STUDY = (
    "skip-study"  # tag of cells that only show, and so are left out of a study
)
Parameters = dict[str, Any]


class ChapterError(Exception):
    """A chapter could not be run; the message says where and why, for a person to read."""


# --- chapters and parameters -------------------------------------------------------------------


def chapters(book: Path) -> list[Path]:
    """Return the chapters' notebooks in reading order."""
    found = sorted(book.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ChapterError(
            f"No chapters in {book}: name the book's folder with --book"
        )
    return found


def find_chapter(book: Path, name: str) -> Path:
    """Find a chapter by its number or its file name, such as ``01`` or ``01_trajectories``.

    Raises
    ------
    ChapterError
        If there is no such chapter. Lists those that there are.
    """
    for path in chapters(book):
        if name in (
            path.stem,
            path.name,
            path.stem[:2],
            path.stem[:2].lstrip("0"),
        ):
            return path
    known = ", ".join(path.stem for path in chapters(book))
    raise ChapterError(f"CHAPTER must be one of {known}, or all; got {name!r}")


def presets(path: Path) -> dict[str, Any]:
    """Read a chapter's entry of ``presets.yaml``: its budget and parameter sets."""
    entries = yaml.safe_load(
        (path.parent / "presets.yaml").read_text(encoding="utf-8")
    )
    if path.stem not in entries:
        raise ChapterError(
            f"{path.parent / 'presets.yaml'} has no entry {path.stem}"
        )
    return entries[path.stem]


def preset_parameters(path: Path, preset: str) -> Parameters:
    """Return the parameters of a preset; ``default`` is what the notebook itself holds.

    Raises
    ------
    ValueError
        For an unknown preset.
    """
    entry = presets(path)
    named = [name for name in entry if name not in ("budget_s", "study")]
    check_choice(("default", *named), preset=preset)
    return {} if preset == "default" else entry[preset]


def cell_timeout(path: Path, preset: str) -> int:
    """Return the seconds that one cell may take before the run is given up as hung."""
    if preset in ("quick", "default"):
        return max(600, 4 * presets(path)["budget_s"])
    return 7200


def default_parameters(notebook: NotebookNode) -> Parameters:
    """Return the names that the notebook's parameters cell assigns, with their values."""
    for cell in code_cells(notebook):
        if "parameters" in cell.metadata.get("tags", []):
            return {
                statement.targets[0].id: ast.literal_eval(statement.value)
                for statement in ast.parse(cell.source).body
                if isinstance(statement, ast.Assign)
                and isinstance(statement.targets[0], ast.Name)
            }
    return {}


def check_parameters(path: Path, given: Parameters) -> Parameters:
    """Check names and types against the notebook's own; return the values, typed alike.

    Text is read as a value where the notebook has one that is not text, and a whole number is
    taken where it has a decimal one.

    Raises
    ------
    ValueError
        For an unknown name, with all names and their defaults, or for a value of another type.
    """
    defaults = default_parameters(nbformat.read(path, as_version=4))
    values = {}
    for name, value in given.items():
        if name not in defaults:
            known = "".join(f"\n  {n} = {v!r}" for n, v in defaults.items())
            raise ValueError(
                f"{path.stem} has no parameter {name!r}. It has these, with their defaults:{known}"
            )
        default = defaults[name]
        if isinstance(value, str) and not isinstance(default, str):
            value = value_of(value)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise ValueError(
                f"{name} of {path.stem} must be of type {type(default).__name__}, such as "
                f"{default!r}, got {value!r}"
            )
        values[name] = value
    return values


def value_of(text: str) -> Any:
    """Read a value as Python writes it, such as ``1e-3``, or else as YAML does."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return yaml.safe_load(text)


# --- execution -----------------------------------------------------------------------------------


def execute(
    path: Path,
    output: Path,
    parameters: Parameters,
    timeout: int,
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
    timeout : int
        Seconds for one cell.
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
    import papermill  # slow to import, and only needed here
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    source = nbformat.read(path, as_version=4)
    parameters = check_parameters(path, parameters)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / path.name
        # OpenMP's threads wait for each other in a busy loop, which makes small models tens of
        # times slower as soon as another program wants a core. Let them soon go to sleep instead.
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
        nbformat.write(study_cells(source) if for_study else source, given)
        start = time.monotonic()
        try:
            papermill.execute_notebook(
                given,
                output,
                parameters,
                cwd=str(output.parent),
                kernel_name="python3",
                execution_timeout=timeout,
                progress_bar={"desc": path.stem},
            )
        except PapermillExecutionError as error:
            raise ChapterError(
                f"{path.stem}, {stopped_at(source, output)}: {error.ename}: {error.evalue}"
            ) from error
        except CellTimeoutError as error:
            raise ChapterError(
                f"{path.stem}, {stopped_at(source, output)}: took longer than {timeout} s and was "
                "stopped. Run it again; if it hangs again, open the notebook and run that cell"
            ) from error
        except DeadKernelError as error:
            raise ChapterError(
                f"{path.stem}, {stopped_at(source, output)}: the kernel died, often for want of "
                "memory"
            ) from error
    notebook = clean(nbformat.read(output, as_version=4))
    notebook.metadata[OURS] = provenance(path, time.monotonic() - start)
    nbformat.write(notebook, output)
    return notebook


def stopped_at(source: NotebookNode, output: Path) -> str:
    """Name the cell at which an execution stopped, by number and first line of code."""
    executed = code_cells(nbformat.read(output, as_version=4))
    # Not by execution count: a kernel that dies may take it along.
    started = [
        cell
        for cell in executed
        if cell.metadata.get("papermill", {}).get("start_time")
    ]
    if not started:
        return "before the first cell"
    # Papermill adds cells, so the number is the one in the source.
    ids = [cell.id for cell in source.cells]
    last = started[-1]
    if last.id not in ids:
        return "the cell with the given parameters"
    first_line = next(iter(last.source.strip().splitlines()), "empty")
    return f"cell {ids.index(last.id) + 1} ({first_line})"


def provenance(path: Path, seconds: float) -> dict[str, Any]:
    """Say what a run's results come from."""
    packages = ("torch", "numpy", "scikit-learn", "jepa-tutorial")
    gpu = pick_device().type == "cuda"
    return {
        "code_hash": code_hash(path),
        "date": datetime.date.today().isoformat(),
        "device": torch.cuda.get_device_name()
        if gpu
        else f"CPU, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "versions": {
            name: importlib.metadata.version(name) for name in packages
        },
    }


def clean(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run without meaning: times, paths, progress bars, ids."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("papermill", None)
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
        if cell.cell_type == "code":
            cell.outputs = [
                out for out in cell.outputs if out.get("name") != "stderr"
            ]
    text = nbformat.writes(notebook)
    state = notebook.metadata.get("widgets", {})
    state = state.get("application/vnd.jupyter.widget-state+json", {}).get(
        "state", {}
    )
    # Widget ids are random. Number them in the order in which the page shows them.
    for number, model in enumerate(sorted(state, key=text.find)):
        text = text.replace(model, f"{number:032x}")
    return nbformat.reads(text, as_version=4)


def store(path: Path, preset: str = "default") -> NotebookNode:
    """Execute a chapter and put the result in its place, all or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / path.name
        parameters = preset_parameters(path, preset)
        notebook = execute(path, output, parameters, cell_timeout(path, preset))
        write_in_place(path, output.read_text(encoding="utf-8"))
    return notebook


def write_in_place(path: Path, text: str) -> None:
    """Write a file under another name, then rename it: an interruption leaves the old one."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# --- what a notebook holds ---------------------------------------------------------------------


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def reported(notebook: NotebookNode) -> dict[str, Any]:
    """Return the values that the notebook's cells reported, by name."""
    values: dict[str, Any] = {}
    for cell in code_cells(notebook):
        for output in cell.outputs:
            record = output.get("metadata", {}).get("scrapbook")
            if record:
                values[record["name"]] = ast.literal_eval(
                    output["data"][RECORD + "text/plain"]
                )
    return values


def study_cells(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without the cells that only show."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        c
        for c in notebook.cells
        if SKIP_STUDY not in c.metadata.get("tags", [])
    ]
    return notebook


# --- staleness ---------------------------------------------------------------------------------


def code_hash(path: Path, *, for_study: bool = False) -> str:
    """Hash a notebook's code and the code of ours that it reaches.

    Prose, outputs, comments and docstrings do not count. The stored study that a chapter
    shows does. The hash does not depend on the Python version that computes it.
    """
    notebook = nbformat.read(path, as_version=4)
    if for_study:
        notebook = study_cells(notebook)
    stored = (
        b""
        if for_study or not study_path(path).is_file()
        else study_path(path).read_bytes()
    )
    source = "\n\n".join(cell.source for cell in code_cells(notebook))
    code = hash_of_code(source, Path(__file__).parent)
    digest = hashlib.sha256(stored + code.encode())
    return digest.hexdigest()[:16]


def stale(path: Path) -> str | None:
    """Return a sentence saying why a chapter's stored outputs are out of date, or None."""
    mend = f"run `make run CHAPTER={path.stem[:2]}`"
    notebook = nbformat.read(path, as_version=4)
    if any(
        c.source.strip() and c.execution_count is None
        for c in code_cells(notebook)
    ):
        return f"{path.name} has cells that were never run: {mend}"
    if notebook.metadata.get(OURS, {}).get("code_hash") != code_hash(path):
        return f"{path.name} or the package code it uses has changed since its outputs: {mend}"
    return None


# --- studies -----------------------------------------------------------------------------------


def study_path(path: Path) -> Path:
    """Return where a chapter's study is stored."""
    return path.parent / "results" / f"{path.stem}.json"


def study_grid(path: Path) -> list[Parameters]:
    """Return the parameters of each run of a chapter's study.

    An entry of ``presets.yaml`` is a grid, the product of its lists, or several grids in a list.
    """
    entry = presets(path).get("study") or []
    grids = entry if isinstance(entry, list) else [entry]
    return [
        dict(zip(grid, row, strict=True))
        for grid in grids
        for row in itertools.product(*grid.values())
    ]


def stale_study(path: Path) -> str | None:
    """Return a sentence saying why a chapter's stored study is out of date, or None."""
    if not study_grid(path):
        return None
    mend = f"run `make study CHAPTER={path.stem[:2]}`"
    stored = study_path(path)
    if not stored.is_file():
        return f"{path.name} has a study that was never run: {mend}"
    results = json.loads(stored.read_text(encoding="utf-8"))
    if results["provenance"]["code_hash"] != code_hash(path, for_study=True):
        return f"{path.name} or the package code it uses has changed since its study: {mend}"
    missing = len(study_grid(path)) - len(results["rows"])
    return (
        f"{stored.name} lacks {missing} of its runs: {mend}"
        if missing
        else None
    )


def run_study(
    path: Path, jobs: int = 1
) -> Iterator[tuple[int, int, Parameters]]:
    """Run what is missing of a chapter's study; store each run as soon as it is done.

    Each run executes the chapter itself with other parameters and keeps what it reports.

    Parameters
    ----------
    path : Path
        The chapter.
    jobs : int
        Runs at a time. The processor's cores are shared among them.

    Yields
    ------
    number, total : int
        How many runs are stored now, and how many there are.
    parameters : dict
        Those of the run that was stored last.
    """
    grid = study_grid(path)
    if not grid:
        raise ChapterError(f"{path.stem} has no study in presets.yaml")
    check_positive(jobs=jobs)
    stored, now = study_path(path), code_hash(path, for_study=True)
    rows: list[dict[str, Any]] = []
    if stored.is_file():
        old = json.loads(stored.read_text(encoding="utf-8"))
        if old["provenance"]["code_hash"] == now:
            rows = [row for row in old["rows"] if row["parameters"] in grid]
    stored.parent.mkdir(exist_ok=True)
    done = [row["parameters"] for row in rows]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(
        jobs,
        multiprocessing.get_context("spawn"),
        initializer=begin_worker,
        initargs=(threads,),
    ) as pool:
        runs = [pool.submit(study_row, path, p) for p in grid if p not in done]
        try:
            for run in as_completed(runs):
                source, row = run.result()
                if code_hash(path, for_study=True) != now:
                    raise ChapterError(
                        f"{path.stem} or the package code it uses has changed while its study "
                        "ran; the runs stored so far are kept. Run the study again"
                    )
                rows.append(row)
                rows.sort(key=lambda row: grid.index(row["parameters"]))
                source["code_hash"] = now
                text = json.dumps(
                    {"provenance": source, "rows": rows}, indent=1
                )
                write_in_place(stored, text + "\n")
                yield len(rows), len(grid), row["parameters"]
        finally:  # an error or an interruption: do not begin what still waits
            pool.shutdown(wait=False, cancel_futures=True)


def begin_worker(threads: int) -> None:
    """Let the kernels of this process use so many threads, and end with the study's process."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Wait until the study's process is gone, however it ended, and go, too.

    A worker that stayed would run what still waits, and nobody would store it.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def study_row(
    path: Path, parameters: Parameters
) -> tuple[Parameters, Parameters]:
    """Execute a chapter for a study; return where it ran, and what it reported."""
    timeout = cell_timeout(path, "default")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / path.name
        notebook = execute(path, output, parameters, timeout, for_study=True)
    source = dict(notebook.metadata[OURS])
    row = {
        "parameters": parameters,
        "values": reported(notebook),
        "seconds": source.pop("seconds"),
    }
    return source, row
