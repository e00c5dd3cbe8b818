"""The closed list of commands: everything that may be asked of a SpecTask.

Names are imperative. `decide` answers each with events or with a Refusal. Commands of the first part come from people and editors, those
of the second from the daemon's own running effects, which report what they found.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from specthread.domain.events import SpecTaskRebuilt
from specthread.domain.model import (
    Actor,
    CommentId,
    Digest,
    EditKind,
    Flow,
    Limits,
    Oid,
    QuestionKind,
    ReviewMode,
    RunId,
    SpecTaskId,
    TaskNumber,
    Verification,
)
from specthread.spec.dialects import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base of the closed list: every command concerns one SpecTask."""

    spectask: SpecTaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A command with the actor who gave it; `key` makes a repeated request return its first answer."""

    command: Command
    actor: Actor
    key: str = ""


# --- from people and editors ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedDocument:
    """A document that is there already: its name in the flow, its repository-relative path, and its bytes."""

    name: str
    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSpecTask(Command):
    """Asks for a spec; planning starts at once, or, where documents are `adopted`, their review."""

    prompt: str
    repository: str
    base: Oid
    target: str | None
    agent: str
    limits: Limits
    warnings: tuple[str, ...] = ()
    flow: Flow = "feature"
    review_mode: ReviewMode = "together"
    execute: bool = False
    advance: bool = False
    dialect: Dialect = "specthread"
    adopted: tuple[AdoptedDocument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A comment to be added: where it is anchored and what it says."""

    comment: CommentId
    quote: str
    section: str
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditDocument(Command):
    """Replaces a document's content; refused as `stale-document` unless `expects` is the exact content it was made from."""

    document: str
    content: bytes
    expects: bytes | None
    kind: EditKind
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment(Command):
    """Adds a review comment."""

    document: str
    remark: Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveComment(Command):
    """Settles a comment by hand."""

    comment: CommentId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChanges(Command):
    """Sends the documents back to the planner with the open comments and a message."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveDocuments(Command):
    """Approves exactly the documents named by digest."""

    documents: tuple[tuple[str, Digest], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartImplementation(Command):
    """Lets the approved tasks run, or only `tasks` and what they wait for; `limits` replaces the SpecTask's limits."""

    limits: Limits
    tasks: tuple[TaskNumber, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuestion(Command):
    """Answers the open question of a run; `question` is the one that the person read, or empty where that is not known."""

    run: RunId
    answer: str
    question: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SayToRun(Command):
    """Steers a running agent; it reads the text before its next turn."""

    run: RunId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSpecTask(Command):
    """Stops all sessions where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSpecTask(Command):
    """Goes on after pause, failure or cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSpecTask(Command):
    """Ends the SpecTask; nothing is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSpecTask(Command):
    """Puts an ended SpecTask away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRun(Command):
    """Stops one run where it is."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRun(Command):
    """Lets one paused run go on."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun(Command):
    """Ends one run; its task is blocked until it is retried or skipped."""

    run: RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRun(Command):
    """Starts a new attempt of an ended session, in the same worktree unless `fresh`."""

    run: RunId
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipTask(Command):
    """Leaves a task undone on purpose."""

    task: TaskNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptSpecTask(Command):
    """Accepts the finished feature branch; `feature` binds the tip that was looked at, None means the present one."""

    feature: Oid | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTarget(Command):
    """Merges the moved target into the feature branch."""


# --- from the daemon's own effects ----------------------------------------------------------------------------------------


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
class InterruptRuns(Command):
    """The daemon found runs that were working when it died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCall(Command):
    """Asks to send a model call; refused when it could pass the limit. `briefing` comes with the first call of an attempt."""

    run: RunId
    turn: int
    reserve_usd: Decimal | None
    briefing: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseCall(Command):
    """Journals a call that did not return whole."""

    run: RunId
    call: int
    turn: int
    reason: str
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishTool(Command):
    """Journals a tool result."""

    run: RunId
    turn: int
    tool_use_id: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskQuestion(Command):
    """A run asks a human; a repeated `question` id is accepted without effect."""

    run: RunId
    question: str
    kind: QuestionKind
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerComment(Command):
    """The planner says what it did about a comment."""

    plan: RunId
    comment: CommentId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishPlanning(Command):
    """The planner's documents are ready."""

    plan: RunId
    summary: str


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
class FinishCheck(Command):
    """Reports the verification of a claim; `text` is what the agent is told when it is sent back."""

    session: RunId
    claim: int
    verification: Verification
    text: str


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
class RebuildSpecTask(Command):
    """Takes up a SpecTask that only git knows."""

    found: SpecTaskRebuilt


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishArchive(Command):
    """Reports that what an archived SpecTask had on disk and its branches are put away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTrouble(Command):
    """Reports background work that failed (`reason`) or went well again (empty reason)."""

    effect: str
    reason: str
    run: RunId | None = None
