"""Frames and actions of any Gymnasium environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from jepa_tutorial.cache import Arrays, cached
from jepa_tutorial.runtime import check_positive, check_range, progress

Policy = Callable[[np.ndarray, np.random.Generator], Any]


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
    ends early is dropped, and the next one is tried, so that all have the same length.

    Parameters
    ----------
    env_id : str
        Such as ``"Pendulum-v1"``.
    policy : str or callable
        ``"random"``: each action is drawn from the action space and kept for one to eight steps.
        Else a function of the environment's observation and a NumPy generator.
    num_samples, seq_len : int
        Episodes, and frames in each.
    image_size : int
        Height and width that frames are resized to, from 16 to 128.
    seed : int
        Of the first episode.

    Returns
    -------
    dict of str to Tensor
        ``frames``: ``(N, T, 3, H, W)``, uint8. ``actions``: ``(N, T - 1, A)``, float32; discrete
        ones as one of A. ``observations``: what the environment says of its state, ``(N, T, D)``.

    Raises
    ------
    ImportError
        If Gymnasium, or what the environment needs, is not installed.
    ValueError
        If the environment is unknown, cannot draw itself, or never lasts that long; if its
        actions are neither discrete nor a box; or a number is out of range.
    """
    check_positive(num_samples=num_samples, seq_len=seq_len)
    check_range(16, 128, image_size=image_size)
    sizes = dict(
        num_samples=num_samples,
        seq_len=seq_len,
        image_size=image_size,
        seed=seed,
    )
    if callable(policy):
        return collect(env_id, policy, **sizes)
    if policy != "random":
        raise ValueError(
            f"policy must be 'random' or a function, got {policy!r}"
        )
    return cached(
        "gym_frames",
        1,
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
        env = gymnasium.make(env_id, render_mode="rgb_array")
    except gymnasium.error.DependencyNotInstalled as error:
        raise ImportError(
            f"{env_id} needs more than Gymnasium itself: {error}"
        ) from error
    except gymnasium.error.Error as error:
        raise ValueError(
            f"env_id must be a Gymnasium environment such as 'Pendulum-v1', got {env_id!r}: "
            f"{error}"
        ) from error
    if "rgb_array" not in env.metadata.get("render_modes", []):
        modes = env.metadata.get("render_modes", [])
        env.close()
        raise ValueError(
            f"{env_id} cannot draw itself: it has no render mode 'rgb_array', only {modes}"
        )
    return env


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
    env = make_env(env_id)
    from gymnasium import spaces  # there by now

    try:
        space = env.action_space
        if not isinstance(space, (spaces.Discrete, spaces.Box)):
            raise ValueError(
                f"actions of {env_id} must be discrete or a box, got {space}"
            )
        kept: list[Arrays] = []
        rest = progress(range(20 * num_samples), env_id)
        while len(kept) < num_samples:
            number = next(rest, None)
            if number is None:
                raise ValueError(
                    f"episodes of {env_id} must last {seq_len} steps, got only {len(kept)} that "
                    f"long in {20 * num_samples}: take a smaller seq_len or another policy"
                )
            episode = one_episode(
                env, policy, seq_len, image_size, seed + number
            )
            if episode:
                kept.append(episode)
    finally:
        env.close()
    return {name: torch.stack([e[name] for e in kept]) for name in kept[0]}


def one_episode(
    env: Any, policy: Policy | None, seq_len: int, image_size: int, seed: int
) -> Arrays | None:
    """One episode of exactly this length; nothing if it ended before."""
    rng = np.random.default_rng(seed)
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    act = policy or Sticky(env.action_space)
    frames, actions = [resized(env.render(), image_size)], []
    observations = [observation]
    for _ in range(seq_len - 1):
        action = act(observation, rng)
        observation, _, ended, _, _ = env.step(action)
        if ended:
            return None
        actions.append(as_vector(env.action_space, action))
        frames.append(resized(env.render(), image_size))
        observations.append(observation)
    size = as_vector(env.action_space, env.action_space.sample()).shape
    return {
        "frames": torch.stack(frames),
        "actions": torch.stack(actions) if actions else torch.zeros(0, *size),
        "observations": torch.as_tensor(np.stack(observations)).float(),
    }


class Sticky:
    """Draw an action, and keep it for one to eight steps: single steps hardly show."""

    def __init__(self, space: Any) -> None:
        self.space, self.left, self.action = space, 0, None

    def __call__(
        self, observation: np.ndarray, rng: np.random.Generator
    ) -> Any:
        """Return the action to take now."""
        if not self.left:
            self.left, self.action = (
                int(rng.integers(1, 9)),
                self.space.sample(),
            )
        self.left -= 1
        return self.action


def as_vector(space: Any, action: Any) -> Tensor:
    """An action as a float vector: one of A for discrete ones."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        number = torch.tensor(int(action - space.start))
        return F.one_hot(number, int(space.n)).float()
    return torch.as_tensor(np.asarray(action, np.float32)).flatten()


def resized(picture: np.ndarray, image_size: int) -> Tensor:
    """A picture ``(H, W, 3)`` as ``(3, image_size, image_size)``, uint8, anti-aliased."""
    pixels = torch.as_tensor(picture.copy()).movedim(-1, 0)[None].float()
    small = F.interpolate(
        pixels, (image_size, image_size), mode="bilinear", antialias=True
    )
    return small[0].round().clamp(0, 255).byte()
