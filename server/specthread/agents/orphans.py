"""Commands that outlived their daemon.

Bubblewrap ends with whoever started it, but for two moments while it begins: before it has asked for that, and while its inner process waits for an outer one that was
killed, for ever. A daemon has its state folder alone, so a sandbox with the mark of that folder that is there when it starts is nobody's. A person's own bubblewrap has
no mark, whatever it shows.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from specthread.agents.sandbox import MARK

_PROCESSES = Path("/proc")


def end_orphans(folder: Path) -> int:
    """Kills every sandbox that was started for a state folder, with all in it, and returns how many; only for whoever has the folder alone."""
    ended = 0
    for pid in _sandboxes(os.fsencode(f"{MARK}={folder}")):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            ended += 1
    return ended


def _sandboxes(mark: bytes) -> Iterator[int]:
    for process in _PROCESSES.glob("[1-9]*"):
        try:
            is_ours = (process / "comm").read_bytes() == b"bwrap\n" and mark in (process / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile, or is somebody else's
            continue
        if is_ours:
            yield int(process.name)
