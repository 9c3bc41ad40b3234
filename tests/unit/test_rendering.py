"""Pictures of the pendulum: their shape, their places, their smooth edges."""

from __future__ import annotations

import math

import pytest
import torch

from jepa_tutorial.windows import to_float
from jepa_tutorial.worlds import pendulum_frames as rendering
from jepa_tutorial.worlds.pendulum import bob_positions, simulate_pendulum
from jepa_tutorial.worlds.pendulum_frames import render_bobs


def starts(count=32, angle=2.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(count, 4, generator=generator, dtype=torch.float64)
    return (2 * drawn - 1) * torch.tensor([angle, angle, 0.0, 0.0])


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_frames_have_the_asked_shape_and_type(size, channels):
    frames = render_bobs(bob_positions(simulate_pendulum(starts(2), 3)), size, channels)
    assert frames.shape == (2, 3, channels, size, size)
    assert frames.dtype == torch.uint8


def test_bobs_are_drawn_where_they_are():
    state = torch.zeros(1, 1, 4).double()
    state[..., 0] = math.pi / 2  # first rod to the right, second down
    frame = render_bobs(bob_positions(state), 64, 3)[0, 0].float()
    row, column = 32, 32 + 64 / 4.6
    yellow = frame[0] - frame[2]  # the first bob has red and no blue
    weight = yellow.clamp_min(0)
    grid = torch.arange(64) + 0.5
    assert (weight.sum(0) @ grid / weight.sum()).item() == pytest.approx(
        column, abs=0.5
    )
    assert (weight.sum(1) @ grid / weight.sum()).item() == pytest.approx(row, abs=0.5)


def test_edges_are_smooth_and_area_does_not_depend_on_the_place():
    states = simulate_pendulum(starts(64), 1)
    frames = render_bobs(bob_positions(states), 32).float()
    values = frames.unique()
    assert len(values) > 50  # many grays between the shapes' own
    total = frames.sum(dim=(1, 2, 3, 4))
    assert (total.std() / total.mean()).item() < 0.15


def test_pieces_do_not_change_the_picture():
    states = simulate_pendulum(starts(300), 1)
    together = render_bobs(bob_positions(states), 16)
    apart = torch.cat(
        [render_bobs(bob_positions(part), 16) for part in states.split(7)]
    )
    assert torch.equal(together, apart)


def test_swapped_bobs_change_only_near_the_bobs():
    places = bob_positions(torch.tensor([[[0.5, -0.5, 0.0, 0.0]]]).double())
    usual, swapped = (
        render_bobs(places, 64, 1, swapped=s)[0, 0, 0] for s in (False, True)
    )
    different = (usual != swapped).float()
    assert 20 < different.sum() < 300
    assert torch.equal(render_bobs(places, 64, 1)[0, 0, 0], usual)


def test_floats_run_from_zero_to_one():
    frames = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(to_float(frames), torch.tensor([0.0, 0.2, 1.0]))


def whole_frame(positions, size):
    """One frame in gray, each shape computed at every pixel."""
    pixel = rendering.SPAN / size
    line = (torch.arange(size) + 0.5) * pixel - rendering.SPAN / 2
    y, x = torch.meshgrid(-line, line, indexing="ij")
    x_1, y_1, x_2, y_2 = positions
    image = torch.zeros(size, size)
    for x_a, y_a, x_b, y_b, look in (
        (0 * x_1, 0 * x_1, x_1, y_1, rendering.ROD),
        (x_1, y_1, x_2, y_2, rendering.ROD),
        (x_1, y_1, x_1, y_1, rendering.FIRST_BOB),
        (x_2, y_2, x_2, y_2, rendering.SECOND_BOB),
    ):
        share = ((x - x_a) * (x_b - x_a) + (y - y_a) * (y_b - y_a)).clamp(0, 1)
        off = torch.hypot(x - x_a - share * (x_b - x_a), y - y_a - share * (y_b - y_a))
        radius, color = look
        cover = ((radius - off) / pixel + 0.5).clamp(0, 1)
        image += cover * (sum(color) / 3 - image)
    return 255 * image


@pytest.mark.parametrize("size", [16, 21, 64, 128])
def test_small_squares_give_the_same_as_the_whole_frame(size):
    positions = bob_positions(starts(40, angle=math.pi)[:, None]).float()
    frames = render_bobs(positions, size)[:, 0, 0].float()
    for frame, place in zip(frames, positions[:, 0], strict=True):
        expected = whole_frame(place, size)
        # Rounded after each of four shapes, and what lies below shows through in part.
        assert (frame - expected).abs().max() < 1.5


@pytest.mark.parametrize("wrong", [2.5, -3.0, float("nan")])
def test_positions_where_no_bob_can_be_are_refused(wrong):
    positions = torch.zeros(1, 1, 4)
    positions[..., 2] = wrong
    with pytest.raises(ValueError, match="within 2 m of the pivot"):
        render_bobs(positions)
