"""What effects may use: one value handed to each, so that none of them reaches for anything global.

Git and disk work goes through `in_thread`, which never leaves a thread working behind a cancelled task: two pieces of work on one worktree can never overlap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog

from specgit.errors import GitError
from specgit.include import included_files, read_included
from specgit.types import Person
from specthread.agents.backend import AgentBackend, Permission
from specthread.domain.commands import Command, Submission
from specthread.domain.events import Envelope
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import DAEMON, Actor, Refusal, SpecTask, State
from specthread.domain.reports import ReportOvertaken
from specthread.domain.runs import all_runs
from specthread.engine.context_cache import ContextCache
from specthread.engine.doors import Doors
from specthread.engine.loop import Accepted, Answer
from specthread.engine.once import Once
from specthread.engine.overtaken import is_overtaken
from specthread.engine.port_blocks import PortBlocks
from specthread.engine.repositories import OpenRepository, Repositories
from specthread.engine.settings import RepositorySettings, Settings
from specthread.engine.store import StoreError
from specthread.views.redaction import redacted, secret_values

if TYPE_CHECKING:
    from specthread.engine.check_run import CheckRun

P = ParamSpec("P")
T = TypeVar("T")

_logger = structlog.get_logger(__name__)
DAEMON_PERSON = Person(name="Specthread", email="specthread@localhost")


FIRST_CALL_SECONDS = 0.05


class StoreUnavailable(Exception):  # noqa: N818  names the state, as the Refusal does
    """Tells an effect that the log cannot take its report; it is tried again later."""


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs blocking work in a thread; a cancelled caller waits for the work to end before it is cancelled."""
    return await to_its_end(asyncio.get_running_loop().run_in_executor(None, lambda: function(*args, **kwargs)))


async def to_its_end(work: Awaitable[T]) -> T:
    """Does work that must not stop half-way, such as a commit and its report; a cancelled caller waits for its end before it is cancelled."""
    future = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return future.result()


