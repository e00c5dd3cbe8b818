"""Which family of spec documents a file belongs to: by its folder, and only then by what it says."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName

Dialect = Literal["specthread", "kiro", "cc-sdd", "spec-kit", "openspec", "spec-workflow"]


def detect(path: str, content: bytes = b"") -> Dialect:
    """The dialect of the file or folder; the innermost telling folder decides, and our own is the answer where nothing tells."""
    parts = _parts(path)
    for index in range(len(parts) - 1, -1, -1):
        if parts[index] == "specs" and index + 1 < len(parts) and _SPEC_KIT_FOLDER.match(parts[index + 1]) and "openspec" not in parts:
            return "spec-kit"
        if (found := _FOLDERS.get(parts[index])) is not None:
            return _kiro_family(content) if found == "kiro" else found
    return _by_content(content)


def is_spec_folder(path: str) -> bool:
    """Whether the folder lies where a dialect keeps its specs: files of the same names elsewhere, steering and checklists too, are none."""
    return _PLACE.fullmatch("/".join(_parts(path))) is not None


def is_change(path: str) -> bool:
    """Whether the folder is a change of OpenSpec, an archived one included: its requirements lie in deltas at any depth below its `specs`."""
    return _CHANGE.fullmatch("/".join(_parts(path))) is not None


def document_of(path: str) -> DocumentName | None:
    """Which document of a spec a file is, by its name: `spec.md` holds requirements, `plan.md` a design; None for others, checklists too."""
    parts = _parts(path)
    return _DOCUMENTS.get(parts[-1].casefold()) if parts and "checklists" not in parts else None


def place_of(path: str) -> tuple[str, DocumentName] | None:
    """The spec folder a document belongs to and its name there; None where the file is no document of a spec.

    Deltas of an OpenSpec change (`specs/<capability>/spec.md`) belong to the change.
    """
    cut = max(path.rfind("/"), path.rfind("\\"))
    folder, name = path[: max(cut, 0)], path[cut + 1 :].rpartition(".")[0]
    if document_of(path) is None or not is_spec_folder(folder):
        return None
    delta = _DELTA.fullmatch(folder)
    if delta is None:
        return folder, DocumentName(name)
    if name != "spec":
        return None
    return delta["change"], DocumentName(f"{delta['rest']}/{name}".replace("\\", "/"))


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"[/\\]+", path) if part]


_CHANGE = re.compile(r"(?:.*/)?openspec/changes/(?:archive/|(?!archive$))[^/]+", re.DOTALL)
_DELTA = re.compile(r"(?P<change>(?:.*[/\\])?openspec[/\\]changes[/\\](?:archive[/\\])?[^/\\]+)[/\\](?P<rest>specs(?:[/\\].+)?)", re.DOTALL)
_DOCUMENTS: Final[Mapping[str, DocumentName]] = {
    "requirements.md": REQUIREMENTS,
    "spec.md": REQUIREMENTS,
    "bugfix.md": BUGFIX,
    "design.md": DESIGN,
    "plan.md": DESIGN,
    "tasks.md": TASKS,
}
DOCUMENT_FILES: Final = tuple(_DOCUMENTS)
"""The names of the files that are documents of a spec, in any dialect."""
_FOLDERS: Final[dict[str, Dialect]] = {
    ".specs": "specthread",
    ".kiro": "kiro",
    ".specify": "spec-kit",
    ".spec-workflow": "spec-workflow",
    "openspec": "openspec",
}
SPEC_ROOTS: Final = frozenset({*_FOLDERS, "specs"})
"""The names of folders that hold specs, or the folders around them."""
_SPEC_KIT: Final = r"(?:[0-9]{3,}|[0-9]{8}-[0-9]{6})-"
_SPEC_KIT_FOLDER = re.compile(_SPEC_KIT)
_PLACE = re.compile(
    r"(?:.*/)?(?:(?:\.specs|\.kiro/specs|\.spec-workflow/(?:archive/)?specs|openspec/specs|openspec/changes(?:/archive(?=/)|(?!/archive(?:/|$))))/.+"
    rf"|specs/{_SPEC_KIT}[^/]*)",
    re.DOTALL,
)
_CC_SDD = re.compile(rb"^[ \t]*- \[.\]\*? [0-9.]+ \(P\)|^[ \t]*- \[.\]\*? [0-9.]+ .*\(P\)[ \t]*\r?$|^[ \t]*- \\?_Boundary:", re.MULTILINE)
_CONTENT: Final[tuple[tuple[re.Pattern[bytes], Dialect], ...]] = (
    (re.compile(rb"^[ \t]*- \[[ xX-]\] T[0-9]{3}\b|^- \*\*FR-[0-9]{3}|^# Feature Specification:", re.MULTILINE), "spec-kit"),
    (
        re.compile(rb"^## (?:ADDED|MODIFIED|REMOVED|RENAMED) Requirements|^#### Scenario:|^### Requirement:[ \t]+(?!\d)", re.MULTILINE),
        "openspec",
    ),
    (re.compile(rb"^[ \t]*- \\?_(?:Leverage|Prompt):", re.MULTILINE), "spec-workflow"),
    (_CC_SDD, "cc-sdd"),
    (re.compile(rb'^[ \t]*(?:\{[ \t]*)?"waves"[ \t]*:', re.MULTILINE), "kiro"),
)


def _kiro_family(content: bytes) -> Dialect:
    return "cc-sdd" if _CC_SDD.search(content) else "kiro"


def _by_content(content: bytes) -> Dialect:
    return next((dialect for sign, dialect in _CONTENT if sign.search(content)), "specthread")
