"""Ids and warnings of a new SpecTask, from its prompt and the state of the repository."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from specgit.repository import Head
from specthread.domain.text import sound_text

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
"""RFC 4648 base32 in lower case: no digit that reads as a letter."""
LONGEST_SLUG = 40
MOST_WORDS = 5
_FILLERS = frozenset({"a", "an", "the", "to", "of", "for", "and", "in", "on", "with", "please", "that", "this"})
NAMED = 5


def spectask_id(prompt: str, suffix: str) -> str:
    """Returns the id: a slug of the prompt's first words and four base32 characters; `task-…` where the prompt gives no slug."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    words = [word for word in re.findall(r"[a-z0-9]+", plain) if word not in _FILLERS][:MOST_WORDS]
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word
        if len(longer) > LONGEST_SLUG:
            break
        slug = longer
    return f"{slug or 'task'}-{suffix}"


def warnings_about(head: Head, adopted: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns what a SpecTask made now leaves out: nothing of the working tree is read, only the commit and the paths that are `adopted`."""
    warnings: list[str] = []
    if head.detached:
        warnings.append(f"HEAD is detached at {head.oid[:12]}: the SpecTask has no target branch to land on.")
    if dirty := [path for path in head.dirty if path not in adopted]:
        warnings.append(f"Uncommitted changes are left out: {_named(dirty)}.")
    if untracked := [_but(path, adopted) for path in head.untracked if path not in adopted]:
        warnings.append(f"Untracked files are left out: {_named(untracked)}.")
    return tuple(warnings)


def _but(path: str, adopted: Sequence[str]) -> str:
    """Returns an untracked path as it is told; git names a folder that is not tracked at all, and not the files in it."""
    return f"{path} (but for what is adopted)" if path.endswith("/") and any(each.startswith(path) for each in adopted) else path


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return sound_text(", ".join(paths[:NAMED])) + more
