"""What clients see: results, and the views they are made of.

Times are UTC, ISO 8601; money is US dollars as a decimal text; lines count from 1; a name, hash or text that does not exist is empty.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_note import NoteView
from specthread.protocol.wire_progress import ProgressView
from specthread.views.entries import EntryKind


class RefusalView(Wire):
    """Why something did not happen: a stable code, what happened, and what to do next."""

    code: str
    message: str
    hint: str = ""


class SpendView(Wire):
    """Model use; `unknown_calls` could not be priced and are not in `cost_usd`. Of `input_tokens`, some were read from or written to the provider's cache."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    reserved_usd: Decimal
    unknown_calls: int
    cache_read: int = 0
    cache_write: int = 0


class NeedView(Wire):
    """Something only a human can end; `run` is empty where it concerns the whole SpecTask, `question` names what a run asks, `task` the one that waits for a yes."""

    kind: Literal["question", "permission", "budget", "trouble", "review", "run", "task", "accept", "retry", "resume"]
    run: str
    text: str
    choices: list[str]
    question: str
    task: str = ""


class DocumentView(Wire):
    """A live document without its text."""

    name: str
    path: str
    digest: str
    approval: Literal["missing", "none", "recording", "valid", "void"]
    approved_by: str
    approved_in_advance: bool
    author: str


class TaskView(Wire):
    """An ImplementationTask; `why` says what it waits for, `when` under which conditions it is done at all."""

    number: str
    title: str
    state: str
    why: str
    role: str
    check: str
    requires: list[str]
    depends: list[str]
    files: list[str]
    when: list[str]
    optional: bool
    session: str
    merged: str
    weak: bool
    recheck: bool


class CheckView(Wire):
    """What the daemon found about a session's work; `checks` are the project's own and `verdicts` its reviewer's, in words, `formatted` is a diff."""

    outcome: str
    check: str
    commit: str
    before_exit: int | None
    after_exit: int | None
    output: str
    changed: list[str]
    dropped: list[str]
    evidence: list[str]
    unprotected: bool
    checks: list[str]
    verdicts: list[str]
    formatted: str


class ForeseenView(Wire):
    """A session whose unmerged work conflicts with that of another one so far, and the paths in which it does."""

    session: str
    paths: list[str]


class SessionView(Wire):
    """A run: a WorkSession, or a PlanningRun with an empty `task`. `duration` is in seconds, up to now while it lives, without what it or its SpecTask stood still.

    `activity` is in one line what it does, or waits for, in `turn` at last.
    One that was spawned has `work` and no task, and its `parent` where a session spawned it; `budget_usd` is its own, out of that one's.
    """

    id: str
    task: str
    parent: str
    work: str
    budget_usd: Decimal | None
    blocked: str
    status: str
    why: str
    agent: str
    role: str
    started: datetime
    completed: datetime | None
    duration: float
    attempt: int
    turn: int
    activity: str
    send_backs: int
    conflicts: int
    foreseen: list[ForeseenView]
    summary: str
    reason: str
    question: NeedView | None
    verification: CheckView | None
    merged: str
    spend: SpendView


class MessageView(Wire):
    """Something said between sessions; `sender` is a run, a person or `daemon`, a receiver a run or `task 3`; a question is `open` until it is answered."""

    number: int
    kind: Literal["handoff", "question", "answer", "broadcast", "blocked", "unblocked", "finished"]
    sender: str
    receivers: list[str]
    text: str
    time: datetime
    answers: int
    open: bool


class FactChangeView(Wire):
    """A value that a fact had from a version on."""

    version: int
    value: str
    by: str
    time: datetime


class FactView(Wire):
    """Something the sessions know together, with its last changes, the present one last."""

    key: str
    value: str
    version: int
    changes: list[FactChangeView]


class CommentView(Wire):
    """A review comment with its place (in a review where its words are now, 0 where they are gone) and, once the planner spoke, its answer."""

    id: str
    document: str
    line: int
    quote: str
    section: str
    text: str
    author: str
    answer: str
    resolved: str


class VersionView(Wire):
    """An approved, published and tagged set of documents."""

    number: int
    tag: str
    specs: str
    feature: str
    digests: dict[str, str]


