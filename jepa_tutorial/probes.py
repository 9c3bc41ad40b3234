"""Probes: what a frozen representation holds, measured on held-out data."""

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
from jepa_tutorial.runtime import in_float32


@torch.no_grad()
def encode(encoder: nn.Module, windows: Tensor) -> Tensor:
    """Latents of windows or frames, read a thousand at a time, without gradients.

    Parameters
    ----------
    encoder : nn.Module
        From ``(B, ...)`` to latents ``(B, Z)`` or maps ``(B, Z, H', W')``.
    windows : Tensor
        What it reads, ``(N, T, ...)``, on its device.

    Returns
    -------
    Tensor
        ``(N, T, Z)`` or ``(N, T, Z, H', W')``.
    """
    parts = windows.flatten(0, 1).split(1000)
    z = torch.cat([encoder(part) for part in parts])
    return z.unflatten(0, windows.shape[:2])


@in_float32
def directions(z: Tensor) -> Tensor:
    """Latents scaled to length one: the cosine sees nothing else of them.

    Parameters
    ----------
    z : Tensor
        Latents, ``(..., Z)``.

    Returns
    -------
    Tensor
        Of the same shape, in float32 at least; each vector has length 1, or 0 where ``z`` is 0.
    """
    return F.normalize(z, dim=-1)


def spread(z: Tensor) -> float:
    """Root-mean-square distance of the latents' directions from their mean.

    Parameters
    ----------
    z : Tensor
        Latents, ``(B, Z)``.

    Returns
    -------
    float
        0 for a constant encoder, at most 1.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is 0, or a number is not finite.
    """
    check_batch("B Z", 1, z=z)
    check_finite(z=z)
    return directions(z).var(dim=0, correction=0).sum().sqrt().item()


def spectrum(z: Tensor) -> Tensor:
    """Variance along each principal axis, largest first.

    Parameters
    ----------
    z : Tensor
        Latents, ``(B, Z)``.

    Returns
    -------
    Tensor
        Eigenvalues of the covariance matrix, ``(Z,)``, in float64.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is 0, or a number is not finite.
    """
    check_batch("B Z", 1, z=z)
    check_finite(z=z)
    covariance = torch.cov(z.double().T, correction=0)
    return torch.linalg.eigvalsh(covariance).flip(0).clamp_min(0)


def effective_rank(z: Tensor) -> float:
    """How many principal axes share the variance: the exponential of its entropy.

    The effective rank of Roy and Vetterli (2007), of the covariance matrix. RankMe (Garrido et
    al., 2023) takes that of the latents themselves, not centered; see `rankme`.

    Parameters
    ----------
    z : Tensor
        Latents, ``(B, Z)``.

    Returns
    -------
    float
        From 1 (all on one line) to Z (as much along each axis); 0 if nothing varies.

    Raises
    ------
    ValueError
        As `spectrum`.
    """
    variance, size = spectrum(z), z.double().square().sum(dim=1).mean()
    if variance.sum() <= 1e-28 * size:  # what rounding leaves of a constant
        return 0.0
    share = variance / variance.sum()
    return torch.special.entr(share).sum().exp().item()


def rankme(z: Tensor) -> float:
    """How many directions share the length of the latents, not centered: RankMe.

    The effective rank of Roy and Vetterli (2007), of the batch itself, as Garrido et al. (2023)
    use it to choose models. It differs from `effective_rank` twice: the mean is not subtracted, so
    that a cloud far from the origin has a value near 1; and singular values are deviations, not
    variances, so that small directions count for more.

    Parameters
    ----------
    z : Tensor
        Latents, ``(B, Z)``.

    Returns
    -------
    float
        From 1 (all on one line through the origin) to the smaller of B and Z.

    Raises
    ------
    ValueError
        As `spectrum`.
    """
    check_batch("B Z", 1, z=z)
    check_finite(z=z)
    lengths = torch.linalg.svdvals(z.double())
    share = F.normalize(lengths, p=1, dim=0) + 1e-7
    return torch.special.entr(share).sum().exp().item()


def mean_pairwise_cosine(z: Tensor) -> float:
    """Mean cosine of the angle between two different latents.

    Parameters
    ----------
    z : Tensor
        Latents, ``(B, Z)``, with B at least 2.

    Returns
    -------
    float
        1 if all point the same way; about 0 for a cloud around the origin. A latent of zero has
        a cosine of 0 with every other.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is below 2, or a number is not finite.
    """
    check_batch("B Z", 2, z=z)
    check_finite(z=z)
    # The squared length of the sum counts each pair twice, and each latent with itself.
    itself = (z != 0).any(dim=-1).sum()  # a latent of zero points nowhere
    pairs = directions(z).sum(dim=0).square().sum() - itself
    return (pairs / (len(z) * (len(z) - 1))).item()


