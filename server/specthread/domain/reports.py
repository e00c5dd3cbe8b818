"""The closed list of commands by which the daemon's own running effects report what they found, and agents what they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from specthread.domain.commands import Command
from specthread.domain.coordination import MessageKind
from specthread.domain.ids import CommentId, Oid, RunId, TaskNumber
from specthread.domain.locks import LockMode, Loss
from specthread.domain.pull_request import Checks, PullRequestState, Reviews
from specthread.domain.run import QuestionKind, Verdict, Verification
from specthread.domain.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCommit(Command):
    """Git holds a record; for the approval that completes a set, `feature` and `tag` name what was published with it."""

    of: int
    oid: Oid
    feature: Oid | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTranscript(Command):
    """Git holds a run's transcript up to `turn`."""

    run: RunId
    turn: int
    oid: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession(Command):
    """Gives a ready task to a session; sent by the scheduler."""

    task: TaskNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOverTask(Command):
    """Leaves out a task whose condition cannot come true any more; sent by the scheduler."""

    task: TaskNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOvertaken(Command):
    """Git was found to hold work on the SpecTask that this restored log does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptRuns(Command):
    """The daemon found runs that were working when it died, which was not before `alive`."""

    alive: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteClockJump(Command):
    """The clock ran so many seconds ahead of the time in which the machine was awake."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCall(Command):
    """Asks to send a model call; refused when it could pass a limit. `briefing` comes with the first call of an attempt.

    `day` is the date where the daemon runs, `day_usd` what all calls of a day may cost, None where nobody limits that. `heard` is the last event that the agent knows of.
    """

    run: RunId
    turn: int
    reserve_usd: Decimal | None
    briefing: str = ""
    sums_up: int = 0
    day: date | None = None
    day_usd: Decimal | None = None
    heard: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishCall(Command):
    """Journals a whole reply."""

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
class LoseCall(Command):
    """Journals a call that did not return whole."""

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
class FinishTool(Command):
    """Journals a tool result."""

    run: RunId
    turn: int
    tool_use_id: str
    content: str
    is_error: bool = False
    changed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskQuestion(Command):
    """A run asks a human; a repeated `question` id is accepted without effect."""

    run: RunId
    question: str
    kind: QuestionKind
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePermission(Command):
    """What a person answered to a request for permission is about to be acted upon."""

    run: RunId
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerComment(Command):
    """The planner says what it did about a comment."""

    plan: RunId
    comment: CommentId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishPlanning(Command):
    """The planner's documents are ready; `findings` are what was found in them, as sentences."""

    plan: RunId
    summary: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSession(Command):
    """A session's agent says its task is done."""

    session: RunId
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailRun(Command):
    """A run ended without its result; `outside` where the world failed, not the agent."""

    run: RunId
    reason: str
    stuck: bool = False
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOrder:
    """That work which passes is judged by a reviewer, by which agent, for how much at most, and whether what is not met goes back.

    With `user_set` a person named that amount.
    """

    agent: str
    gate: bool
    budget_usd: Decimal
    user_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishReview(Command):
    """A reviewer gives its verdicts."""

    review: RunId
    verdicts: tuple[Verdict, ...]
    summary: str
    shared: frozenset[str] = frozenset()
    """The criteria of which a task that is not merged brings a part, too: not met, they are told and send nothing back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishCheck(Command):
    """Reports the verification of a claim; `text` is what the agent is told when it is sent back."""

    session: RunId
    claim: int
    verification: Verification
    text: str
    review: ReviewOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishMerge(Command):
    """Reports a merge commit on the feature branch."""

    session: RunId
    feature: Oid


MergeProblem = Literal["merged-check", "conflict", "cannot-run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectMerge(Command):
    """Reports that a session's work does not merge, that the merged tree's check is red, or that it could not run."""

    session: RunId
    cause: MergeProblem
    text: str
    conflict_with: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishFinal(Command):
    """Reports “publish final”."""

    feature: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishSync(Command):
    """Reports the merge of the target into the feature branch, or why there is none."""

    feature: Oid | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishArchive(Command):
    """Reports that what an archived SpecTask had on disk and its branches are put away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTrouble(Command):
    """Reports background work that failed (`reason`) or went well again (empty reason)."""

    effect: str
    reason: str
    run: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLeftover(Command):
    """Tells in sentences what of a run that has ended could not be given back, and why."""

    run: RunId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPullRequest(Command):
    """Reports how the pull request stands on its forge."""

    number: int
    state: PullRequestState
    draft: bool
    checks: Checks
    reviews: Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConflicts(Command):
    """Reports a look at the files of sessions: for each pair that was looked at, the paths in which their work conflicts, or none."""

    found: tuple[tuple[RunId, RunId, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSpawned(Command):
    """Lets a spawned session begin; sent by the scheduler."""

    session: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class GivePlace(Command):
    """Lets a session go on that awaited a place; sent by the scheduler."""

    session: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleSessions(Command):
    """Draws the consequences of sessions that ended and of questions that were answered: who waits is told and goes on, whose parent is gone ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Command):
    """The session `run` says something to others, once for each tool `call`; `question` is the number of the one it answers."""

    run: RunId
    kind: MessageKind
    to: tuple[str, ...]
    text: str
    call: str
    question: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFact(Command):
    """The session `run` gives a fact a new value; refused unless `version` is the one it is at, 0 for a new fact."""

    run: RunId
    key: str
    value: str
    version: int
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitSessions(Command):
    """The session `run` rests until those it spawned have ended and its questions are answered."""

    run: RunId
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChild(Command):
    """The session `run` ends one that it spawned."""

    run: RunId
    child: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class BringIn(Command):
    """Reports that the feature branch is in the files of a session that had waited."""

    session: RunId
    feature: Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLock(Command):
    """A run wants a resource; it is granted at once or stands in line. One that it holds already is accepted without effect."""

    run: RunId
    resource: str
    mode: LockMode
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLock(Command):
    """Gives a resource to the run that stands first in line; at most `capacity` runs share it, None: any number. Sent by the scheduler."""

    run: RunId
    resource: str
    capacity: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLock(Command):
    """A run gives a resource back, or leaves the line."""

    run: RunId
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseLock(Command):
    """Ends a run's wait: its time is over, or it was chosen to break a circle of waits; then it also loses what it holds, and may be one that rests for others."""

    run: RunId
    resource: str
    cause: Loss
