"""Checkpoints: all that a training needs to go on later, in one sound file or none."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from jepa_tutorial.files import replacing


def save_checkpoint(path: str | Path, step: int, **parts: Any) -> None:
    """Write all that a training needs to go on later; all or nothing.

    Parameters
    ----------
    path : str or Path
        Of the file. Its folder is made if it is missing.
    step : int
        How many steps are done.
    **parts
        Whatever has a ``state_dict`` (models, optimizers, schedules), generators, and plain
        dicts of the parameters that all of this belongs to.
    """
    states = {
        name: part
        if isinstance(part, dict)
        else part.get_state()
        if isinstance(part, torch.Generator)
        else part.state_dict()
        for name, part in parts.items()
    }
    buffer = io.BytesIO()
    torch.save({"step": step, **states}, buffer)
    content = buffer.getvalue()
    with replacing(path) as file:
        file.write_bytes(content + hashlib.sha256(content).digest())


def load_checkpoint(path: str | Path, **parts: Any) -> int:
    """Bring all parts to where a checkpoint left them, if there is one.

    Parameters
    ----------
    path : str or Path
        Of the file.
    **parts
        The same as were saved, made anew. A dict must be equal to the one that was saved.

    Returns
    -------
    int
        How many steps are done; 0 if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged, or holds other parts or parameters.
    """
    path = Path(path)
    if not path.is_file():
        return 0
    written = path.read_bytes()
    content, digest = written[:-32], written[-32:]
    remedy = "delete it, or name another file"
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(f"{path} is damaged, or no checkpoint: {remedy}")
    states = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    step = states.pop("step")
    if set(states) != set(parts):
        raise ValueError(
            f"{path} holds {sorted(states)}, expected {sorted(parts)}: {remedy}"
        )
    for name, part in parts.items():
        for key in part if isinstance(part, dict) else ():
            old = states[name].get(key)
            if old != part[key]:
                raise ValueError(
                    f"{path} belongs to {key} = {old!r}, not {part[key]!r}: {remedy}"
                )
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            part.set_state(states[name])
        elif not isinstance(part, dict):
            try:
                part.load_state_dict(states[name])
            except (KeyError, RuntimeError, ValueError) as error:
                raise ValueError(
                    f"{path} belongs to another {name}: {remedy} ({error})"
                ) from error
    return int(step)
