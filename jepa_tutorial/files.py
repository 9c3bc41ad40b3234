"""Files as a reader means them: paths as in the shell, and written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path


def book_folder() -> Path:
    """Return the folder with the notebooks, presets and stored results.

    In a checkout that is ``book/`` beside the package; an installed wheel carries a copy.

    Raises
    ------
    FileNotFoundError
        If neither is there.
    """
    package = Path(__file__).parent
    for folder in (package.parent / "book", package / "_book"):
        if (folder / "presets.yaml").is_file():
            return folder
    raise FileNotFoundError(
        "The book's notebooks were not found beside the package: install jepa-tutorial again, "
        "or name the folder with --book"
    )


def given_path(text: str | Path) -> Path:
    """Return the absolute path that a reader means: ``~`` is home, the rest is as in the shell."""
    return Path(os.path.expanduser(text)).absolute()


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file under another name beside it, then rename it; if that fails, leave nothing.

    A reader sees the old file or the whole new one, and two writers at once do not meet. The
    other name is hidden and has the file's ending, by which some writers choose a format.

    Parameters
    ----------
    path : str or Path
        Of the file. Its folder is made if it is missing.

    Yields
    ------
    Path
        Where to write.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{uuid.uuid4().hex[:16]}{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write text in UTF-8, all or nothing; see `replacing`."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def check_writable(folder: Path) -> None:
    """Check that files can be written in a folder, which is made if it is missing.

    Raises
    ------
    OSError
        Says why not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
