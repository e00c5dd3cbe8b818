"""The keys a person presses while a page moves: read one by one and not shown, and the terminal is as it was before afterwards."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

try:
    import termios
    import tty
except ImportError:  # Windows has no such terminals; there Ctrl-C has to do
    termios = None  # type: ignore[assignment]

_TERMINATED = 143
_CHUNK = 64


class Left(Exception):  # noqa: N818  is what a person did, not an error
    """Tells that a person pressed q."""


@contextmanager
def keys() -> Iterator[Sequence[int]]:
    """Yields the descriptors on which keys come, none where nobody can press any; whatever ends it, the terminal is given back as it was."""
    if termios is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield ()
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    ended = signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        tty.setcbreak(descriptor)
        yield (descriptor,)
    finally:
        # What was typed meanwhile was meant for the page, not for the shell.
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
        signal.signal(signal.SIGTERM, ended)


def heed(keyboard: Sequence[int]) -> None:
    """Reads the keys that came, without waiting for any; raises Left for q."""
    for descriptor in select.select(keyboard, [], [], 0)[0]:
        typed = os.read(descriptor, _CHUNK)
        if not typed or b"q" in typed.lower():
            raise Left
