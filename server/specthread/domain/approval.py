"""Which approvals hold, what a changed word holds back, and when a set of documents is complete.

An approval is void when the live digest differs from the approved one: a tick never voids it, a changed word does. While one is void, tasks that trace to the changed part do not
start and do not merge; where there is no trace the whole document counts as changed.
"""

from __future__ import annotations

from functools import lru_cache

from specthread.domain.model import Approval, Digest, RecordKind, SpecTask, TaskNumber, document_names
from specthread.spec.links import changed_requirements, tasks_tracing
from specthread.spec.tasks import Task, parse_tasks


def is_durable(spectask: SpecTask, seq: int) -> bool:
    """Tells whether git holds the record with this sequence number."""
    return seq not in spectask.uncommitted


def valid_approval(spectask: SpecTask, name: str) -> Approval | None:
    """Returns the approval of the document's present words, durable or still being recorded, or None."""
    approval = spectask.approvals.get(name)
    document = spectask.documents.get(name)
    if approval is None or document is None or approval.digest != document.digest:
        return None
    return approval


def unapproved_documents(spectask: SpecTask) -> tuple[str, ...]:
    """Returns the documents of the flow whose present words nobody approved, in reading order."""
    return tuple(name for name in document_names(spectask.flow) if valid_approval(spectask, name) is None)


def is_approved(spectask: SpecTask) -> bool:
    """Tells whether every document's present words are approved, recorded and published."""
    if unapproved_documents(spectask) or not spectask.versions:
        return False
    return dict(spectask.versions[-1].digests) == {name: spectask.documents[name].digest for name in document_names(spectask.flow)}


def next_version(spectask: SpecTask, approving: dict[str, Digest]) -> int | None:
    """Returns the number of the version that approving these digests completes, or None where the set stays incomplete or is the published one."""
    digests: dict[str, Digest] = {}
    for name in document_names(spectask.flow):
        approval = valid_approval(spectask, name)
        digest = approving.get(name) or (approval.digest if approval else None)
        if digest is None:
            return None
        digests[name] = digest
    if spectask.versions and dict(spectask.versions[-1].digests) == digests:
        return None
    return len(spectask.versions) + 1


def held_tasks(spectask: SpecTask) -> frozenset[TaskNumber]:
    """Returns the tasks held back because approved words behind them changed since the published version."""
    if not spectask.versions or is_approved(spectask):
        return frozenset()
    published = spectask.versions[-1].contents
    held: frozenset[TaskNumber] = frozenset()
    for name in unapproved_documents(spectask):
        document = spectask.documents.get(name)
        if document is None or name not in published:
            return frozenset(spectask.tasks)
        held |= _held_by(name, published[name], document.content, spectask)
    return held


def _held_by(name: str, approved: bytes, live: bytes, spectask: SpecTask) -> frozenset[TaskNumber]:
    if name == "tasks":
        return _changed_tasks(approved, live) & frozenset(spectask.tasks)
    if name != "requirements":
        return frozenset(spectask.tasks)
    changed = changed_requirements(approved, live)
    if not changed:
        return frozenset(spectask.tasks)
    return frozenset(TaskNumber(number) for number in tasks_tracing(_parsed(live_tasks(spectask)), changed))


def live_tasks(spectask: SpecTask) -> bytes:
    """Returns the live tasks document, empty where there is none."""
    document = spectask.documents.get("tasks")
    return document.content if document else b""


def _changed_tasks(approved: bytes, live: bytes) -> frozenset[TaskNumber]:
    before = {task.id: _words(task) for task in _parsed(approved)}
    after = {task.id: _words(task) for task in _parsed(live)}
    changed = {number for number in before.keys() | after.keys() if before.get(number) != after.get(number)}
    return frozenset(TaskNumber(number) for number in changed or before.keys())


def _words(task: Task) -> tuple[object, ...]:
    return (task.title, task.detail, task.requires, task.depends, task.files, task.role, task.check, task.optional)


@lru_cache(maxsize=256)
def _parsed(content: bytes) -> tuple[Task, ...]:
    return parse_tasks(content).tasks


def open_records(spectask: SpecTask, kind: RecordKind) -> bool:
    """Tells whether a record of this kind still waits for git."""
    return kind in spectask.uncommitted.values()
