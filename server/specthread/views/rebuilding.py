"""A SpecTask as git alone tells it: the records say what people wanted, but merged and published is only what the feature branch holds.

Nothing that was at work goes on by itself: its run has ended with a reason, its branch and files are kept, and the SpecTask is paused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from specthread.domain.coordination import KEPT_ANSWERS, SharedAnswer
from specthread.domain.events import RebuiltVersion, SpecTaskCreated, SpecTaskRebuilt
from specthread.domain.ids import Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.model import Approval, Comment, Document, ImplementationTask, SpecTaskState
from specthread.domain.names import adopted_names
from specthread.domain.planned import parsed, planned_tasks
from specthread.domain.run import ENDED_RUN_STATES, PlanningRun, ReviewRun, Spend, WorkSession
from specthread.spec.document import REQUIREMENTS, DocumentName
from specthread.spec.links import tasks_resting_on_changes
from specthread.spec.spec import kind_of
from specthread.views.coordination import coordination_facts, coordination_messages
from specthread.views.records_read import (
    CoordinationRecord,
    DecisionRecord,
    Metadata,
    ReviewRecord,
    RunRecord,
    SessionRecord,
    TaskRecord,
    read_actor,
)

_TWO = 2
LOST = "The event log was lost while it worked. Its branch and files are kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeFact:
    """A merge of a session's work that the feature branch holds."""

    task: TaskNumber
    commit: Oid
    weak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """What the branches of a SpecTask hold; `merges` is by session number, `turns` by run name such as `ws-1`, `costs` by run id."""

    id: SpecTaskId
    repository: str
    metadata: Metadata
    documents: Sequence[Document]
    approvals: Sequence[Approval]
    versions: Sequence[RebuiltVersion]
    comments: Sequence[Comment]
    costs: Mapping[str, Spend]
    merges: Mapping[int, MergeFact]
    turns: Mapping[str, int]
    branches: frozenset[int]
    specs: Oid
    feature: Oid | None
    is_final: bool
    was_started: bool
    accepted_by: str
    archived: bool
    decisions: Sequence[DecisionRecord] = ()
    coordination: Sequence[CoordinationRecord] = ()


def rebuilt(facts: GitFacts, now: datetime) -> SpecTaskRebuilt:
    """Returns the event by which a log takes the SpecTask up; `now` is told to the reader."""
    metadata = facts.metadata
    sessions = _sessions(facts, now)
    tasks = _tasks(facts, sessions)
    planning = _cut_off(facts)
    state, before, stopped_from = _states(facts, tasks, planning)
    note = f"Read back from git on {now:%Y-%m-%d}, because the event log did not know it; what it did not tell git, such as earlier attempts, is gone."
    return SpecTaskRebuilt(
        asked=SpecTaskCreated(
            prompt=metadata.prompt,
            repository=facts.repository,
            base=metadata.base,
            target=metadata.target,
            warnings=(*metadata.warnings, note),
            flow=metadata.flow,
            agent=metadata.agent,
            review_mode=metadata.review_mode,
            # Nothing is approved or started in advance a second time.
            execute=False,
            advance=False,
            limits=metadata.limits,
            dialect=metadata.dialect,
        ),
        owner=read_actor(metadata.owner),
        created=metadata.created,
        adopted=metadata.adopted,
        state=state,
        before=before,
        stopped_from=stopped_from,
        reason="The event log was lost while it was being planned." if state == "failed" else "",
        paused="implementing" in {state, before},
        chosen=metadata.chosen,
        documents=tuple(facts.documents),
        approvals=tuple(facts.approvals),
        versions=tuple(facts.versions),
        comments=tuple(sorted(facts.comments, key=lambda comment: (comment.seq, comment.id))),
        plans=_plans(facts, now, unfinished=state == "failed"),
        reviews=_reviews(facts, now),
        tasks=tasks,
        sessions=sessions,
        specs=facts.specs,
        feature=facts.feature,
        final=facts.feature if facts.is_final and planning != "revising" else None,
        accepted_by=facts.accepted_by,
        put_away=facts.archived,
        options=metadata.options,
        allowed=metadata.allowed,
        messages=coordination_messages(facts.coordination),
        facts=coordination_facts(facts.coordination),
        shared_answers=_shared_answers(facts.decisions),
    )


_States = tuple[SpecTaskState, SpecTaskState | None, SpecTaskState | None]


