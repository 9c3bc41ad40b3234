// SIGReg's look at a cloud along one direction: the Epps-Pulley distance of `losses.sigreg_loss`.

export const normal = (t) => Math.exp(-t * t / 2); // the normal's characteristic function, and weight

// The mean of exp(i t x) over the numbers x of a shadow.
export function characteristic(shadow, t) {
  let real = 0;
  let imaginary = 0;
  for (const x of shadow) {
    real += Math.cos(t * x);
    imaginary += Math.sin(t * x);
  }
  return [real / shadow.length, imaginary / shadow.length];
}

// B times the weighted squared distance from the normal's, by trapezoids over 17 knots from -5 to
// 5. Both ends of the sum are alike: t and -t give the same distance.
export function eppsPulley(shadow) {
  const step = 10 / 16;
  let sum = 0;
  for (let i = 0; i <= 8; i++) {
    const t = i * step;
    const [real, imaginary] = characteristic(shadow, t);
    const distance = (real - normal(t)) ** 2 + imaginary ** 2;
    sum += (i === 0 || i === 8 ? 1 : 2) * distance * normal(t);
  }
  return shadow.length * step * sum;
}
