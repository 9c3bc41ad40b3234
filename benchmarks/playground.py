"""How fast the playground trains in Chromium, as it is and with the processor slowed down.

Aim: 300 steps a second on a laptop, and 100 with a quarter of its speed, which stands for a phone.
Run ``python benchmarks/playground.py``; it takes a minute. Each row has the steps a second of the
page, which plays at most 360, those of the engine alone, and their ratio; the longest of the slices
that the page's frames take for training and drawing, in milliseconds; and the slowdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
from typing import Any

from playwright.sync_api import sync_playwright

from jepa_tutorial.widgets.base import assemble
from jepa_tutorial.widgets.playground import Playground

SETTINGS: dict[str, dict[str, Any]] = {
    "slow copy": {"target": "slow"},
    "gradient flows": {"target": "through"},
    "SIGReg": {"target": "through", "regularizer": "sigreg", "weight": 0.1},
}
# Each puts a module in a page, as the page of the book does.
ALONE = """async ([source, settings, seconds]) => {
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const {newModel} = await import(url);
    const model = newModel({...settings, emaDecay: settings.ema_decay});
    for (let i = 0; i < 100; i++) model.step();
    const begin = performance.now();
    let steps = 0;
    for (; performance.now() - begin < 1000 * seconds; steps++) model.step();
    return (1000 * steps) / (performance.now() - begin);
}"""
PLAY = """async ([source, style, values, seconds]) => {
    document.head.append(Object.assign(document.createElement("style"), {textContent: style}));
    const longest = {slice: 0};
    const ask = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (work) => ask((now) => {
        const begin = performance.now();
        work(now);
        longest.slice = Math.max(longest.slice, performance.now() - begin);
    });
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const model = {get: (name) => values[name]};
    (await import(url)).default.render({model, el: document.body});
    const wait = (time) => new Promise((done) => setTimeout(done, time));
    const step = () => Number(document.querySelector(".live-says").textContent
        .match(/Step ([\\d,]+)/)[1].replaceAll(",", ""));
    document.querySelector(".live-play").click();
    await wait(500);
    longest.slice = 0;
    const begin = [step(), performance.now()];
    await wait(1000 * seconds);
    return [1000 * (step() - begin[0]) / (performance.now() - begin[1]), longest.slice];
}"""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    print(f"{'setting':14}  page, steps/s  engine, steps/s  ratio  slice, ms  slowdown")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or next(filter(None, found)),
            args=["--no-sandbox"],
        )
        for name, settings in SETTINGS.items():
            figure = Playground(**settings)
            values = {
                "kind": figure.kind,
                "title": figure.title,
                "settings": figure.settings,
                "palettes": figure.palettes,
                "linked": False,
            }
            for rate in (1, 4):
                page = browser.new_page(viewport={"width": 390, "height": 844})
                session = page.context.new_cdp_session(page)
                session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
                given = [assemble("tiny_jepa.js"), figure.settings, options.seconds]
                alone = page.evaluate(ALONE, given)
                given = [figure._esm, figure._css, values, options.seconds]
                played, slice_ = page.evaluate(PLAY, given)
                print(
                    f"{name:14}  {played:13.0f}  {alone:15.0f}  {played / alone:5.2f}  "
                    f"{slice_:9.0f}  {rate:8}"
                )
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
