"""Reading a small file that somebody else may have put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def bounded_bytes(file: Path, longest: int) -> bytes:
    """Returns the content of a regular file, following no link and waiting for no pipe. Raises OSError, and ValueError where it is none or longer."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)  # a folder cannot be made a file object, which would close it
        raise ValueError("It is no file.")
    with os.fdopen(descriptor, "rb") as opened:
        content = opened.read(longest + 1)
    if len(content) > longest:
        raise ValueError(f"It is longer than {longest} bytes.")
    return content
