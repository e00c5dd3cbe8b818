"""Names of resources that a task needs for itself or shares with a few: `database:test`, `api:github (shared)`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from posixpath import normpath
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

KINDS: Final = ("agent", "api", "custom", "database", "file")
Mode = Literal["shared", "exclusive"]
MOST_USED: Final = 64
"""Resources that one task, or one run, may name at once."""


class Use(NamedTuple):
    """A resource by its name, `kind:name`, and whether others may use it at the same time."""

    resource: str
    mode: Mode


def resource_of(name: str) -> str | None:
    """The one name of what is meant: a kind, a colon and up to 200 characters on one line without white space at their ends; None for anything else.

    A file is the same however its path is written. A word in brackets at the end is no part of a name, but a folder may be called so: `file:app/(shop)`.
    """
    if _NAME.fullmatch(name) is None or _BRACKET.search(name):
        return None
    kind, _, rest = name.partition(":")
    return f"file:{normpath(rest)}" if kind == "file" else name


def is_resource(name: str) -> bool:
    """Whether this names a resource."""
    return resource_of(name) is not None


def use_of(written: str) -> Use | None:
    """What an entry of `_Uses:` means; None where it names no resource."""
    found = _MODE.fullmatch(written)
    name = resource_of(found["name"] if found else written)
    return Use(name, "shared" if found and found["mode"].lower() == "shared" else "exclusive") if name else None


@lru_cache(maxsize=4096)
def modes_of(uses: tuple[str, ...]) -> Mapping[str, Mode]:
    """The resources that entries of `_Uses:` name, each with how it is used: alone, where one of several entries says so."""
    modes: dict[str, Mode] = {}
    for use in filter(None, map(use_of, uses)):
        modes[use.resource] = use.mode if modes.get(use.resource) != "exclusive" else "exclusive"
    return MappingProxyType(modes)


_NAME = re.compile(rf"(?:{'|'.join(KINDS)}):[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{{0,198}}[^\x00-\x20\x7f])?")
_MODE = re.compile(r"(?P<name>.*\S)[ \t]*\((?P<mode>shared|exclusive)\)", re.IGNORECASE)
_BRACKET = re.compile(r"[^/]\([^()]*\)$")
