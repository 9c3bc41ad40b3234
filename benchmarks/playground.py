"""How fast the playground trains in Chromium, as it is and with the processor slowed down.

Aim: 300 steps a second on a laptop, and 100 with a quarter of its speed, which stands for a phone.
Run ``python benchmarks/playground.py`` after ``make book``; it takes a minute. For each setting and
slowdown it gives the steps a second of the page, which plays at most 360, those of the engine alone,
and the longest time that a frame kept the page from answering, in milliseconds.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from jepa_tutorial.widgets.base import assemble

PAGE = Path(__file__).resolve().parents[1] / "_build/html/book/playground.html"
SETTINGS = {
    "slow copy": "target=slow",
    "gradient flows": "target=through",
    "SIGReg": "target=through&regularizer=sigreg&weight=0.1",
}
ALONE = """async ([source, fragment, seconds]) => {
    const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
    const {newModel} = await import(url);
    const given = Object.fromEntries(new URLSearchParams(fragment));
    const model = newModel({target: "slow", regularizer: "none", ...given, seed: 0, noise: 0.05,
        emaDecay: 0.99, lr: 0.003, predictor: true, weight: Number(given.weight ?? 0)});
    for (let i = 0; i < 100; i++) model.step();
    const begin = performance.now();
    let steps = 0;
    for (; performance.now() - begin < 1000 * seconds; steps++) model.step();
    return (1000 * steps) / (performance.now() - begin);
}"""
# How long each frame's own work took: the time from its start until the page can answer again.
WATCH = """() => {
    window.longest = 0;
    const channel = new MessageChannel();
    let start = 0;
    channel.port1.onmessage = () => {
        window.longest = Math.max(window.longest, performance.now() - start);
    };
    const watch = () => {
        start = performance.now();
        channel.port2.postMessage(0);
        requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
}"""
STEP = "Number(document.querySelector('.live-says').textContent.match(/[\\d,]+/)[0].replaceAll(',', ''))"


def measure(page: Any, fragment: str, seconds: float) -> tuple[float, float, float]:
    """Steps a second of page and engine, and the longest frame."""
    page.goto(f"{PAGE.as_uri()}#{fragment}")
    page.reload()
    page.locator(".playground.live").wait_for()
    alone = page.evaluate(ALONE, [assemble("tiny_jepa.js"), fragment, seconds])
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(500)
    page.evaluate(WATCH)
    begin = page.evaluate(f"[{STEP}, performance.now()]")
    page.wait_for_timeout(1000 * seconds)
    end = page.evaluate(f"[{STEP}, performance.now(), window.longest]")
    return 1000 * (end[0] - begin[0]) / (end[1] - begin[1]), alone, end[2]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    print("setting         slowdown  page, steps/s  engine, steps/s  longest frame, ms")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        for name, fragment in SETTINGS.items():
            for rate in (1, 4):
                page = browser.new_page(viewport={"width": 390, "height": 844})
                session = page.context.new_cdp_session(page)
                session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
                values = measure(page, fragment, options.seconds)
                print(
                    f"{name:14}  {rate:8}  {values[0]:13.0f}  {values[1]:15.0f}  "
                    f"{values[2]:17.0f}"
                )
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
