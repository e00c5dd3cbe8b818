"""The cache as a file that a person copies: written anew, and read without trust.

A key is a digest of what a value follows from, not of the value: whether a value is right cannot be seen, only that the file is as it was written, that its keys are
such digests, and that nothing in it would stay longer than what is worked out here. So a person takes in only files whose origin they know.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from pathlib import Path

from specthread.engine.context_cache import Entry, decoded, encoded

_KEY = re.compile(r"[\x21-\x7e]{1,400}/[0-9a-f]{64}")


def write_export(path: Path, entries: Mapping[str, Entry]) -> None:
    """Writes values to a new file that only its owner may read; a file that could not be written whole is removed. Raises OSError, FileExistsError."""
    with open(path, "xb", opener=functools.partial(os.open, mode=0o600)) as file:
        try:
            file.write(encoded(entries))
            file.flush()
        except OSError:
            path.unlink()
            raise


def read_export(path: Path, most_bytes: int) -> dict[str, Entry]:
    """Returns the values of a file that was exported; raises OSError where it cannot be read, ValueError with a reason where it is not to be trusted."""
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > 2 * most_bytes:
        raise ValueError("it is larger than a cache can be")
    entries = decoded(path.read_bytes())
    bad = next((key for key in entries if not _KEY.fullmatch(key)), None)
    if bad is not None:
        raise ValueError(f"{bad[:80]!r} is no key that follows from content")
    return entries
