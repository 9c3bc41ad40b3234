"""An ensemble computes and learns what its members would alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from jepa_tutorial.encoders import LSTMEncoder, MLPEncoder
from jepa_tutorial.ensembles import Ensemble, follow
from jepa_tutorial.targets import EMATarget


def networks(count=3):
    torch.manual_seed(0)
    return [
        MLPEncoder(2, window_len=5, hidden_dim=16, latent_dim=4) for _ in range(count)
    ]


def test_outputs_are_those_of_the_members():
    members, x = networks(), torch.randn(3, 7, 5, 2)
    expected = torch.stack(
        [member(part) for member, part in zip(members, x, strict=True)]
    )
    torch.testing.assert_close(Ensemble(members)(x), expected)


def test_training_together_is_training_apart():
    members = networks()
    together = Ensemble(members)
    alone = [torch.optim.Adam(member.parameters(), lr=1e-2) for member in members]
    optimizer = torch.optim.Adam(together.parameters(), lr=1e-2)
    for step in range(10):
        x = torch.randn(3, 7, 5, 2, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        together(x).square().mean(dim=(1, 2)).sum().backward()
        optimizer.step()
        for member, own, part in zip(members, alone, x, strict=True):
            own.zero_grad()
            member(part).square().mean().backward()
            own.step()
    expected = Ensemble(members)
    for ours, theirs in zip(together.weights, expected.weights, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_a_member_does_not_see_another_members_input():
    together, x = Ensemble(networks()), torch.randn(3, 7, 5, 2)
    other = x.clone()
    other[1] += 1
    before, after = together(x), together(other)
    assert torch.equal(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_only_the_stacked_weights_are_parameters_and_copies_are_apart():
    together = Ensemble(networks())
    assert all(len(weight) == 3 for weight in together.parameters())
    target = EMATarget(together, 0.5)
    twin = copy.deepcopy(together)
    with torch.no_grad():
        for weight in together.parameters():
            weight += 1
    target.update(together)
    for now, old, new in zip(
        target.parameters(), twin.parameters(), together.parameters(), strict=True
    ):
        torch.testing.assert_close(now, 0.5 * old + 0.5 * new)


def test_different_architectures_are_refused():
    with pytest.raises(RuntimeError):
        Ensemble([nn.Linear(2, 3), nn.Linear(2, 4)])


def test_lstm_cannot_be_batched():
    """The reason that chapter 2 uses an MLP; if this fails one day, it need not."""
    members = [LSTMEncoder(2, hidden_dim=8, latent_dim=4) for _ in range(2)]
    with pytest.raises(RuntimeError):
        Ensemble(members)(torch.randn(2, 7, 5, 2)).sum().backward()


def test_each_copy_follows_by_its_own_tau():
    encoder, target = Ensemble(networks()), Ensemble(networks())
    with torch.no_grad():
        for weight in target.parameters():
            weight.zero_()
    follow(target, encoder, torch.tensor([0.0, 0.75, 1.0]))
    shares = torch.tensor([1.0, 0.25, 0.0])
    for slow, fast in zip(target.weights, encoder.weights, strict=True):
        expected = fast * shares.view(-1, *[1] * (fast.ndim - 1))
        torch.testing.assert_close(slow, expected)


def test_a_tau_for_each_network_is_asked_for():
    encoder = Ensemble(networks())
    with pytest.raises(ValueError, match=r"tau must have the shape \(3\)"):
        follow(copy.deepcopy(encoder), encoder, torch.tensor([0.5]))
