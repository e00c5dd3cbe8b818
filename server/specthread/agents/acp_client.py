"""An external agent over the Agent Client Protocol: one process in a sandbox for each session, whose work is journalled as that of the built-in agent.

What it does cannot be held up, it is a program of its own: the journal has a call when it has ended. What people say to it is told when its turn is over. The end of its turn
is its word that the work is done, unless it was told something meanwhile. After a restart its conversation is loaded where it offers that; else it is given what it was told at
the start and the end of our own transcript.
"""

import asyncio
import importlib
import json
import random
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from specthread.agents.acp_files import files_of
from specthread.agents.acp_journal import Call, Draft, usage_of
from specthread.agents.acp_process import AgentProcess, NoProgramError
from specthread.agents.acp_told import Asked, Update, WireError
from specthread.agents.acp_words import GO_ON, NOTHING_SAID, resumed, started
from specthread.agents.backend import Assignment, ModelError, RunEnd, RunPort, RunStopped, Toolbox, ToolUse, Turn, Usage
from specthread.agents.place import Place
from specthread.agents.prices import PriceTable
from specthread.agents.retry import MODEL, RetryPolicy
from specthread.agents.stuck import reason_stuck
from specthread.domain.provider import ProviderState

if TYPE_CHECKING:
    from specthread.agents.acp_wire import Wire

MOST_AT_ONCE = 64
"""Sessions of one external agent at once that nobody limits otherwise."""
SETTLING = 0.2
"""Seconds in which something that is late still comes after the end of a turn."""
LATE = 5.0
"""Seconds for the end of a call that was open when the turn ended."""
_ALLOW, _REJECT = ("allow_once", "allow_always"), ("reject_once", "reject_always")
_OF_FILES = frozenset({"read", "search", "edit", "delete", "move"})
"""Kinds of calls that stay in the place; any other may reach the network."""
_STOPS = {
    "refusal": "The agent refused to go on. Change the task's wording, or use another agent.",
    "max_tokens": "The agent came to the limit of its model twice. Give it a smaller task.",
    "cancelled": "The agent stopped its own turn. `specthread retry` lets it begin again.",
}


class _Over(Exception):  # noqa: N818  an end, not an error
    """Ends a run in the middle of an agent's turn."""

    def __init__(self, end: RunEnd) -> None:
        super().__init__(end.reason)
        self.end = end


@dataclass(frozen=True, slots=True, kw_only=True)
class AcpBackend:
    """Is an external agent: a command with the variables it is given, of which the values in `secrets` are told to nobody.

    Times are seconds: to greet and begin, and without a word in a turn.
    """

    name: str
    command: tuple[str, ...]
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    starting: float = 120.0
    silence: float = 3_600.0
    retry: RetryPolicy = MODEL
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    needs_place: ClassVar[bool] = True

    @property
    def prices(self) -> PriceTable | None:
        """Nobody but the agent knows what its calls cost."""
        return None

    def provider_state(self, now: datetime) -> ProviderState:  # noqa: ARG002  there is no gate before it
        """Returns that it takes what comes: its model is its own business."""
        return ProviderState(name=self.name, limit=MOST_AT_ONCE, most=MOST_AT_ONCE)

    async def run(self, assignment: Assignment, port: RunPort, toolbox: Toolbox) -> RunEnd:  # noqa: ARG002  it has tools of its own
        """Works until the assignment ends; however it ends, nothing of the agent is left running."""
        if assignment.place is None:
            reason = f"{self.name} is a program of its own, and there is no sandbox here for it to run in. `specthread doctor` says why."
            return RunEnd(kind="failed", reason=reason)
        run = _Run(backend=self, assignment=assignment, place=assignment.place, port=port, turns=list(assignment.history))
        # The protocol's library takes a second to load.
        await asyncio.to_thread(importlib.import_module, "specthread.agents.acp_wire")
        try:
            return await run.until_end()
        except RunStopped as order:
            return RunEnd(kind="stopped", reason=order.reason)


