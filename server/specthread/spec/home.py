"""Which spec folder a file of a repository belongs to, and under which names people speak of the spec in it."""

import re
from typing import Final

from specthread.spec.dialects import document_of, is_spec_folder
from specthread.spec.document import DocumentName


def home_of(path: str) -> tuple[str, DocumentName] | None:
    """The spec folder and the document's name in it, for a path below the repository's root; None for what is no live spec document.

    The deltas of an OpenSpec change (`openspec/changes/add-x/specs/auth/spec.md`) belong to the change; changes that are archived are no live specs.
    """
    folder, _, file = path.rpartition("/")
    if not file.endswith((".md", ".MD")):  # nearly all
        return None
    if document_of(file) is None or not is_spec_folder(folder) or "/archive/" in f"/{path}":
        return None
    delta = _DELTA.match(path)
    home = delta["home"] if delta else folder
    return home, DocumentName(path[len(home) + 1 :].rpartition(".")[0])


def names_of(home: str) -> frozenset[str]:
    """The names of a spec: that of its folder, and the same without the four characters behind our own or the number in front of spec-kit's."""
    above, _, name = home.rstrip("/").casefold().rpartition("/")
    sign = _OUR_END if above.endswith(".specs") else _NUMBER
    return frozenset({name, sign.sub("", name)})


_DELTA = re.compile(r"(?P<home>(?:.*/)?openspec/changes/[^/]+)/specs/[^/]+/spec\.md")
_OUR_END: Final = re.compile(r"(?<=.)-[a-z2-7]{4}$")
_NUMBER: Final = re.compile(r"^(?:[0-9]{3,}|[0-9]{8}-[0-9]{6})-(?=.)")
