"""What happens to documents, comments and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from specthread.domain.event import Event
from specthread.domain.ids import CommentId, Digest, Oid, TaskNumber
from specthread.domain.model import EditKind, PlannedTask, RecordKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEdited(Event):
    """A document has new content."""

    record: ClassVar[RecordKind | None] = "document"
    document: str
    path: str
    content: bytes
    digest: Digest
    kind: EditKind
    author: str
    author_email: str = ""
    task: TaskNumber | None = None
    """The merged task whose box was ticked; None for every other edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAdded(Event):
    """A remark anchored in a document."""

    record: ClassVar[RecordKind | None] = "comment"
    comment: CommentId
    document: str
    quote: str
    section: str
    line: int
    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAnswered(Event):
    """The planner said what it did about a comment."""

    record: ClassVar[RecordKind | None] = "comment"
    comment: CommentId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentResolved(Event):
    """A comment is settled: by a person, or because its text is gone."""

    record: ClassVar[RecordKind | None] = "comment"
    comment: CommentId
    how: Literal["manual", "text-gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesRequested(Event):
    """A human sent the documents back to the planner, or asked for more work after the implementation."""

    record: ClassVar[RecordKind | None] = "decision"
    message: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecApproved(Event):
    """A human approved exact documents; `version` is set when this completes a set that is not published yet."""

    record: ClassVar[RecordKind | None] = "approval"
    documents: tuple[tuple[str, Digest], ...]
    person: str
    in_advance: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPublished(Event):
    """An approved set stands on the specs branch, on the feature branch and under a tag, moved in one transaction."""

    number: int
    digests: tuple[tuple[str, Digest], ...]
    specs: Oid
    feature: Oid
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksPlanned(Event):
    """The leaf tasks of the approved tasks document; `recheck` names merged ones whose requirement changed, `done` those an adopted spec had ticked."""

    tasks: tuple[PlannedTask, ...]
    recheck: tuple[TaskNumber, ...] = ()
    done: tuple[TaskNumber, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped(Event):
    """A human decided that a task is not done here."""

    record: ClassVar[RecordKind | None] = "decision"
    task: TaskNumber
    person: str
