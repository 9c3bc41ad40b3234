"""Downloads from a server on loopback that misbehaves in every way we could think of."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
import time

import pytest
import requests

from jepa_tutorial.downloads import fetch

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the content; the server's list of faults says what goes wrong, answer by answer."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        fault = server.faults.pop(0) if server.faults else None
        if fault == "missing":
            self.send_error(404)
            return
        first = 0
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if match and fault != "no ranges":
            first = int(match[1])
            if first >= len(CONTENT):
                self.send_error(416)
                return
        body = CONTENT[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "corrupt":
            body = bytes(len(body))
        if fault in ("truncate", "stall"):
            body = body[: len(body) // 3]
        self.wfile.write(body)
        self.wfile.flush()
        if fault == "stall":
            server.released.wait(5)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.faults, server.asked = [], []
        server.released = threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}/digits.gz"
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "digits.gz"


def offset(asked):
    """Where a range begins; what was left in a buffer at the cut is asked for again."""
    return int(asked.removeprefix("bytes=").removesuffix("-"))


def test_downloads_once(server, path):
    for _ in range(2):
        assert fetch(server.url, SHA256, path) == path
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("fault", ["truncate", "stall"])
def test_goes_on_where_it_was_cut_off(server, path, fault):
    server.faults = [fault]
    started = time.monotonic()
    assert fetch(server.url, SHA256, path, timeout=0.5) == path
    assert path.read_bytes() == CONTENT
    first, second = server.asked
    assert first is None
    assert 100_000 < offset(second) <= len(CONTENT) // 3
    assert time.monotonic() - started < 5  # not as long as the stall


def test_goes_on_in_a_later_call(server, path):
    server.faults = ["truncate"]
    with pytest.raises(requests.RequestException):
        fetch(server.url, SHA256, path, tries=1)
    part = path.with_name("digits.gz.part")
    have = part.stat().st_size
    assert 100_000 < have <= len(CONTENT) // 3
    assert not path.exists()
    fetch(server.url, SHA256, path, tries=1)
    assert path.read_bytes() == CONTENT
    assert offset(server.asked[-1]) == have
    assert not part.exists()


def test_a_server_without_ranges_begins_again(server, path):
    server.faults = ["truncate", "no ranges"]
    fetch(server.url, SHA256, path)
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_dropped(server, path):
    path.parent.mkdir()
    path.with_name("digits.gz.part").write_bytes(CONTENT + b"more")
    fetch(server.url, SHA256, path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("as_part", [False, True])
def test_wrong_content_is_refused_and_nothing_of_it_is_kept(
    server, path, as_part
):
    if as_part:
        path.parent.mkdir()
        path.with_name("digits.gz.part").write_bytes(b"foreign")
    else:
        server.faults = ["corrupt"]
    with pytest.raises(ValueError, match="hash"):
        fetch(server.url, SHA256, path)
    assert not list(path.parent.iterdir())
    fetch(server.url, SHA256, path)
    assert path.read_bytes() == CONTENT


def test_a_damaged_file_is_replaced(server, path):
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    fetch(server.url, SHA256, path)
    assert path.read_bytes() == CONTENT


def test_a_missing_file_is_not_asked_for_again(server, path):
    server.faults = ["missing"] * 3
    with pytest.raises(requests.HTTPError, match="404"):
        fetch(server.url, SHA256, path)
    assert len(server.asked) == 1
    assert not path.exists()


def test_no_server_is_an_os_error(path):
    with pytest.raises(OSError, match="refused"):
        fetch("http://127.0.0.1:9/digits.gz", SHA256, path)


def test_tries_are_checked(path):
    with pytest.raises(ValueError, match="tries"):
        fetch("http://127.0.0.1:9/digits.gz", SHA256, path, tries=0)
