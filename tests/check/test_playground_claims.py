"""What the playground's page claims, over seeds that it was not written on."""

from __future__ import annotations

from typing import Any

import numpy as np
from node import run_node
from sklearn.linear_model import LinearRegression

from jepa_tutorial.widgets.base import assemble

SEEDS = [100, 101, 102, 103, 104]
STORY = """
const base = {noise: 0.05, target: "slow", emaDecay: 0.99, regularizer: "none", weight: 1,
              predictor: true, lr: 0.003};
const found = given.seeds.map((seed) => {
    const model = newModel({...base, ...given.first, seed});
    const seen = [];
    let largest = 0;
    for (const [steps, changes] of given.parts) {
        Object.assign(model.settings, changes);
        for (let i = 0; i < steps; i++) {
            model.step();
            if (i % 20 === 0) largest = Math.max(largest, model.measure().deviation);
        }
        const {cost, deviation, rank, retrieval} = model.measure();
        largest = Math.max(largest, deviation);
        seen.push({cost, deviation, rank, retrieval, left: deviation / largest});
    }
    const {phase, velocity, xContext: x} = model.test;
    const radius = phase.map((_, b) => Math.hypot(x[8 * b + 6], x[8 * b + 7]));
    seen.at(-1).truth = [radius, velocity, phase].map((values) => [...values]);
    seen.at(-1).z = [...model.measure().z];
    return seen;
});
"""


def story(*parts: tuple[int, dict[str, Any]], **first: Any) -> list[list[Any]]:
    """What is measured after each part of a training, for each seed."""
    return run_node(
        assemble("tiny_jepa.js") + STORY,
        {"seeds": SEEDS, "first": first, "parts": parts},
    )


THROUGH, STOP = {"target": "through"}, {"target": "stop"}


def test_a_slow_copy_lives_dies_with_the_gradient_and_is_saved() -> None:
    parts = (400, {}), (600, THROUGH), (3000, STOP)
    for alive, dead, saved in story(*parts):
        assert alive["deviation"] > 0.1
        assert dead["left"] < 0.1
        assert dead["cost"] < min(alive["cost"], 0.001)
        assert saved["deviation"] > 5 * dead["deviation"]


def test_a_slow_copy_learns_to_predict() -> None:
    for (last,) in story((1000, {})):
        assert last["retrieval"] > 2.5


def test_two_ways_to_die_from_the_start() -> None:
    ways = (THROUGH, {"target": "stop", "predictor": False})
    for first in ways:
        for (last,) in story((600, {}), **first):
            assert last["left"] < 0.1
            assert last["cost"] < 1e-4


def test_a_stopped_gradient_lives_with_a_predictor() -> None:
    for (last,) in story((1000, {}), **STOP):
        assert last["deviation"] > 0.5


def test_the_variance_hinge_leaves_a_line() -> None:
    for (last,) in story((1000, {}), **THROUGH, regularizer="variance"):
        assert last["deviation"] > 0.9
        assert last["rank"] < 1.2


def test_vicreg_at_weight_ten_opens_the_line() -> None:
    for (last,) in story((1000, {}), **THROUGH, regularizer="vicreg", weight=10):
        assert last["deviation"] > 0.9
        assert last["rank"] > 1.8


def test_sigreg_lives_at_a_tenth_and_dies_at_a_thousandth() -> None:
    for (last,) in story((1000, {}), **THROUGH, regularizer="sigreg", weight=0.1):
        assert last["deviation"] > 0.75
        assert last["rank"] > 1.8
    for (last,) in story((600, {}), **THROUGH, regularizer="sigreg", weight=0.001):
        assert last["left"] < 0.12


def test_sigreg_alone_keeps_what_does_not_change() -> None:
    alone = {**THROUGH, "predictor": False, "regularizer": "sigreg", "weight": 0.01}
    for (last,) in story((3000, {}), **alone):
        assert last["rank"] > 1.8
        assert last["retrieval"] > 10
        z = np.reshape(last["z"], (-1, 2))
        radius, velocity, phase = map(np.array, last["truth"])
        assert r_squared(z, radius) > 0.6
        assert r_squared(z, velocity) > 0.6
        assert r_squared(z, np.sin(phase)) < 0.15
        assert r_squared(z, np.cos(phase)) < 0.15


def r_squared(z: Any, y: Any) -> float:
    """R-squared of a linear probe, on the samples that it was fitted on: here, a ceiling."""
    return LinearRegression().fit(z, y).score(z, y)


def test_what_cannot_be_predicted_is_not_predicted() -> None:
    for (quiet,), (loud,) in zip(
        story((2000, {}), noise=0), story((2000, {}), noise=0.5), strict=True
    ):
        assert quiet["retrieval"] > loud["retrieval"]
