"""Rules for approvals, and for the records that git acknowledges: what was approved becomes a version, and its tasks are planned."""

from __future__ import annotations

from collections.abc import Mapping

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.approval import is_approved, next_version, valid_approval
from specthread.domain.completion import ticked_before
from specthread.domain.family import NO_TASK
from specthread.domain.ids import Digest, Oid, TaskNumber
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.names import documents_of
from specthread.domain.planned import circle, excess, linted, parsed, planned_tasks, task_order
from specthread.domain.rules_place import going_on
from specthread.domain.rules_run import after_answer
from specthread.domain.rules_spectask import ended, recording, running_plan
from specthread.domain.run import LIVE_RUN_STATES, WorkSession
from specthread.domain.runs import all_runs
from specthread.spec.dialects import Dialect
from specthread.spec.digest import short
from specthread.spec.document import REQUIREMENTS, DocumentName
from specthread.spec.links import tasks_resting_on_changes
from specthread.spec.spec import kind_of

Decision = tuple[e.Event, ...] | Refusal

MIN_DIGEST = 7
"""Characters of a digest that name a version."""


def approve(spectask: SpecTask, command: c.ApproveDocuments, actor: Actor) -> Decision:
    """Approves exactly the words that were read; what cannot be carried out is not approvable."""
    refused = ended(spectask) or _not_reviewable(spectask)
    if refused:
        return refused
    if not command.documents:
        return Refusal(
            code="name-the-version",
            message="No version was named.",
            hint=f"Name exactly what you read: {' '.join(f'{name}@{short(document.digest)}' for name, document in sorted(spectask.documents.items()))}.",
        )
    together = {name for name, _ in command.documents}
    for name, digest in command.documents:
        refused = _not_approvable(spectask, name, digest, together)
        if refused:
            return refused
    if is_approved(spectask):
        return Refusal(
            code="already-approved",
            message="These words are approved already.",
            hint=f"`specthread show {spectask.id}` says what it waits for.",
        )
    documents = tuple((name, spectask.documents[name].digest) for name, _ in command.documents)
    return (e.SpecApproved(documents=documents, person=actor.name, version=next_version(spectask, dict(documents))),)


def _not_reviewable(spectask: SpecTask) -> Refusal | None:
    if running_plan(spectask):
        return Refusal(
            code="still-planning",
            message=f"The planner is still writing the documents of {spectask.id}.",
            hint="Wait until it is done, then read and approve.",
        )
    return recording(spectask)


def _not_approvable(spectask: SpecTask, name: str, digest: Digest, together: set[str]) -> Refusal | None:
    document = spectask.documents.get(name)
    if document is None:
        return Refusal(
            code="unknown-document",
            message=f"{spectask.id} has no document {name}.",
            hint=f"It has {', '.join(sorted(spectask.documents)) or 'none yet'}.",
        )
    if len(digest) < MIN_DIGEST or not document.digest.startswith(digest):
        return Refusal(
            code="stale-version",
            message=f"{name} is not the version you read: it is now {name}@{document.digest[: max(MIN_DIGEST, len(digest))]}.",
            hint=f"Read it again with `specthread review {spectask.id}`.",
        )
    broken = [problem for problem in obstacles(spectask) if problem.startswith("tasks")] if name == "tasks" else []
    if broken:
        return Refusal(
            code="lint-errors",
            message=f"The tasks cannot be carried out as written: {broken[0]}",
            hint="Correct it in the desk, or request changes.",
        )
    return _out_of_order(spectask, name, together) if spectask.review_mode == "stepwise" else None


def _out_of_order(spectask: SpecTask, name: str, together: set[str]) -> Refusal | None:
    names = documents_of(spectask)
    for earlier in names[: names.index(name)]:
        if earlier not in together and valid_approval(spectask, earlier) is None:
            return Refusal(
                code="out-of-order",
                message=f"{earlier} comes before {name} in a stepwise review.",
                hint=f"Approve {earlier} first.",
            )
    return None


def obstacles(spectask: SpecTask) -> tuple[str, ...]:
    """Returns what the documents cannot be carried out with: the linter's errors, too many tasks, and tasks that wait for each other."""
    return obstacles_in({name: document.content for name, document in spectask.documents.items()}, spectask.dialect)


