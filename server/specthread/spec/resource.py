"""Names of resources that a task needs for itself or shares with a few: `database:test`, `api:github (shared)`."""

import re
from typing import Final, Literal, NamedTuple

KINDS: Final = ("agent", "api", "custom", "database", "file")
Mode = Literal["shared", "exclusive"]


class Use(NamedTuple):
    """A resource by its name, `kind:name`, and whether others may use it at the same time."""

    resource: str
    mode: Mode


def is_resource(name: str) -> bool:
    """Whether this is a kind, a colon and up to 200 characters on one line without white space at their ends."""
    return _NAME.fullmatch(name) is not None


def use_of(written: str) -> Use | None:
    """What an entry of `_Uses:` means; None where it names no resource."""
    found = _SHARED.fullmatch(written)
    name = found["name"] if found else written
    return Use(name, "shared" if found else "exclusive") if is_resource(name) else None


_NAME = re.compile(rf"(?:{'|'.join(KINDS)}):[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{{0,198}}[^\x00-\x20\x7f])?")
_SHARED = re.compile(r"(?P<name>.*\S)[ \t]*\(shared\)", re.IGNORECASE)
