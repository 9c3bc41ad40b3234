// Draws a GradientField: where training leads a model of two weights.
import { axes, canvas, dot, follow, line, panel, write } from "./base.js";
import { DEAD, edge, followFlow, velocity } from "./two_weights.js";

const W = [0, 1.8];
const P = [-1, 2];
const span = (low, high, step) =>
  Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
const STARTS_W = span(0.02, 1.8, 0.02);
const STARTS_P = span(-1, 2, 0.05);
const RATES = [0.3, 1, 3, 10, 30, 100];
const DECAYS = [0, 0.05, 0.1, 0.2, 0.4];
const TARGETS = ["both", "stop", "slow"];
const fixed = (value) => value.toFixed(2).replace(/^-(?=0\.00$)/, "").replace("-", "\u2212");

// The edge of the starts that die, for each p, and their share of the picture.
function basin(settings) {
  const most = W[1] - W[0];
  const edges = STARTS_P.map((p) => Math.min(most, edge(p, settings, most)));
  const share = edges.reduce((sum, w) => sum + w / most, 0) / edges.length;
  return { edges, share };
}

function shadeBasin(pen, { edges }, { left }, toX, toY) {
  pen.beginPath();
  pen.moveTo(left, toY(P[0]));
  edges.forEach((w, i) => pen.lineTo(toX(w), toY(STARTS_P[i])));
  pen.lineTo(left, toY(P[1]));
  pen.fillStyle = pen.colors.red;
  pen.globalAlpha = 0.22;
  pen.fill();
  pen.globalAlpha = 1;
}

function arrow(pen, x, y, angle, length, color, width) {
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const tip = [x + (dx * length) / 2, y + (dy * length) / 2];
  const head = Math.max(3.5, length / 4);
  const back = (turn) => [tip[0] - head * Math.cos(angle + turn), tip[1] - head * Math.sin(angle + turn)];
  line(pen, [[x - (dx * length) / 2, y - (dy * length) / 2], tip], { color, width });
  line(pen, [back(0.5), tip, back(-0.5)], { color, width });
}

