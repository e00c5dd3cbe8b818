"""What an agent does for a SpecTask, as immutable values: a conversation, its money, its questions, and what the daemon found about its work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from specthread.domain.barrier import Barrier
from specthread.domain.coordination import Wait
from specthread.domain.ids import Oid, RunId, TaskNumber

RunState = Literal[
    "pending",
    "starting",
    "running",
    "waiting",
    "paused",
    "verifying",
    "merging",
    "completed",
    "failed",
    "stuck",
    "cancelled",
    "interrupted",
]
QuestionKind = Literal["question", "permission", "budget"]
Judgement = Literal["met", "unmet", "unclear"]
CheckState = Literal["green", "red", "cannot-run", "not-run"]
CheckOutcome = Literal["verified", "weak", "red", "cannot-run", "no-work", "unexplained"]

ENDED_RUN_STATES: frozenset[RunState] = frozenset({"completed", "failed", "stuck", "cancelled"})
LIVE_RUN_STATES: frozenset[RunState] = frozenset(
    {"pending", "starting", "running", "waiting", "paused", "verifying", "merging", "interrupted"}
)

ACTING: frozenset[RunState] = frozenset({"starting", "running", "interrupted"})
"""States in which a run's agent acts."""
WORKING_RUN_STATES: frozenset[RunState] = frozenset({"starting", "running", "interrupted", "verifying", "merging"})
"""States that hold a slot of the parallelism limit: a session that waits for a place, a paused and a waiting one hold none."""

