"""Pictures of a single pendulum, and what is laid over them."""

from __future__ import annotations

import math

import pytest
import torch

from jepa_tutorial.runtime import new_generator
from jepa_tutorial.worlds.swing_frames import disturb, patterns, render_swings


def center(frame):
    """Of the brightness above the rod's, in m from the pivot, y up."""
    size = frame.shape[-1]
    light = (frame[0] - 0.5).clamp(min=0)
    place = (torch.arange(size) + 0.5 - size / 2) * 2.8 / size
    x, y = (light.sum(dim=k) @ place / light.sum() for k in (0, 1))
    return x.item(), -y.item()


@pytest.mark.parametrize("angle", [0.0, 1.0, -2.0])
@pytest.mark.parametrize("size", [16, 64])
def test_the_bob_is_where_the_angle_says(angle, size):
    frame = render_swings(torch.tensor([[angle]]), size)[0, 0]
    assert frame.shape == (1, size, size)
    assert frame.min() == 0
    assert frame.max() == pytest.approx(0.7)
    assert center(frame) == pytest.approx((math.sin(angle), -math.cos(angle)), abs=0.05)


FRAMES = render_swings(torch.zeros(200, 30))


def nuisance(kind, contrast, rho, seed=0):
    return disturb(FRAMES, kind, contrast, rho, new_generator(seed)) - FRAMES


@pytest.mark.parametrize("kind", ["pixels", "patterns"])
@pytest.mark.parametrize("rho", [0.0, 0.8, 1.0])
def test_a_nuisance_has_its_contrast_and_its_memory(kind, rho):
    n = nuisance(kind, 0.3, rho)
    assert n.std().item() == pytest.approx(0.3, rel=0.1)
    for now in (n[:, 0], n[:, -1]):  # it does not age
        assert now.std().item() == pytest.approx(0.3, rel=0.1)
    pair = torch.stack([n[:, 10].flatten(), n[:, 11].flatten()])
    assert torch.corrcoef(pair)[0, 1].item() == pytest.approx(rho, abs=0.08)


def test_patterns_are_eight_that_have_nothing_in_common():
    flat = patterns(16).flatten(1)
    torch.testing.assert_close(flat @ flat.T / flat.shape[1], torch.eye(8))
    n = nuisance("patterns", 0.3, 0.8).flatten(0, 1).flatten(1)
    assert torch.linalg.matrix_rank(n, rtol=1e-4) == 8


def test_the_blob_covers_what_is_behind_it_and_moves_by_itself():
    frames = disturb(FRAMES, "blob", 0.9, 0.8, new_generator(0))
    changed = frames != FRAMES
    assert (frames[frames > 0.75].max() - 0.9).abs() < 1e-6
    assert 0.01 < changed.float().mean() < 0.2
    assert not torch.equal(changed[:, 0], changed[:, 1])


def test_none_changes_nothing_and_seeds_decide():
    assert torch.equal(nuisance("none", 0.3, 0.5), torch.zeros_like(FRAMES))
    same, other = nuisance("pixels", 0.3, 0.5, 0), nuisance("pixels", 0.3, 0.5, 1)
    assert torch.equal(same, nuisance("pixels", 0.3, 0.5, 0))
    assert not torch.equal(same, other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "fog"}, "kind"),
        ({"contrast": -0.1}, "contrast"),
        ({"rho": 1.1}, "rho"),
        ({"frames": torch.zeros(2, 16, 16)}, "frames"),
        ({"generator": None}, "generator"),
    ],
)
def test_what_is_wrong_is_named(change, words):
    given = dict(
        frames=FRAMES, kind="pixels", contrast=0.1, rho=0.5, generator=new_generator(0)
    )
    with pytest.raises(ValueError, match=words):
        disturb(**{**given, **change})


def test_sizes_and_shapes_of_a_drawing_are_checked():
    with pytest.raises(ValueError, match="angle"):
        render_swings(torch.zeros(3))
    with pytest.raises(ValueError, match="image_size"):
        render_swings(torch.zeros(1, 1), 4)
