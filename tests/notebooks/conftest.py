"""A wheel of the package, and a way to run Python with it: elsewhere, alone and offline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Python imports `sitecustomize` at each start, so that kernels are cut off as well.
OFFLINE = """
import socket

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def refuse(method):
    def call(self, address, *rest):
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise OSError(f"offline: {address[0]} was asked for")
        return method(self, address, *rest)

    return call


def lookup(host, *rest, _getaddrinfo=socket.getaddrinfo, **options):
    if host not in (None, "", *LOOPBACK):
        raise OSError(f"offline: {host} was asked for")
    return _getaddrinfo(host, *rest, **options)


socket.socket.connect = refuse(socket.socket.connect)
socket.socket.connect_ex = refuse(socket.socket.connect_ex)
socket.getaddrinfo = lookup
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package installed from its wheel, as a reader would have it."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    install = [
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run([*pip, *install], check=True)
    return target


@pytest.fixture
def alone(
    installed: Path, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in an empty folder, offline, with the package from the wheel."""
    (tmp_path / "offline").mkdir()
    (tmp_path / "offline" / "sitecustomize.py").write_text(OFFLINE)
    empty = tmp_path / "empty"
    empty.mkdir()
    path = os.pathsep.join([str(tmp_path / "offline"), str(installed)])
    environment = {**os.environ, "PYTHONPATH": path}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    return run