def obstacles_in(contents: Mapping[str, bytes], dialect: Dialect) -> tuple[str, ...]:
    """Returns the same of documents by name."""
    tasks = contents.get("tasks", b"")
    excessive = excess(tasks, dialect)
    waiting = () if excessive else circle(tasks, dialect)
    return (
        *(f"{problem.document}:{problem.line} {problem.message}" for problem in linted(contents, dialect) if problem.severity == "error"),
        *([f"tasks: {excessive}"] if excessive else []),
        *([f"tasks wait for each other in a circle: {' → '.join(waiting)}."] if waiting else []),
    )


def record_commit(spectask: SpecTask, command: reports.RecordCommit, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Acknowledges that git holds a record, and lets begin what waited for it."""
    if command.of not in spectask.uncommitted:
        return ()
    events: list[e.Event] = [e.RecordCommitted(of=command.of, oid=command.oid)]
    complete = all(name in spectask.approvals for name in documents_of(spectask))
    if command.feature is not None and complete and spectask.uncommitted[command.of] == "approval":
        events += _published(spectask, command, command.feature)
    waiting = [run for run in all_runs(spectask) if run.state == "waiting" and run.question]
    for run in waiting:
        if run.question and run.question.answer_seq == command.of:
            events += after_answer(run)
    if command.of == spectask.raised_seq:
        events += [going_on(run) for run in waiting if run.question and run.question.kind == "budget" and not run.question.answer_seq]
    return tuple(events)


def _published(spectask: SpecTask, command: reports.RecordCommit, feature: Oid) -> list[e.Event]:
    approvals = [spectask.approvals[name] for name in documents_of(spectask)]
    published = e.VersionPublished(
        number=len(spectask.versions) + 1,
        digests=tuple((approval.document, approval.digest) for approval in approvals),
        specs=command.oid,
        feature=feature,
        tag=command.tag,
    )
    content = spectask.approvals["tasks"].content
    planned = e.TasksPlanned(
        tasks=planned_tasks(content, spectask.dialect),
        recheck=_rechecked(spectask, content),
        done=tuple(sorted(ticked_before(spectask), key=task_order)),
    )
    events: list[e.Event] = [
        *_dropped(spectask, {task.number for task in planned.tasks}),
        published,
        planned,
        *_checked_anew(spectask, planned),
    ]
    if spectask.execute and spectask.state in {"planning", "spec_review"}:
        events.append(e.ImplementationStarted(person=spectask.owner.name, limits=spectask.limits))
    return events


def _checked_anew(spectask: SpecTask, planned: e.TasksPlanned) -> list[e.Event]:
    """Returns how the sessions go on that asked about a check which the new version words otherwise: the question is settled by it."""
    checks = {task.number: task.check for task in planned.tasks}
    asking = [run for run in spectask.sessions.values() if run.state == "waiting" and run.question and not run.question.answer_seq]
    events: list[e.Event] = []
    for run in asking:
        is_about_check = run.question is not None and run.question.id == f"check-{run.claims}" and run.task in spectask.tasks
        if is_about_check and checks.get(run.task, "") not in {"", spectask.tasks[run.task].plan.check}:
            text = f"The check could not run, and was changed: it is now `{checks[run.task]}`. Finish again, so that it is run."
            events += [going_on(run), e.SessionSentBack(session=run.id, cause="check", text=text, after_turn=run.turn)]
    return events


def _dropped(spectask: SpecTask, planned: set[TaskNumber]) -> list[e.Event]:
    """Returns the end of the sessions whose task the new version does not hold any more."""
    live = [run for run in all_runs(spectask) if isinstance(run, WorkSession) and run.state in LIVE_RUN_STATES]
    gone = [session for session in live if session.task != NO_TASK and session.task not in planned]
    return [e.RunCancelled(run=session.id, reason=f"the approved plan has no task {session.task} any more") for session in gone]


def _rechecked(spectask: SpecTask, tasks: bytes) -> tuple[TaskNumber, ...]:
    if not spectask.versions:
        return ()
    tracing: set[str] = set()
    for name in documents_of(spectask):
        if kind_of(DocumentName(name)) == REQUIREMENTS:
            before, after = spectask.versions[-1].contents[name], spectask.approvals[name].content
            tracing |= tasks_resting_on_changes(parsed(tasks, spectask.dialect), before, after, spectask.dialect)
    merged = [number for number, task in spectask.tasks.items() if task.state == "merged" and number in tracing]
    return tuple(sorted(merged, key=task_order))