def _states(facts: GitFacts, tasks: Sequence[ImplementationTask], planning: SpecTaskState | None) -> _States:
    """Returns the state, the one it was revised from, and the one it was stopped in."""
    standing = planning or _standing(facts, tasks)
    started: SpecTaskState = "implementing" if facts.was_started else "approved"
    before = started if standing == "revising" and facts.versions else None
    if facts.archived:
        return "archived", None, standing
    if facts.accepted_by:
        return "done", None, None
    if facts.metadata.state == "cancelled":
        return "cancelled", before, standing
    if planning:
        return "failed", before, standing
    return standing, before, None


def _cut_off(facts: GitFacts) -> SpecTaskState | None:
    """Returns what the planner was doing when the log was lost: a request for changes is answered by nobody but it."""
    last = max(facts.metadata.plans.items(), key=lambda item: _number(item[0]), default=None)
    if last is not None and last[1].state not in ENDED_RUN_STATES:
        return "revising" if last[1].purpose == "revise" else "planning"
    documents = {document.name for document in facts.documents}
    names = adopted_names(documents, facts.metadata.flow, facts.metadata.dialect)
    return "planning" if any(name not in documents for name in names) else None


def _standing(facts: GitFacts, tasks: Sequence[ImplementationTask]) -> SpecTaskState:
    documents = {document.name: document.digest for document in facts.documents}
    if not facts.versions:
        return "spec_review"
    names = adopted_names(documents, facts.metadata.flow, facts.metadata.dialect)
    if {name: documents[name] for name in names} != dict(facts.versions[-1].digests):
        return "revising"
    if facts.is_final and all(task.state in {"merged", "skipped"} or task.plan.optional for task in tasks):
        return "implementation_review"
    return "implementing" if facts.was_started else "approved"


def _tasks(facts: GitFacts, sessions: Sequence[WorkSession]) -> tuple[ImplementationTask, ...]:
    """Returns the tasks of the last approved version; one is merged only where the feature branch holds its merge."""
    if not facts.versions:
        return ()
    merges = {merge.task: merge for merge in facts.merges.values()}
    last = {session.task: session for session in sessions}
    made: list[ImplementationTask] = []
    # What a version says of tasks is written down with what comes after it, which may never have come.
    done, rechecked = _done_before(facts), _rechecked(facts)
    for plan in planned_tasks(dict(facts.versions[-1].contents).get("tasks", b""), facts.metadata.dialect):
        record = facts.metadata.tasks.get(plan.number, TaskRecord())
        merge, session = merges.get(plan.number), last.get(plan.number)
        skipped: Literal["skipped", "blocked", "open"] = (
            "skipped" if record.state == "skipped" or plan.number in done else "blocked" if session is not None else "open"
        )
        made.append(
            ImplementationTask(
                plan=plan,
                state="merged" if merge else skipped,
                session=session.id if session else None,
                merged=merge.commit if merge else None,
                weak=merge.weak if merge else False,
                recheck=record.recheck or (merge is not None and plan.number in rechecked),
                done_before=record.done_before or plan.number in done,
                passed_over="" if merge else record.passed_over,
            )
        )
    return tuple(made)


def _done_before(facts: GitFacts) -> frozenset[str]:
    """Returns the leaves that an adopted spec had ticked when it was approved for the first time."""
    if not facts.metadata.adopted:
        return frozenset()
    first = dict(facts.versions[0].contents).get("tasks", b"")
    return frozenset(task.id for task in parsed(first, facts.metadata.dialect) if task.leaf and task.state == "done")


def _rechecked(facts: GitFacts) -> frozenset[str]:
    """Returns the tasks that rest on words which changed with the last version."""
    if len(facts.versions) < _TWO:
        return frozenset()
    old, new = (dict(version.contents) for version in facts.versions[-2:])
    dialect = facts.metadata.dialect
    names = [name for name in new if name in old and kind_of(DocumentName(name)) == REQUIREMENTS]
    resting = (tasks_resting_on_changes(parsed(new.get("tasks", b""), dialect), old[name], new[name], dialect) for name in names)
    return frozenset[str]().union(*resting)


def _sessions(facts: GitFacts, now: datetime) -> tuple[WorkSession, ...]:
    known = {_number(name): record for name, record in facts.metadata.sessions.items()}
    told = {_number(name) for name in facts.turns if name.startswith("ws-")}
    return tuple(_session(facts, number, known.get(number), now) for number in sorted({*known, *told, *facts.merges, *facts.branches}))


