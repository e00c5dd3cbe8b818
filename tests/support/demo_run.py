"""The demo's story in one process: the real engine, git, desk and sandbox; only the clock of people is left out.

`play` may be stopped after any number of durable events, as a crash would stop it, or inside the append of the last of them, and goes on when it is called again
on the same folder. Snapshots of the state are kept every few events, so that most restarts begin with one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specgit.commits import CommitResult, Writer
from specgit.repository import Repository
from specgit.types import Oid as GitOid
from specthread.agents import sandbox
from specthread.agents.demo import Seen, demo_backend, next_step
from specthread.agents.demo import human as h
from specthread.agents.demo.material import PROMPT
from specthread.cli.demo_toy import EMAIL, NAME, make_toy_repository, path_with_python
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain.approval import unapproved_documents
from specthread.domain.ids import CommentId, Digest, Oid, RunId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.names import document_names
from specthread.engine.answered import Answered
from specthread.engine.creation import NewSpecTask
from specthread.engine.engine import Engine
from specthread.engine.log import EventLog
from specthread.engine.loop import Answer
from specthread.engine.settings import RepositorySettings, RoleSettings, Settings
from specthread.spec.anchor import anchor_at

HUMAN = Actor(kind="human", name=NAME, email=EMAIL)
PATIENCE = 60.0
"""Seconds after which a story that does not move has failed."""
SNAPSHOT_EVENTS = 15
GLANCE = 0.02
"""Seconds between two looks at the desk while the human wants to edit a file that is not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoEnd:
    """What a run of the story came to; the fields above `events` are equal for every run that reached the end, crashed or not."""

    state: str
    tasks: Mapping[str, str]
    sessions: Mapping[str, str]
    approvals: Mapping[str, str]
    documents: Mapping[str, str]
    """Blob ids of the live documents on the specs branch."""
    feature_tree: str
    events: int
    calls: Mapping[str, Sequence[int]]
    """Call numbers in the order they were started, by run."""
    stopped: bool


class StoppingLog(EventLog):
    """An event log after whose first batch that reaches `stop_after` nothing happens any more."""

    stop_after: int | None = None
    stopped: asyncio.Event
    tear: float | None = None
    torn: dict[Path, bytes]
    """The files as a crash inside the last append left them, where `tear` says how far it had come."""

    async def append(self, rows: Sequence[e.Envelope], answered: Sequence[Answered] = ()) -> None:
        """Stores the rows; from the stop on it never returns."""
        wal = self.path.with_name(f"{self.path.name}-wal")
        if not self.stopped.is_set():
            whole = wal.stat().st_size if wal.exists() else 0
            await super().append(rows, answered)
            if self.stop_after is not None and self.last_seq >= self.stop_after and self.tear is not None:
                written = wal.read_bytes()
                self.torn = {self.path: self.path.read_bytes(), wal: written[: whole + int((len(written) - whole) * self.tear)]}
        if self.stop_after is not None and self.last_seq >= self.stop_after:
            self.stopped.set()
        if self.stopped.is_set():
            await asyncio.get_running_loop().create_future()


@contextlib.contextmanager
def calling_after_commit(number: int | None, stop: Callable[[], object]) -> Iterator[None]:
    """Calls `stop` when git has made its commit number `number`, before anybody is told of it."""
    real, count = Writer.commit, itertools.count(1)

    def commit(self: Writer, *given: Any, **named: Any) -> tuple[CommitResult, ...]:
        done = real(self, *given, **named)
        if next(count) == number:
            stop()
        return done

    Writer.commit = commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        Writer.commit = real  # type: ignore[method-assign]


