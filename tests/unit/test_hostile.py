"""Bad arguments, one at a time: an error of one sentence that names them, or a finite result.

Each entry of the table is a call that works. Each test spoils one of its arguments.
"""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor, nn

from jepa_tutorial import (
    decoders,
    encoders,
    ensembles,
    forecasting,
    losses,
    networks,
    planning,
    predictors,
    probes,
    targets,
    training,
    windows,
)
from jepa_tutorial.runtime import SET_SEEDS
from jepa_tutorial.worlds import (
    curves,
    moving_mnist,
    pendulum,
    pendulum_frames,
    points,
    tasks,
    two_rooms,
)
from jepa_tutorial.worlds.digits import Digits

TAUGHT = (
    decoders, encoders, ensembles, forecasting, losses, networks, planning, predictors,
    probes, targets, training, windows,
)  # fmt: skip


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def follow(target, encoder, tau):
    ensembles.follow(target, encoder, tau)
    return target.weights[0]


def read_linearly(z, y):
    return probes.linear_reader(z, y)(z)


def uniform(num_samples, generator):
    return points.uniform(0, 1, num_samples, generator)


GENERATOR = torch.Generator()
Z, OTHER, CENTER = draw(8, 4), draw(8, 4).flip(0), draw(4)
ROOMS = two_rooms.make_rooms(2, GENERATOR)
DIGITS = Digits(torch.ones(3, 28, 28).byte(), torch.zeros(3), "", "")
PLAN = draw(2, 3, 2)
DRAWN = dict(num_samples=3, seq_len=5, generator=GENERATOR)
FRAMES = dict(history_length=2, channels=1, image_size=16)
SEARCH = dict(
    energy=lambda actions: actions.square().sum((2, 3)), plan=PLAN, generator=GENERATOR,
    num_candidates=8, iterations=2, std=0.1, longest=1.0,
)  # fmt: skip
CALLS = {
    losses.cosine_loss: dict(z_hat=Z, z_bar=OTHER),
    losses.variance_loss: dict(z=Z),
    losses.covariance_loss: dict(z=Z),
    losses.vicreg_loss: dict(z=Z),
    losses.barlow_twins_loss: dict(z_a=Z, z_b=OTHER),
    losses.standardize: dict(z=Z),
    losses.centering_loss: dict(z=Z, center=CENTER),
    losses.update_center: dict(center=CENTER, z=Z, decay=0.9),
    losses.dino_loss: dict(
        z_hat=Z, z_bar=OTHER, center=CENTER, student_temp=0.1, teacher_temp=0.1
    ),
    losses.sigreg_loss: dict(z=Z, directions=draw(4, 3)),
    probes.directions: dict(z=Z),
    losses.draw_directions: dict(latent_dim=4, count=3, generator=GENERATOR),
    probes.spread: dict(z=Z),
    probes.spectrum: dict(z=Z),
    probes.effective_rank: dict(z=Z),
    probes.rankme: dict(z=Z),
    probes.mean_pairwise_cosine: dict(z=Z),
    probes.monitor: dict(z=Z),
    probes.retrieval_accuracy: dict(z_hat=Z, z_bar=OTHER, num_candidates=4),
    probes.linear_probe: dict(
        z_train=Z, y_train=draw(8), z_test=OTHER, y_test=draw(8).flip(0)
    ),
    probes.noisy_probe: dict(
        z_train=Z, y_train=draw(8), z_test=OTHER, y_test=draw(8).flip(0),
        generator=GENERATOR, noise=0.1,
    ),
    probes.valid_times: dict(error=draw(8, 4), frame_time=0.1, threshold=0.4),
    probes.r_squared: dict(y_hat=Z, y=OTHER),
    read_linearly: dict(z=Z, y=OTHER),
    targets.EMATarget: dict(encoder=nn.Linear(2, 2), ema_decay=0.9),
    targets.linear_decay: dict(base=0.9, progress=0.5),
    targets.cosine_decay: dict(base=0.9, progress=0.5),
    targets.coupled_decay: dict(base=0.9, lr=0.1, initial_lr=0.2),
    encoders.LSTMEncoder: dict(input_dim=2, hidden_dim=4, latent_dim=4),
    encoders.MLPEncoder: dict(input_dim=2, window_len=3, hidden_dim=4, latent_dim=4),
    encoders.Changes: dict(unit=0.5),
    encoders.CNNEncoder: FRAMES | dict(width=4, latent_dim=4),
    encoders.ResNet5: dict(channels=1, width=4, latent_dim=4, patch=4, stride=2),
    encoders.FlatEncoder: FRAMES | dict(hidden_dim=4, latent_dim=4),
    encoders.ViTEncoder: FRAMES
    | dict(patch=8, dim=8, depth=1, heads=2, latent_dim=4),
    networks.mlp: dict(input_dim=2, hidden_dim=4, output_dim=4),
    networks.ResidualBlock: dict(channels=2, width=4, stride=1),
    networks.TransformerBlock: dict(dim=4, heads=2, mlp_dim=4),
    predictors.MLPPredictor: dict(latent_dim=4, hidden_dim=4),
    predictors.UNet: dict(channels=4, width=4, out_channels=4),
    predictors.ResUNet: dict(latent_dim=4, width=4),
    predictors.CarryingUNet: dict(latent_dim=4, width=4, groups=2),
    predictors.ActionEncoder: dict(action_dim=2, action_emb_dim=4),
    predictors.ActionEmbedding: dict(action_dim=2, action_emb_dim=4),
    predictors.MLPTransition: dict(
        latent_dim=4, action_encoder=nn.Identity(), action_emb_dim=2, hidden_dim=4,
        dropout=0.1,
    ),
    predictors.TransformerTransition: dict(
        latent_dim=4, action_encoder=nn.Identity(), action_emb_dim=2, dim=4,
        transition_depth=1, heads=2,
    ),
    decoders.CNNDecoder: dict(latent_dim=4, channels=1, image_size=16, width=4),
    decoders.MapReader: dict(latent_dim=4, width=4),
    decoders.PatchDecoder: dict(latent_dim=4, width=4, channels=1, scale=2),
    decoders.DetectionHead: dict(latent_dim=4, width=4, grid=2),
    decoders.TransformerDecoder: dict(
        latent_dim=4, channels=1, image_size=16, patch_size=8, decoder_dim=4, depth=1,
        heads=2, mlp_dim=4,
    ),
    follow: dict(
        target=ensembles.Ensemble([nn.Linear(2, 2)]),
        encoder=ensembles.Ensemble([nn.Linear(2, 2)]),
        tau=torch.tensor([0.9]),
    ),
    forecasting.persistence: dict(window=draw(3, 4, 2), horizon=5),
    forecasting.constant_velocity: dict(window=draw(3, 4, 2), horizon=5),
    forecasting.NextState: dict(network=nn.Linear(4, 2), step_size=0.1),
    training.EarlyStopping: dict(model=nn.Linear(2, 2), patience=2, delta=0.1),
    windows.split_window: dict(x=draw(3, 9, 2), context_len=2, target_len=2),
    windows.history_windows: dict(x=draw(3, 9, 2), history_length=3),
    windows.draw_window: dict(
        x=draw(3, 9, 2), batch_size=4, context_len=2, target_len=2, generator=GENERATOR
    ),
    windows.draw_stretches: dict(
        windows=draw(3, 9, 2), batch_size=4, length=3, generator=GENERATOR
    ),
    planning.clip_actions: dict(actions=PLAN, longest=0.1),
    planning.smooth_noise: dict(
        num_rows=2, horizon=3, action_dim=2, generator=GENERATOR, num_knots=2
    ),
    planning.propose: dict(
        plan=PLAN, num_candidates=3, std=0.1, generator=GENERATOR, longest=1.0
    ),
    planning.random_shooting: SEARCH,
    planning.cem: SEARCH | dict(elite_share=0.5),
    planning.mppi: SEARCH | dict(temperature=0.1),
    planning.distances_ahead: dict(
        transition=lambda z, a: z + a, z=draw(2, 2), z_goal=draw(2, 2).flip(0),
        actions=draw(2, 3, 4, 2),
    ),
    uniform: dict(num_samples=3, generator=GENERATOR),
    points.circle: DRAWN,
    points.line: DRAWN,
    points.make_trajectories: dict(
        num_samples=3, seq_len=5, pattern="line", noise=0.1, seed=0
    ),
    curves.orbit: DRAWN,
    curves.spiral: DRAWN,
    curves.lissajous: DRAWN | dict(m=3, n=5),
    curves.sample_world: dict(world="circle", num_samples=3, seq_len=5, seed=0),
    pendulum.simulate_pendulum: dict(
        start=draw(2, 4), num_frames=3, substeps=2, gravity=9.81
    ),
    pendulum.lyapunov_exponent: dict(start=draw(2, 4), num_frames=3, substeps=2),
    pendulum.pendulum: DRAWN | dict(max_angle=1.0),
    pendulum_frames.render_bobs: dict(
        positions=draw(2, 3, 4).clamp(-1, 1), image_size=16, channels=1, swapped=False
    ),
    moving_mnist.moving_mnist: dict(
        digits=DIGITS, num_samples=2, seq_len=3, seed=0, num_digits=2, image_size=32,
        speed=1.0, speed_ratio=2.0,
    ),
    moving_mnist.location_maps: dict(centers=draw(1, 2, 2, 2).sigmoid(), image_size=8),
    two_rooms.make_rooms: dict(num_samples=3, generator=GENERATOR, random=True),
    two_rooms.step: dict(position=draw(2, 2), action=draw(2, 2).flip(0), rooms=ROOMS),
    two_rooms.two_rooms: DRAWN | dict(image_size=16, random=True, background=0.5),
    two_rooms.render_rooms: dict(positions=draw(2, 3, 2), rooms=ROOMS, image_size=16),
    tasks.make_tasks: dict(num_episodes=3, generator=GENERATOR, random=False),
    tasks.pursue: dict(
        tasks=tasks.make_tasks(2, GENERATOR), make_plan=lambda position, tasks, plan: plan,
        horizon=2, max_steps=2, replan_every=1,
    ),
}  # fmt: skip


