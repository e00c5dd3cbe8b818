"""Which spec folder a file of a repository belongs to, and under which names people speak of the spec in it."""

import re
from typing import Final

from specthread.spec.dialects import place_of
from specthread.spec.document import DocumentName


def home_of(path: str) -> tuple[str, DocumentName] | None:
    """The spec folder and the document's name in it, for a path below the repository's root; None for what is no live spec document.

    Changes that are archived are no live specs.
    """
    if path[-3:].casefold() != ".md" or "/archive/" in f"/{path}":  # nearly all
        return None
    return place_of(path)


def names_of(home: str) -> frozenset[str]:
    """The names of a spec: that of its folder, and the same without the four characters behind our own or the number in front of spec-kit's."""
    above, _, name = home.rstrip("/").casefold().rpartition("/")
    sign = _OUR_END if above.endswith(".specs") else _NUMBER
    return frozenset({name, sign.sub("", name)})


_OUR_END: Final = re.compile(r"(?<=.)-[a-z2-7]{4}$")
_NUMBER: Final = re.compile(r"^(?:[0-9]{3,}|[0-9]{8}-[0-9]{6})-(?=.)")
