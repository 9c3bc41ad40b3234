"""Downloads that go on where they were cut off, and never leave a wrong file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from jepa_tutorial.checks import check_positive

# pooch announces each download; our progress bar does that already.
pooch.get_logger().setLevel("WARNING")


def fetch(
    url: str, sha256: str, path: Path, *, tries: int = 3, timeout: float = 10
) -> Path:
    """Return a file that has this checksum, downloading it if need be.

    The part that has arrived stays in ``<name>.part`` beside it, and the next try goes on from
    there. The file appears under its own name only when it is whole and its checksum is right.

    Parameters
    ----------
    url : str
        Where the file is.
    sha256 : str
        Its checksum, in hexadecimal digits.
    path : Path
        Where it belongs. Its folder is made if it is missing.
    tries : int
        How often to begin or go on before giving up.
    timeout : float
        Seconds without an answer, or without another byte, that end a try.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If what arrived has another checksum. Nothing of it is kept.
    OSError
        If the server cannot be reached, refuses, or stops too often, or the folder cannot be
        written. (The errors of requests are OSErrors.)
    """
    check_positive(tries=tries)
    found = pooch.retrieve(
        url,
        known_hash=f"sha256:{sha256}",
        fname=path.name,
        path=path.parent,
        downloader=Resuming(
            path.with_name(path.name + ".part"), tries, timeout
        ),
    )
    return Path(found)


class Resuming:
    """A downloader for pooch that keeps what has arrived.

    Parameters
    ----------
    part : Path
        Where the part that has arrived is kept.
    tries : int
        How often to begin or go on before giving up.
    timeout : float
        Seconds without an answer, or without another byte, that end a try.
    """

    def __init__(self, part: Path, tries: int, timeout: float) -> None:
        self.part, self.tries, self.timeout = part, tries, timeout

    def __call__(
        self, url: str, output_file: str, _pooch: pooch.Pooch | None
    ) -> None:
        """Download into ``output_file``, a temporary file that pooch then checks and renames."""
        for left in reversed(range(self.tries)):
            try:
                self.go_on(url)
                break
            except requests.HTTPError:
                raise  # a server that says no will say so again
            except OSError:
                if not left:
                    raise
        shutil.copyfile(self.part, output_file)
        self.part.unlink()

    def go_on(self, url: str) -> None:
        """Ask for what is missing, and add it to the part."""
        have = self.part.stat().st_size if self.part.exists() else 0
        # Not compressed on the way, so that lengths are those of the file.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(
            url, headers=headers, stream=True, timeout=self.timeout
        ) as answer:
            if answer.status_code == 416:  # the part is no beginning of it
                self.part.unlink()
                raise requests.ConnectionError(f"{url}: begin again")
            answer.raise_for_status()
            have = have if answer.status_code == 206 else 0
            whole = have + int(answer.headers.get("Content-Length", 0))
            with (
                open(self.part, "ab" if have else "wb") as file,
                tqdm(
                    desc=self.part.stem,
                    file=sys.stderr,
                    initial=have,
                    leave=False,
                    total=whole,
                    unit="B",
                    unit_scale=True,
                ) as bar,
            ):
                for piece in answer.iter_content(65536):
                    file.write(piece)
                    bar.update(len(piece))
        if self.part.stat().st_size < whole:
            raise requests.ConnectionError(f"{url}: cut off before the end")
