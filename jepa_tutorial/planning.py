"""Planning: search for actions after which, by the model, the goal is near."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa_tutorial.checks import (
    check_batch,
    check_draw,
    check_finite,
    check_positive,
    check_range,
    check_shape,
)
from jepa_tutorial.predictors import roll_out


def clip_actions(actions: Tensor, longest: float) -> Tensor:
    """Shorten actions that are longer than allowed; keep their direction.

    Parameters
    ----------
    actions : Tensor
        ``(..., A)``.
    longest : float
        The length that is allowed, above 0.

    Returns
    -------
    Tensor
        ``(..., A)``.

    Raises
    ------
    ValueError
        If ``longest`` is below 1e-9.
    """
    check_range(1e-9, math.inf, longest=longest)
    length = actions.norm(dim=-1, keepdim=True)
    return actions * (longest / length.clamp(min=longest))


def smooth_noise(
    num_rows: int,
    horizon: int,
    action_dim: int,
    generator: torch.Generator,
    *,
    num_knots: int,
) -> Tensor:
    """Noise that keeps its direction for a while: random knots, lines between.

    Parameters
    ----------
    num_rows, horizon, action_dim : int
        Size of the result.
    generator : torch.Generator
        The source of randomness, on the CPU.
    num_knots : int
        How many random vectors a sequence has, evenly spaced. At each step the noise is standard
        normal.

    Returns
    -------
    Tensor
        ``(num_rows, horizon, action_dim)``.

    Raises
    ------
    ValueError
        If a count is below 1, or the generator is none.
    """
    check_positive(num_rows=num_rows, horizon=horizon, action_dim=action_dim)
    check_draw(generator, num_knots=num_knots)
    knots = torch.randn(num_rows, action_dim, num_knots, generator=generator)
    weights = F.interpolate(
        torch.eye(num_knots)[None], horizon, mode="linear", align_corners=True
    )[0]  # (num_knots, horizon): how much of each knot a step takes
    weights = weights / weights.norm(dim=0)  # the same size at each step
    return (knots @ weights).mT


def propose(
    plan: Tensor,
    num_candidates: int,
    std: float | Tensor,
    generator: torch.Generator,
    longest: float,
) -> Tensor:
    """Candidates: the plan itself, and the plan with smooth noise.

    The noise has a knot for every four actions.

    Parameters
    ----------
    plan : Tensor
        An action sequence for each episode, ``(E, F, A)``.
    num_candidates : int
        How many for each episode, K.
    std : float or Tensor
        Size of the noise, a number or ``(E, 1, F, A)``.
    generator : torch.Generator
        The source of randomness, on the CPU.
    longest : float
        The length that an action may have.

    Returns
    -------
    Tensor
        ``(E, K, F, A)``.

    Raises
    ------
    ValueError
        If the plan has another shape, it or ``std`` is not finite, the count is below 1,
        ``longest`` is below 1e-9, or the generator is none.
    """
    check_batch("E F A", 1, plan=plan)
    check_draw(generator, num_candidates=num_candidates)
    check_finite(plan=plan, std=torch.as_tensor(std))
    num_episodes, horizon, action_dim = plan.shape
    rows, knots = num_episodes * num_candidates, max(2, horizon // 4)
    noise = smooth_noise(rows, horizon, action_dim, generator, num_knots=knots).to(plan)
    noise = noise.unflatten(0, (num_episodes, num_candidates))
    noise[:, 0] = 0
    return clip_actions(plan[:, None] + std * noise, longest)


def rank_last(energies: Tensor) -> Tensor:
    """Let an energy that is not finite count as its episode's largest.

    Parameters
    ----------
    energies : Tensor
        Of the candidates of each episode, ``(E, K)``.

    Returns
    -------
    Tensor
        ``(E, K)``, finite.

    Raises
    ------
    ValueError
        If an episode has no candidate of finite energy.
    """
    finite = energies.isfinite()
    largest = energies.where(finite, -math.inf).amax(dim=1, keepdim=True)
    check_finite(energies=largest)
    return energies.where(finite, largest)


def random_shooting(
    energy: Callable[[Tensor], Tensor], plan: Tensor, generator: torch.Generator,
    *, num_candidates: int, iterations: int, std: float, longest: float,
) -> Tensor:  # fmt: skip
    """Draw candidates around the plan, and keep the one of lowest energy.

    Parameters
    ----------
    energy : callable
        From candidates ``(E, K, F, A)`` to their energies, ``(E, K)``.
    plan : Tensor
        Where to begin, ``(E, F, A)``.
    generator : torch.Generator
        The source of randomness, on the CPU.
    num_candidates, iterations : int
        Candidates in a round, for each episode, and rounds. The energy is asked for the product.
    std : float
        Size of the noise; see `propose`.
    longest : float
        The length that an action may have.

    Returns
    -------
    Tensor
        A better plan, or the same, ``(E, F, A)``.

    Raises
    ------
    ValueError
        If a shape differs, a count is below 1, or an argument of `propose` is refused.
    """
    check_positive(iterations=iterations)
    rows = torch.arange(len(plan))
    for _ in range(iterations):
        candidates = propose(plan, num_candidates, std, generator, longest)
        plan = candidates[rows, rank_last(energy(candidates)).argmin(dim=1)]
    return plan


def cem(
    energy: Callable[[Tensor], Tensor], plan: Tensor, generator: torch.Generator,
    *, num_candidates: int, iterations: int, std: float, longest: float,
    elite_share: float = 0.1,
) -> Tensor:  # fmt: skip
    """The cross-entropy method: look again where the best candidates were.

    De Boer et al. (2005). Mean and deviation of the best candidates, the elites, say where the
    next ones are drawn. The best one is never forgotten.

    Parameters
    ----------
    energy, plan, generator, num_candidates, iterations, longest
        As in `random_shooting`; at least two candidates.
    std : float
        Size of the noise in the first round.
    elite_share : float
        How many of the candidates are elites, from 0 to 1; never fewer than two.

    Returns
    -------
    Tensor
        A better plan, or the same, ``(E, F, A)``.

    Raises
    ------
    ValueError
        If a shape differs, a number is out of range, or an argument of `propose` is refused.
    """
    check_positive(iterations=iterations)
    check_range(0, 1, elite_share=elite_share)
    check_range(2, math.inf, num_candidates=num_candidates)
    num_elites = max(2, round(elite_share * num_candidates))
    rows, mean, spread = torch.arange(len(plan))[:, None], plan, torch.tensor(std)
    for _ in range(iterations):
        candidates = propose(mean, num_candidates, spread, generator, longest)
        candidates[:, 0] = plan  # the best so far
        order = rank_last(energy(candidates)).topk(num_elites, largest=False).indices
        elites = candidates[rows, order]  # (E, num_elites, F, A)
        plan, mean = elites[:, 0], elites.mean(dim=1)
        spread = elites.std(dim=1, keepdim=True)
    return plan


def mppi(
    energy: Callable[[Tensor], Tensor], plan: Tensor, generator: torch.Generator,
    *, num_candidates: int, iterations: int, std: float, longest: float,
    temperature: float = 0.05,
) -> Tensor:  # fmt: skip
    """Model predictive path integral control: a mean, weighted by energy.

    Williams et al. (2017). Each candidate weighs ``exp(-energy / scale)``. The scale is the
    temperature, times how far the energies lie above the lowest on average, so that it fits
    latents of any size.

    Parameters
    ----------
    energy, plan, generator, num_candidates, iterations, std, longest
        As in `random_shooting`.
    temperature : float
        Near 0, the best candidate alone counts; for large ones, all count alike.

    Returns
    -------
    Tensor
        The new plan, ``(E, F, A)``.

    Raises
    ------
    ValueError
        If a shape differs, a number is out of range, or an argument of `propose` is refused.
    """
    check_positive(iterations=iterations)
    check_range(1e-6, math.inf, temperature=temperature)
    for _ in range(iterations):
        candidates = propose(plan, num_candidates, std, generator, longest)
        above = rank_last(energy(candidates))
        above = above - above.amin(dim=1, keepdim=True)
        scale = temperature * above.mean(dim=1, keepdim=True).clamp(min=1e-9)
        weights = (-above / scale).softmax(dim=1)  # (E, K)
        plan = (weights[..., None, None] * candidates).sum(dim=1)
    return plan


def distances_ahead(
    transition: nn.Module, z: Tensor, z_goal: Tensor, actions: Tensor
) -> Tensor:
    """Distance to the goal after each action of each candidate, by the model.

    Parameters
    ----------
    transition : nn.Module
        From latents ``(B, Z)`` and actions ``(B, A)`` to the next latents.
    z, z_goal : Tensor
        Where each episode is, and where it should be, ``(E, Z)``.
    actions : Tensor
        Candidates, ``(E, K, F, A)``.

    Returns
    -------
    Tensor
        ``(E, K, F)``.

    Raises
    ------
    ValueError
        If a shape differs.
    """
    check_shape("E Z", z=z, z_goal=z_goal)
    check_shape(f"{len(z)} K F A", actions=actions)
    # Candidates are folded into the batch.
    copies = z.repeat_interleave(actions.shape[1], dim=0)  # (E * K, Z)
    ahead = roll_out(transition, copies, actions.flatten(0, 1).unbind(dim=1))
    ahead = ahead.unflatten(0, actions.shape[:2])  # (E, K, F, Z)
    return (ahead - z_goal[:, None, None]).norm(dim=-1)


def closest_approach(distances: Tensor) -> Tensor:
    """How near a plan comes, at its best moment: ``(..., F)`` to ``(...)``."""
    return distances.amin(dim=-1)
