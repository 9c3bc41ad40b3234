"""The command ``jepa-tutorial``: list, run, study, verify and check the chapters."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode

from jepa_tutorial.files import book_folder, given_path, write_text
from jepa_tutorial.publishing import chapters, execution, runs, verification
from jepa_tutorial.publishing.chapters import ChapterError, Parameters
from jepa_tutorial.worlds import cache


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status, 1 for a failure told in one sentence."""
    options = parser().parse_args(arguments)
    try:
        if os.environ.get("JEPA_TUTORIAL_DATA"):
            # Kernels run elsewhere, and would take a relative path from there.
            os.environ["JEPA_TUTORIAL_DATA"] = str(cache.data_folder())
        return options.command(options)
    except BrokenPipeError:  # nobody reads any more, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ChapterError, ValueError, SyntaxError, OSError) as error:
        return complain(error)
    except KeyboardInterrupt as error:
        kept = "notebooks and stored results of the book are as they were"
        complain(f"interrupted; {str(error) or kept}")
        return 130


def parser() -> argparse.ArgumentParser:
    """Describe the command line: `COMMANDS` with their `OPTIONS`."""
    top = argparse.ArgumentParser(prog="jepa-tutorial", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, (function, *accepted) in COMMANDS.items():
        text = function.__doc__
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=function)
        for option in ("--book", *accepted):
            command.add_argument(option, **OPTIONS[option])
    return top


def say(text: str) -> None:
    """Print at once, also where a file or a pipe takes it."""
    print(text, flush=True)


def complain(what: object) -> int:
    """Print what is wrong; return the exit status of a failure."""
    print(f"jepa-tutorial: {what}", file=sys.stderr)
    return 1


def chosen(options: argparse.Namespace) -> list[Path]:
    """Return the chapters that the arguments name."""
    return chapters.find_chapters(options.book or book_folder(), options.chapter)


def list_chapters(options: argparse.Namespace) -> int:
    """List chapters with their budgets, parameters and presets."""
    for path in chosen(options):
        notebook, entry = chapters.read_notebook(path), chapters.presets(path)
        title = notebook.cells[0].source.split("\n")[0].lstrip("# ")
        say(f"{path.stem:24} {entry['budget_s']:4} s  {title}")
        for name, value in chapters.default_parameters(notebook).items():
            others = ", ".join(
                f"{preset}: {entry[preset][name]!r}"
                for preset in ("quick", "full")
                if name in entry.get(preset, {})
            )
            say(f"    {name:24} {value!r:12} {others}".rstrip())
    return 0


def run_chapters(options: argparse.Namespace) -> int:
    """Execute chapters, each into a folder of its own, or in place."""
    given = options.pairs or options.params or options.preset != "default"
    if options.store and given:
        raise ValueError("--store keeps outputs at default parameters only: leave out "
                         "--preset, --params and -p")  # fmt: skip
    # All are read before the first one runs.
    for path, values in [(p, read_parameters(options, p)) for p in chosen(options)]:
        if options.store:
            say(f"==> Executing {path.stem} at default parameters")
            where, notebook = path, execution.store(path)
        else:
            where = run_folder(path, values, options.out)
            notebook = run_in_folder(path, where, values, options.preset)
        seconds = notebook.metadata[execution.OURS]["seconds"]
        say(f"    {path.stem}: {seconds:.0f} s, stored in {where}")
    return 0


def read_parameters(options: argparse.Namespace, path: Path) -> Parameters:
    """Check and merge a preset, the parameter file and the ``-p`` pairs; the later win."""
    names = [name for name, _ in options.pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"-p gives {name} twice")
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
    named = values.get("save_dir")
    folder = Path(named) if named else new_folder(out, path.stem)
    left = folder / "parameters.yaml"
    if left.exists():
        before = defaults | chapters.read_yaml(left) | {"save_dir": str(folder)}
        for name, value in (defaults | values).items():
            if before[name] != value:
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
    if "save_dir" in defaults:
        values["save_dir"] = str(folder)
    return folder


def new_folder(out: Path, stem: str) -> Path:
    """Make a run folder, named by chapter and time; never one that exists."""
    now, unique = datetime.datetime.now(), uuid.uuid4().hex[:8]
    folder = out / f"{stem}_{now:%Y%m%d_%H%M%S}_{unique}"
    folder.mkdir(parents=True)
    return folder


