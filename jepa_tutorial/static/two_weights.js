// Gradient flow of a model of two weights: encoder z = w x, predictor z_hat = p z. The position x
// and the next one x' have variance s and covariance c. The state is [w, p, wBar], where wBar is
// the weight of a slow copy.
//
// Settings: {s, c, target: "both", "stop" or "slow", predictor: true or false, rate, decay, tau}.

// The loss is E (p w x - t x')^2 with the target's weight t: w itself, w held still, or wBar.
export function velocity([w, p, wBar], { s, c, target, predictor, rate, decay, tau }) {
  const t = target === "slow" ? wBar : w;
  const inW = target === "both" ? 2 * w * (p * p * s - 2 * p * c + s) : 2 * p * (p * w * s - t * c);
  const inP = 2 * w * (p * w * s - t * c);
  return [
    -inW - decay * w,
    predictor ? -rate * inP - decay * p : 0, // without a predictor p stays 1
    target === "slow" ? (1 - tau) * (w - wBar) : 0,
  ];
}

// Where a start [w, p] leads. Steps by the method of Bogacki and Shampine (order 3, with one of
// order 2 beside it that says how long the next step may be). Returns the path and its end.
export function followFlow([w, p], settings, { tolerance = 1e-7, longest = 2000, keep = true } = {}) {
  let state = [w, settings.predictor ? p : 1, w];
  const path = [state];
  const move = (slope, step) => state.map((value, i) => value + step * slope[i]);
  let first = velocity(state, settings);
  for (let time = 0, step = 0.01; time < longest;) {
    if (Math.hypot(...first) < 1e-6 || Math.abs(state[0]) < 1e-5) break;
    const second = velocity(move(first, step / 2), settings);
    const third = velocity(move(second, 0.75 * step), settings);
    const next = state.map(
      (value, i) => value + (step / 9) * (2 * first[i] + 3 * second[i] + 4 * third[i]));
    const fourth = velocity(next, settings);
    const error = step * Math.hypot(...state.map((_, i) =>
      -5 / 72 * first[i] + second[i] / 12 + third[i] / 9 - fourth[i] / 8));
    if (error <= tolerance) {
      time += step;
      state = next;
      first = fourth;
      if (keep) path.push(state);
    }
    step *= Math.min(4, Math.max(0.2, 0.9 * Math.cbrt(tolerance / (error + 1e-30))));
  }
  return { path, end: state };
}

export const DEAD = 0.01; // the encoder's weight at which nothing is left of x

// Whether a start dies: known where w^2 - p^2 / k stays what it was, else followed. A path from
// p < 0 must cross p = 0, where w is smallest; one from p > 0 ends at p = c / s.
export function dies([w, p], settings) {
  const { s, c, target, predictor, rate, decay } = settings;
  if (target === "both" || !predictor) return true;
  if (decay === 0) return w * w - p * p / rate + (p < 0 ? 0 : c * c / (s * s * rate)) <= 0;
  const options = { tolerance: 1e-4, longest: 600, keep: false };
  return Math.abs(followFlow([w, p], settings, options).end[0]) < DEAD;
}