# These put parts together, or only see what others have checked.
NO_ENTRY = {
    *(
        "Autoregression",
        "Ensemble",
        "Forecaster",
        "OnlineTarget",
        "ResidualPredictor",
        "RollOut",
    ),
    *("Encodings", "Step", "enlarge", "roll_out", "over_time", "clip_mode", "to_float"),
    *("default_mode", "vjepa2_mode", "none_mode", "changes_mode", "closest_approach"),
    *("rank_last", "encode", "rmse", "linear_reader"),
    *("minimize", "small_network_probe"),  # have tests of their own
}
PASS_ON = {  # what is no number shows in what they return
    *(call for call in CALLS if call.__module__ == losses.__name__),
    *(call for call in CALLS if call.__module__ == windows.__name__),
    *(probes.directions, forecasting.persistence, forecasting.constant_velocity),
    *(planning.clip_actions, planning.distances_ahead),
}


def spoiled(value):
    """Bad values in the place of a good one, by what is wrong with them."""
    if isinstance(value, bool):
        return {"text": "no"}
    if isinstance(value, int):
        return {"zero": 0, "negative": -1, "half": 1.5, "nan": math.nan}
    if isinstance(value, float):
        return {"nan": math.nan, "negative": -1.0, "infinite": math.inf, "large": 4.0}
    if isinstance(value, torch.Generator):
        return {"none": None}
    if isinstance(value, Tensor):
        return {
            "nan": value * math.nan,
            "empty": value[:0],
            "fewer": value[:-1],
            "thinner": value[..., :-1],
            "flat": value[0],
            "integer": value.long(),
            "complex": value + 0j,
        }
    return {}


