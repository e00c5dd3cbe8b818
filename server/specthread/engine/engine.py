"""The engine as the rest of the daemon sees it: submit a command, read the durable state, follow what happens.

Starting is replaying: the state comes back from the log, runs that were at work are marked interrupted, and the effects the state wants are started again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from specgit.errors import GitError
from specthread.agents.backend import AgentBackend
from specthread.agents.orphans import end_orphans
from specthread.domain.commands import Submission
from specthread.domain.events import Envelope
from specthread.domain.ids import CommentId, RunId, SpecTaskId
from specthread.domain.model import DAEMON, Actor, Refusal, SpecTask, State
from specthread.domain.provider import ProviderState, asking_sentences, waiting_sentences
from specthread.domain.react import (
    KeepDesk,
    wanted,
)
from specthread.domain.reports import InterruptRuns
from specthread.engine.agent_place import agent_named
from specthread.engine.buffers import Buffers
from specthread.engine.compared import compared, note_compared
from specthread.engine.context_cache import CACHE_FILE, ContextCache
from specthread.engine.creation import UNGUARDED, Guard, NewSpecTask, creation
from specthread.engine.desk import Desk
from specthread.engine.desk_people import keep_conflict, person_at
from specthread.engine.desk_port import MergedText
from specthread.engine.desk_watch import DeskWatch
from specthread.engine.document_merge import merge_document
from specthread.engine.doors import Doors
from specthread.engine.dry_run import surroundings_of
from specthread.engine.effects import Effects
from specthread.engine.feed import Feed, Subscription
from specthread.engine.forges import Forges
from specthread.engine.in_git import InGit
from specthread.engine.log import EventLog
from specthread.engine.loop import Answer, Loop
from specthread.engine.merging import acknowledge_moves, may_have_moved
from specthread.engine.naming import ALPHABET
from specthread.engine.new_task_draft import NewTaskDrafts
from specthread.engine.performers import give_back, performers
from specthread.engine.port_blocks import PortBlocks
from specthread.engine.ports import Ports, in_thread
from specthread.engine.provider_limits import capacity_left
from specthread.engine.pull_request import PullRequests
from specthread.engine.repositories import Repositories
from specthread.engine.settings import RepositorySettings, Settings
from specthread.engine.unsaved import unsaved
from specthread.engine.upkeep import Snapshots, keep_packed, keep_up, kept_alive
from specthread.engine.workplace import left_behind
from specthread.plan.capacity import Capacity, Crowd
from specthread.views.dry_run import Surroundings

_logger = structlog.get_logger(__name__)
SUFFIX = 4


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _random_suffix() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(SUFFIX))


class Engine:
    """Owns the log, the loop, the effects and the repositories of one daemon."""

    def __init__(
        self,
        *,
        settings: Settings,
        log: EventLog,
        backends: dict[str, AgentBackend],
        host: str,
        owner: str,
        settings_of: Callable[[Path], RepositorySettings],
        secret_values: tuple[str, ...] = (),
        guard: Guard = UNGUARDED,
        forges: Forges | None = None,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        suffix: Callable[[], str] = _random_suffix,
    ) -> None:
        self._settings = settings
        self._log = log
        self._suffix = suffix
        self._guard = guard
        self._repositories = Repositories(settings.state, owner)
        self._loop = Loop(log, host=host, now=now, published=self._published, capacity=self._capacity)
        self._watch = DeskWatch(settings.state / "desk")
        self._desks: dict[SpecTaskId, Desk] = {}
        self._buffers: dict[SpecTaskId, Buffers] = {}
        self._feed = Feed(self._read_chunk, log.last_seq)
        self._snapshots = Snapshots(log, lambda: self._loop.visible)
        self._new_drafts = NewTaskDrafts(root=settings.state / "desk", watch=self._watch, ask=self._ask_for)
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._ports = Ports(
            settings=settings,
            repositories=self._repositories,
            backends=backends,
            instance=log.instance,
            instance_of=log.instance_of,
            note_compared=lambda spectask: log.note(partial(note_compared, spectask=spectask)),
            now=now,
            visible=lambda: self._loop.visible,
            submitted=self._loop.submit,
            read_events=self.read_events,
            tick=self._feed.tick,
            sleep=sleep,
            secrets=list(secret_values),
            settings_of=settings_of,
            blocks=PortBlocks(first=settings.first_port),
        )
        self.in_git = InGit(self._ports)
        self.pull_requests = PullRequests(ports=self._ports, forges=forges or Forges(), trace=self.in_git.trace_of)
        self._effects = Effects(
            perform=performers(self._ports, self.pull_requests) | {KeepDesk: self._keep_desk},
            give_back=give_back(self._ports),
            visible=lambda: self._loop.visible,
            report=self._ports.submit,
            report_nowait=self._loop.submit_nowait,
            retry=settings.retry,
            sleep=sleep,
        )

    # --- what others see ---------------------------------------------------------------------------------------------

    @property
    def visible(self) -> State:
        """The durable state."""
        return self._loop.visible

    @property
    def crowd(self) -> Crowd:
        """Who works at present, under which limits, and who is first in line."""
        providers = self.providers
        return replace(self._loop.crowd, held=waiting_sentences(providers), asks=asking_sentences(providers))

    @property
    def instance(self) -> str:
        """The id of the event log."""
        return self._log.instance

    @property
    def default_agent(self) -> str:
        """The agent that works where nobody names one."""
        return self._settings.default_agent

    @property
    def secrets(self) -> Sequence[str]:
        """Values that are shown to nobody."""
        return self._ports.secrets

    @property
    def providers(self) -> tuple[ProviderState, ...]:
        """How the providers of model calls stand now, with times in the zone of this machine."""
        now = self._ports.now().astimezone()
        return tuple(
            {
                state.name: state
                for state in (backend.provider_state(now) for backend in self._ports.backends.values() if not backend.needs_place)
            }.values()
        )

    def _capacity(self) -> Capacity:
        return capacity_left(self._settings.capacity, self._ports.backends, self._ports.now())

    @property
    def trouble(self) -> str:
        """Why nothing can be recorded at present, or nothing."""
        return self._loop.trouble

    async def submit(self, submission: Submission) -> Answer:
        """Answers when the command's events are durable, or with why it is not allowed."""
        refusal = unsaved(submission.command, self._buffers, self._desks)
        return refusal or await self._loop.submit(submission)

    async def create(self, new: NewSpecTask, actor: Actor, key: str = "") -> Answer:
        """Makes a SpecTask from the repository's present commit; raises GitError where there is no usable repository."""
        opened = await in_thread(self._repositories.open, new.path)
        new = replace(new, agent=agent_named(self._ports.backends, new.agent) if new.agent else None)
        command = await creation(opened, new, self._settings, self._suffix(), self._guard)
        return command if isinstance(command, Refusal) else await self._loop.submit(Submission(command=command, actor=actor, key=key))

    async def hindrance(self, agent: str) -> Refusal | None:
        """Returns why an agent, or the code it works on, cannot be run now."""
        return await self._guard.hindrance(agent)

    async def surroundings(self, spectask: SpecTask, unheard: str) -> Surroundings:
        """Returns what a dry run of the SpecTask has to know of the world; nothing is changed."""
        return await surroundings_of(self._ports, spectask, await self.hindrance(spectask.agent), unheard)

    async def _ask_for(self, path: Path, prompt: str) -> Refusal | None:
        """Makes a SpecTask of a draft that was saved in an editor."""
        try:
            opened = await in_thread(self._repositories.open, path)
            answer = await self.create(NewSpecTask(prompt=prompt, path=path), await in_thread(person_at, opened))
        except GitError as error:
            return Refusal(code="git", message=str(error))
        return answer if isinstance(answer, Refusal) else None

    def subscribe(self, since: int) -> Subscription:
        """Follows what happens after event `since`."""
        return self._feed.subscribe(since)

    async def read_events(
        self, spectask: SpecTaskId, since: int = 0, run: RunId | None = None, limit: int | None = None
    ) -> tuple[Envelope, ...]:
        """Returns the events of a SpecTask, or of one run, after `since`, the first `limit` of them."""
        return await self._log.read(since=since, spectask=spectask, run=run, limit=limit)

    def desk_path(self, spectask: SpecTaskId) -> Path:
        """Returns where the live documents of a SpecTask are edited."""
        return self._repositories.open(Path(self.visible.spectasks[spectask].repository)).desk(spectask)

    def buffers(self, spectask: SpecTaskId) -> Buffers:
        """Returns what editors hold of a SpecTask's documents."""
        return self._buffers.setdefault(spectask, Buffers())

    async def open_draft(self, spectask: SpecTaskId, name: str, what: str) -> Path | None:
        """Puts a draft onto the desk of a SpecTask; None where it has no desk any more."""
        desk = self._desks.get(spectask)
        return await desk.open_draft(name, what) if desk else None

    async def open_new_task_draft(self, folder: Path, told: Callable[[str], object]) -> Path:
        """Puts the draft of a new SpecTask in the repository around a folder onto the disk; `told` hears why it was not sent. Raises GitError where there is none."""
        opened = await in_thread(self._repositories.open, folder)
        return await self._new_drafts.open(opened.repository.checkout or opened.repository.git_dir, told)

    async def merge(self, spectask: SpecTaskId, document: str, base: bytes, ours: bytes, theirs: bytes) -> MergedText:
        """Merges two texts of a document that were made from one."""
        opened = await self._ports.repository(spectask)
        dialect = self._ports.spectask(spectask).dialect
        return await in_thread(merge_document, opened.merger.merge_text, dialect, document, base, ours, theirs)

    @property
    def doors(self) -> Doors:
        """The doors of sessions, which wait for what serves who comes in."""
        return self._ports.doors

    @property
    def cache(self) -> ContextCache:
        """What was worked out before from content that never changes."""
        return self._ports.cache

    async def statistics(self) -> dict[str, Any]:
        """Counts what there is."""
        spectasks = self.visible.spectasks.values()
        live = [session for spectask in spectasks for session in spectask.sessions.values() if session.ended is None]
        metrics = self._ports.cache.metrics
        return {
            "events": self.visible.sequence,
            "spectasks": len(self.visible.spectasks),
            "live_sessions": len(live),
            "trouble": self.trouble,
            "cache": {**asdict(metrics), "hit_rate": metrics.hit_rate},
        }

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Replays the log and takes up what was going on."""
        if ended := await in_thread(end_orphans, self._settings.state):
            _logger.warning("commands of a daemon that was killed were still at work, and were ended", commands=ended)
        self._snapshots.kept = await in_thread(self._loop.replay)
        # The last event and not the latest time: the clock may have been set back. Before anything is told of what the last daemon left.
        alive = next((envelope.time for envelope in await self._log.read(since=self._log.last_seq - 1)), None)
        await in_thread(self._watch.start)
        await in_thread(self._ports.cache.restore, self._settings.state / CACHE_FILE)
        self._tasks = (
            asyncio.create_task(self._loop.run(), name="loop"),
            kept_alive("drafts of new tasks", self._new_drafts.run),
            kept_alive("upkeep", keep_up, self._repositories),
            kept_alive("snapshots", self._snapshots.run),
            kept_alive("packing", keep_packed, self._log, lambda: self._loop.visible),
        )
        if self._log.is_restored:
            await self._ports.hold_overtaken(self._log.ask(compared))
        for effect in left_behind(self._settings.state, self.visible.spectasks.values()):
            await self._effects.give_back(effect)
        live = [spectask for spectask in self.visible.spectasks.values() if wanted(spectask) or spectask.troubles]
        for spectask in live:
            await self._acknowledge(spectask)
            await self._loop.submit(Submission(command=InterruptRuns(spectask=spectask.id, alive=alive), actor=DAEMON))
            self._effects.reconcile(spectask.id)
        self._loop.begin_scheduling()

    async def _acknowledge(self, spectask: SpecTask) -> None:
        if not may_have_moved(spectask):
            return
        try:
            await acknowledge_moves(self._ports, await self._ports.repository(spectask.id), spectask.id)
        except (GitError, OSError) as error:
            _logger.warning("the feature branch cannot be looked at; its merge will try again", spectask=spectask.id, reason=str(error))

    async def stop(self) -> None:
        """Ends every effect, then the loop, then gives repositories and log back."""
        await self._effects.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await in_thread(self._watch.stop)
        self._repositories.close()
        await self._snapshots.keep()
        await in_thread(self._ports.cache.save, self._settings.state / CACHE_FILE)
        await self._log.close()

    def _published(self, envelopes: tuple[Envelope, ...]) -> None:
        self._feed.publish(envelopes)
        self._snapshots.look()
        for spectask in dict.fromkeys(envelope.spectask for envelope in envelopes):
            self._effects.reconcile(spectask)
            self._ports.changes.notify(spectask)
            desk = self._desks.get(spectask)
            if desk is not None:
                desk.changed()

    async def _read_chunk(self, since: int, limit: int) -> tuple[Envelope, ...]:
        return await self._log.read(since=since, limit=limit)

    async def _keep_desk(self, effect: KeepDesk) -> None:
        opened = await self._ports.repository(effect.spectask)
        await self._ports.wait_first_call(effect.spectask)
        person = await in_thread(person_at, opened)
        desk = Desk(
            spectask=effect.spectask,
            folder=opened.desk(effect.spectask),
            watch=self._watch,
            submit=lambda command, actor: self.submit(Submission(command=command, actor=actor)),
            snapshot=lambda: self._ports.spectask(effect.spectask),
            merge=partial(merge_document, opened.merger.merge_text, self._ports.spectask(effect.spectask).dialect),
            keep_conflict=partial(keep_conflict, self._ports, opened, effect.spectask),
            person=lambda: person,
            new_comment_id=lambda: CommentId(f"c-{self._suffix()}{self._suffix()}"),
            buffers=self.buffers(effect.spectask),
        )
        self._desks[effect.spectask] = desk
        try:
            await desk.run()
        finally:
            del self._desks[effect.spectask]
