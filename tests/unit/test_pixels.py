"""The convolutional encoder and decoder, and what a run leaves in its folder."""

from __future__ import annotations

import imageio.v2 as imageio
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from jepa_tutorial.artifacts import save_video, save_weights
from jepa_tutorial.decoders import CNNDecoder
from jepa_tutorial.encoders import Changes, CNNEncoder


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_encoder_and_decoder_fit_each_other(size, channels):
    encoder = CNNEncoder(
        history_length=2, channels=channels, image_size=size, width=4, latent_dim=6
    )
    decoder = CNNDecoder(6, channels=channels, image_size=size, width=4)
    z = encoder(torch.rand(3, 2, channels, size, size))
    assert z.shape == (3, 6)
    assert decoder(z).shape == (3, channels, size, size)


def test_changes_come_in_their_unit():
    windows = torch.tensor([[[1.0], [3.0], [4.0]]])
    assert Changes(unit=2.0)(windows)[0, :, 0].tolist() == [1.0, 0.5, 4.0]
    assert torch.equal(Changes()(windows[:, :1]), windows[:, :1])


def test_changes_show_the_newest_frame_and_lose_nothing():
    windows = torch.rand(2, 3, 1, 4, 4)
    shown = Changes()(windows)
    assert shown.shape == windows.shape
    assert torch.equal(shown[:, -1], windows[:, -1])
    torch.testing.assert_close(shown[:, -1] - shown[:, 1], windows[:, 1])
    torch.testing.assert_close(shown[:, -1] - shown[:, 1] - shown[:, 0], windows[:, 0])


def test_weights_come_back(tmp_path):
    network = nn.Linear(3, 2)
    save_weights(tmp_path / "run", encoder=network, predictor=nn.Linear(1, 1))
    loaded = load_file(tmp_path / "run" / "encoder.safetensors")
    assert torch.equal(loaded["weight"], network.weight)
    assert (tmp_path / "run" / "predictor.safetensors").is_file()


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (17, 3), (64, 3), (33, 1)])
def test_video_has_all_frames_and_an_even_size(tmp_path, size, channels):
    frames = torch.zeros(12, channels, size, 2 * size, dtype=torch.uint8)
    frames[6:] = 255
    path = save_video(tmp_path, "clip", frames, 20)
    read = imageio.mimread(path, memtest=False)
    assert len(read) == 12
    height, width = read[0].shape[:2]
    assert height >= 256
    assert height % 2 == width % 2 == 0
    assert read[0].mean() < 30
    assert read[-1].mean() > 220


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (torch.zeros(3, 1, 8, 8), "frames must be"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), "frames must be"),
        (torch.zeros(3, 2, 8, 8, dtype=torch.uint8), "channels must be one of"),
        (torch.zeros(0, 1, 8, 8, dtype=torch.uint8), "frames must be an integer"),
    ],
)
def test_bad_videos_are_named(tmp_path, frames, message):
    with pytest.raises(ValueError, match=message):
        save_video(tmp_path, "clip", frames)