@dataclass(slots=True, kw_only=True)
class Changes:
    """Wakes whoever waits for a SpecTask's durable state to change."""

    waiting: dict[SpecTaskId, set[asyncio.Event]] = field(default_factory=dict)

    def notify(self, spectask: SpecTaskId) -> None:
        """Wakes everybody who waits for this SpecTask."""
        for event in self.waiting.get(spectask, ()):
            event.set()

    async def wait_change(self, spectask: SpecTaskId, seconds: float | None = None) -> None:
        """Returns at the next durable change of the SpecTask, or after so many seconds."""
        event = asyncio.Event()
        self.waiting.setdefault(spectask, set()).add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self.waiting[spectask].discard(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything an effect may use."""

    settings: Settings
    repositories: Repositories
    backends: dict[str, AgentBackend]
    instance: str
    instance_of: Callable[[int], str]
    """The id of the log that wrote the event with a number."""
    note_compared: Callable[[SpecTaskId], Awaitable[None]]
    """Notes in the log that git has not taken a SpecTask further than it."""
    now: Callable[[], datetime]
    visible: Callable[[], State]
    submitted: Callable[[Submission], Awaitable[Answer]]
    read_events: Callable[[SpecTaskId, int, RunId | None], Awaitable[tuple[Envelope, ...]]]
    tick: Callable[[RunId, str], None]
    sleep: Callable[[float], Awaitable[None]]
    secrets: list[str]
    """Values that are kept out of everything that is written: the daemon's own, and what it learns of files that worktrees get copies of."""
    settings_of: Callable[[Path], RepositorySettings]
    """What the repository at a path adds; read anew each time, because a human may have allowed it meanwhile."""
    doors: Doors = field(default_factory=Doors)
    changes: Changes = field(default_factory=Changes)
    cache: ContextCache = field(default_factory=ContextCache)
    """What was worked out before from content that never changes."""
    starting_trees: Once[CheckRun] = field(default_factory=Once)
    """What the project's checks say of the trees that sessions began from."""
    unchecked: set[SpecTaskId] = field(default_factory=set)
    """SpecTasks of a restored log of which nobody has seen yet whether git has taken them further."""
    checking: asyncio.Lock = field(default_factory=asyncio.Lock)
    blocks: PortBlocks = field(default_factory=PortBlocks)
    permissions: dict[tuple[RunId, str], Permission] = field(default_factory=dict)
    """What a person said of checks without a sandbox, by session and question, each for one claim; a restart forgets it."""
    logged: dict[RunId, int] = field(default_factory=dict)
    """For each run the event before the last turn that git holds, so that its transcript is not read from the beginning again."""

    def repository_settings(self, opened: OpenRepository) -> RepositorySettings:
        """Returns what a repository adds to the settings."""
        return self.settings_of(opened.repository.checkout or opened.repository.git_dir)

    def spectask(self, spectask: SpecTaskId) -> SpecTask:
        """Returns the durable state of a SpecTask."""
        return self.visible().spectasks[spectask]

    async def repository(self, spectask: SpecTaskId) -> OpenRepository:
        """Returns the opened repository of a SpecTask, which this daemon then owns; raises GitError, also where the SpecTask is found to be overtaken."""
        path = Path(self.spectask(spectask).repository)
        known = self.repositories.known(path)
        opened = known if known is not None else await in_thread(self._open, path)
        if spectask in self.unchecked:
            await self._require_not_overtaken(opened, spectask)
        return opened

    async def hold_overtaken(self, compared: Container[str]) -> None:
        """Holds what git has taken further than this log, which was restored, but for what was `compared` by a start before.

        Where a repository cannot be looked at now, that comes before anything else in it.
        """
        live = [each.id for each in self.visible().spectasks.values() if not each.put_away and not each.overtaken]
        spectasks = [each for each in live if each not in compared]
        self.unchecked.update(spectasks)
        for spectask in spectasks:
            try:
                await self.repository(spectask)
            except (GitError, OSError) as error:
                _logger.warning("a SpecTask of a restored log does not go on", spectask=spectask, reason=str(error))

    async def _require_not_overtaken(self, opened: OpenRepository, identifier: SpecTaskId) -> None:
        """Holds a SpecTask that git has taken further, before anything is done for it; raises GitError then."""
        async with self.checking:
            if identifier not in self.unchecked:
                return
            found = await in_thread(is_overtaken, opened.repository, self.spectask(identifier), self._is_known)
            if found:
                await self.submit(ReportOvertaken(spectask=identifier))
            else:
                await self._note_compared(identifier)
            self.unchecked.discard(identifier)
        if found:
            raise GitError(self.spectask(identifier).trouble)

    async def _note_compared(self, spectask: SpecTaskId) -> None:
        try:
            await self.note_compared(spectask)
        except StoreError as error:
            _logger.warning(
                "a SpecTask of a restored log is compared with git again by the next start", spectask=spectask, reason=str(error)
            )

    def _is_known(self, event: str) -> bool:
        """Tells whether the log holds the event that a commit names; a commit of transcripts names none."""
        instance, _, seq = event.partition(":")
        return not seq.isdigit() or (int(seq) <= self.visible().sequence and self.instance_of(int(seq)) == instance)

    def _open(self, path: Path) -> OpenRepository:
        opened = self.repositories.open(path)
        self.learn_secrets(opened, included_files(opened.repository, self.repository_settings(opened).include))
        return opened

    def learn_secrets(self, opened: OpenRepository, paths: Sequence[str]) -> None:
        """Keeps out of what is written, from now on, the secrets in these files of the checkout, of which worktrees get copies."""
        for _, content in read_included(opened.repository, paths):
            self.secrets.extend(value for value in secret_values(content.decode(errors="replace")) if value not in self.secrets)

    async def submit(self, command: Command, actor: Actor = DAEMON) -> Answer:
        """Submits a report; raises StoreUnavailable where the log cannot take it."""
        answer = await self.submitted(Submission(command=command, actor=actor))
        if isinstance(answer, Refusal) and answer.code == "store-unavailable":
            raise StoreUnavailable(answer.message)
        return answer

    async def wait_first_call(self, spectask: SpecTaskId) -> None:
        """Lets a first model call that is about to leave go first: other work of the SpecTask would hold up its event on the same disk."""
        now = self.spectask(spectask)
        if any(run.state == "starting" and not run.spend.calls for run in all_runs(now)):
            await self.changes.wait_change(spectask, FIRST_CALL_SECONDS)

    def redacted(self, text: str) -> str:
        """Returns a text as it may be written to git: sound, and without secrets. To be called before the text is cut."""
        return redacted(text, self.secrets)

    def event_id(self, seq: int) -> str:
        """Returns the value of the trailer `Specthread-Event` for a record."""
        return f"{self.instance_of(seq)}:{seq}"


__all__ = ["Accepted", "Answer", "Changes", "Ports", "StoreUnavailable", "in_thread"]
