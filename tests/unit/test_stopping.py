"""Early stopping, and trainings that go on where they were interrupted."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from jepa_tutorial.checkpoints import load_checkpoint, save_checkpoint
from jepa_tutorial.training import (
    EarlyStopping,
)


def set_weight(model, value):
    with torch.no_grad():
        model.weight.fill_(value)


def test_keeps_the_best_weights_and_stops_after_patience():
    model = nn.Linear(1, 1)
    stopping = EarlyStopping(model, patience=2)
    answers = []
    for score in (0.1, 0.5, 0.4, 0.6, 0.5, 0.6):
        set_weight(model, score)
        answers.append(stopping.update(score))
    assert answers == [False, False, False, False, False, True]
    stopping.restore()
    assert model.weight.item() == pytest.approx(0.6)
    assert stopping.best == 0.6


def test_delta_asks_for_more_than_a_little():
    stopping = EarlyStopping(nn.Linear(1, 1), patience=1, delta=0.1)
    assert [stopping.update(score) for score in (0.5, 0.55)] == [False, True]


def test_a_score_that_is_no_number_is_never_the_best():
    stopping = EarlyStopping(nn.Linear(1, 1), patience=2)
    assert [stopping.update(s) for s in (0.5, float("nan"))] == [False, False]
    assert stopping.best == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"patience": 0}, "patience"), ({"patience": 1, "delta": -1.0}, "delta")],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(nn.Linear(1, 1), **settings)


def parts():
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    return model, optimizer, torch.Generator().manual_seed(1)


def train(model, optimizer, generator, steps):
    for _ in range(steps):
        loss = model(torch.rand(8, 3, generator=generator)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path):
    path = tmp_path / "new" / "checkpoint.pt"
    names = ("model", "optimizer", "generator")
    whole = parts()
    train(*whole, 10)
    first = parts()
    train(*first, 4)
    save_checkpoint(path, 4, **dict(zip(names, first, strict=True)))
    second = parts()
    step = load_checkpoint(path, **dict(zip(names, second, strict=True)))
    assert step == 4
    train(*second, 6)
    assert torch.equal(second[0].weight, whole[0].weight)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_without_a_file_it_begins(tmp_path):
    model, _, _ = parts()
    assert load_checkpoint(tmp_path / "none.pt", model=model) == 0


def test_other_parts_are_refused(tmp_path):
    model, optimizer, _ = parts()
    save_checkpoint(tmp_path / "a.pt", 1, model=model)
    with pytest.raises(ValueError, match=r"a\.pt holds .*'optimizer'.*delete"):
        load_checkpoint(tmp_path / "a.pt", model=model, optimizer=optimizer)


def test_another_model_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.pt", 1, model=nn.Linear(2, 1))
    with pytest.raises(ValueError, match=r"a\.pt belongs to another model"):
        load_checkpoint(tmp_path / "a.pt", model=nn.Linear(3, 1))


def test_other_parameters_are_refused_by_name_and_nothing_is_loaded(tmp_path):
    path, settings = tmp_path / "a.pt", {"lr": 0.1, "world": "fixed"}
    saved, model = nn.Linear(3, 1), nn.Linear(3, 1)
    save_checkpoint(path, 7, model=saved, settings=settings)
    weight = model.weight.clone()
    message = r"a\.pt belongs to world = 'fixed', not 'waves': delete it"
    with pytest.raises(ValueError, match=message):
        load_checkpoint(path, model=model, settings=settings | {"world": "waves"})
    assert torch.equal(model.weight, weight)
    assert load_checkpoint(path, model=model, settings=dict(settings)) == 7
    assert torch.equal(model.weight, saved.weight)


def test_no_damaged_checkpoint_is_loaded(tmp_path):
    path, model = tmp_path / "a.pt", nn.Linear(30, 1)
    save_checkpoint(path, 7, model=model)
    whole = path.read_bytes()
    draw = random.Random(0)
    damaged = [b"", whole[:10], whole[: len(whole) // 2], whole[:-1]]
    for _ in range(1000):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.pt is damaged.*delete it"):
            load_checkpoint(path, model=model)


def test_pytorch_alone_reads_a_checkpoint(tmp_path):
    model, _, _ = parts()
    save_checkpoint(tmp_path / "a.pt", 7, model=model)
    states = torch.load(tmp_path / "a.pt", weights_only=True)
    assert torch.equal(states["model"]["weight"], model.weight)
