"""What happens to a SpecTask as a whole, its pull request included."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from specthread.domain.barrier import BarrierScope
from specthread.domain.coordination import Fact, Message, SharedAnswer
from specthread.domain.event import Event
from specthread.domain.ids import Digest, Oid, RunId, TaskNumber
from specthread.domain.model import (
    Actor,
    Approval,
    Comment,
    Document,
    Flow,
    ImplementationTask,
    Limits,
    RecordKind,
    ReviewMode,
    SpecTaskState,
)
from specthread.domain.pull_request import Checks, ForgeKind, PullRequestState, Reviews
from specthread.domain.run import PlanningRun, ReviewRun, WorkSession
from specthread.domain.run_options import Priority, RunOptions
from specthread.spec.dialects import Dialect

# --- the SpecTask -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskCreated(Event):
    """A human asked for something."""

    record: ClassVar[RecordKind | None] = "created"
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
    limits: Limits
    dialect: Dialect = "specthread"
    priority: Priority = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltVersion:
    """An approved version as its tag keeps it; `digests` and `contents` are by document."""

    number: int
    digests: tuple[tuple[str, Digest], ...]
    contents: tuple[tuple[str, bytes], ...]
    specs: Oid
    feature: Oid
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskRebuilt(Event):
    """A SpecTask that this log did not know, or that git had taken further, was read back from git; all it holds is in git already.

    Its parts are values of the model, whose new fields therefore have defaults. Their sequence numbers are of the lost log.
    """

    asked: SpecTaskCreated
    owner: Actor
    created: datetime
    adopted: str
    state: SpecTaskState
    before: SpecTaskState | None
    stopped_from: SpecTaskState | None
    reason: str
    paused: bool
    chosen: tuple[TaskNumber, ...] | None
    documents: tuple[Document, ...]
    approvals: tuple[Approval, ...]
    versions: tuple[RebuiltVersion, ...]
    comments: tuple[Comment, ...]
    plans: tuple[PlanningRun, ...]
    tasks: tuple[ImplementationTask, ...]
    sessions: tuple[WorkSession, ...]
    specs: Oid
    feature: Oid | None
    final: Oid | None
    accepted_by: str
    put_away: bool
    options: RunOptions = field(default_factory=RunOptions)
    allowed: tuple[TaskNumber, ...] = ()
    messages: tuple[Message, ...] = ()
    facts: tuple[Fact, ...] = ()
    shared_answers: tuple[SharedAnswer, ...] = ()
    reviews: tuple[ReviewRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecAdopted(Event):
    """The documents of an existing spec folder, edited in by the events before, are ready for review; nobody planned them."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplementationStarted(Event):
    """A human let the approved tasks run, or only `tasks`, which hold what they wait for."""

    record: ClassVar[RecordKind | None] = "decision"
    person: str
    limits: Limits
    tasks: tuple[TaskNumber, ...] = ()
    options: RunOptions | None = None
    """How it is to be run from now on; None: as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAllowed(Event):
    """A human said yes to one task of an interactive run."""

    record: ClassVar[RecordKind | None] = "decision"
    task: TaskNumber
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPassedOver(Event):
    """A conditional task is not carried out: `condition` cannot come true any more."""

    task: TaskNumber
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskOvertaken(Event):
    """Git holds work on the SpecTask that this log, which was restored, does not know; nothing goes on until it is read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskPaused(Event):
    """No session of the SpecTask goes on until it is resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskResumed(Event):
    """Paused, failed or cancelled work goes on where it stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskCancelled(Event):
    """A human ended the SpecTask; worktrees and branches stay."""

    record: ClassVar[RecordKind | None] = "decision"
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskFailed(Event):
    """The SpecTask cannot go on by itself."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalPublished(Event):
    """The documents stand on the feature branch beside the finished work; the last word unless work came up meanwhile."""

    feature: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskAccepted(Event):
    """A human accepted the feature tip `feature`."""

    record: ClassVar[RecordKind | None] = "acceptance"
    feature: Oid
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTaskArchived(Event):
    """A human put an ended SpecTask away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFinished(Event):
    """The worktrees of an archived SpecTask are gone, and its records and work stand under archive refs; its feature branch and tags stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStarted(Event):
    """A human asked to merge the moved target into the feature branch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFinished(Event):
    """The target is merged into the feature branch (`feature`), or could not be (`reason`)."""

    feature: Oid | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetWarned(Event):
    """The spend passed the warning limit."""

    spent_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRaised(Event):
    """A human set a new spending limit, or `lifted` one that could not be kept: of the SpecTask, or only of the session `run`.

    By `scope` it is that of every run or task of the SpecTask, or of all work on `day`.
    """

    record: ClassVar[RecordKind | None] = "decision"
    stop_usd: Decimal
    person: str
    lifted: bool = False
    run: RunId | None = None
    scope: BarrierScope = "spectask"
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed(Event):
    """Background work does not go on, for a reason that is not the agent's; it is tried again."""

    effect: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRecovered(Event):
    """Background work that had failed went well again."""

    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCommitted(Event):
    """Git holds the record with sequence number `of` in commit `oid` of the specs branch."""

    of: int
    oid: Oid


# --- the pull request -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestOpened(Event):
    """A human pushed refs to `address` and opened the pull request of `branch` there, or brought more to it; found again by that branch."""

    record: ClassVar[RecordKind | None] = "decision"
    forge: ForgeKind
    url: str
    number: int
    branch: str
    person: str
    remote: str
    address: str
    pushed: tuple[tuple[str, Oid], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestChanged(Event):
    """The pull request was found in another state, or with other checks and reviews."""

    state: PullRequestState
    draft: bool
    checks: Checks
    reviews: Reviews
