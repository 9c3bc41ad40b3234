// Draws Clouds: points that move over training, with their curves below.
import { axes, bytesOf, canvas, dot, element, follow, line, panel, short, write } from "./base.js";

// Cut the bytes into the centers and half-widths, curves, points and colors that `Clouds` wrote.
export function unpack(buffer, { panels, choices, frames, points, colors, curves }) {
  const lines = curves.reduce((sum, labels) => sum + labels.length, 0);
  const clouds = panels * choices * frames;
  let start = 0;
  const take = (Kind, length) => {
    const part = new Kind(buffer, start, length);
    start += length * Kind.BYTES_PER_ELEMENT;
    return part;
  };
  const scales = take(Float32Array, 3 * clouds);
  const values = take(Float32Array, lines * choices * frames);
  const integers = take(Int16Array, 2 * points * clouds);
  const shades = take(Uint8Array, colors * points);
  // The cloud of a panel at a choice and a frame: its points, center and half-width.
  const cloud = (panel, choice, frame) => {
    const number = (panel * choices + choice) * frames + frame;
    const [x, y, half] = scales.subarray(3 * number, 3 * number + 3);
    const at = (i) => {
      const place = 2 * (number * points + i);
      return [x + half * integers[place] / 32767, y + half * integers[place + 1] / 32767];
    };
    return { at, center: [x, y], half };
  };
  // The values of a curve, by the number of its label counted over all panels.
  const curve = (number, choice) =>
    values.subarray((number * choices + choice) * frames, (number * choices + choice + 1) * frames);
  return { cloud, curve, shade: (color, i) => shades[color * points + i] };
}

// The smallest square around clouds, as a center and a half-width.
function around(clouds) {
  const ends = [0, 1].map((i) => [
    Math.min(...clouds.map(({ center, half }) => center[i] - half)),
    Math.max(...clouds.map(({ center, half }) => center[i] + half)),
  ]);
  const center = ends.map(([low, high]) => (low + high) / 2);
  return { center, half: Math.max(...ends.map(([low, high]) => (high - low) / 2)) };
}

// A bar of a round length says how large things are, since numbers at axes would flicker.
function ruler(pen, left, bottom, size, half) {
  const most = half * 0.6;
  const unit = 10 ** Math.floor(Math.log10(most));
  const length = unit * [5, 2, 1].find((factor) => factor * unit <= most);
  const pixels = (length / (2 * half)) * size;
  line(pen, [[left + 8, bottom - 8], [left + 8 + pixels, bottom - 8]], { width: 2 });
  write(pen, short(length, 1), left + 8 + pixels / 2, bottom - 12, { base: "bottom" });
}

