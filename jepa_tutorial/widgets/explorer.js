// Draws an Explorer: controls over pictures that the model carries.
import { bytesOf, element, follow, panel } from "./base.js";

// Cut the bytes into one object URL per picture.
function pictureUrls(buffer, lengths) {
  let start = 0;
  return lengths.map((length) => {
    const part = buffer.slice(start, (start += length));
    return URL.createObjectURL(new Blob([part], { type: "image/webp" }));
  });
}

function render({ model, el }) {
  const frames = bytesOf(model.get("frames"));
  if (!frames) {
    el.append(element("p", {}, "The pictures of this figure are missing: run the cell again."));
    return;
  }
  const urls = pictureUrls(frames, model.get("lengths"));
  const alts = model.get("alts");
  const [width, height] = model.get("size");
  const controls = model.get("controls");
  const image = element("img", { width, height });

  const shown = panel({
    model, el, kind: "explorer", controls, play: model.get("play"),
    interval: model.get("interval"), onChange: () => draw(),
  });
  // The last control varies fastest, as in itertools.product.
  const draw = () => {
    const frame = controls.reduce(
      (sum, { name, values }) => sum * values.length + shown.index(name), 0);
    image.src = urls[frame];
    image.alt = alts[frame];
  };
  shown.box.append(image);
  draw();
  const leave = follow(shown.box, () => {});
  return () => {
    shown.stop();
    leave();
    urls.forEach((url) => URL.revokeObjectURL(url));
  };
}

export default { render };
