// Draws a Playground: a JEPA that trains in the page, with its cloud of latents and its measures.
import { OWN_KEYS, bytesOf, canvas, dot, element, follow, line, panel, short, write } from "./base.js";
import { NUM_CANDIDATES, NUM_TEST, Z, newModel } from "./tiny_jepa.js";

// What a reader may switch: the values, which a link carries, and how they read.
const SWITCHES = {
  target: { label: "Gradient into the target", values: ["through", "stop", "slow"],
    texts: ["flows", "stopped", "slow copy"] },
  ema_decay: { label: "Decay \u03c4 of the copy", values: [0.9, 0.99, 0.999] },
  regularizer: { label: "Regularizer", values: ["none", "variance", "vicreg", "sigreg"],
    texts: ["none", "variance hinge", "VICReg", "SIGReg"] },
  weight: { label: "Its weight \u03bb", values: [0.001, 0.01, 0.1, 1, 10] },
  predictor: { label: "Predictor", values: [true, false], texts: ["yes", "none"] },
  lr: { label: "Learning rate \u03b7", values: [0.0003, 0.001, 0.003, 0.01] },
  noise: { label: "Noise \u03c3", values: [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5], kind: "slider" },
  seed: { label: "Seed", values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], kind: "slider" },
  color: { label: "Color", values: ["phase", "velocity"] },
  scale: { label: "Scale", values: ["run", "step"], texts: ["one for the run", "own for each step"] },
};
const LOOKS = ["color", "scale"]; // change what is drawn, and nothing of the training
const RESTARTS = ["noise", "seed"]; // another world: training begins again
const SLICE = 9; // milliseconds of a frame that training may take
const DEAD = 0.1; // collapsed: the share of its largest size that is left of a cloud

// --- time ----------------------------------------------------------------------------------------

// Calls `step` some times in each frame, at most `rate` a second so that one sees what happens, and
// `show`, until `count` steps are done or `stop` is called. On a slow device a frame does one of the
// two, and looking and drawing take a third of the time. Who wants reduced motion sees a new picture
// once a second.
function runner({ rate, step, show, end }) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let frame = 0, before = 0, next = 0, due = 0, left = 0;
  const stop = () => {
    if (!frame) return;
    cancelAnimationFrame(frame);
    frame = 0;
    end();
  };
  const tick = (now) => {
    due = Math.min(due + ((now - before) * rate) / 1000, rate / 15);
    before = now;
    const begin = performance.now();
    let taken = 0;
    if (begin >= next) {
      show();
      taken = performance.now() - begin;
      next = begin + (calm.matches ? 1000 : 3 * taken);
    }
    while (taken < 5 && due >= 1 && left > 0 && performance.now() < begin + SLICE) {
      step();
      due -= 1;
      left -= 1;
    }
    if (left <= 0) return stop();
    frame = requestAnimationFrame(tick);
  };
  const start = (count) => {
    left = count;
    if (frame) return;
    before = performance.now();
    next = before + (calm.matches ? 1000 : 0);
    frame = requestAnimationFrame(tick);
  };
  return { start, stop, running: () => frame !== 0 };
}

// --- a model and what became of it ---------------------------------------------------------------

// A run keeps the measures at the steps that were looked at, the largest size of its cloud at those
// that count, and whether it has collapsed.
function newRun(settings) {
  const model = newModel(settings);
  const run = { model, history: [], largest: 0 };
  run.look = (counts) => {
    run.now = { step: model.steps, ...model.measure() };
    const { deviation } = run.now;
    if (counts) run.largest = Math.max(run.largest, deviation);
    run.left = Math.min(1, deviation / (run.largest || 1));
    run.dead = run.left < DEAD;
    if (run.history.at(-1)?.step === model.steps) run.history.pop();
    run.history.push(run.now);
    if (run.history.length > 600) // every other one is enough
      run.history = run.history.filter((_, i) => i % 2 === 0 || i === run.history.length - 1);
    return run;
  };
  return run.look(true);
}

// A number that needs no power of ten, down to a ten-millionth.
const plain = (value) =>
  (value < 1e-3 && value >= 1e-7 ? value.toFixed(-Math.floor(Math.log10(value))) : short(value));
