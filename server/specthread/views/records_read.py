"""The files that `views/records.py` writes, read back. Older ones lack what later versions added; what is no such file raises DamagedRecord."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from specthread.domain.coordination import MessageKind
from specthread.domain.ids import Digest, Oid, RunId, TaskNumber
from specthread.domain.model import Actor, Comment, Flow, Limits, ReviewMode, SpecTaskState, TaskState
from specthread.domain.run import RunState, Spend, Verdict, Verification
from specthread.domain.run_options import RunOptions
from specthread.spec.dialects import Dialect

T = TypeVar("T")


class DamagedRecord(Exception):  # noqa: N818  the name says what happened
    """A file on the specs branch that cannot be read as what its name says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRecord:
    """Where a document lies, and who wrote it last."""

    path: str
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """How an ImplementationTask stands."""

    state: TaskState = "open"
    weak: bool = False
    recheck: bool = False
    done_before: bool = False
    passed_over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as the metadata tells it."""

    agent: str
    role: str
    state: RunState
    attempt: int = 1
    started: datetime | None = None
    ended: datetime | None = None
    summary: str = ""
    reason: str = ""
    purpose: str = "plan"
    message: str = ""
    unclean: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRecord(RunRecord):
    """A ReviewRun as the metadata tells it."""

    session: RunId
    claim: int
    commit: Oid
    gate: bool = True
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord(RunRecord):
    """A WorkSession as the metadata tells it."""

    task: TaskNumber
    start: Oid | None = None
    corrections: int = 0
    conflicts: int = 0
    verification: Verification | None = None
    parent: RunId | None = None
    work: str = ""
    budget_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """spec-metadata.json."""

    id: str
    prompt: str
    flow: Flow
    base: Oid
    target: str | None
    agent: str
    owner: str
    created: datetime
    warnings: tuple[str, ...]
    review_mode: ReviewMode
    state: SpecTaskState
    dialect: Dialect = "specthread"
    adopted: str = ""
    limits: Limits = field(default_factory=Limits)
    options: RunOptions = field(default_factory=RunOptions)
    allowed: tuple[TaskNumber, ...] = ()
    accepted_by: str = ""
    chosen: tuple[TaskNumber, ...] | None = None
    documents: dict[str, PlaceRecord] = field(default_factory=dict)
    tasks: dict[TaskNumber, TaskRecord] = field(default_factory=dict)
    plans: dict[str, RunRecord] = field(default_factory=dict)
    sessions: dict[str, SessionRecord] = field(default_factory=dict)
    reviews: dict[str, ReviewRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecord:
    """One approval in review/approvals.json."""

    document: str
    digest: Digest
    person: str
    time: datetime
    in_advance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approvals:
    approvals: tuple[ApprovalRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comment:
    id: str
    document: str
    quote: str
    section: str
    line: int
    text: str
    author: str
    answer: str = ""
    resolved: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spend:
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    calls_of_unknown_cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    runs: dict[str, _Spend]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """What a decision file says was decided."""

    kind: str
    person: str = ""
    feature: str = ""
    run: str = ""
    question: str = ""
    answer: str = ""
    about: str = ""
    """What kind of question it was, where the answer concerns only the run that asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationRecord:
    """What a file of coordination says happened between sessions; what its kind does not have is empty."""

    event: str
    time: datetime
    seq: int = 0
    number: int = 0
    kind: MessageKind = "handoff"
    sender: str = ""
    receivers: tuple[str, ...] = ()
    text: str = ""
    answers: int = 0
    key: str = ""
    value: str = ""
    version: int = 0
    by: str = ""


def read_metadata(content: bytes) -> Metadata:
    """Reads spec-metadata.json."""
    return _read(content, Metadata, "spec-metadata.json")


def read_approvals(content: bytes) -> tuple[ApprovalRecord, ...]:
    """Reads review/approvals.json."""
    return _read(content, _Approvals, "review/approvals.json").approvals


def read_comment(content: bytes) -> Comment:
    """Reads the file of one review comment."""
    found = msgspec.to_builtins(_read(content, _Comment, "a review comment"))
    return msgspec.convert({**found, "seq": found.pop("number")}, Comment)


def read_costs(content: bytes) -> dict[str, Spend]:
    """Reads cost.json: what each run has spent."""
    return {run: _spend(found) for run, found in _read(content, _Cost, "cost.json").runs.items()}


def read_decision(content: bytes) -> DecisionRecord:
    """Reads the file of a decision."""
    return _read(content, DecisionRecord, "a decision")


def read_coordination(content: bytes) -> CoordinationRecord:
    """Reads a file of coordination."""
    return _read(content, CoordinationRecord, "a record of coordination")


def read_actor(text: str) -> Actor:
    """Reads an actor as `str` writes it."""
    kind, _, name = text.partition(":")
    return Actor(kind="human" if kind == "human" else "session" if kind == "session" else "daemon", name=name)


def _spend(found: _Spend) -> Spend:
    if not found.cost_usd.is_finite() or found.cost_usd < 0:
        raise DamagedRecord(f"cost.json cannot be read: {found.cost_usd} is no amount of money")
    return Spend(
        calls=found.calls,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        cost_usd=found.cost_usd,
        unknown_calls=found.calls_of_unknown_cost,
    )


def _read(content: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError) as fault:
        raise DamagedRecord(f"{name} cannot be read: {fault}") from fault
