"""What happens to runs, the planner's and the sessions', up to the merge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from specthread.domain.barrier import Barrier
from specthread.domain.event import Event
from specthread.domain.ids import Oid, RunId, TaskNumber
from specthread.domain.model import RecordKind
from specthread.domain.run import QuestionKind, Verification
from specthread.domain.usage import Usage

# --- runs: planner and sessions ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningStarted(Event):
    """The planner began to write or revise."""

    plan: RunId
    purpose: Literal["plan", "revise"]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningFinished(Event):
    """The documents are ready for review; `unclean` is the first thing wrong with them that the planner did not mend."""

    plan: RunId
    summary: str
    unclean: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningSentBack(Event):
    """The planner said in this turn that it is done, and was told what to mend first."""

    plan: RunId
    turn: int
    text: str


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
    """One run was ended: by a human, where no `reason` says otherwise."""

    run: RunId
    reason: str = ""


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
    """A model call may leave: its number is spent from now on, and its price reserved. `day` is the date where the daemon runs.

    With `sums_up` it asks for a summary of what was done through that turn. What was said to the agent after event `heard` it is not told yet; 0 where nobody noted that.
    """

    run: RunId
    call: int
    turn: int
    reserved_usd: Decimal | None
    sums_up: int = 0
    day: date | None = None
    heard: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinished(Event):
    """A model call returned whole. `reply` is the agent's own form of it (JSON), kept to resume the conversation.

    `price_version` names the table that `cost_usd` is from: what was paid stays what it was. A `cached` reply was remembered, no call was made.
    """

    run: RunId
    call: int
    turn: int
    reply: dict[str, Any]
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    usage: Usage | None = None
    model: str = ""
    request_id: str = ""
    price_version: str = ""
    cached: bool = False
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost(Event):
    """A model call did not return whole; what it may have cost stays charged. `usage` is what is known of a cut one."""

    run: RunId
    call: int
    turn: int
    reason: str
    cost_usd: Decimal | None = None
    usage: Usage | None = None
    model: str = ""
    request_id: str = ""
    price_version: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(Event):
    """A tool call of a turn has its result; `changed` tells whether the files differ since, None where nobody knows."""

    run: RunId
    turn: int
    tool_use_id: str
    content: str
    is_error: bool = False
    changed: bool | None = None


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
    barrier: Barrier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered(Event):
    """A human answered; the run goes on once git holds the decision."""

    record: ClassVar[RecordKind | None] = "decision"
    run: RunId
    question: str
    answer: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionUsed(Event):
    """What a person said of a request counts from now on, and for `once` only now: it was durable before what they permitted began."""

    run: RunId
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptCommitted(Event):
    """Git holds the run's transcript up to and including `turn`."""

    run: RunId
    turn: int
    oid: Oid


# --- verification and merge -------------------------------------------------------------------------------------------


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
    cause: Literal["check", "merged-check", "conflict", "review"]
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