class LimitsView(Wire):
    """What a SpecTask may use, and of its money the work on one task and one run; None: no more than all of it."""

    max_parallel: int
    warn_usd: Decimal
    stop_usd: Decimal
    task_usd: Decimal | None = None
    run_usd: Decimal | None = None


class OptionsView(Wire):
    """How a SpecTask is run; `agents` are the roles whose tasks begin, none: all."""

    mode: Literal["parallel", "sequential"]
    priority: Literal["low", "normal", "high"]
    agents: list[str]
    interactive: bool
    fail_fast: bool


class BranchesView(Wire):
    """Where git holds a SpecTask; a branch is empty until it exists. `session` branches are named by run id."""

    specs: str
    feature: str
    sessions: dict[str, str]


class SpecTaskSummary(Wire):
    """A SpecTask as one line; `label` marks the work of an agent that does not reason, `unknown_calls` are missing in its cost."""

    id: str
    prompt: str
    repository: str
    state: str
    why: str
    flow: str
    agent: str
    label: str
    created: datetime
    updated: datetime
    total: int
    merged: int
    skipped: int
    progress: ProgressView
    cost_usd: Decimal
    unknown_calls: int
    needs: list[NeedView]


class ProviderView(Wire):
    """How a provider of model calls stands: `limit` calls at once of at most `most`, `free` places, the runs that wait, and in `trouble` what is wrong, or nothing.

    `again` is when the next call may leave, None where that is now or hangs on another call.
    """

    name: str
    limit: int
    most: int
    in_flight: int
    free: int
    waiting: list[str]
    circuit: Literal["closed", "open", "half-open"]
    reason: str
    again: datetime | None
    trouble: str


class TargetView(Wire):
    """How the branch the work is for has moved: by how many commits that the feature branch does not hold, and which paths conflict; whether it has the work."""

    behind: int = 0
    conflicts: list[str] = Field(default_factory=list)
    has_landed: bool = False


class PullRequestView(Wire):
    """A pull request that a person opened, and how it stood when its forge was last asked; `text` says that in one line, `checks` and `reviews` by name."""

    forge: str
    url: str
    number: int
    branch: str
    state: Literal["open", "merged", "closed"]
    draft: bool
    checks: dict[str, Literal["passing", "failing", "pending"]]
    reviews: dict[str, Literal["approved", "changes_requested"]]
    text: str


class SpecTaskView(SpecTaskSummary):
    """Everything a page about one SpecTask shows."""

    base: str
    target: str
    target_behind: int
    target_conflicts: list[str]
    has_landed: bool
    pull_request: PullRequestView | None
    warnings: list[str]
    trouble: str
    reason: str
    outside: bool
    review_mode: str
    execute: bool
    in_advance: bool
    paused: bool
    owner: str
    limits: LimitsView
    options: OptionsView
    documents: list[DocumentView]
    tasks: list[TaskView]
    sessions: list[SessionView]
    planning: list[SessionView]
    messages: list[MessageView]
    facts: list[FactView]
    notes: list[NoteView]
    comments: list[CommentView]
    versions: list[VersionView]
    spend: SpendView
    branches: BranchesView
    final: str
    accepted_by: str
    desk: str
    dialect: str
    adopted: str
    """The folder whose documents it took over where they stand, in their dialect; empty where a planner wrote them."""


class ProblemView(Wire):
    """Something the spec linter or the plan found."""

    document: str
    line: int
    code: str
    severity: Literal["error", "warning", "info"]
    message: str


class EventView(Wire):
    """An event of the log: `payload` is the event without document texts, `text` one sentence about it."""

    seq: int
    instance: str
    spectask: str
    time: datetime
    actor: str
    kind: str
    payload: dict[str, Any]
    text: str


class EntryView(Wire):
    """One thing in a run's transcript, from event `seq`.

    `who` is the person, tool, cause or outcome it is about; `tool_use` ties a tool's result to its call; `wrong` tells a failure.
    """

    seq: int
    time: datetime
    kind: EntryKind
    text: str
    who: str
    tool_use: str
    wrong: bool
