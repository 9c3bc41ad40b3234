"""The JEPA that trains in the page computes what PyTorch and the package compute."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from node import run_node
from torch import Tensor

from jepa_tutorial.encoders import MLPEncoder
from jepa_tutorial.jepa import JEPA
from jepa_tutorial.losses import (
    draw_directions,
    sigreg_loss,
    variance_loss,
    vicreg_loss,
)
from jepa_tutorial.predictors import MLPPredictor
from jepa_tutorial.probes import effective_rank, monitor, retrieval_accuracy
from jepa_tutorial.targets import EMATarget, OnlineTarget
from jepa_tutorial.training import minimize
from jepa_tutorial.widgets.base import assemble
from jepa_tutorial.windows import split_window
from jepa_tutorial.worlds.points import make_trajectories

STEPS, BATCH_SIZE, NUM_DIRECTIONS, WINDOW, HIDDEN = 100, 64, 16, 4, 32
LOOKS = (1, 10, STEPS)  # the steps at which gradients are compared
FIXED = {"noise": 0.05, "seed": 0, "lr": 3e-3, "emaDecay": 0.99}
# At these weights the regularizer decides where training goes.
WEIGHTS = {"none": 0.0, "variance": 1.0, "vicreg": 1.0, "sigreg": 0.1}
COMBINATIONS = list(
    itertools.product(("through", "stop", "slow"), WEIGHTS, (True, False))
)
RUN = """
const found = given.combinations.map(([target, regularizer, predictor]) => {
    const weight = given.weights[regularizer];
    const settings = {...given.fixed, target, regularizer, predictor, weight};
    const model = newModel(settings);
    for (const part of ["encoder", "predictor"]) model[part].weights.set(given.first[part]);
    model.target.set(given.first.encoder);
    const [losses, costs, gradients] = [[], [], []];
    given.batches.forEach(([context, future], i) => {
        const batch = {xContext: Float64Array.from(context), xTarget: Float64Array.from(future)};
        model.train(batch, Float64Array.from(given.directions[i]));
        losses.push(model.loss);
        costs.push(model.cost);
        if (given.looks.includes(i + 1))
            gradients.push([...model.encoder.grad, ...(predictor ? model.predictor.grad : [])]);
    });
    const weights = [...model.encoder.weights, ...model.predictor.weights, ...model.target];
    return {losses, costs, gradients, weights};
});
"""


@cache
def data() -> dict[str, Any]:
    """First weights, batches and directions, for PyTorch and the page alike."""
    torch.manual_seed(0)
    encoder, predictor = networks()
    x, _ = make_trajectories(STEPS * BATCH_SIZE, 2 * WINDOW, "circle", 0.05, 0)
    batches = x.double().split(BATCH_SIZE)
    generator = torch.Generator().manual_seed(1)
    directions = [
        draw_directions(2, NUM_DIRECTIONS, generator).double() for _ in range(STEPS)
    ]
    return {
        "encoder": encoder.state_dict(),
        "predictor": predictor.state_dict(),
        "batches": [split_window(batch, WINDOW, WINDOW) for batch in batches],
        "directions": directions,
    }


def networks() -> tuple[MLPEncoder, MLPPredictor]:
    encoder = MLPEncoder(2, window_len=WINDOW, hidden_dim=HIDDEN, latent_dim=2)
    return encoder.double(), MLPPredictor(2, HIDDEN).double()


def flat(weights: Any) -> list[float]:
    return torch.cat([w.detach().flatten() for w in weights]).tolist()


def given() -> dict[str, Any]:
    now = data()
    return {
        "combinations": COMBINATIONS,
        "weights": WEIGHTS,
        "fixed": FIXED,
        "looks": LOOKS,
        "first": {part: flat(now[part].values()) for part in ("encoder", "predictor")},
        "batches": [[x.flatten().tolist() for x in pair] for pair in now["batches"]],
        "directions": [d.flatten().tolist() for d in now["directions"]],
    }


def in_pytorch(target: str, regularizer: str, predictor: bool) -> dict[str, Any]:
    """Train with the package's own parts, in double precision."""
    now = data()
    encoder, guess = networks()
    encoder.load_state_dict(now["encoder"])
    guess.load_state_dict(now["predictor"])
    made = {
        "through": lambda: OnlineTarget(encoder),
        "stop": lambda: EMATarget(encoder, 0.0),
        "slow": lambda: EMATarget(encoder, FIXED["emaDecay"]),
    }[target]()
    step = iter(range(STEPS))
    losses_of: dict[str, Callable[[Tensor], Tensor]] = {
        "none": lambda z: 0 * z.sum(),
        "variance": variance_loss,
        "vicreg": vicreg_loss,
        "sigreg": lambda z: sigreg_loss(z, now["directions"][next(step)]),
    }
    model = JEPA(
        encoder,
        guess if predictor else torch.nn.Identity(),
        made,
        F.mse_loss,
        regularizer=lambda z: WEIGHTS[regularizer] * losses_of[regularizer](z),
    )
    learning = [*encoder.parameters(), *(guess.parameters() if predictor else [])]
    losses, gradients = [], []
    draw = partial(next, iter(now["batches"]))
    for done in minimize(model.loss, draw, learning, steps=STEPS, lr=FIXED["lr"]):
        losses.append(done.loss.item())
        if done.number in LOOKS:
            gradients.append(flat(w.grad for w in learning))
        made.update(encoder)
    copy = made.encoder.parameters()
    weights = flat([*encoder.parameters(), *guess.parameters(), *copy])
    return {"losses": losses, "gradients": gradients, "weights": weights}