UNLIMITED = (  # above
    *("student_temp", "teacher_temp", "temperature", "initial_lr", "unit", "delta"),
    *("frame_time", "step_size", "threshold", "longest", "noise", "speed", "std"),
    *("speed_ratio", "gravity"),
)
FINE = {  # bad in other places
    *(("seed", "zero"), ("std", "negative"), ("gravity", "negative"), ("error", "nan")),
    *((name, "large") for name in UNLIMITED),
}
CASES = [
    pytest.param(call, good, name, bad, id=f"{call.__name__}-{name}-{how}")
    for call, good in CALLS.items()
    for name, value in good.items()
    for how, bad in spoiled(value).items()
    if (name, how) not in FINE
]


def numbers(result):
    """All tensors and numbers of a result."""
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, tuple):
        return [number for part in result for number in numbers(part)]
    assert isinstance(result, (Tensor, int, float)), "something was made all the same"
    return [torch.as_tensor(result)]


def is_finite(result):
    return all(part.isfinite().all() for part in numbers(result))


def test_no_taught_function_is_left_out():
    taught = {
        name
        for module in TAUGHT
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and callable(value)
    }
    assert not taught - NO_ENTRY - {call.__name__ for call in CALLS}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_a_good_call_gives_finite_numbers(call):
    result = call(**CALLS[call])
    assert isinstance(result, (nn.Module, training.EarlyStopping)) or is_finite(result)


@pytest.mark.parametrize(("call", "good", "name", "bad"), CASES)
def test_a_bad_argument_is_named_or_does_no_harm(call, good, name, bad):
    caught = result = None
    try:
        result = call(**good | {name: bad})
    except (TypeError, ValueError, RuntimeError) as error:
        caught = error
    if caught is None:
        assert isinstance(good[name], Tensor), "taken as if it were good"
        assert not bad.isnan().any() or call in PASS_ON, "no number is lost on the way"
        assert is_finite(result) != bad.isnan().any()
    elif isinstance(caught, RuntimeError):  # PyTorch's own, about types that do not fit
        assert not bad.is_floating_point()
        assert re.search(r"dtype|Long|Complex|complex", str(caught)), caught
    else:
        names = [*good, "wall"] if isinstance(bad, Tensor) else [name]
        named = rf"({'|'.join(names)}) must [^\n]+$|Input \w*\s?contains NaN"
        assert re.match(named, str(caught)), caught


