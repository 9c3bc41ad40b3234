"""Encoder, predictor, targets, cost and loop: shapes, gradients and the moving average."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from jepa_tutorial.encoders import LSTMEncoder
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.losses import cosine_loss
from jepa_tutorial.predictors import MLPPredictor
from jepa_tutorial.targets import MODES, EMATarget, OnlineTarget
from jepa_tutorial.training import minimize
from jepa_tutorial.windows import draw_window


def train(model, x, *, steps=5, batch_size=8, seed=0):
    """Train as chapter 1 does; return the steps' numbers and losses."""
    generator, done = torch.Generator().manual_seed(seed), []

    def draw():
        return draw_window(x, batch_size, 8, 4, generator)

    for now in minimize(model.loss, draw, model.parameters(), steps=steps, lr=1e-2):
        model.target.update(model.encoder)
        done.append((now.number, now.loss.item()))
    return done


def make_model(target_type=EMATarget, **options):
    torch.manual_seed(0)
    encoder = LSTMEncoder(2, hidden_dim=16, latent_dim=6)
    target = target_type(encoder, **options)
    return JEPA(encoder, MLPPredictor(6, 16), target, cosine_loss)


def weights(module):
    return [weight.clone() for weight in module.parameters()]


def test_shapes_through_the_model():
    model = make_model(ema_decay=0.9)
    made = model(torch.randn(5, 8, 2), torch.randn(5, 4, 2))
    assert made.z.shape == made.z_hat.shape == made.z_bar.shape == (5, 6)
    assert [z.shape for z in made.seen] == [(5, 6)]


def test_the_loss_is_the_cost_of_projections_plus_the_mean_of_what_regularizers_ask():
    encoder, projector = LSTMEncoder(2, hidden_dim=16, latent_dim=6), nn.Linear(6, 3)
    parts = (
        encoder,
        MLPPredictor(6, 16),
        EMATarget(encoder, 0.9),
        nn.functional.mse_loss,
    )
    asked = dict(mode=MODES["none"], projector=projector, regularizer=torch.std)
    model = JEPA(*parts, **asked)
    window = torch.randn(5, 8, 2), torch.randn(5, 8, 2)
    _, z_hat, z_bar, seen = model(*window)
    assert len(seen) == 2
    cost = (projector(z_hat) - projector(z_bar)).square().mean()
    expected = cost + sum(projector(z).std() for z in seen) / 2
    torch.testing.assert_close(model.loss(*window), expected)


def test_encoder_uses_the_order_of_steps():
    encoder = make_model(ema_decay=0.9).encoder
    x = torch.randn(5, 8, 2)
    assert not torch.allclose(encoder(x), encoder(x.flip(1)), atol=1e-3)


def test_no_gradient_reaches_the_ema_target():
    model = make_model(ema_decay=0.9)
    model.loss(torch.randn(5, 8, 2), torch.randn(5, 4, 2)).backward()
    assert all(weight.grad is None for weight in model.target.parameters())
    assert all(weight.grad is not None for weight in model.encoder.parameters())


def test_the_online_target_is_the_encoder_and_gets_a_gradient_through_the_target():
    model = make_model(OnlineTarget)
    model(torch.randn(5, 8, 2), torch.randn(5, 4, 2)).z_bar.sum().backward()
    assert all(weight.grad is not None for weight in model.encoder.parameters())
    assert len(list(model.parameters())) == len({id(w) for w in model.parameters()})


@pytest.mark.parametrize("ema_decay", [0.0, 0.9, 1.0])
def test_ema_update_is_the_weighted_mean(ema_decay):
    model = make_model(ema_decay=ema_decay)
    with torch.no_grad():
        for weight in model.encoder.parameters():
            weight.add_(torch.randn_like(weight))
    slow, fast = weights(model.target), weights(model.encoder)
    model.target.update(model.encoder)
    for now, old, new in zip(weights(model.target), slow, fast, strict=True):
        torch.testing.assert_close(now, ema_decay * old + (1 - ema_decay) * new)


