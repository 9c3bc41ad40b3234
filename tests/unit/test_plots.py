"""What figures compute before they draw."""

from __future__ import annotations

import torch

from jepa_tutorial import plots
from jepa_tutorial.runtime import new_generator


def test_widest_two_keeps_distances_in_a_plane_and_does_not_jump_between_frames():
    generator = new_generator(0)
    flat = torch.randn(50, 2, generator=generator) * torch.tensor([3.0, 1.0])
    turns, _ = torch.linalg.qr(torch.randn(4, 5, 5, generator=generator))
    clouds = [
        flat @ turn[:2] + 7 for turn in turns
    ]  # planes anywhere in five dimensions
    frames = plots.widest_two(clouds)
    assert frames.shape == (4, 50, 2)
    torch.testing.assert_close(torch.pdist(frames[0]), torch.pdist(flat))
    for frame in frames[:-1]:  # the same cloud, so each frame can lie on the last
        torch.testing.assert_close(frame, frames[-1], atol=1e-4, rtol=0)
    variance = frames[-1].var(dim=0)
    assert variance[0] > variance[1]
