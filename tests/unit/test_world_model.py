"""The JEPA that takes actions: its parts together, its data, and its training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from jepa_tutorial.checkpoints import save_checkpoint
from jepa_tutorial.encoders import CNNEncoder, FlatEncoder, ViTEncoder
from jepa_tutorial.jepa import ActionJEPA
from jepa_tutorial.predictors import (
    ActionEncoder,
    MLPTransition,
    TransformerTransition,
)
from jepa_tutorial.targets import MODES, EMATarget, changes_mode
from jepa_tutorial.training import (
    draw_stretches,
    take_moments,
    train_with_checks,
)
from jepa_tutorial.windows import history_windows

ENCODERS = {
    "cnn": lambda: CNNEncoder(1, 2, 16, 4, 8),
    "mlp": lambda: FlatEncoder(1, 2, 16, 8, 8),
    "vit": lambda: ViTEncoder(1, 2, 16, 8, 8, 1, 2, 8),
}
TRANSITIONS = {
    "mlp": lambda: MLPTransition(8, ActionEncoder(2, 4), 4, 16),
    "transformer": lambda: TransformerTransition(8, ActionEncoder(2, 4), 4, 8, 1, 2),
}


def make(encoder="cnn", transition="mlp", mode=MODES["vjepa2"]):
    torch.manual_seed(0)
    net = ENCODERS[encoder]()
    return ActionJEPA(
        net,
        TRANSITIONS[transition](),
        EMATarget(net, 0.9),
        mode,
        lambda z: z.var(dim=0).mean(),
    )


def data(num_samples=6, seq_len=7, history_length=1):
    g = torch.Generator().manual_seed(0)
    shape = (num_samples, seq_len, 2, 16, 16)
    frames = torch.randint(256, shape, generator=g, dtype=torch.uint8)
    actions = torch.randn(num_samples, seq_len - 1, 2, generator=g)
    return history_windows(frames, history_length), actions


def a_batch(rollout=3):
    windows, actions = data()
    moments = torch.arange(windows.shape[0] * 7).view(-1, 7)
    return take_moments(windows, actions, moments[:4, : rollout + 1])


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("transition", TRANSITIONS)
def test_any_encoder_fits_any_transition(encoder, transition):
    model = make(encoder, transition)
    z_hat, z_bar, (z,) = model(*a_batch())
    assert z_hat.shape == z_bar.shape == (4, 3, 8)
    assert z.shape == (4, 8)
    assert not z_bar.requires_grad


def test_predictions_use_their_own_predictions_and_each_action():
    model = make()
    windows, actions = a_batch()
    z_hat, _, (z,) = model(windows, actions)
    by_hand = z
    for k in range(3):
        by_hand = model.transition(by_hand, actions[:, k])
        torch.testing.assert_close(z_hat[:, k], by_hand)


@pytest.mark.parametrize(
    ("mode", "count"), [("default", 2), ("vjepa2", 1), ("none", 2)]
)
def test_the_regularizer_sees_what_the_mode_hands_it(mode, count):
    model = make(mode=MODES[mode])
    windows, actions = a_batch()
    z_hat, z_bar, seen = model(windows, actions)
    assert len(seen) == count
    asked = sum(z.var(dim=0).mean() for z in seen) / count
    cost = (z_hat - z_bar).square().mean()
    torch.testing.assert_close(model.loss(windows, actions), cost + asked)


def test_changes_are_between_the_first_and_the_last_window():
    model = make(mode=changes_mode)
    windows, actions = a_batch()
    z_hat, z_bar, (change,) = model(windows, actions)
    first, last = model.encoder(windows[:, 0]), model.encoder(windows[:, -1])
    torch.testing.assert_close(change, (last - first) / 2**0.5)
    # Prediction and target are those of vjepa2.
    other = make()(windows, actions)
    torch.testing.assert_close(z_hat, other[0])
    torch.testing.assert_close(z_bar, other[1])


def test_a_pattern_that_stays_does_not_change():
    model = make(mode=changes_mode)
    windows, actions = a_batch()
    still = windows[:, :1].expand_as(windows)
    assert model(still, actions)[2][0].abs().max() == 0
    assert model(windows, actions)[2][0].abs().max() > 0


@pytest.mark.parametrize("shape", [(4, 3, 2), (4, 4, 2), (3, 3, 2)])
def test_wrong_actions_are_named(shape):
    model = make()
    windows, _ = a_batch()
    if shape == (4, 3, 2):
        model(windows, torch.zeros(shape))
        return
    with pytest.raises(ValueError, match="actions"):
        model(windows, torch.zeros(shape))


@pytest.mark.parametrize("history_length", [1, 2, 3])
def test_moments_are_windows_with_the_actions_after_them(history_length):
    windows, actions = data(history_length=history_length)
    length = windows.shape[1]
    moment = 2 * length + 1
    stretch = torch.tensor([[moment, moment + 1, moment + 2]])
    x, a = take_moments(windows, actions, stretch)
    torch.testing.assert_close(x[0], windows[2, 1:4].float() / 255)
    newest = 1 + history_length - 1
    torch.testing.assert_close(a[0], actions[2, newest : newest + 2])


def test_actions_that_do_not_fit_the_windows_are_named():
    windows, actions = data(history_length=2)
    with pytest.raises(ValueError, match="actions"):
        take_moments(windows, actions[:, 1:], torch.tensor([[0, 1]]))


def test_stretches_stay_within_an_episode_and_reach_every_start():
    moments = torch.arange(5 * 9).view(5, 9)
    g = torch.Generator().manual_seed(0)
    drawn = draw_stretches(moments, 4000, 4, g)
    assert drawn.shape == (4000, 4)
    assert (drawn.diff(dim=1) == 1).all()
    assert (drawn[:, 0] // 9 == drawn[:, -1] // 9).all()
    assert drawn.unique().numel() == moments.numel()


@pytest.mark.parametrize(
    ("count", "length", "message"),
    [(0, 2, "count"), (1, 0, "length"), (1, 10, "length")],
)
def test_stretches_that_do_not_fit_are_named(count, length, message):
    with pytest.raises(ValueError, match=message):
        draw_stretches(torch.zeros(5, 9), count, length, torch.Generator())


def training(model, generator, scores, path="", **options):
    windows, actions = data()
    moments = torch.arange(windows.shape[0] * 7).view(-1, 7)
    ask = iter(scores)

    def draw():
        return take_moments(windows, actions, draw_stretches(moments, 4, 3, generator))

    settings = dict(steps=12, check_every=2, patience=9, lr=1e-2) | options
    return train_with_checks(
        model,
        draw,
        lambda: next(ask),
        generator=generator,
        checkpoint=path,
        **settings,
    )


def test_training_ends_with_the_weights_of_the_best_check():
    model, kept = make(), []
    scores = (0.1, 0.5, 0.4, 0.9, 0.3, 0.2)
    for step, _, score in training(model, torch.Generator(), scores):
        if score == 0.9:
            assert step == 8
            kept = [w.clone() for w in model.parameters()]
    for best, now in zip(kept, model.parameters(), strict=True):
        assert torch.equal(best, now)


def test_training_stops_when_patience_is_over():
    done = list(training(make(), torch.Generator(), (0.5, 0.4, 0.3, 0.2), patience=2))
    assert [step for step, _, _ in done] == [2, 4, 6]


def test_the_last_step_is_checked_too():
    done = list(training(make(), torch.Generator(), [0.1] * 9, check_every=5, steps=12))
    assert [step for step, _, _ in done] == [5, 10, 12]


@pytest.mark.parametrize("stop_at", [2, 6])
def test_an_interrupted_training_goes_on(tmp_path, stop_at):
    scores = [0.1, 0.9, 0.3, 0.4, 0.5, 0.6]
    whole = make()
    list(training(whole, torch.Generator().manual_seed(3), scores))
    path = tmp_path / "checkpoint.pt"
    broken = make()
    for step, _, _ in training(broken, torch.Generator().manual_seed(3), scores, path):
        if step == stop_at:
            break
    resumed = make()
    rest = scores[stop_at // 2 :]
    done = list(training(resumed, torch.Generator().manual_seed(8), rest, path))
    assert done[0][0] == stop_at + 2
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_finished_training_is_loaded_and_not_repeated(tmp_path):
    path = tmp_path / "checkpoint.pt"
    scores = [0.1, 0.9, 0.3, 0.4, 0.5, 0.6]
    model = make()
    list(training(model, torch.Generator().manual_seed(3), scores, path))
    again = make()
    assert not list(training(again, torch.Generator(), [], path))
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_training_that_stopped_early_stays_stopped(tmp_path):
    path = tmp_path / "checkpoint.pt"
    model = make()
    scores = (0.5, 0.4, 0.3, 0.2)
    list(training(model, torch.Generator(), scores, path, patience=2))
    again = make()
    assert not list(training(again, torch.Generator(), [], path, patience=2))
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, 1, model=nn.Linear(1, 1))
    with pytest.raises(ValueError, match="expected"):
        next(training(make(), torch.Generator(), [0.1], path))
