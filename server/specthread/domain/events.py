"""The closed list of events: everything that ever happened to a SpecTask.

This file is the table of contents of the product. Rules: names are past tense; old events stay readable for ever, so a new field has a
default and no field changes its meaning; bytes are base64 in the log. A class marked `record` must also reach git (`RecordCommitted`
follows); nothing that rests on it starts before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from specthread.domain.coordination import Fact, Message, MessageKind, SharedAnswer
from specthread.domain.ids import CommentId, Digest, Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import LockMode, Loss
from specthread.domain.model import (
    Actor,
    Approval,
    Comment,
    Document,
    EditKind,
    Flow,
    ImplementationTask,
    Limits,
    PlannedTask,
    RecordKind,
    ReviewMode,
    SpecTaskState,
)
from specthread.domain.pull_request import Checks, ForgeKind, PullRequestState, Reviews
from specthread.domain.run import PlanningRun, QuestionKind, Verification, WorkSession
from specthread.domain.run_options import Priority, RunOptions
from specthread.spec.dialects import Dialect

SCHEMA = 1
"""Version of the event vocabulary, written with every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of the closed list; `record` names the kind of git record it needs, or None."""

    record: ClassVar[RecordKind | None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event in the log: `seq` counts from 1 without gaps; `instance` is the log's own id; `time` is UTC."""

    seq: int
    instance: str
    schema: int
    host: str
    actor: Actor
    time: datetime
    spectask: SpecTaskId
    event: Event


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
    """A human set a new spending limit, or `lifted` one that could not be kept: of the SpecTask, or only of the session `run`."""

    record: ClassVar[RecordKind | None] = "decision"
    stop_usd: Decimal
    person: str
    lifted: bool = False
    run: RunId | None = None


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


# --- documents, comments, approvals ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEdited(Event):
    """A document has new content."""

    record: ClassVar[RecordKind | None] = "document"
    document: str
    path: str
    content: bytes
    digest: Digest
    kind: EditKind
    author: str
    author_email: str = ""
    task: TaskNumber | None = None
    """The merged task whose box was ticked; None for every other edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAdded(Event):
    """A remark anchored in a document."""

    record: ClassVar[RecordKind | None] = "comment"
    comment: CommentId
    document: str
    quote: str
    section: str
    line: int
    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAnswered(Event):
    """The planner said what it did about a comment."""

    record: ClassVar[RecordKind | None] = "comment"
    comment: CommentId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentResolved(Event):
    """A comment is settled: by a person, or because its text is gone."""

    record: ClassVar[RecordKind | None] = "comment"
    comment: CommentId
    how: Literal["manual", "text-gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesRequested(Event):
    """A human sent the documents back to the planner, or asked for more work after the implementation."""

    record: ClassVar[RecordKind | None] = "decision"
    message: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecApproved(Event):
    """A human approved exact documents; `version` is set when this completes a set that is not published yet."""

    record: ClassVar[RecordKind | None] = "approval"
    documents: tuple[tuple[str, Digest], ...]
    person: str
    in_advance: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPublished(Event):
    """An approved set stands on the specs branch, on the feature branch and under a tag, moved in one transaction."""

    number: int
    digests: tuple[tuple[str, Digest], ...]
    specs: Oid
    feature: Oid
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksPlanned(Event):
    """The leaf tasks of the approved tasks document; `recheck` names merged ones whose requirement changed, `done` those an adopted spec had ticked."""

    tasks: tuple[PlannedTask, ...]
    recheck: tuple[TaskNumber, ...] = ()
    done: tuple[TaskNumber, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped(Event):
    """A human decided that a task is not done here."""

    record: ClassVar[RecordKind | None] = "decision"
    task: TaskNumber
    person: str


# --- the pull request --------------------------------------------------------------------------------------------------


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


# --- runs: planner and sessions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningStarted(Event):
    """The planner began to write or revise."""

    plan: RunId
    purpose: Literal["plan", "revise"]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningFinished(Event):
    """The documents are ready for review."""

    plan: RunId
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A WorkSession, or a new attempt of it, was given its task; `start` is the feature tip it begins from. One that `waits` begins when it is given a place."""

    session: RunId
    task: TaskNumber
    attempt: int
    role: str
    agent: str
    start: Oid
    fresh: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReady(Event):
    """The run's place to work is there and its agent works."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterrupted(Event):
    """The daemon had died under the run, and is not known to have lived after `alive`; the run resumes by itself."""

    run: RunId
    alive: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJumped(Event):
    """The clock was so many seconds ahead of the time in which the machine was awake: it was suspended, or its clock was set, also back. No agent acted meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused(Event):
    """A human paused one run."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed(Event):
    """A paused or waiting run goes on; a session that awaited a place has it now."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAwaited(Event):
    """What a session was stopped for, or waited for, is over: it goes on when a place is free."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(Event):
    """A run ended without its result; `stuck` where it repeated itself, `outside` where the world failed (key, network, model server)."""

    run: RunId
    reason: str
    stuck: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelled(Event):
    """A human ended one run."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupFailed(Event):
    """What was made for a run that has ended could not be given back: `reason` says in sentences what stays, and why."""

    run: RunId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBriefed(Event):
    """What an agent was told at the start of an attempt; kept, so that a restart goes on with the same conversation."""

    run: RunId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(Event):
    """A model call may leave: its number is spent from now on, and its price reserved."""

    run: RunId
    call: int
    turn: int
    reserved_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished(Event):
    """A model call returned whole. `reply` is the agent's own form of it (JSON), kept to resume the conversation."""

    run: RunId
    call: int
    turn: int
    reply: dict[str, Any]
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost(Event):
    """A model call did not return whole; what it may have cost stays charged."""

    run: RunId
    call: int
    turn: int
    reason: str
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(Event):
    """A tool call of a turn has its result."""

    run: RunId
    turn: int
    tool_use_id: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Event):
    """The daemon or a human said something to the agent; it reads it before its next turn."""

    run: RunId
    after_turn: int
    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked(Event):
    """A run waits for a human."""

    run: RunId
    question: str
    kind: QuestionKind
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered(Event):
    """A human answered; the run goes on once git holds the decision."""

    record: ClassVar[RecordKind | None] = "decision"
    run: RunId
    question: str
    answer: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptCommitted(Event):
    """Git holds the run's transcript up to and including `turn`."""

    run: RunId
    turn: int
    oid: Oid


