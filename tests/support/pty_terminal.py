"""A command line at a terminal of its own, as a person sees it: what came, and the screen as it stands."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable

import pyte

DEADLINE = 30.0


class PtyTerminal:
    """A program that was started at a terminal of so many columns and rows."""

    def __init__(self, *arguments: str, columns: int = 120, rows: int = 40, **variables: str) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(rows), **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "specthread", *arguments],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env=environ,
            # Tests that run in the background of a shell inherit that Ctrl-C is ignored, which nobody at a terminal does.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  nothing here runs threads that hold a lock
        )
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def seen(self) -> str:
        """All that came, without what steers the terminal."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.raw.decode(errors="replace"))

    @property
    def lines(self) -> list[str]:
        """The screen as it stands, to its last line that is not empty."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().splitlines()

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal is as it was given to the program, with its cursor shown."""
        return termios.tcgetattr(self._theirs) == self.before and not self._screen.cursor.hidden

    def wait_for(self, words: str, times: int = 1) -> None:
        """Returns when the words came so often."""
        self.wait_until(lambda: self.seen.count(words) >= times, words)

    def wait_shown(self, words: str) -> None:
        """Returns when the words stand on the screen."""
        self.wait_until(lambda: words in "\n".join(self.lines), words)

    def wait_until(self, reached: Callable[[], bool], words: str) -> None:
        """Returns when something is the case."""
        end = time.monotonic() + DEADLINE
        while not reached():
            assert self._read(end), f"{words!r} did not come; this came: {self.seen}"

    def type(self, text: str) -> None:
        """Presses keys."""
        os.write(self._ours, text.encode())

    def wait_end(self) -> int:
        """Returns the exit code once the program has ended and all it said has come."""
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"It did not end; this came: {self.seen}"
            self._read(time.monotonic() + 0.1)
        while self._read(time.monotonic() + 0.1):
            pass
        return self.process.returncode

    def _read(self, end: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        part = os.read(self._ours, 65536)
        self.raw += part
        self._stream.feed(part)
        return bool(part)

    def close(self) -> None:
        """Ends the program."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)
