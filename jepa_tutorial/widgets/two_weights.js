// Gradient flow of a model of two weights: encoder z = w x, predictor z_hat = p z. The position x
// and the next one x' have variance s and covariance c. The state is [w, p, wBar], where wBar is
// the weight of a slow copy.
//
// Settings: {s, c, target: "both", "stop" or "slow", predictor: true or false, rate, decay, tau}.

// The loss is E (p w x - t x')^2 with the target's weight t: w itself, w held still, or wBar.
// Writes the velocity of a state into `out`.
export function velocity([w, p, wBar], { s, c, target, predictor, rate, decay, tau }, out = []) {
  const t = target === "slow" ? wBar : w;
  const error = p * w * s - t * c;
  out[0] = -decay * w - (target === "both" ? 2 * w * (p * p * s - 2 * p * c + s) : 2 * p * error);
  out[1] = predictor ? -2 * rate * w * error - decay * p : 0; // without a predictor p stays 1
  out[2] = target === "slow" ? (1 - tau) * (w - wBar) : 0;
  return out;
}

export const DEAD = 0.001; // the encoder's weight below which nothing of x is left

// Where a start [w, p] leads, until it dies, rests or has run for long. Steps by the method of
// Bogacki and Shampine: order 3, with one of order 2 beside it that says how long a step may be.
export function followFlow([w, p], settings, { tolerance = 1e-7, longest = 2000 } = {}) {
  let state = [w, settings.predictor ? p : 1, w];
  let first = velocity(state, settings);
  let [next, last] = [[], []];
  const [second, third, between] = [[], [], []];
  const path = [state.slice()];
  const move = (slope, step) => {
    for (let i = 0; i < 3; i++) between[i] = state[i] + step * slope[i];
    return between;
  };
  for (let time = 0, step = 0.01; time < longest && Math.abs(state[0]) >= DEAD;) {
    if (Math.abs(first[0]) + Math.abs(first[1]) + Math.abs(first[2]) < 1e-6) break;
    velocity(move(first, step / 2), settings, second);
    velocity(move(second, 0.75 * step), settings, third);
    for (let i = 0; i < 3; i++)
      next[i] = state[i] + (step / 9) * (2 * first[i] + 3 * second[i] + 4 * third[i]);
    velocity(next, settings, last);
    let error = 0;
    for (let i = 0; i < 3; i++)
      error += Math.abs(first[i] * 5 / 72 - second[i] / 12 - third[i] / 9 + last[i] / 8);
    error *= step;
    if (error <= tolerance) {
      time += step;
      if (Math.abs(next[0]) < DEAD) { // ends just below, however long the step
        const part = (Math.abs(state[0]) - 0.999 * DEAD) / Math.abs(state[0] - next[0]);
        for (let i = 0; i < 3; i++) next[i] = state[i] + Math.min(1, part) * (next[i] - state[i]);
      }
      [state, next] = [next, state];
      [first, last] = [last, first];
      path.push(state.slice());
    }
    step *= Math.min(4, Math.max(0.2, 0.9 * Math.cbrt(tolerance / (error + 1e-30))));
  }
  return path;
}

// The encoder's weight at or below which a start with the predictor's weight p dies; Infinity if
// all do. Known where w^2 - p^2 / k stays what it was, else found by halving. A path from p < 0
// must cross p = 0, where w is smallest; one from p > 0 ends at p = c / s. With much weight decay
// no place is left where w rests.
export function edge(p, settings, most = 4) {
  const { s, c, target, predictor, rate, decay } = settings;
  if (target === "both" || !predictor || 2 * s * decay >= c * c) return Infinity;
  if (decay === 0)
    return Math.sqrt(Math.max(0, (p * p - (p < 0 ? 0 : (c * c) / (s * s))) / rate));
  const options = { tolerance: 1e-5, longest: 300 };
  const lives = (w) => Math.abs(followFlow([w, p], settings, options).at(-1)[0]) >= DEAD;
  let [low, high] = [0, most];
  while (high - low > 0.002 * most) {
    const middle = (low + high) / 2;
    if (lives(middle)) high = middle;
    else low = middle;
  }
  return high;
}