@torch.no_grad()
@in_float32
def monitor(z: Tensor) -> dict[str, float]:
    """Read all meters of collapse off one batch of latents, for your own loop.

    It needs no labels, so it cannot tell whether the right things are kept: for that, probe.

    Parameters
    ----------
    z : Tensor
        Latents, ``(B, Z)``, best of held-out samples, with B at least several times Z.

    Returns
    -------
    dict of str to float
        ``std`` and ``std_min``: mean and minimum over dimensions of the standard deviation;
        ``dead``: the share of dimensions with less than a hundredth of the largest one;
        ``rank``: `effective_rank`; ``rankme``: `rankme`; ``cosine``: `mean_pairwise_cosine`;
        ``offset``: how far the mean is from the origin, over the root-mean-square distance of the
        latents from their mean; huge for a constant.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is below 2, or a number is not finite.
    """
    check_batch("B Z", 2, z=z)
    check_finite(z=z)
    std = z.std(dim=0)
    size = std.norm().clamp_min(torch.finfo(std.dtype).tiny)
    return {
        "std": std.mean().item(),
        "std_min": std.min().item(),
        "dead": (std <= 0.01 * std.max()).double().mean().item(),
        "rank": effective_rank(z),
        "rankme": rankme(z),
        "cosine": mean_pairwise_cosine(z),
        "offset": (z.mean(dim=0).norm() / size).item(),
    }


def retrieval_accuracy(z_hat: Tensor, z_bar: Tensor, num_candidates: int) -> float:
    """How often the right target is the nearest among candidates, by cosine.

    The batch is cut into groups of candidates; each prediction looks for its own target in
    its group. Chance is ``1 / num_candidates``, and that is what a constant encoder scores.

    Parameters
    ----------
    z_hat, z_bar : Tensor
        Predictions and targets, each ``(B, Z)``, row by row. A last group that is not full is
        left out.
    num_candidates : int
        Size of a group, at most B.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If the shapes differ, there are fewer rows than candidates, a type is no float type, or a
        number is not finite.
    """
    check_batch("B Z", 1, z_hat=z_hat, z_bar=z_bar)
    check_positive(len(z_hat), num_candidates=num_candidates)
    check_finite(z_hat=z_hat, z_bar=z_bar)
    groups = len(z_hat) // num_candidates
    rows = groups * num_candidates
    z_hat = directions(z_hat[:rows]).view(groups, num_candidates, -1)
    z_bar = directions(z_bar[:rows]).view(groups, num_candidates, -1)
    cosine = z_hat @ z_bar.mT  # (groups, predictions, candidates)
    right = torch.arange(num_candidates, device=cosine.device)
    return (cosine.argmax(dim=-1) == right).float().mean().item()


def linear_probe(
    z_train: Tensor, y_train: Tensor, z_test: Tensor, y_test: Tensor
) -> float:
    """R-squared of a linear map from latent to quantity, on held-out data.

    Ordinary least squares from scikit-learn, in float64.

    Parameters
    ----------
    z_train, z_test : Tensor
        Frozen latents, ``(N, Z)`` and ``(M, Z)``.
    y_train, y_test : Tensor
        The quantity, ``(N,)`` and ``(M,)``.

    Returns
    -------
    float
        1 for a perfect map; 0 for one that knows only the mean; negative for worse. It says
        nothing where ``y_test`` is constant.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, M is below 2, a type is no float type, or, by
        scikit-learn, if a number is not finite.
    """
    from sklearn.linear_model import LinearRegression  # slow to import

    check_batch("N", 2, y_train=y_train)
    check_batch("M", 2, y_test=y_test)
    check_batch(f"{len(y_train)} Z", 2, z_train=z_train)
    check_batch(f"{len(y_test)} {z_train.shape[1]}", 2, z_test=z_test)
    parts = (z_train, y_train, z_test, y_test)
    z_train, y_train, z_test, y_test = (p.detach().double().cpu() for p in parts)
    return LinearRegression().fit(z_train, y_train).score(z_test, y_test)


def noisy_probe(
    z_train: Tensor,
    y_train: Tensor,
    z_test: Tensor,
    y_test: Tensor,
    generator: torch.Generator,
    noise: float = 0.02,
) -> float:
    """The linear probe after a little noise, which hides what has become tiny.

    Parameters
    ----------
    z_train, y_train, z_test, y_test : Tensor
        As in `linear_probe`. The latents are scaled to length one first.
    generator : torch.Generator
        The source of the noise, on the CPU.
    noise : float
        Standard deviation of the noise on each coordinate.

    Returns
    -------
    float
        As in `linear_probe`.

    Raises
    ------
    ValueError
        As `linear_probe`; if the noise is negative, or the generator is none.
    """
    check_draw(generator)
    check_range(0, math.inf, noise=noise)

    def blur(z: Tensor) -> Tensor:
        drawn = torch.randn(z.shape, generator=generator)
        return directions(z) + noise * drawn.to(z)

    return linear_probe(blur(z_train), y_train, blur(z_test), y_test)


