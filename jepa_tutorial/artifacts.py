"""What a run leaves in its folder: weights, and videos that play in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import check_choice, check_positive


def save_weights(folder: str | Path, **parts: nn.Module) -> None:
    """Write the weights of each part to ``<name>.safetensors``.

    Parameters
    ----------
    folder : str or Path
        Made if it is missing.
    **parts : nn.Module
        Networks by name.
    """
    from safetensors.torch import (
        save_file,
    )  # only needed where something is kept

    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        weights = {k: v.contiguous() for k, v in part.state_dict().items()}
        save_file(weights, Path(folder) / f"{name}.safetensors")


def save_video(
    folder: str | Path, name: str, frames: Tensor, frames_per_second: float = 20
) -> Path:
    """Write frames to ``<name>.mp4``, in the encoding that all browsers play (H.264, yuv420p).

    Parameters
    ----------
    folder : str or Path
        Made if it is missing.
    name : str
        Of the file, without its ending.
    frames : Tensor
        ``(T, C, H, W)``, uint8, with one channel or three. Small ones are enlarged to at least
        256 pixels in height, each pixel to a square.
    frames_per_second : float
        Speed.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the frames are not uint8 or have another number of channels.
    """
    import imageio.v2 as imageio

    if frames.ndim != 4 or str(frames.dtype) != "torch.uint8":
        raise ValueError(
            f"frames must be (T, C, H, W) in torch.uint8, got {tuple(frames.shape)} "
            f"in {frames.dtype}"
        )
    check_positive(frames=len(frames))
    check_choice(("1", "3"), channels=str(frames.shape[1]))
    scale = max(1, -(-256 // frames.shape[2]))
    scale += scale * frames.shape[2] % 2  # H.264 wants even sizes
    large = frames.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    large = large[..., : large.shape[-1] // 2 * 2].expand(-1, 3, -1, -1)
    path = Path(folder) / f"{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = large.permute(0, 2, 3, 1).numpy()
    imageio.mimwrite(
        path,
        list(pictures),
        format="FFMPEG",
        fps=frames_per_second,
        codec="libx264",
        macro_block_size=1,
    )
    return path


def save_checkpoint(path: str | Path, step: int, **parts: Any) -> None:
    """Write all that a training needs to go on later; all or nothing.

    Parameters
    ----------
    path : str or Path
        Of the file. Its folder is made if it is missing.
    step : int
        How many steps are done.
    **parts
        Whatever has a ``state_dict`` (models, optimizers, schedules), and generators.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    states = {
        name: part.get_state()
        if isinstance(part, torch.Generator)
        else part.state_dict()
        for name, part in parts.items()
    }
    part_file = path.with_name(path.name + ".part")
    torch.save({"step": step, **states}, part_file)
    os.replace(part_file, path)


def load_checkpoint(path: str | Path, **parts: Any) -> int:
    """Bring all parts to where a checkpoint left them, if there is one.

    Parameters
    ----------
    path : str or Path
        Of the file.
    **parts
        The same as were saved, made anew.

    Returns
    -------
    int
        How many steps are done; 0 if there is no such file.

    Raises
    ------
    ValueError
        If the file holds other parts.
    """
    path = Path(path)
    if not path.is_file():
        return 0
    states = torch.load(path, weights_only=True)
    step = states.pop("step")
    if set(states) != set(parts):
        raise ValueError(
            f"{path} holds {sorted(states)}, expected {sorted(parts)}: name another file"
        )
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            part.set_state(states[name])
        else:
            part.load_state_dict(states[name])
    return int(step)
