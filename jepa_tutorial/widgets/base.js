// What all figures that a reader moves share: a box with labeled controls that work by keyboard,
// a sentence that says what is seen, and a canvas that follows the page's width and colors.
// Runs in Jupyter and Colab through anywidget, and on a static page through widget_loader.js.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The bytes that a model carries, however its host hands them over, in a buffer of their own;
// null if they are missing.
export function bytesOf(value) {
  if (!value || !value.byteLength) return null;
  const start = value.byteOffset ?? 0;
  return (value.buffer ?? value).slice(start, start + value.byteLength);
}

// --- controls: each shows one of its values ------------------------------------------------------

// Without this, JupyterLab takes the arrow keys for itself and moves to another cell.
export const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

function slider({ values, start = 0 }, id, onInput) {
  const last = values.length - 1;
  const input = element("input", { type: "range", id, min: 0, max: last, step: 1, ...OWN_KEYS });
  input.value = start;
  // Not live: the slider says its value itself, and playing would announce every frame.
  const output = element("output", { for: id, "aria-live": "off" });
  output.style.minWidth = `${Math.max(...values.map((value) => value.length))}ch`;
  const show = () => {
    output.textContent = values[input.value];
    input.setAttribute("aria-valuetext", values[input.value]);
  };
  input.addEventListener("input", () => { show(); onInput(); });
  show();
  const set = (index) => { input.value = index; show(); };
  return { nodes: [input, output], input, index: () => Number(input.value), set, last };
}

function choice({ values, start = 0 }, id, onInput) {
  const options = values.map((value, index) => element("option", { value: index }, value));
  const input = element("select", { id, ...OWN_KEYS }, ...options);
  input.value = start;
  input.addEventListener("change", onInput);
  const set = (index) => { input.value = index; };
  return { nodes: [input], input, index: () => Number(input.value), set, last: values.length - 1 };
}

// Nothing plays by itself, so reduced motion needs no more.
function player(control, label, interval, onStep, onEnd) {
  const name = `Play or pause: ${label}`;
  const button = element("button", { type: "button", "aria-label": name, ...OWN_KEYS }, "Play");
  let timer = null;
  const stop = () => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
    onEnd();
  };
  const move = (index) => { control.set(index); onStep(); };
  const step = () => (control.index() < control.last ? move(control.index() + 1) : stop());
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    timer = setInterval(step, interval);
    button.textContent = "Pause";
    if (control.index() === control.last) move(0);
  });
  return { button, stop, playing: () => timer !== null };
}

// A box with a title and controls, which are {name, kind: "slider" or "choice", label, values,
// start}. `play` names the slider that a button moves. `onChange` is called after each change.
// Returns the box, and `index` and `set` to read and move a control by its name.
export function panel({ model, el, kind, controls, play, interval, onChange }) {
  // Each figure on a page is a module of its own, so a counter here would give equal ids.
  const id = `live-${Math.random().toString(36).slice(2)}`;
  const made = {};
  const title = model.get("title");
  const box = element("div", { class: `live ${kind}`, role: "group", "aria-label": title });
  const says = element("p", { class: "live-says", id: `${id}-says`, "aria-live": "polite" });
  box.append(element("p", { class: "live-title" }, title));
  let playing = null;
  let rows; // sliders share rows with sliders, lists with lists
  controls.forEach((control, number) => {
    if (control.kind !== controls[number - 1]?.kind) {
      rows = element("div", { class: "live-controls" });
      box.append(rows);
    }
    const inputId = `${id}-${number}`;
    const change = () => onChange(control.name);
    const part = (control.kind === "slider" ? slider : choice)(control, inputId, change);
    const row = element("div", { class: `live-${control.kind}` },
      element("label", { for: inputId }, control.label), ...part.nodes);
    if (control.name === play) {
      const speak = () => { say(said); };
      playing = player(part, control.label, interval, change, speak);
      row.append(playing.button);
    }
    made[control.name] = part;
    rows.append(row);
  });
  el.append(box);

  // Playing would announce every frame: then it speaks when it stops.
  let said = "";
  function say(text) {
    said = text;
    says.setAttribute("aria-live", playing?.playing() ? "off" : "polite");
    if (says.textContent !== text) says.textContent = text;
  }
  return {
    box, says, say,
    index: (name) => made[name].index(),
    set: (name, index) => made[name].set(Math.max(0, Math.min(made[name].last, index))),
    enable: (name, on) => { made[name].input.disabled = !on; },
    stop: () => playing?.stop(),
  };
}

// --- a canvas that follows the page --------------------------------------------------------------