@dataclass(slots=True, kw_only=True)
class _Run:
    """Is a run under way; `turns` is what the port has journalled, `said` what the agent is still to be told."""

    backend: AcpBackend
    assignment: Assignment
    place: Place
    port: RunPort
    turns: list[Turn]
    draft: Draft = field(default_factory=Draft)
    said: list[str] = field(default_factory=list)
    charged: Decimal = Decimal(0)
    is_calling: bool = False

    async def until_end(self) -> RunEnd:
        """Talks to the agent, and starts it again where it died, until there is an end."""
        failures, known = 0, len(self.turns)
        while True:
            try:
                return await self.converse()
            except NoProgramError as error:
                return RunEnd(kind="failed", reason=str(error), outside=True)
            except _Over as over:
                return over.end
            except _Fault as fault:
                failures, known = (1 if len(self.turns) > known else failures + 1), len(self.turns)
                if not fault.may_repeat or not self.backend.retry.allows(failures):
                    return RunEnd(kind="failed", reason=fault.reason, outside=True)
            await self.backend.sleep(self.backend.retry.wait(failures, self.backend.jitter()))

    async def converse(self) -> RunEnd:
        """Starts the agent and talks to it until the run ends; the process is gone afterwards."""
        from specthread.agents.acp_wire import Wire  # noqa: PLC0415  loaded by the first run

        self.draft, self.said = Draft(), []  # its first words hold what it has not heard of
        process = await AgentProcess.start(self.backend.command, self.place, self.backend.given, self.backend.secrets)
        try:
            wire = Wire(process.reader, process.writer)
            try:
                return await self.talk(wire)
            except WireError as error:
                await process.end()
                fault = _Fault(self.sentence(error.message, process, wire), may_repeat=error.gone and not wire.spoke_garbage)
                await self.break_off(fault)
                raise fault from error
            finally:
                await process.end()
                await wire.close()
        finally:
            await process.end()

    def sentence(self, what: str, process: AgentProcess, wire: "Wire") -> str:
        if wire.spoke_garbage:
            what = "does not speak the Agent Client Protocol; look at its command in your settings."
        words = process.told(wire.heard)
        return f"{self.backend.name} {what}" + (f" It last said: {words}" if words else "")

    async def talk(self, wire: "Wire") -> RunEnd:
        """Prompts the agent until its work is done, or it cannot go on."""
        try:
            async with asyncio.timeout(self.backend.starting):
                session, goes_on = await self.session(wire)
        except TimeoutError:
            raise WireError(f"did not begin within {self.backend.starting:g} seconds.") from None
        text, cut = self.first_words(goes_on=goes_on), False
        while True:
            known = {turn.number for turn in self.turns if turn.reply}
            stop = str((await self.prompt(wire, session, text)).get("stopReason"))
            await asyncio.to_thread(self.note, session)
            if self.said:
                text, self.said = "\n\n".join(self.said), []
            elif stop == "end_turn":
                words = [_words_of(turn) for turn in reversed(self.turns) if turn.number not in known]
                summary = next(filter(None, words), NOTHING_SAID)
                missing = await self.port.finish(f"end-{self.turns[-1].number}", summary)
                if missing is None:
                    return RunEnd(kind="finished", summary=summary)
                text = missing
            elif stop == "max_tokens" and not cut:
                text, cut = GO_ON, True
            elif stop == "max_turn_requests":
                return RunEnd(kind="limit", reason="The agent has made as many requests as it allows itself in one turn.")
            else:
                unknown = f"The agent stopped for a reason this version does not know: {stop!r}."
                return RunEnd(kind="failed", reason=_STOPS.get(stop, unknown))

    async def session(self, wire: "Wire") -> tuple[str, bool]:
        """Returns the conversation to use, and whether it is the one from before."""
        can = await wire.initialize()
        capabilities = can.get("sessionCapabilities")
        resumes = isinstance(capabilities, dict) and capabilities.get("resume") is not None
        noted = await asyncio.to_thread(self.noted)
        known = noted.get("session", "")
        if known and (resumes or can.get("loadSession")):
            try:
                await wire.go_on(known, self.place.profile.cwd, loading=not resumes)
            except WireError as error:
                if error.gone:
                    raise
            else:
                self.charged = Decimal(noted.get("cost", "0"))
                return known, True
        session = await wire.new_session(self.place.profile.cwd)
        self.charged = Decimal(0)
        await asyncio.to_thread(self.note, session)
        return session, False

    def noted(self) -> dict[str, str]:
        """Returns what was noted of the conversation before; nothing where it cannot be read: then another one is begun."""
        try:
            found = json.loads(self.place.notes.read_bytes())
        except (OSError, ValueError):
            return {}
        return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}

    def note(self, session: str) -> None:
        fresh = self.place.notes.with_suffix(".new")
        fresh.write_text(json.dumps({"session": session, "cost": str(self.charged)}))
        fresh.replace(self.place.notes)

    def first_words(self, *, goes_on: bool) -> str:
        assignment = self.assignment
        if not any(turn.reply for turn in self.turns):
            return started(assignment.system, assignment.opening)
        heard = untold(self.turns)
        if goes_on:
            return "\n\n".join(heard) or GO_ON
        return resumed(assignment.system, assignment.opening, self.turns, heard)

    async def prompt(self, wire: "Wire", session: str, text: str) -> Mapping[str, Any]:
        """Says something and journals what the agent does until its turn is over; returns the answer."""
        await self.open_turn()
        answering = wire.prompt(session, text)
        try:
            await self.listen(wire)
            answer = answering.result()
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        await self.close_turn(usage_of(answer))
        return answer

    async def listen(self, wire: "Wire") -> None:
        """Takes in what the agent tells until its turn is over and what was late has come."""
        until: float | None = None
        while True:
            late = LATE if self.draft.is_open else SETTLING
            wait = self.backend.silence if until is None else min(late, until - asyncio.get_running_loop().time())
            try:
                told = await asyncio.wait_for(wire.next(), wait)
            except TimeoutError:
                if until is not None:
                    return
                raise WireError(f"said nothing for {self.backend.silence:g} seconds.") from None
            if told == "answered":
                until = asyncio.get_running_loop().time() + LATE
            elif told == "gone" and until is None:
                raise WireError("ended in the middle of its work.", gone=True)
            elif told == "gone":
                return
            elif isinstance(told, Asked):
                await self.permit(wire, told)
            else:
                await self.take(told)

    async def take(self, update: Update) -> None:
        """Takes in what the agent tells of its work, and journals a turn that it ends."""
        if text := self.draft.take(update):
            self.port.streamed(text)
        if self.draft.is_whole:
            await self.close_turn()
            self.judge()
            await self.open_turn()

    async def permit(self, wire: "Wire", asked: "Asked") -> None:
        """Asks whether the agent may do what it asks for, and answers it; it is never given leave for more than this once where it can be."""
        tool = asked.params.get("toolCall")
        about = tool if isinstance(tool, Mapping) else {}
        self.draft.take({"sessionUpdate": "tool_call_update", **about})
        known = next((call for call in self.draft.calls if call.id == about.get("toolCallId")), None)
        if known is None:
            known = Call(id=str(about.get("toolCallId", "")))
            known.take(about)
        if known.hides:  # what nobody can look through is not done
            await wire.answer(asked, _option(asked.params.get("options"), _REJECT))
            return
        use = known.use()
        files = await asyncio.to_thread(files_of, self.place, known.places)
        address = use.input.get("url") if use.name == "fetch" else ""
        # What it starts reaches the network, as it does itself; its own ways to read and change files do not.
        allowed = await self.port.permit(
            use.name,
            wish_of(use, known.places),
            call=use.id,
            command=command_of(use),
            path=files[0] if files else "",
            others=files[1:],
            address=address if isinstance(address, str) else "",
            network=use.name not in _OF_FILES,
        )
        await wire.answer(asked, _option(asked.params.get("options"), _ALLOW if allowed else _REJECT))

    async def open_turn(self) -> None:
        last = self.turns[-1] if self.turns else None
        if last is not None and last.reply is None:
            turn = replace(last, attempts=last.attempts + 1)
            self.turns.pop()
        else:
            turn = Turn(number=last.number + 1 if last else self.assignment.first_turn, reply=None)
        if turn.number - self.assignment.first_turn >= self.assignment.max_turns:
            raise _Over(RunEnd(kind="limit", reason=f"The run has used its {self.assignment.max_turns} turns without finishing."))
        # Nobody knows beforehand what it costs.
        await self.port.call_started(turn.number, turn.attempts, None)
        self.turns.append(turn)
        self.is_calling = True

    async def close_turn(self, usage: Usage | None = None) -> None:
        reply, results = self.draft.close(self.backend.name, usage)
        turn = self.turns[-1]
        await self.port.call_finished(turn.number, reply, self.cost())
        self.is_calling = False
        for result in results:
            await self.port.tool_finished(turn.number, result)
        said = await self.port.follow_ups(turn.number)
        self.turns[-1] = replace(turn, reply=reply, results=results, follow_up=turn.follow_up + said)
        self.said += said

    def cost(self) -> Decimal | None:
        """Returns what came to the cost since the last turn; None where the agent does not say. One that counts anew after a restart begins at nothing."""
        total = self.draft.cost
        if total is None:
            return None
        before = self.charged if total >= self.charged else Decimal(0)
        self.charged = total
        return total - before

    def judge(self) -> None:
        # What it writes by tools of its own kinds is not counted: only its verification tells whether it changed anything.
        if reason := reason_stuck(self.turns, writes=False):
            raise _Over(RunEnd(kind="stuck", reason=reason))

    async def break_off(self, fault: "_Fault") -> None:
        """Journals the end of a turn in whose middle the agent was lost: a call that it had begun may have done something."""
        if not self.is_calling:
            return
        if self.draft.calls:
            await self.close_turn()
            return
        self.draft.said = []
        await self.port.call_failed(self.turns[-1].number, ModelError("cut", fault.reason, retryable=fault.may_repeat), None)
        self.is_calling = False


