"""Keeps keys out of what is written to git: the daemon's own secret values, and anything in the shape of a key."""

from __future__ import annotations

import re
from collections.abc import Sequence

from specthread.domain.text import sound_text

REDACTED = "[redacted]"
# A private key without its end, because the text was cut, is hidden to the end of the text.
_KEY_SHAPES = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
)


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """Returns the text as it may be written down: sound, without the given secret values and without anything in the shape of a key.

    To be called on one whole thing that was said, before it is cut: half a key has no shape.
    """
    text = sound_text(text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _KEY_SHAPES.sub(REDACTED, text)