def _session(facts: GitFacts, number: int, record: SessionRecord | None, now: datetime) -> WorkSession:
    """Returns a session; one of which nothing but its branch or its turns is left keeps its number, so that no other takes its branch."""
    name = f"{facts.id}/ws-{number}"
    merge = facts.merges.get(number)
    record = record or SessionRecord(
        agent=facts.metadata.agent, role="implementer", state="failed", task=merge.task if merge else TaskNumber(""), reason=LOST
    )
    over = record.state in {"failed", "stuck", "cancelled"}
    parent = _parent(facts.id, number, record.parent)
    return WorkSession(
        state="completed" if merge else record.state if over else "failed",
        **_run(facts, name, record, now),
        reason="" if merge else record.reason if over else LOST,
        task=record.task,
        start=record.start or facts.feature or facts.metadata.base,
        parent=parent,
        work=record.work,
        budget_usd=record.budget_usd,
        told_attempt=record.attempt if parent else 0,
        send_backs=record.corrections,
        conflicts=record.conflicts,
        verification=record.verification,
        merged=merge.commit if merge else None,
    )


def _parent(spectask: SpecTaskId, number: int, parent: RunId | None) -> RunId | None:
    """Returns who spawned a session, if that can be: only one that was there before it, so that no line of parents runs in a circle."""
    known = re.fullmatch(rf"{re.escape(spectask)}/ws-(\d{{1,9}})", parent or "")
    return parent if known and int(known[1]) < number else None


def _shared_answers(decisions: Sequence[DecisionRecord]) -> tuple[SharedAnswer, ...]:
    """Returns what people answered and concerns everybody."""
    answers = [each for each in decisions if each.kind == "QuestionAnswered" and each.run and not each.about]
    return tuple(
        SharedAnswer(run=RunId(each.run), question=each.question, answer=each.answer, person=each.person)
        for each in answers[-KEPT_ANSWERS:]
    )


def _plans(facts: GitFacts, now: datetime, *, unfinished: bool) -> tuple[PlanningRun, ...]:
    told = {f"{facts.id}/{name}" for name in facts.turns if name.startswith("plan-")}
    names = sorted({*facts.metadata.plans, *told, *([f"{facts.id}/plan-1"] if unfinished else [])}, key=_number)
    return tuple(_plan(facts, name, now, is_open=unfinished and name == names[-1]) for name in names)


def _plan(facts: GitFacts, name: str, now: datetime, *, is_open: bool) -> PlanningRun:
    record = facts.metadata.plans.get(name) or RunRecord(agent=facts.metadata.agent, role="planner", state="completed")
    return PlanningRun(
        state="failed" if is_open else record.state if record.state in ENDED_RUN_STATES else "completed",
        **_run(facts, name, record, now),
        reason=LOST if is_open else record.reason,
        purpose="revise" if record.purpose == "revise" else "plan",
        message=record.message,
        unclean=record.unclean,
    )


def _reviews(facts: GitFacts, now: datetime) -> tuple[ReviewRun, ...]:
    """Returns the reviews; one of which only turns are left keeps its number, and one that had not ended is cancelled, as its session is."""
    told = {f"{facts.id}/{name}" for name in facts.turns if name.startswith("review-")}
    return tuple(_review(facts, name, now) for name in sorted({*facts.metadata.reviews, *told}, key=_number))


def _review(facts: GitFacts, name: str, now: datetime) -> ReviewRun:
    plain = ReviewRecord(agent=facts.metadata.agent, role="reviewer", state="cancelled", session=RunId(""), claim=0, commit=Oid(""))
    record = facts.metadata.reviews.get(name) or plain
    is_over = record.state in ENDED_RUN_STATES
    return ReviewRun(
        **_run(facts, name, record, now),
        state=record.state if is_over else "cancelled",
        reason=record.reason if is_over else LOST,
        session=record.session,
        claim=record.claim,
        commit=record.commit,
        gate=record.gate,
        verdicts=record.verdicts,
    )


def _run(facts: GitFacts, name: str, record: RunRecord, now: datetime) -> dict[str, Any]:
    """Returns what all runs share; their turns are git's alone."""
    turn = facts.turns.get(name.rpartition("/")[2], 0)
    return {
        "id": RunId(name),
        "number": _number(name),
        "agent": record.agent,
        "role": record.role,
        "started": record.started or facts.metadata.created,
        "ended": record.ended or now,
        "attempt": record.attempt,
        "first_turn": turn + 1,
        "turn": turn,
        "logged_turn": turn,
        "kept_turn": turn,
        "summary": record.summary,
        "spend": facts.costs.get(name, Spend()),
    }


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