class _Fault(Exception):  # noqa: N818  the agent's, told in its sentence
    """Says why the agent cannot be talked to any more, and whether it may be started again."""

    def __init__(self, reason: str, *, may_repeat: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_repeat = may_repeat


def untold(turns: list[Turn]) -> tuple[str, ...]:
    """Returns what was said to the agent since it was last prompted: it hears of it when its turn is over."""
    heard: tuple[str, ...] = ()
    for turn in reversed(turns):
        ended = turn.reply is not None and turn.reply.stop_reason == "end_turn"
        if ended and turn is not turns[-1]:
            break
        heard = turn.follow_up + heard
    return heard


def command_of(use: ToolUse) -> str:
    """Returns the command line that a call would run, or nothing."""
    command = use.input.get("command")
    return shlex.join(map(str, command)) if isinstance(command, list) else command if isinstance(command, str) else ""


def wish_of(use: ToolUse, places: tuple[str, ...] = ()) -> str:
    """Returns all that a call would do, for a person who is to allow it: the call itself before the agent's own words for it."""
    command = command_of(use)
    if command:
        title = use.input.get("title")
        return f"May it run, with the network: {command}" + (f"\nIt says: {title}" if title else "")
    told = set(map(str, use.input.values()))
    given = "".join(f"\n{key}: {value}" for key, value in (*use.input.items(), *(("path", place) for place in places if place not in told)))
    return f"May it use {use.name}:{given}" if given else f"May it use {use.name}?"


def _option(options: object, kinds: tuple[str, ...]) -> str | None:
    """Returns the id of the option of the first kind that is offered, or None."""
    offered = [each for each in options if isinstance(each, dict)] if isinstance(options, list) else []
    found = (each.get("optionId") for kind in kinds for each in offered if each.get("kind") == kind)
    return next((option for option in found if isinstance(option, str)), None)


def _words_of(turn: Turn) -> str:
    return "".join(block.text for block in turn.reply.content if block.kind == "text").strip() if turn.reply else ""
