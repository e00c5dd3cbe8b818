"""What happens between sessions: spawning, messages, facts, waits and locks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from specthread.domain.coordination import MessageKind
from specthread.domain.event import Event
from specthread.domain.ids import Oid, RunId
from specthread.domain.locks import LockMode, Loss
from specthread.domain.model import RecordKind


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
