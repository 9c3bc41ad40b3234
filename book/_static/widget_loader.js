// Shows the book's explorers and live figures on a static page: no kernel, no other library.
// Reads the widget state that the notebook stored and renders each anywidget model in place.
(function () {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  function bytes(base64) {
    const text = atob(base64);
    return new DataView(Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer);
  }

  // What anywidget's `render` expects of a model, over values that never change.
  function makeModel(entry) {
    const values = { ...entry.state };
    for (const buffer of entry.buffers || []) {
      const last = buffer.path[buffer.path.length - 1];
      const owner = buffer.path.slice(0, -1).reduce((object, key) => object[key], values);
      owner[last] = bytes(buffer.data);
    }
    return {
      get: (name) => values[name],
      set: (name, value) => { values[name] = value; },
      on() {},
      off() {},
      save_changes() {},
    };
  }

  const styles = new Set();
  function addStyle(text) { // once, though every model carries it
    if (styles.has(text)) return;
    styles.add(text);
    const style = document.createElement("style");
    style.textContent = text;
    document.head.append(style);
  }

  async function show(script, state) {
    const place = document.createElement("div");
    script.after(place);
    const entry = state[JSON.parse(script.textContent).model_id];
    if (!entry || entry.model_module !== "anywidget") {
      place.textContent = "This figure needs a running notebook.";
      return;
    }
    const model = makeModel(entry);
    addStyle(model.get("_css") || "");
    const source = new Blob([model.get("_esm")], { type: "text/javascript" });
    const url = URL.createObjectURL(source);
    const module = await import(url);
    URL.revokeObjectURL(url);
    await module.default.render({ model, el: place });
  }

  function start() {
    const script = document.querySelector(STATE);
    if (!script) return;
    const { state } = JSON.parse(script.textContent);
    for (const view of document.querySelectorAll(VIEW)) show(view, state);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
