// Draws an Explorer: labeled controls over pictures that the model carries.
// Runs in Jupyter and Colab through anywidget, and on a static page through widget_loader.js.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Cut the bytes into one object URL per picture.
function pictureUrls(frames, lengths) {
  const bytes = new Uint8Array(frames.buffer ?? frames, frames.byteOffset ?? 0, frames.byteLength);
  let start = 0;
  return lengths.map((length) => {
    const part = bytes.slice(start, (start += length));
    return URL.createObjectURL(new Blob([part], { type: "image/webp" }));
  });
}

function slider(control, id, onInput) {
  const last = control.values.length - 1;
  const input = element("input", { type: "range", id, min: 0, max: last, step: 1, value: 0 });
  // Not live: the slider says its value itself, and playing would announce every frame.
  const output = element("output", { for: id, "aria-live": "off" });
  const show = () => {
    output.textContent = control.values[input.value];
    input.setAttribute("aria-valuetext", control.values[input.value]);
  };
  input.addEventListener("input", () => { show(); onInput(); });
  show();
  const set = (index) => { input.value = index; show(); onInput(); };
  return { row: [input, output], index: () => Number(input.value), set, last };
}

function choice(control, id, onInput) {
  const options = control.values.map((value, index) => element("option", { value: index }, value));
  const select = element("select", { id }, ...options);
  select.addEventListener("change", onInput);
  return { row: [select], index: () => Number(select.value) };
}

function playButton(target, interval) {
  const button = element("button", { type: "button" }, "Play");
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  const step = () => (target.index() < target.last ? target.set(target.index() + 1) : stop());
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (target.index() === target.last) target.set(0);
    timer = setInterval(step, interval);
    button.textContent = "Pause";
  });
  return { button, stop };
}

function render({ model, el }) {
  const frames = model.get("frames");
  if (!frames || !frames.byteLength) {
    el.append(element("p", {}, "The pictures of this figure are missing: run the cell again."));
    return;
  }
  // Each explorer on a page is a module of its own, so a counter here would give equal ids.
  const id = `explorer-${Math.random().toString(36).slice(2)}`;
  const urls = pictureUrls(frames, model.get("lengths"));
  const alts = model.get("alts");
  const [width, height] = model.get("size");
  const image = element("img", { width, height });
  const controls = model.get("controls");

  // The last control varies fastest, as in itertools.product.
  const draw = () => {
    const frame = parts.reduce((sum, part, i) => sum * controls[i].values.length + part.index(), 0);
    image.src = urls[frame];
    image.alt = alts[frame];
  };
  const parts = controls.map((control, i) =>
    (control.kind === "slider" ? slider : choice)(control, `${id}-${i}`, () => draw()));
  const rows = controls.map((control, i) => element("div", { class: "explorer-row" },
    element("label", { for: `${id}-${i}` }, control.label), ...parts[i].row));

  const box = element("div", { class: "explorer", role: "group", "aria-label": model.get("title") });
  const played = controls.findIndex((control) => control.name === model.get("play"));
  const player = played < 0 ? null : playButton(parts[played], model.get("interval"));
  if (player) {
    player.button.setAttribute("aria-label", `Play or pause: ${controls[played].label}`);
    rows[played].append(player.button);
  }
  box.append(element("p", { class: "explorer-title" }, model.get("title")), ...rows, image);
  el.append(box);
  draw();
  return () => {
    if (player) player.stop();
    urls.forEach((url) => URL.revokeObjectURL(url));
  };
}

export default { render };
