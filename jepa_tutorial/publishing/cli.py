"""The command ``jepa-tutorial``: list, run, study, verify and check the chapters."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import json
import logging
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import yaml

from jepa_tutorial.files import book_folder, given_path, write_text
from jepa_tutorial.publishing import chapters, execution, runs, verification
from jepa_tutorial.publishing.chapters import ChapterError, Parameters
from jepa_tutorial.studies import study_path
from jepa_tutorial.worlds import cache


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status, 1 for a failure told in one sentence."""
    options = parser().parse_args(arguments)
    try:
        if os.environ.get("JEPA_TUTORIAL_DATA"):
            # Kernels run elsewhere, and would take a relative path from there.
            os.environ["JEPA_TUTORIAL_DATA"] = str(cache.data_folder())
        book = options.book or book_folder()
        status = options.command(options, book)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # nobody reads any more, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ChapterError, ValueError, SyntaxError, OSError) as error:
        print(f"jepa-tutorial: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "jepa-tutorial: interrupted; notebooks and stored results of the book are as they were",
            file=sys.stderr,
        )
        return 130


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="jepa-tutorial", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--book", type=given_path, help="the folder with the notebooks"
        )
        command.set_defaults(command=function)
        return command

    add("list", list_chapters, "List the chapters with their budgets.")

    run = add("run", run_chapters, "Execute chapters.")
    run.add_argument(
        "chapter", nargs="?", default="all", help="such as 01, or all (default)"
    )
    run.add_argument(
        "--preset",
        default="default",
        metavar="NAME",
        help="quick, default, full, or another of the chapter",
    )
    run.add_argument(
        "-p", dest="pairs", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="set one parameter; may be repeated",
    )  # fmt: skip
    run.add_argument(
        "--params", type=given_path, metavar="FILE", help="a YAML file of parameters"
    )
    run.add_argument(
        "--out", type=given_path, default="results", help="where run folders go"
    )
    run.add_argument(
        "--store", action="store_true", help="store the outputs back into the notebook"
    )

    study = add(
        "study", run_studies, "Run what is missing of a chapter's study over seeds."
    )
    study.add_argument(
        "chapter", nargs="?", default="all", help="such as 01, or all (default)"
    )

    verify = add(
        "verify",
        verify_chapters,
        "Prove by a sample that stale rows and pages still hold, and stamp them as current.",
    )
    verify.add_argument(
        "chapter", nargs="?", default="all", help="such as 01, or all (default)"
    )

    for command in (study, verify):
        command.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="of a dask cluster that runs the rows, such as tcp://127.0.0.1:8786; "
            "by default they run here, one for each core",
        )

    check = add(
        "check", check_chapters, "Check that stored outputs and studies are current."
    )
    check.add_argument(
        "chapter", nargs="?", default="all", help="such as 01, or all (default)"
    )

    kept = add("cache", show_cache, "Show the cache of data, or clear it.")
    kept.add_argument(
        "--clear", action="store_true", help="remove the files of the cache"
    )
    return top


def chosen(book: Path, chapter: str) -> list[Path]:
    """Return the chapters that an argument names."""
    if chapter == "all":
        return chapters.chapters(book)
    return [chapters.find_chapter(book, chapter)]


def list_chapters(options: argparse.Namespace, book: Path) -> int:
    """Print each chapter's name, budget and title, its parameters and its presets."""
    for path in chapters.chapters(book):
        notebook, entry = chapters.read_notebook(path), chapters.presets(path)
        title = notebook.cells[0].source.split("\n")[0].lstrip("# ")
        print(f"{path.stem:24} {entry['budget_s']:4} s  {title}")
        for name, value in chapters.default_parameters(notebook).items():
            others = (
                f"{preset}: {entry[preset][name]!r}"
                for preset in ("quick", "full")
                if name in entry.get(preset, {})
            )
            print(f"    {name:24} {value!r:12} {', '.join(others)}".rstrip())
    return 0


def run_chapters(options: argparse.Namespace, book: Path) -> int:
    """Execute chapters into run folders, or in place with ``--store``."""
    if options.store and (
        options.pairs or options.params or options.preset != "default"
    ):
        raise ValueError("--store keeps outputs at default parameters only: leave out "
                         "--preset, --params and -p")  # fmt: skip
    runs_to_do = [
        (path, read_parameters(options, path)) for path in chosen(book, options.chapter)
    ]
    for path, values in runs_to_do:
        if options.store:
            print(f"==> Executing {path.stem} at default parameters", flush=True)
            notebook = execution.store(path)
            where = path
        else:
            where = run_folder(path, values, options.out)
            notebook = run_in_folder(path, where, values, options.preset)
        seconds = notebook.metadata[execution.OURS]["seconds"]
        print(f"    {path.stem}: {seconds:.0f} s, stored in {where}", flush=True)
    return 0


def read_parameters(options: argparse.Namespace, path: Path) -> Parameters:
    """Check and merge a preset, the parameter file and the ``-p`` pairs; the later win."""
    names = [name for name, _ in options.pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"-p gives {twice[0]} twice")
    preset = chapters.preset_parameters(path, options.preset)
    in_file = chapters.read_yaml(options.params) if options.params else {}
    values: Parameters = {}
    for source, given in (
        (f"presets.yaml, {options.preset}", preset),
        (options.params, in_file),
        ("-p", dict(options.pairs)),
    ):
        try:
            values |= chapters.check_parameters(path, given)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
    return values


