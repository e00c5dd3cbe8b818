"""Two edits of a live document brought together: by what they mean where that can be told, else line by line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specthread.engine.desk_port import MergedLines
from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName
from specthread.spec.merge import merge_documents


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedDocument:
    """The merged text, or both sides between markers where `conflict` is set; `questions` say what was meant differently, as far as that is known."""

    content: bytes
    conflict: bool
    questions: tuple[str, ...] = ()


def merge_document(
    lines: Callable[[bytes, bytes, bytes], MergedLines], dialect: Dialect, name: str, base: bytes, ours: bytes, theirs: bytes
) -> MergedDocument:
    """Merges two texts of the document that were made from `base`; `lines` merges texts of which nothing is known."""
    found = merge_documents(DocumentName(name), base, ours, theirs, dialect)
    if found.content is not None:
        return MergedDocument(content=found.content, conflict=False)
    merged = lines(base, ours, theirs)
    if found.questions and not merged.conflict:  # such as two tasks with one number, far apart
        return MergedDocument(content=_side_by_side(ours, theirs), conflict=True, questions=found.questions)
    return MergedDocument(content=merged.content, conflict=merged.conflict, questions=found.questions)


def _side_by_side(ours: bytes, theirs: bytes) -> bytes:
    closed = (side if side.endswith(b"\n") or not side else side + b"\n" for side in (ours, theirs))
    return b"<<<<<<< ours\n%b=======\n%b>>>>>>> theirs\n" % tuple(closed)