function render({ model, el }) {
  const [s, c, tau] = ["s", "c", "ema_decay"].map((name) => model.get(name));
  const nearest = (values, value) =>
    values.reduce((best, one, i) => (Math.abs(one - value) < Math.abs(values[best] - value) ? i : best), 0);
  const controls = [
    { name: "target", kind: "choice", label: "Target", start: TARGETS.indexOf(model.get("target")),
      values: ["both branches", "stop-gradient", "slow copy"] },
    { name: "predictor", kind: "choice", label: "Predictor", values: ["weight p", "none"] },
    { name: "rate", kind: "choice", label: "Its rate", start: 1,
      values: RATES.map((rate) => `\u00d7 ${rate}`) },
    { name: "decay", kind: "choice", label: "Weight decay", values: DECAYS.map(String) },
    { name: "w", kind: "slider", label: "Start w", start: nearest(STARTS_W, 0.5),
      values: STARTS_W.map(fixed) },
    { name: "p", kind: "slider", label: "Start p", start: nearest(STARTS_P, 1),
      values: STARTS_P.map(fixed) },
  ];
  const shown = panel({ model, el, kind: "field", controls, onChange: (name) => update(name) });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const basins = new Map();
  let settings, path, shaded, place, runner = null, frame = 0;

  const height = (width) => Math.max(330, Math.min(440, 0.62 * width));
  const { node, redraw } = canvas(shown, height, (pen, width, tall) => {
    place = { left: 50, top: 8, width: width - 60, height: tall - 50 };
    const { left, top } = place;
    const { soft, ink, paper, blue, red, green } = pen.colors;
    const { toX, toY } = axes(pen, place, {
      x: W, y: P, xLabel: "encoder's weight w", yLabel: "predictor's weight p",
    });
    if (settings.predictor) shadeBasin(pen, shaded, place, toX, toY);
    const toPixel = ([w, p]) => [toX(w), toY(p)];
    line(pen, [[left, toY(c / s)], [left + place.width, toY(c / s)]], { color: green, dash: [7, 5], width: 2 });
    write(pen, "p = c / s", left + place.width - 4, toY(c / s) - 4,
      { align: "right", base: "bottom", color: green, halo: true });
    pen.save();
    pen.beginPath();
    pen.rect(left - 8, top - 8, place.width + 16, place.height + 16);
    pen.clip();

    // Arrows: the direction in pixels, longer where it goes faster.
    const columns = Math.round(place.width / 38);
    const rows = settings.predictor ? Math.round(place.height / 34) : 1;
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < rows; j++) {
        const w = W[0] + ((i + 0.5) / columns) * (W[1] - W[0]);
        const p = settings.predictor ? P[0] + ((j + 0.5) / rows) * (P[1] - P[0]) : 1;
        const [dw, dp] = velocity([w, p, w], settings);
        const dx = (dw * place.width) / (W[1] - W[0]);
        const dy = (-dp * place.height) / (P[1] - P[0]);
        const speed = Math.hypot(dx, dy) / place.width;
        if (speed < 1e-4) { dot(pen, ...toPixel([w, p]), 1.5, soft); continue; }
        arrow(pen, ...toPixel([w, p]), Math.atan2(dy, dx), 9 + 17 * (speed / (speed + 0.4)), soft, 1.2);
      }

    const lives = Math.abs(path.at(-1)[0]) >= DEAD;
    const color = lives ? blue : red;
    line(pen, path.map(toPixel), { color: paper, width: 6 });
    line(pen, path.map(toPixel), { color, width: 3 });
    dot(pen, ...toPixel(path[0]), 6, paper, ink);
    dot(pen, ...toPixel(path.at(-1)), 6, color, paper);
    if (runner) dot(pen, ...toPixel(runner), 5, ink, paper);
    pen.restore();
  });

  // A dot that runs along the path, once, at an even pace.
  function run() {
    cancelAnimationFrame(frame);
    runner = null;
    if (calm.matches) return;
    const lengths = [0];
    for (let i = 1; i < path.length; i++)
      lengths.push(lengths[i - 1] + Math.hypot(path[i][0] - path[i - 1][0], path[i][1] - path[i - 1][1]));
    const begin = performance.now();
    const tick = (now) => {
      const part = (now - begin) / 1200;
      const i = lengths.findIndex((length) => length >= part * lengths.at(-1));
      runner = part < 1 && node.isConnected ? path[Math.max(0, i)] : null;
      redraw();
      if (runner) frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
  }

  function update(name) {
    settings = {
      s, c, tau,
      target: TARGETS[shown.index("target")],
      predictor: shown.index("predictor") === 0,
      rate: RATES[shown.index("rate")],
      decay: DECAYS[shown.index("decay")],
    };
    shown.enable("rate", settings.predictor);
    shown.enable("p", settings.predictor);
    const key = JSON.stringify(settings);
    if (!basins.has(key)) basins.set(key, basin(settings));
    shaded = basins.get(key);
    const start = [STARTS_W[shown.index("w")], STARTS_P[shown.index("p")]];
    path = followFlow(start, settings);
    if (name) run();
    redraw();
    shown.say(sentence());
  }

  function sentence() {
    const [from, to] = [path[0], path.at(-1)];
    const dead = Math.abs(to[0]) < DEAD;
    const how = {
      both: "The gradient goes through both branches",
      stop: "The target is held still",
      slow: `The target is a slow copy with decay ${tau}, which starts equal to w (the slice drawn)`,
    }[settings.target];
    const place = ([w, p]) => `w = ${fixed(w)}` + (settings.predictor ? `, p = ${fixed(p)}` : "");
    const percent = Math.round(100 * shaded.share);
    const from_all = percent === 100 ? "Every start in the picture dies."
      : percent === 0 ? "No start in the picture dies."
      : `Of the starts in the picture, ${percent} in 100 die (shaded).`;
    return `${how}; ${settings.predictor ? "" : "without a predictor, p stays 1, and "}`
      + `from ${place(from)} training goes to ${place(to)}: the model ${dead ? "dies" : "lives"}. `
      + (settings.predictor ? from_all : "");
  }

  // A start is chosen by pointing, too.
  const point = (event) => {
    const box = node.getBoundingClientRect();
    const w = W[0] + ((event.clientX - box.left - place.left) / place.width) * (W[1] - W[0]);
    const p = P[1] - ((event.clientY - box.top - place.top) / place.height) * (P[1] - P[0]);
    shown.set("w", nearest(STARTS_W, w));
    shown.set("p", nearest(STARTS_P, p));
    update("point");
  };
  node.style.cursor = "crosshair";
  node.addEventListener("pointerdown", point);
  node.addEventListener("pointermove", (event) => event.buttons && point(event));

  update();
  const leave = follow(shown.box, redraw);
  return () => { cancelAnimationFrame(frame); leave(); };
}

export default { render };