const percent = (part) => (part < 0.01 ? "less than 1" : Math.round(100 * part));
function size({ dead, left, now, largest }) {
  const value = `size ${plain(now.deviation)}`;
  if (dead) return `${value}, ${percent(left)}\u00a0% of what it was: the cloud has collapsed`;
  if (left < 0.5) return `${value}, ${percent(left)}\u00a0% of what it was: the cloud is shrinking`;
  if (now.rank > 0 && now.rank < 1.15) return `${value}: the cloud has become a line`;
  return `${value}: the cloud is alive`;
}
const loss = ({ now }) => `${plain(now.cost)}${now.cost < 0.002 ? ", near zero" : ""}`;

// --- drawing -------------------------------------------------------------------------------------

function mean(z) {
  let [x, y] = [0, 0];
  for (let i = 0; i < z.length; i += Z) {
    x += (Z * z[i]) / z.length;
    y += (Z * z[i + 1]) / z.length;
  }
  return [x, y];
}

// Each point's place in a palette, from 0 to below 1: around the circle, or from back to forth.
const SHADES = {
  phase: ({ phase }) => phase.map((angle) => (((angle / (2 * Math.PI) + 0.5) % 1) + 1) % 1),
  velocity: ({ velocity }) => velocity.map((speed) => speed + 0.5),
};
const KEYS = { phase: ["\u2212\u03c0", "\u03c0"], velocity: ["\u22120.5", "0.5 radians a step"] };

// The latents in a square around their mean.
function drawCloud(pen, { left, top, size }, { now, model, dead }, { half, palette, color }) {
  const { grid, soft, red } = pen.colors;
  const [x, y] = mean(now.z);
  const zoom = size / 2 / half;
  const shades = SHADES[color](model.test);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, size, size);
  pen.strokeStyle = grid;
  pen.lineWidth = 1;
  pen.stroke();
  pen.clip();
  const radius = Math.max(2, Math.min(3.2, size / 110));
  for (let b = 0; b < NUM_TEST; b++)
    dot(pen, left + size / 2 + zoom * (now.z[2 * b] - x), top + size / 2 - zoom * (now.z[2 * b + 1] - y),
      radius, palette[Math.floor(shades[b] * palette.length)]);
  if (dead) {
    pen.font = pen.font.replace("12px", "600 16px");
    write(pen, "collapsed", left + size / 2, top + 0.72 * size, { color: red, halo: true });
    pen.font = pen.font.replace("600 16px", "12px");
  }
  // A bar of a round length says how large things are.
  const unit = 10 ** Math.floor(Math.log10(0.6 * half));
  const length = unit * [5, 2, 1].find((factor) => factor * unit <= 0.6 * half);
  line(pen, [[left + 10, top + size - 10], [left + 10 + length * zoom, top + size - 10]], { color: soft, width: 2 });
  write(pen, short(length, 1), left + 10 + (length * zoom) / 2, top + size - 14,
    { base: "bottom", color: soft, halo: true });
  pen.restore();
}

// A measure over the steps of a run. `bounds` are its lowest and highest value; `marks` are lines
// to compare with.
function drawCurve(pen, { left, top, width, height }, runs, { name, log, bounds, marks = [], colors }) {
  const { grid, soft, paper } = pen.colors;
  const all = runs.flatMap(({ history }) => history.map((at) => at[name])).filter((v) => !log || v > 0);
  const low = Math.min(bounds[0], ...all);
  const high = Math.max(bounds[1], ...all);
  const level = log ? (v) => Math.log(Math.max(v, low)) : (v) => v;
  const last = Math.max(100, ...runs.map(({ model }) => model.steps));
  const toX = (step) => left + (width * step) / last;
  const toY = (v) => top + height - (height * (level(v) - level(low))) / (level(high) - level(low) || 1);
  line(pen, [[left, top + height], [left + width, top + height]], { color: grid, width: 1 });
  for (const [value] of marks)
    line(pen, [[left, toY(value)], [left + width, toY(value)]], { color: soft, width: 1, dash: [3, 3] });
  for (const step of runs[0].switched ?? [])
    line(pen, [[toX(step), top], [toX(step), top + height]], { color: grid, width: 1.5 });
  runs.forEach(({ history }, i) => {
    const color = pen.colors[colors[i]];
    line(pen, history.map((at) => [toX(at.step), toY(at[name])]), { color, width: 2 });
    dot(pen, toX(history.at(-1).step), toY(history.at(-1)[name]), 3.5, color, paper);
  });
  for (const [value, text] of marks) {
    const below = toY(value) < top + 14;
    write(pen, text, left + width, toY(value) + (below ? 3 : -2),
      { align: "right", base: below ? "top" : "bottom", color: soft, halo: true });
  }
}

