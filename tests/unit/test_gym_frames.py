"""Frames of real environments, and one clear sentence where there are none."""

from __future__ import annotations

import itertools
import os
import sys
from importlib.util import find_spec

import gymnasium
import numpy as np
import pytest
import torch

from jepa_tutorial.runtime import deal_seeds
from jepa_tutorial.worlds.gym_frames import gym_frames, make_env

SIZES = dict(num_samples=2, seq_len=6, image_size=32)


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("env_id", "actions", "observations"),
    [("Pendulum-v1", 1, 3), ("CartPole-v1", 2, 4)],
)
def test_continuous_and_discrete(env_id, actions, observations):
    found = gym_frames(env_id, **SIZES)
    assert found["frames"].shape == (2, 6, 3, 32, 32)
    assert found["frames"].dtype == torch.uint8
    assert found["actions"].shape == (2, 5, actions)
    assert found["actions"].dtype == torch.float32
    assert found["observations"].shape == (2, 6, observations)
    assert found["frames"].float().std(dim=1).max() > 10  # things move
    if env_id == "CartPole-v1":
        assert (found["actions"].sum(dim=-1) == 1).all()
    else:
        assert found["actions"].abs().max() <= 2


def test_observations_tell_what_the_frames_show():
    found = gym_frames("Pendulum-v1", num_samples=1, seq_len=30, image_size=64)
    red = 255 - found["frames"][0, :, 1].float()  # the rod is red on white
    line = torch.arange(64.0)
    x = (red * line).sum(dim=(1, 2)) / red.sum(dim=(1, 2))
    sine = found["observations"][0, :, 1]
    correlation = torch.corrcoef(torch.stack([x, sine]))[0, 1]
    assert correlation.abs() > 0.95


def test_same_seed_same_episodes_from_the_cache(folder, monkeypatch):
    first = gym_frames("CartPole-v1", **SIZES, seed=3)
    monkeypatch.setitem(sys.modules, "gymnasium", None)  # not needed again
    again = gym_frames("CartPole-v1", **SIZES, seed=3)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert len(list((folder / "cache").iterdir())) == 1


def test_a_damaged_cache_is_made_again(folder):
    first = gym_frames("CartPole-v1", **SIZES)
    (path,) = (folder / "cache").iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="damaged or foreign"):
        again = gym_frames("CartPole-v1", **SIZES)
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_another_number_is_another_file(folder):
    gym_frames("CartPole-v1", **SIZES)
    gym_frames("CartPole-v1", **SIZES | {"seq_len": 5})
    gym_frames("CartPole-v1", **SIZES, seed=1)
    assert len(list((folder / "cache").iterdir())) == 3


def shared(env_id, *seeds):
    """Which of these two sets of episodes have in common: starts, actions."""
    sizes = dict(num_samples=8, seq_len=6, image_size=16)
    first, other = (gym_frames(env_id, **sizes, seed=seed) for seed in seeds)
    parts = {"starts": ("observations", 0), "actions": ("actions", slice(None))}
    return {
        name
        for name, (part, which) in parts.items()
        if {each[which].numpy().tobytes() for each in first[part]}
        & {each[which].numpy().tobytes() for each in other[part]}
    }


@pytest.mark.parametrize("seed", [0, 1, 100])
def test_no_two_sets_share_an_episode(seed):
    """Else one would be held out from the other in name only."""
    for one, other in itertools.combinations(deal_seeds(seed), 2):
        assert shared("Pendulum-v1", one, other) == set()
        # Buttons that are held: few sequences of five, so only starts tell.
        assert "starts" not in shared("CartPole-v1", one, other)


def test_sets_that_overlap_are_noticed():
    seed = deal_seeds(0).train
    assert shared("Pendulum-v1", seed, seed + 7) == {"starts", "actions"}
    assert "starts" in shared("CartPole-v1", seed, seed + 7)


def test_the_first_action_does_not_follow_from_the_start():
    found = gym_frames("Pendulum-v1", num_samples=50, seq_len=2, image_size=16)
    cosine, sine, spin = found["observations"][:, 0].T
    for start in (torch.atan2(sine, cosine), spin):
        both = torch.stack([start, found["actions"][:, 0, 0]])
        assert torch.corrcoef(both)[0, 1].abs() < 0.5


def test_an_action_leads_from_its_frame_to_the_next():
    def to_the_right(observation, rng):
        return int(observation[1] < 0)  # push against the velocity

    found = gym_frames("CartPole-v1", to_the_right, **SIZES)
    velocity = found["observations"][..., 1]
    pushed = found["actions"][..., 1] > 0.5
    assert torch.equal(velocity.diff(dim=1) > 0, pushed)
    assert torch.equal(velocity[:, :-1] < 0, pushed)


