"""The parts of the video model: shapes, what they preserve, and what they refuse."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from jepa_tutorial.decoders import DetectionHead, PatchDecoder
from jepa_tutorial.encoders import ResNet5
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.networks import ResidualBlock
from jepa_tutorial.predictors import CarryingUNet, ResUNet, RollOut, enlarge, roll_out
from jepa_tutorial.published import PublishedResNet5, PublishedResUNet
from jepa_tutorial.targets import EMATarget, OnlineTarget, clip_mode


@pytest.mark.parametrize(("channels", "stride"), [(4, 1), (4, 2), (6, 1)])
def test_residual_block_shapes(channels, stride):
    block = ResidualBlock(channels, 4, stride=stride)
    out = block(torch.rand(2, channels, 8, 8))
    assert out.shape == (2, 4, 8 // stride, 8 // stride)
    plain = isinstance(block.shortcut, nn.Identity)
    assert plain == (channels == 4 and stride == 1)


def test_the_shortcut_passes_the_input_by():
    block = ResidualBlock(4, 4)
    nn.init.zeros_(block.change[-1].weight)
    nn.init.zeros_(block.change[-1].bias)
    h = torch.rand(2, 4, 8, 8)
    assert torch.equal(block(h), h)


@pytest.mark.parametrize(
    ("patch", "stride", "side"), [(4, 2, 8), (1, 1, 64), (4, 1, 16), (8, 1, 8)]
)
def test_encoder_keeps_space(patch, stride, side):
    encoder = ResNet5(1, width=4, latent_dim=6, patch=patch, stride=stride).eval()
    assert encoder(torch.rand(2, 1, 64, 64)).shape == (2, 6, side, side)
    # Something that moves by one place in the frame moves by one place in the map.
    scale = patch * stride
    x = torch.zeros(1, 1, 64, 64)
    x[..., 28:36, 28:36] = torch.rand(8, 8)
    moved = x.roll(scale, dims=-1)
    z, z_moved = encoder(x), encoder(moved)
    middle = slice(side // 2 - 1, side // 2 + 1)
    torch.testing.assert_close(
        z.roll(1, dims=-1)[..., middle, middle], z_moved[..., middle, middle]
    )


@pytest.mark.parametrize("side", [8, 7, 16])
def test_predictor_keeps_shapes_and_begins_with_the_newest(side):
    predictor = ResUNet(3, 4)
    before, z = torch.rand(2, 2, 3, side, side).unbind(dim=1)
    assert predictor((before, z))[1].shape == z.shape
    nn.init.zeros_(predictor.change.leave.weight)
    nn.init.zeros_(predictor.change.leave.bias)
    newer, ahead = predictor((before, z))
    assert newer is z
    assert torch.equal(ahead, z)


@pytest.mark.parametrize("make", [ResUNet, CarryingUNet])
def test_predictor_reads_both_maps(make):
    torch.manual_seed(0)
    predictor = make(4, 4).eval()
    before, z = torch.rand(2, 2, 4, 8, 8).unbind(dim=1)
    assert not torch.equal(predictor((before, z))[1], predictor((z, z))[1])


def test_what_is_carried_moves_to_a_neighbor():
    predictor = CarryingUNet(4, 4, groups=2).eval()
    z = torch.rand(2, 4, 8, 8)
    leave = predictor.net.leave
    with torch.no_grad():
        nn.init.zeros_(leave.weight)
        nn.init.zeros_(leave.bias)
        leave.bias[4 + 3] = leave.bias[4 + 9 + 1] = 1000.0  # from the left, from above
    newer, ahead = predictor((torch.rand(2, 4, 8, 8), z))
    assert newer is z
    torch.testing.assert_close(ahead[:, :2, :, 1:], z[:, :2, :, :-1])
    torch.testing.assert_close(ahead[:, 2:, 1:], z[:, 2:, :-1])
    # At an edge, where there is no neighbor, a place takes from itself.
    torch.testing.assert_close(ahead[:, :2, :, 0], z[:, :2, :, 0])


def test_carrying_begins_without_a_correction():
    torch.manual_seed(0)
    predictor = CarryingUNet(4, 4).eval()
    same = torch.rand(1, 4, 1, 1).expand(1, 4, 8, 8)  # what neighbors hold is the same
    torch.testing.assert_close(predictor((same, same))[1], same)


def test_published_networks_have_the_published_sizes():
    encoder, predictor = PublishedResNet5(), PublishedResUNet()
    for network, count in ((encoder, 89_280), (predictor, 2_032_496)):
        assert sum(weights.numel() for weights in network.parameters()) == count
    z = encoder(torch.rand(2, 1, 16, 24))
    assert z.shape == (2, 16, 16, 24)
    newer, ahead = predictor((z.detach(), z))
    assert newer is z
    assert ahead.shape == z.shape
    with pytest.raises(ValueError, match="width must be a multiple of 8, got 12"):
        predictor((torch.rand(2, 16, 16, 12),) * 2)


def test_enlarge_repeats():
    small = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    large = enlarge(small, torch.zeros(1, 1, 4, 4))
    assert large[0, 0].tolist() == [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2


def test_rolling_out_feeds_back_the_last_two():
    def fibonacci(pair, told):
        return pair[1], pair[0] + pair[1]

    one = torch.ones(1, 1, 1, 1)
    path = roll_out(fibonacci, (one, one), range(5))
    assert path.flatten().tolist() == [2, 3, 5, 8, 13]


def parts(target=OnlineTarget, projector=None):
    torch.manual_seed(0)
    encoder = ResNet5(1, width=4, latent_dim=6)
    seen = []

    def regularizer(z):
        seen.append(z.shape)
        return z.square().mean()

    step, asked = RollOut(ResUNet(6, 4)), dict(mode=clip_mode, regularizer=regularizer)
    parts = encoder, step, target(encoder), nn.functional.mse_loss
    return JEPA(*parts, projector=projector, **asked), seen


def on_clip(x):
    """Two frames, those after them, and how many there are."""
    return x[:, :2], x[:, 2:], range(x.shape[1] - 2)


class EachPlace(nn.Linear):
    """A projector of maps."""

    def forward(self, z):
        return super().forward(z.movedim(-3, -1)).movedim(-1, -3)


def test_video_jepa_shapes():
    model, seen = parts(projector=EachPlace(6, 5))
    clip = on_clip(torch.rand(3, 5, 1, 64, 64))
    z, z_hat, z_bar, _ = model(*clip)
    assert [part.shape for part in z] == 2 * [(3, 6, 8, 8)]
    assert z_hat.shape == z_bar.shape == (3, 3, 6, 8, 8)
    assert model.loss(*clip).shape == ()
    assert seen == [(6, 5, 8, 8)]


def test_loss_is_error_of_projections_plus_regularizer():
    model, _ = parts(projector=EachPlace(6, 5))
    model.eval()
    clip = on_clip(torch.rand(3, 5, 1, 64, 64))
    z, z_hat, z_bar, _ = model(*clip)
    p, p_hat, p_bar = map(model.projector, (torch.stack(z), z_hat, z_bar))
    expected = (p_hat - p_bar).square().mean() + p.square().mean()
    torch.testing.assert_close(model.loss(*clip), expected)


@pytest.mark.parametrize("slow", [True, False])
def test_gradients_reach_the_encoder_through_the_target_only_online(slow):
    model, _ = parts(target=(lambda e: EMATarget(e, 0.9)) if slow else OnlineTarget)
    made = model(*on_clip(torch.rand(2, 4, 1, 64, 64)))
    assert made.z_bar.requires_grad is not slow


def test_future_frames_do_not_reach_predictions():
    model, _ = parts()
    model.eval()
    x = torch.rand(2, 5, 1, 64, 64)
    other = x.clone()
    other[:, 2:] = torch.rand(2, 3, 1, 64, 64)
    assert torch.equal(model(*on_clip(x)).z_hat, model(*on_clip(other)).z_hat)


def test_decoder_gives_each_place_its_pixels():
    decoder = PatchDecoder(6, 4, channels=1, scale=8)
    assert decoder(torch.rand(2, 6, 8, 8)).shape == (2, 1, 64, 64)
    z = torch.zeros(1, 6, 8, 8)
    other = copy.deepcopy(z)
    other[0, :, 0, 0] = 1
    changed = (decoder(z) != decoder(other))[0, 0].nonzero()
    assert changed.max() < 3 * 8  # its own pixels, and two places around


@pytest.mark.parametrize("side", [8, 16, 64])
def test_detection_has_one_logit_a_cell(side):
    head = DetectionHead(6, 4)
    assert head(torch.rand(2, 6, side, side)).shape == (2, 8, 8)


def test_maps_that_do_not_fit_are_named():
    maps = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 4)
    with pytest.raises(ValueError, match="z must have the shape"):
        ResUNet(3, 4)(maps)
    with pytest.raises(ValueError, match="x_context must have"):
        parts()[0](*on_clip(torch.rand(2, 4, 64, 64)))
