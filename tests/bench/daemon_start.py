"""The daemon: from nothing to a socket that answers, and the memory it holds while it has nothing to do."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.measure import Figure, at_most
from specthread import shim

STARTS = 8
MEGABYTE = 1_000_000
START_LIMIT_MS = 600
MEMORY_LIMIT = 90


def figures() -> list[Figure]:
    """Returns the figures of the start and of the idle memory."""
    found = [_start_once() for _ in range(STARTS)]
    starts = [milliseconds for milliseconds, _ in found]
    memory = max(megabytes for _, megabytes in found)
    return [
        at_most("daemon start to the first answer on its socket", starts, limit=START_LIMIT_MS, tail=False),
        Figure(
            name="daemon, idle memory",
            target=f"≤ {MEMORY_LIMIT} MB",
            measured=f"{memory:.0f} MB",
            holds=memory <= MEMORY_LIMIT,
            numbers={"megabytes": memory},
        ),
    ]


def _start_once() -> tuple[float, float]:
    """Starts a daemon in an empty state folder and stops it; returns milliseconds to its first answer, and its megabytes then."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "SPECTHREAD_STATE": str(Path(folder, "state"))}
        start = time.perf_counter()
        link = shim.attach(environ["SPECTHREAD_STATE"], environ)
        try:
            shim.greet(link, role="rpc", client="bench", cwd=folder)
            taken = (time.perf_counter() - start) * 1000
            return taken, psutil.Process(_peer(link)).memory_info().rss / MEGABYTE
        finally:
            link.close()
            subprocess.run([sys.executable, "-m", "specthread", "daemon", "stop"], env=environ, check=True, capture_output=True)


def _peer(link: socket.socket) -> int:
    """Returns the process at the other end of a socket."""
    credentials = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])