def run_folder(path: Path, values: Parameters, out: Path) -> Path:
    """Make the folder of a run, and tell a chapter that keeps weights and videos about it.

    Raises
    ------
    ValueError
        If the folder holds a notebook that no run left there, or a run with other parameters.
    """
    defaults = chapters.default_parameters(chapters.read_notebook(path))
    if values.get("save_dir"):
        folder = Path(values["save_dir"])
        left = folder / "parameters.yaml"
        if left.exists():
            before = defaults | chapters.read_yaml(left)
            for name, value in (defaults | values).items():
                if name != "save_dir" and before[name] != value:
                    raise ValueError(
                        f"{folder} belongs to a run with {name} = {before[name]!r}, not "
                        f"{value!r}: name another save_dir"
                    )
        elif (folder / path.name).exists():
            raise ValueError(
                f"{folder} holds a notebook {path.name} that a run would replace: name another "
                "save_dir"
            )
        folder.mkdir(parents=True, exist_ok=True)
    else:
        folder = new_folder(out, path.stem)
    if "save_dir" in defaults:
        values["save_dir"] = str(folder)
    return folder


def new_folder(out: Path, stem: str) -> Path:
    """Make a run folder, named by chapter and time; never one that exists."""
    stamp = datetime.datetime.now().strftime("%Y%m%d_%H%M%S")
    out.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = out / (
            f"{stem}_{stamp}" if number == 1 else f"{stem}_{stamp}_{number}"
        )
        with contextlib.suppress(FileExistsError):  # two runs in one second
            folder.mkdir()
            break
    return folder


def run_in_folder(
    path: Path, folder: Path, values: Parameters, preset: str
) -> nbformat.NotebookNode:
    """Execute a chapter into its run folder, with its parameters, results and a log beside it."""
    write_text(folder / "parameters.yaml", yaml.safe_dump(values))
    log = logging.FileHandler(folder / "run.log", encoding="utf-8")
    log.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger(__name__)
    logger.setLevel(logging.INFO)
    logger.addHandler(log)
    print(f"==> Executing {path.stem} into {folder}", flush=True)
    try:
        logger.info("%s, preset %s, parameters %s", path.stem, preset, values)
        timeout = chapters.cell_timeout(path, preset)
        notebook = execution.execute(path, folder / path.name, values, timeout)
        results, source = (
            execution.reported(notebook),
            notebook.metadata[execution.OURS],
        )
        for name, value in results.items():
            logger.info("%s = %s", name, value)
        logger.info("done: %s", source)
        defaults = chapters.default_parameters(chapters.read_notebook(path))
        record = {"chapter": path.stem, "preset": preset, **source}
        record |= {"parameters": defaults | values, "results": results}
        write_text(folder / "run.json", json.dumps(record, indent=1) + "\n")
    except BaseException as error:
        logger.info("stopped: %s: %s", type(error).__name__, error)
        print(f"    stopped; what was done is in {folder}", file=sys.stderr)
        raise
    finally:
        logger.removeHandler(log)
        log.close()
    return notebook


def run_studies(options: argparse.Namespace, book: Path) -> int:
    """Run what the chosen chapters' studies lack; one that fails does not stop the others."""
    failed = 0
    for path in chosen(book, options.chapter):
        if options.chapter == "all" and not chapters.study_grid(path):
            continue
        print(
            f"==> Study of {path.stem}; interrupt it at any time, it goes on from there",
            flush=True,
        )
        try:
            for number, total, parameters, seconds in runs.run_study(
                path, options.scheduler
            ):
                left = f", about {math.ceil(seconds / 60)} min left"
                print(
                    f"    {number} of {total} stored: {parameters}{left if seconds else ''}",
                    flush=True,
                )
        except ChapterError as error:
            print(f"jepa-tutorial: {error}", file=sys.stderr)
            failed = 1
        except KeyboardInterrupt:
            print(f"jepa-tutorial: interrupted; {runs.stored(path)}", file=sys.stderr)
            return 130
        else:
            print(f"    stored in {study_path(path)}", flush=True)
    return failed


def verify_chapters(options: argparse.Namespace, book: Path) -> int:
    """Verify the chosen chapters; those after one that differs are verified all the same."""
    failed = 0
    for path in chosen(book, options.chapter):
        print(f"==> Verifying {path.stem}", flush=True)
        try:
            for sentence in verification.verify(path, options.scheduler):
                print(f"    {sentence}", flush=True)
        except ChapterError as error:
            print(f"jepa-tutorial: {error}", file=sys.stderr)
            failed = 1
    return failed


def check_chapters(options: argparse.Namespace, book: Path) -> int:
    """Print a sentence for each way in which a chapter's stored values are out of date."""
    paths = chosen(book, options.chapter)
    found = [s for path in paths for s in verification.out_of_date(path)]
    for sentence in found:
        print(f"jepa-tutorial: {sentence}", file=sys.stderr)
    if not found:
        print(f"{len(paths)} of {len(paths)} chapters are current")
    return 1 if found else 0


def show_cache(options: argparse.Namespace, book: Path) -> int:
    """Print the folder of the cache, its files and their sizes; remove them with ``--clear``."""
    files = cache.cache_files()
    print(cache.cache_folder())
    if options.clear:
        gone = cache.shrink(0)
        print(f"    removed {len(files)} files, {gone / 2**20:.1f} MiB")
        return 0
    for path, state in files:
        print(f"    {path.name:40} {state.st_size / 2**20:8.1f} MiB")
    total = sum(state.st_size for _, state in files)
    print(
        f"    {len(files)} files, {total / 2**20:.1f} MiB of at most "
        f"{cache.LIMIT / 2**20:.0f} MiB"
    )
    return 0
