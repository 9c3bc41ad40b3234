// Draws Shadows: a turning cloud, its shadow, and how far that is from a normal one.
import { axes, bytesOf, canvas, dot, element, follow, line, panel, powers, short, write } from "./base.js";
import { characteristic, eppsPulley, normal } from "./epps_pulley.js";

const AZIMUTHS = Array.from({ length: 91 }, (_, i) => 2 * i);
const TILTS = Array.from({ length: 37 }, (_, i) => 5 * i - 90);
const EXPECTED = Math.sqrt(2 * Math.PI) * (1 - 1 / Math.sqrt(3)); // for normal samples
const degrees = (angle) => `${angle}\u00b0`.replace("-", "\u2212");
const radians = (angle) => (angle * Math.PI) / 180;

// The direction of the shadow, what is up beside it, and what points away from the reader.
function directions(azimuth, tilt, flat) {
  const [a, t] = [radians(azimuth), flat ? 0 : radians(tilt)];
  if (flat) return [[Math.cos(a), Math.sin(a)], [-Math.sin(a), Math.cos(a)], [0, 0]];
  return [
    [Math.cos(t) * Math.cos(a), Math.cos(t) * Math.sin(a), Math.sin(t)],
    [-Math.sin(t) * Math.cos(a), -Math.sin(t) * Math.sin(a), Math.cos(t)],
    [Math.sin(a), -Math.cos(a), 0],
  ];
}

// Each point of a cloud along one direction.
const along = ({ points, size }, direction) =>
  Float64Array.from({ length: points.length / size }, (_, i) =>
    direction.reduce((sum, part, j) => sum + part * points[i * size + j], 0));

