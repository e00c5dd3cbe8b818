"""The engine's side of a running agent: each method has journalled durably before it returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal

import msgspec

from specthread.agents.backend import UNBILLED, ModelError, Permission, Reply, RunStopped, ToolResult, ToolUse
from specthread.agents.permissions import Request
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import Refusal
from specthread.domain.runs import find_run
from specthread.domain.text import sound_text
from specthread.engine.loop import Accepted
from specthread.engine.permitting import permission_name, permitted
from specthread.engine.ports import Ports
from specthread.views.streamed_redaction import StreamedRedaction


class ConversationPort:
    """Journals one run; `briefing` is its first message until the journal holds it; `claim` submits the agent's word that it is done and says what is missing, or None.

    `refuse` says why no further question reaches a person, or nothing. `model` is what is asked, by whose price calls are paid.
    """

    def __init__(
        self,
        ports: Ports,
        spectask: SpecTaskId,
        run: RunId,
        *,
        heard: int,
        briefing: str,
        claim: Callable[[str], Awaitable[str | None]],
        coordinate: Callable[[str, ToolUse], Awaitable[ToolResult]] | None = None,
        refuse: Callable[[], str] | None = None,
        regain: Callable[[], Awaitable[bool]] | None = None,
        model: str = "",
    ) -> None:
        self._ports = ports
        self._spectask = spectask
        self._run = run
        self._heard = heard
        self._claim = claim
        self._coordinate = coordinate
        self._refuse = refuse
        self._regain = regain
        self._briefing = briefing
        self._call = 0
        self._model = model
        self._streaming = StreamedRedaction(ports.secrets)

    async def _journal(self, command: c.Command) -> Accepted:
        answer = await self._ports.submit(command)
        if isinstance(answer, Refusal):
            raise RunStopped(answer.message)
        return answer

    async def call_started(self, turn: int, attempt: int, reserve_usd: Decimal | None, sums_up: int = 0) -> None:  # noqa: ARG002  calls are numbered by the journal
        """Spends the next call number; stops the run where it may not act or the money does not reach."""
        command = reports.StartCall(
            spectask=self._spectask,
            run=self._run,
            turn=turn,
            reserve_usd=reserve_usd,
            briefing=self._briefing,
            sums_up=sums_up,
            day=self._today(),
            day_usd=self._ports.settings.day_usd,
            heard=self._heard,
        )
        accepted = await self._journal(command)
        self._briefing = ""
        started = next((envelope.event for envelope in accepted.envelopes if isinstance(envelope.event, e.CallStarted)), None)
        if started is None:
            raise RunStopped("The next call could pass the spending limit.")
        self._call = started.call

    async def call_finished(self, turn: int, reply: Reply, cost_usd: Decimal | None) -> None:
        """Journals a whole reply."""
        self._tick(self._streaming.rest())
        usage = reply.usage
        await self._journal(
            reports.FinishCall(
                spectask=self._spectask,
                run=self._run,
                call=self._call,
                turn=turn,
                reply=msgspec.to_builtins(reply),
                input_tokens=usage.sent,
                output_tokens=usage.output,
                cost_usd=cost_usd,
                usage=usage,
                model=reply.model,
                request_id=reply.request_id,
                price_version=self._price_version(),
                cached=reply.cached,
                day=self._today(),
            )
        )

    async def call_failed(self, turn: int, error: ModelError, cost_usd: Decimal | None) -> None:
        """Journals a broken call; `cost_usd` is the price of what is known to be used, else its reservation stays charged unless it broke before any token."""
        self._tick(self._streaming.rest())
        cost = Decimal(0) if error.usage is None and error.kind in UNBILLED else cost_usd
        reason = sound_text(f"{error.kind}: {error.message}")
        await self._journal(
            reports.LoseCall(
                spectask=self._spectask,
                run=self._run,
                call=self._call,
                turn=turn,
                reason=reason,
                cost_usd=cost,
                usage=error.usage,
                model=self._model,
                request_id=error.request_id,
                price_version=self._price_version(),
                day=self._today(),
            )
        )

    def _today(self) -> date:
        """Returns the date as people here read it: what a day may cost is counted by it."""
        return self._ports.now().astimezone().date()

    def _price_version(self) -> str:
        """Returns which table the agent's calls are priced by; nothing where nobody knows what they cost."""
        run = find_run(self._ports.spectask(self._spectask), self._run)
        backend = self._ports.backends.get(run.agent) if run else None
        return backend.prices.version(self._model) if backend and backend.prices else ""

    async def tool_finished(self, turn: int, result: ToolResult) -> None:
        """Journals a tool result."""
        await self._journal(
            reports.FinishTool(
                spectask=self._spectask,
                run=self._run,
                turn=turn,
                tool_use_id=result.tool_use_id,
                content=result.content,
                is_error=result.is_error,
                changed=None if result.changed is msgspec.UNSET else result.changed,
            )
        )

    def streamed(self, text: str) -> None:
        """Passes text on to whoever watches, without secrets, in whatever pieces these come."""
        self._tick(self._streaming.fed(text))

    def _tick(self, text: str) -> None:
        if text:
            self._ports.tick(self._run, text)

    async def follow_ups(self, turn: int) -> tuple[str, ...]:  # noqa: ARG002  the journal knows when it was said
        """Returns what was said to the agent since the last time."""
        envelopes = await self._ports.read_events(self._spectask, self._heard, self._run)
        if envelopes:
            self._heard = envelopes[-1].seq
        return tuple(envelope.event.text for envelope in envelopes if isinstance(envelope.event, e.MessageSent))

    async def ask(self, tool_use_id: str, question: str, choices: tuple[str, ...]) -> str:
        """Returns the answer once git holds it; until then the run ends here and is resumed with the answer."""
        run = find_run(self._ports.spectask(self._spectask), self._run)
        asked = self._call_name(tool_use_id)
        if run and run.question and run.question.id == asked and run.question.answer_seq:
            return run.question.answer
        is_new = not (run and run.question and run.question.id == asked)
        if is_new and self._refuse and (refused := self._refuse()):
            return refused
        await self._journal(
            reports.AskQuestion(spectask=self._spectask, run=self._run, question=asked, kind="question", text=question, choices=choices)
        )
        raise RunStopped("It waits for an answer.")

    async def permit(
        self,
        tool: str,
        what: str,
        *,
        call: str,
        command: str = "",
        path: str = "",
        others: tuple[str, ...] = (),
        address: str = "",
        network: bool = False,
        sandboxed: bool = True,
    ) -> Permission:
        """Returns whether it may; unlike a question, this waits here, because an agent stands in the middle of a call."""
        request = Request(
            tool=tool,
            what=what,
            command=command,
            path=path,
            others=others,
            address=address,
            network=network,
            sandboxed=sandboxed,
        )
        return await permitted(self._ports, self._run, self._call_name(call), request, self._regain)

    def awaits_permission(self, tool_use_id: str) -> bool:
        """Tells whether the state says so; once an answer was taken up, the tool may have begun."""
        run = find_run(self._ports.spectask(self._spectask), self._run)
        question = run.question if run else None
        name = self._call_name(tool_use_id)
        # The name alone: before questions were named by what they ask as well.
        return question is not None and question.kind == "permission" and question.id in {name, permission_name(name, question.text)}

    def _call_name(self, tool_use_id: str) -> str:
        """Returns the name of a tool call. Some servers number the calls of each reply anew; the reply is that of the last turn, before and after a restart."""
        run = find_run(self._ports.spectask(self._spectask), self._run)
        return f"{run.turn if run else 0}/{tool_use_id}"

    async def coordinate(self, call: ToolUse) -> ToolResult:
        """Returns what came of it; a run that waits for others ends here and is resumed when they have ended."""
        if self._coordinate is None:
            return ToolResult(tool_use_id=call.id, content="There are no other sessions here.", is_error=True)
        return await self._coordinate(self._call_name(call.id), call)

    async def finish(self, tool_use_id: str, summary: str) -> str | None:  # noqa: ARG002  a run finishes once
        """Records the claim; returns what is missing, in words for the agent, or None."""
        return await self._claim(summary)
