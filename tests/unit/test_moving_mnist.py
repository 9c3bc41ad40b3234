"""Digits, the clips they fly in, and the maps of where they are."""

from __future__ import annotations

import gzip
import itertools
import re

import numpy as np
import pytest
import torch
from scipy import stats

from jepa_tutorial.runtime import SET_SEEDS, deal_seeds
from jepa_tutorial.worlds import digits as digits_module
from jepa_tutorial.worlds.digits import (
    Digits,
    load_digits,
    read_idx,
    small_digits,
    split_digits,
)
from jepa_tutorial.worlds.moving_mnist import (
    bounce,
    bright_parts,
    component_maps,
    draw_starts,
    location_maps,
    moving_mnist,
    read_sequence_file,
)

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def digits():
    return small_digits()


# --- digits ------------------------------------------------------------------------------------


def test_small_digits_look_like_mnist_and_say_what_they_are(digits):
    assert digits.images.shape == (1797, 28, 28)
    assert digits.images.dtype == torch.uint8
    assert digits.images.max() > 200
    assert not digits.images[:, :4].any()  # a margin, as MNIST's have
    assert digits.source.count(".") == 1
    assert digits.name == "scikit-learn"


def write_idx(path, array):
    sizes = np.array(array.shape, ">i4").tobytes()
    header = bytes([0, 0, 8, array.ndim])
    path.write_bytes(gzip.compress(header + sizes + array.tobytes()))


def test_reads_the_format_of_mnist(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "a.gz", array)
    assert np.array_equal(read_idx(tmp_path / "a.gz").numpy(), array)


def test_files_in_the_data_folder_are_used(monkeypatch, tmp_path):
    import hashlib

    images = np.random.default_rng(0).integers(0, 255, (10, 28, 28), np.uint8)
    arrays = images, np.arange(10, dtype=np.uint8)
    known = {}
    (tmp_path / "mnist").mkdir()
    for name, array in zip(digits_module.MNIST_FILES, arrays, strict=True):
        path = tmp_path / "mnist" / name
        write_idx(path, array)
        known[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path))
    monkeypatch.setattr(digits_module, "MNIST_FILES", known)
    found = load_digits(NOWHERE)
    assert np.array_equal(found.images.numpy(), images)
    assert found.labels.tolist() == list(range(10))
    assert "MNIST" in found.source
    assert found.name == "MNIST"


def test_parts_share_no_picture_and_lose_none(digits):
    numbered = digits._replace(images=torch.arange(1797))
    parts = [part.images for part in split_digits(numbered)]
    assert sorted(torch.cat(parts).tolist()) == list(range(1797))
    again = [part.images for part in split_digits(numbered)]
    assert all(torch.equal(*pair) for pair in zip(parts, again, strict=True))
    assert [len(part) for part in parts] == [1437, 180, 180]


@pytest.mark.parametrize("shares", [(0.0, 0.1), (0.5, 0.5), (0.9, 0.9)])
def test_no_part_is_empty(digits, shares):
    with pytest.raises(ValueError, match="at least one digit"):
        split_digits(digits._replace(images=digits.images[:10]), *shares)


# --- clips -------------------------------------------------------------------------------------


def test_shapes_and_the_same_again(digits):
    first = moving_mnist(digits, 3, 5, seed=7, num_digits=3, image_size=48)
    again = moving_mnist(digits, 3, 5, seed=7, num_digits=3, image_size=48)
    assert first.frames.shape == (3, 5, 1, 48, 48)
    assert first.frames.dtype == torch.uint8
    assert first.centers.shape == first.velocities.shape == (3, 5, 3, 2)
    assert first.labels.shape == (3, 3)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))


def test_each_clip_has_its_own_seed(digits):
    many = moving_mnist(digits, 70, 3, seed=5)
    one = moving_mnist(digits, 1, 3, seed=5 + 66)
    for whole, single in zip(many, one, strict=True):
        assert torch.equal(whole[66:67], single)


def test_speed_is_constant_and_edges_are_not_crossed(digits):
    clips = moving_mnist(digits, 50, 100, seed=0, speed=3.0)
    moved = clips.centers.diff(dim=1)
    assert moved.abs().max() <= 3.0 + 1e-4
    speeds = clips.velocities.norm(dim=-1)
    torch.testing.assert_close(speeds, torch.full_like(speeds, 3.0))
    assert clips.centers.min() >= 13.5
    assert clips.centers.max() <= 63 - 13.5
    # Away from the edges, the next place is this one plus the velocity.
    inside = (clips.centers[:, :-1] - 31.5).abs() < 14
    expected = clips.velocities[:, :-1]
    torch.testing.assert_close(moved[inside], expected[inside], atol=1e-3, rtol=0)
    turned = (clips.velocities.diff(dim=1) != 0).float().mean()
    assert 0 < turned < 0.3  # they do bounce


