"""The one writer: commands go in, durable events come out.

Theory of operation. One inbox, one task. Each round takes every command that has arrived, lets `decide` judge it against `head`, numbers the events and folds
them into `head`. Then the whole batch is appended to the log; what arrives meanwhile makes the next batch, so one fsync serves many. Only when the batch is
durable does `visible` become `head`, are answers given, and is `published` called. If the append fails, `head` falls back to `visible`, every command of the
batch is refused as `store-unavailable`, and the loop stays read-only until the log can be opened again. Nobody else ever assigns `head` or `visible`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from specthread.domain.commands import Command, CreateSpecTask, Submission
from specthread.domain.decide import decide
from specthread.domain.events import SCHEMA, Envelope
from specthread.domain.model import DAEMON, Refusal, State
from specthread.domain.reports import NoteClockJump, SettleSessions
from specthread.domain.rules_coordination import is_unsettled
from specthread.domain.state import apply
from specthread.engine.answered import REMEMBERED, Answered, last_answered
from specthread.engine.log import EventLog, StoreError
from specthread.engine.replaying import replayed
from specthread.plan.capacity import Capacity, Crowd
from specthread.plan.locks import NOTHING_KEPT, due
from specthread.plan.schedule import Queue, Scheduled, queue_of

_logger = structlog.get_logger(__name__)
RETRY_SECONDS = 5.0
"""How long a log that could not be written is left alone where nobody asks for anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A command that took effect: its events are durable; `seq` is the number of the last one (0 where nothing changed)."""

    seq: int
    envelopes: tuple[Envelope, ...]


JUMP_SECONDS = 5.0
"""By how much the clock must run ahead of the time in which the machine was awake, or stay behind it, to have jumped."""
Answer = Accepted | Refusal
_Key = tuple[str, str, str]
"""A class of commands, the SpecTask they are for (none where one makes it), and what their sender calls this one."""
Published = Callable[[tuple[Envelope, ...]], None]


@dataclass(slots=True, kw_only=True)
class _Pending:
    submission: Submission
    answer: asyncio.Future[Answer]
    envelopes: tuple[Envelope, ...] = ()
    refusal: Refusal | None = None


class Loop:
    """Owns `head` (applied, perhaps not yet durable) and `visible` (durable); `published` hears of each durable batch."""

    def __init__(
        self,
        log: EventLog,
        *,
        host: str,
        now: Callable[[], datetime],
        awake: Callable[[], float] = time.monotonic,
        published: Published,
        capacity: Callable[[], Capacity] = Capacity,
    ) -> None:
        self._log = log
        self._host = host
        self._now = now
        self._awake = awake
        self._looked = (now(), awake())
        self._published = published
        self._capacity = capacity
        self._queue: Queue | None = None
        self._inbox: asyncio.Queue[_Pending] = asyncio.Queue()
        self._keys: OrderedDict[_Key, asyncio.Future[Answer]] = OrderedDict()
        self._answered: dict[_Key, Answered] = {}
        self.head = State()
        self.visible = State()
        self.trouble = ""

    def replay(self) -> int:
        """Rebuilds the state from the log, and returns up to which event a snapshot told it; called once, before `run`. Raises StoreError."""
        self.head, known = replayed(self._log)
        self.visible = self.head
        self._answered = {(each.command, each.spectask, each.key): each for each in self._log.ask(last_answered)}
        return known

    async def submit(self, submission: Submission) -> Answer:
        """Returns once the command is durable or refused; a key repeated for its SpecTask returns its first answer, also where a daemon before this one gave it."""
        key = _key_of(submission)
        if submission.key and (known := await self._first_answer(key)):
            return known
        if submission.key and key in self._keys:
            return await asyncio.shield(self._keys[key])
        pending = _Pending(submission=submission, answer=asyncio.get_running_loop().create_future())
        self._inbox.put_nowait(pending)
        if not submission.key:
            return await pending.answer
        self._keys[key] = pending.answer
        while len(self._keys) > REMEMBERED:
            self._keys.popitem(last=False)
        answer = await asyncio.shield(pending.answer)
        if isinstance(answer, Refusal):
            self._keys.pop(key, None)  # what was refused may be tried again
        return answer

    async def _first_answer(self, key: _Key) -> Accepted | None:
        command, spectask, sent = key
        answered = self._answered.get(key) or self._answered.get((command, "", sent))
        if answered is None:
            return None
        envelopes = await self._log.read(since=answered.first - 1, limit=answered.last - answered.first + 1)
        is_its = bool(envelopes) and (not spectask or envelopes[0].spectask == spectask)
        return Accepted(seq=answered.last, envelopes=envelopes) if is_its else None

    def submit_nowait(self, command: Command) -> None:
        """Queues one of the daemon's own commands whose answer nobody waits for."""
        self._inbox.put_nowait(_queued(command))

    async def run(self) -> None:
        """Serves the inbox until cancelled; a batch under way is finished or lost as a whole."""
        while True:
            try:
                async with asyncio.timeout(RETRY_SECONDS if self.trouble else None):
                    batch = [await self._inbox.get()]
            except TimeoutError:
                # Nobody need ask for anything before the work goes on.
                await self._reopened()
                continue
            while not self._inbox.empty():
                batch.append(self._inbox.get_nowait())
            await self._serve(batch)

    async def _serve(self, batch: list[_Pending]) -> None:
        if self.trouble and not await self._reopened():
            self._refuse(batch)
            return
        looked = (self._now(), self._awake())
        batch[:0] = self._clock_jumps(looked)
        for pending in batch:
            self._decide(pending)
        envelopes = tuple(envelope for pending in batch for envelope in pending.envelopes)
        try:
            if envelopes:
                await self._log.append(
                    envelopes, tuple(_answered(pending) for pending in batch if pending.submission.key and pending.envelopes)
                )
        except Exception as error:  # whatever keeps a batch from the disk, nothing of it happened
            self.head = self.visible
            self.trouble = str(error)
            _logger.warning("the event log cannot be written", reason=str(error), exc_info=not isinstance(error, StoreError))
            self._refuse(batch)
            return
        self.visible, self._looked = self.head, looked
        for pending in batch:
            self._answer(pending)
            self._release(pending)
        self._spread(envelopes)

    def _clock_jumps(self, looked: tuple[datetime, float]) -> list[_Pending]:
        """Returns, where the machine was suspended or its clock set since the last batch, the commands that note it; they come before all that happened since."""
        ahead = (looked[0] - self._looked[0]).total_seconds() - (looked[1] - self._looked[1])
        if abs(ahead) < JUMP_SECONDS:
            return []
        return [_queued(NoteClockJump(spectask=spectask, seconds=float(round(ahead)))) for spectask in self.head.spectasks]

    def _spread(self, envelopes: tuple[Envelope, ...]) -> None:
        """Tells of a durable batch. A fault in what listens is logged and costs nobody else: the events are stored, and the next batch tells again."""
        if not envelopes:
            return
        for tell in (self._follow, self._published, self.schedule):
            try:
                tell(envelopes)
            except Exception:  # the writer outlives every listener
                _logger.exception("a durable batch could not be passed on")

    async def _reopened(self) -> bool:
        try:
            await self._log.reopen()
        except StoreError as error:
            self.trouble = str(error)
            return False
        self.trouble = ""
        if self._queue:
            self.begin_scheduling()  # what was on its way when nothing could be recorded led to nothing
        return True

    def _decide(self, pending: _Pending) -> None:
        try:
            pending.refusal, pending.envelopes = self._judged(pending.submission)
        except Exception as error:  # a rule with a bug must not take the writer down: only its own command fails
            _logger.exception("a rule failed", command=type(pending.submission.command).__name__)
            if not pending.answer.done():
                pending.answer.set_exception(error)

    def _judged(self, submission: Submission) -> tuple[Refusal | None, tuple[Envelope, ...]]:
        """Returns why a command is not allowed, or its events; `head` moves only when all of them could be folded in."""
        decision = decide(self.head, submission.command, submission.actor)
        if isinstance(decision, Refusal):
            return decision, ()
        head = self.head
        made: list[Envelope] = []
        for event in decision:
            envelope = Envelope(
                seq=head.sequence + 1,
                instance=self._log.instance,
                schema=SCHEMA,
                host=self._host,
                actor=submission.actor,
                time=self._now(),
                spectask=submission.command.spectask,
                event=event,
            )
            head = apply(head, envelope)
            made.append(envelope)
        self.head = head
        return None, tuple(made)

    def _answer(self, pending: _Pending) -> None:
        if pending.answer.done():
            return
        seq = pending.envelopes[-1].seq if pending.envelopes else 0
        pending.answer.set_result(pending.refusal or Accepted(seq=seq, envelopes=pending.envelopes))

    def _refuse(self, batch: list[_Pending]) -> None:
        refusal = Refusal(
            code="store-unavailable",
            message=f"Nothing can be recorded at the moment: {self.trouble}",
            hint="What was acknowledged is safe. Free the disk or repair it, then try again; the daemon goes on by itself.",
        )
        for pending in batch:
            if not pending.answer.done():
                pending.answer.set_result(refusal)

    # --- what waits for a place ------------------------------------------------------------------------------------------

    def begin_scheduling(self) -> None:
        """Lets tasks begin from now on: once the daemon knows again what was going on."""
        self._queue = queue_of(self.visible, self._now())
        for spectask in self.visible.spectasks.values():
            if is_unsettled(spectask):
                self.submit_nowait(SettleSessions(spectask=spectask.id))
        self.schedule()

    @property
    def crowd(self) -> Crowd:
        """Who works at present, under which limits, and who is first in line."""
        return self._queue.crowd(self._capacity()) if self._queue else Crowd(capacity=self._capacity())

    def _follow(self, envelopes: Sequence[Envelope]) -> None:
        if self._queue:
            self._queue.follow(self.visible, envelopes, self._now())

    def schedule(self, envelopes: Sequence[Envelope] = ()) -> None:
        """Submits what follows for sessions that others wait for, and what may begin now: after each durable batch.

        What a provider takes grows with answers, which are batches too; and one session of its agents may always begin.
        The queue gives each command once, and again only when it led to nothing.
        """
        for spectask in dict.fromkeys(envelope.spectask for envelope in envelopes):
            if is_unsettled(self.head.spectasks[spectask]):
                self.submit_nowait(SettleSessions(spectask=spectask))
        capacity, now = self._capacity(), self._now()
        locks = due(self.head, capacity, now, self._queue.kept if self._queue else NOTHING_KEPT)
        for command in (*locks, *(self._queue.take(capacity, now) if self._queue else ())):
            self.submit_nowait(command)

    def _release(self, pending: _Pending) -> None:
        command = pending.submission.command
        if self._queue and isinstance(command, Scheduled) and (pending.refusal or not pending.envelopes):
            self._queue.release(command, self._now())


def _queued(command: Command) -> _Pending:
    return _Pending(submission=Submission(command=command, actor=DAEMON), answer=asyncio.get_running_loop().create_future())


def _key_of(submission: Submission) -> _Key:
    command = submission.command
    return type(command).__name__, "" if isinstance(command, CreateSpecTask) else command.spectask, submission.key


def _answered(pending: _Pending) -> Answered:
    command, spectask, key = _key_of(pending.submission)
    return Answered(command=command, spectask=spectask, key=key, first=pending.envelopes[0].seq, last=pending.envelopes[-1].seq)
