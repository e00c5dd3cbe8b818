"""Two edits of a live document brought together: by what they mean where that can be told, else line by line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from specthread.engine.desk_port import MergedLines
from specthread.spec.dialects import Dialect, detect, place_of
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


def merge_spec_file(own: Collection[str], path: str, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merges a file of the project that is a document of some spec by what it means; None for other files, and where only a human can tell.

    The documents at the paths `own` are left alone: they are live elsewhere, and approved.
    """
    place = place_of(path)
    if place is None or path in own:
        return None
    return merge_documents(place[1], base, ours, theirs, detect(place[0], ours)).content


def _side_by_side(ours: bytes, theirs: bytes) -> bytes:
    closed = (side if side.endswith(b"\n") or not side else side + b"\n" for side in (ours, theirs))
    return b"<<<<<<< ours\n%b=======\n%b>>>>>>> theirs\n" % tuple(closed)
