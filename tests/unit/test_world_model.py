"""The JEPA that takes actions: its parts together, its data, and chapter 8's training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR

from jepa_tutorial import checkpoints, training
from jepa_tutorial.encoders import CNNEncoder, FlatEncoder, ViTEncoder
from jepa_tutorial.files import book_folder
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.predictors import (
    ActionEncoder,
    MLPTransition,
    RollOut,
    TransformerTransition,
)
from jepa_tutorial.targets import MODES, EMATarget, over_time
from jepa_tutorial.windows import draw_stretches, history_windows, to_float

FRAMES = dict(history_length=1, channels=2, image_size=16, latent_dim=8)
ENCODERS = {
    "cnn": lambda: CNNEncoder(**FRAMES, width=4),
    "mlp": lambda: FlatEncoder(**FRAMES, hidden_dim=8),
    "vit": lambda: ViTEncoder(**FRAMES, patch=8, dim=8, depth=1, heads=2),
}
TRANSITIONS = {
    "mlp": lambda: MLPTransition(
        8, ActionEncoder(2, 4), action_emb_dim=4, hidden_dim=16
    ),
    "transformer": lambda: TransformerTransition(
        8, ActionEncoder(2, 4), action_emb_dim=4, dim=8, transition_depth=1, heads=2
    ),
}


def make(encoder="cnn", transition="mlp", mode="vjepa2"):
    torch.manual_seed(0)
    net = ENCODERS[encoder]()
    parts = net, RollOut(TRANSITIONS[transition]()), EMATarget(net, 0.9), F.mse_loss
    asked = dict(mode=over_time(MODES[mode]), regularizer=lambda z: z.var(dim=0).mean())
    return JEPA(*parts, **asked)


def data(num_samples=6, seq_len=7, history_length=1):
    g = torch.Generator().manual_seed(0)
    shape = (num_samples, seq_len, 2, 16, 16)
    frames = torch.randint(256, shape, generator=g, dtype=torch.uint8)
    actions = torch.randn(num_samples, seq_len - 1, 2, generator=g)
    return history_windows(frames, history_length), actions


def a_batch(rollout=3):
    windows, actions = data()
    return to_float(windows[:4, : rollout + 1]), actions[:4, :rollout]


def on_stretch(windows, actions):
    """First window, those after it, and the actions between."""
    return windows[:, 0], windows[:, 1:], actions.unbind(dim=1)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("transition", TRANSITIONS)
def test_any_encoder_fits_any_transition(encoder, transition):
    made = make(encoder, transition)(*on_stretch(*a_batch()))
    assert made.z_hat.shape == made.z_bar.shape == (4, 3, 8)
    assert made.z.shape == (4, 8)
    assert not made.z_bar.requires_grad


def test_predictions_use_their_own_predictions_and_each_action():
    model, (windows, actions) = make(), a_batch()
    z, z_hat, _, _ = model(*on_stretch(windows, actions))
    for k in range(3):
        z = model.predictor.step(z, actions[:, k])
        torch.testing.assert_close(z_hat[:, k], z)


@pytest.mark.parametrize(
    ("mode", "count"), [("default", 2), ("vjepa2", 1), ("none", 2)]
)
def test_the_regularizer_sees_what_the_mode_hands_it(mode, count):
    model, batch = make(mode=mode), on_stretch(*a_batch())
    _, z_hat, z_bar, seen = model(*batch)
    assert len(seen) == count
    asked = sum(z.var(dim=0).mean() for z in seen) / count
    cost = (z_hat - z_bar).square().mean()
    torch.testing.assert_close(model.loss(*batch), cost + asked)


def test_changes_are_between_the_first_and_the_last_window():
    model, (windows, actions) = make(mode="changes"), a_batch()
    made = model(*on_stretch(windows, actions))
    first, last = model.encoder(windows[:, 0]), model.encoder(windows[:, -1])
    torch.testing.assert_close(made.seen[0], (last - first) / 2**0.5)
    # Prediction and target are those of vjepa2.
    other = make()(*on_stretch(windows, actions))
    torch.testing.assert_close(made.z_hat, other.z_hat)
    torch.testing.assert_close(made.z_bar, other.z_bar)


def test_a_pattern_that_stays_does_not_change():
    model, (windows, actions) = make(mode="changes"), a_batch()
    still = windows[:, :1].expand_as(windows)
    assert model(*on_stretch(still, actions)).seen[0].abs().max() == 0
    assert model(*on_stretch(windows, actions)).seen[0].abs().max() > 0


@pytest.mark.parametrize("history_length", [1, 2, 3])
def test_stretches_are_windows_with_the_actions_between_them(history_length):
    windows, actions = data(50, history_length=history_length)
    between = actions[:, history_length - 1 :]
    numbered = torch.arange(windows[:, :, 0, 0, 0, 0].numel()).view(windows.shape[:2])
    draw = [torch.Generator().manual_seed(3) for _ in range(3)]
    x, a = draw_stretches(windows, 9, 3, draw[0], between)
    (at,) = draw_stretches(numbered, 9, 3, draw[1])
    n, t = at // windows.shape[1], at % windows.shape[1]
    assert torch.equal(x, windows[n, t])
    assert torch.equal(a, between[n[:, :-1], t[:, :-1]])


def test_actions_that_do_not_fit_the_windows_are_named():
    windows, actions = data(history_length=2)
    with pytest.raises(ValueError, match="actions"):
        draw_stretches(windows, 2, 3, torch.Generator(), actions)


def test_stretches_stay_within_an_episode_and_reach_every_start():
    moments = torch.arange(5 * 9).view(5, 9)
    (drawn,) = draw_stretches(moments, 4000, 4, torch.Generator().manual_seed(0))
    assert drawn.shape == (4000, 4)
    assert (drawn.diff(dim=1) == 1).all()
    assert (drawn[:, 0] // 9 == drawn[:, -1] // 9).all()
    assert drawn.unique().numel() == moments.numel()


# --- the training of chapter 8 -------------------------------------------------------------------


def cell(beginning: str) -> str:
    """The cell of chapter 8 that begins so."""
    notebook = nbformat.read(book_folder() / "08_actions.ipynb", as_version=4)
    (found,) = (c.source for c in notebook.cells if c.source.startswith(beginning))
    return found


PARAMETERS = dict(
    seed=0, world="fixed", mode="vjepa2", lr=1e-2, rollout=2, num_samples=6,
    batch_size=4, aux_weight=1.0, ema_decay=0.9,
)  # fmt: skip


def run(model, generator, scores, path="", *, changes=None, **options):
    space = dict(
        vars(training) | vars(checkpoints), JEPA=JEPA, Tensor=Tensor, Path=Path,
        Callable=Callable, Iterator=Iterator, partial=partial,
        CosineAnnealingLR=CosineAnnealingLR, **PARAMETERS | (changes or {}),
    )  # fmt: skip
    exec(cell("def stretch_loss("), space)
    exec(cell("def train("), space)
    windows, actions = data()
    ask = iter(scores)

    def draw():
        x, a = draw_stretches(windows, 4, 3, generator, actions)
        return to_float(x), a

    settings = dict(steps=12, check_every=2, patience=9) | options
    return space["train"](
        model, draw, lambda: next(ask), generator=generator, checkpoint=path, **settings
    )


def equal(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


SCORES = (0.1, 0.5, 0.4, 0.9, 0.3, 0.2)


@pytest.mark.parametrize("stop_at", [10, 12])
def test_training_ends_with_the_weights_of_the_best_check(stop_at):
    model, kept = make(), SimpleNamespace()
    for step, _, score in run(model, torch.Generator(), SCORES):
        if score == 0.9:
            assert step == 8
            kept.weights = [w.clone() for w in model.parameters()]
        if step == stop_at:
            break
    assert all(map(torch.equal, kept.weights, model.parameters()))


def test_training_stops_when_patience_is_over():
    done = list(run(make(), torch.Generator(), (0.5, 0.4, 0.3, 0.2), patience=2))
    assert [step for step, _, _ in done] == [2, 4, 6]


def test_the_last_step_is_checked_too():
    done = list(run(make(), torch.Generator(), [0.1] * 9, check_every=5))
    assert [step for step, _, _ in done] == [5, 10, 12]


@pytest.mark.parametrize("stop_at", [2, 6])
def test_an_interrupted_training_goes_on(tmp_path, stop_at):
    scores, path = [0.1, 0.9, 0.3, 0.4, 0.5, 0.6], tmp_path / "checkpoint.pt"
    whole, resumed = make(), make()
    list(run(whole, torch.Generator().manual_seed(3), scores))
    for step, _, _ in run(make(), torch.Generator().manual_seed(3), scores, path):
        if step == stop_at:
            break
    rest = scores[stop_at // 2 :]
    done = list(run(resumed, torch.Generator().manual_seed(8), rest, path))
    assert done[0][0] == stop_at + 2
    assert equal(whole, resumed)


@pytest.mark.parametrize(
    ("scores", "patience"), [(SCORES, 9), ((0.5, 0.4, 0.3, 0.2), 2)]
)
def test_a_training_that_ended_is_loaded_and_not_repeated(tmp_path, scores, patience):
    path, model, again = tmp_path / "checkpoint.pt", make(), make()
    list(run(model, torch.Generator(), scores, path, patience=patience))
    assert not list(run(again, torch.Generator(), [], path, patience=patience))
    assert equal(model, again)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_checkpoint_of_other_parameters_is_refused(tmp_path, name):
    path = tmp_path / "checkpoint.pt"
    next(run(make(), torch.Generator(), SCORES, path))
    with pytest.raises(ValueError, match=rf"belongs to {name} = .*, not 0\.5"):
        next(run(make(), torch.Generator(), SCORES, path, changes={name: 0.5}))
