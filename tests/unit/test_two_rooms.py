"""Two rooms: walls stop the dot, doors let it through, and pictures show both."""

from __future__ import annotations

import itertools

import pytest
import torch

from jepa_tutorial.runtime import deal_seeds, new_generator
from jepa_tutorial.worlds.two_rooms import (
    DOOR,
    MARGIN,
    Rooms,
    in_color,
    make_rooms,
    render_rooms,
    roll,
    step,
    two_rooms,
)


def one_room(wall=0.5, door=0.3):
    return Rooms(torch.tensor([wall]), torch.tensor([door]))


def at(*place):
    return torch.tensor([place])


@pytest.mark.parametrize("random", [False, True])
def test_no_step_crosses_a_wall_at_any_speed(random):
    generator = new_generator(0)
    count = 20_000
    rooms = make_rooms(count, generator, random=random)
    position = MARGIN + (1 - 2 * MARGIN) * torch.rand(count, 2, generator=generator)
    crossed = 0
    for _ in range(10):
        size = 10 ** (4 * torch.rand(count, 1, generator=generator) - 2)
        action = size * torch.randn(count, 2, generator=generator)
        new = step(position, action, rooms)
        assert new.min() >= MARGIN
        assert new.max() <= 1 - MARGIN
        other_side = (position[:, 0] < rooms.wall) != (new[:, 0] < rooms.wall)
        # Whoever is on the other side has gone straight through the door.
        share = (rooms.wall - position[:, 0]) / action[:, 0]
        meets = position[:, 1] + share * action[:, 1]
        through = (meets - rooms.door).abs() <= DOOR + 1e-5
        assert through[other_side].all()
        crossed += other_side.sum().item()
        position = new
    assert crossed > 1000  # the test has seen some go through


def test_by_hand():
    room = one_room()
    assert step(at(0.4, 0.3), at(0.2, 0.0), room).tolist() == [
        pytest.approx([0.6, 0.3])
    ]
    # Stopped beside the wall, and sliding along it.
    assert step(at(0.4, 0.8), at(0.2, 0.1), room).tolist() == [
        pytest.approx([0.5 - MARGIN, 0.9])
    ]
    assert step(at(0.6, 0.8), at(-0.2, 0.0), room).tolist() == [
        pytest.approx([0.5 + MARGIN, 0.8])
    ]
    # The way counts, not where it ends: past the door's height at the wall.
    assert step(at(0.1, 0.3), at(0.8, 0.6), room)[0, 0] < 0.5
    # Outer walls.
    assert step(at(0.9, 0.9), at(1.0, 1.0), room).tolist() == [
        pytest.approx([1 - MARGIN, 1 - MARGIN])
    ]
    assert torch.equal(step(at(0.2, 0.2), at(0.0, 0.0), room), at(0.2, 0.2))


def test_the_same_seed_gives_the_same_episodes():
    first, again = (
        two_rooms(3, 5, new_generator(1), random=True, background=0.3) for _ in range(2)
    )
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.positions, again.positions)
    other = two_rooms(3, 5, new_generator(2), random=True)
    assert not torch.equal(first.positions, other.positions)


def shared(first, other):
    """What two sets of episodes have in common: starts, walls, motions."""
    parts = {
        "starts": (first.positions[:, 0], other.positions[:, 0]),
        "walls": (torch.stack(first.rooms, 1), torch.stack(other.rooms, 1)),
        "motions": (first.actions, other.actions),
    }
    return {
        name
        for name, (some, others) in parts.items()
        if {each.numpy().tobytes() for each in some}
        & {each.numpy().tobytes() for each in others}
    }


@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 100])
def test_no_two_sets_share_a_start_or_a_motion(seed, random):
    """Sets as large as chapter 8 makes them, and of the next seed as well."""
    sets = [
        two_rooms(count, 21, new_generator(own), image_size=16, random=random)
        for run in (seed, seed + 1)
        for count, own in zip((2000, 200, 500), deal_seeds(run), strict=True)
    ]
    for one, other in itertools.combinations(sets, 2):
        assert shared(one, other) == (set() if random else {"walls"})


def test_sets_that_overlap_are_noticed():
    sets = [
        two_rooms(count, 21, new_generator(5), image_size=16, random=True)
        for count in (40, 40)
    ]
    assert shared(*sets) == {"starts", "walls", "motions"}


def test_positions_follow_from_actions():
    episodes = two_rooms(50, 30, new_generator(0))
    assert episodes.frames.shape == (50, 30, 2, 32, 32)
    assert episodes.frames.dtype == torch.uint8
    assert episodes.actions.shape == (50, 29, 2)
    followed = roll(episodes.positions[:, 0], episodes.actions, episodes.rooms)
    assert torch.equal(followed, episodes.positions)


def test_the_policy_changes_rooms_now_and_then():
    episodes = two_rooms(500, 40, new_generator(0))
    side = episodes.positions[..., 0] < 0.5
    changes = (side.diff(dim=1)).any(dim=1).float().mean()
    assert 0.1 < changes < 0.9


def test_wall_and_door_are_fixed_or_anywhere():
    fixed = make_rooms(9, new_generator(0))
    assert (fixed.wall == 0.5).all()
    assert (fixed.door == fixed.door[0]).all()
    rooms = make_rooms(1000, new_generator(0), random=True)
    assert rooms.wall.min() >= 0.25
    assert rooms.wall.max() <= 0.75
    assert rooms.door.min() >= DOOR
    assert rooms.door.max() <= 1 - DOOR
    assert rooms.wall.std() > 0.1
    assert rooms.door.std() > 0.1


@pytest.mark.parametrize("size", [16, 32, 64])
def test_the_blob_is_where_the_dot_is(size):
    episodes = two_rooms(5, 20, new_generator(0), image_size=size)
    blob = episodes.frames[:, :, 0].double()
    line = (torch.arange(size) + 0.5) / size
    mass = blob.sum(dim=(2, 3))
    x = (blob.sum(dim=2) * line).sum(dim=2) / mass
    y = (blob.sum(dim=3) * line).sum(dim=2) / mass
    inside = ((episodes.positions - 0.5).abs() < 0.35).all(dim=-1)
    found = torch.stack([x, y], dim=-1)[inside]
    expected = episodes.positions[inside].double()
    torch.testing.assert_close(found, expected, atol=0.003, rtol=0)


def test_the_wall_has_a_door():
    frames = render_rooms(torch.full((1, 1, 2), 0.2), one_room(0.5, 0.25), 64)
    wall = frames[0, 0, 1]
    assert (wall[:, 31:33] > 100).sum(dim=0).tolist() == [52, 52]  # of 64
    assert not wall[12:20, :].any()  # the door, around y = 0.25
    assert not wall[:, :20].any()


def test_waves_move_behind():
    plain = two_rooms(2, 6, new_generator(0)).frames
    waves = two_rooms(2, 6, new_generator(0), background=0.5).frames
    assert (waves >= plain).all()
    assert waves[:, :, 0, 0, 0].float().std() > 0
    assert (waves[0, 0] != waves[0, 3]).float().mean() > 0.3


def test_colors_are_white_where_nothing_is_and_leave_the_shape():
    frames = torch.zeros(2, 3, 2, 16, 16, dtype=torch.uint8)
    assert (in_color(frames) == 1).all()
    frames[..., 0, 5, 6] = 255
    picture = in_color(frames)
    assert picture.shape == (2, 3, 16, 16, 3)
    red, green, blue = picture[0, 0, 5, 6]
    assert red > green > blue
    assert (picture[0, 0, 0] == 1).all()
