"""What requests are answered with."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_progress import AtWorkView, RangeView
from specthread.protocol.wire_trace import TraceRowView
from specthread.protocol.wire_view import (
    CommentView,
    DocumentView,
    EntryView,
    EventView,
    ProblemView,
    ProviderView,
    SessionView,
    SpecTaskSummary,
    SpecTaskView,
    SpendView,
)


class Done(Wire):
    """A change that is durable: the sequence number of its last event, and one sentence about it."""

    spectask: str
    seq: int
    text: str


class LandResult(Wire):
    """What came of landing: the target was moved, had the work already, or is moved by the person with `command`."""

    spectask: str
    how: Literal["moved", "already", "by-hand"]
    target: str
    commit: str
    command: str
    text: str


class DocumentVersionView(Wire):
    """A text that a document had; `version` is `v1` and so on where it was approved in one, else empty."""

    digest: str
    commit: str
    time: datetime
    author: str
    subject: str
    version: str


class VersionsResult(Wire):
    """The texts a document had, newest first."""

    spectask: str
    document: str
    versions: list[DocumentVersionView]


class DocumentDiff(Wire):
    """How a document differs between two texts: a unified diff, empty where it does not."""

    document: str
    since: str
    until: str
    diff: str


class DiffResult(Wire):
    """How documents differ."""

    spectask: str
    documents: list[DocumentDiff]


class RebuiltView(Wire):
    """A SpecTask found in git: read back, known already, or not readable for a `reason`."""

    spectask: str
    outcome: Literal["rebuilt", "known", "damaged"]
    state: str
    reason: str


class RebuildResult(Wire):
    """What the branches of a repository hold."""

    spectasks: list[RebuiltView]
    text: str


class PushedRef(Wire):
    """A ref with the commit or tag that it has here and would have, or has, there."""

    ref: str
    commit: str


class PrResult(Wire):
    """What came of asking for a pull request: a question (`asks`), one that was opened, or one that was brought up to date.

    `address` is where it goes, without credentials; `confirm` names exactly this, to be sent back by whoever agrees; `number` is 0 and `url` empty where
    there is none yet.
    """

    spectask: str
    how: Literal["asks", "opened", "updated"]
    remote: str
    address: str
    forge: str
    branch: str
    base: str
    refs: list[PushedRef]
    with_records: bool
    confirm: str
    url: str
    number: int
    text: str


class ListResult(Wire):
    """SpecTasks, those that need a human first."""

    spectasks: list[SpecTaskSummary]


class NewResult(Wire):
    """The SpecTask that was made."""

    spectask: SpecTaskView
    seq: int


class TranscriptResult(Wire):
    """A run and what was said in it, in order, up to event `seq`; `more` tells that other entries follow. `label` marks an agent that does not reason."""

    session: SessionView
    title: str
    label: str
    entries: list[EntryView]
    seq: int
    more: bool


class Subscribed(Wire):
    """From which event on notifications follow; `fresh` tells that the asked-for log is another one."""

    instance: str
    seq: int
    fresh: bool


class ReportResult(Wire):
    """The report as Markdown."""

    spectask: str
    markdown: str


class TraceResult(Wire):
    """Who built and tested which requirement of a spec; `gaps` counts those of all rows, `passed_over` the files that are binary or too large to be searched."""

    spec: str
    requirements: list[TraceRowView]
    gaps: int
    passed_over: int


class RunCost(Wire):
    """What one run spent."""

    spectask: str
    run: str
    task: str
    role: str
    agent: str
    status: str
    spend: SpendView


class RoleCost(Wire):
    """What the runs of one role spent."""

    role: str
    spend: SpendView


class RequirementCost(Wire):
    """The share of a requirement, by what tasks call it; empty: what was spent for none. A task's cost is split evenly over those it names."""

    requirement: str
    cost_usd: Decimal


