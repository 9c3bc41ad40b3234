"""Early stopping, and trainings that go on where they were interrupted."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from jepa_tutorial.checkpoints import load_checkpoint, save_checkpoint
from jepa_tutorial.training import EarlyStopping


def set_weight(model, value):
    with torch.no_grad():
        model.weight.fill_(value)


def test_keeps_the_best_weights_and_stops_after_patience():
    model = nn.Linear(1, 1)
    stopping = EarlyStopping(model, patience=2)
    answers = []
    for score in (0.1, 0.5, 0.4, 0.6, 0.5, 0.6):
        set_weight(model, score)
        stopping.update(score)
        answers.append(stopping.over)
    assert answers == [False, False, False, False, False, True]
    stopping.restore()
    assert model.weight.item() == pytest.approx(0.6)
    assert stopping.best == 0.6


def test_delta_asks_for_more_than_a_little():
    stopping = EarlyStopping(nn.Linear(1, 1), patience=1, delta=0.1)
    stopping.update(0.5)
    assert not stopping.over
    stopping.update(0.55)
    assert stopping.over


def test_a_score_that_is_no_number_is_never_the_best():
    stopping = EarlyStopping(nn.Linear(1, 1), patience=2)
    stopping.update(0.5)
    stopping.update(float("nan"))
    assert not stopping.over
    assert stopping.best == 0.5


NOTHING = {"number": 7}, {}


def test_a_checkpoint_brings_all_back(tmp_path):
    path = tmp_path / "new" / "checkpoint.pt"
    saved = dict(model=nn.Linear(3, 1), generator=torch.Generator().manual_seed(1))
    save_checkpoint(path, {"number": 4}, {"lr": 0.1}, **saved)
    fresh = dict(model=nn.Linear(3, 1), generator=torch.Generator())
    assert load_checkpoint(path, {"lr": 0.1}, **fresh) == {"number": 4}
    assert torch.equal(fresh["model"].weight, saved["model"].weight)
    assert torch.equal(*(p["generator"].get_state() for p in (saved, fresh)))
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_without_a_file_it_begins(tmp_path):
    assert load_checkpoint(tmp_path / "none.pt", {}, model=nn.Linear(3, 1)) is None


def test_other_parts_are_refused(tmp_path):
    save_checkpoint(tmp_path / "a.pt", *NOTHING, model=nn.Linear(3, 1))
    with pytest.raises(ValueError, match=r"a\.pt holds .*'stopping'.*delete"):
        load_checkpoint(tmp_path / "a.pt", {}, model=nn.Linear(3, 1), stopping=None)


def test_another_model_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.pt", *NOTHING, model=nn.Linear(2, 1))
    with pytest.raises(ValueError, match=r"a\.pt belongs to another model"):
        load_checkpoint(tmp_path / "a.pt", {}, model=nn.Linear(3, 1))


def test_other_parameters_are_refused_by_name_and_nothing_is_loaded(tmp_path):
    path, belongs_to = tmp_path / "a.pt", {"lr": 0.1, "world": "fixed"}
    saved, model = nn.Linear(3, 1), nn.Linear(3, 1)
    save_checkpoint(path, {"number": 7}, belongs_to, model=saved)
    weight = model.weight.clone()
    for other, message in (
        (belongs_to | {"world": "waves"}, "world = 'fixed', not 'waves'"),
        ({"lr": 0.1}, "world = 'fixed', not None"),
    ):
        with pytest.raises(ValueError, match=rf"a\.pt belongs to {message}: delete it"):
            load_checkpoint(path, other, model=model)
    assert torch.equal(model.weight, weight)
    assert load_checkpoint(path, dict(belongs_to), model=model) == {"number": 7}
    assert torch.equal(model.weight, saved.weight)


def test_no_damaged_checkpoint_is_loaded(tmp_path):
    path, model = tmp_path / "a.pt", nn.Linear(30, 1)
    save_checkpoint(path, *NOTHING, model=model)
    whole = path.read_bytes()
    draw = random.Random(0)
    damaged = [b"", whole[:10], whole[: len(whole) // 2], whole[:-1]]
    for _ in range(300):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        damaged.append(bytes(flipped))
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.pt is damaged.*delete it"):
            load_checkpoint(path, {}, model=model)


def test_pytorch_alone_reads_a_checkpoint(tmp_path):
    model = nn.Linear(3, 1)
    save_checkpoint(tmp_path / "a.pt", *NOTHING, model=model)
    held = torch.load(tmp_path / "a.pt", weights_only=True)
    assert torch.equal(held["parts"]["model"]["weight"], model.weight)
