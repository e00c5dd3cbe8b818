"""The closed list of commands that people and editors give; what the daemon's own effects report stands in `reports.py`.

Names are imperative. `decide` answers each with events or with a Refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from specthread.domain.events import SpecTaskRebuilt
from specthread.domain.ids import CommentId, Digest, Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.model import Actor, EditKind, Flow, Limits, ReviewMode
from specthread.domain.pull_request import ForgeKind
from specthread.domain.run_options import Priority, RunOptions
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
    priority: Priority = "normal"


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
    """Lets the approved tasks run, or only `tasks` and what they wait for; `limits` and `options` replace the SpecTask's, None leaves the options as they are.

    In an interactive run it is a human's yes to each of `tasks`.
    """

    limits: Limits
    tasks: tuple[TaskNumber, ...] = ()
    options: RunOptions | None = None


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
class TakeBackLock(Command):
    """Takes a resource from a run that holds it; `why` is told to its agent."""

    run: RunId
    resource: str
    why: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildSpecTask(Command):
    """Takes up a SpecTask that only git knows."""

    found: SpecTaskRebuilt


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPullRequest(Command):
    """Notes the pull request that a person's push led to: a new one, or the one that was there."""

    forge: ForgeKind
    url: str
    number: int
    branch: str
    remote: str
    address: str
    pushed: tuple[tuple[str, Oid], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnSession(Command):
    """Gives work to a session of its own, under `parent` or beside all others; a session only does so under itself, once for each tool `call`."""

    parent: RunId | None
    work: str
    role: str = ""
    budget_usd: Decimal | None = None
    call: str = ""
