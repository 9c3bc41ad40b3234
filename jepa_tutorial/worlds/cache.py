"""A cache for data that takes long to make: keyed, bounded, and checked when it is read."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import json
import os
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jepa_tutorial.essence import essence_hash, is_ours
from jepa_tutorial.files import given_path, replacing

Arrays = dict[str, Tensor]
LIMIT = 4 * 2**30  # bytes that the cache may take


def data_folder() -> Path:
    """Return the folder for data: ``JEPA_TUTORIAL_DATA``, or one in the user's cache."""
    named = os.environ.get("JEPA_TUTORIAL_DATA")
    if named:
        return given_path(named)
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return given_path(home) / "jepa_tutorial"


def cache_folder() -> Path:
    """Return the folder of the cache."""
    return data_folder() / "cache"


def cached(
    name: str, make: Callable[..., Arrays], /, **parameters: bool | int | float | str
) -> Arrays:
    """Return what ``make(**parameters)`` gives, from the cache if it is there and sound.

    A file is written under another name and renamed, so that a reader never sees half of it,
    and two processes may make the same file at once. It carries its key and a checksum. A
    damaged or foreign file is made again, with a warning. A folder that cannot be written
    costs a warning, too, and no more. When the files take more than ``LIMIT`` bytes, those go
    that were not used for the longest time.

    Parameters
    ----------
    name : str
        Of the data, such as ``"pendulum_frames"``.
    make : callable
        A function from the parameters to tensors by name.
    **parameters
        Plain values; together with the name and the code of the function they make the key.

    Returns
    -------
    dict of str to Tensor
    """
    try:
        about = json.dumps([name, source_hash(make), parameters], sort_keys=True)
    except (OSError, SyntaxError) as error:  # as at Python's prompt
        warnings.warn(f"Not cached: {error}", stacklevel=2)
        return make(**parameters)
    key = hashlib.sha256(about.encode()).hexdigest()[:16]
    path = cache_folder() / f"{name}-{key}.npz"
    try:
        arrays = load(path, about)
        with contextlib.suppress(OSError):  # a folder that can only be read
            os.utime(path)
        return arrays
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
        shrink(LIMIT)
    except OSError as error:
        warnings.warn(
            f"The data could not be cached in {path.parent} ({error}); it will be made again "
            "next time. JEPA_TUTORIAL_DATA can name another folder",
            stacklevel=2,
        )
    return arrays


def source_hash(make: Callable[..., Arrays]) -> str:
    """Hash the code of a function, and all that it reaches of its own module and of ours.

    Raises
    ------
    OSError, SyntaxError
        If the source of the function is not to be had.
    """
    space = {**make.__globals__, **inspect.getclosurevars(make).nonlocals}
    lines: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = [(make.__name__, make)]
    while waiting:
        name, value = waiting.pop()
        if name in lines:
            continue
        named = inspect.isfunction(value) or inspect.isclass(value)
        module = inspect.getmodule(value) if named else value
        if inspect.ismodule(module) and is_ours(module.__name__):
            lines[name] = f"import {module.__name__}"  # counts as a whole
        elif named and value.__module__ == make.__module__:
            lines[name] = textwrap.dedent(inspect.getsource(value))
            used = names_in(compile(lines[name], name, "exec"))
            waiting += [(n, space[n]) for n in used & space.keys()]
        else:
            with contextlib.suppress(TypeError):  # a constant, else no matter
                lines[name] = f"{name} = {json.dumps(value)}"
    return essence_hash("\n".join(lines[name] for name in sorted(lines)))


def names_in(code: CodeType) -> set[str]:
    """Return the names that code looks up outside of its functions."""
    inner = (names_in(c) for c in code.co_consts if inspect.iscode(c))
    return set(code.co_names).union(*inner)


def cache_files() -> list[tuple[Path, os.stat_result]]:
    """Return the files of the cache, the least recently used one first."""
    found = []
    for path in cache_folder().glob(f"*-{'[0-9a-f]' * 16}.npz"):
        with contextlib.suppress(FileNotFoundError):  # another process
            found.append((path, path.stat()))
    return sorted(found, key=lambda item: item[1].st_mtime)


def shrink(limit: int) -> int:
    """Remove what was not used for the longest time, until the rest takes at most ``limit`` bytes.

    Returns
    -------
    int
        How many bytes are gone.
    """
    files = cache_files()
    left = total = sum(state.st_size for _, state in files)
    for path, state in files:
        if left > limit:
            path.unlink(missing_ok=True)
            left -= state.st_size
    return total - left


def store(path: Path, about: str, arrays: Arrays) -> None:
    """Write arrays with their key and a checksum, all or nothing."""
    plain = {name: array.numpy() for name, array in arrays.items()}
    header = json.dumps({"about": about, "checksum": checksum(plain)})
    everything: dict[str, Any] = plain | {"header": np.array(header)}
    with replacing(path) as part:
        np.savez(part, **everything)


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
