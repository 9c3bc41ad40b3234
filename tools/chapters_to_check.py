"""Print the chapters that `make check` runs against their outputs today, and why on stderr.

These are the ones that were stamped as current without a rerun, and a third of the others, by
date. With the argument 1, all.
"""

import datetime
import sys
from pathlib import Path

import nbformat

from jepa_tutorial.publishing.chapters import chapters
from jepa_tutorial.publishing.execution import OURS
from jepa_tutorial.studies import read_study

BOOK = Path(__file__).resolve().parents[1] / "book"


def main() -> None:
    """Choose and print."""
    today = datetime.date.today().toordinal()
    everything = sys.argv[1:] == ["1"]
    for number, path in enumerate(chapters(BOOK)):
        run = nbformat.read(path, as_version=4).metadata[OURS]
        proven = any("proven" in row for row in [run, *read_study(path)["rows"]])
        if everything or proven or number % 3 == today % 3:
            print(path)
            reason = "stamped without a rerun" if proven else "its turn"
            print(f"    {path.stem}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
