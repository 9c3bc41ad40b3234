"""Ensembles: many small networks trained at once, so that a sweep is affordable."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from jepa_tutorial.checks import check_averaged, check_range, check_shape


class Ensemble(nn.Module):
    """Networks of one architecture, each with its own weights, run at once.

    PyTorch's ``vmap`` turns M small matrix products into one batched product. Adam treats each
    weight by itself, so one optimizer trains all networks as if each had its own, as long as
    their losses are added and not mixed.

    Parameters
    ----------
    networks : sequence of nn.Module
        M networks that differ only in their weights. Without LSTM or GRU, which ``vmap``
        cannot batch, and without buffers.

    Raises
    ------
    RuntimeError
        If the networks' architectures differ; from PyTorch.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        stacked, _ = stack_module_state(list(networks))
        self.names = list(stacked)
        self.weights = nn.ParameterList(stacked.values())  # each (M, ...)
        # In a tuple, so that the template's own weights are not registered.
        self.template = (copy.deepcopy(networks[0]).to("meta"),)

    def forward(self, x: Tensor) -> Tensor:
        """Give network m the input ``x[m]``; ``(M, B, ...)`` to ``(M, B, Z)``."""

        def run(weights: list[Tensor], x: Tensor) -> Tensor:
            named = dict(zip(self.names, weights, strict=True))
            return functional_call(self.template[0], named, (x,))

        return vmap(run)(list(self.weights), x)


@torch.no_grad()
def follow(target: Ensemble, encoder: Ensemble, tau: Tensor) -> None:
    """Move each network's copy toward it, by its own tau.

    Parameters
    ----------
    target : Ensemble
        The copies, moved in place.
    encoder : Ensemble
        The networks that they follow.
    tau : Tensor
        EMA decays, ``(M,)``: 0 copies, 1 does not move.

    Raises
    ------
    ValueError
        If there is not one tau for each network, one is not from 0 to 1, or weights are of half
        precision, whose average would not move.
    """
    check_shape(f"{len(encoder.weights[0])}", tau=tau)
    for each in tau.tolist():
        check_range(0, 1, tau=each)
    check_averaged(encoder=encoder)
    for slow, fast in zip(target.weights, encoder.weights, strict=True):
        share = (1 - tau).view(-1, *[1] * (slow.ndim - 1))
        slow.lerp_(fast, share)
