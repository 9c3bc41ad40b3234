"""Frames and actions of any Gymnasium environment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from jepa_tutorial.checks import check_positive, check_range
from jepa_tutorial.reports import progress
from jepa_tutorial.runtime import SEEDS, SET_SEEDS, check_seed
from jepa_tutorial.worlds.cache import Arrays, cached

Policy = Callable[[Any, np.random.Generator], Any]
TRIES = 20  # episodes that may be begun for each that is asked for


def gym_frames(
    env_id: str,
    policy: str | Policy = "random",
    *,
    num_samples: int,
    seq_len: int,
    image_size: int = 32,
    seed: int = 0,
) -> Arrays:
    """Collect episodes of an environment: what is seen, done, and the case.

    With a policy given by name, episodes come from the cache if they are there. An episode that
    ends early is dropped, and the next one is tried, so that all have the same length. A limit on
    time does not end an episode. No screen is needed.

    Parameters
    ----------
    env_id : str
        Such as ``"Pendulum-v1"``.
    policy : str or callable
        ``"random"``: each action is drawn from the action space and kept for one to eight steps.
        Else a function of the environment's observation and a NumPy generator.
    num_samples, seq_len : int
        Episodes, at most 52,428, and frames in each.
    image_size : int
        Height and width that frames are resized to, from 16 to 128.
    seed : int
        Of the first episode that is tried; each one after it has the next seed. Two sets whose
        seeds come from `deal_seeds` have no episode in common.

    Returns
    -------
    dict of str to Tensor
        ``frames``: ``(N, T, 3, H, W)``, uint8. ``actions``: ``(N, T - 1, A)``, float32; discrete
        ones as one of A; action t leads from frame t to the next. ``observations``: what the
        environment says of its state, flattened, ``(N, T, D)``, float32.

    Raises
    ------
    ImportError
        If Gymnasium, or what the environment needs, is not installed.
    ValueError
        If the environment is unknown, cannot draw itself, or never lasts that long; if its
        actions are neither discrete nor a box; or a number is out of range.
    """
    check_positive(SET_SEEDS // TRIES, num_samples=num_samples)
    check_positive(seq_len=seq_len)
    check_range(16, 128, image_size=image_size)
    check_seed(seed, SEEDS - TRIES * num_samples + 1)  # the last one fits
    sizes = dict(
        num_samples=num_samples, seq_len=seq_len, image_size=image_size, seed=seed
    )
    if callable(policy):
        return collect(env_id, policy, **sizes)
    if policy != "random":
        raise ValueError(f"policy must be 'random' or a function, got {policy!r}")
    return cached(
        "gym_frames",
        lambda **about: collect(about.pop("env_id"), None, **about),
        env_id=env_id,
        **sizes,
    )


def make_env(env_id: str) -> Any:
    """Make an environment that draws itself; say in one sentence what is wrong if it cannot."""
    try:
        import gymnasium
    except ImportError as error:
        raise ImportError(
            "gym_frames needs Gymnasium: pip install 'gymnasium[classic-control]'"
        ) from error
    try:
        with contextlib.closing(gymnasium.make(env_id)) as env:
            modes = env.metadata.get("render_modes", [])
        if "rgb_array" not in modes:
            raise ValueError(
                f"{env_id} cannot draw itself: it has no render mode 'rgb_array', only {modes}"
            )
        env = gymnasium.make(env_id, render_mode="rgb_array")
        env.reset(seed=0)
        env.render()  # only now does a missing Pygame show
    except (ImportError, gymnasium.error.DependencyNotInstalled) as error:
        raise ImportError(
            f"{env_id} needs more than Gymnasium itself: {error}"
        ) from error
    except gymnasium.error.Error as error:
        raise ValueError(
            f"env_id must be a Gymnasium environment, as 'Pendulum-v1', got {env_id!r}: {error}"
        ) from error
    space = env.action_space
    if not isinstance(space, (gymnasium.spaces.Discrete, gymnasium.spaces.Box)):
        env.close()
        raise ValueError(f"actions of {env_id} must be discrete or a box, got {space}")
    return env


@contextlib.contextmanager
def without_screen() -> Iterator[None]:
    """Let SDL, with which Pygame draws, look for no screen, and not complain of none."""
    before = os.environ.get("SDL_VIDEODRIVER")
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    try:
        yield
    finally:
        del os.environ["SDL_VIDEODRIVER"]
        if before is not None:
            os.environ["SDL_VIDEODRIVER"] = before


def collect(
    env_id: str,
    policy: Policy | None,
    *,
    num_samples: int,
    seq_len: int,
    image_size: int,
    seed: int,
) -> Arrays:
    """Run the environment, episode after episode."""
    with without_screen(), contextlib.closing(make_env(env_id)) as env:
        tries = range(seed, seed + TRIES * num_samples)  # seeds
        sizes = {"seq_len": seq_len, "image_size": image_size}
        tried = (one_episode(env, policy, seed=n, **sizes) for n in tries)
        whole = filter(None, tried)
        kept: list[Arrays] = []
        for _ in progress(range(num_samples), env_id):
            episode = next(whole, None)
            if episode is None:
                raise ValueError(
                    f"episodes of {env_id} must last {seq_len} steps, got only {len(kept)} that "
                    f"long in {len(tries)}: take a smaller seq_len or another policy"
                )
            kept.append(episode)
    return {name: torch.stack([e[name] for e in kept]) for name in kept[0]}


def one_episode(
    env: Any, policy: Policy | None, *, seq_len: int, image_size: int, seed: int
) -> Arrays | None:
    """One episode of exactly this length; nothing if it ended before."""
    from gymnasium import spaces  # there by now

    flatten: Any = spaces.flatten  # discrete ones become one of all
    # The environment draws the start from this seed. With the same one, the policy would draw
    # the same numbers, and the first action would follow from the start.
    rng = np.random.default_rng((seed, 1))
    env.action_space.seed(int(rng.integers(SEEDS)))
    observation, _ = env.reset(seed=seed)
    act = policy or Sticky(env.action_space)
    frames = [resized(env.render(), image_size)]
    observations = [flatten(env.observation_space, observation)]
    actions = np.zeros(
        (seq_len - 1, spaces.flatdim(env.action_space)), dtype=np.float32
    )
    for done in actions:
        action = act(observation, rng)
        observation, _, ended, _, _ = env.step(action)
        if ended:
            return None
        done[:] = flatten(env.action_space, action)
        frames.append(resized(env.render(), image_size))
        observations.append(flatten(env.observation_space, observation))
    return {
        "frames": torch.stack(frames),
        "actions": torch.from_numpy(actions),
        "observations": torch.from_numpy(np.stack(observations)).float(),
    }


class Sticky:
    """Draw an action, and keep it for one to eight steps: single steps hardly show."""

    def __init__(self, space: Any) -> None:
        self.space, self.left, self.action = space, 0, None

    def __call__(self, observation: Any, rng: np.random.Generator) -> Any:
        """Return the action to take now."""
        if not self.left:
            self.left, self.action = (int(rng.integers(1, 9)), self.space.sample())
        self.left -= 1
        return self.action


def resized(picture: np.ndarray, image_size: int) -> Tensor:
    """A picture ``(H, W, 3)`` as ``(3, image_size, image_size)``, uint8, anti-aliased."""
    pixels = torch.from_numpy(picture.copy()).movedim(-1, 0)
    # Fast as long as it stays in uint8.
    return F.interpolate(
        pixels[None], (image_size, image_size), mode="bilinear", antialias=True
    )[0]
