"""Plain networks that serve as encoder, predictor and decoder of vectors."""

from __future__ import annotations

from torch import nn

from jepa_tutorial.runtime import check_positive


def mlp(input_dim: int, hidden_dim: int, output_dim: int) -> nn.Sequential:
    """A network of three layers with smooth bends between them.

    GELU (Hendrycks and Gimpel, 2016) and not ReLU: a motion without corners is easier to
    follow with a network without corners.

    Parameters
    ----------
    input_dim, hidden_dim, output_dim : int
        Sizes of the input, of both hidden layers, and of the output.

    Returns
    -------
    nn.Sequential
        From ``(..., input_dim)`` to ``(..., output_dim)``.

    Raises
    ------
    ValueError
        If a size is below 1.
    """
    check_positive(input_dim=input_dim, hidden_dim=hidden_dim)
    check_positive(output_dim=output_dim)
    return nn.Sequential(
        nn.Linear(input_dim, hidden_dim),
        nn.GELU(),
        nn.Linear(hidden_dim, hidden_dim),
        nn.GELU(),
        nn.Linear(hidden_dim, output_dim),
    )
