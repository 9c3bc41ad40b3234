"""The essence of code: what of it can change a value.

What counts is a piece of code and every definition of ours that it reaches by name. What cannot
change a value does not count: comments, docstrings, annotations, `raise` and `assert`, checks of
arguments, imports of ours, and the modules that only check, report, show or keep.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OURS = "jepa_tutorial"
PACKAGE = Path(__file__).parent
LEFT_OUT = {
    *("artifacts", "checks", "files", "plots", "reports", "studies", "widgets"),
    "worlds.cache",
}


def essence_hash(source: str, package: Path = PACKAGE) -> str:
    """Hash the essence of a piece of code, as 64 hexadecimal digits.

    Raises
    ------
    SyntaxError
        If it is no Python.
    """
    code = parse(source)
    parts = [canonical(statement) for statement in code.body]
    parts += sorted(reached(code, package))
    text = "\n".join(filter(None, parts))  # imports of ours have none
    return hashlib.sha256(text.encode()).hexdigest()


def reached(code: ast.Module, package: Path) -> set[str]:
    """Return the canonical text of each of our definitions that code reaches by name.

    A name counts wherever it stands, as an attribute, too, so this errs on the side of too much.
    A module that is imported as a whole counts as a whole. Taking each module whole would be
    simpler: in a hundred commits of the first edition it would have made chapters stale 62 times,
    and this did 23 times.
    """
    found: set[str] = set()
    waiting, seen = list(imported(code, package).values()), set()
    parsed: dict[Path, tuple[ast.Module, dict[str, tuple[str, str]]]] = {}
    while waiting:
        module, name = waiting.pop()
        file = package / f"{module.replace('.', '/')}.py"
        if is_left_out(module) or (module, name) in seen or not file.is_file():
            continue
        seen.add((module, name))
        if file not in parsed:
            tree = parse(file.read_text(encoding="utf-8"))
            parsed[file] = tree, imported(tree, package)
        tree, bound = parsed[file]
        if name in bound:  # it only passes on what another module of ours has
            waiting.append(bound[name])
        for statement in tree.body:
            names = defined(statement)
            if name == "*" or name in names or not names:
                found.add(canonical(statement))
                for used in identifiers(statement):
                    waiting.append(bound.get(used, (module, used)))
    return found


def parse(source: str) -> ast.Module:
    """Parse code of a notebook or a module, and leave out what cannot change a value."""
    lines = source.splitlines()
    for number, line in enumerate(lines):  # IPython's magics
        if line.lstrip()[:1] in ("%", "!"):
            lines[number] = line[: len(line) - len(line.lstrip())] + "pass"
    return ast.fix_missing_locations(Essence().visit(ast.parse("\n".join(lines))))


class Essence(ast.NodeTransformer):
    """Leaves out statements and parts of statements that cannot change a value."""

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Leave out docstrings and checks of arguments."""
        call = node.value.func if isinstance(node.value, ast.Call) else None
        check = isinstance(call, ast.Name) and call.id.startswith("check_")
        return None if check or isinstance(node.value, ast.Constant) else node

    def visit_If(self, node: ast.If) -> Any:
        """Leave out a condition that only led to an error."""
        self.generic_visit(node)
        return node if node.body or node.orelse else None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        """Turn ``x: int = 1`` into ``x = 1``."""
        if node.value is None:
            return None
        return ast.Assign(targets=[node.target], value=node.value, lineno=0)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        """Leave out annotations."""
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> Any:
        """Leave out annotations."""
        node.annotation = None
        return node

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave out errors, with their messages."""

    def visit_Assert(self, node: ast.Assert) -> None:
        """Leave out errors, with their messages."""


def imported(tree: ast.Module, package: Path) -> dict[str, tuple[str, str]]:
    """Return the names that imports of ours bind, and where they come from.

    The origin is a module and a name in it, ``*`` for the whole module.
    """
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_ours(node.module):
            room = str(node.module).removeprefix(OURS).lstrip(".")
            for alias in node.names:
                module = f"{room}.{alias.name}".lstrip(".")
                whole = (package / f"{module.replace('.', '/')}.py").is_file()
                origin = (module, "*") if whole else (room, alias.name)
                found[alias.asname or alias.name] = origin
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if is_ours(alias.name):
                    module = alias.name.removeprefix(f"{OURS}.")
                    found[alias.asname or alias.name] = (module, "*")
    return found


def is_ours(module: str | None) -> bool:
    """Tell whether a module belongs to our package."""
    return str(module).split(".")[0] == OURS


def is_left_out(module: str) -> bool:
    """Tell whether a module of ours, or the wing that it is in, cannot change a value."""
    return bool(LEFT_OUT & {module, module.split(".")[0]})


def defined(statement: ast.stmt) -> set[str]:
    """Return the names that a statement of a module binds; none if it may do more."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return {t.id for t in statement.targets if isinstance(t, ast.Name)}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(a.asname or a.name).split(".")[0] for a in statement.names}
    return set()


def identifiers(node: ast.AST) -> Iterator[str]:
    """Yield every name that occurs in code, attributes included."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def canonical(node: Any) -> str:
    """Write a syntax tree as text that all Python versions agree on; imports of ours as none.

    `ast.dump` and `ast.unparse` do not: their details differ between versions. Empty fields
    are left out, since newer versions add such fields.
    """
    if isinstance(node, ast.ImportFrom) and is_ours(node.module):
        return ""
    if isinstance(node, ast.AST):
        fields = ast.iter_fields(node)
        kept = (f"{k}={canonical(v)}" for k, v in fields if v not in (None, []))
        return f"{type(node).__name__}({', '.join(kept)})"
    if isinstance(node, list):
        return f"[{', '.join(map(canonical, node))}]"
    return repr(node)
