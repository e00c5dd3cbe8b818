"""What an agent does, in one line, read from what it said last: the tool it uses and on what, else its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LINE: Final = 400
"""Characters kept: far more than is shown, so that what looks like a key can be hidden whole before the line is cut."""
_SUBJECTS: Final = ("command", "path", "document", "pattern", "files", "question", "text", "summary")
"""The arguments that say what a tool is used on, the one that says most first."""


def doing_of(reply: Mapping[str, Any]) -> str:
    """Returns what a reply of a model does: its last tool call, else the last thing it said; empty where it says nothing."""
    blocks = [block for block in reply.get("content", ()) if isinstance(block, dict)]
    used = next((block for block in reversed(blocks) if block.get("kind") == "tool_use"), None)
    if used is not None:
        return _line(f"{used.get('name', '')} {_subject(used.get('input'))}")
    return next((line for block in reversed(blocks) if (line := _line(block.get("text")))), "")


def _subject(given: object) -> str:
    if not isinstance(given, dict):
        return ""
    named = (given[name] for name in _SUBJECTS if isinstance(given.get(name), str))
    return next(named, "").strip()


def _line(text: object) -> str:
    return text.strip().partition("\n")[0].strip()[:LINE] if isinstance(text, str) else ""
