"""How far a SpecTask is, and what in it waits for a human."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from specthread.domain.approval import is_durable, valid_approval
from specthread.domain.budget import spend_of
from specthread.domain.completion import is_over, needed_tasks
from specthread.domain.family import left_undone, short, work_of
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.names import documents_of, spectask_of
from specthread.domain.planned import task_order
from specthread.domain.run import LIVE_RUN_STATES, Run, Spend
from specthread.domain.runs import all_runs
from specthread.plan.waiting import stalled, tasks_for_a_yes, unchosen_tasks
from specthread.views.redaction import redacted
from specthread.views.review import review_text

ApprovalState = Literal["missing", "none", "recording", "valid", "void"]
"""A document is not written yet; was never approved; its approval waits for git; holds; or was for other words."""
NeedKind = Literal["question", "permission", "budget", "trouble", "review", "run", "task", "accept", "retry", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something only a human can end; `run` is empty where it concerns the whole SpecTask, `question` names what is asked, `task` the one that waits for a yes."""

    kind: NeedKind
    text: str
    run: RunId | None = None
    choices: tuple[str, ...] = ()
    question: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentProgress:
    """Where a document of the flow stands."""

    name: str
    approval: ApprovalState


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Counts of leaf tasks by outcome, with the documents, what a human has to do, and what was spent.

    `weak` counts those merged on a check that was green before. How much of the work that is, `plan/progress.py` says.
    """

    total: int
    merged: int
    skipped: int
    active: int
    weak: int
    documents: tuple[DocumentProgress, ...]
    needs: tuple[Need, ...]
    spend: Spend


def progress(spectask: SpecTask, secrets: Sequence[str] = ()) -> Progress:
    """Returns how far a SpecTask is; `secrets` are shown to nobody."""
    tasks = tuple(spectask.tasks.values())
    states = Counter(task.state for task in tasks)
    return Progress(
        total=len(tasks),
        merged=states["merged"],
        skipped=states["skipped"],
        active=states["in_progress"] + states["claimed"] + states["verified"],
        weak=sum(task.weak for task in tasks),
        documents=tuple(DocumentProgress(name=name, approval=approval_state(spectask, name)) for name in documents_of(spectask)),
        needs=needs(spectask, secrets),
        spend=spend_of(spectask),
    )


def approval_state(spectask: SpecTask, name: str) -> ApprovalState:
    """Returns where the approval of a document stands."""
    if name not in spectask.documents:
        return "missing"
    if name not in spectask.approvals:
        return "none"
    approval = valid_approval(spectask, name)
    if approval is None:
        return "void"
    return "valid" if is_durable(spectask, approval.seq) else "recording"


def needs(spectask: SpecTask, secrets: Sequence[str] = ()) -> tuple[Need, ...]:
    """Returns what waits for a human, questions first, without secrets: agents write their own questions."""
    return tuple(
        replace(need, text=redacted(need.text, secrets), choices=tuple(redacted(choice, secrets) for choice in need.choices))
        for need in _needs(spectask)
    )


def _needs(spectask: SpecTask) -> tuple[Need, ...]:
    if spectask.overtaken:
        return (Need(kind="trouble", text=spectask.trouble),)
    if spectask.state in {"done", "cancelled", "archived"}:
        return ()
    asked = (*(need for run in all_runs(spectask) if (need := _asked(run))), *_put(spectask))
    trouble = (Need(kind="trouble", text=spectask.trouble),) if spectask.trouble else ()
    return (*asked, *trouble, *_for_a_yes(spectask), *_stopped(spectask), *_stage(spectask))


def asked_by_provider(spectask: SpecTask, asks: Mapping[RunId, str]) -> tuple[Need, ...]:
    """Returns what a provider wants of a person before runs go on: once, however many of a SpecTask's wait; `asks` says it for each."""
    texts = dict.fromkeys(text for run, text in asks.items() if spectask_of(run) == spectask.id)
    return tuple(Need(kind="trouble", text=text) for text in texts)


def _asked(run: Run) -> Need | None:
    question = run.question
    if question is None or question.answer_seq or run.state not in LIVE_RUN_STATES:
        return None
    return Need(kind=question.kind, text=question.text, run=run.id, choices=question.choices, question=question.id)


def _put(spectask: SpecTask) -> tuple[Need, ...]:
    """Returns what somebody outside of our runs asks."""
    return tuple(
        Need(kind="question", text=f"{note.by} asks: {note.text}", choices=note.choices, question=note.id)
        for note in spectask.notes
        if note.is_open
    )


def _for_a_yes(spectask: SpecTask) -> tuple[Need, ...]:
    """Returns the tasks of an interactive run that could begin if a human said so."""
    return tuple(
        Need(kind="task", task=number, text=f"Task {number} waits for your yes: {spectask.tasks[number].plan.title}")
        for number in tasks_for_a_yes(spectask)
    )


def _stopped(spectask: SpecTask) -> tuple[Need, ...]:
    """Returns the tasks whose last session ended without a result, in their order, and spawned work that nobody else sees to."""
    stopped = []
    for task in sorted(spectask.tasks.values(), key=lambda each: task_order(each.plan.number)):
        session = spectask.sessions.get(task.session) if task.session and task.state not in {"merged", "skipped"} else None
        if session is not None and session.state in {"failed", "stuck", "cancelled"}:
            reason = session.reason or f"the session is {session.state}"
            stopped.append(Need(kind="retry", run=session.id, text=f"Task {task.plan.number} stopped: {reason}"))
    for session in left_undone(spectask):
        what = f"The work of {short(session.id)} ({work_of(spectask, session).title})"
        stopped.append(Need(kind="retry", run=session.id, text=f"{what} stopped: {session.reason or f'the session is {session.state}'}"))
    return tuple(stopped)


def _stage(spectask: SpecTask) -> tuple[Need, ...]:
    if spectask.state == "failed":
        return (Need(kind="resume", text=f"The SpecTask failed: {spectask.reason}"),)
    if spectask.paused:
        return (Need(kind="resume", text="The SpecTask is paused."),)
    unread = [name for name in documents_of(spectask) if approval_state(spectask, name) in {"none", "void"}]
    planning = any(plan.state in LIVE_RUN_STATES for plan in spectask.plans)
    if unread and not planning and spectask.state in {"spec_review", "revising", "approved", "implementing", "implementation_review"}:
        return (Need(kind="review", text=review_text(spectask, unread)),)
    if spectask.state == "approved" and not spectask.execute:
        return (Need(kind="run", text="The spec is approved; nothing runs until you start it."),)
    if spectask.state == "implementing" and not any(session.ended is None for session in spectask.sessions.values()):
        rest = unchosen_tasks(spectask)
        done = all(is_over(spectask.tasks[number]) for number in needed_tasks(spectask))
        if rest and done:
            ended = "has ended" if left_undone(spectask) else "is done"
            return (Need(kind="run", text=f"What you started {ended}; not started yet: {', '.join(rest)}."),)
        why = stalled(spectask)
        return (Need(kind="run", text=why),) if why else ()
    if spectask.state == "implementation_review" and not spectask.accepted_seq:
        return (Need(kind="accept", text="All tasks are merged or skipped; look at the feature branch and accept it."),)
    return ()