MAX_SEND_BACKS = 3
MAX_CONFLICTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something a run asked a human; `answer_seq` is 0 until somebody answered."""

    id: str
    kind: QuestionKind
    text: str
    choices: tuple[str, ...] = ()
    answer: str = ""
    answer_seq: int = 0
    stood: RunState = "running"
    """Where in its work the run asked, and goes on."""
    barrier: Barrier | None = None
    """The limit that is to be raised, where it asks for money."""


def concerns_all(question: Question) -> bool:
    """Tells whether the answer is for everybody: what a person says of money, or of a check that could not run, is for that run alone."""
    return question.kind == "question" and not question.id.startswith("check-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Model use of a run: calls, tokens and US dollars. `reserved` covers the open call; `unknown_calls` could not be priced.

    Of the tokens that went in, `cache_read` came from the provider's cache and `cache_write` were put there.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    reserved_usd: Decimal = Decimal(0)
    unknown_calls: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: Spend) -> Spend:
        """Returns the sum of both, field by field."""
        return Spend(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            reserved_usd=self.reserved_usd + other.reserved_usd,
            unknown_calls=self.unknown_calls + other.unknown_calls,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a WorkSession and a PlanningRun share: one agent's conversation with its journal counters."""

    id: RunId
    number: int
    state: RunState
    agent: str
    role: str
    started: datetime
    ended: datetime | None = None
    attempt: int = 1
    first_turn: int = 1
    """First turn of the present attempt: earlier turns belong to earlier conversations."""
    turn: int = 0
    """Last turn with a finished call."""
    open_call: int = 0
    """Number of the call whose bytes may be on the wire, or 0."""
    charged_usd: Decimal | None = None
    """What that call was charged with when the work was stopped; None where it was not."""
    logged_turn: int = 0
    """Last turn whose transcript git holds."""
    kept_turn: int = 0
    """Last turn that git holds from before the log was rebuilt: its events are gone, so it is never written again."""
    question: Question | None = None
    paused_from: RunState | None = None
    returns: RunState | None = None
    """While it is `pending`: the state in which it goes on once it has a place; None where it has not begun. Planning needs no place."""
    permitted: tuple[str, ...] = ()
    """What a person permitted for the rest of it, each in the words in which it was asked."""
    summary: str = ""
    reason: str = ""
    active_since: datetime | None = None
    worked: float = 0.0
    """When its agent last began to act, None while it rests; and the seconds it acted before that, in the present attempt."""
    stood_since: datetime | None = None
    stood: float = 0.0
    """Since when it has stood still (paused, waiting for a place, or stopped with its SpecTask), and the seconds it did before that, in the present attempt."""
    doing: str = ""
    """What its agent did in the last turn, in one line; empty while it rests, and when it has ended."""
    awaits: str = ""
    """The resource that it stands in line for: meanwhile its agent does not act."""
    busy: int = 0
    """What its agent is about: a model call, or so many tools of the last reply. Between these it waits for its provider or for us."""
    faults: int = 0
    fault: str = ""
    """How many model calls were lost since the last one that returned, and why the last of them was."""
    spend: Spend = field(default_factory=Spend)
    day: date | None = None
    day_usd: Decimal = Decimal(0)
    """The last day on which it called its model, by the calendar where the daemon ran, and what it spent on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningRun(Run):
    """One run of the planner: it writes only through document tools and has no branch."""

    purpose: Literal["plan", "revise"]
    message: str = ""
    started_seq: int = 0
    """Sequence number of the event that began it: what was said in a review before that, it has to answer."""
    mends: tuple[int, ...] = ()
    """The turns in which it was sent back to mend its documents."""
    asked: int = 0
    """How many questions of it reached a person."""
    unclean: str = ""
    """The first thing wrong with the documents that it did not mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCheck:
    """What one of the project's own checks says of the starting tree and of the work; `output` is that of the tree on which it is not green, the work first."""

    kind: str
    command: str
    before: CheckState
    after: CheckState
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the daemon, not the agent, found about a claim. Exit codes are None where the check did not run."""

    outcome: CheckOutcome
    check: str
    commit: Oid
    tree: Oid
    before_exit: int | None = None
    after_exit: int | None = None
    output: str = ""
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    unprotected: bool = False
    before_passed: bool | None = None
    """Whether the check ran without a sandbox, and whether it was green on the starting tree: exit 0 is not, where no test ran; None is unknown."""
    before_output: str = ""
    """What the check printed on the starting tree."""
    checks: tuple[ProjectCheck, ...] = ()
    formatted: str = ""
    """What the project's formatter changed before the commit, as a diff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reviewer says of one criterion, and where in the work that is seen (`path` or `path:line`)."""

    criterion: str
    judgement: Judgement
    place: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRun(Run):
    """One reviewer on the committed work of one claim: it only reads, and ends by its verdicts."""

    session: RunId
    claim: int
    commit: Oid
    gate: bool = True
    """Whether what is not met goes back; else it is told to the person alone."""
    budget_usd: Decimal | None = None
    user_set: bool = False
    """Whether a person set that budget: then it holds also where no price is known."""
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSession(Run):
    """One agent on one ImplementationTask, or on the `work` it was spawned for, in one worktree. Only the recorded attempt may be merged."""

    task: TaskNumber
    """Empty where it was spawned."""
    start: Oid
    """Feature tip this attempt began from."""
    started_seq: int = 0
    """Sequence number of the event that began this attempt."""
    fresh: bool = False
    """This attempt begins with the files of `start`; what the earlier one left is archived first."""
    claims: int = 0
    claim_seq: int = 0
    """Sequence number of the last claim; names the session's commit."""
    verified_seq: int = 0
    """Sequence number of the last passed check; names the merge commit."""
    send_backs: int = 0
    conflicts: int = 0
    verification: Verification | None = None
    conflict_with: Oid | None = None
    """Feature tip that was merged into the worktree with markers; becomes the second parent of the next session commit."""
    merged: Oid | None = None
    parent: RunId | None = None
    """The session that spawned it; None also where a person spawned it beside the others."""
    work: str = ""
    """What it was spawned for, in the words of whoever did."""
    budget_usd: Decimal | None = None
    """What it and those it spawns may spend of what its parent may; None: whatever that is."""
    spawn_call: str = ""
    spawned_seq: int = 0
    is_alone: bool = False
    """A person let it go on when its parent no longer worked."""
    told_attempt: int = 0
    """The attempt whose end its parent was told."""
    blocked: str = ""
    """What its agent says is in its way."""
    without: tuple[str, ...] = ()
    """Resources that it gave back, lost or was relieved of, although its task may use them."""
    wait: Wait | None = None
    review: RunId | None = None
    """The review of its last claim; until that has ended the session is verified no further."""
    queued_seq: int = 0
    """Since which event it has waited for a place to go on; who waits longer goes first."""


AnyRun: TypeAlias = PlanningRun | WorkSession | ReviewRun


def stage(run: Run) -> RunState:
    """Returns where a run stands in its work, whether or not it waits for a place to go on there; `pending` only before it has begun."""
    return run.returns if run.state == "pending" and run.returns else run.state


def acted(run: Run, now: datetime) -> float:
    """Returns the seconds that a run's agent has acted in its present attempt by now."""
    return run.worked + (max(0.0, (now - run.active_since).total_seconds()) if run.active_since else 0.0)


def still_works(run: Run) -> bool:
    """Tells whether a run's agent acts, rests for others or will go on so: not once it is done with its work and that is checked, wherever it stands still."""
    stands = (run.paused_from or "running") if run.state == "paused" else run.state
    return (run.returns if stands == "pending" else stands) in ACTING | {"waiting"}


def under_way(run: Run, now: datetime) -> float:
    """Returns the seconds that a run took until its end, or has taken by now; what it stood still does not count."""
    until = run.ended or run.stood_since or now
    return max(0.0, (until - run.started).total_seconds() - run.stood)