# --- verification and merge ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaimed(Event):
    """An agent says that its task is done; the daemon now looks for itself."""

    session: RunId
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinished(Event):
    """The daemon verified a claim on the committed tree."""

    session: RunId
    verification: Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSentBack(Event):
    """The agent goes on with what was found; `conflict_with` is the feature tip now merged into its worktree with markers."""

    session: RunId
    cause: Literal["check", "merged-check", "conflict"]
    text: str
    after_turn: int
    conflict_with: Oid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMerged(Event):
    """The session's work is on the feature branch in merge commit `feature`, whose tree passed the check before."""

    session: RunId
    feature: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictForeseen(Event):
    """The unmerged work of two sessions conflicts as it is now, in these paths and no others."""

    session: RunId
    other: RunId
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictPassed(Event):
    """The unmerged work of two sessions no longer conflicts."""

    session: RunId
    other: RunId


# --- between sessions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpawned(Event):
    """A session, or a person, gave work to a session of its own; it begins when git holds this and a place is free. `call` is the tool call of the `parent`."""

    record: ClassVar[RecordKind | None] = "coordination"
    session: RunId
    parent: RunId | None
    work: str
    role: str
    agent: str
    start: Oid
    budget_usd: Decimal | None = None
    by: str = ""
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationSent(Event):
    """A session said something to others, a person answered in its place, or the daemon tells how a session ended; see `Message`."""

    record: ClassVar[RecordKind | None] = "coordination"
    number: int
    kind: MessageKind
    sender: str
    receivers: tuple[str, ...]
    text: str
    answers: int = 0
    call: str = ""
    attempt: int = 0
    """Of kind `finished`, the attempt that ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChanged(Event):
    """A session gave a fact its `version`, which follows the one that it knew."""

    record: ClassVar[RecordKind | None] = "coordination"
    key: str
    value: str
    previous: str
    version: int
    by: str
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsAwaited(Event):
    """A session rests until other sessions have ended and its questions are answered; it holds no place meanwhile."""

    run: RunId
    sessions: tuple[RunId, ...]
    questions: tuple[int, ...]
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureBroughtIn(Event):
    """The feature branch, with the merged work of those a session waited for, is in its files; becomes the second parent of its next commit."""

    session: RunId
    feature: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequested(Event):
    """A run stands in line for a resource (`kind:name`), for so many seconds at most; a higher `priority` comes earlier."""

    run: RunId
    resource: str
    mode: LockMode
    priority: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockGranted(Event):
    """The run holds the resource from now on, until it releases it or ends."""

    run: RunId
    resource: str
    mode: LockMode


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReleased(Event):
    """The run no longer holds the resource, or no longer waits for it; with a `reason` a person took it from it."""

    run: RunId
    resource: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRefused(Event):
    """The run does not get the resource: it waited too long, or broke a circle of waits by giving up all that it held (`lost`).

    Who rested for others gives up what it held, too, and is told so by a message.
    """

    run: RunId
    resource: str
    cause: Loss
    lost: tuple[str, ...] = ()


EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
"""Event classes by the name under which the log keeps them."""
