"""Which files of a folder on the disk are the documents of a spec, and what they are called there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specthread.spec.dialects import document_of, is_change
from specthread.spec.document import DocumentName


def documents_in(folder: Path) -> Sequence[Path]:
    """Returns the documents that lie in a spec folder, by name; the deltas of an OpenSpec change lie at any depth below its `specs`."""
    found = [path for path in _entries(folder) if document_of(path.name) is not None]
    waiting = _entries(folder / "specs") if is_change(folder.as_posix()) else []
    while waiting:
        path = waiting.pop()
        if path.name == "spec.md":
            found.append(path)
        elif not path.is_symlink():
            waiting += _entries(path)
    return sorted(found)


def name_in(folder: Path, path: Path) -> DocumentName:
    """Returns the name of a document: its path below the folder without `.md`."""
    return DocumentName(path.relative_to(folder).with_suffix("").as_posix())


def is_text(name: str) -> bool:
    """Tells whether a file's name is text; others cannot be put into addresses."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if is_text(path.name)]
    except OSError:
        return []
