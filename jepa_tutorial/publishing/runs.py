"""Runs of chapters at other seeds and parameters, which make up their studies.

dask.distributed runs them: on processes of this machine, or on any other cluster.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask
import distributed
import nbformat
import psutil
from distributed import Client, Future
from distributed.utils import silence_logging_cmgr

from jepa_tutorial import __version__
from jepa_tutorial.files import check_writable, write_text
from jepa_tutorial.publishing.chapters import (
    ChapterError,
    Parameters,
    code_cells,
    read_notebook,
    study_grid,
)
from jepa_tutorial.publishing.execution import OURS, execute, reported
from jepa_tutorial.publishing.staleness import code_hash
from jepa_tutorial.studies import Row, Study, read_study, study_path

PATIENCE = 30  # seconds to wait for a scheduler or a worker
LOST = "the scheduler was lost: start it again, or leave out --scheduler"
WORKERS = "start some with `dask worker {} --nworkers -1 --nthreads 1`"


def run_study(path: Path, scheduler: str | None = None) -> Iterator[str]:
    """Run what is missing or stale of a chapter's study; store each run as soon as it is done.

    Stale rows stay, marked by their hash, until their run is done. Rows that the grid no longer
    has are dropped.

    Parameters
    ----------
    path : Path
        The chapter.
    scheduler : str, optional
        See `run_rows`.

    Yields
    ------
    str
        Sentences that say which run is stored, and about how long the others will take.

    Raises
    ------
    ChapterError
        If a row cannot be stored, or for the reasons of `run_rows`: what ran is kept.
    """
    grid, study, left = study_grid(path), read_study(path), missing(path)
    start = time.monotonic()
    try:
        check_writable(study_path(path).parent)
        for number, row in enumerate(run_rows(path, left, scheduler), start=1):
            others = (r for r in study["rows"] if r["parameters"] != row["parameters"])
            rows = [row, *others]
            study["rows"] = [r for p in grid for r in rows if r["parameters"] == p]
            write_study(path, study)
            done = len(grid) - len(left) + number
            minutes = (len(left) - number) * (time.monotonic() - start) / number / 60
            yield f"{done} of {len(grid)} stored: {row['parameters']}, {minutes:.0f} min left"
    except (ChapterError, OSError) as error:
        raise ChapterError(f"{error}\n{stored(path)}") from error
    except KeyboardInterrupt as error:  # the command prints what it says
        raise KeyboardInterrupt(stored(path)) from error
    yield f"all {len(grid)} are stored in {study_path(path)}"


def missing(path: Path) -> list[Parameters]:
    """Return the parameters of a chapter's grid that have no row, or a stale one."""
    now, rows = code_hash(path), read_study(path)["rows"]
    current = [row["parameters"] for row in rows if row["code_hash"] == now]
    return [parameters for parameters in study_grid(path) if parameters not in current]


def stored(path: Path) -> str:
    """Say how many rows of a chapter's study are stored, and how to get the others."""
    total = len(study_grid(path))
    done = total - len(missing(path))
    return f"{done} of {total} rows are stored; the same command runs the others"


def write_study(path: Path, study: Study) -> None:
    """Store a study, without proofs that no row rests on any more."""
    proven = {row["code_hash"] for row in study["rows"] if "proven" in row}
    study["proofs"] = [p for p in study["proofs"] if p["code_hash"] in proven]
    write_text(study_path(path), json.dumps(study, indent=1) + "\n")


def run_rows(
    path: Path, grid: list[Parameters], scheduler: str | None = None
) -> Iterator[Row]:
    """Run a chapter at each of some parameters, several at a time.

    Parameters
    ----------
    path : Path
        The chapter. Its text goes to the workers, which need the same version of the package.
    grid : list of dict
        The parameters of each row.
    scheduler : str, optional
        Address of a dask scheduler, such as ``tcp://127.0.0.1:8786``. Without it, one is started
        here, with a worker for each core.

    Yields
    ------
    dict
        A row, as soon as it is done.

    Raises
    ------
    ChapterError
        If the scheduler is not there, is lost, or has no workers; if code changes meanwhile, or
        is not the same everywhere; and at the end, if rows failed: one does not stop the others.
    """
    if not grid:
        return
    files, now, waiting = files_of(path), code_hash(path), list(grid)
    running: dict[Any, Parameters] = {}
    failed: list[str] = []
    with connect(scheduler, len(grid)) as client:
        while waiting or running:
            # No more than there are workers: the death of one counts against all rows it has.
            workers = count_workers(client)
            while waiting and len(running) < workers:
                parameters = waiting.pop(0)
                row = client.submit(on_worker, path.name, files, parameters, pure=False)
                running[row] = parameters
            time.sleep(0.5)
            for row in [row for row in running if row.done()]:
                parameters = running.pop(row)
                if row.status == "cancelled":
                    raise ChapterError(LOST)
                if row.status == "error":
                    failed.append(f"\n  {parameters}: {reason(row)}")
                    continue
                values = row.result()
                if {code_hash(path), values["code_hash"]} != {now}:
                    raise ChapterError(
                        f"{path.stem} or the package code it uses has changed while it ran, or "
                        "is not the same on each machine"
                    )
                yield values
    if failed:
        told = "".join(failed)
        raise ChapterError(
            f"{len(failed)} of {len(grid)} rows of {path.stem} failed:{told}"
        )


