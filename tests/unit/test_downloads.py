"""MNIST from a server on loopback that misbehaves: whole and right, or other digits that say so."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading
from types import SimpleNamespace

import pooch
import pytest

from jepa_tutorial.worlds import digits

CONTENT = {name: name.encode() * 20_000 for name in digits.MNIST_FILES}  # 500 kB each
KNOWN = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
LOAD = f"""
import os, pathlib, sys, time
import torch
from jepa_tutorial.worlds import digits

digits.MNIST_FILES = {KNOWN}
digits.read_idx = lambda path: torch.tensor(path.stat().st_size)
gate = pathlib.Path(sys.argv[2])
(gate / str(os.getpid())).touch()
while len(list(gate.iterdir())) < 3:  # all at once
    time.sleep(0.01)
print(digits.load_digits(sys.argv[1]).source)
"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the content; the server's list of faults says what goes wrong, answer by answer."""

    def do_GET(self):
        server = self.server
        server.asked += 1
        fault = server.faults.pop(0) if server.faults else None
        if fault == "missing":
            self.send_error(404)
            return
        body = CONTENT[self.path.removeprefix("/mnist/")]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "corrupt":
            body = bytes(len(body))
        if fault == "truncate":
            body = body[: len(body) // 3]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.faults, server.asked = [], 0
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}/mnist/"
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path))
    monkeypatch.setattr(digits, "MNIST_FILES", KNOWN)
    monkeypatch.setattr(digits, "read_idx", lambda path: path.read_bytes())
    monkeypatch.setattr(pooch.core, "time", SimpleNamespace(sleep=int))
    return tmp_path / "mnist"


def stored(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_downloads_once(server, folder):
    for _ in range(2):
        found = digits.load_digits(server.url)
    assert [found.images, found.labels] == list(CONTENT.values())
    assert server.asked == 2
    assert stored(folder) == CONTENT


@pytest.mark.parametrize("fault", ["truncate", "corrupt", "missing"])
def test_tries_again(server, folder, fault):
    server.faults = [fault, fault]
    assert "10,000 of MNIST" in digits.load_digits(server.url).source
    assert server.asked == 4
    assert stored(folder) == CONTENT


def test_a_damaged_file_is_replaced(server, folder):
    folder.mkdir()
    (folder / next(iter(CONTENT))).write_bytes(b"damaged")
    digits.load_digits(server.url)
    assert stored(folder) == CONTENT


@pytest.mark.parametrize(
    ("fault", "reason"), [("corrupt", "hash"), ("truncate", ""), ("missing", "404")]
)
def test_what_stays_wrong_leaves_nothing_and_is_told(server, folder, fault, reason):
    server.faults = [fault] * 3
    with pytest.warns(UserWarning, match=f"MNIST is not used: .*{reason}"):
        found = digits.load_digits(server.url)
    assert "MNIST was not to be had" in found.source
    assert stored(folder) == {}


def test_without_a_server_come_other_digits_and_a_sentence():
    with pytest.warns(UserWarning, match="refused"):
        found = digits.load_digits("http://127.0.0.1:9/")
    assert "MNIST was not to be had" in found.source


def test_without_a_place_come_other_digits_and_a_sentence(
    server, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JEPA_TUTORIAL_DATA", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="MNIST is not used"):
        found = digits.load_digits(server.url)
    assert "MNIST was not to be had" in found.source


def test_several_processes_at_once_all_get_the_same_digits(server, folder, tmp_path):
    (tmp_path / "gate").mkdir()
    command = [sys.executable, "-c", LOAD, server.url, tmp_path / "gate"]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = {process.communicate(timeout=120)[0] for process in running}
    assert said == {"The digits are 10,000 of MNIST.\n"}
    assert stored(folder) == CONTENT
