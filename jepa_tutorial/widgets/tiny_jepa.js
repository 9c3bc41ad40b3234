// A JEPA, small enough to train in a page: the world, the model, its losses with their gradients
// written by hand, Adam, and the measures. Nothing here touches the page. All numbers are of double
// precision. Tensors are flat arrays, row after row, made once and written again at each step:
// latent j of sample b is z[b * Z + j].
//
// Settings: {noise, target: "through", "stop" or "slow", emaDecay, regularizer: "none",
// "variance", "vicreg" or "sigreg", weight, predictor: true or false, lr, seed}. All but the noise
// and the seed may change while the model trains.

export const L = 4; // positions in a window, which the encoder reads at once
export const Z = 2; // size of a latent
export const BATCH_SIZE = 64; // B
export const NUM_TEST = 256; // held-out samples, which no training step sees
export const NUM_CANDIDATES = 64; // K, of the retrieval
export const NUM_DIRECTIONS = 16; // S, which SIGReg draws anew at each step
const HIDDEN = 32;
const ENCODER = [2 * L, HIDDEN, HIDDEN, Z]; // widths of its layers
const PREDICTOR = [Z, HIDDEN, Z];

// --- random numbers ------------------------------------------------------------------------------

// A generator of its own for each purpose, so that a switch changes nothing but what it names.
// The algorithm is sfc32 of PractRand: four counters of 32 bits, mixed by shifts and sums.
export function newGenerator(seed, purpose) {
  let [a, b, c, d] = [0x9e3779b9 ^ seed, 0x243f6a88 + purpose, 0xb7e15162, 1];
  const uniform = () => { // from 0 to below 1
    const sum = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 20; i++) uniform();
  let spare = null; // Box and Muller's way gives two at a time
  const normal = () => {
    if (spare !== null) {
      const drawn = spare;
      spare = null;
      return drawn;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uniform, normal };
}

// --- the world of chapter 1 ----------------------------------------------------------------------

// Points that go around the origin, each at its own radius and velocity, seen with noise: the past
// (a window of L positions) and the future (the next L). Also the truth at the end of the past.
export function newBatch(size) {
  return {
    size,
    xContext: new Float64Array(size * 2 * L),
    xTarget: new Float64Array(size * 2 * L),
    phase: new Float64Array(size),
    velocity: new Float64Array(size),
  };
}

export function drawBatch(batch, noise, { uniform, normal }) {
  for (let b = 0; b < batch.size; b++) {
    const radius = 0.5 + uniform();
    const start = 2 * Math.PI * uniform();
    const direction = uniform() < 0.5 ? -1 : 1;
    const velocity = direction * (0.1 + 0.4 * uniform()); // radians per step
    for (let t = 0; t < 2 * L; t++) {
      const window = t < L ? batch.xContext : batch.xTarget;
      const place = 2 * (b * L + (t % L));
      window[place] = radius * Math.cos(start + velocity * t) + noise * normal();
      window[place + 1] = radius * Math.sin(start + velocity * t) + noise * normal();
    }
    batch.phase[b] = start + velocity * (L - 1);
    batch.velocity[b] = velocity;
  }
}

// Columns of length one, uniform on the circle: direction s is (out[s], out[S + s]).
export function drawDirections(out, { normal }) {
  const count = out.length / 2;
  for (let s = 0; s < count; s++) {
    const [x, y] = [normal(), normal()];
    out[s] = x / Math.hypot(x, y);
    out[count + s] = y / Math.hypot(x, y);
  }
}

// --- networks: linear layers with ReLU between them ----------------------------------------------

const countWeights = (widths) =>
  widths.slice(1).reduce((sum, width, i) => sum + width * (widths[i] + 1), 0);

// Weights as PyTorch orders and draws them: for each layer a matrix (out, in), then the biases,
// all uniform up to one over the root of `in`.
export function newWeights(widths, { uniform }) {
  const weights = new Float64Array(countWeights(widths));
  let place = 0;
  for (let layer = 1; layer < widths.length; layer++) {
    const count = widths[layer] * (widths[layer - 1] + 1);
    for (let i = 0; i < count; i++)
      weights[place++] = (2 * uniform() - 1) / Math.sqrt(widths[layer - 1]);
  }
  return weights;
}

// What one pass of a batch through a network keeps: the values of each layer and their gradients.
function newPass(widths, size) {
  const make = () => widths.map((width) => new Float64Array(width * size));
  return { widths, size, values: make(), grads: make() };
}

// Two samples and two outputs at a time, since reading memory costs more than multiplying.
function forward(weights, { widths, size, values }, x) {
  values[0] = x;
  let start = 0;
  for (let layer = 1; layer < widths.length; layer++) {
    const [input, output] = [values[layer - 1], values[layer]];
    const [n, m] = [widths[layer - 1], widths[layer]];
    const floor = layer < widths.length - 1 ? 0 : -Infinity; // ReLU, but for the last layer
    const biases = start + n * m;
    for (let b = 0; b < size; b += 2)
      for (let j = 0; j < m; j += 2) {
        let [p, q] = [b * n, start + j * n];
        let s00 = weights[biases + j], s01 = weights[biases + j + 1], s10 = s00, s11 = s01;
        for (let i = 0; i < n; i++, p++, q++) {
          const x0 = input[p], x1 = input[p + n], w0 = weights[q], w1 = weights[q + n];
          s00 += x0 * w0;
          s01 += x0 * w1;
          s10 += x1 * w0;
          s11 += x1 * w1;
        }
        const out = b * m + j;
        output[out] = Math.max(s00, floor);
        output[out + 1] = Math.max(s01, floor);
        output[out + m] = Math.max(s10, floor);
        output[out + m + 1] = Math.max(s11, floor);
      }
    start = biases + m;
  }
  return values[widths.length - 1];
}

// From the gradient of the last layer's values (the last of `grads`) to those of all weights, which
// are added to `grad`, and to that of the input, if it is asked for.
function backward(weights, grad, { widths, size, values, grads }, askInput = false) {
  let start = weights.length;
  for (let layer = widths.length - 1; layer > 0; layer--) {
    const [n, m] = [widths[layer - 1], widths[layer]];
    const [input, output] = [values[layer - 1], values[layer]];
    const [gradIn, gradOut] = [grads[layer - 1], grads[layer]];
    const last = layer === widths.length - 1;
    const passOn = layer > 1 || askInput;
    start -= m * (n + 1);
    const biases = start + n * m;
    if (passOn) gradIn.fill(0);
    for (let b = 0; b < size; b++)
      for (let j = 0; j < m; j++) {
        const g = gradOut[b * m + j];
        if (g === 0 || (!last && output[b * m + j] <= 0)) continue; // ReLU was at rest
        grad[biases + j] += g;
        let [p, q] = [b * n, start + j * n];
        if (passOn)
          for (let i = 0; i < n; i++, p++, q++) {
            grad[q] += g * input[p];
            gradIn[p] += g * weights[q];
          }
        else for (let i = 0; i < n; i++, p++, q++) grad[q] += g * input[p];
      }
  }
}

// --- losses: each adds its gradient to `grad`, and returns its value ------------------------------

// Of prediction and target: the mean over samples and dimensions.
function squaredError(zHat, zBar, gradHat, gradBar) {
  let sum = 0;
  for (let i = 0; i < zHat.length; i++) {
    const error = zHat[i] - zBar[i];
    sum += error * error;
    gradHat[i] += (2 * error) / zHat.length;
    gradBar[i] -= (2 * error) / zHat.length;
  }
  return sum / zHat.length;
}

// Means, variances and the covariance of both dimensions. `correction` 1 divides by B - 1, as in
// PyTorch's `var`, 0 by B.
function moments(z, correction, out) {
  const size = z.length / Z;
  let m0 = 0, m1 = 0, v0 = 0, v1 = 0, c = 0;
  for (let i = 0; i < z.length; i += Z) {
    m0 += z[i] / size;
    m1 += z[i + 1] / size;
  }
  for (let i = 0; i < z.length; i += Z) {
    v0 += (z[i] - m0) ** 2;
    v1 += (z[i + 1] - m1) ** 2;
    c += (z[i] - m0) * (z[i + 1] - m1);
  }
  const count = size - correction;
  [out.m0, out.m1, out.v0, out.v1, out.c] = [m0, m1, v0 / count, v1 / count, c / count];
  return out;
}
const seen = {}; // of the batch at hand

// Ask each dimension for a standard deviation of at least one.
function varianceLoss(z, weight, grad) {
  const { m0, m1, v0, v1 } = moments(z, 1, seen);
  const [std0, std1] = [Math.sqrt(v0 + 1e-4), Math.sqrt(v1 + 1e-4)];
  const count = z.length / Z - 1;
  const pull0 = std0 < 1 ? weight / (Z * count * std0) : 0;
  const pull1 = std1 < 1 ? weight / (Z * count * std1) : 0;
  for (let i = 0; i < z.length; i += Z) {
    grad[i] -= pull0 * (z[i] - m0);
    grad[i + 1] -= pull1 * (z[i + 1] - m1);
  }
  return (weight * (Math.max(0, 1 - std0) + Math.max(0, 1 - std1))) / Z;
}

// Ask the two dimensions to be uncorrelated. Their covariance stands twice in the matrix.
function covarianceLoss(z, weight, grad) {
  const { m0, m1, c } = moments(z, 1, seen);
  const pull = (4 * weight * c) / (Z * (z.length / Z - 1));
  for (let i = 0; i < z.length; i += Z) {
    grad[i] += pull * (z[i + 1] - m1);
    grad[i + 1] += pull * (z[i] - m0);
  }
  return (2 * weight * c * c) / Z;
}

function vicregLoss(z, weight, grad) {
  return varianceLoss(z, weight, grad) + covarianceLoss(z, 0.04 * weight, grad);
}

// Ask the batch to look like a standard normal from every direction. Of the 17 frequencies from -5
// to 5, those below zero say the same as those above, and zero says nothing, so 8 are left.
const FREQUENCIES = Float64Array.from({ length: 8 }, (_, k) => 0.625 * (k + 1));
const NORMAL = FREQUENCIES.map((t) => Math.exp((-t * t) / 2)); // its characteristic function
// Both sides of the trapezoid rule, whose ends count half, times the weight of a frequency.
const AREA = NORMAL.map((normal, k) => 2 * 0.625 * (k === 7 ? 0.5 : 1) * normal);

function sigregLoss(z, directions, weight, grad, { cos, sin, real, imaginary }) {
  const [size, count] = [z.length / Z, directions.length / Z];
  const share = weight / count;
  let loss = 0;
  for (let s = 0; s < count; s++) {
    const [d0, d1] = [directions[s], directions[count + s]];
    real.fill(0);
    imaginary.fill(0);
    for (let b = 0; b < size; b++) {
      const angle = FREQUENCIES[0] * (z[2 * b] * d0 + z[2 * b + 1] * d1);
      const [c, n] = [Math.cos(angle), Math.sin(angle)];
      for (let k = 0, x = c, y = n, i = 8 * b; k < 8; k++, i++) {
        cos[i] = x; // of k + 1 times the angle: each turns the one before it
        sin[i] = y;
        real[k] += x / size;
        imaginary[k] += y / size;
        const turned = x * c - y * n;
        y = x * n + y * c;
        x = turned;
      }
    }
    for (let k = 0; k < 8; k++) {
      real[k] -= NORMAL[k];
      loss += share * size * AREA[k] * (real[k] ** 2 + imaginary[k] ** 2);
      real[k] *= AREA[k] * FREQUENCIES[k];
      imaginary[k] *= AREA[k] * FREQUENCIES[k];
    }
    for (let b = 0; b < size; b++) {
      let pull = 0;
      for (let k = 0, i = 8 * b; k < 8; k++, i++) pull += imaginary[k] * cos[i] - real[k] * sin[i];
      grad[2 * b] += 2 * share * pull * d0;
      grad[2 * b + 1] += 2 * share * pull * d1;
    }
  }
  return loss;
}

// --- Adam ----------------------------------------------------------------------------------------

function newAdam(weights) {
  const make = () => new Float64Array(weights.length);
  return { weights, grad: make(), mean: make(), square: make(), steps: 0 };
}

function adam({ weights, grad, mean, square }, lr, steps) {
  const size = lr / (1 - 0.9 ** steps);
  const root = Math.sqrt(1 - 0.999 ** steps);
  for (let i = 0; i < weights.length; i++) {
    mean[i] += 0.1 * (grad[i] - mean[i]);
    square[i] = 0.999 * square[i] + 0.001 * grad[i] * grad[i];
    weights[i] -= (size * mean[i]) / (Math.sqrt(square[i]) / root + 1e-8);
  }
}

// --- the model -----------------------------------------------------------------------------------

export function newModel(settings) {
  const first = newGenerator(settings.seed, 1);
  const encoder = newAdam(newWeights(ENCODER, first));
  const predictor = newAdam(newWeights(PREDICTOR, first));
  const target = encoder.weights.slice(); // the slow copy
  const newPasses = (size) => ({
    context: newPass(ENCODER, size),
    future: newPass(ENCODER, size),
    guess: newPass(PREDICTOR, size),
  });
  const [training, testing] = [newPasses(BATCH_SIZE), newPasses(NUM_TEST)];
  const [batch, test] = [newBatch(BATCH_SIZE), newBatch(NUM_TEST)];
  drawBatch(test, settings.noise, newGenerator(settings.seed, 4));
  const [forData, forDirections] = [newGenerator(settings.seed, 2), newGenerator(settings.seed, 3)];
  const directions = new Float64Array(Z * NUM_DIRECTIONS);
  const waves = { real: new Float64Array(8), imaginary: new Float64Array(8) };
  for (const name of ["cos", "sin"]) waves[name] = new Float64Array(8 * BATCH_SIZE);
  const model = { settings, encoder, predictor, target, test, steps: 0, cost: 0, loss: 0 };

  function predict({ context, future, guess }, { xContext, xTarget }) {
    const copy = model.settings.target === "slow" ? target : encoder.weights;
    const z = forward(encoder.weights, context, xContext);
    const zBar = forward(copy, future, xTarget);
    const zHat = model.settings.predictor ? forward(predictor.weights, guess, z) : z;
    return { z, zHat, zBar };
  }

  // One step of training. Tests bring their own batch and directions.
  model.train = ({ xContext, xTarget }, directions) => {
    const { target: kind, regularizer, weight, lr, emaDecay } = model.settings;
    const { context, future, guess } = training;
    const { z, zHat, zBar } = predict(training, { xContext, xTarget });
    const [gradZ, gradBar, gradHat] = [context, future, guess].map(({ grads }) => grads.at(-1));
    for (const grad of [gradZ, gradBar, gradHat, encoder.grad, predictor.grad]) grad.fill(0);
    if (model.settings.predictor) {
      model.cost = squaredError(zHat, zBar, gradHat, gradBar);
      backward(predictor.weights, predictor.grad, guess, true);
      gradZ.set(guess.grads[0]);
    } else model.cost = squaredError(z, zBar, gradZ, gradBar);
    model.loss = model.cost;
    if (regularizer === "variance") model.loss += varianceLoss(z, weight, gradZ);
    if (regularizer === "vicreg") model.loss += vicregLoss(z, weight, gradZ);
    if (regularizer === "sigreg") model.loss += sigregLoss(z, directions, weight, gradZ, waves);
    backward(encoder.weights, encoder.grad, context);
    if (kind === "through") backward(encoder.weights, encoder.grad, future); // else it stops here
    model.steps += 1;
    adam(encoder, lr, ++encoder.steps);
    if (model.settings.predictor) adam(predictor, lr, ++predictor.steps);
    const decay = kind === "slow" ? emaDecay : 0; // without memory the copy is the encoder
    for (let i = 0; i < target.length; i++)
      target[i] = decay * target[i] + (1 - decay) * encoder.weights[i];
  };

  model.step = () => {
    drawBatch(batch, model.settings.noise, forData);
    if (model.settings.regularizer === "sigreg") drawDirections(directions, forDirections);
    model.train(batch, directions);
  };

  // What the notation page calls loss (of the prediction), deviation, effective rank and retrieval
  // over chance, on held-out samples; and their latents.
  model.measure = () => {
    const { z, zHat, zBar } = predict(testing, test);
    let cost = 0;
    for (let i = 0; i < zHat.length; i++) cost += (zHat[i] - zBar[i]) ** 2 / zHat.length;
    const { v0, v1 } = moments(z, 1, seen);
    const deviation = (Math.sqrt(v0) + Math.sqrt(v1)) / Z;
    return { z, cost, deviation, rank: effectiveRank(z), retrieval: retrieval(zHat, zBar) };
  };
  return model;
}

// --- measures ------------------------------------------------------------------------------------

// How many axes share the variance, from the two eigenvalues of the covariance matrix.
export function effectiveRank(z) {
  const { m0, m1, v0, v1, c } = moments(z, 0, seen);
  if (v0 + v1 <= 1e-28 * (v0 + v1 + m0 * m0 + m1 * m1)) return 0; // what rounding leaves
  const gap = Math.hypot(v0 - v1, 2 * c) / (v0 + v1);
  const entropy = (share) => (share > 0 ? -share * Math.log(share) : 0);
  return Math.exp(entropy((1 + gap) / 2) + entropy((1 - gap) / 2));
}

// How often the right target has the highest cosine with the prediction among K, over chance.
export function retrieval(zHat, zBar) {
  let found = 0;
  for (let group = 0; group < zHat.length; group += Z * NUM_CANDIDATES)
    for (let i = group; i < group + Z * NUM_CANDIDATES; i += Z) {
      let [best, where] = [-Infinity, 0];
      for (let j = group; j < group + Z * NUM_CANDIDATES; j += Z) {
        const dot = zHat[i] * zBar[j] + zHat[i + 1] * zBar[j + 1];
        const length = Math.sqrt(zBar[j] ** 2 + zBar[j + 1] ** 2); // that of zHat[i] is one for all
        const cosine = length ? dot / length : 0;
        if (cosine > best) [best, where] = [cosine, j];
      }
      if (where === i) found += 1;
    }
  return (found * NUM_CANDIDATES * Z) / zHat.length;
}
