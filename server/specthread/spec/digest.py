"""The content digest: what an approval binds, so that a tick keeps it and a changed word voids it."""

import hashlib
from functools import lru_cache

from specthread.spec.boxes import unticked
from specthread.spec.source import scan

_SHORT = 7


def content_digest(content: bytes) -> str:
    """SHA-256 in hex of the lines, every check box read as `[ ]` and generated lines left out.

    Line endings, a byte order mark and the final newline do not count: a checkout may convert them, and no reader sees them. Everything
    else does, white space within and at the end of a line included.
    """
    return hashlib.sha256(visible(content)).hexdigest()


@lru_cache(maxsize=8)
def visible(content: bytes) -> bytes:
    """What the digest is taken of: the document with boxes unticked, without generated lines, each line ended by a newline."""
    texts = (unticked(line) for line in scan(content).lines if not line.is_generated)
    return "".join(f"{text}\n" for text in texts).encode("utf-8", "surrogateescape")


def short(digest: str) -> str:
    """The first seven characters, as shown to people."""
    return digest[:_SHORT]
