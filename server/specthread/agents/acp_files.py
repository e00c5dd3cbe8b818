"""Which files an external agent asks leave for: all that it names, by where they lie and not by how they are written."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from specthread.agents.place import Place


def places_in(update: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the files that an update of a tool call names: those it changes, that of its input, and its locations."""
    content, given, locations = (update.get(key) for key in ("content", "rawInput", "locations"))
    named = [
        *(each for each in _each(content) if isinstance(each, dict) and each.get("type") == "diff"),
        given,
        *_each(locations),
    ]
    return tuple(each["path"] for each in named if isinstance(each, dict) and isinstance(each.get("path"), str) and each["path"])


def _each(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def files_of(place: Place, paths: Iterable[str]) -> tuple[str, ...]:
    """Returns each file once, as rules name it: relative to the project's root, once links are followed; one outside of it by its whole path."""
    return tuple(dict.fromkeys(_file_of(place, path) for path in paths))


def _file_of(place: Place, path: str) -> str:
    root = place.profile.cwd
    written = posixpath.join(root, path)
    whole = posixpath.normpath(f"/{written.lstrip('/')}")
    source = next((mount.source for mount in place.profile.mounts if mount.target == root), None)
    if source is not None and written.startswith(f"{root}/"):
        try:
            return (source / written.removeprefix(root).lstrip("/")).resolve().relative_to(source.resolve()).as_posix()
        except (OSError, RuntimeError, ValueError):  # it leads in circles, or out of the project
            return whole.removeprefix(f"{root}/")
    return whole.removeprefix(f"{root}/")