// --- the landing page: two clouds and one switch -------------------------------------------------

const LANDING = {
  target: "stop", emaDecay: 0.99, regularizer: "none", weight: 1, predictor: true,
  lr: 0.005, noise: 0.05, seed: 38,
};
const ROUND = 600; // steps after a tap

function renderLanding({ model, el }) {
  const trained = Float64Array.from(new Int16Array(bytesOf(model.get("trained"))), (w) => w / 8192);
  const runs = [0, 1].map(() => {
    const run = newRun({ ...LANDING });
    const { encoder, predictor, target } = run.model;
    encoder.weights.set(trained.subarray(0, encoder.weights.length));
    target.set(encoder.weights);
    predictor.weights.set(trained.subarray(encoder.weights.length));
    run.history = [];
    run.largest = 0;
    run.switched = [];
    return run.look(true);
  });
  const [kept, yours] = runs;
  const shown = panel({ model, el, kind: "playground landing", controls: [] });
  const knob = element("button", {
    type: "button", role: "switch", "aria-checked": "true", class: "live-switch", ...OWN_KEYS,
  }, element("span", { class: "live-knob", "aria-hidden": "true" }), "Right: stop the gradient");
  const lead = element("p", { class: "live-lead" }, "Two copies of one small JEPA, trained. Each dot is a "
    + "moving point as the model encodes it. ", element("b", {}, "Tap the switch:"), " then the right copy "
    + "may also move the target that it has to predict.");
  const bar = element("div", { class: "live-buttons" }, knob);
  let half = 3 * yours.now.deviation;
  const gap = 14;
  const height = (width) => 22 + (width - gap) / 2 + 112;
  const { redraw } = canvas(shown, height, (pen, width) => {
    const side = (width - gap) / 2;
    const flows = yours.model.settings.target === "through";
    half = Math.max(half, ...runs.map((run) => 3 * run.now.deviation));
    const bounds = { cost: [0.0005, 0.2], deviation: [0.02, 1] };
    runs.forEach((run, i) => {
      const left = i * (side + gap);
      pen.save();
      pen.font = pen.font.replace("12px", "600 13px");
      const name = i && flows ? "gradient flows" : "gradient stopped";
      const color = i && flows ? pen.colors.red : pen.colors.ink;
      write(pen, name, left + side / 2, 9, { color });
      pen.restore();
      drawCloud(pen, { left: left + 0.5, top: 22.5, size: side - 1 }, run,
        { half, palette: model.get("palettes").phase, color: "phase" });
      [["cost", "loss", "green"], ["deviation", "size", "blue"]].forEach(([key, label, ink], row) => {
        const top = 22 + side + 14 + row * 50;
        pen.save();
        pen.font = pen.font.replace("12px", "600 14px");
        write(pen, label, left, top + 10, { align: "left", color: pen.colors[ink] });
        write(pen, plain(run.now[key]), left, top + 28, { align: "left", color: pen.colors[ink] });
        pen.restore();
        const place = { left: left + 62, top, width: side - 68, height: 36 };
        const ends = [0, 1].map((end) => Math[end ? "max" : "min"](bounds[key][end],
          ...runs.flatMap(({ history }) => history.map((at) => at[key]))));
        drawCurve(pen, place, [run], { name: key, log: true, bounds: ends, colors: [ink] });
      });
    });
  });

  shown.box.querySelector(".live-title").after(lead, bar);

  function sentence() {
    const { steps } = yours.model;
    if (!steps) return `Both clouds are alive: loss ${loss(yours)}, size ${plain(yours.now.deviation)}.`;
    const flows = yours.model.settings.target === "through";
    const was = yours.history.some((at) => at.deviation < DEAD * yours.largest);
    const told = `${size(yours)}${yours.dead ? " while" : ", and"} the loss is ${loss(yours)}.`;
    const hint = yours.dead && flows ? " When all dots are one, prediction is easy and worth nothing: "
      + "that is collapse. Tap again to save it."
      : yours.dead ? " Wait for it."
      : was && !flows ? " It came back." : "";
    return `Right, step ${steps.toLocaleString("en-US")}, gradient ${flows ? "flowing" : "stopped"}: ${told}${hint} `
      + `Left, the same steps with the gradient stopped: ${size(kept)}, and the loss is ${loss(kept)}.`;
  }
  const clock = runner({
    rate: 120,
    step: () => runs.forEach((run) => run.model.step()),
    show,
    end: () => show(),
  });
  let state = "", written = 0;
  function show() {
    runs.forEach((run) => run.look(true));
    redraw();
    // Speaks when something happened, and when it stops.
    const next = `${yours.dead} ${clock.running()}`;
    const now = performance.now();
    if (clock.running() && next === state && now - written < 100) return; // text that can be read
    written = now;
    shown.says.setAttribute("aria-live", next === state ? "off" : "polite");
    state = next;
    shown.says.textContent = sentence();
  }
  knob.addEventListener("click", () => {
    const stopped = knob.getAttribute("aria-checked") !== "true";
    knob.setAttribute("aria-checked", stopped);
    yours.model.settings.target = stopped ? "stop" : "through";
    yours.switched.push(yours.model.steps);
    yours.largest = Math.max(yours.now.deviation, stopped ? yours.largest : 0);
    clock.start(ROUND);
    show();
  });
  show();
  const leave = follow(shown.box, redraw);
  return () => { clock.stop(); leave(); };
}

