"""Resources for a run: what its task uses is taken before its first call, and its agent asks for more as it needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import starmap

from specthread.agents.backend import Toolbox, ToolResult, ToolSpec, ToolUse
from specthread.agents.toolspecs import LOCK, UNLOCK, problem_with
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.locks import NONE, Lock, LockMode, hold_of, resource_key, wait_of
from specthread.domain.model import Refusal, SpecTask
from specthread.domain.names import spectask_of
from specthread.domain.readiness import uses_of
from specthread.domain.run import WorkSession
from specthread.engine.ports import Ports
from specthread.spec.resource import Use

WAIT_SECONDS = 600
LONGEST_WAIT_SECONDS = 3_600
_STOPPED = frozenset({"cut-off", "wrong-state"})
"""Codes of refusals to a run that was stopped meanwhile: what becomes of it is in its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockingTools:
    """An agent's other tools, and those by which it takes and gives back resources."""

    inner: Toolbox
    ports: Ports
    run: RunId

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Lists the tools as the model is told of them."""
        return (*self.inner.specs, LOCK, UNLOCK)

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses a tool."""
        if call.name not in {LOCK.name, UNLOCK.name}:
            return await self.inner.use(call)
        problem = problem_with(self.specs, call)
        if problem is None and call.name == LOCK.name:
            mode: LockMode = "shared" if call.input.get("shared") else "exclusive"
            seconds = min(call.input.get("wait", WAIT_SECONDS), LONGEST_WAIT_SECONDS)
            problem = await acquire(self.ports, self.run, Use(call.input["resource"], mode), seconds)
            said = f"You hold {call.input['resource']}. Give it back with `unlock` as soon as you no longer need it."
        elif problem is None:
            problem = await self._release(call.input["resource"])
            said = f"You no longer hold {call.input['resource']}."
        return ToolResult(tool_use_id=call.id, content=problem or said, is_error=problem is not None)

    async def _release(self, resource: str) -> str | None:
        answer = await self.ports.submit(reports.ReleaseLock(spectask=spectask_of(self.run), run=self.run, resource=resource))
        return f"{answer.message} {answer.hint}" if isinstance(answer, Refusal) else None


async def hold_what_it_uses(ports: Ports, spectask: SpecTask, session: WorkSession) -> bool:
    """Returns once the session holds all that its task names under `_Uses:`, however long that takes; False where it may not go on, or has failed."""
    task = spectask.tasks.get(session.task)
    # Everybody asks in the order of the names, so that these waits alone never make a circle.
    uses = sorted(starmap(Use, uses_of(task).items())) if task else []
    # Who gives way in another circle loses what it held, so it begins again with the first.
    while isinstance(refused := await _all_acquired(ports, session.id, uses), e.LockRefused):
        pass
    if refused is not None and refused.code not in _STOPPED:
        reason = f"{refused.message} {refused.hint}"
        await ports.submit(reports.FailRun(spectask=spectask.id, run=session.id, reason=reason, stuck=False))
    return refused is None


async def _all_acquired(ports: Ports, run: RunId, uses: Iterable[Use]) -> e.LockRefused | Refusal | None:
    for use in uses:
        if (refused := await _acquired(ports, run, use, None)) is not None:
            return refused
    return None


async def acquire(ports: Ports, run: RunId, use: Use, seconds: float) -> str | None:
    """Returns None once the run holds the resource, or, at the latest after so many seconds, why it does not get it, in words for its agent."""
    refused = await _acquired(ports, run, use, seconds)
    if refused is None:
        return None
    if isinstance(refused, Refusal):
        return f"{refused.message} {refused.hint}"
    if refused.cause == "timeout":
        holders = ", ".join(held.run for held in _lock(ports, run, use).held) or "somebody else"
        return f"You waited {seconds:.0f} seconds for {use.resource}, and {holders} still holds it; you do not get it. Do something else first, then ask again."
    lost = f"You no longer hold {', '.join(refused.lost)}; what you did with it may be overwritten. " if refused.lost else ""
    return (
        f"You and others waited for each other in a circle, and you gave way: you do not get {use.resource}. {lost}"
        "Ask again for all that you need, one after the other in the order of the names."
    )


async def _acquired(ports: Ports, run: RunId, use: Use, seconds: float | None) -> e.LockRefused | Refusal | None:
    owner, clock = spectask_of(run), asyncio.get_running_loop().time
    seq = ports.visible().sequence
    answer = await ports.submit(reports.RequestLock(spectask=owner, run=run, resource=use.resource, mode=use.mode, seconds=seconds))
    if isinstance(answer, Refusal):
        return answer
    until = None if seconds is None else clock() + seconds
    while not _holds(ports, run, use):
        if wait_of(_lock(ports, run, use), run) is None:
            return await _last_refusal(ports, run, use, seq)
        left = None if until is None else until - clock()
        if left is not None and left <= 0:
            await ports.submit(reports.RefuseLock(spectask=owner, run=run, resource=use.resource, cause="timeout"))
        else:
            await ports.changes.wait_change(owner, left)
    return None


def _lock(ports: Ports, run: RunId, use: Use) -> Lock:
    state = ports.visible()
    key = resource_key(state.spectasks[spectask_of(run)].repository, use.resource)
    return state.locks.get(key, NONE) if key else NONE


def _holds(ports: Ports, run: RunId, use: Use) -> bool:
    held = hold_of(_lock(ports, run, use), run)
    return held is not None and (held.mode == "exclusive" or use.mode == "shared")


async def _last_refusal(ports: Ports, run: RunId, use: Use, since: int) -> e.LockRefused | Refusal:
    envelopes = await ports.read_events(spectask_of(run), since, run)
    refused = next((each.event for each in reversed(envelopes) if isinstance(each.event, e.LockRefused)), None)
    return refused or Refusal(code="cut-off", message=f"The wait for {use.resource} was cut off.", hint="Ask again if you still need it.")
