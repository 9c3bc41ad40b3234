"""What a run leaves in its folder: weights, and videos that play in a browser."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from jepa_tutorial.checks import check_choice, check_positive
from jepa_tutorial.files import replacing


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

    for name, part in parts.items():
        weights = {k: v.contiguous() for k, v in part.state_dict().items()}
        with replacing(Path(folder) / f"{name}.safetensors") as file:
            save_file(weights, file)


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
    OSError
        If the file cannot be written.
    """
    import imageio.v2 as imageio
    from imageio_ffmpeg import count_frames_and_secs

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
    pictures = large.permute(0, 2, 3, 1).numpy()
    with replacing(path) as part:
        imageio.mimwrite(
            part,
            list(pictures),
            format="FFMPEG",
            fps=frames_per_second,
            codec="libx264",
            macro_block_size=1,
        )
        try:  # the encoder is a program of its own: nobody says if it failed
            count_frames_and_secs(str(part))
        except RuntimeError as error:
            raise OSError(
                f"{path} could not be written: is the disk full?"
            ) from error
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
        Whatever has a ``state_dict`` (models, optimizers, schedules), generators, and plain
        dicts of the parameters that all of this belongs to.
    """
    states = {
        name: part
        if isinstance(part, dict)
        else part.get_state()
        if isinstance(part, torch.Generator)
        else part.state_dict()
        for name, part in parts.items()
    }
    buffer = io.BytesIO()
    torch.save({"step": step, **states}, buffer)
    content = buffer.getvalue()
    with replacing(path) as file:
        file.write_bytes(content + hashlib.sha256(content).digest())


def load_checkpoint(path: str | Path, **parts: Any) -> int:
    """Bring all parts to where a checkpoint left them, if there is one.

    Parameters
    ----------
    path : str or Path
        Of the file.
    **parts
        The same as were saved, made anew. A dict must be equal to the one that was saved.

    Returns
    -------
    int
        How many steps are done; 0 if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged, or holds other parts or parameters.
    """
    path = Path(path)
    if not path.is_file():
        return 0
    written = path.read_bytes()
    content, digest = written[:-32], written[-32:]
    remedy = "delete it, or name another file"
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(f"{path} is damaged, or no checkpoint: {remedy}")
    states = torch.load(
        io.BytesIO(content), map_location="cpu", weights_only=True
    )
    step = states.pop("step")
    if set(states) != set(parts):
        raise ValueError(
            f"{path} holds {sorted(states)}, expected {sorted(parts)}: {remedy}"
        )
    for name, part in parts.items():
        for key in part if isinstance(part, dict) else ():
            old = states[name].get(key)
            if old != part[key]:
                raise ValueError(
                    f"{path} belongs to {key} = {old!r}, not {part[key]!r}: {remedy}"
                )
    for name, part in parts.items():
        if isinstance(part, torch.Generator):
            part.set_state(states[name])
        elif not isinstance(part, dict):
            try:
                part.load_state_dict(states[name])
            except (KeyError, RuntimeError, ValueError) as error:
                raise ValueError(
                    f"{path} belongs to another {name}: {remedy} ({error})"
                ) from error
    return int(step)
