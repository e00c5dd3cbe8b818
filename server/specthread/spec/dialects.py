"""Which family of spec documents a file belongs to: by its folder, and only then by what it says."""

import re
from itertools import pairwise
from typing import Final, Literal

Dialect = Literal["specthread", "kiro", "cc-sdd", "spec-kit", "openspec", "spec-workflow"]


def detect(path: str, content: bytes = b"") -> Dialect:
    """The dialect of the file or folder; the innermost telling folder decides, and our own is the answer where nothing tells."""
    parts = [part for part in re.split(r"[/\\]+", path) if part]
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == "specs" and index + 1 < len(parts) and _SPEC_KIT_FOLDER.match(parts[index + 1]):
            return "spec-kit"
        if (found := _FOLDERS.get(parts[index])) is not None:
            return _kiro_family(content) if found == "kiro" else found
    return _by_content(content)


def is_spec_folder(path: str) -> bool:
    """Whether the file or folder lies where one of the dialects keeps its specs; files of the same names elsewhere are not specs."""
    parts = [part for part in re.split(r"[/\\]+", path) if part]
    spec_kit = any(name == "specs" and _SPEC_KIT_FOLDER.match(below) for name, below in pairwise(parts))
    return spec_kit or not _FOLDERS.keys().isdisjoint(parts)


_FOLDERS: Final[dict[str, Dialect]] = {
    ".specs": "specthread",
    ".kiro": "kiro",
    ".specify": "spec-kit",
    ".spec-workflow": "spec-workflow",
    "openspec": "openspec",
}
_SPEC_KIT_FOLDER = re.compile(r"(?:[0-9]{3,}|[0-9]{8}-[0-9]{6})-")
_CC_SDD = re.compile(rb"^[ \t]*- \[.\]\*? [0-9.]+ \(P\)|^[ \t]*- \\?_Boundary:", re.MULTILINE)
_CONTENT: Final[tuple[tuple[re.Pattern[bytes], Dialect], ...]] = (
    (re.compile(rb"^[ \t]*- \[[ xX-]\] T[0-9]{3}\b|^- \*\*FR-[0-9]{3}|^# Feature Specification:", re.MULTILINE), "spec-kit"),
    (re.compile(rb"^## (?:ADDED|MODIFIED|REMOVED|RENAMED) Requirements|^#### Scenario:", re.MULTILINE), "openspec"),
    (re.compile(rb"^[ \t]*- \\?_(?:Leverage|Prompt):", re.MULTILINE), "spec-workflow"),
    (_CC_SDD, "cc-sdd"),
    (re.compile(rb'^[ \t]*(?:\{[ \t]*)?"waves"[ \t]*:', re.MULTILINE), "kiro"),
)


def _kiro_family(content: bytes) -> Dialect:
    return "cc-sdd" if _CC_SDD.search(content) else "kiro"


def _by_content(content: bytes) -> Dialect:
    return next((dialect for sign, dialect in _CONTENT if sign.search(content)), "specthread")
