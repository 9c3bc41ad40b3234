"""Handwritten digits: MNIST if it can be had, else the ones that scikit-learn brings along."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits as load_small_digits
from torch import Tensor

from jepa_tutorial.checks import check_range
from jepa_tutorial.runtime import new_generator
from jepa_tutorial.worlds.cache import data_folder

# The part of MNIST (LeCun et al., 1998) that is called its test set: 10,000 digits are enough
# here, and a tenth of the download.
MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
MNIST_FILES = {
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}


class Digits(NamedTuple):
    """Pictures of single digits.

    ``images`` are ``(N, 28, 28)``, uint8; ``labels`` ``(N,)``, from 0 to 9; ``source`` is a
    sentence that says where they come from, and ``name`` says it in a word, for a report.
    """

    images: Tensor
    labels: Tensor
    source: str
    name: str


def load_digits(url: str = MNIST_URL) -> Digits:
    """Load MNIST's 10,000 test digits, or scikit-learn's 1,797 if they are not to be had.

    Parameters
    ----------
    url : str
        Folder to download from what is not in ``JEPA_TUTORIAL_DATA`` or the user's cache.

    Returns
    -------
    Digits
        In the order of the source.

    Warns
    -----
    UserWarning
        If MNIST cannot be had: no network, no place, or a wrong checksum. Says which.
    """
    folder = data_folder() / "mnist"
    store = pooch.create(folder, url, registry=MNIST_FILES, retry_if_failed=2)
    ask = pooch.HTTPDownloader(timeout=10)
    try:
        paths = [store.fetch(name, downloader=ask) for name in MNIST_FILES]
    except (OSError, ValueError) as error:
        warnings.warn(f"MNIST is not used: {error}", stacklevel=2)
        return small_digits()
    images, labels = (read_idx(Path(path)) for path in paths)
    return Digits(images, labels, "The digits are 10,000 of MNIST.", "MNIST")


def small_digits() -> Digits:
    """Scikit-learn's digits of 8 x 8 pixels, enlarged to look like MNIST's."""
    bunch = load_small_digits()
    small = torch.from_numpy(bunch.images).float()[:, None] / 16
    large = F.interpolate(small, size=(20, 20), mode="bicubic").clamp(0, 1)
    images = F.pad((255 * large[:, 0]).round().byte(), (4, 4, 4, 4))
    return Digits(
        images,
        torch.from_numpy(bunch.target),
        "MNIST was not to be had, so the digits are scikit-learn's 1,797, enlarged: expect "
        "other numbers than those in the text.",
        "scikit-learn",
    )


def read_idx(path: Path) -> Tensor:
    """Read a compressed file in MNIST's format: big-endian sizes, then bytes."""
    with gzip.open(path) as file:
        content = file.read()
    sizes = np.frombuffer(content, ">i4", count=content[3], offset=4)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * len(sizes))
    return torch.from_numpy(values.reshape(sizes).copy())


def split_digits(
    digits: Digits, validation: float = 0.1, test: float = 0.1
) -> tuple[Digits, Digits, Digits]:
    """Part digits into training, validation and test: no picture is in two of them.

    Always in the same way, so that held-out digits are held out of every run.

    Parameters
    ----------
    digits : Digits
        What is to be parted.
    validation, test : float
        Shares, each above 0, and below 1 together.

    Returns
    -------
    tuple of Digits
        Training, validation, test.

    Raises
    ------
    ValueError
        If the shares leave nothing for one of the parts.
    """
    check_range(0, 1, validation=validation, test=test)
    count = len(digits.images)
    held = [round(count * share) for share in (test, validation)]
    sizes = [count - sum(held), *held]
    if min(sizes) < 1:
        raise ValueError(
            f"each part needs at least one digit, got {sizes} for training, test and validation"
        )
    order = torch.randperm(count, generator=new_generator(0))
    train, tested, valid = (
        digits._replace(images=digits.images[rows], labels=digits.labels[rows])
        for rows in order.split(sizes)
    )
    return train, valid, tested