def test_random_actions_are_kept_for_a_while():
    actions = gym_frames("Pendulum-v1", **SIZES | {"seq_len": 80})["actions"]
    changes = actions.diff(dim=1) != 0
    assert 0.1 < changes.float().mean() < 0.4  # every 4.5 steps


def test_one_frame_has_no_action():
    found = gym_frames("Pendulum-v1", **SIZES | {"seq_len": 1})
    assert found["frames"].shape == (2, 1, 3, 32, 32)
    assert found["actions"].shape == (2, 0, 1)


def test_no_screen_is_needed(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    gym_frames("Pendulum-v1", **SIZES)
    assert "SDL_VIDEODRIVER" not in os.environ
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")  # a screen that is not there
    gym_frames("CartPole-v1", **SIZES)
    assert os.environ["SDL_VIDEODRIVER"] == "x11"


def test_a_policy_of_ones_own():
    def always_left(observation, rng):
        assert observation.shape == (4,)
        return 0

    found = gym_frames("CartPole-v1", always_left, **SIZES)
    assert (found["actions"][..., 0] == 1).all()


def test_episodes_that_end_are_dropped():
    with pytest.raises(ValueError, match="must last 400 steps, got only 0"):
        gym_frames(
            "CartPole-v1", lambda *_: 1, num_samples=1, seq_len=400, image_size=16
        )


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ImportError, match="pip install 'gymnasium"):
        gym_frames("CartPole-v1", lambda *_: 0, **SIZES)


def test_a_missing_pygame_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(ImportError, match=r"CartPole-v1 needs more .*pygame"):
        gym_frames("CartPole-v1", **SIZES)


@pytest.mark.skipif(find_spec("mujoco") is not None, reason="MuJoCo is there")
def test_a_missing_simulator_is_one_sentence():
    with pytest.raises(ImportError, match="Ant-v5 needs more than Gymnasium"):
        gym_frames("Ant-v5", **SIZES)


def test_a_missing_module_is_one_sentence():
    with pytest.raises(ImportError, match="no_such_module"):
        gym_frames("no_such_module:World-v0", **SIZES)


@pytest.mark.parametrize("env_id", ["NoSuchWorld-v0", "Pendulum-v99", "???"])
def test_an_unknown_id_is_one_sentence(env_id):
    with pytest.raises(ValueError, match="env_id must be a Gymnasium"):
        gym_frames(env_id, **SIZES)


class Blind(gymnasium.Env):
    """It cannot draw itself, and knows of no such argument."""

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Discrete(3)


class Odd(Blind):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012
    action_space = gymnasium.spaces.MultiBinary(3)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def render(self):
        return np.zeros((20, 30, 3), np.uint8)


class Grid(Odd):
    """Numbers instead of vectors, and actions from 5 on."""

    action_space = gymnasium.spaces.Discrete(2, start=5)

    def step(self, action):
        return action - 4, 0.0, False, False, {}


@pytest.fixture(autouse=True, scope="module")
def registered():
    for env in (Blind, Odd, Grid):
        gymnasium.register(f"{env.__name__}-v0", env)
    yield
    for env in (Blind, Odd, Grid):
        gymnasium.registry.pop(f"{env.__name__}-v0")


def test_environments_that_do_not_fit():
    with pytest.raises(ValueError, match=r"cannot draw itself: .*'ansi'"):
        gym_frames("Blind-v0", **SIZES)
    with pytest.raises(ValueError, match="must be discrete or a box"):
        gym_frames("Odd-v0", **SIZES)


def test_numbers_become_one_of_all():
    found = gym_frames("Grid-v0", lambda *_: 6, **SIZES)
    assert (found["actions"] == torch.tensor([0.0, 1.0])).all()
    seen = found["observations"].argmax(dim=-1)
    assert seen.tolist() == [[0, 2, 2, 2, 2, 2]] * 2
    assert found["frames"].shape == (2, 6, 3, 32, 32)


def test_frames_are_the_pictures_made_small():
    env = make_env("CartPole-v1")
    env.reset(seed=1)
    picture = torch.from_numpy(env.render().copy()).float()
    env.close()
    found = gym_frames("CartPole-v1", **SIZES | {"seq_len": 1}, seed=1)
    mean = found["frames"][0, 0].float().mean(dim=(1, 2))
    torch.testing.assert_close(mean, picture.mean(dim=(0, 1)), atol=0.6, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_samples": 0}, "num_samples"),
        ({"num_samples": 60_000}, "num_samples"),
        ({"seq_len": 0}, "seq_len"),
        ({"image_size": 8}, "image_size"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32 - 39}, "seed"),  # of the last try: 2**32
        ({"policy": "best"}, "policy"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        gym_frames("CartPole-v1", **SIZES | changes)
