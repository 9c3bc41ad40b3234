"""A cache for data that takes long to make: atomic, keyed, and checked when it is read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

Arrays = dict[str, Tensor]


def data_folder() -> Path:
    """Return the folder for data: ``JEPA_TUTORIAL_DATA``, or one in the user's cache."""
    named = os.environ.get("JEPA_TUTORIAL_DATA")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "jepa_tutorial"


def cached(
    name: str,
    version: int,
    make: Callable[..., Arrays],
    **parameters: bool | int | float | str,
) -> Arrays:
    """Return what ``make(**parameters)`` gives, from the cache if it is there and sound.

    A file is written under another name and renamed, so that a reader never sees half of it,
    and two processes may make the same file at once. It carries its parameters and a checksum.
    A damaged or foreign file is made again, with a warning. A folder that cannot be written
    costs a warning, too, and no more.

    Parameters
    ----------
    name : str
        Of the data, such as ``"pendulum_frames"``.
    version : int
        Of the generator: raise it when the same parameters give other data.
    make : callable
        From the parameters to tensors by name.
    **parameters
        Plain values; together with name and version they make the key.

    Returns
    -------
    dict of str to Tensor
    """
    about = json.dumps([name, version, parameters], sort_keys=True)
    key = hashlib.sha256(about.encode()).hexdigest()[:16]
    path = data_folder() / "cache" / f"{name}-{key}.npz"
    try:
        return load(path, about)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except Exception as error:  # whatever a damaged file makes a reader say
        warnings.warn(
            f"The cache file {path} is damaged or foreign ({error}); it is made again",
            stacklevel=2,
        )
    arrays = make(**parameters)
    try:
        store(path, about, arrays)
    except OSError as error:
        warnings.warn(
            f"The data could not be cached in {path.parent} ({error}); it will be made again "
            "next time. JEPA_TUTORIAL_DATA can name another folder",
            stacklevel=2,
        )
    return arrays


def store(path: Path, about: str, arrays: Arrays) -> None:
    """Write arrays with their key and a checksum, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: array.numpy() for name, array in arrays.items()}
    header = json.dumps({"about": about, "checksum": checksum(plain)})
    everything: dict[str, Any] = plain | {"header": np.array(header)}
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **everything)
        os.replace(part, path)
    finally:
        Path(part).unlink(missing_ok=True)


def load(path: Path, about: str) -> Arrays:
    """Read arrays; raise if they are not what was written under this key."""
    with np.load(path, allow_pickle=False) as file:
        plain = {name: file[name] for name in file.files}
    header: dict[str, Any] = json.loads(str(plain.pop("header")))
    if header["about"] != about:
        raise ValueError("it was made for other parameters")
    if header["checksum"] != checksum(plain):
        raise ValueError("its checksum is wrong")
    return {name: torch.from_numpy(array) for name, array in plain.items()}


def checksum(plain: dict[str, np.ndarray]) -> str:
    """Hash arrays with their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(plain):
        array = np.ascontiguousarray(plain[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()
