"""The owner of every background task of the engine.

After each durable batch `reconcile` compares what the state wants (`domain/react.py`) with what runs: it starts what is missing and cancels what is no longer wanted. An effect
reports by submitting commands and then returns. If the outer world fails under it (git, disk, network) the SpecTask says so and the effect is tried again with backoff; if it fails
by a bug, its run fails with the reason. No exception is lost: this file and the request edge are the only places that catch everything.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from specgit.errors import GitError
from specthread.agents.retry import RetryPolicy
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import SYNC, SpecTask, State
from specthread.domain.react import DESK, Effect, KeepDesk, kept, wanted
from specthread.domain.reports import ReportLeftover, ReportTrouble
from specthread.domain.runs import find_run
from specthread.engine.log import StoreError
from specthread.engine.ports import StoreUnavailable

_logger = structlog.get_logger(__name__)
Perform = Callable[[Any], Awaitable[None]]
GiveBack = Callable[[Any], Awaitable[tuple[str, ...]]]
"""Undoes what an effect has made that ends for good, and returns what could not be undone, as sentences."""
WORLD_FAULTS = (GitError, OSError, StoreError, StoreUnavailable)


class Effects:
    """Keeps exactly the wanted effects running; `perform` maps each effect class to the coroutine that carries it out, `give_back` to the way back."""

    def __init__(
        self,
        *,
        perform: Mapping[type[Effect], Perform],
        give_back: Mapping[type[Effect], GiveBack],
        visible: Callable[[], State],
        report: Callable[[ReportTrouble | ReportLeftover], Awaitable[object]],
        report_nowait: Callable[[ReportTrouble], None],
        retry: RetryPolicy,
        sleep: Callable[[float], Awaitable[None]],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._perform = perform
        self._give_back = give_back
        self._visible = visible
        self._report = report
        self._report_nowait = report_nowait
        self._retry = retry
        self._sleep = sleep
        self._draw = draw
        self._running: dict[Effect, asyncio.Task[None]] = {}
        self._stopping = False

    def reconcile(self, spectask: SpecTaskId) -> None:
        """Makes the running effects of a SpecTask those that its durable state wants."""
        if self._stopping:
            return
        known = self._visible().spectasks[spectask]
        wishes = wanted(known)
        may_go_on = wishes | kept(known)
        for effect, task in tuple(self._running.items()):
            if effect.spectask == spectask and effect not in may_go_on and not task.cancelling():
                task.cancel()
        # Two pieces of work on one run never overlap: what is ending makes room, and `_ended` looks again.
        busy = {run_of(effect) for effect in self._running} - {None}
        for effect in wishes - self._running.keys():
            if run_of(effect) not in busy:
                self._start(effect)
        self._forget_troubles(spectask, wishes)

    def _forget_troubles(self, spectask: SpecTaskId, wishes: frozenset[Effect]) -> None:
        """Ends the troubles of work that nobody does any more; they are known from the state, so those from before a restart end too."""
        names = {_name(effect) for effect in (*wishes, *self._running) if effect.spectask == spectask}
        alive = names | {SYNC} | ({DESK} if _name(KeepDesk(spectask=spectask)) in names else set())
        for name in self._visible().spectasks[spectask].troubles:
            if name not in alive:
                self._report_nowait(ReportTrouble(spectask=spectask, effect=name, reason=""))

    def _start(self, effect: Effect) -> None:
        task = asyncio.create_task(self._supervise(effect), name=repr(effect))
        self._running[effect] = task
        task.add_done_callback(lambda _: self._ended(effect))

    def _ended(self, effect: Effect) -> None:
        self._running.pop(effect, None)
        # The state may have wanted the effect again while it was ending.
        self.reconcile(effect.spectask)

    async def _supervise(self, effect: Effect) -> None:
        try:
            await self._keep_at(effect)
        except asyncio.CancelledError:
            # A pause, or the end of the daemon, is no end: the work goes on where it was.
            run = find_run(self._spectask(effect), run_of(effect) or RunId(""))
            if run is not None and run.ended is not None and not self._stopping:
                await self.give_back(effect)
            raise

    async def give_back(self, effect: Effect) -> None:
        """Gives back what was made for a run that has ended; what stays is told of the run."""
        run, left = run_of(effect), await self._undo(effect)
        if run is not None and left:
            await self._tell(ReportLeftover(spectask=effect.spectask, run=run, reason=left))

    async def _undo(self, effect: Effect) -> str:
        """Gives back what the effect has made, as it will not be tried again; says what could not be given back."""
        give_back = self._give_back.get(type(effect))
        try:
            return " ".join(await give_back(effect)) if give_back else ""
        except WORLD_FAULTS as error:
            _logger.warning("what an effect made stays", effect=repr(effect), reason=str(error))
            return f"What it had made stays: {error}"

    async def _keep_at(self, effect: Effect) -> None:
        failures = 0
        while True:
            before = self._spectask(effect)
            try:
                await self._perform[type(effect)](effect)
            except asyncio.CancelledError:
                raise
            except WORLD_FAULTS as error:
                _logger.warning("an effect failed and is tried again", effect=repr(effect), reason=str(error), failures=failures + 1)
                await self._tell(ReportTrouble(spectask=effect.spectask, effect=_name(effect), reason=_sentence(error)))
            except Exception as error:  # a bug: recorded where a person sees it, never swallowed
                _logger.exception("an effect broke", effect=repr(effect))
                await self._tell(_broken(effect, error, await self._undo(effect)))
            else:
                if _name(effect) in self._spectask(effect).troubles:
                    await self._tell(ReportTrouble(spectask=effect.spectask, effect=_name(effect), reason=""))
                if effect not in wanted(self._spectask(effect)) or self._spectask(effect) is not before:
                    return
                _logger.error("an effect changed nothing", effect=repr(effect))
                await self._tell(_broken(effect, RuntimeError("it ended without any result")))
            if effect not in wanted(self._spectask(effect)):
                return
            failures += 1
            await self._sleep(self._retry.wait(failures, self._draw()))

    async def _tell(self, report: ReportTrouble | ReportLeftover) -> None:
        # While the log cannot be written there is nobody to tell; the daemon says so itself, and the effect waits like any other.
        with suppress(StoreUnavailable):
            await self._report(report)

    def _spectask(self, effect: Effect) -> SpecTask:
        return self._visible().spectasks[effect.spectask]

    async def stop(self) -> None:
        """Cancels everything and returns when it has ended."""
        self._stopping = True
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run_of(effect: Effect) -> RunId | None:
    """Returns the run an effect works for, or None."""
    run: RunId | None = getattr(effect, "run", None)
    return run


def _sentence(error: Exception) -> str:
    """Returns what the outer world refused, in words."""
    if not isinstance(error, OSError):
        return str(error)
    place = f" ({error.filename})" if error.filename else ""
    return f"The system refused: {error.strerror or error}{place}. It is tried again."


def _broken(effect: Effect, error: Exception, left: str = "") -> ReportTrouble:
    reason = f"An internal fault in {type(effect).__name__}: {type(error).__name__}: {error}{f'. {left}' if left else ''}"
    return ReportTrouble(spectask=effect.spectask, effect=_name(effect), reason=reason, run=run_of(effect))


def _name(effect: Effect) -> str:
    return f"{type(effect).__name__} {(run_of(effect) or '').rpartition('/')[2]}".strip()