class CallCost(Wire):
    """One attempt of a model call. `cost_usd` is missing where nobody knows it, `price` names what it was priced by, and `fault` says why it broke."""

    run: str
    call: int
    turn: int
    time: datetime
    model: str
    request_id: str
    input_tokens: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    output_tokens: int
    estimated: bool
    cost_usd: Decimal | None
    price: str
    cached: bool
    fault: str


class CostResult(Wire):
    """What was spent: by run, by role, and of one SpecTask by requirement (`note` says how that is counted) and, if asked for, by call; and in all."""

    runs: list[RunCost]
    total: SpendView
    roles: list[RoleCost]
    requirements: list[RequirementCost]
    calls: list[CallCost]
    note: str = ""


class HistoryResult(Wire):
    """Events in order; `more` tells that others follow the last of them."""

    events: list[EventView]
    more: bool = False


class ReviewDocument(DocumentView):
    """A document as it is to be approved: its text, the text last approved, and the text when changes were requested since (empty where there is none)."""

    text: str
    approved_text: str
    sent_back_text: str


class ReviewResult(Wire):
    """What a reviewer reads: documents, problems, comments that are open or that the planner has just settled, and the folder to edit in."""

    spectask: str
    state: str
    why: str
    desk: str
    documents: list[ReviewDocument]
    problems: list[ProblemView]
    comments: list[CommentView]


class ForecastTaskView(Wire):
    """A task that would be done: when it would begin, in seconds after the start (null where it likely never would), and what it may take.

    `source` says what that is taken from: ended sessions, a written estimate, or a guess. `usd` is null where the price is unknown.
    `condition` is the case for which it is done, such as “task 1 failed”; nothing where it is done in every one.
    """

    number: str
    title: str
    wave: int
    role: str
    agent: str
    files: list[str]
    check: str
    depends: list[str]
    begins: float | None
    seconds: RangeView
    usd: RangeView | None
    source: str
    condition: str = ""


class AskView(Wire):
    """Something a person would be asked or told; `stops` where nothing would start before it is settled."""

    code: str
    text: str
    hint: str
    stops: bool


class ForecastView(Wire):
    """A dry run: tasks in the order they would begin, how long all of it may take in seconds, what it may cost, and what would be asked."""

    could_run: bool
    tasks: list[ForecastTaskView]
    soft_edges: list[list[str]]
    speed_up: float
    seconds: RangeView
    usd: RangeView | None
    asks: list[AskView]


class RunResult(Wire):
    """What starts, or would start: waves of task numbers, how many run at once under the limit, and why it cannot start yet (or nothing).

    A dry run has a `forecast`.
    """

    spectask: str
    started: bool
    seq: int
    why: str
    waves: list[list[str]]
    critical_path: list[str]
    max_parallel: int
    forecast: ForecastView | None = None


class SessionsResult(Wire):
    """The runs of a SpecTask: planning first, then sessions by number."""

    spectask: str
    sessions: list[SessionView]


class StatusResult(Wire):
    """How the daemon is: `uptime` in seconds, `memory` in bytes, `live` counts running sessions, `at_work` are the SpecTasks they work for.

    `hindrance` is what keeps agents from working, or nothing.
    """

    version: str
    pid: int
    instance: str
    seq: int
    state_folder: str
    uptime: float
    memory: int
    clients: int
    spectasks: dict[str, int]
    live: int
    at_work: list[AtWorkView]
    trouble: str
    hindrance: str
    statistics: dict[str, Any]
    providers: list[ProviderView]


class LogsResult(Wire):
    """Lines of the daemon's log, oldest first."""

    lines: list[str]


class StopResult(Wire):
    """The daemon stops; `live` sessions resume with the next start."""

    live: int


class AllowResult(Wire):
    """What a repository asks for; `fingerprint` is empty where it asks for nothing."""

    file: str
    keys: dict[str, Any]
    fingerprint: str
    allowed: bool