async def play(
    folder: Path, *, stop_after: int | None = None, tear: float | None = None, stop_at_commit: int | None = None, pause: float = 0.0
) -> DemoEnd:
    """Plays the story in `folder`, or goes on with it, to its end, until `stop_after` events are durable, or between commit `stop_at_commit` and its acknowledgement.

    With `tear`, from 0 up to but not 1, the append that would make them durable is cut off after that part of what it writes.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    with calling_after_commit(stop_at_commit, lambda: loop.call_soon_threadsafe(stopped.set)):
        return await _play(folder, stopped, stop_after, tear, pause)


async def _play(folder: Path, stopped: asyncio.Event, stop_after: int | None, tear: float | None, pause: float) -> DemoEnd:
    repository = folder / "hours"
    if not (repository / ".git").exists():
        make_toy_repository(repository)
    log = StoppingLog.open(folder / "state" / "events.db", host="test")
    assert isinstance(log, StoppingLog)
    log.stopped = stopped
    log.stop_after, log.tear, log.torn = stop_after, tear, {}
    assert log._connection
    log._connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")  # what an append wrote is the end of the file
    log._connection.rollback()
    before = asyncio.all_tasks()
    os.environ["PATH"] = path_with_python(os.environ["PATH"])
    engine = demo_engine(folder / "state", log, pause)
    story = asyncio.create_task(_tell(engine, repository), name="story")
    stop = asyncio.create_task(log.stopped.wait(), name="stop")
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({story, stop}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise AssertionError(f"The story stands still: {_standing(engine)}") from None
    finally:
        if story.done() and not log.stopped.is_set():
            stop.cancel()
            await engine.stop()
        else:
            await _crash(engine, before)
            for path, content in log.torn.items():
                path.write_bytes(content)
    if not log.stopped.is_set():
        story.result()
    return _facts(folder, engine, stopped=log.stopped.is_set())


def demo_engine(state: Path, log: EventLog, pause: float = 0.0) -> Engine:
    """Returns an engine with the settings of `specthread demo`."""
    role = RoleSettings(model="demo")
    settings = Settings(
        state=state,
        roles={"planner": role, "implementer": role},
        default_agent="demo",
        demo=True,
        lacks_sandbox=sandbox.missing_sandbox(),
    )
    engine = Engine(
        settings=settings,
        log=log,
        backends={"demo": demo_backend(pause=pause)},
        host="test",
        owner="demo",
        settings_of=lambda _: RepositorySettings(),
        suffix=lambda: "demo",
    )
    engine._snapshots._every = SNAPSHOT_EVENTS
    return engine


def seen(spectask: SpecTask) -> Seen:
    """Returns what the demo's human sees of a SpecTask."""
    runs = (*spectask.plans, *spectask.sessions.values())
    asking = [run.id for run in runs if run.state == "waiting" and run.question and not run.question.answer_seq]
    documents = {name: spectask.documents[name] for name in document_names(spectask.flow) if name in spectask.documents}
    return Seen(
        state=spectask.state,
        plans=sum(plan.state == "completed" for plan in spectask.plans),
        documents={name: (document.content.decode(), document.digest) for name, document in documents.items()},
        commented=bool(spectask.comments),
        approved=not unapproved_documents(spectask),
        question=asking[0] if asking else "",
        final=spectask.final or "",
        accepted=bool(spectask.accepted_seq),
    )


async def _tell(engine: Engine, repository: Path) -> None:
    await engine.start()
    if not engine.visible.spectasks:
        _accepted(await engine.create(NewSpecTask(prompt=PROMPT, path=repository), HUMAN))
    subscription = engine.subscribe(engine.visible.sequence)
    while True:
        (spectask,) = engine.visible.spectasks.values()
        if spectask.state in {"done", "failed", "cancelled"} and not spectask.uncommitted and not _unlogged(spectask):
            return
        step = next_step(seen(spectask))
        if isinstance(step, h.Save):
            await asyncio.to_thread(_save, engine.desk_path(spectask.id) / spectask.documents[step.document].path, step)
        elif step is not None:
            _accepted(await engine.submit(c.Submission(command=_command(spectask, step), actor=HUMAN)))
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GLANCE if isinstance(step, h.Save) else None):
                await anext(subscription)


