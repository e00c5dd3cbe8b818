"""Settings about worktrees: which folders they hold, and which ignored files of the checkout they get copies of.

The second is a file of its own, `.worktreeinclude`, since other tools read it too. A repository that was cloned could name secrets in it, so its
lines count only where the human allowed exactly them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specthread.bounded_file import bounded_bytes

INCLUDE_FILE = ".worktreeinclude"
FOLDERS_WANTED = "a list of folders in the repository, such as `src` or `docs/api`, without patterns, `..` or a leading slash"
_LONGEST_FILE = 1 << 16
_PATTERN = frozenset("*?[]\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorktreeSettings:
    """The folders that a session's worktree holds beside the files at the top (none: everything), and patterns of ignored files to copy into it."""

    sparse: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


def are_folders(value: Any) -> bool:  # noqa: ANN401  any TOML value
    """Tells whether a setting names folders inside the repository."""
    return isinstance(value, list) and all(isinstance(each, str) and _is_folder(each) for each in value)


def included(repository: Path) -> dict[str, list[str]]:
    """Returns the lines of the repository's `.worktreeinclude`, by its name; nothing where there is none that can be used."""
    try:
        content = bounded_bytes(repository / INCLUDE_FILE, _LONGEST_FILE)
    except (OSError, ValueError):
        return {}
    lines = [line.strip() for line in content.decode(errors="replace").splitlines()]
    asked = [line for line in lines if line and not line.startswith("#")]
    return {INCLUDE_FILE: asked} if asked else {}


def worktrees_from(values: Mapping[str, Any]) -> WorktreeSettings:
    """Returns the settings that these values, by name, come to."""
    return WorktreeSettings(sparse=tuple(values.get("worktrees.sparse", ())), include=tuple(values.get(INCLUDE_FILE, ())))


def _is_folder(text: str) -> bool:
    parts = text.removesuffix("/").split("/")
    return not any(part.casefold() in {"", ".", "..", ".git"} for part in parts) and text.isprintable() and not _PATTERN.intersection(text)
