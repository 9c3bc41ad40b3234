"""Sphinx extension: leave fields of named tuples out, whose only text is their number."""

from __future__ import annotations

from sphinx.application import Sphinx


def is_field(
    app: Sphinx, what: str, name: str, member: object, skip: bool, options: object
) -> bool | None:
    """Skip a field; its name and type are in the signature. Leave all else to Sphinx."""
    text = str(getattr(member, "__doc__", ""))
    return True if text.startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Run for each member of a module or class."""
    app.connect("autodoc-skip-member", is_field)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