// The book's pages, Colab, JupyterLab and VS Code say whether they are dark; elsewhere the system
// does.
const THEMES = ["data-theme", "theme", "data-jp-theme-light", "data-vscode-theme-kind"];
function isDark() {
  const said = [document.documentElement, document.body]
    .flatMap((node) => THEMES.map((name) => node.getAttribute(name))).find((value) => value);
  if (["dark", "false", "vscode-dark"].includes(said)) return true;
  if (["light", "true", "vscode-light"].includes(said)) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// Keep a box in the page's colors, and call `onChange` whenever they or its width change.
export function follow(box, onChange) {
  const recolor = () => {
    box.dataset.shade = isDark() ? "dark" : "light";
    onChange();
  };
  const query = matchMedia("(prefers-color-scheme: dark)");
  const themes = new MutationObserver(recolor);
  for (const node of [document.documentElement, document.body])
    themes.observe(node, { attributes: true, attributeFilter: THEMES });
  query.addEventListener("change", recolor);
  const sizes = new ResizeObserver(onChange);
  sizes.observe(box);
  recolor();
  return () => {
    query.removeEventListener("change", recolor);
    themes.disconnect();
    sizes.disconnect();
  };
}

// A canvas in a panel. `height` gives its height for a width; `draw` gets a pen: the canvas's 2D
// context in CSS pixels, with `width`, `height` and `colors` of the page.
export function canvas(panel, height, draw) {
  const node = element("canvas", { role: "img", "aria-labelledby": panel.says.id });
  panel.box.append(node, panel.says);
  const pen = node.getContext("2d");
  const redraw = () => {
    const width = node.clientWidth;
    if (!width) return; // not in the page yet
    const tall = Math.round(height(width));
    const ratio = window.devicePixelRatio || 1;
    if (node.width !== Math.round(width * ratio) || node.height !== Math.round(tall * ratio)) {
      node.width = Math.round(width * ratio);
      node.height = Math.round(tall * ratio);
      node.style.height = `${tall}px`;
    }
    const style = getComputedStyle(panel.box);
    const colors = {};
    for (const name of ["ink", "soft", "grid", "paper", "blue", "red", "green"])
      colors[name] = style.getPropertyValue(`--live-${name}`).trim();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, tall);
    pen.font = `12px ${style.fontFamily}`;
    pen.lineJoin = "round";
    draw(Object.assign(pen, { colors }), width, tall);
  };
  return { node, redraw };
}

// --- drawing -------------------------------------------------------------------------------------

// A number as a reader likes it: two digits that count, and a true minus.
export function short(number, digits = 2) {
  if (number === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(number)) + 1e-9);
  const text = size < -3 || size > 5
    ? `${(number / 10 ** size).toFixed(digits - 1)}e${size}`
    : number.toFixed(Math.max(0, digits - 1 - size));
  return text.replaceAll("-", "\u2212");
}

// Round numbers from low to high, about `count` of them.
export function ticks(low, high, count = 4) {
  const rough = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push(i * step);
  return found;
}

// Powers of ten from low to high, every second or third where there are many.
export function powers(low, high, count = 3) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first) / count));
  const found = [];
  for (let i = last; i >= first; i -= step) found.unshift(10 ** i);
  return found;
}

const RAISED = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3", 4: "\u2074",
  5: "\u2075", 6: "\u2076", 7: "\u2077", 8: "\u2078", 9: "\u2079" };
const power = (number) =>
  `10${[...String(Math.round(Math.log10(number)))].map((digit) => RAISED[digit]).join("")}`;

export function write(pen, text, x, y, { align = "center", base = "middle", color, angle, halo } = {}) {
  pen.save();
  pen.translate(x, y);
  if (angle) pen.rotate(angle);
  pen.textAlign = align;
  pen.textBaseline = base;
  pen.fillStyle = color ?? pen.colors.ink;
  pen.strokeStyle = pen.colors.paper;
  pen.lineWidth = 4;
  if (halo) pen.strokeText(text, 0, 0); // stands out from what is drawn below it
  pen.fillText(text, 0, 0);
  pen.restore();
}

export function line(pen, points, { color, width = 1.5, dash = [] } = {}) {
  pen.save();
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.strokeStyle = color ?? pen.colors.ink;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke();
  pen.restore();
}

export function dot(pen, x, y, radius, color, edge) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = color;
  pen.fill();
  if (!edge) return;
  pen.strokeStyle = edge;
  pen.lineWidth = 1.5;
  pen.stroke();
}

// Axes around a place {left, top, width, height} for x and y as [low, high]. Returns the functions
// that turn a value into a pixel.
export function axes(pen, { left, top, width, height }, options) {
  const { x, y, xLabel, yLabel, log = false, xTicks, yTicks } = options;
  const scale = log ? Math.log10 : (value) => value;
  const toX = (value) => left + (width * (value - x[0])) / (x[1] - x[0]);
  const toY = (value) =>
    top + height - (height * (scale(value) - scale(y[0]))) / (scale(y[1]) - scale(y[0]));
  const color = pen.colors.soft;
  line(pen, [[left, top], [left, top + height], [left + width, top + height]], { color, width: 1 });
  for (const value of xTicks ?? ticks(...x, Math.max(3, Math.round(width / 90)))) {
    line(pen, [[toX(value), top + height], [toX(value), top + height + 4]], { color, width: 1 });
    const text = String(Number(value.toPrecision(6))).replace("-", "\u2212");
    write(pen, text, toX(value), top + height + 6, { base: "top", color });
  }
  for (const value of yTicks ?? (log ? powers(...y) : ticks(...y, Math.max(2, Math.round(height / 60))))) {
    line(pen, [[left - 4, toY(value)], [left, toY(value)]], { color, width: 1 });
    const text = log ? power(value) : String(Number(value.toPrecision(6))).replace("-", "\u2212");
    write(pen, text, left - 6, toY(value), { align: "right", color });
  }
  if (xLabel) write(pen, xLabel, left + width / 2, top + height + 22, { base: "top" });
  if (yLabel) write(pen, yLabel, left - 34, top + height / 2, { angle: -Math.PI / 2, base: "bottom" });
  return { toX, toY };
}