def test_a_digit_is_where_its_center_says():
    dot = torch.zeros(1, 28, 28, dtype=torch.uint8)
    dot[0, 13:15, 13:15] = 255  # around the middle
    clips = moving_mnist(
        Digits(dot, torch.tensor([0]), "", "dot"), 20, 10, seed=0, num_digits=1
    )
    frames = clips.frames.float()
    mass = frames.sum(dim=(2, 3, 4))
    line = torch.arange(64.0)
    x = (frames.sum(dim=3) * line).sum(dim=(2, 3)) / mass
    y = (frames.sum(dim=4) * line).sum(dim=(2, 3)) / mass
    found = torch.stack([x, y], dim=-1)
    torch.testing.assert_close(found, clips.centers[:, :, 0], atol=0.02, rtol=0)
    # Drawing between pixels neither adds nor loses light, up to rounding.
    torch.testing.assert_close(mass, torch.full_like(mass, 4 * 255), atol=9, rtol=0)


def test_where_digits_overlap_the_brighter_counts(digits):
    both = moving_mnist(digits, 20, 4, seed=3)
    assert both.frames.max() <= 255
    one = moving_mnist(digits._replace(images=digits.images * 0 + 100), 20, 4, seed=3)
    assert one.frames.max() == 100  # a sum would be twice as bright


def test_the_last_seed_is_one(digits):
    assert len(moving_mnist(digits, 2, 1, seed=2**32 - 2).frames) == 2


# --- held out ----------------------------------------------------------------------------------


def rows(values) -> set[bytes]:
    return {row.tobytes() for row in values.numpy()}


def shared(first, second) -> set[str]:
    """What two sets, each of digits and clips, have in common."""
    (digits, clips), (others, other_clips) = first, second
    pairs = {
        "digits": (digits.images, others.images),
        # One digit's start, and how all digits of a clip fly.
        "starts": [c.centers[:, 0].flatten(0, 1) for c in (clips, other_clips)],
        "motions": [c.velocities[:, 0].flatten(1) for c in (clips, other_clips)],
    }
    return {name for name, (a, b) in pairs.items() if rows(a) & rows(b)}


RUN_SEEDS = (0, 1, 4, 100, 1364)


def test_no_two_sets_share_a_digit_a_start_or_a_motion(digits):
    parts = split_digits(digits)
    sets = [
        (part, moving_mnist(part, 300, 1, seed=first))
        for seed in RUN_SEEDS
        for part, first in zip(parts, deal_seeds(seed), strict=True)
    ]
    for (i, one), (j, other) in itertools.combinations(enumerate(sets), 2):
        # The split of the digits is the same in all runs.
        assert shared(one, other) == ({"digits"} if i % 3 == j % 3 else set())


def test_sets_that_share_something_are_found_out(digits):
    train, _, tested = split_digits(digits)
    clips = moving_mnist(train, 300, 1, seed=5)
    overlap = moving_mnist(tested, 300, 1, seed=5 + 299)  # one seed of both
    assert shared((train, clips), (tested, overlap)) == {"starts", "motions"}
    far = moving_mnist(train, 300, 1, seed=SET_SEEDS)
    assert shared((train, clips), (train, far)) == {"digits"}


@pytest.mark.parametrize("seed", RUN_SEEDS)
def test_neighboring_seeds_draw_as_if_from_one(seed):
    for first in deal_seeds(seed):
        chosen, start, heading, pace = draw_starts(
            10_000, num_samples=4000, num_digits=1, seed=first
        )
        turn, (x, y) = heading / (2 * torch.pi), start.unbind(dim=-1)
        draws = torch.cat([chosen / 10_000, x, y, turn, pace], dim=1).numpy()
        # From one clip to the next, around a circle: alike would be near zero.
        steps = np.diff(draws, axis=0)[::2] % 1
        for column in (*draws.T, *steps.T):
            assert stats.kstest(column, "uniform").pvalue > 1e-4
        lagged = np.corrcoef(draws[:-1].T, draws[1:].T)
        np.fill_diagonal(lagged, 0)
        assert np.abs(lagged).max() < 0.08  # five standard errors


# --- where they are ----------------------------------------------------------------------------


