"""The fold from events to state: `state = apply(state, envelope)`.

Rules. (1) `apply` never refuses and never looks at anything but its arguments: whatever is in the log happened. (2) It decides nothing: what follows from an
event is another event, written by `decide`. (3) Every event class has exactly one entry in `APPLY`. (4) A fold touches one SpecTask, and with it
the locks of its runs; the map above it shares structure, so one event copies little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from immutables import Map

from specthread.domain import events as e
from specthread.domain.barrier import DayRaised
from specthread.domain.completion import is_finished
from specthread.domain.copying import replace
from specthread.domain.fold_coordination import COORDINATION_FOLDS
from specthread.domain.fold_created import created, rebuilt
from specthread.domain.fold_lock import LOCK_SESSION_FOLDS, folded_locks
from specthread.domain.fold_note import NOTE_FOLDS
from specthread.domain.fold_review import REVIEW_FOLDS
from specthread.domain.fold_run import RUN_FOLDS, reviewed, stopped
from specthread.domain.fold_start import START_FOLDS
from specthread.domain.fold_time import timed
from specthread.domain.foresight import FORESIGHT_FOLDS
from specthread.domain.model import (
    ENDED_TASK_STATES,
    SYNC,
    Approval,
    Comment,
    Document,
    ImplementationTask,
    PlannedTask,
    SpecTask,
    SpecTaskState,
    State,
    Version,
)
from specthread.domain.overtaken import overtaken
from specthread.domain.pull_request import PullRequest
from specthread.domain.run import ENDED_RUN_STATES

Fold = Callable[[SpecTask, e.Envelope, Any], SpecTask]


def apply(state: State, envelope: e.Envelope) -> State:
    """Returns the state after the event; the first event of a SpecTask must be `SpecTaskCreated` or `SpecTaskRebuilt`."""
    event = envelope.event
    if isinstance(event, e.SpecTaskCreated):
        spectask = created(envelope, event)
    elif isinstance(event, e.SpecTaskRebuilt):
        spectask = rebuilt(envelope, event, state.spectasks.get(envelope.spectask))
    else:
        spectask = APPLY[type(event)](state.spectasks[envelope.spectask], envelope, event)
    known = state.spectasks.get(envelope.spectask)
    spectask = timed(known, spectask, envelope)
    moved = known is not None and known.feature != spectask.feature
    spectask = replace(
        spectask,
        events=(known.events if known else 0) + 1,
        updated=envelope.time,
        feature_seq=envelope.seq if moved else spectask.feature_seq,
        uncommitted=spectask.uncommitted.set(envelope.seq, event.record) if event.record else spectask.uncommitted,
    )
    locks = folded_locks(state.locks, spectask, envelope)
    return State(sequence=envelope.seq, spectasks=state.spectasks.set(envelope.spectask, spectask), locks=locks)


def _adopted(spectask: SpecTask, _: e.Envelope, event: e.SpecAdopted) -> SpecTask:
    return replace(spectask, state="spec_review", adopted=event.folder)


def _paused(spectask: SpecTask, _: e.Envelope, __: e.SpecTaskPaused) -> SpecTask:
    return replace(spectask, paused=True)


def _resumed(spectask: SpecTask, _: e.Envelope, __: e.SpecTaskResumed) -> SpecTask:
    spectask = replace(spectask, paused=False)
    if spectask.state in {"failed", "cancelled"}:
        return replace(spectask, state=_unstopped(spectask), stopped_from=None, reason="")
    return spectask


def _unstopped(spectask: SpecTask) -> SpecTaskState:
    # A sync that ended meanwhile moved the feature branch: the last publication comes again.
    if spectask.stopped_from == "implementation_review" and spectask.final is None:
        return "implementing"
    return spectask.stopped_from or "spec_review"


def _cancelled(spectask: SpecTask, _: e.Envelope, event: e.SpecTaskCancelled) -> SpecTask:
    return stopped(spectask, "cancelled", f"cancelled by {event.person}")


def _failed(spectask: SpecTask, _: e.Envelope, event: e.SpecTaskFailed) -> SpecTask:
    return stopped(spectask, "failed", event.reason)


def _final_published(spectask: SpecTask, _: e.Envelope, event: e.FinalPublished) -> SpecTask:
    if not is_finished(spectask):
        return replace(spectask, feature=event.feature)
    return replace(spectask, state="implementation_review", feature=event.feature, final=event.feature, was_final=True)


def _accepted(spectask: SpecTask, envelope: e.Envelope, event: e.SpecTaskAccepted) -> SpecTask:
    return replace(spectask, accepted_seq=envelope.seq, accepted_by=event.person)


def _archived(spectask: SpecTask, _: e.Envelope, __: e.SpecTaskArchived) -> SpecTask:
    return replace(spectask, state="archived")


def _archive_finished(spectask: SpecTask, _: e.Envelope, __: e.ArchiveFinished) -> SpecTask:
    return replace(spectask, put_away=True)


def _sync_started(spectask: SpecTask, envelope: e.Envelope, _: e.SyncStarted) -> SpecTask:
    return replace(spectask, sync_seq=envelope.seq, troubles=_without(spectask.troubles, SYNC))


def _sync_finished(spectask: SpecTask, _: e.Envelope, event: e.SyncFinished) -> SpecTask:
    spectask = replace(spectask, sync_seq=0)
    if event.feature is None:
        return replace(spectask, troubles=spectask.troubles.set(SYNC, event.reason))
    if event.feature == spectask.feature:
        return spectask
    # A moved tip is no longer the one that `accept` was shown: publish and look again.
    state: SpecTaskState = "implementing" if spectask.state == "implementation_review" else spectask.state
    return replace(spectask, feature=event.feature, final=None, state=state, troubles=_without(spectask.troubles, SYNC))


def _budget_warned(spectask: SpecTask, _: e.Envelope, __: e.BudgetWarned) -> SpecTask:
    return replace(spectask, warned=True)


def _budget_raised(spectask: SpecTask, envelope: e.Envelope, event: e.BudgetRaised) -> SpecTask:
    session = spectask.sessions.get(event.run) if event.run else None
    if session is not None:
        raised = replace(session, budget_usd=None if event.lifted else event.stop_usd)
        return replace(spectask, sessions=spectask.sessions.set(session.id, raised), raised_seq=envelope.seq)
    usd = None if event.lifted else event.stop_usd
    if event.day is not None:
        return replace(spectask, day_raised=DayRaised(day=event.day, usd=usd), raised_seq=envelope.seq)
    if event.scope in {"run", "task"}:
        changed = replace(spectask.limits, run_usd=usd) if event.scope == "run" else replace(spectask.limits, task_usd=usd)
        return replace(spectask, limits=changed, raised_seq=envelope.seq)
    return replace(spectask, limits=replace(spectask.limits, stop_usd=event.stop_usd, user_set=not event.lifted), raised_seq=envelope.seq)


def _effect_failed(spectask: SpecTask, _: e.Envelope, event: e.EffectFailed) -> SpecTask:
    return replace(spectask, troubles=spectask.troubles.set(event.effect, event.reason))


def _effect_recovered(spectask: SpecTask, _: e.Envelope, event: e.EffectRecovered) -> SpecTask:
    return replace(spectask, troubles=_without(spectask.troubles, event.effect))


def _without(troubles: Map[str, str], name: str) -> Map[str, str]:
    return troubles.delete(name) if name in troubles else troubles


def _record_committed(spectask: SpecTask, _: e.Envelope, event: e.RecordCommitted) -> SpecTask:
    uncommitted = spectask.uncommitted.delete(event.of) if event.of in spectask.uncommitted else spectask.uncommitted
    spectask = replace(spectask, uncommitted=uncommitted, specs=event.oid)
    if event.of == spectask.accepted_seq:
        return replace(spectask, state="done")
    revised = spectask.state == "revising" and all(plan.state in ENDED_RUN_STATES for plan in spectask.plans)
    return reviewed(spectask) if revised and spectask.before else spectask


def _document_edited(spectask: SpecTask, envelope: e.Envelope, event: e.DocumentEdited) -> SpecTask:
    document = Document(
        name=event.document, path=event.path, content=event.content, digest=event.digest, seq=envelope.seq, author=event.author
    )
    return replace(spectask, documents=spectask.documents.set(event.document, document))


def _comment_added(spectask: SpecTask, envelope: e.Envelope, event: e.CommentAdded) -> SpecTask:
    comment = Comment(
        id=event.comment,
        document=event.document,
        quote=event.quote,
        section=event.section,
        line=event.line,
        text=event.text,
        author=event.author,
        seq=envelope.seq,
    )
    return replace(spectask, comments=spectask.comments.set(event.comment, comment))


def _comment_answered(spectask: SpecTask, _: e.Envelope, event: e.CommentAnswered) -> SpecTask:
    comment = replace(spectask.comments[event.comment], answer=event.text)
    return replace(spectask, comments=spectask.comments.set(event.comment, comment))


def _comment_resolved(spectask: SpecTask, _: e.Envelope, event: e.CommentResolved) -> SpecTask:
    comment = replace(spectask.comments[event.comment], resolved=event.how)
    return replace(spectask, comments=spectask.comments.set(event.comment, comment))


def _changes_requested(spectask: SpecTask, _: e.Envelope, __: e.ChangesRequested) -> SpecTask:
    before: dict[SpecTaskState, SpecTaskState] = {
        "approved": "approved",
        "implementing": "implementing",
        "implementation_review": "implementing",
    }
    sent_back = Map({name: document.content for name, document in spectask.documents.items()})
    return replace(spectask, state="revising", before=before.get(spectask.state, spectask.before), final=None, sent_back=sent_back)


def _approved(spectask: SpecTask, envelope: e.Envelope, event: e.SpecApproved) -> SpecTask:
    approvals, sent_back = spectask.approvals, spectask.sent_back
    for name, digest in event.documents:
        approval = Approval(
            document=name,
            digest=digest,
            content=spectask.documents[name].content,
            person=event.person,
            time=envelope.time,
            seq=envelope.seq,
            in_advance=event.in_advance,
        )
        approvals = approvals.set(name, approval)
        sent_back = Map({each: content for each, content in sent_back.items() if each != name})
    return replace(spectask, approvals=approvals, sent_back=sent_back)


def _version_published(spectask: SpecTask, _: e.Envelope, event: e.VersionPublished) -> SpecTask:
    contents = {name: spectask.approvals[name].content for name, _digest in event.digests}
    version = Version(
        number=event.number,
        digests=event.digests,
        contents=Map(contents),
        specs=event.specs,
        feature=event.feature,
        tag=event.tag,
    )
    stands = spectask.stopped_from if spectask.state in ENDED_TASK_STATES else spectask.state
    going_on = spectask.before == "implementing" or stands in {"implementing", "implementation_review"}
    state: SpecTaskState = "implementing" if going_on else "approved"
    spectask = replace(spectask, versions=(*spectask.versions, version), feature=event.feature, final=None, before=None)
    # What was cancelled while git recorded the approval stays cancelled, and is approved when it is taken up again.
    return replace(spectask, stopped_from=state) if spectask.state in ENDED_TASK_STATES else replace(spectask, state=state)


def _tasks_planned(spectask: SpecTask, _: e.Envelope, event: e.TasksPlanned) -> SpecTask:
    planned = {task.number for task in event.tasks}
    kept = {number: task for number, task in spectask.tasks.items() if number not in planned and task.state == "merged"}
    for plan in event.tasks:
        known = spectask.tasks.get(plan.number)
        recheck = plan.number in event.recheck or (known is not None and known.recheck)
        if known and known.passed_over and plan.conditions != known.plan.conditions:
            known = replace(known, state="open", passed_over="")
        kept[plan.number] = replace(known, plan=plan, recheck=recheck) if known else _task(plan, done=plan.number in event.done)
    return replace(spectask, tasks=Map(kept))


def _task(plan: PlannedTask, *, done: bool) -> ImplementationTask:
    return ImplementationTask(plan=plan, state="skipped", done_before=True) if done else ImplementationTask(plan=plan)


def _task_skipped(spectask: SpecTask, _: e.Envelope, event: e.TaskSkipped) -> SpecTask:
    task = replace(spectask.tasks[event.task], state="skipped")
    return replace(spectask, tasks=spectask.tasks.set(event.task, task))


def _pull_request_opened(spectask: SpecTask, _: e.Envelope, event: e.PullRequestOpened) -> SpecTask:
    known = spectask.pull_request
    opened = PullRequest(
        forge=event.forge,
        url=event.url,
        number=event.number,
        branch=event.branch,
        person=event.person,
        remote=event.remote,
        address=event.address,
        pushed=event.pushed,
    )
    if known and known.url == event.url:
        opened = replace(opened, draft=known.draft, checks=known.checks, reviews=known.reviews)
    return replace(spectask, pull_request=opened)


def _pull_request_changed(spectask: SpecTask, _: e.Envelope, event: e.PullRequestChanged) -> SpecTask:
    if spectask.pull_request is None:
        return spectask
    found = replace(spectask.pull_request, state=event.state, draft=event.draft, checks=event.checks, reviews=event.reviews)
    return replace(spectask, pull_request=found)


APPLY: dict[type[e.Event], Fold] = {
    e.SpecTaskCreated: lambda spectask, _envelope, _event: spectask,
    e.SpecTaskRebuilt: lambda spectask, _envelope, _event: spectask,
    e.SpecAdopted: _adopted,
    e.SpecTaskOvertaken: overtaken,
    e.SpecTaskPaused: _paused,
    e.SpecTaskResumed: _resumed,
    e.SpecTaskCancelled: _cancelled,
    e.SpecTaskFailed: _failed,
    e.FinalPublished: _final_published,
    e.SpecTaskAccepted: _accepted,
    e.SpecTaskArchived: _archived,
    e.ArchiveFinished: _archive_finished,
    e.SyncStarted: _sync_started,
    e.SyncFinished: _sync_finished,
    e.BudgetWarned: _budget_warned,
    e.BudgetRaised: _budget_raised,
    e.EffectFailed: _effect_failed,
    e.EffectRecovered: _effect_recovered,
    e.RecordCommitted: _record_committed,
    e.DocumentEdited: _document_edited,
    e.CommentAdded: _comment_added,
    e.CommentAnswered: _comment_answered,
    e.CommentResolved: _comment_resolved,
    e.ChangesRequested: _changes_requested,
    e.SpecApproved: _approved,
    e.VersionPublished: _version_published,
    e.TasksPlanned: _tasks_planned,
    e.TaskSkipped: _task_skipped,
    e.PullRequestOpened: _pull_request_opened,
    e.PullRequestChanged: _pull_request_changed,
    e.ClockJumped: lambda spectask, _envelope, _event: spectask,
    **REVIEW_FOLDS,
    **RUN_FOLDS,
    **FORESIGHT_FOLDS,
    **START_FOLDS,
    **COORDINATION_FOLDS,
    **NOTE_FOLDS,
    **LOCK_SESSION_FOLDS,
}
"""One fold per event class."""
