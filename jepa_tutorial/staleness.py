"""Which code a notebook uses: the ground for saying that its stored outputs are out of date."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = "jepa_tutorial"
# Files beside a module that are part of it.
SCRIPTS = {"widgets": ("explorer.css", "explorer.js")}


def hash_of_code(source: str, package: Path) -> str:
    """Hash a notebook's code and the definitions of ours that it reaches.

    Comments and docstrings do not count, nor does a definition that nothing uses: a chapter
    stays current when another one adds to the same module. The hash does not depend on the
    Python version that computes it.

    Parameters
    ----------
    source : str
        The notebook's code cells, one after the other.
    package : Path
        The folder of our package.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    code = ast.parse(without_magics(source))
    for part in sorted(reached(code, package)):
        digest.update(part.encode())
    digest.update(canonical(without_docstrings(code)).encode())
    return digest.hexdigest()


def without_magics(source: str) -> str:
    """Turn IPython's magic lines into ``pass``, so that the rest parses as Python."""
    lines = source.splitlines()
    for number, line in enumerate(lines):
        if line.lstrip()[:1] in ("%", "!"):
            lines[number] = line[: len(line) - len(line.lstrip())] + "pass"
    return "\n".join(lines)


def reached(code: ast.Module, package: Path) -> set[str]:
    """Return the canonical text of each statement of ours that code reaches by name.

    A name counts wherever it stands, so this errs on the side of too much. A module that is
    imported as a whole counts as a whole.
    """
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = list(imports(code))
    while waiting:
        module, name = waiting.pop()
        path = package.joinpath(*module.split(".")).with_suffix(".py")
        if (module, name) in seen or not path.is_file():
            continue
        seen.add((module, name))
        for script in SCRIPTS.get(module, ()):
            found.add(f"{script}: {(package / script).read_text('utf-8')}")
        tree = without_docstrings(ast.parse(path.read_text(encoding="utf-8")))
        bound = {alias: origin for alias, origin in imported(tree)}
        for statement in tree.body:
            names = defined(statement)
            if names and name not in names and name != "*":
                continue
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                continue
            found.add(f"{module}: {canonical(statement)}")
            for used in identifiers(statement):
                waiting.append((module, used))
                if used in bound:
                    waiting.append(bound[used])
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import from our package; ``*`` for a whole module."""
    return (origin for _, origin in imported(tree))


def imported(tree: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each name that an import from our package binds, and where it comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(PACKAGE + "."):
                    module = alias.name.removeprefix(PACKAGE + ".")
                    yield alias.asname or PACKAGE, (module, "*")
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if node.module == PACKAGE:
                    yield alias.asname or alias.name, (alias.name, "*")
                elif node.module.startswith(PACKAGE + "."):
                    module = node.module.removeprefix(PACKAGE + ".")
                    yield alias.asname or alias.name, (module, alias.name)


def defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement of a module defines; none if it may do more."""
    if isinstance(
        statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    ):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return {t.id for t in statement.targets if isinstance(t, ast.Name)}
    return set()


def identifiers(node: ast.AST) -> set[str]:
    """Return every name that occurs in code, attributes included."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


def without_docstrings(tree: ast.AST) -> Any:
    """Drop the docstrings of a module, its classes and functions."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if (
            isinstance(node, owners)
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return tree


def canonical(node: Any) -> str:
    """Write a syntax tree as text that all Python versions agree on.

    `ast.dump` and `ast.unparse` do not: their details differ between versions. Empty fields
    are left out, since newer versions add such fields.
    """
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node))
        kept = (
            f"{name}={canonical(value)}"
            for name, value in fields
            if value not in (None, [])
        )
        return f"{type(node).__name__}({', '.join(kept)})"
    if isinstance(node, list):
        return f"[{', '.join(canonical(item) for item in node)}]"
    return repr(node)