def test_ema_agrees_with_torch_over_many_updates():
    model = make_model(ema_decay=0.97)
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.97)
    reference = torch.optim.swa_utils.AveragedModel(model.encoder, multi_avg_fn=average)
    reference.update_parameters(model.encoder)  # the first update copies
    for _ in range(100):
        with torch.no_grad():
            for weight in model.encoder.parameters():
                weight.add_(0.1 * torch.randn_like(weight))
        model.target.update(model.encoder)
        reference.update_parameters(model.encoder)
    for ours, theirs in zip(
        model.target.parameters(), reference.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)


def test_ema_is_the_sum_that_chapter_1_writes_out():
    encoder, tau = nn.Linear(3, 2), 0.8
    target, seen = EMATarget(encoder, tau), [encoder.weight.detach().clone()]
    for _ in range(5):
        with torch.no_grad():
            encoder.weight.add_(torch.randn(2, 3))
        seen.append(encoder.weight.detach().clone())
        target.update(encoder)
    t = len(seen) - 1
    terms = [(1 - tau) * tau**k * seen[t - k] for k in range(t)]
    torch.testing.assert_close(target.encoder.weight, sum(terms) + tau**t * seen[0])


def test_cosine_loss_from_same_to_opposite():
    z = torch.randn(7, 6)
    assert cosine_loss(z, 3 * z).item() == pytest.approx(0, abs=1e-6)
    assert cosine_loss(z, -z).item() == pytest.approx(2, abs=1e-6)
    right = torch.stack([-z[:, 1], z[:, 0]], dim=1)
    assert cosine_loss(z[:, :2], right).item() == pytest.approx(1, abs=1e-6)


def test_cosine_loss_is_the_formula_of_chapter_1():
    z_hat, z_bar = torch.randn(2, 7, 6).double()
    cosines = [
        (a @ b) / (a.norm() * b.norm()) for a, b in zip(z_hat, z_bar, strict=True)
    ]
    torch.testing.assert_close(cosine_loss(z_hat, z_bar), 1 - sum(cosines) / 7)


def test_cosine_loss_gradient():
    z_hat = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    z_bar = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cosine_loss, (z_hat, z_bar))


def test_cosine_loss_of_zero_vectors_has_finite_gradients():
    z_hat = torch.zeros(4, 3, requires_grad=True)
    cosine_loss(z_hat, torch.zeros(4, 3)).backward()
    assert z_hat.grad.isfinite().all()


def test_training_yields_each_step_and_moves_encoder_predictor_and_target():
    model = make_model(ema_decay=0.9)
    before = {name: weights(part) for name, part in model.named_children()}
    steps = train(model, torch.randn(30, 20, 2))
    assert [step for step, _ in steps] == [1, 2, 3, 4, 5]
    for name, part in model.named_children():
        moved = [
            not torch.equal(a, b)
            for a, b in zip(before[name], weights(part), strict=True)
        ]
        assert all(moved), name


def test_training_repeats_with_the_same_seed():
    x = torch.randn(30, 20, 2)
    first, again = (train(make_model(ema_decay=0.9), x, seed=1) for _ in range(2))
    assert first == again


def test_stopping_the_loop_early_keeps_what_was_learned():
    model = make_model(ema_decay=0.9)
    before = weights(model.encoder)
    window = torch.randn(9, 8, 2), torch.randn(9, 4, 2)
    run = minimize(model.loss, lambda: window, model.parameters(), steps=5, lr=1e-2)
    next(run)
    next(run)
    run.close()
    assert not torch.equal(before[0], weights(model.encoder)[0])


def test_training_learns_a_predictable_world_and_not_a_random_one():
    x = torch.randn(256, 1, 2).expand(-1, 20, -1)  # points that stand still

    def error(x):
        model = make_model(ema_decay=0.9)
        train(model, x, steps=150, batch_size=64)
        with torch.no_grad():
            _, z_hat, z_bar, _ = model(x[:, :8], x[:, 8:12])
        wrong = cosine_loss(z_hat, z_bar.roll(1, 0)).item()
        return cosine_loss(z_hat, z_bar).item() / wrong

    assert error(x) < 0.2 < 0.8 < error(torch.randn(256, 20, 2))


def test_parts_survive_copy_and_state_dict():
    model = make_model(ema_decay=0.9)
    other = copy.deepcopy(model)
    other.load_state_dict(model.state_dict())
    x = torch.randn(3, 8, 2)
    torch.testing.assert_close(model.encoder(x), other.encoder(x))