function render({ model, el }) {
  const buffer = bytesOf(model.get("data"));
  if (!buffer) {
    el.append(element("p", {}, "The points of this figure are missing: run the cell again."));
    return;
  }
  const [names, steps, colors, curves, choice, points] =
    ["panels", "steps", "colors", "curves", "choice", "points"].map((name) => model.get(name));
  const frames = steps.length;
  const choices = choice ? choice.values.length : 1;
  const data = unpack(buffer,
    { panels: names.length, choices, frames, points, colors: colors.length, curves });
  const all = (panel) => Array.from({ length: choices * frames },
    (_, i) => data.cloud(panel, Math.floor(i / frames), i % frames));
  const fixed = around(names.flatMap((_, i) => all(i))); // one scale for both, to compare

  const controls = [{
    name: "step", kind: "slider", label: "Step", start: frames - 1, // where training ends
    values: steps.map((step) => step.toLocaleString("en-US")),
  }];
  if (choice)
    controls.push({ name: "choice", kind: "choice", label: choice.label, values: choice.values });
  if (colors.length > 1) controls.push({
    name: "color", kind: "choice", label: "Color", values: colors.map(({ label }) => label),
  });
  controls.push({
    name: "axes", kind: "choice", label: "Axes",
    values: ["fixed", "own for each step"],
  });
  const shown = panel({
    model, el, kind: "clouds", controls, play: "step", interval: model.get("interval"),
    onChange: () => update(),
  });
  const at = (name) => (controls.some((control) => control.name === name) ? shown.index(name) : 0);
  const key = element("p", { class: "live-key" });

  function drawCloud(pen, number, { left, top, size }) {
    const { paper, grid } = pen.colors;
    const cloud = data.cloud(number, at("choice"), at("step"));
    const own = at("axes") === 1;
    const { center, half } = own ? cloud : fixed;
    const scale = size / 2 / (1.08 * half || 1);
    pen.save();
    pen.beginPath();
    pen.rect(left, top, size, size);
    pen.strokeStyle = grid;
    pen.stroke();
    pen.clip();
    const shades = colors[at("color")].palette;
    const radius = Math.max(1.5, Math.min(3, size / 130)) * (points > 400 ? 0.8 : 1);
    for (let i = 0; i < points; i++) {
      const [x, y] = cloud.at(i);
      dot(pen, left + size / 2 + scale * (x - center[0]), top + size / 2 - scale * (y - center[1]),
        radius, shades[data.shade(at("color"), i)]);
    }
    pen.restore();
    pen.globalAlpha = 0.8;
    pen.fillStyle = paper;
    pen.fillRect(left + 1, top + size - 30, Math.min(size - 2, 0.36 * size + 10), 29);
    pen.globalAlpha = 1;
    ruler(pen, left, top + size, size, 1.08 * half || 1);
  }

  // One scale for the curves of all panels; a value of zero lies on its floor.
  const count = curves.reduce((sum, labels) => sum + labels.length, 0);
  const ever = Array.from({ length: count * choices },
    (_, i) => [...data.curve(Math.floor(i / choices), i % choices)]).flat().filter((value) => value > 0);
  const low = ever.length ? Math.min(...ever) : 0.1;
  const high = Math.max(...ever, low * 10);

  function drawCurves(pen, number, { left, top, width, height }) {
    const before = curves.slice(0, number).reduce((sum, labels) => sum + labels.length, 0);
    const lines = curves[number].map((_, i) => data.curve(before + i, at("choice")));
    const { toX, toY } = axes(pen, { left, top, width, height }, {
      x: [steps[0], steps[frames - 1]], y: [low / 1.3, high * 1.3], log: true,
      xTicks: [steps[0], steps[frames - 1]], xLabel: "step",
    });
    const inks = [pen.colors.blue, pen.colors.red, pen.colors.green];
    const here = toX(steps[at("step")]);
    line(pen, [[here, top], [here, top + height]], { color: pen.colors.grid, width: 1 });
    lines.forEach((values, i) => {
      const height = (value) => toY(Math.max(value, low));
      line(pen, [...values].map((value, j) => [toX(steps[j]), height(value)]), { color: inks[i] });
      const value = values[at("step")];
      dot(pen, here, height(value), 4, inks[i], pen.colors.paper);
      write(pen, `${curves[number][i]} ${short(value)}`, left, top - 8 - 16 * (lines.length - 1 - i),
        { align: "left", base: "bottom", color: inks[i] });
    });
  }

  const most = Math.max(...curves.map((labels) => labels.length));
  const below = most ? 16 * most + 14 + 70 + 40 : 4;
  const gap = 16;
  const sizeFor = (width) => Math.min(400, (width - gap * (names.length - 1)) / names.length);
  const { redraw } = canvas(shown, (width) => 20 + sizeFor(width) + below, (pen, width) => {
    const size = sizeFor(width);
    const start = (width - size * names.length - gap * (names.length - 1)) / 2;
    names.forEach((name, number) => {
      const left = start + number * (size + gap);
      pen.save();
      pen.font = pen.font.replace("12px", "600 13px");
      write(pen, name, left, 8, { align: "left" });
      pen.restore();
      drawCloud(pen, number, { left: left + 0.5, top: 20.5, size: size - 1 });
      const top = 20 + size + 16 * most + 14;
      if (curves[number].length)
        drawCurves(pen, number, { left: left + 36, top, width: size - 48, height: 70 });
    });
  });
  shown.says.before(key);

  function update() {
    const { label, ends, palette } = colors[at("color")];
    const bar = element("span", { class: "live-bar", "aria-hidden": "true" });
    bar.style.background = `linear-gradient(to right, ${palette.join(",")})`;
    key.replaceChildren(`${label} ${ends[0]} `, bar, ` ${ends[1]}`);
    redraw();
    shown.say(model.get("alts")[at("choice") * frames + at("step")]);
  }
  update();
  const leave = follow(shown.box, redraw);
  return () => { shown.stop(); leave(); };
}

export default { render };
