"""A desk with a small real state behind it, and the savers that editors are."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from specthread.domain.commands import Command, CreateSpecTask, EditDocument
from specthread.domain.decide import decide
from specthread.domain.events import DocumentEdited, Envelope
from specthread.domain.ids import CommentId, Oid, RunId, SpecTaskId
from specthread.domain.model import DAEMON, Actor, Limits, Refusal, SpecTask, State
from specthread.domain.names import document_path
from specthread.domain.reports import FinishPlanning
from specthread.domain.state import apply
from specthread.engine.buffers import Buffers
from specthread.engine.desk import Desk
from specthread.engine.desk_file import exchange_files
from specthread.engine.desk_watch import DeskWatch
from specthread.engine.document_merge import merge_document

ID = SpecTaskId("add-json-7k3f")
ADA = Actor(kind="human", name="Ada", email="ada@example.org")
PLANNER = Actor(kind="session", name=f"{ID}/plan-1")
DEADLINE = 10.0


@dataclass(frozen=True)
class Merged:
    content: bytes
    conflict: bool
    questions: tuple[str, ...] = ()


def git_merge(base: bytes, ours: bytes, theirs: bytes) -> Merged:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("live", "base", "saved")]
        for path, content in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(content)
        answer = subprocess.run(["git", "merge-file", "-p", "live", "base", "saved"], cwd=folder, capture_output=True, check=False)
        assert answer.returncode < 128, answer.stderr
        return Merged(answer.stdout, answer.returncode != 0)


@dataclass
class Timer:
    due: float
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        timer = Timer(self.now + delay, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer.due <= self.now and not timer.cancelled]
        self.timers = [timer for timer in self.timers if timer.due > self.now and not timer.cancelled]
        for timer in due:
            timer.callback()


@dataclass
class DeskStory:
    """A SpecTask decided by the real rules, in memory, and its desk on the real disk."""

    state_folder: Path
    exchange: Callable[[Path, Path], bool] = exchange_files
    clock: HandClock = field(default_factory=HandClock)
    state: State = field(default_factory=State)
    log: list[Envelope] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    conflicts: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    before_submit: list[Callable[[Command], object]] = field(default_factory=list)
    answer_with: list[Refusal] = field(default_factory=list)
    git_faults: list[Exception] = field(default_factory=list)
    desk: Desk | None = None
    buffers: Buffers = field(default_factory=Buffers)

    def __post_init__(self) -> None:
        self.numbers = itertools.count(1)
        self.give(
            CreateSpecTask(
                spectask=ID, prompt="Add JSON", repository="/repo", base=Oid("a" * 40), target="main", agent="demo", limits=Limits()
            ),
            ADA,
        )

    @property
    def folder(self) -> Path:
        return self.state_folder / "desk" / "repo" / ID

    @property
    def spectask(self) -> SpecTask:
        return self.state.spectasks[ID]

    def path(self, name: str = "requirements") -> Path:
        return self.folder / document_path(ID, name)

    @property
    def question(self) -> Path:
        return self.path().with_name("requirements.conflict.md")

    def live(self, name: str = "requirements") -> bytes:
        return self.spectask.documents[name].content

    def on_disk(self, name: str = "requirements") -> bytes | None:
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None

    def give(self, command: Command, actor: Actor) -> tuple[Envelope, ...] | Refusal:
        decision = decide(self.state, command, actor)
        if isinstance(decision, Refusal):
            self.refusals.append(decision)
            return decision
        envelopes = tuple(
            Envelope(
                seq=seq, instance="i", schema=1, host="h", actor=actor, time=datetime(2026, 1, 1, tzinfo=UTC), spectask=ID, event=event
            )
            for seq, event in enumerate(decision, self.state.sequence + 1)
        )
        for envelope in envelopes:
            self.state = apply(self.state, envelope)
        self.log += envelopes
        if self.desk:
            self.desk.changed()
        return envelopes

    async def submit(self, command: Command, actor: Actor) -> object:
        if self.before_submit and isinstance(command, EditDocument):
            self.before_submit.pop(0)(command)
        if self.answer_with and isinstance(command, EditDocument):
            return self.answer_with.pop(0)
        return self.give(command, actor)

    def planner_writes(self, content: bytes, name: str = "requirements") -> None:
        known = self.spectask.documents.get(name)
        command = EditDocument(spectask=ID, document=name, content=content, expects=known.content if known else None, kind="planner")
        assert not isinstance(self.give(command, PLANNER), Refusal)

    def planner_finishes(self) -> None:
        for name in ("design", "tasks"):
            self.planner_writes(b"# words\n", name)
        assert not isinstance(self.give(FinishPlanning(spectask=ID, plan=RunId(f"{ID}/plan-1"), summary="done"), DAEMON), Refusal)

    def human_edits(self, name: str = "requirements") -> list[bytes]:
        edits = [envelope for envelope in self.log if isinstance(envelope.event, DocumentEdited) and envelope.event.kind == "human"]
        assert all(envelope.actor == ADA for envelope in edits)
        assert all((envelope.event.author, envelope.event.author_email) == (ADA.name, ADA.email) for envelope in edits)
        return [envelope.event.content for envelope in edits if envelope.event.document == name]

    def typed(self, text: bytes, *, opened: bytes | None = None, editor: str = "vim") -> None:
        """Has an editor open the requirements (as they stand, where it did not yet) and hold unsaved text."""
        if self.buffers.shown("requirements", editor) is None:
            self.buffers.hold("requirements", editor, opened or self.on_disk() or b"")
        self.buffers.hold("requirements", editor, text)

    def saved(self, *, editor: str = "vim") -> None:
        """Has an editor write what it holds, and tell so."""
        buffer = self.buffers.shown("requirements", editor)
        assert buffer is not None
        self.path().write_bytes(buffer.text)
        self.buffers.save("requirements", editor)

    async def keep_conflict(self, name: str, ours: bytes, theirs: bytes) -> None:
        if self.git_faults:
            raise self.git_faults.pop()
        self.conflicts.append((name, ours, theirs))

    @asynccontextmanager
    async def running(self):
        """Runs the desk as one life of the daemon would; leaving is a restart away from the next."""
        watch = DeskWatch(self.state_folder / "desk").start()
        self.desk = Desk(
            spectask=ID,
            folder=self.folder,
            watch=watch,
            submit=self.submit,
            snapshot=lambda: self.spectask,
            merge=partial(merge_document, git_merge, "specthread"),
            keep_conflict=self.keep_conflict,
            person=lambda: ADA,
            new_comment_id=lambda: CommentId(f"c{next(self.numbers)}"),
            buffers=self.buffers,
            clock=self.clock,
            exchange=self.exchange,
        )
        task = asyncio.create_task(self.desk.run())
        try:
            yield self.desk
        finally:
            self.desk = None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            watch.stop()

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits for a condition of the real disk or the state, at most ten seconds."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110  conditions of the disk come without an event
                await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """Waits until every file holds its live document."""
        await self.until(lambda: all(self.on_disk(name) == document.content for name, document in self.spectask.documents.items()))

    async def looked(self) -> None:
        """Waits until the desk has looked at all that was written before: saves of the document that it visits last are taken.

        Two of them, because the pass that takes the first may have begun before this call.
        """
        for _ in range(2):
            text = b"# tasks, looked at %d\n" % next(self.numbers)
            self.path("tasks").write_bytes(text)
            await self.until(lambda text=text: self.live("tasks") == text)


DRAFT = b"# Requirements\n\n### Requirement 1: JSON\n\nThe tool prints text.\n\n### Requirement 2: Errors\n\nThe tool exits 1.\n"
REVISED = DRAFT.replace(b"exits 1", b"exits 2")
EDITED = DRAFT.replace(b"prints text", b"prints JSON")
BOTH = REVISED.replace(b"prints text", b"prints JSON")


def save_by_rename(path, content):
    beside = path.with_name(f".{path.name}.saving")
    beside.write_bytes(content)
    beside.replace(path)


def save_like_vim(path, content):
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_bytes(content)
    backup.unlink()


def save_in_place(path, content):
    path.write_bytes(content)


SAVERS = [save_by_rename, save_like_vim, save_in_place]
