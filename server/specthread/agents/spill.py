"""Output that is too long for a result: the agent is shown its beginning and its end, and reads the rest in parts from a file that no commit holds."""

import hashlib
import re
from pathlib import Path
from typing import Final

OUTPUT: Final = "/run/output"
"""Where the agent finds the folder with what was too long, in its tools and in its commands."""
KEPT_OUTPUT: Final = 1_000_000
"""Bytes of a command's output that are kept at most."""
SPILLED: Final = re.compile(rf"{OUTPUT}/[0-9a-f]+\.txt")


def spilled(text: str, most: int, folder: Path | None) -> str:
    """Returns a text as a result shows it, of `most` characters; all of a longer one is kept in the folder, under a name that the same text gets again."""
    if len(text) <= most:
        return text
    head, tail = most // 3, most - most // 3
    note = f"{len(text) - head - tail} characters left out"
    if folder is not None:
        content = text.encode(errors="replace")
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.txt"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        note += f"; all of it is in {OUTPUT}/{name}, which `read` shows in parts"
    return f"{text[:head]}\n[... {note} ...]\n{text[-tail:]}"
