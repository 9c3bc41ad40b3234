"""Real programs: a Jupyter server of its own for each test module, and its pages in Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("0*.ipynb"))
ALIVE = 120  # seconds a server may take to start on a busy machine


def environment(home: Path) -> dict[str, str]:
    """Nothing of the reader's own settings, and the package of this folder."""
    folders = {
        f"JUPYTER_{name}_DIR": str(home / name)
        for name in ("CONFIG", "DATA", "RUNTIME")
    }
    folders["JUPYTERLAB_SETTINGS_DIR"] = str(home / "settings")
    return {**os.environ, **folders, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@dataclass
class Jupyter:
    """A server: its address, its folder of notebooks, its settings."""

    url: str
    folder: Path
    environment: dict[str, str]

    def trust(self, name: str) -> None:
        """Trust a notebook as `jupyter trust` does."""
        command = [sys.executable, "-m", "jupyter", "trust", str(self.folder / name)]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """Serve the chapters, and a notebook with one live figure of each kind."""
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "book"
    folder.mkdir()
    for chapter in CHAPTERS:
        shutil.copy(chapter, folder)
    ours = environment(home)
    # All cells at once, not only those on the screen.
    tracker = home / "settings" / "@jupyterlab" / "notebook-extension"
    tracker.mkdir(parents=True)
    mode = '{"windowingMode": "none"}'
    (tracker / "tracker.jupyterlab-settings").write_text(mode)
    script = ROOT / "tests" / "pages" / "live_notebook.py"
    figures = [sys.executable, str(script), str(folder / "live.ipynb")]
    subprocess.run(figures, env=ours, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "IdentityProvider.token": "",
        "ServerApp.root_dir": folder,
        "LabApp.news_url": "",
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=ours, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/api/status", server)
            yield Jupyter(url, folder, ours)
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    for _ in range(2 * ALIVE):
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            assert server.poll() is None, "the server has ended"
            time.sleep(0.5)
    raise AssertionError(f"{url} does not answer after {ALIVE} s")


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)  # a busy machine is no failure
    yield context.new_page()
    context.close()