def valid_times(
    error: Tensor, frame_time: float, threshold: float = 0.4
) -> tuple[Tensor, Tensor]:
    """How long each forecast stays valid: until its error exceeds the threshold.

    Parameters
    ----------
    error : Tensor
        Of forecasts 1, 2, ... frames ahead, ``(N, T)``. For the double pendulum: the root mean
        square over sine and cosine of both angles.
    frame_time : float
        s between two frames.
    threshold : float
        The largest error that is still valid.

    Returns
    -------
    times : Tensor
        ``(N,)`` in s: the last frame before the first invalid one, and the whole horizon where
        there is none. An error that is no number is invalid.
    censored : Tensor
        ``(N,)``, bool: valid to the end, so that the true time is longer.

    Raises
    ------
    ValueError
        If the shape is not ``(N, T)``, or a number is negative.
    """
    check_shape("N T", error=error)
    check_range(0, math.inf, frame_time=frame_time, threshold=threshold)
    # 0 from the first invalid frame on
    valid = (error <= threshold).int().cumprod(dim=1)
    frames = valid.sum(dim=1)
    return frames * frame_time, frames == error.shape[1]


def linear_reader(z: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """Fit a linear map that reads quantities off frozen latents.

    Ordinary least squares from scikit-learn, in float64, as in `linear_probe`.

    Parameters
    ----------
    z : Tensor
        Frozen latents, ``(N, Z)``.
    y : Tensor
        Quantities, ``(N, Q)``.

    Returns
    -------
    callable
        From latents ``(..., Z)`` to quantities ``(..., Q)``, in float64.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, or N is below 2.
    """
    from sklearn.linear_model import LinearRegression  # slow to import

    check_batch(f"{len(z)} Q", 2, y=y)
    check_batch("N Z", 2, z=z)
    linear = LinearRegression().fit(z.double().cpu(), y.cpu())

    def read(z: Tensor) -> Tensor:
        flat = linear.predict(z.flatten(0, -2).double().cpu())
        return torch.as_tensor(flat).view(*z.shape[:-1], -1)

    return read


def small_network_probe(z: Tensor, y: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    """Fit a small network that reads quantities off frozen latents.

    Scikit-learn's, with two hidden layers of 64; it stops when a tenth of the data, held back,
    is read no better. Latents and quantities are standardized.

    Parameters
    ----------
    z : Tensor
        Frozen latents, ``(N, Z)``.
    y : Tensor
        Quantities, ``(N, Q)``.
    seed : int
        For its weights and batches.

    Returns
    -------
    callable
        From latents ``(..., Z)`` to quantities ``(..., Q)``.

    Raises
    ------
    ValueError
        If the shapes do not fit each other.
    """
    from sklearn import compose, neural_network, pipeline, preprocessing  # slow

    check_batch(f"{len(z)} Q", 1, y=y)
    check_batch("N Z", 1, z=z)
    network = neural_network.MLPRegressor(hidden_layer_sizes=(64, 64), batch_size=256)
    network.set_params(learning_rate_init=3e-3, early_stopping=True, random_state=seed)
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), network)
    probe = compose.TransformedTargetRegressor(
        scaled, transformer=preprocessing.StandardScaler()
    ).fit(z.detach().cpu().numpy(), y.cpu().numpy())

    def read(z: Tensor) -> Tensor:
        flat = probe.predict(z.detach().flatten(0, -2).cpu().numpy())
        return torch.as_tensor(flat, dtype=y.dtype).view(*z.shape[:-1], -1)

    return read


def r_squared(y_hat: Tensor, y: Tensor) -> Tensor:
    """Share of the variance of each quantity that a reading explains.

    Scikit-learn's, computed in float64.

    Parameters
    ----------
    y_hat, y : Tensor
        Readings and truth, each ``(N, Q)``, with N at least 2.

    Returns
    -------
    Tensor
        ``(Q,)``: 1 for a perfect reading, 0 for one that knows only the mean. For a quantity that
        is constant: 1 if it is read exactly, else 0.

    Raises
    ------
    ValueError
        If the shapes differ, N is below 2, a type is no float type, or a number is not finite.
    """
    from sklearn.metrics import r2_score  # slow to import

    check_batch("N Q", 2, y_hat=y_hat, y=y)
    truth, guess = (part.detach().double().cpu() for part in (y, y_hat))
    first = truth[0]  # less it, what is constant is exactly zero
    score = r2_score(truth - first, guess - first, multioutput="raw_values")
    return torch.from_numpy(score).to(y)


def rmse(y_hat: Tensor, y: Tensor) -> float:
    """Root-mean-square error of readings, over all quantities and samples.

    Parameters
    ----------
    y_hat, y : Tensor
        Readings and truth, of shapes that broadcast to each other.

    Returns
    -------
    float
        In the quantities' own units.
    """
    return (y_hat - y).square().mean().sqrt().item()
