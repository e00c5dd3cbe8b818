"""Which approvals hold, what a changed word holds back, and when a set of documents is complete.

An approval is void when the live digest differs from the approved one: a tick never voids it, a changed word does. While one is void, or
approved but not yet in git, tasks that trace to the changed part do not start and do not merge; where there is no trace the whole document
counts as changed.
"""

from __future__ import annotations

from functools import lru_cache

from specthread.domain.ids import Digest, TaskNumber
from specthread.domain.model import Approval, RecordKind, SpecTask, SpecTaskState
from specthread.domain.names import documents_of
from specthread.domain.planned import leaves_under, parsed
from specthread.spec.dialects import Dialect
from specthread.spec.document import REQUIREMENTS, DocumentName
from specthread.spec.links import tasks_resting_on_changes
from specthread.spec.spec import kind_of
from specthread.spec.tasks import Task


def is_durable(spectask: SpecTask, seq: int) -> bool:
    """Tells whether git holds the record with this sequence number."""
    return seq not in spectask.uncommitted


def open_records(spectask: SpecTask, kind: RecordKind) -> bool:
    """Tells whether a record of this kind still waits for git."""
    return kind in spectask.uncommitted.values()


def valid_approval(spectask: SpecTask, name: str) -> Approval | None:
    """Returns the approval of the document's present words, durable or still being recorded, or None."""
    approval = spectask.approvals.get(name)
    document = spectask.documents.get(name)
    if approval is None or document is None or approval.digest != document.digest:
        return None
    return approval


def unapproved_documents(spectask: SpecTask) -> tuple[str, ...]:
    """Returns the documents of the flow whose present words nobody approved, in reading order."""
    return tuple(name for name in documents_of(spectask) if valid_approval(spectask, name) is None)


def unsettled_documents(spectask: SpecTask) -> tuple[str, ...]:
    """Returns the documents whose present words are not approved, recorded and published, in reading order."""
    published = dict(spectask.versions[-1].digests) if spectask.versions else {}

    def settled(name: str) -> bool:
        approval = valid_approval(spectask, name)
        return approval is not None and is_durable(spectask, approval.seq) and published.get(name) == approval.digest

    return tuple(name for name in documents_of(spectask) if not settled(name))


def is_approved(spectask: SpecTask) -> bool:
    """Tells whether every document's present words are approved, recorded and published."""
    return not unsettled_documents(spectask)


def reviewed_state(spectask: SpecTask) -> SpecTaskState:
    """Returns the state of a SpecTask whose planner rests: back where it was revised from once all its words are approved."""
    if spectask.before is None:
        return "spec_review"
    return spectask.before if is_approved(spectask) else "revising"


def next_version(spectask: SpecTask, approving: dict[str, Digest]) -> int | None:
    """Returns the number of the version that approving these digests completes; None where the set is incomplete or published."""
    digests: dict[str, Digest] = {}
    for name in documents_of(spectask):
        approval = valid_approval(spectask, name)
        digest = approving.get(name) or (approval.digest if approval else None)
        if digest is None:
            return None
        digests[name] = digest
    if spectask.versions and dict(spectask.versions[-1].digests) == digests:
        return None
    return len(spectask.versions) + 1


def held_tasks(spectask: SpecTask) -> frozenset[TaskNumber]:
    """Returns the tasks held back because words behind them changed since the published version."""
    if not spectask.versions:
        return frozenset()
    published = spectask.versions[-1].contents
    held: set[str] = set()
    unsettled = unsettled_documents(spectask)
    if not unsettled:
        return frozenset()
    for name in unsettled:
        held |= _held_by(name, published[name], spectask.documents[name].content, published.get("tasks", b""), spectask.dialect)
    return frozenset(number for number in spectask.tasks if number in held)


# Asked after every batch of events, about documents that rarely change: a document is compared once.
@lru_cache(maxsize=64)
def _held_by(name: str, approved: bytes, live: bytes, tasks: bytes, dialect: Dialect) -> frozenset[str]:
    every = frozenset(task.id for task in parsed(tasks, dialect))
    if name == "tasks":
        return _changed_tasks(parsed(approved, dialect), parsed(live, dialect)) or every
    if kind_of(DocumentName(name)) != REQUIREMENTS:
        return every
    return tasks_resting_on_changes(parsed(tasks, dialect), approved, live, dialect) or every


def _changed_tasks(approved: tuple[Task, ...], live: tuple[Task, ...]) -> frozenset[str]:
    """Returns the tasks whose words, or those of a task above them, are not the same in both."""
    before = {task.id: _words(task) for task in approved}
    after = {task.id: _words(task) for task in live}
    changed = {number for number in before.keys() | after.keys() if before.get(number) != after.get(number)}
    return leaves_under(approved, changed) | leaves_under(live, changed)


def _words(task: Task) -> tuple[object, ...]:
    return (task.title, task.detail, task.requires, task.depends, task.files, task.role, task.check, task.optional, task.when)
