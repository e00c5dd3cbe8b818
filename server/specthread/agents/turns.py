"""The loop of the built-in agent: call the model, use the tools it asks for, until it finishes or cannot go on.

Three rules hold everywhere. The journal is written before the effect it describes, so a crash loses nothing and repeats nothing.
Tools run only when the model stopped to use them. And what the model is shown depends on the journal alone (`conversation.py`).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from specthread.agents.backend import (
    Assignment,
    Message,
    Model,
    ModelError,
    ModelRequest,
    Reply,
    RunEnd,
    RunPort,
    RunStopped,
    Text,
    Toolbox,
    ToolResult,
    ToolUse,
    Turn,
)
from specthread.agents.compaction import OVERFLOW, Shown, ShownSoFar, encoded, to_sum_up
from specthread.agents.conversation import asked_to_sum_up, conversation, trailing, unanswered
from specthread.agents.prices import LIST_PRICES, PriceTable
from specthread.agents.provider import Place, Provider
from specthread.agents.reservation import Meter
from specthread.agents.retry import MODEL, RetryPolicy
from specthread.agents.stuck import INTERRUPTED, reason_stuck
from specthread.agents.toolspecs import ASK, COORDINATE, EDIT, FINISH, WRITE, problem_with
from specthread.domain.provider import ProviderState

THROTTLING = frozenset({"rate_limited", "overloaded"})
"""Faults that say “too many calls”: they cost no try, the gate before the provider says when the next call may leave."""
WORLD = frozenset({"auth", "connection", "server", "stall", "cut", "no_stop"})
"""Faults of the world behind the gate; all others are about what was asked."""
CUT = "max_tokens"
TOO_LONG = "The conversation no longer fits into the model, even without older tool results."
FAILURES = {
    CUT: "The reply was too long twice, the second time with twice the room. Give the agent a smaller task.",
    OVERFLOW: TOO_LONG,
    "refusal": "The model refused to go on. Change the task's wording, or use another model.",
}
REFUSED = "The model refused to go on ({why}). Change the task's wording, or use another model."


async def nobody_knows(_model: str) -> int | None:
    """Stands for a model of which nobody knows how much it takes at once."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesBackend:
    """Is the built-in agent over any `Model`, whose calls all pass one `provider`; `sleep` waits seconds, `jitter` gives a number from 0 to 1.

    `room` says how many tokens a model takes at once, its reply included, or None where nobody knows.
    """

    model: Model
    prices: PriceTable = LIST_PRICES
    provider: Provider = field(default_factory=Provider)
    retry: RetryPolicy = MODEL
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    room: Callable[[str], Awaitable[int | None]] = nobody_knows
    name: ClassVar[str] = "messages"
    needs_place: ClassVar[bool] = False

    async def run(self, assignment: Assignment, port: RunPort, toolbox: Toolbox) -> RunEnd:
        """Works until the assignment ends, going on where its history stops."""
        run = _Run(backend=self, assignment=assignment, port=port, toolbox=toolbox, turns=list(assignment.history))
        # The first look at a price loads the table, which takes a tenth of a second.
        await asyncio.to_thread(self.prices.reserve, assignment.model, 0, 0)
        try:
            return await run.until_end()
        except RunStopped as order:
            return RunEnd(kind="stopped", reason=order.reason)
        finally:
            self.provider.forget(assignment.run)

    def provider_state(self, now: datetime) -> ProviderState:
        """Returns how the provider of its calls stands."""
        return self.provider.state(now)


