"""Prepare a release: the version stands in pyproject.toml, and its tag follows from it.

`python tools/release.py --write` brings everything that names the release in line with the
version. `make release` checks all that a release needs, and prints the commands that tag it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = [
    [".venv/bin/jepa-tutorial", "check"],  # seconds: are the stored outputs current?
    ["make", "test"],
    ["make", "check"],
]


def version(root: Path) -> str:
    """Return the version, from the only place where it stands."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.+)"$', text, re.M)[1]


def in_line(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield each file that names the release, as it is, and as it should be."""
    name = r"github(?:\.com)?/jepa-tutorial/jepa-tutorial"
    config, citation = root / "_config.yml", root / "CITATION.cff"
    patterns = {config: r"(?m)^(  branch: v)\S+", citation: r"(?m)^(version: )\S+"}
    links = rf"({name}(?:@|/blob/|/tree/)v)\d[\w.]*\w"
    pages = [root / "README.md", *root.glob("book/*.md"), *root.glob("book/*.ipynb")]
    for path in [*patterns, *pages]:
        text = path.read_text(encoding="utf-8")
        pattern = patterns.get(path, links)
        yield path, text, re.sub(pattern, rf"\g<1>{version(root)}", text)


def git(root: Path, *arguments: str) -> str:
    """Return what a Git command prints."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def refusals(root: Path) -> Iterator[str]:
    """Yield what stands against a release, as sentences, before anything slow runs."""
    number = version(root)
    for path, text, wanted in in_line(root):
        if text != wanted:
            yield (
                f"{path.relative_to(root)} names another release than v{number}: run "
                "'.venv/bin/python tools/release.py --write' and commit"
            )
    log = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^## \[(.+?)\](.*?)(?=^## |\Z)", log, re.M | re.S))
    if not re.match(r" - \d{4}-\d\d-\d\d\n+\S", entries.get(number, "")):
        yield f"CHANGELOG.md needs an entry: '## [{number}] - YYYY-MM-DD', and what changed"
    if entries.get("Unreleased", "").strip():
        yield f"CHANGELOG.md lists changes as unreleased: move them under [{number}]"
    if git(root, "tag", "--list", f"v{number}"):
        yield f"the tag v{number} exists: raise the version in pyproject.toml"
    if git(root, "status", "--porcelain"):
        yield "there are changes that are not committed: commit or remove them"


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the links in line")
    if parser.parse_args().write:
        for path, text, wanted in in_line(ROOT):
            if text != wanted:
                path.write_text(wanted, encoding="utf-8")
                print(f"{path.relative_to(ROOT)} names v{version(ROOT)} now")
        return 0
    reasons = list(refusals(ROOT))
    for command in TESTS:
        if reasons:
            break
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            reasons.append(f"'{' '.join(command)}' failed")
    for reason in reasons:
        print(f"No release: {reason}.", file=sys.stderr)
    if not reasons:
        tag = f"v{version(ROOT)}"
        print(f"Ready. Tag the commit that was tested:\n  git tag -a {tag} -m {tag}")
        print(f"  git push origin {tag}")
    return bool(reasons)


if __name__ == "__main__":
    sys.exit(main())
