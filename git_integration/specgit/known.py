"""Which files of a worktree need not be read again, because nothing about them has changed since they were.

A file is known by its inode, size, mode and both times. A file that was young when it was read is not known: it may have been written again within the
same tick of its file system's clock. A program that writes through a mapping of the file can change it without moving its times; so this is for looking
ahead, and whatever is committed or kept is read whole.
"""

import os
import time
from array import array

from specgit.types import Oid

_YOUNG = 2_000_000_000
"""Nanoseconds; the coarsest file systems tell time in steps of two seconds."""
_WORD = (1 << 64) - 1


class KnownFiles:
    """The files of one worktree that were read and found to be those of `commit`; takes eight bytes a file."""

    def __init__(self) -> None:
        self._commit: Oid | None = None
        self._seen = array("Q")
        self._old = 0

    def begin(self, commit: Oid, count: int) -> None:
        """Begins a look at the worktree as it differs from a commit of `count` files; what was known of another commit is forgotten."""
        if self._commit != commit or len(self._seen) != count:
            self._commit = commit
            self._seen = array("Q", bytes(8 * count))
        self._old = time.time_ns() - _YOUNG

    def holds(self, place: int, stat: os.stat_result) -> bool:
        """Tells whether the commit's file number `place` is known to be unchanged."""
        return self._seen[place] == _sign(stat)

    def note(self, place: int, stat: os.stat_result) -> None:
        """Remembers that the file which has these facts was read, after they were taken, and is the commit's file number `place`."""
        if max(stat.st_mtime_ns, stat.st_ctime_ns) < self._old:
            self._seen[place] = _sign(stat)


def _sign(stat: os.stat_result) -> int:
    facts = (stat.st_ino, stat.st_size, stat.st_mode, stat.st_mtime_ns, stat.st_ctime_ns)
    return hash(facts) & _WORD | 1  # never 0, which says that nothing is known
