"""Commands that outlived their daemon.

Bubblewrap ends with whoever started it, but for two moments while it begins: before it has asked for that, and while its inner process waits for an outer one that was
killed, for ever. A daemon has its state folder alone, so what still works there when it starts is nobody's.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")


def end_orphans(folder: Path) -> int:
    """Kills every sandbox that shows something of a folder, with all in it, and returns how many; only for whoever has the folder alone."""
    ended = 0
    for pid in _sandboxes(os.fsencode(f"{folder}/")):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            ended += 1
    return ended


def _sandboxes(beginning: bytes) -> Iterator[int]:
    for process in _PROCESSES.glob("[1-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        is_sandbox = os.path.basename(words[0]) == b"bwrap" and b"--die-with-parent" in words  # noqa: PTH119  bytes
        if is_sandbox and any(word.startswith(beginning) for word in words):
            yield int(process.name)