def run_in_folder(
    path: Path, folder: Path, values: Parameters, preset: str
) -> NotebookNode:
    """Execute a chapter into its run folder, with its parameters, results and a log beside it."""

    def log(*lines: str) -> None:
        now = f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
        with (folder / "run.log").open("a", encoding="utf-8") as file:
            file.writelines(f"{now} {line}\n" for line in lines)

    write_text(folder / "parameters.yaml", yaml.safe_dump(values))
    say(f"==> Executing {path.stem} into {folder}")
    log(f"{path.stem}, preset {preset}, parameters {values}")
    try:
        notebook = execution.execute(path, folder / path.name, values, preset)
    except BaseException as error:
        print(f"    stopped; what was done is in {folder}", file=sys.stderr)
        log(f"stopped: {type(error).__name__}: {error}")
        raise
    results = execution.reported(notebook)
    record = {
        **{"chapter": path.stem, "preset": preset},
        **notebook.metadata[execution.OURS],
        "parameters": chapters.default_parameters(notebook) | values,
        "results": results,
    }
    write_text(folder / "run.json", json.dumps(record, indent=1) + "\n")
    log(*(f"{name} = {value}" for name, value in results.items()), "done")
    return notebook


def run_studies(options: argparse.Namespace) -> int:
    """Run what chapters' studies lack; interrupted at any time, they go on from there."""
    return work_on_each(options, "Study of", runs.run_study)


def verify_chapters(options: argparse.Namespace) -> int:
    """Prove by a sample that stale rows and pages still hold, and stamp them as current."""
    return work_on_each(options, "Verifying", verification.verify)


def work_on_each(
    options: argparse.Namespace, title: str, work: Callable[..., Iterator[str]]
) -> int:
    """Print what work on each chapter says; one that fails does not stop the others."""
    failed = 0
    for path in chosen(options):
        say(f"==> {title} {path.stem}")
        try:
            for sentence in work(path, options.scheduler):
                say(f"    {sentence}")
        except ChapterError as error:
            failed = complain(error)
    return failed


def check_chapters(options: argparse.Namespace) -> int:
    """Check that stored outputs and studies are current."""
    paths = chosen(options)
    found = [s for path in paths for s in verification.out_of_date(path)]
    for sentence in found:
        complain(sentence)
    if not found:
        say(f"{len(paths)} of {len(paths)} chapters are current")
    return min(1, len(found))


def show_cache(options: argparse.Namespace) -> int:
    """Show the cache of data, or clear it."""
    files = cache.cache_files()
    say(f"{cache.cache_folder()}")
    if options.clear:
        say(f"    removed {len(files)} files, {cache.shrink(0) / 2**20:.1f} MiB")
        return 0
    for path, state in files:
        say(f"    {path.name:40} {state.st_size / 2**20:8.1f} MiB")
    total = sum(state.st_size for _, state in files)
    say(
        f"    {len(files)} files, {total / 2**20:.1f} MiB of at most "
        f"{cache.LIMIT / 2**20:.0f} MiB"
    )
    return 0


OPTIONS: dict[str, dict[str, Any]] = {
    "chapter": {"nargs": "?", "default": "all", "help": "such as 01, or all (default)"},
    "--book": {"type": given_path, "help": "the folder with the notebooks"},
    "--preset": {
        "default": "default",
        "metavar": "NAME",
        "help": "quick, default, full, or another of the chapter",
    },
    "-p": {
        "dest": "pairs",
        "nargs": 2,
        "action": "append",
        "default": [],
        "metavar": ("NAME", "VALUE"),
        "help": "set one parameter; may be repeated",
    },
    "--params": {"type": given_path, "metavar": "FILE", "help": "a file of parameters"},
    "--out": {"type": given_path, "default": "results", "help": "where run folders go"},
    "--store": {"action": "store_true", "help": "store the outputs in the notebook"},
    "--scheduler": {
        "metavar": "ADDRESS",
        "help": "of a dask cluster that runs the rows, such as tcp://127.0.0.1:8786; by "
        "default they run here, one for each core",
    },
    "--clear": {"action": "store_true", "help": "remove the files of the cache"},
}
COMMANDS: dict[str, tuple[Any, ...]] = {
    "list": (list_chapters, "chapter"),
    "run": (run_chapters, "chapter", "--preset", "-p", "--params", "--out", "--store"),
    "study": (run_studies, "chapter", "--scheduler"),
    "verify": (verify_chapters, "chapter", "--scheduler"),
    "check": (check_chapters, "chapter"),
    "cache": (show_cache, "--clear"),
}
