"""A pretended accelerator: its tensors compute on the CPU and refuse to meet the CPU's.

PyTorch lets a backend be written in Python. This one holds a tensor of the CPU in each of its
own, runs every operation on those, and raises where a GPU would: when tensors of two devices
meet, or when one of the accelerator is asked for its NumPy array.

Run as a program, with a chapter's path and parameters in JSON, it executes the chapter's cells.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from jepa_tutorial import runtime
from jepa_tutorial.publishing.chapters import has_tag, read_notebook

_setup_privateuseone_for_python_backend("pretended")
DEVICE = torch.device("pretended", 0)
aten = torch.ops.aten
INDEXING = (aten.index.Tensor, aten.index_put_.default, aten.index_put.default)


class Pretended(Tensor):
    """A tensor of the accelerator."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor):
        return Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return compute(function, args, kwargs or {})

    def numpy(self, *args, **kwargs):
        raise TypeError("a tensor of the accelerator has no array; call .cpu() first")

    __array__ = numpy

    # What PyTorch does not do for a class of one's own.
    def tolist(self):
        return self.held.tolist()

    def untyped_storage(self):
        return self.held.untyped_storage()

    def __reduce_ex__(self, protocol):
        return self.held.__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"Pretended({self.held!r})"

    def __format__(self, form: str) -> str:
        return format(self.item() if self.dim() == 0 else repr(self), form)


def bare(value):
    return value.held if isinstance(value, Pretended) else value


def refuse_to_mix(function, args, tensors: list[Tensor]) -> None:
    """Raise if tensors lie on two devices.

    As on a GPU, single numbers of the CPU are welcome, and so are its indices.
    """
    if function in INDEXING and isinstance(args[0], Pretended):
        tensors = [args[0], *args[2:3]]
    here = [x for x in tensors if not isinstance(x, Pretended) and x.dim()]
    if here and any(isinstance(x, Pretended) for x in tensors):
        shapes = [tuple(x.shape) for x in here]
        raise RuntimeError(
            f"{function}: on the CPU and not on the accelerator: {shapes}"
        )


def compute(function, args, kwargs):
    """Run an operation on what the tensors hold, and put the result where it belongs."""
    tensors = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, Tensor)]
    there = [x for x in tensors if isinstance(x, Pretended)]
    belongs = bool(there)
    if function == aten.copy_.default:
        belongs = isinstance(args[0], Pretended)
    elif function != aten._to_copy.default:
        refuse_to_mix(function, args, tensors)
    if kwargs.get("device") is not None:
        belongs = torch.device(kwargs["device"]).type == DEVICE.type
        kwargs = {**kwargs, "device": torch.device("cpu")}
    out = function(*tree_map(bare, args), **tree_map(bare, kwargs))
    # An operation in place returns the tensor that it was given.
    given = {id(x.held): x for x in there}

    def placed(x):
        if not isinstance(x, Tensor):
            return x
        return given[id(x)] if id(x) in given else Pretended(x)

    return tree_map(placed, out) if belongs else out


def lstm_cell(gates, hidden, c, bias=None, hidden_bias=None):
    for part in (hidden, bias, hidden_bias):
        gates = gates if part is None else gates + part
    i, f, g, o = gates.chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c, c


def empty(size, *, dtype=None, memory_format=None, **rest):
    form = memory_format or torch.contiguous_format
    return Pretended(torch.empty(size, dtype=dtype, memory_format=form))


def empty_strided(size, stride, *, dtype=None, **rest):
    return Pretended(torch.empty_strided(size, stride, dtype=dtype))


def copy_from(source, to, non_blocking=False):
    bare(to).copy_(bare(source))
    return to


# What makes or copies a tensor of the accelerator, and a fused operation that each has.
LIBRARY = torch.library.Library("aten", "IMPL")
LIBRARY.impl("empty.memory_format", empty, "PrivateUse1")
LIBRARY.impl("empty_strided", empty_strided, "PrivateUse1")
LIBRARY.impl("_copy_from", copy_from, "PrivateUse1")
for key in ("PrivateUse1", "AutogradPrivateUse1"):
    LIBRARY.impl("_thnn_fused_lstm_cell", lstm_cell, key)


def run_cells(path: Path, parameters: dict[str, object]) -> None:
    """Execute a notebook's cells; exit at the first that fails."""
    shell = InteractiveShell.instance(colors="nocolor")
    for cell in read_notebook(path).cells:
        if cell.cell_type == "code" and not shell.run_cell(cell.source).success:
            sys.exit(f"{path.name}, cell {cell.id} fails on the accelerator")
        if has_tag(cell, "parameters"):
            shell.user_ns.update(parameters)


if __name__ == "__main__":
    runtime.pick_device = lambda: DEVICE
    run_cells(Path(sys.argv[1]), json.loads(sys.argv[2]))