@dataclass(slots=True, kw_only=True)
class _Run:
    """Is a run under way; `turns` is what the port has journalled, never more."""

    backend: MessagesBackend
    assignment: Assignment
    port: RunPort
    toolbox: Toolbox
    turns: list[Turn]
    meter: Meter = field(default_factory=Meter)
    limit: int = 0
    """How many tokens the conversation may have, as far as that is known before the next call."""
    so_far: ShownSoFar | None = None

    async def until_end(self) -> RunEnd:
        end = await self.settle()
        while end is None:
            end = await self.call() or verdict(self.turns) or await self.use_tools() or self.stuck()
            if end is None:
                await self.listen()
        return end

    async def settle(self) -> RunEnd | None:
        """Ends a turn that was cut in two: questions are asked on, what others were told is known, a finish is a finish, all else is not done twice."""
        if not self.turns:
            return None
        waited = False
        for call in unanswered(self.turns[-1]):
            if call.name == FINISH.name and self.turns[-1].follow_up:
                break  # it was sent back: what is said afterwards is the answer to it
            if call.name in {ASK.name, COORDINATE.name, FINISH.name} or waited or self.port.awaits_permission(call.id):
                # Tools are used one after the other, so what comes after a question has not begun before its answer.
                waited = True
                if end := await self.use(call):
                    return end
            else:
                await self.record(ToolResult(tool_use_id=call.id, content=INTERRUPTED, is_error=True))
        await self.listen()
        return self.stuck()

    async def call(self) -> RunEnd | None:
        """Adds one turn with a reply, or returns why there is none; every try is a call of its own in the journal."""
        first = self.assignment.first_turn
        last = self.turns[-1] if self.turns else Turn(number=first - 1, reply=None, attempts=0)
        again = bool(self.turns) and last.reply is None
        self.limit = await self.most()
        turn = self.turns.pop() if again else Turn(number=last.number + 1, reply=None, attempts=0, sums_up=self.to_sum_up())
        if turn.number - first - sum(done.sums_up > 0 for done in self.turns) >= self.assignment.max_turns:
            return RunEnd(kind="limit", reason=f"The run has used its {self.assignment.max_turns} turns without finishing.")
        failures = 0
        while True:
            turn = replace(turn, attempts=turn.attempts + 1)
            outcome, probed = await self.attempt(turn)
            if isinstance(outcome, Reply):
                self.turns.append(replace(turn, reply=outcome))
                return None
            if outcome.kind == "too_long":
                before, turn = self.messages(turn), replace(turn, overflows=turn.overflows + 1)
                if turn.overflows == 1 and self.messages(turn) != before:
                    continue
            if (outcome.retryable and outcome.kind in THROTTLING) or (outcome.kind == "auth" and self.is_under_way()):
                continue
            failures += not probed
            if not outcome.retryable or not (self.backend.retry.allows(failures) or self.backend.provider.is_open):
                return RunEnd(
                    kind="failed", reason=f"The model call failed: {outcome.message}", outside=outcome.kind not in {"refused", "too_long"}
                )
            await self.backend.sleep(self.backend.retry.wait(max(1, failures), self.backend.jitter(), outcome.retry_after))

    async def attempt(self, turn: Turn) -> tuple[Reply | ModelError, bool]:
        """Makes one call once there is a place for it, and journals both ends of it; tells whether it only tried if the world works again."""
        request = self.request(turn)
        prices = self.backend.prices
        reserve = prices.reserve(request.model, self.meter.most(request), request.max_tokens)
        place = await self.backend.provider.enter(request.run)
        try:
            # A call that still waits has not started: in the journal it would hold money, and count as lost after a crash.
            await self.port.call_started(turn.number, turn.attempts, reserve, turn.sums_up)
            reply = await self.backend.model.reply(request, self.port.streamed)
            if turn.sums_up:  # a tool that it wished for beside the summary is not used, and nobody waits for it
                reply = replace(reply, content=tuple(block for block in reply.content if isinstance(block, Text)))
            if not reply.cached:
                place.answered()
        except ModelError as error:
            tell(place, error, under_way=self.is_under_way())
            place.leave()
            used = prices.price(request.model, error.usage) if error.usage else None
            await self.port.call_failed(turn.number, error, used)
            return error, place.probe > 0
        finally:
            place.leave()
        self.meter.answered(request, reply.usage)
        cost = Decimal(0) if reply.cached else prices.price(request.model, reply.usage)
        await self.port.call_finished(turn.number, reply, cost)
        return reply, place.probe > 0

    def is_under_way(self) -> bool:
        """Tells whether a key that is refused now once worked: then nobody's work is given up for it, all wait until one works."""
        return self.backend.provider.has_answered or any(turn.reply and not turn.reply.cached for turn in self.turns)

    def request(self, turn: Turn) -> ModelRequest:
        assignment = self.assignment
        return ModelRequest(
            run=assignment.run,
            role=assignment.role,
            turn=turn.number,
            attempt=turn.attempts,
            model=assignment.model,
            system=assignment.system,
            messages=self.messages(turn),
            tools=assignment.tools,
            max_tokens=assignment.max_tokens * (2 if trailing(self.turns, CUT) else 1),
            effort=assignment.effort,
        )

    def messages(self, turn: Turn) -> tuple[Message, ...]:
        """Returns what the call of a turn sends."""
        turns = [*self.turns, turn]
        messages = conversation(self.assignment.opening, turns, self.shown(turns), writes=self.writes)
        return asked_to_sum_up(messages) if turn.sums_up else messages

    async def most(self) -> int:
        room, reply = await self.backend.room(self.assignment.model), self.assignment.max_tokens
        return min(self.assignment.context_tokens, max(room // 2, room - reply) if room else self.assignment.context_tokens)

    def shown(self, turns: list[Turn]) -> Shown:
        assignment = self.assignment
        if self.so_far is None or self.so_far.limit != self.limit:
            fixed = len(encoded((assignment.system, assignment.tools, assignment.opening)))
            self.so_far = ShownSoFar(fixed=fixed, limit=self.limit)
        return self.so_far.after(turns)

    def to_sum_up(self) -> int:
        """Returns the last turn that the next call shall sum up, or 0; a reply that was only paused is not cut off."""
        return 0 if trailing(self.turns, "pause_turn") else to_sum_up(self.turns, self.shown(self.turns))

    @property
    def writes(self) -> bool:
        return any(tool.name in {EDIT.name, WRITE.name} for tool in self.assignment.tools)

    async def use_tools(self) -> RunEnd | None:
        """Uses the tools of the last turn one after the other."""
        for call in unanswered(self.turns[-1]):
            if end := await self.use(call):
                return end
        return None

    def stuck(self) -> RunEnd | None:
        reason = reason_stuck(self.turns, writes=self.writes)
        return RunEnd(kind="stuck", reason=reason) if reason else None

    async def use(self, call: ToolUse) -> RunEnd | None:
        problem = problem_with(self.assignment.tools, call)
        if problem:
            await self.record(ToolResult(tool_use_id=call.id, content=problem, is_error=True))
        elif call.name == FINISH.name:
            missing = await self.port.finish(call.id, call.input["summary"])
            if missing is None:
                return RunEnd(kind="finished", summary=call.input["summary"])
            await self.record(ToolResult(tool_use_id=call.id, content=missing, is_error=True))
        elif call.name == ASK.name:
            answer = await self.port.ask(call.id, call.input["question"], tuple(call.input.get("choices", ())))
            await self.record(ToolResult(tool_use_id=call.id, content=answer))
        elif call.name == COORDINATE.name:
            await self.record(await self.port.coordinate(call))
        else:
            await self.record(await self.toolbox.use(call))
        return None

    async def record(self, result: ToolResult) -> None:
        turn = self.turns[-1]
        await self.port.tool_finished(turn.number, result)
        self.turns[-1] = replace(turn, results=(*turn.results, result))

    async def listen(self) -> None:
        """Takes in what was said to the agent meanwhile."""
        turn = self.turns[-1]
        self.turns[-1] = replace(turn, follow_up=turn.follow_up + await self.port.follow_ups(turn.number))


def verdict(turns: list[Turn]) -> RunEnd | None:
    """Judges the last reply by its stop reason; None means go on. A reason this code does not know is a failure, never a success."""
    reply = turns[-1].reply
    stop_reason = reply.stop_reason if reply else ""
    if turns[-1].sums_up or stop_reason in {"tool_use", "end_turn", "stop_sequence"}:
        return None
    if stop_reason == "pause_turn" or (stop_reason in {CUT, OVERFLOW} and trailing(turns, stop_reason) == 1):
        return None
    if stop_reason == "refusal" and reply and reply.refusal:
        return RunEnd(kind="failed", reason=REFUSED.format(why=reply.refusal))
    unknown = f"The model stopped for a reason this version does not know: {stop_reason!r}."
    return RunEnd(kind="failed", reason=FAILURES.get(stop_reason, unknown))


def tell(place: Place, error: ModelError, *, under_way: bool) -> None:
    """Tells the provider's gate what a fault says of the provider; a key that worked and is refused shuts it for all until one call gets through."""
    if error.kind in THROTTLING:
        place.refused(_CALLED[error.kind], error.retry_after)
    elif error.kind in WORLD:
        place.failed(error.message.rstrip("."), for_all=error.kind == "auth" and under_way)
    elif error.sent:
        place.answered()


_CALLED = {"rate_limited": "too many requests", "overloaded": "overloaded"}
