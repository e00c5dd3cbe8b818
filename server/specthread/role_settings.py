"""Role files that a person keeps beside their settings, or a repository in `.specthread/roles/`; see `agents/role_file.py` for their form.

What agents are told and may use is a power: a repository's files count only where the human allowed exactly their words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from specthread.bounded_file import bounded_bytes
from specthread.spec.role import NAMED

if TYPE_CHECKING:
    from specthread.agents.role_file import RoleFile

FOLDER = ".specthread"
ROLES = "roles"
_MOST = 100
_LONGEST_FILE = 1 << 16


def is_role(name: str) -> bool:
    """Tells whether a setting of this name is the text of a role's file."""
    return name.startswith(f"{ROLES}/")


def read(folder: Path) -> tuple[dict[str, str], list[tuple[Path, str]]]:
    """Returns the texts of the role files in `folder/roles` as settings by name, and what is wrong with others. Never raises."""
    values: dict[str, str] = {}
    problems: list[tuple[Path, str]] = []
    for file in _files(folder / ROLES):
        try:
            text = _text(file)
            _checked(file.stem, text)
        except (OSError, ValueError) as fault:
            reason = f"It cannot be read: {fault.strerror}." if isinstance(fault, OSError) else str(fault)
            problems.append((file, f"{reason} The role was left out."))
        else:
            values[f"{ROLES}/{file.name}"] = text
    return values, problems


def roles_from(values: Mapping[str, Any]) -> dict[str, RoleFile]:
    """Returns the roles that these settings, by name, come to; a model or effort chosen in settings goes over that of a file."""
    found = {}
    for name, text in values.items():
        if is_role(name):
            role = name.removeprefix(f"{ROLES}/").removesuffix(".md")
            own = {key: values[f"messages.{role}.{key}"] for key in ("model", "effort") if f"messages.{role}.{key}" in values}
            found[role] = replace(_checked(role, text), **own)
    return found


def _files(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  names are enough
    except OSError:
        return
    yield from (folder / name for name in names[:_MOST] if name.endswith(".md") and name.casefold() != "readme.md")


def _text(file: Path) -> str:
    try:
        return bounded_bytes(file, _LONGEST_FILE).decode()
    except UnicodeDecodeError:
        raise ValueError("It is not UTF-8 text.") from None


def _checked(name: str, text: str) -> RoleFile:
    from specthread.agents.role_file import read_role  # noqa: PLC0415  YAML takes a while, and most have no such files

    if not NAMED.fullmatch(name):
        raise ValueError("A role is named in small letters and hyphens, 30 at most, such as `tester.md`.")
    return read_role(text)