function render({ model, el }) {
  const buffer = bytesOf(model.get("data"));
  if (!buffer) {
    el.append(element("p", {}, "The clouds of this figure are missing: run the cell again."));
    return;
  }
  let start = 0;
  const clouds = model.get("clouds").map(({ name, shape: [count, size] }) => {
    const points = new Float32Array(buffer, start, count * size);
    start += points.byteLength;
    let reach = 0;
    for (let i = 0; i < count; i++)
      reach = Math.max(reach, Math.hypot(...points.subarray(i * size, (i + 1) * size)));
    return { name, points, size, count, flat: size === 2, reach: Math.max(3.2, 1.05 * reach) };
  });
  const controls = [];
  if (clouds.length > 1) controls.push({
    name: "cloud", kind: "choice", label: "Cloud", values: clouds.map(({ name }) => name),
  });
  controls.push({ name: "azimuth", kind: "slider", label: "Direction", values: AZIMUTHS.map(degrees) });
  const deep = clouds.some(({ flat }) => !flat);
  if (deep) controls.push({
    name: "tilt", kind: "slider", label: "Tilt", values: TILTS.map(degrees), start: 18,
  });
  const shown = panel({
    model, el, kind: "shadows", controls, play: "azimuth", interval: 80, onChange: () => update(),
  });
  let cloud, shadow, up, away, value, around, mean;
  const known = new Map(); // the statistic over all azimuths, for a cloud and a tilt

  function drawCloud(pen, { left, top, size }) {
    const { grid, blue, soft } = pen.colors;
    const scale = size / 2 / cloud.reach;
    const [x, y] = [left + size / 2, top + size / 2];
    pen.strokeStyle = grid;
    pen.strokeRect(left, top, size, size);
    pen.save();
    pen.beginPath();
    pen.rect(left, top, size, size);
    pen.clip();
    pen.globalAlpha = 0.5;
    for (let i = 0; i < cloud.count; i += Math.ceil(cloud.count / 14)) // how the shadow falls
      line(pen, [[x + scale * shadow[i], y - scale * up[i]], [x + scale * shadow[i], top + size]],
        { color: soft, width: 1, dash: [2, 3] });
    for (let i = 0; i < cloud.count; i++) {
      const near = 0.5 - away[i] / (2 * cloud.reach); // from 0 to 1
      pen.globalAlpha = cloud.flat ? 0.75 : 0.3 + 0.6 * near;
      dot(pen, x + scale * shadow[i], y - scale * up[i], cloud.flat ? 2.2 : 1.4 + 1.6 * near, blue);
    }
    pen.restore();
  }

  function drawShadow(pen, { left, top, width, height }) {
    const { reach, count } = cloud;
    const bins = 48;
    const step = (2 * reach) / bins;
    const counts = new Array(bins).fill(0);
    for (const x of shadow) {
      const bin = Math.floor((x + reach) / step);
      if (bin >= 0 && bin < bins) counts[bin] += 1;
    }
    const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const most = Math.max(1.4 * density(0), Math.min(Math.max(...counts) / (count * step), 4 * density(0)));
    const { toX, toY } = axes(pen, { left, top, width, height }, {
      x: [-reach, reach], y: [0, most], yTicks: [], xLabel: "its shadow",
    });
    pen.save();
    pen.beginPath();
    pen.rect(left, top - 1, width, height + 1);
    pen.clip();
    pen.fillStyle = pen.colors.blue;
    pen.globalAlpha = 0.6;
    counts.forEach((number, i) => {
      const bar = toY(0) - toY(number / (count * step));
      pen.fillRect(left + (i * width) / bins, toY(0) - bar, width / bins - 0.5, bar);
    });
    pen.globalAlpha = 1;
    line(pen, Array.from({ length: 121 }, (_, i) => {
      const x = reach * (i / 60 - 1);
      return [toX(x), toY(density(x))];
    }), { color: pen.colors.green, width: 2, dash: [6, 4] });
    pen.restore();
  }

  function drawCharacteristic(pen, place) {
    const { blue, green, soft } = pen.colors;
    write(pen, "characteristic function", place.left, place.top - 8, { align: "left", base: "bottom" });
    const { toX, toY } = axes(pen, place, { x: [-5, 5], y: [-0.6, 1.05], yTicks: [-0.5, 0, 0.5, 1], xLabel: "frequency t" });
    const t = Array.from({ length: 101 }, (_, i) => i / 10 - 5);
    const seen = t.map((at) => characteristic(shadow, at));
    const real = t.map((at, i) => [toX(at), toY(seen[i][0])]);
    const wanted = t.map((at) => [toX(at), toY(normal(at))]);
    pen.beginPath();
    [...real, ...[...wanted].reverse()].forEach(([x, y]) => pen.lineTo(x, y));
    pen.fillStyle = blue;
    pen.globalAlpha = 0.18;
    pen.fill();
    pen.globalAlpha = 1;
    line(pen, t.map((at, i) => [toX(at), toY(seen[i][1])]), { color: soft, width: 1.2, dash: [2, 3] });
    line(pen, real, { color: blue, width: 2.2 });
    line(pen, wanted, { color: green, width: 2, dash: [6, 4] });
    const labels = [["shadow", blue], ["its odd part", soft], ["normal", green]];
    labels.forEach(([text, color], i) => write(pen, text, place.left + place.width, place.top + 6 + 16 * i,
      { align: "right", color }));
  }

  function drawAround(pen, place) {
    const { blue, green, paper, soft } = pen.colors;
    write(pen, `statistic, here ${short(value, 3)}`, place.left, place.top - 8,
      { align: "left", base: "bottom", color: blue });
    const low = Math.min(0.3, ...around);
    const high = Math.max(10, 1.5 * Math.max(...around));
    const { toX, toY } = axes(pen, place, {
      x: [0, 180], y: [low, high], log: true, yTicks: powers(low, high, 3),
      xTicks: [0, 45, 90, 135, 180], xLabel: "direction in degrees",
    });
    line(pen, [[place.left, toY(EXPECTED)], [place.left + place.width, toY(EXPECTED)]],
      { color: green, dash: [6, 4], width: 1.5 });
    line(pen, around.map((at, i) => [toX(AZIMUTHS[i]), toY(at)]), { color: soft, width: 1.5 });
    write(pen, "normal, on average", place.left + place.width, toY(EXPECTED) - 4,
      { align: "right", base: "bottom", color: green, halo: true });
    dot(pen, toX(AZIMUTHS[shown.index("azimuth")]), toY(value), 5, blue, paper);
  }

  // Two columns, or one below the other on a phone.
  const layout = (width) => {
    const wide = width >= 520;
    const size = wide ? Math.min(300, (width - 64) / 2) : Math.min(width, 280);
    return { wide, size, column: wide ? width - size - 76 : width - 58 };
  };
  const { redraw } = canvas(shown, (width) => {
    const { wide, size } = layout(width);
    return size + 118 + (wide ? 0 : 400);
  }, (pen, width) => {
    const { wide, size, column } = layout(width);
    const left = wide ? 0 : (width - size) / 2;
    drawCloud(pen, { left: left + 1, top: 1, size: size - 2 });
    drawShadow(pen, { left: left + 1, top: size + 6, width: size - 2, height: 70 });
    const x = wide ? size + 60 : 44;
    const y = wide ? 24 : size + 150;
    const tall = wide ? (size + 118 - 24 - 68 - 40) / 2 : 130;
    drawCharacteristic(pen, { left: x, top: y, width: column, height: tall });
    drawAround(pen, { left: x, top: y + tall + 68, width: column, height: tall });
  });

  function update() {
    const number = clouds.length > 1 ? shown.index("cloud") : 0;
    cloud = clouds[number];
    if (deep) shown.enable("tilt", !cloud.flat);
    const tilt = deep ? TILTS[shown.index("tilt")] : 0;
    const turned = directions(AZIMUTHS[shown.index("azimuth")], tilt, cloud.flat);
    [shadow, up, away] = turned.map((direction) => along(cloud, direction));
    value = eppsPulley(shadow);
    const key = `${number} ${cloud.flat ? "" : tilt}`;
    if (!known.has(key)) known.set(key, AZIMUTHS.map((azimuth) =>
      eppsPulley(along(cloud, directions(azimuth, tilt, cloud.flat)[0]))));
    around = known.get(key);
    mean = around.slice(0, -1).reduce((sum, one) => sum + one, 0) / (around.length - 1);
    redraw();
    shown.say(sentence(tilt));
  }

  function sentence(tilt) {
    const middle = shadow.reduce((sum, x) => sum + x, 0) / cloud.count;
    const spread = Math.sqrt(shadow.reduce((sum, x) => sum + (x - middle) ** 2, 0) / (cloud.count - 1));
    const where = cloud.flat ? "" : ` at a tilt of ${degrees(tilt)}`;
    return `Seen along ${degrees(AZIMUTHS[shown.index("azimuth")])}${where}, the shadow of `
      + `\u201c${cloud.name}\u201d has a standard deviation of ${short(spread)}, and the statistic is ${short(value, 3)}. `
      + `Its mean over all directions${where} is ${short(mean, 3)}; normal samples have `
      + `${EXPECTED.toFixed(2)} on average.`;
  }

  update();
  const leave = follow(shown.box, redraw);
  return () => { shown.stop(); leave(); };
}

export default { render };