// --- in full: all switches, all measures ---------------------------------------------------------

// What a measure is called, how it is drawn, and the sentence that it deserves.
const METERS = [
  { name: "cost", title: "Loss", log: true, bounds: [0.001, 0.1],
    says: ({ dead, left }) => (dead ? "Close to perfect, because hardly anything is left to predict."
      : left < 0.5 ? "It falls as fast as the cloud shrinks: that is no progress."
      : "Squared error of the prediction, held out. It grows with the cloud, so low alone says nothing.") },
  { name: "deviation", title: "Size", log: true, bounds: [0.01, 1],
    says: ({ dead, left, largest }) => (dead ? `${percent(left)}\u00a0% of its largest, ${plain(largest)}. Of the four, this one shows the collapse.`
      : "Standard deviation of the cloud, mean of both dimensions. Zero: all points are one.") },
  { name: "rank", title: "Effective rank", bounds: [1, 2], marks: [[1, "a line"], [2, "round"]],
    says: ({ dead, now }) => (now.rank < 1.15 ? "Close to one: the cloud is a line, and both dimensions say the same."
      : dead ? "It sees shape, not size: a speck can be round. A dead model can pass."
      : "How many directions share the variance: 1 is a line, 2 is round.") },
  { name: "retrieval", title: "Retrieval", bounds: [0, 12], marks: [[1, "chance"]],
    says: ({ now }) => (now.retrieval < 2 ? `Picking the right future among ${NUM_CANDIDATES} goes hardly better than at random.`
      : `So many times as often as chance it picks the right future among ${NUM_CANDIDATES}. Always: ${NUM_CANDIDATES}.`) },
];
const MOST = 20000; // steps, until Play must be pressed again

// A choice in one tap: buttons side by side, of which one is pressed in.
function segments(id, { label, values, texts }, start, onInput) {
  const inputs = values.map((value, i) => {
    const input = element("input", { type: "radio", name: id, id: `${id}-${i}`, value, ...OWN_KEYS });
    input.checked = i === start;
    input.addEventListener("change", onInput);
    return input;
  });
  const labels = inputs.map((input, i) => element("label", { for: input.id }, input, texts[i]));
  const node = element("fieldset", { class: "live-segments" }, element("legend", {}, label),
    element("div", {}, ...labels));
  return {
    node,
    index: () => inputs.findIndex((input) => input.checked),
    set: (i) => { inputs[i].checked = true; },
  };
}

