"""What a run leaves in its folder: weights, and videos that play in a browser."""

from __future__ import annotations

from pathlib import Path

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
    from safetensors.torch import save_file  # only needed where something is kept

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
        How fast it plays.

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
            raise OSError(f"{path} could not be written: is the disk full?") from error
    return path
