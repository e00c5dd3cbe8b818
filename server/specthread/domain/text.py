"""Text that can be written down: what a model, a file name or a request gives may hold halves of surrogate pairs, which no encoder takes."""

from __future__ import annotations

import re
from typing import Any

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


def material(name: str, text: str) -> str:
    """Returns somebody's text wrapped as material for an agent to judge, with its own attempts at such tags made harmless."""
    return f'<material name="{name}">\n{_TAG.sub("&lt;", text).rstrip()}\n</material>'
