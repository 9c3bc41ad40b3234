"""Write jepa_tutorial/widgets/playground.json: what the landing page's model has learned.

Trains the page's own engine in Node, 1,000 steps with a slow copy as target, from the seed below.
Then twice 400 steps more, with the gradient stopped and with it flowing, for the picture that
stands where no script runs. ``python tools/train_playground.py`` takes a second. The seed was
chosen for its looks, a round cloud with the phases in order; what the page says of this model
holds for others as well, which tests/pages/test_playground.py checks.
"""

from __future__ import annotations

import json
import subprocess

from jepa_tutorial.widgets.base import HERE, assemble

SEED, STEPS, MORE = 38, 1000, 400
SCRIPT = """
const settings = (target, lr) => ({
    target, emaDecay: 0.99, regularizer: "none", weight: 1, predictor: true, lr, noise: 0.05, seed,
});
const model = newModel(settings("slow", 0.003));
for (let i = 0; i < steps; i++) model.step();
// 16 bits for numbers from -4 to 4.
const learned = [model.encoder, model.predictor].map(({weights}) => {
    if (!weights.every((w) => Math.abs(w) < 4)) throw new Error("a weight is too large");
    return Int16Array.from(weights, (w) => Math.round(8192 * w));
});
const read = (integers) => Float64Array.from(integers, (w) => w / 8192);
const round = (values, digits) => [...values].map((v) => Number(v.toPrecision(digits)));
const after = (target) => {
    const later = newModel(settings(target, 0.005));
    later.encoder.weights.set(read(learned[0]));
    later.target.set(read(learned[0]));
    later.predictor.weights.set(read(learned[1]));
    for (let i = 0; i < more; i++) later.step();
    const {z, cost, deviation} = later.measure();
    return {z: round(z, 4), cost: round([cost], 4)[0], deviation: round([deviation], 4)[0]};
};
const bytes = Buffer.concat(learned.map((weights) => Buffer.from(weights.buffer)));
console.log(JSON.stringify({
    seed, steps, more, trained: bytes.toString("base64"),
    phase: round(model.test.phase, 4), stop: after("stop"), through: after("through"),
}));
"""


def train() -> str:
    """Return the text of the file."""
    script = f"const [seed, steps, more] = {json.dumps([SEED, STEPS, MORE])};\n{SCRIPT}"
    done = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=assemble("tiny_jepa.js") + script,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    (HERE / "playground.json").write_text(train(), encoding="utf-8")
