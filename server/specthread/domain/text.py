"""Text that can be written down: what a model, a file name or a request gives may hold halves of surrogate pairs, which no encoder takes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

DEEPEST = 64
"""Levels of a value that is taken from a model or a program."""
_TAG = re.compile(r"<(?=\s*/?\s*material\b)", re.IGNORECASE)


def sound_text(text: str) -> str:
    """Returns the text as valid Unicode: two halves that belong together are joined, a lone half becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def sound(value: Any) -> Any:  # noqa: ANN401  any value that JSON can hold
    """Returns a JSON value with every text in it sound, keys included."""
    if isinstance(value, str):
        return sound_text(value)
    if isinstance(value, dict):
        return {sound(key): sound(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sound(item) for item in value]
    return value


def is_deep(value: Any) -> bool:  # noqa: ANN401  any value that JSON can hold
    """Tells whether a JSON value nests deeper than anybody means it, and perhaps than it could be walked through."""
    level = [value]
    for _ in range(DEEPEST):
        level = [item for each in level if isinstance(each, dict | list) for item in (each.values() if isinstance(each, dict) else each)]
    return bool(level)


def material(name: str, text: str) -> str:
    """Returns somebody's text wrapped as material for an agent to judge, with its own attempts at such tags made harmless."""
    return f'<material name="{name}">\n{_TAG.sub("&lt;", text).rstrip()}\n</material>'


def shortened(text: str, longest: int) -> str:
    """Returns the text, cut to so many characters where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def listed(names: Sequence[str], longest: int) -> str:
    """Returns the names in a row or, where that is more than so many characters, as many as fit and how many more there are."""
    text = ", ".join(names)
    if len(text) <= longest:
        return text
    room = longest - len(f" and {len(names):,} more")
    shown = bisect_right(list(accumulate(len(name) + len(", ") for name in names)), room)
    return f"{', '.join(names[:shown])} and {len(names) - shown:,} more" if shown else f"{len(names):,} that are too long to name"