def _unlogged(spectask: SpecTask) -> bool:
    return any(run.turn > run.logged_turn for run in (*spectask.plans, *spectask.sessions.values()))


def _save(path: Path, step: h.Save) -> None:
    """Saves as most editors do: a new file takes the old one's place."""
    if not path.exists() or step.old not in path.read_text():
        return
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(path.read_text().replace(step.old, step.new))
    beside.replace(path)


def _command(spectask: SpecTask, step: h.HumanStep) -> c.Command:
    match step:
        case h.Comment():
            anchor = anchor_at(spectask.documents[step.document].content, step.line)
            remark = c.Remark(comment=CommentId("c-1"), quote=anchor.quote, section=anchor.section, line=anchor.line, text=step.text)
            return c.AddComment(spectask=spectask.id, document=step.document, remark=remark)
        case h.RequestChanges():
            return c.RequestChanges(spectask=spectask.id, message=step.message)
        case h.Approve():
            return c.ApproveDocuments(spectask=spectask.id, documents=tuple((name, Digest(digest)) for name, digest in step.documents))
        case h.Run():
            return c.StartImplementation(spectask=spectask.id, limits=spectask.limits)
        case h.Answer():
            return c.AnswerQuestion(spectask=spectask.id, run=RunId(step.run), answer=step.text)
        case h.Accept():
            return c.AcceptSpecTask(spectask=spectask.id, feature=Oid(step.feature))
        case h.Save():
            raise AssertionError("a save is no command")


def _accepted(answer: Answer) -> None:
    assert not isinstance(answer, Refusal), f"{answer.code}: {answer.message}"


async def _crash(engine: Engine, before: set[asyncio.Task[object]]) -> None:
    """Ends everything at once: nothing is stored any more, and only what the system would free is freed."""
    engine._effects._stopping = True
    tasks = asyncio.all_tasks() - before - {asyncio.current_task()}
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)
    await asyncio.to_thread(engine._watch.stop)
    engine._repositories.close()
    await engine._log.close()


def _standing(engine: Engine) -> str:
    return "; ".join(
        f"{spectask.id} {spectask.state} {spectask.trouble} {[(run.id, run.state, run.reason) for run in (*spectask.plans, *spectask.sessions.values())]}"
        for spectask in engine.visible.spectasks.values()
    )


def _facts(folder: Path, engine: Engine, *, stopped: bool) -> DemoEnd:
    log = EventLog.open(folder / "state" / "events.db", host="test")
    try:
        envelopes = tuple(log.read_all())
    finally:
        log._disconnect()
    calls: dict[str, list[int]] = {}
    for envelope in envelopes:
        if isinstance(envelope.event, e.CallStarted):
            calls.setdefault(envelope.event.run, []).append(envelope.event.call)
    repository = Repository.open(folder / "hours")
    spectask = next(iter(engine.visible.spectasks.values()), None)
    if spectask is None:
        return DemoEnd(state="", tasks={}, sessions={}, approvals={}, documents={}, feature_tree="", events=0, calls={}, stopped=stopped)
    entries = repository.entries(spectask.specs) if spectask.specs else ()
    paths = {document.path: name for name, document in spectask.documents.items()}
    return DemoEnd(
        state=spectask.state,
        tasks={number: task.state for number, task in sorted(spectask.tasks.items())},
        sessions={run: f"{session.state} task {session.task}" for run, session in sorted(spectask.sessions.items())},
        approvals={name: approval.digest for name, approval in sorted(spectask.approvals.items())},
        documents={paths[entry.path]: entry.oid for entry in entries if entry.path in paths},
        feature_tree=repository.tree_of(GitOid(spectask.feature)) if spectask.feature else "",
        events=len(envelopes),
        calls=calls,
        stopped=stopped,
    )
