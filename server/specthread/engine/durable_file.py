"""Files that are on the disk once they are said to be, whole or not at all."""

from __future__ import annotations

import functools
import os
from pathlib import Path


def replace_durably(path: Path, content: bytes) -> None:
    """Writes a file for its owner alone; a crash leaves the one before. Raises OSError, and then nothing is left of it on a disk that may be full."""
    beside = path.with_name(f"{path.name}.new")
    try:
        with open(beside, "wb", opener=functools.partial(os.open, mode=0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
