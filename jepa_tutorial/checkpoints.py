"""Checkpoints: all that a training needs to go on later, in one sound file or none."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from jepa_tutorial.files import replacing


def save_checkpoint(
    path: str | Path, state: dict[str, Any], belongs_to: dict[str, Any], **parts: Any
) -> None:
    """Write all that a training needs to go on later; all or nothing.

    Parameters
    ----------
    path : str or Path
        Of the file. Its folder is made if it is missing.
    state : dict
        Of the training; see `Step.state`.
    belongs_to : dict
        The parameters that all of this belongs to, plain values by name.
    **parts
        Whatever has a ``state_dict``, such as models, and generators.
    """
    states = {
        name: part.get_state()
        if isinstance(part, torch.Generator)
        else part.state_dict()
        for name, part in parts.items()
    }
    buffer = io.BytesIO()
    torch.save({"state": state, "belongs_to": belongs_to, "parts": states}, buffer)
    content = buffer.getvalue()
    with replacing(path) as file:
        file.write_bytes(content + hashlib.sha256(content).digest())


def load_checkpoint(
    path: str | Path, belongs_to: dict[str, Any], **parts: Any
) -> dict[str, Any] | None:
    """Bring all parts to where a checkpoint left them, if there is one.

    Parameters
    ----------
    path : str or Path
        What `save_checkpoint` wrote.
    belongs_to : dict
        Must be equal to the parameters that were saved.
    **parts
        The same as were saved, made anew.

    Returns
    -------
    dict or None
        The state of the training; None if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged, or holds other parts or parameters.
    """
    path = Path(path)
    if not path.is_file():
        return None
    written = path.read_bytes()
    content, digest = written[:-32], written[-32:]
    remedy = "delete it, or name another file"
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(f"{path} is damaged, or no checkpoint: {remedy}")
    # Made on a GPU or not, it loads without one; nothing in it is executed.
    held = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    for name in sorted(belongs_to.keys() | held["belongs_to"].keys()):
        old, new = held["belongs_to"].get(name), belongs_to.get(name)
        if old != new:
            raise ValueError(
                f"{path} belongs to {name} = {old!r}, not {new!r}: {remedy}"
            )
    if set(held["parts"]) != set(parts):
        raise ValueError(
            f"{path} holds {sorted(held['parts'])}, expected {sorted(parts)}: {remedy}"
        )
    for name, part in parts.items():
        try:
            if isinstance(part, torch.Generator):
                part.set_state(held["parts"][name])
            else:
                part.load_state_dict(held["parts"][name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"{path} belongs to another {name}: {remedy} ({error})"
            ) from error
    return held["state"]