def files_of(path: Path) -> dict[str, str]:
    """Return what a worker needs of the book, by name: the chapter's code, and the presets."""
    notebook = read_notebook(path)
    notebook.metadata.pop("widgets", None)
    for cell in code_cells(notebook):
        cell.outputs = []
    presets = (path.parent / "presets.yaml").read_text(encoding="utf-8")
    return {path.name: nbformat.writes(notebook), "presets.yaml": presets}


@contextmanager
def connect(scheduler: str | None, rows: int) -> Iterator[Client]:
    """Connect to a scheduler, or start one here; at the end, stop the rows that still run."""
    stack = ExitStack()
    try:
        with uninterrupted():
            stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
            if scheduler is None:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                settings = {
                    "temporary-directory": folder,
                    "distributed.scheduler.allowed-failures": 1,
                    # It looks a hundred times a second, at the cost of the rows.
                    "distributed.worker.profile.enabled": False,
                }
                stack.enter_context(dask.config.set(settings))
                cluster = distributed.LocalCluster(
                    n_workers=min(dask.system.CPU_COUNT, rows),
                    threads_per_worker=1,
                    memory_limit=0,  # a row's kernel is another process
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    env={"TMPDIR": folder},  # also what a killed one leaves
                    silence_logs=logging.CRITICAL,
                )
                stack.enter_context(cluster)
                scheduler = cluster.scheduler_address
            try:
                client = Client(scheduler, timeout=PATIENCE)
            except OSError as error:
                raise ChapterError(
                    f"no scheduler answers at {scheduler}: start one with `dask scheduler`"
                ) from error
            stack.enter_context(client)
        count_workers(client)
        check_workers(client)
        yield client
    finally:
        with uninterrupted():
            stack.close()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off Ctrl-C to the end of a block; processes that start in it never get it.

    A cluster must start and stop as a whole, and tells its processes when to stop.
    """
    asked: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *call: asked.append(call))
    if sys.platform != "win32":  # where processes cannot inherit a mask
        resource_tracker.ensure_running()  # which else takes the mask away
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
        if asked and callable(before):
            before(*asked[0])


def check_workers(client: Client) -> None:
    """Check that a cluster can run rows.

    Raises
    ------
    ChapterError
        If it has another version of the package somewhere, or workers with several threads.
    """
    versions: Any = client.get_versions(packages=["jepa_tutorial"])
    places = (versions["scheduler"], *versions["workers"].values())
    for version in {p["packages"]["jepa_tutorial"] for p in places} - {__version__}:
        raise ChapterError(
            f"jepa-tutorial is {__version__} here, and {version or 'missing'} at the "
            "scheduler or a worker: install the same version there"
        )
    if set(client.nthreads().values()) != {1}:  # a row changes the folder
        raise ChapterError(
            f"workers must have one thread: {WORKERS.format(client.scheduler.address)}"
        )


def count_workers(client: Client) -> int:
    """Return how many workers a cluster has; wait a while if there are none."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        return max(1, len(client.nthreads()))
    except distributed.TimeoutError as error:
        raise ChapterError(
            "the scheduler has no workers: " + WORKERS.format(client.scheduler.address)
        ) from error
    except OSError as error:
        raise ChapterError(LOST) from error


def reason(row: Future) -> str:
    """Say why a row failed."""
    error = row.exception()
    if isinstance(error, distributed.KilledWorker):
        return "its worker died each time, often for want of memory"
    told = isinstance(error, ChapterError)
    return f"{error}" if told else f"{type(error).__name__}: {error}"


def on_worker(name: str, files: dict[str, str], parameters: Parameters) -> Row:
    """Run a row on a worker, which need not see the folder that the chapter is in."""
    # Dask has it, and with it convolutions take twice as long.
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # errors are told
    with tempfile.TemporaryDirectory() as folder, watched():
        for file, text in files.items():
            (Path(folder) / file).write_text(text, encoding="utf-8")
        return run_row(Path(folder) / name, parameters)


def run_row(path: Path, parameters: Parameters) -> Row:
    """Execute a chapter for a study; return what it reported, and where it ran."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / path.name
        notebook = execute(path, output, parameters, for_study=True)
    values = reported(notebook)
    return {"parameters": parameters, "values": values} | notebook.metadata[OURS]


@contextmanager
def watched() -> Iterator[None]:
    """Kill the kernel of a row as soon as nobody waits for the row, or its worker must stop.

    Where a worker ends without that, its kernel notices, and ends, too.
    """
    worker, over = distributed.get_worker(), threading.Event()
    task = worker.state.tasks[worker.get_current_task()]

    def watch() -> None:
        while not over.wait(0.5):
            if task.state == "cancelled" or worker.status.name == "closing":
                for child in psutil.Process().children():
                    with suppress(psutil.Error):
                        if "ipykernel_launcher" in child.cmdline():
                            child.kill()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
