"""What the protocols need from the rest of the daemon; `daemon` fills it in, tests fill in something small."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from specthread.domain.commands import Submission
from specthread.domain.events import Envelope
from specthread.domain.model import Actor, Refusal, RunId, SpecTask, SpecTaskId, State
from specthread.protocol.wire import NewParams
from specthread.protocol.wire_view import AllowResult, TargetView


class Accepted(Protocol):
    """A command that was carried out and is durable."""

    @property
    def seq(self) -> int:
        """Sequence number of its last event."""

    @property
    def envelopes(self) -> Sequence[Envelope]:
        """Its events; empty where nothing had to change."""


class StreamedText(Protocol):
    """Text of a run as it comes; may be dropped."""

    @property
    def run(self) -> str:
        """The run that says it."""

    @property
    def text(self) -> str:
        """What it says."""


class Subscription(Protocol):
    """Events in order without gaps, with streamed text between them."""

    def __aiter__(self) -> AsyncIterator[Envelope | StreamedText]:
        """Yields what comes."""

    def close(self) -> None:
        """Ends it; the engine keeps nothing for it any more."""


class EnginePort(Protocol):
    """The engine as the protocols see it. `trouble` says why nothing can be changed at present, or is empty."""

    @property
    def visible(self) -> State:
        """The durable state."""

    @property
    def instance(self) -> str:
        """The id of the event log."""

    @property
    def trouble(self) -> str:
        """Why the daemon is read-only, or nothing."""

    async def submit(self, submission: Submission) -> Accepted | Refusal:
        """Answers when the command's events are durable."""

    def subscribe(self, since: int) -> Subscription:
        """Follows the log after `since`."""

    async def read_events(
        self, spectask: SpecTaskId, since: int = 0, run: RunId | None = None, limit: int | None = None
    ) -> Sequence[Envelope]:
        """Reads events of a SpecTask from the log, the first `limit` after `since`."""

    async def statistics(self) -> dict[str, Any]:
        """Counts for `status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure of the world outside, or of its rules, told as an error of code `code`."""

    code: int
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything a request may use.

    `desk_of` and `feature_tip` are empty where a repository or branch has gone; `fault_of` explains the exceptions that are no bugs and returns None for those that are.
    """

    engine: EnginePort
    state_folder: Path
    started: datetime
    create: Callable[[NewParams, Actor], Awaitable[Accepted | Refusal]]
    may_run: Callable[[SpecTask], Awaitable[Refusal | None]]
    hindrance: Callable[[], Awaitable[str]]
    desk_of: Callable[[SpecTaskId], Awaitable[str]]
    feature_tip: Callable[[SpecTask], Awaitable[str]]
    target_of: Callable[[SpecTask], Awaitable[TargetView]]
    person_at: Callable[[Path, Mapping[str, str]], Awaitable[Actor]]
    checkouts_at: Callable[[Path], Awaitable[frozenset[str]]]
    powers_at: Callable[[Path], Awaitable[AllowResult]]
    allow: Callable[[Path, str], Awaitable[AllowResult | Refusal]]
    log_lines: Callable[[int], Awaitable[list[str]]]
    fault_of: Callable[[Exception], Fault | None]
    clock: Callable[[], datetime]
    stop: Callable[[], None]
