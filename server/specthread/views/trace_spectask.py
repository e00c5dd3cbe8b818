"""A SpecTask in the trace index: its live documents, the states of its tasks, its sessions, and what was merged for them."""

from __future__ import annotations

from immutables import Map

from specthread.domain.model import SpecTask
from specthread.domain.run import WorkSession
from specthread.spec.document import DocumentName
from specthread.spec.spec import read_spec
from specthread.views.trace import TraceCommit, TraceIndex, TraceSession


def home_of_spectask(spectask: SpecTask) -> str:
    """Returns the folder of the SpecTask's documents, under which the index knows it."""
    first = min((document.path for document in spectask.documents.values()), default=f".specs/{spectask.id}/")
    return spectask.adopted or first.rpartition("/")[0]


def with_spectask(index: TraceIndex, spectask: SpecTask) -> TraceIndex:
    """Returns the index that also knows this SpecTask, by its live documents; long ones take a moment to read."""
    home = home_of_spectask(spectask)
    contents = {DocumentName(name): document.content for name, document in sorted(spectask.documents.items())}
    before = index.specs.get(home)
    spec = read_spec(contents, spectask.dialect, before.spec if before else None)
    states = Map({str(number): task.state.replace("_", " ") for number, task in spectask.tasks.items()})
    sessions = sorted(spectask.sessions.values(), key=lambda session: session.number)
    return index.with_spec(home, spec, states).with_sessions(home, [_session(each) for each in sessions])


def merged_commits(spectask: SpecTask) -> tuple[TraceCommit, ...]:
    """Returns what was merged for the SpecTask's tasks, as its own state knows it: without asking git."""
    merged = [(task, session) for task in spectask.tasks.values() if task.merged and (session := _session_of(spectask, task.session))]
    return tuple(
        TraceCommit(
            task.merged or "",
            f"Merge task {task.plan.number}: {task.plan.title}",
            spectask.id,
            task.plan.number,
            task.plan.requires,
            f"{session.id}/{session.attempt}",
        )
        for task, session in sorted(merged, key=lambda pair: pair[1].number, reverse=True)
    )


def _session_of(spectask: SpecTask, run: object) -> WorkSession | None:
    return next((session for session in spectask.sessions.values() if session.id == run), None)


def _session(session: WorkSession) -> TraceSession:
    return TraceSession(session.id, session.task, session.state)
