"""What the protocols need from the rest of the daemon; `daemon` fills it in, tests fill in something small."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from specthread.domain.commands import Submission
from specthread.domain.events import Envelope
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import Actor, Refusal, SpecTask, State
from specthread.domain.provider import ProviderState
from specthread.engine.context_cache import ContextCache
from specthread.engine.document_history import DocumentVersion
from specthread.engine.landing import Landing
from specthread.engine.pull_request import Opened, PushPlan
from specthread.engine.rebuilding import Rebuilt
from specthread.plan.capacity import Crowd
from specthread.protocol.wire_params import NewParams
from specthread.protocol.wire_result import AllowResult
from specthread.protocol.wire_view import TargetView
from specthread.spec.levels import CheckSettings
from specthread.views.dry_run import Surroundings
from specthread.views.trace import RootedTrace, TraceIndex


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


class BufferPort(Protocol):
    """What one editor shows of a document; `base` is None where nobody knows what its text was made from."""

    @property
    def text(self) -> bytes:
        """The text."""

    @property
    def base(self) -> bytes | None:
        """The text it was made from."""

    @property
    def unsaved(self) -> bool:
        """Whether it was changed since it last agreed with the disk."""


class BuffersPort(Protocol):
    """What editors hold of a SpecTask's documents, by document and holder."""

    def hold(self, document: str, holder: str, text: bytes) -> None:
        """Notes what an editor shows."""

    def save(self, document: str, holder: str) -> None:
        """Notes that an editor saved."""

    def rebase(self, document: str, holder: str, base: bytes) -> None:
        """Notes that an editor took a newer version in."""

    def drop(self, document: str, holder: str) -> None:
        """Notes that an editor closed the document."""

    def shown(self, document: str, holder: str) -> BufferPort | None:
        """Returns what an editor shows."""


class Merged(Protocol):
    """The result of a three-way merge, with conflict markers where `conflict` is true."""

    @property
    def content(self) -> bytes:
        """The merged text."""

    @property
    def conflict(self) -> bool:
        """Whether both sides changed the same lines."""

    @property
    def questions(self) -> tuple[str, ...]:
        """What both sides meant differently, as far as that is known."""


class EnginePort(Protocol):
    """The engine as the protocols see it. `trouble` says why nothing can be changed at present, or is empty."""

    @property
    def visible(self) -> State:
        """The durable state."""

    @property
    def crowd(self) -> Crowd:
        """Who works at present, under which limits, and who is first in line."""

    @property
    def instance(self) -> str:
        """The id of the event log."""

    @property
    def trouble(self) -> str:
        """Why the daemon is read-only, or nothing."""

    @property
    def providers(self) -> tuple[ProviderState, ...]:
        """How the providers of model calls stand now."""

    @property
    def cache(self) -> ContextCache:
        """What was worked out before from content that never changes."""

    async def submit(self, submission: Submission) -> Accepted | Refusal:
        """Answers when the command's events are durable."""

    def subscribe(self, since: int) -> Subscription:
        """Follows the log after `since`."""

    async def read_events(
        self, spectask: SpecTaskId, since: int = 0, run: RunId | None = None, limit: int | None = None
    ) -> Sequence[Envelope]:
        """Reads events of a SpecTask from the log, the first `limit` after `since`."""

    def buffers(self, spectask: SpecTaskId) -> BuffersPort:
        """What editors hold of a SpecTask's documents."""

    async def open_draft(self, spectask: SpecTaskId, name: str, what: str) -> Path | None:
        """Puts a draft onto the desk of a SpecTask; None where it has no desk any more."""

    async def open_new_task_draft(self, folder: Path, told: Callable[[str], object]) -> Path:
        """Puts the draft of a new SpecTask in the repository around a folder onto the disk; `told` hears why it was not sent."""

    async def merge(self, spectask: SpecTaskId, document: str, base: bytes, ours: bytes, theirs: bytes) -> Merged:
        """Merges two texts of a document that were made from one."""

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
    secrets: Sequence[str]
    started: datetime
    create: Callable[[NewParams, Actor], Awaitable[Accepted | Refusal]]
    surroundings_of: Callable[[SpecTask], Awaitable[Surroundings]]
    may_run: Callable[[SpecTask], Awaitable[Refusal | None]]
    hindrance: Callable[[], Awaitable[str]]
    desk_of: Callable[[SpecTaskId], Awaitable[str]]
    feature_tip: Callable[[SpecTask], Awaitable[str]]
    target_of: Callable[[SpecTask], Awaitable[TargetView]]
    cautions_of: Callable[[SpecTask], Awaitable[tuple[str, ...]]]
    land: Callable[[SpecTask, str], Awaitable[Landing | Refusal]]
    versions_of: Callable[[SpecTask, str], Awaitable[tuple[DocumentVersion, ...]]]
    rebuild: Callable[[Path, Actor, str], Awaitable[tuple[Rebuilt, ...]]]
    plan_push: Callable[[SpecTask, str, bool], Awaitable[PushPlan | Refusal]]
    open_pull_request: Callable[[SpecTask, PushPlan, Actor], Awaitable[Opened | Refusal]]
    trace_of: Callable[[SpecTask], Awaitable[TraceIndex]]
    trace_at: Callable[[Path], Awaitable[RootedTrace | None]]
    check_settings_at: Callable[[Path], CheckSettings]
    person_at: Callable[[Path, Mapping[str, str]], Awaitable[Actor]]
    checkouts_at: Callable[[Path], Awaitable[frozenset[str]]]
    powers_at: Callable[[Path], Awaitable[AllowResult]]
    allow: Callable[[Path, str], Awaitable[AllowResult | Refusal]]
    log_lines: Callable[[int], Awaitable[list[str]]]
    fault_of: Callable[[Exception], Fault | None]
    clock: Callable[[], datetime]
    stop: Callable[[], None]