INPUTS = {
    encoders.LSTMEncoder: (3, 5, 2),
    encoders.MLPEncoder: (3, 3, 2),
    encoders.CNNEncoder: (3, 2, 1, 16, 16),
    encoders.ResNet5: (3, 1, 16, 16),
    encoders.FlatEncoder: (3, 2, 1, 16, 16),
    encoders.ViTEncoder: (3, 2, 1, 16, 16),
    predictors.MLPPredictor: (3, 4),
    predictors.ActionEncoder: (3, 2),
    predictors.ActionEmbedding: (3, 2),
    decoders.CNNDecoder: (3, 4),
    decoders.MapReader: (3, 4, 8, 8),
    decoders.PatchDecoder: (3, 4, 8, 8),
    decoders.DetectionHead: (3, 4, 8, 8),
    decoders.TransformerDecoder: (3, 4),
}


@pytest.mark.parametrize("network", INPUTS, ids=lambda network: network.__name__)
def test_a_network_names_an_input_of_another_shape(network):
    made, x = network(**CALLS[network]), draw(*INPUTS[network])
    assert made(x).isfinite().all()
    for other in (x[0], x.movedim(0, -1)):
        with pytest.raises(ValueError, match=r"^(x|z|a|windows) must have the shape"):
            made(other)


OUT_OF_RANGE = [  # by itself, or next to the others
    (losses.dino_loss, "student_temp", 0.0, "a number of at least 1e-06"),
    (losses.dino_loss, "teacher_temp", 0.0, "a number of at least 1e-06"),
    (probes.retrieval_accuracy, "num_candidates", 9, "an integer from 1 to 8, got 9"),
    (targets.coupled_decay, "lr", 0.3, "a number from 0 to 0.2, got 0.3"),
    (encoders.CNNEncoder, "image_size", 20, "a multiple of 8, got 20"),
    (encoders.ViTEncoder, "image_size", 20, "a multiple of 8, got 20"),
    (decoders.CNNDecoder, "image_size", 20, "a multiple of 8, got 20"),
    (decoders.TransformerDecoder, "image_size", 20, "a multiple of 8, got 20"),
    (networks.TransformerBlock, "dim", 9, "a multiple of 2, got 9"),
    (windows.split_window, "target_len", 8, "an integer from 1 to 9, got 10"),
    (windows.draw_window, "target_len", 8, "an integer from 1 to 9, got 10"),
    (windows.history_windows, "history_length", 10, "an integer from 1 to 9, got 10"),
    (windows.draw_stretches, "length", 10, "an integer from 1 to 9, got 10"),
    (forecasting.constant_velocity, "window", draw(3, 1, 2), "a number of at least 2"),
    (planning.cem, "num_candidates", 1, "a number of at least 2, got 1"),
    (planning.mppi, "temperature", 0.0, "a number of at least 1e-06"),
    (points.make_trajectories, "pattern", "spiral", "one of 'circle', 'line', got"),
    (points.make_trajectories, "noise", 11.0, "a number from 0 to 10"),
    (points.make_trajectories, "seed", 2**32, "an integer from 0 to 4294967295"),
    (curves.sample_world, "world", "square", "one of 'circle', 'spiral'"),
    (pendulum_frames.render_bobs, "image_size", 8, "a number from 16 to 128"),
    (pendulum_frames.render_bobs, "channels", 2, "one of '1', '3', got '2'"),
    (two_rooms.two_rooms, "image_size", 8, "a number from 16 to 128"),
    (moving_mnist.moving_mnist, "image_size", 28, "a number from 29 to 4096"),
    (moving_mnist.moving_mnist, "speed", 33.0, "a number from 0 to 32"),
    (moving_mnist.moving_mnist, "num_samples", SET_SEEDS + 1, "an integer from 1 to"),
    (moving_mnist.moving_mnist, "seed", 2**32 - 1, "an integer from 0 to 4294967294"),
    (moving_mnist.location_maps, "centers", torch.full((1, 1, 1, 2), 8.0), "8 pixels"),
]


@pytest.mark.parametrize(("call", "name", "bad", "message"), OUT_OF_RANGE)
def test_an_argument_out_of_its_range_is_named(call, name, bad, message):
    with pytest.raises(ValueError, match=message) as caught:
        call(**CALLS[call] | {name: bad})
    assert str(caught.value).startswith((name, "window"))
