"""What an editor offers in a live document: at which line, in which words, and what is asked for then. One list for lenses, code actions and menus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from immutables import Map

from specthread.domain.approval import held_tasks, is_approved, valid_approval
from specthread.domain.completion import needed_tasks
from specthread.domain.model import ENDED_TASK_STATES, ImplementationTask, SpecTask
from specthread.domain.names import documents_of
from specthread.domain.planned import parsed
from specthread.domain.readiness import unmet_dependencies
from specthread.domain.run import LIVE_RUN_STATES, WorkSession
from specthread.domain.runs import all_runs
from specthread.plan.waiting import tasks_for_a_yes, why_task_waiting
from specthread.spec.digest import short
from specthread.spec.document import TASKS
from specthread.spec.tasks import parse_tasks

Verb = Literal[
    "approve", "request-changes", "start", "start-task", "pause", "resume", "retry", "answer", "accept", "open-session", "show-report"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something a person may do, or only read where `verb` is None, at a line that counts from 1; `arguments` go with the verb."""

    line: int
    title: str
    verb: Verb | None = None
    arguments: Map[str, str] = field(default_factory=Map)


def offers(spectask: SpecTask, name: str, text: bytes) -> tuple[Offer, ...]:
    """Returns what is offered in a document as an editor shows it, the head of the document first."""
    if name not in spectask.documents:
        return ()
    head = (*_review(spectask, name, text), *(_whole(spectask) if name == documents_of(spectask)[-1] else ()))
    return (*head, *(_tasks(spectask, text) if name == "tasks" else ()))


def _offer(spectask: SpecTask, line: int, title: str, verb: Verb, **arguments: str) -> Offer:
    return Offer(line=line, title=title, verb=verb, arguments=Map({"id": str(spectask.id), **arguments}))


def _review(spectask: SpecTask, name: str, text: bytes) -> tuple[Offer, ...]:
    if spectask.state in ENDED_TASK_STATES:
        return ()
    planning = any(plan.state in LIVE_RUN_STATES for plan in spectask.plans)
    document, approval = spectask.documents[name], valid_approval(spectask, name)
    if planning:
        return (Offer(line=1, title="The planner is writing…"),)
    if approval is not None:
        version = f" · v{len(spectask.versions)}" if is_approved(spectask) and spectask.versions else ""
        return (Offer(line=1, title=f"Approved by {approval.person}{version}"),)
    if text != document.content:
        return (Offer(line=1, title="Not the live version: save, or reload the file, before you approve"),)
    version = f"{name}@{short(document.digest)}"
    open_comments = sum(not each.resolved for each in spectask.comments.values())
    sends = f"Request changes ({open_comments} comment{'' if open_comments == 1 else 's'})…" if open_comments else "Request changes…"
    return (
        _offer(spectask, 1, f"Approve {version}", "approve", document=name, digest=str(document.digest)),
        _offer(spectask, 1, sends, "request-changes"),
    )


def _whole(spectask: SpecTask) -> tuple[Offer, ...]:
    """Returns what is offered for the SpecTask as a whole; it stands at the top of its last document."""
    if spectask.paused:
        return (_offer(spectask, 1, "Resume", "resume"),)
    if spectask.state == "approved" and is_approved(spectask):
        return (_offer(spectask, 1, "Start all tasks", "start"),)
    if spectask.state == "implementing":
        return (_offer(spectask, 1, "Pause", "pause"),)
    if spectask.state == "implementation_review" and spectask.final and not spectask.accepted_seq:
        return (
            _offer(spectask, 1, f"Accept {spectask.final[:7]}", "accept", feature=str(spectask.final)),
            _offer(spectask, 1, "Show the report", "show-report"),
        )
    return (_offer(spectask, 1, "Show the report", "show-report"),) if spectask.state == "done" else ()


def _tasks(spectask: SpecTask, text: bytes) -> tuple[Offer, ...]:
    found: list[Offer] = []
    is_live = text == spectask.documents[TASKS].content
    for task in parsed(text, spectask.dialect) if is_live else parse_tasks(text, spectask.dialect).tasks:
        known = spectask.tasks.get(task.id)  # type: ignore[call-overload]  # a number as the document writes it
        if task.leaf and known is not None:
            found += _task(spectask, known, task.line)
    return tuple(found)


def _task(spectask: SpecTask, task: ImplementationTask, line: int) -> tuple[Offer, ...]:
    number = task.plan.number
    if task.state == "merged":
        how = "weakly verified" if task.weak else "verified"
        return (Offer(line=line, title=f"merged {(task.merged or '')[:7]} · {how}{' · look again' if task.recheck else ''}"),)
    session = spectask.sessions.get(task.session) if task.session else None
    if session is not None:
        return _session(spectask, session, line)
    if (
        task.state == "open"
        and spectask.state in {"approved", "implementing"}
        and not spectask.paused
        and number not in held_tasks(spectask)
    ):
        unmet = unmet_dependencies(spectask, number)
        needs = f" (and {', '.join(unmet)}, which it needs)" if unmet else ""
        if spectask.state == "approved" or number not in needed_tasks(spectask) or number in tasks_for_a_yes(spectask):
            return (_offer(spectask, line, f"Start task {number}{needs}", "start-task", task=str(number)),)
    return (Offer(line=line, title=why_task_waiting(spectask, number).rstrip(".")),)


def _session(spectask: SpecTask, session: WorkSession, line: int) -> tuple[Offer, ...]:
    name = session.id.rpartition("/")[2]
    if session.question and not session.question.answer_seq and session.state == "waiting":
        asks = " ".join(session.question.text.split())
        return (_offer(spectask, line, f"{name} asks: {asks[:80]}{'…' if len(asks) > 80 else ''}", "answer", run=str(session.id)),)  # noqa: PLR2004  a lens is one line
    if session.state in {"failed", "stuck", "cancelled"}:
        return (_offer(spectask, line, f"{name} {session.state}: retry", "retry", run=str(session.id)),)
    return (_offer(spectask, line, f"{name} {session.state}", "open-session", run=str(session.id)),)


def asking(spectask: SpecTask) -> tuple[str, ...]:
    """Returns the runs that wait for an answer."""
    return tuple(str(run.id) for run in all_runs(spectask) if run.question and not run.question.answer_seq and run.ended is None)