def in_node(source: str, given: Any, engine: str = "") -> Any:
    """Run the engine in Node, with what is `given`, and return what is `found`."""
    return run_node((engine or assemble("tiny_jepa.js")) + source, given)


def in_chromium(page: Any, source: str, given: Any) -> Any:
    return page.evaluate(
        """async ([source, given]) => {
            const file = new Blob([source], {type: "text/javascript"});
            return (await import(URL.createObjectURL(file))).run(given);
        }""",
        [
            f"{assemble('tiny_jepa.js')}\n"
            f"export function run(given) {{ {source}\n return found; }}",
            given,
        ],
    )


@pytest.fixture(scope="module")
def by_node() -> list[dict[str, Any]]:
    return in_node(RUN, given())


@pytest.fixture(scope="module")
def by_chromium(browser: Any) -> list[dict[str, Any]]:
    page = browser.new_page()
    found = in_chromium(page, RUN, given())
    page.close()
    return found


def gap(found: Any, expected: Any) -> float:
    """The distance of two vectors, over the length of the second."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def gaps(found: dict[str, Any], expected: dict[str, Any]) -> list[float]:
    """Those of all losses, of the last one, of the gradients and of the last weights."""
    pairs = zip(found["gradients"], expected["gradients"], strict=True)
    return [
        gap(found["losses"], expected["losses"]),
        gap(found["losses"][-1], expected["losses"][-1]),
        *(gap(ours, theirs) for ours, theirs in pairs),
        gap(found["weights"], expected["weights"]),
    ]


@pytest.mark.parametrize("host", ["by_node", "by_chromium"])
@pytest.mark.parametrize("number", range(len(COMBINATIONS)), ids=str)
def test_losses_gradients_and_weights_are_those_of_pytorch(
    number: int, host: str, request: pytest.FixtureRequest
) -> None:
    found = request.getfixturevalue(host)[number]
    assert max(gaps(found, pytorch(number))) < 1e-6


@cache
def pytorch(number: int) -> dict[str, Any]:
    return in_pytorch(*COMBINATIONS[number])


# A change of the engine, and a combination of switches that must notice it.
MUTATIONS = [
    ("(2 * error) / zHat.length", "(2.0001 * error) / zHat.length", 0),
    ("0.999 * square[i]", "0.99 * square[i]", 0),
    ("+ 1e-8)", "+ 1e-4)", 0),
    ('if (kind === "through") backward', 'if (kind !== "slow") backward', 8),
    ("decay * target[i]", "0.98 * target[i]", 16),
    ("Math.sqrt(v0 + 1e-4)", "Math.sqrt(v0 + 1e-3)", 2),
    ("0.04 * weight", "0.05 * weight", 4),
    ("(k === 7 ? 0.5 : 1)", "(k === 7 ? 1 : 1)", 6),
    ("|| (!last && output[b * m + j] <= 0)", "", 1),
    ("gradZ.set(guess.grads[0])", "gradZ.fill(0)", 0),
]


@pytest.mark.parametrize(("code", "changed", "number"), MUTATIONS)
def test_a_changed_engine_is_noticed(code: str, changed: str, number: int) -> None:
    source = assemble("tiny_jepa.js")
    assert source.count(code) >= 1
    one = given() | {"combinations": [COMBINATIONS[number]]}
    mutated = source.replace(code, changed)
    (found,) = in_node(RUN, one, engine=mutated)
    assert max(gaps(found, pytorch(number))) > 1e-6


def test_measures_are_those_of_the_package() -> None:
    torch.manual_seed(2)
    z_hat, z_bar = torch.randn(2, 256, 2, dtype=torch.float64) * 3 + 1
    line = torch.randn(256, 1, dtype=torch.float64) * torch.tensor([1.0, 2.0])
    clouds = [z_hat, z_bar, line, 5 + 1e-6 * z_hat, torch.ones_like(z_hat)]
    found = in_node(
        """
        const arrays = given.map((z) => Float64Array.from(z));
        const found = {
            ranks: arrays.map(effectiveRank),
            retrieval: [retrieval(arrays[0], arrays[1]), retrieval(arrays[1], arrays[1])],
        };""",
        [z.flatten().tolist() for z in clouds],
    )
    ranks = [effective_rank(z) for z in clouds]
    assert found["ranks"] == pytest.approx(ranks, abs=1e-6)
    shares = [
        retrieval_accuracy(z_hat, z_bar, 64),
        retrieval_accuracy(z_bar, z_bar, 64),
    ]
    assert found["retrieval"] == pytest.approx([64 * share for share in shares])


def test_a_model_is_measured_on_held_out_samples_of_the_books_world() -> None:
    found = in_node(
        """
        const settings = {...given, target: "slow", regularizer: "none", predictor: true};
        const model = newModel(settings);
        const first = model.measure().deviation;
        for (let i = 0; i < 300; i++) model.step();
        const {xContext, xTarget, phase, velocity} = model.test;
        const measured = {...model.measure(), z: [...model.measure().z]};
        const found = {
            measured, first, weights: [...model.encoder.weights, ...model.predictor.weights],
            copy: [...model.target], phase: [...phase], velocity: [...velocity],
            x: [...xContext], xTarget: [...xTarget],
        };""",
        FIXED,
    )
    x = torch.tensor(found["x"], dtype=torch.float64).view(-1, WINDOW, 2)
    x_target = torch.tensor(found["xTarget"], dtype=torch.float64).view(-1, WINDOW, 2)
    assert len(x) == 256
    encoder, predictor = networks()
    target, _ = networks()
    fill([*encoder.parameters(), *predictor.parameters()], found["weights"])
    fill(list(target.parameters()), found["copy"])
    with torch.no_grad():
        z, z_bar = encoder(x), target(x_target)
        z_hat = predictor(z)
    measured = found["measured"]
    assert measured["z"] == pytest.approx(z.flatten().tolist())
    assert measured["cost"] == pytest.approx(F.mse_loss(z_hat, z_bar).item())
    assert measured["deviation"] == pytest.approx(monitor(z)["std"])
    assert measured["rank"] == pytest.approx(effective_rank(z))
    assert measured["retrieval"] == pytest.approx(
        64 * retrieval_accuracy(z_hat, z_bar, 64)
    )
    # The world: points around the origin, at constant speed, with a little noise.
    phase, velocity = (torch.tensor(found[name]) for name in ("phase", "velocity"))
    radius = torch.cat([x, x_target], dim=1).norm(dim=-1)
    assert radius.std(dim=1).mean() == pytest.approx(0.05, rel=0.1)
    assert radius.mean(dim=1).min() + 0.1 >= 0.5
    assert radius.mean(dim=1).max() <= 1.5 + 0.1
    assert 0.1 <= velocity.abs().min() < 0.12
    assert 0.48 < velocity.abs().max() <= 0.5
    assert 0.4 < (velocity > 0).float().mean() < 0.6
    last = torch.stack([phase.cos(), phase.sin()], dim=1)
    ahead = phase[:, None] + velocity[:, None] * torch.arange(1, WINDOW + 1)
    guess = torch.stack([ahead.cos(), ahead.sin()], dim=-1)
    assert F.cosine_similarity(x[:, -1], last).min() > 0.95
    assert F.cosine_similarity(x_target, guess, dim=-1).min() > 0.95


def fill(weights: list[Tensor], values: list[float]) -> None:
    parts = torch.tensor(values, dtype=torch.float64).split(
        [w.numel() for w in weights]
    )
    for weight, part in zip(weights, parts, strict=True):
        weight.data.copy_(part.view_as(weight))


def test_random_numbers_are_uniform_normal_and_repeatable() -> None:
    found = in_node(
        """
        const make = (seed, purpose) => {
            const {uniform, normal} = newGenerator(seed, purpose);
            return Array.from({length: 20000}, () => [uniform(), normal()]);
        };
        const found = [make(0, 1), make(0, 1), make(0, 2), make(1, 1)];""",
        None,
    )
    first, again, *others = (np.array(numbers) for numbers in found)
    assert (first == again).all()
    for numbers in (first, *others):
        assert numbers[:, 0].min() >= 0
        assert numbers[:, 0].max() < 1
        assert numbers.mean(axis=0) == pytest.approx([0.5, 0], abs=0.03)
        assert numbers.std(axis=0) == pytest.approx([12**-0.5, 1], abs=0.03)
    for other in others:
        assert abs(np.corrcoef(first[:, 0], other[:, 0])[0, 1]) < 0.03


def test_a_switch_changes_neither_the_first_weights_nor_the_data() -> None:
    found = in_node(
        """
        const found = ["none", "sigreg"].map((regularizer) => {
            const more = {target: "through", regularizer, weight: 0, predictor: true};
            const model = newModel({...given, ...more});
            for (let i = 0; i < 5; i++) model.step();
            return [...model.encoder.weights];
        });""",
        FIXED,
    )
    assert found[0] == found[1]


def test_the_engine_fits_on_a_few_pages() -> None:
    assert len(assemble("tiny_jepa.js").splitlines()) <= 400
