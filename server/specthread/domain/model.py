"""The things Specthread talks about, as immutable values.

One word per idea; the glossary in ARCHITECTURE.md explains each. Every value here is frozen: a change makes a new value, and only `state.apply` makes
changes. A *record* is an event that must survive the loss of the database; until git holds it, its sequence number stands in `SpecTask.uncommitted`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from immutables import Map

from specthread.domain.barrier import DayRaised
from specthread.domain.condition import Condition
from specthread.domain.coordination import Fact, Message, SharedAnswer
from specthread.domain.foreseen import Foreseen
from specthread.domain.ids import (
    CommentId,
    Digest,
    Oid,
    RunId,
    SpecTaskId,
    TaskNumber,
)
from specthread.domain.locks import Locks
from specthread.domain.notes import Note
from specthread.domain.pull_request import PullRequest
from specthread.domain.run import (
    PlanningRun,
    ReviewRun,
    WorkSession,
)
from specthread.domain.run_options import RunOptions
from specthread.spec.dialects import Dialect

SpecTaskState = Literal[
    "backlog",
    "planning",
    "spec_review",
    "revising",
    "approved",
    "implementing",
    "implementation_review",
    "done",
    "failed",
    "cancelled",
    "archived",
]
TaskState = Literal["open", "in_progress", "claimed", "verified", "merged", "blocked", "skipped"]
Flow = Literal["feature", "bugfix", "refactor", "quick"]
ReviewMode = Literal["together", "stepwise"]
EditKind = Literal["planner", "human", "tick", "adopted"]
RecordKind = Literal["created", "document", "comment", "approval", "decision", "acceptance", "coordination"]

ENDED_TASK_STATES: frozenset[SpecTaskState] = frozenset({"done", "cancelled", "failed", "archived"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who gave a command; approve, accept, run, answer and allow need a human."""

    kind: Literal["human", "session", "daemon"]
    name: str = ""
    email: str = ""

    def __str__(self) -> str:
        """Returns the form kept in the log: `human:Ada`, `session:<id>/ws-1`, `daemon`."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


DAEMON = Actor(kind="daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A command that was not allowed: a stable code, what happened, and what to do next. Not an exception."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a SpecTask may use. Money in US dollars; `user_set` tells that the human, not the default, chose the stop."""

    max_parallel: int = 6
    warn_usd: Decimal = Decimal(10)
    stop_usd: Decimal = Decimal(50)
    user_set: bool = False
    max_depth: int = 2
    """How many generations of sessions a session may have below it."""
    max_children: int = 8
    """How many sessions one session may spawn."""
    task_usd: Decimal | None = None
    run_usd: Decimal | None = None
    """What the work on one task may cost, with all that was spawned for it, and one run by itself; None: no more than all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A live SpecDocument: bytes as they are on the desk and on the specs branch once its record is committed."""

    name: str
    path: str
    content: bytes
    digest: Digest
    seq: int
    """Sequence number of the edit that made this content."""
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's agreement to one exact document; void when the live digest differs from `digest`."""

    document: str
    digest: Digest
    content: bytes
    person: str
    time: datetime
    seq: int
    in_advance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An approved set of documents, published and tagged `spectask/<id>/v<number>`."""

    number: int
    digests: tuple[tuple[str, Digest], ...]
    contents: Map[str, bytes]
    specs: Oid
    feature: Oid
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A ReviewComment anchored by quote and section."""

    id: CommentId
    document: str
    quote: str
    section: str
    line: int
    text: str
    author: str
    seq: int
    answer: str = ""
    resolved: Literal["", "manual", "text-gone"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """An ImplementationTask as the approved tasks document words it."""

    number: TaskNumber
    parent: TaskNumber | None
    title: str
    detail: str = ""
    requires: tuple[str, ...] = ()
    depends: tuple[TaskNumber, ...] = ()
    files: tuple[str, ...] = ()
    role: str = "implementer"
    check: str = ""
    optional: bool = False
    conditions: tuple[Condition, ...] = ()
    """All of these must come true before it begins; once one cannot any more it is passed over."""
    timeout: float | None = None
    """Seconds that a session may work on it; None leaves it to the settings."""
    uses: tuple[str, ...] = ()
    """The resources it needs while it is worked on, as they are written: `database:test`, `api:github (shared)`."""
    estimate: float | None = None
    """Seconds that it takes, as somebody wrote; it orders the plan and limits nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplementationTask:
    """A leaf of the plan with its progress; ticked in the document by the daemon when merged, never by an agent."""

    plan: PlannedTask
    state: TaskState = "open"
    session: RunId | None = None
    merged: Oid | None = None
    weak: bool = False
    recheck: bool = False
    """Merged, but a requirement it traces to changed afterwards."""
    done_before: bool = False
    """Skipped, because its box was ticked already when an adopted spec was approved for the first time."""
    passed_over: str = ""
    """Skipped, because this condition could not come true any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTask:
    """The unit a user asks for, with everything known about it."""

    id: SpecTaskId
    prompt: str
    repository: str
    base: Oid
    target: str | None
    warnings: tuple[str, ...]
    flow: Flow
    agent: str
    review_mode: ReviewMode
    execute: bool
    advance: bool
    owner: Actor
    created: datetime
    limits: Limits
    dialect: Dialect = "specthread"
    """How its documents are written; all of them are read and ticked in this way."""
    adopted: str = ""
    """The folder whose documents it took over where they stand, or nothing where a planner wrote them."""
    state: SpecTaskState = "backlog"
    before: SpecTaskState | None = None
    """State to return to from revising, or None where nothing was approved yet."""
    stopped_from: SpecTaskState | None = None
    """State to return to from failed or cancelled."""
    reason: str = ""
    outside: bool = False
    """It failed because the world did (key, network, model server)."""
    paused: bool = False
    all_chosen: bool = True
    chosen: frozenset[TaskNumber] = frozenset()
    """Which tasks a human let run: all but the optional ones, and those chosen one by one."""
    options: RunOptions = field(default_factory=RunOptions)
    allowed: frozenset[TaskNumber] = frozenset()
    """The tasks of an interactive run that a human said yes to."""
    queued_since: datetime | None = None
    """When it was started, or last got a place for a session: who waited longest goes first."""
    documents: Map[str, Document] = field(default_factory=Map)
    approvals: Map[str, Approval] = field(default_factory=Map)
    sent_back: Map[str, bytes] = field(default_factory=Map)
    """The documents as they were when changes were last requested, until they are approved."""
    versions: tuple[Version, ...] = ()
    comments: Map[CommentId, Comment] = field(default_factory=Map)
    plans: tuple[PlanningRun, ...] = ()
    reviews: tuple[ReviewRun, ...] = ()
    tasks: Map[TaskNumber, ImplementationTask] = field(default_factory=Map)
    sessions: Map[RunId, WorkSession] = field(default_factory=Map)
    foreseen: Map[tuple[RunId, RunId], Foreseen] = field(default_factory=Map)
    messages: tuple[Message, ...] = ()
    facts: Map[str, Fact] = field(default_factory=Map)
    shared_answers: tuple[SharedAnswer, ...] = ()
    notes: tuple[Note, ...] = ()
    noted: int = 0
    """How many notes were taken, kept or not."""
    uncommitted: Map[int, RecordKind] = field(default_factory=Map)
    specs: Oid | None = None
    feature: Oid | None = None
    final: Oid | None = None
    """Feature tip that holds “publish final”; what `accept` binds to."""
    was_final: bool = False
    """It was published so once, whatever came up since."""
    accepted_seq: int = 0
    accepted_by: str = ""
    sync_seq: int = 0
    """Sequence number of the sync that is under way, or 0."""
    feature_seq: int = 0
    """Sequence number of the event that last moved `feature`; names the commit of “publish final”."""
    put_away: bool = False
    """It is archived, and so are its branches; nothing of it is left on disk."""
    warned: bool = False
    raised_seq: int = 0
    """Sequence number of the last record that raised the spending limit; runs that wait for money go on when git holds it."""
    day_raised: DayRaised | None = None
    pull_request: PullRequest | None = None
    events: int = 0
    updated: datetime | None = None
    troubles: Map[str, str] = field(default_factory=Map)
    """What the daemon cannot do at the moment for this SpecTask (disk, git), by the name of the work."""

    @property
    def syncing(self) -> bool:
        """Whether the moved target is being merged in."""
        return bool(self.sync_seq)

    @property
    def trouble(self) -> str:
        """The first of the troubles, or nothing when all is well."""
        return next((self.troubles[name] for name in sorted(self.troubles)), "")

    @property
    def overtaken(self) -> bool:
        """Whether it is held because git has taken it further than this log."""
        return OVERTAKEN in self.troubles


SYNC = "sync"
"""The trouble under which stands why the target was not merged, until it is or is tried again; the other troubles are named by their effects."""

OVERTAKEN = "overtaken"
"""The trouble under which stands that git has taken it further than this log, until it is read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All SpecTasks and the sequence number of the last event that made this state."""

    sequence: int = 0
    spectasks: Map[SpecTaskId, SpecTask] = field(default_factory=Map)
    locks: Locks = field(default_factory=Map)
    """Who holds and who waits for which resource, over all SpecTasks."""
