"""Losses: how far a prediction is from its target, and what keeps latents from collapse.

All are computed in float32 at least. Latents that are not finite make a loss that is not, which
`training.minimize` refuses.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from jepa_tutorial.checks import check_batch, check_draw, check_range, check_shape
from jepa_tutorial.runtime import in_float32


@in_float32
def cosine_loss(z_hat: Tensor, z_bar: Tensor) -> Tensor:
    """One minus the mean cosine of the angle between prediction and target.

    Parameters
    ----------
    z_hat, z_bar : Tensor
        Prediction and target, each ``(B, Z)``.

    Returns
    -------
    Tensor
        A scalar from 0 (same direction) to 2 (opposite); lengths do not matter.

    Raises
    ------
    ValueError
        If the shapes differ or are not ``(B, Z)``, B is 0, or a type is no float type.
    """
    check_batch("B Z", 1, z_hat=z_hat, z_bar=z_bar)
    return 1 - F.cosine_similarity(z_hat, z_bar, dim=-1).mean()


@in_float32
def variance_loss(z: Tensor) -> Tensor:
    """Ask each dimension for a standard deviation of at least one.

    The variance term of VICReg (Bardes et al., 2022), a hinge. It acts on each dimension alone,
    so it cannot see that all dimensions say the same.

    Parameters
    ----------
    z : Tensor
        A batch of latents, ``(B, Z)``, with B at least 2.

    Returns
    -------
    Tensor
        A scalar from 0 (all deviations are at least 1) to 0.99 (constant; the small number that
        keeps the gradient finite counts as a deviation of 0.01).

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is below 2, or the type is no float type.
    """
    check_batch("B Z", 2, z=z)
    # The small number keeps the root's gradient finite at zero variance.
    std = (z.var(dim=0) + 1e-4).sqrt()
    return F.relu(1 - std).mean()


@in_float32
def covariance_loss(z: Tensor) -> Tensor:
    """Ask different dimensions to be uncorrelated.

    The covariance term of VICReg (Bardes et al., 2022): the squares of the covariances of
    different dimensions, divided by Z.

    Parameters
    ----------
    z : Tensor
        A batch of latents, ``(B, Z)``, with B at least 2.

    Returns
    -------
    Tensor
        A scalar, 0 if no two dimensions are correlated.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is below 2, or the type is no float type.
    """
    check_batch("B Z", 2, z=z)
    batch_size, latent_dim = z.shape
    centered = z - z.mean(dim=0)
    covariance = centered.T @ centered / (batch_size - 1)  # (Z, Z)
    off_diagonal = covariance - torch.diag(covariance.diagonal())
    return off_diagonal.square().sum() / latent_dim


def vicreg_loss(z: Tensor, std_coeff: float = 1.0, cov_coeff: float = 0.04) -> Tensor:
    """Ask for dimensions that vary and that are uncorrelated.

    The variance and the covariance term of VICReg (Bardes et al., 2022). The paper's third
    term, invariance, is the cost of the prediction in a JEPA, so it stays outside; the default
    weights have the paper's ratio, 25 to 1, for a prediction cost of weight 1.

    Parameters
    ----------
    z : Tensor
        A batch of latents, ``(B, Z)``, with B at least 2.
    std_coeff, cov_coeff : float
        Weights of the two terms.

    Returns
    -------
    Tensor
        A scalar, 0 for a batch whose covariance matrix is the identity.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is below 2, or the type is no float type.
    """
    return std_coeff * variance_loss(z) + cov_coeff * covariance_loss(z)


@in_float32
def barlow_twins_loss(z_a: Tensor, z_b: Tensor, lambda_param: float = 5e-3) -> Tensor:
    """Ask two views to agree in each dimension, and dimensions to be uncorrelated.

    From Zbontar et al. (2021). With the same batch for both views only the second demand is
    left: a batch always agrees with itself.

    Parameters
    ----------
    z_a, z_b : Tensor
        Latents of two views of the same samples, each ``(B, Z)``, with B at least 2.
    lambda_param : float
        Weight of the correlations between different dimensions.

    Returns
    -------
    Tensor
        A scalar, 0 if the matrix of cross-correlations is the identity; about Z for views that
        have nothing in common.

    Raises
    ------
    ValueError
        If the shapes differ or are not ``(B, Z)``, B is below 2, or a type is no float type.
    """
    check_batch("B Z", 2, z_a=z_a, z_b=z_b)
    z_a, z_b = standardize(z_a), standardize(z_b)
    correlation = z_a.T @ z_b / len(z_a)  # (Z, Z)
    diagonal = correlation.diagonal()
    off_diagonal = correlation - torch.diag(diagonal)
    return (1 - diagonal).square().sum() + lambda_param * off_diagonal.square().sum()


@in_float32
def standardize(z: Tensor) -> Tensor:
    """Shift and scale each dimension to mean zero and standard deviation one.

    Parameters
    ----------
    z : Tensor
        A batch of latents, ``(B, Z)``.

    Returns
    -------
    Tensor
        ``(B, Z)``. A dimension that is constant becomes zero.

    Raises
    ------
    ValueError
        If the shape is not ``(B, Z)``, B is 0, or the type is no float type.
    """
    check_batch("B Z", 1, z=z)
    # As in batch normalization: the small number keeps constants finite.
    return (z - z.mean(dim=0)) / (z.var(dim=0, correction=0) + 1e-5).sqrt()


@in_float32
def centering_loss(z: Tensor, center: Tensor) -> Tensor:
    """Ask the mean of a batch to stay near a center.

    A penalty that some code takes over from DINO's centering. A constant encoder satisfies it.

    Parameters
    ----------
    z : Tensor
        A batch of latents, ``(B, Z)``.
    center : Tensor
        ``(Z,)``, such as the moving average that `update_center` keeps.

    Returns
    -------
    Tensor
        The squared distance, a scalar.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, B is 0, or the type of ``z`` is no float type.
    """
    check_shape("Z", center=center)
    check_batch(f"B {len(center)}", 1, z=z)
    return (z.mean(dim=0) - center).square().sum()


@in_float32
def update_center(center: Tensor, z: Tensor, decay: float = 0.9) -> Tensor:
    """Move a center a little toward the mean of a batch, without gradient.

    Parameters
    ----------
    center : Tensor
        ``(Z,)``.
    z : Tensor
        A batch of latents, ``(B, Z)``.
    decay : float
        How much of the center stays, from 0 to 1; 0.9 in DINO (Caron et al., 2021).

    Returns
    -------
    Tensor
        The new center, ``(Z,)``.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, B is 0, the type of ``z`` is no float type, or
        ``decay`` is out of range.
    """
    check_shape("Z", center=center)
    check_batch(f"B {len(center)}", 1, z=z)
    check_range(0, 1, decay=decay)
    return decay * center + (1 - decay) * z.detach().mean(dim=0)


@in_float32
def dino_loss(
    z_hat: Tensor,
    z_bar: Tensor,
    center: Tensor,
    *,
    student_temp: float = 0.1,
    teacher_temp: float = 0.04,
) -> Tensor:
    """Cross-entropy of a prediction with a centered and sharpened target.

    From Caron et al. (2021). Subtracting the center keeps one dimension from winning always;
    the lower temperature of the target keeps all from being equal.

    Parameters
    ----------
    z_hat, z_bar : Tensor
        Prediction (the student's logits) and target (the teacher's), each ``(B, Z)``.
    center : Tensor
        Moving average of the targets, ``(Z,)``; see `update_center`.
    student_temp, teacher_temp : float
        Temperatures, at least 1e-6.

    Returns
    -------
    Tensor
        A scalar, at least 0.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, B is 0, a type is no float type, or a temperature is
        out of range.
    """
    check_shape("Z", center=center)
    check_batch(f"B {len(center)}", 1, z_hat=z_hat, z_bar=z_bar)
    check_range(1e-6, math.inf, student_temp=student_temp, teacher_temp=teacher_temp)
    target = ((z_bar - center) / teacher_temp).softmax(dim=-1)
    log_guess = (z_hat / student_temp).log_softmax(dim=-1)
    return -(target * log_guess).sum(dim=-1).mean()


def draw_directions(latent_dim: int, count: int, generator: torch.Generator) -> Tensor:
    """Draw directions, uniform on the sphere.

    Parameters
    ----------
    latent_dim : int
        Size of the latents, Z.
    count : int
        How many to draw.
    generator : torch.Generator
        The source of randomness.

    Returns
    -------
    Tensor
        ``(Z, count)``; each column has length 1.

    Raises
    ------
    ValueError
        If a size is below 1, or the generator is none.
    """
    check_draw(generator, latent_dim=latent_dim, count=count)
    drawn = torch.randn(latent_dim, count, generator=generator)
    return F.normalize(drawn, dim=0)


@in_float32
def sigreg_loss(z: Tensor, directions: Tensor) -> Tensor:
    """Ask a batch to look like a standard normal from every direction.

    Sketched isotropic Gaussian regularization, SIGReg, of LeJEPA (Balestriero and LeCun, 2025):
    along each direction, the Epps-Pulley distance between the batch's characteristic function
    and the normal's, times B, averaged over directions.

    Parameters
    ----------
    z : Tensor
        A batch of latents, ``(B, Z)``, with B at least 2.
    directions : Tensor
        Unit vectors, ``(Z, S)``, best drawn anew at each step by `draw_directions`.

    Returns
    -------
    Tensor
        A scalar. Its mean for normal samples is sqrt(2 pi) (1 - 1 / sqrt(3)), about 1.06,
        whatever B and Z are.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, B is below 2, or the type of ``z`` is no float type.
    """
    check_shape("Z S", directions=directions)
    check_batch(f"B {len(directions)}", 2, z=z)
    t = torch.linspace(-5, 5, 17, dtype=z.dtype, device=z.device)
    normal = (-t.square() / 2).exp()  # characteristic function, and weight
    angle = (z @ directions)[..., None] * t  # (B, S, 17)
    real, imaginary = angle.cos().mean(dim=0), angle.sin().mean(dim=0)
    distance = (real - normal).square() + imaginary.square()  # (S, 17)
    return len(z) * torch.trapezoid(distance * normal, t, dim=-1).mean()