// The settings of a link's fragment: those that name a switch and one of its values.
function readState(fragment) {
  const given = new URLSearchParams(fragment);
  const indices = {};
  const find = (name, text) => SWITCHES[name]?.values.findIndex((value) => String(value) === text) ?? -1;
  for (const [name, text] of given) if (find(name, text) >= 0) indices[name] = find(name, text);
  const switched = (given.get("then") ?? "").split(",").map((part) => part.split("."))
    .map(([step, name, ...text]) => [Number(step), name, find(name, text.join("."))])
    .filter(([step, name, index]) => step > 0 && index >= 0 && !RESTARTS.includes(name));
  const steps = Math.min(MOST, Number(given.get("steps")) || 0);
  return { indices, switched, steps };
}

function renderFull({ model, el }) {
  const given = model.get("settings");
  const linked = model.get("linked");
  const start = Object.fromEntries(Object.entries(SWITCHES).map(([name, { values }]) =>
    [name, Math.max(0, values.indexOf(given[name]))]));
  const controls = Object.entries(SWITCHES).filter(([name]) => name !== "target")
    .sort(([, a], [, b]) => (a.kind ? 1 : 0) - (b.kind ? 1 : 0))
    .map(([name, { label, kind = "choice", values, texts = values }]) =>
      ({ name, kind, label, values: texts.map(String), start: start[name] }));
  const shown = panel({ model, el, kind: "playground full", controls, onChange: (name) => change(name) });
  const id = shown.says.id;
  const target = segments(`${id}-target`, SWITCHES.target, start.target, () => change("target"));
  const index = (name) => (name === "target" ? target.index() : shown.index(name));
  const set = (name, i) => (name === "target" ? target.set(i) : shown.set(name, i));
  const value = (name) => SWITCHES[name].values[index(name)];
  const palettes = model.get("palettes");

  const button = (text, onClick) => {
    const node = element("button", { type: "button", ...OWN_KEYS }, text);
    node.addEventListener("click", onClick);
    return node;
  };
  const play = button("Play", () => (clock.running() ? clock.stop() : go()));
  play.classList.add("live-play");
  const link = button("Copy link", async () => {
    remember();
    await navigator.clipboard.writeText(location.href);
    link.textContent = "Copied";
    setTimeout(() => { link.textContent = "Copy link"; }, 1500);
  });
  const buttons = element("div", { class: "live-buttons" }, play,
    button("Step", () => { clock.stop(); advance(); show(); remember(); }),
    button("Reset", () => { clock.stop(); begin(); remember(); }));
  if (linked && navigator.clipboard) buttons.append(link);

  // --- the run: its first switches, those thrown since, and those that a link still holds ---
  let run, first, ahead;
  const settings = () => ({
    target: value("target"), emaDecay: value("ema_decay"), regularizer: value("regularizer"),
    weight: value("weight"), predictor: value("predictor"), lr: value("lr"),
    noise: value("noise"), seed: value("seed"),
  });
  function begin(later = []) {
    first = Object.fromEntries(Object.keys(SWITCHES).map((name) => [name, index(name)]));
    run = newRun(settings());
    run.switched = [];
    run.events = [];
    ahead = later;
    show();
  }
  function change(name) {
    ahead = [];
    if (RESTARTS.includes(name)) begin();
    else if (!LOOKS.includes(name)) thrown(name);
    show();
    if (!clock.running()) remember();
  }
  function thrown(name) {
    run.model.settings = settings();
    const { steps } = run.model;
    if (steps === 0) return void (first[name] = index(name));
    run.events = run.events.filter(([step, other]) => step !== steps || other !== name);
    run.events.push([steps, name, index(name)]);
    run.switched = run.events.map(([step]) => step);
  }
  function advance() {
    while (ahead.length && ahead[0][0] <= run.model.steps) {
      const [, name, i] = ahead.shift();
      set(name, i);
      thrown(name);
    }
    run.model.step();
    // The same steps count whatever the pace, so that a link tells the same story.
    if (run.model.steps % 20 === 0) run.look(true);
  }
  const clock = runner({
    rate: 360, step: advance, show,
    end: () => { play.textContent = "Play"; show(); remember(); },
  });
  function go(count = MOST) {
    clock.start(count);
    play.textContent = "Pause";
    show();
  }

  // --- the link ---
  let written = null;
  function remember() {
    if (!linked) return;
    const text = ([name, i]) => `${name}=${SWITCHES[name].values[i]}`;
    const looks = LOOKS.map((name) => [name, index(name)]);
    const parts = [...Object.entries(first).filter(([name]) => !LOOKS.includes(name)), ...looks].map(text);
    const events = run.events.map(([step, name, i]) => `${step}.${name}.${SWITCHES[name].values[i]}`);
    if (events.length) parts.push(`then=${events.join(",")}`);
    parts.push(`steps=${run.model.steps}`);
    written = parts.join("&");
    history.replaceState(null, "", `#${written}`);
  }
  function open() { // a link runs as far as it says
    const fragment = location.hash.slice(1);
    if (fragment === written || !fragment.includes("=")) return false;
    clock.stop();
    const { indices, switched, steps } = readState(fragment);
    for (const name of Object.keys(SWITCHES)) set(name, indices[name] ?? start[name]);
    begin(switched);
    if (steps) go(steps);
    return true;
  }

  // --- what is seen ---
  const stage = element("div", { class: "live-stage" });
  const key = element("p", { class: "live-key" });
  const cloud = canvas(shown, (width) => width, (pen, width) => {
    const reach = 3 * (value("scale") === "step" ? run.now.deviation : run.largest) || 1;
    drawCloud(pen, { left: 0.5, top: 0.5, size: width - 1 }, run,
      { half: reach, palette: palettes[value("color")], color: value("color") });
  });
  const meters = METERS.map((meter) => {
    const number = element("b");
    const says = element("p", { class: "live-meter-says" });
    const { node, redraw } = canvas(shown, () => 62, (pen, width, height) => drawCurve(pen,
      { left: 2, top: 6, width: width - 8, height: height - 12 }, [run], { ...meter, colors: ["blue"] }));
    node.removeAttribute("aria-labelledby"); // the text beside it says the same
    node.setAttribute("aria-hidden", "true");
    const name = element("p", { class: "live-meter-name" }, meter.title, number);
    const box = element("div", { class: "live-meter" }, name, node, says);
    return { box, update: () => {
      const text = plain(run.now[meter.name]);
      if (number.textContent !== text) number.textContent = text;
      if (says.textContent !== meter.says(run)) says.textContent = meter.says(run);
      redraw();
    } };
  });
  stage.append(element("div", { class: "live-cloud" }, cloud.node, key),
    element("div", { class: "live-meters" }, ...meters.map(({ box }) => box)));
  const rows = [...shown.box.querySelectorAll(".live-controls")];
  const topRow = element("div", { class: "live-top" }, target.node, buttons);
  shown.box.append(topRow, shown.says, stage, ...rows);

  function sentence() {
    const { steps } = run.model;
    if (!steps) return `Step 0, random weights: loss ${loss(run)}, size ${plain(run.now.deviation)}. Press Play.`;
    return `Step ${steps.toLocaleString("en-US")}. Loss ${loss(run)}; ${size(run)}. Effective rank `
      + `${short(run.now.rank)}, retrieval ${short(run.now.retrieval)} times chance.`;
  }
  let state = "", drawn = 0;
  function show() {
    run.look(false);
    shown.enable("weight", value("regularizer") !== "none");
    shown.enable("ema_decay", value("target") === "slow");
    cloud.redraw();
    const next = `${run.dead} ${clock.running()}`;
    const now = performance.now();
    if (clock.running() && next === state && now - drawn < 100) return; // numbers that can be read
    drawn = now;
    shown.says.setAttribute("aria-live", next === state && clock.running() ? "off" : "polite");
    state = next;
    shown.says.textContent = sentence();
    meters.forEach(({ update }) => update());
    const [low, high] = KEYS[value("color")];
    const bar = element("span", { class: "live-bar", "aria-hidden": "true" });
    bar.style.background = `linear-gradient(to right, ${palettes[value("color")].join(",")})`;
    key.replaceChildren(`${value("color")} ${low} `, bar, ` ${high}`);
  }

  begin();
  if (linked) open();
  const follows = () => { if (open()) shown.box.scrollIntoView({ block: "nearest" }); };
  if (linked) addEventListener("hashchange", follows);
  const leave = follow(shown.box, () => { cloud.redraw(); meters.forEach(({ update }) => update()); });
  return () => {
    clock.stop();
    removeEventListener("hashchange", follows);
    leave();
  };
}

function render(host) {
  return host.model.get("kind") === "landing" ? renderLanding(host) : renderFull(host);
}

export default { render };