def test_location_maps_by_hand():
    centers = torch.tensor([[[[7.4, 0.0], [63.0, 12.0]], [[7.5, 0], [7.6, 1]]]])
    maps = location_maps(centers, 64)
    assert maps.shape == (1, 2, 8, 8)
    assert maps[0, 0].nonzero().tolist() == [[0, 0], [1, 7]]
    assert maps[0, 1].nonzero().tolist() == [[0, 1]]  # two in one cell


def test_speeds_vary_by_the_ratio_and_nothing_else_does(digits):
    same = moving_mnist(digits, 300, 3, seed=0, speed=2.0)
    varied = moving_mnist(digits, 300, 3, seed=0, speed=2.0, speed_ratio=2.0)
    assert torch.equal(same.labels, varied.labels)
    assert torch.equal(same.centers[:, 0], varied.centers[:, 0])
    speeds = varied.velocities.norm(dim=-1)
    assert 1 <= speeds.min() < 1.05
    assert 3.9 < speeds.max() <= 4.001
    assert speeds.log().median().exp() == pytest.approx(2, abs=0.15)
    torch.testing.assert_close(speeds[:, 0], speeds[:, 2])  # in a clip it stays
    torch.testing.assert_close(
        same.velocities.norm(dim=-1), torch.full((300, 3, 2), 2.0)
    )
    with pytest.raises(ValueError, match="speed_ratio must"):
        moving_mnist(digits, 1, 1, seed=0, speed_ratio=0.5)


def test_component_maps_by_hand():
    frames = torch.zeros(1, 3, 1, 64, 64, dtype=torch.uint8)
    frames[0, 0, 0, 0:4, 0:4] = 9
    frames[0, 0, 0, 40:50, 20:22] = 9
    frames[0, 1, 0, 10:12, 10:12] = 9
    frames[0, 1, 0, 12:14, 12:14] = 9  # touches at a corner: one part
    maps = component_maps(frames)
    assert maps[0, 0].nonzero().tolist() == [[0, 0], [5, 2]]
    assert maps[0, 1].nonzero().tolist() == [[1, 1]]
    assert not maps[0, 2].any()
    frames[0, 2, 0, 0:4, 0:4] = 4  # less than half as bright as another part
    frames[0, 2, 0, 40:50, 20:22] = 9
    assert component_maps(frames)[0, 2].nonzero().tolist() == [[5, 2]]


def test_bright_parts_are_middles_of_boxes():
    picture = np.zeros((16, 20), dtype=np.uint8)
    picture[2:5, 10:16] = 200
    picture[9, 3] = 250
    assert bright_parts(picture).tolist() == [[12.5, 3], [3, 9]]
    assert bright_parts(0 * picture).shape == (0, 2)


def test_bounce_folds_a_straight_path():
    straight = torch.tensor([-3.0, 0, 4, 10, 13, 20, 22])
    assert bounce(straight, 10).tolist() == [3, 0, 4, 10, 7, 0, 2]


def test_single_digits_are_found_near_their_centers(digits):
    clips = moving_mnist(digits, 50, 5, seed=0, num_digits=1)
    parts = component_maps(clips.frames).flatten(0, 1)
    exact = location_maps(clips.centers, 64).flatten(0, 1)
    near = torch.nn.functional.max_pool2d(exact[:, None], 3, 1, 1)[:, 0]
    assert (parts * near).sum() / parts.sum() > 0.8  # some digits are broken


# --- the published file ------------------------------------------------------------------------


def test_the_published_file_is_parted(tmp_path):
    path = tmp_path / "mnist_test_seq.npy"
    shape = (20, 10_000, 64, 64)
    file = np.lib.format.open_memmap(path, "w+", np.uint8, shape)  # sparse
    file[:, :, 0, 0] = np.arange(10_000) % 251
    file[:, :, 0, 1] = np.arange(20)[:, None]
    file.flush()
    train, valid = read_sequence_file(path)
    assert train.shape == (18_000, 10, 1, 64, 64)
    assert valid.shape == (2_000, 10, 1, 64, 64)
    assert train.dtype == torch.uint8
    # Two clips of ten from each sequence, in order.
    assert torch.equal(train[0::2, 0, 0, 0, 0], train[1::2, 9, 0, 0, 0])
    assert train[0, :, 0, 0, 1].tolist() == list(range(10))
    assert train[1, :, 0, 0, 1].tolist() == list(range(10, 20))
    path.unlink()


@pytest.mark.parametrize(
    "array", [np.zeros((20, 5, 64, 64), np.uint8), np.zeros((2, 2))]
)
def test_another_file_is_refused(tmp_path, array):
    path = tmp_path / "other.npy"
    np.save(path, array)
    with pytest.raises(ValueError, match=re.escape("(20, 10000, 64, 64)")):
        read_sequence_file(path)
