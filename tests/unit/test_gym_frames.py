"""Frames of real environments, and one clear sentence where there are none."""

from __future__ import annotations

import sys

import gymnasium
import numpy as np
import pytest
import torch

from jepa_tutorial.gym_frames import gym_frames

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


def test_a_policy_of_ones_own():
    def always_left(observation, rng):
        assert observation.shape == (4,)
        return 0

    found = gym_frames("CartPole-v1", always_left, **SIZES)
    assert (found["actions"][..., 0] == 1).all()


def test_episodes_that_end_are_dropped():
    with pytest.raises(ValueError, match="must last 400 steps, got only 0"):
        gym_frames(
            "CartPole-v1",
            lambda *_: 1,
            num_samples=1,
            seq_len=400,
            image_size=16,
        )


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ImportError, match="pip install 'gymnasium"):
        gym_frames("CartPole-v1", lambda *_: 0, **SIZES)


@pytest.mark.parametrize("env_id", ["NoSuchWorld-v0", "Pendulum-v99", "???"])
def test_an_unknown_id_is_one_sentence(env_id):
    with pytest.raises(ValueError, match="env_id must be a Gymnasium"):
        gym_frames(env_id, **SIZES)


class Blind(gymnasium.Env):
    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(0, 1, (1,))

    def __init__(self, render_mode=None):
        self.render_mode = render_mode


class Odd(Blind):
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    action_space = gymnasium.spaces.MultiBinary(3)

    def reset(self, **_):
        return np.zeros(1, np.float32), {}


@pytest.fixture
def registered():
    for env in (Blind, Odd):
        gymnasium.register(f"{env.__name__}-v0", env)
    yield
    for env in (Blind, Odd):
        gymnasium.registry.pop(f"{env.__name__}-v0")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_environments_that_do_not_fit(registered):
    with pytest.raises(ValueError, match="cannot draw itself"):
        gym_frames("Blind-v0", **SIZES)
    with pytest.raises(ValueError, match="must be discrete or a box"):
        gym_frames("Odd-v0", **SIZES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_samples": 0}, "num_samples"),
        ({"seq_len": 0}, "seq_len"),
        ({"image_size": 8}, "image_size"),
        ({"policy": "best"}, "policy"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        gym_frames("CartPole-v1", **SIZES | changes)
