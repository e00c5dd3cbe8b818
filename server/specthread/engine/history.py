"""A run's conversation, read back from the log: what a restarted daemon resumes from, and what transcripts are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from specthread.agents.backend import Reply, ToolResult, Turn
from specthread.domain import events as e
from specthread.domain.run import PlanningRun

OVERFLOWED = "too_long:"
"""How the reason of a call begins that was lost because the conversation was too long; the port writes the kind of a fault first."""


@dataclass(slots=True)
class _Open:
    number: int
    attempts: int = 0
    overflows: int = 0
    sums_up: int = 0
    reply: Reply | None = None
    results: list[ToolResult] = field(default_factory=list)
    follow_up: list[str] = field(default_factory=list)

    def closed(self) -> Turn:
        return Turn(
            number=self.number,
            reply=self.reply,
            results=tuple(self.results),
            follow_up=tuple(self.follow_up),
            attempts=self.attempts,
            overflows=self.overflows,
            sums_up=self.sums_up,
        )


def turns_from_events(envelopes: Sequence[e.Envelope], first_turn: int) -> tuple[Turn, ...]:
    """Returns the turns from `first_turn` on. What was said to the agent belongs to the turn after which the running agent heard it.

    That is the turn that had begun by then; what was said while the next call waited to leave, as far as that call tells, is that one's.
    """
    turns: dict[int, _Open] = {}
    begun = 0
    said: list[tuple[int, str]] = []
    for envelope in envelopes:
        event = envelope.event
        if isinstance(event, e.SessionStarted):
            _hear(turns.get(begun), said)
            said = []
        elif isinstance(event, e.CallStarted) and event.turn >= first_turn:
            before = turns.get(begun)
            known = [each for each in said if before and each[0] <= (event.heard or envelope.seq)]
            _hear(before, known)
            begun = event.turn
            turns.setdefault(begun, _Open(begun, sums_up=event.sums_up)).attempts += 1
            _hear(turns[begun], said[len(known) :])
            said = []
        elif isinstance(event, e.CallFinished) and event.turn in turns:
            turns[event.turn].reply = msgspec.convert(event.reply, Reply)
        elif isinstance(event, e.CallLost) and event.turn in turns:
            turns[event.turn].overflows += event.reason.startswith(OVERFLOWED)
        elif isinstance(event, e.ToolFinished) and event.turn in turns:
            changed = msgspec.UNSET if event.changed is None else event.changed
            result = ToolResult(tool_use_id=event.tool_use_id, content=event.content, is_error=event.is_error, changed=changed)
            turns[event.turn].results.append(result)
        elif isinstance(event, e.MessageSent | e.SessionSentBack):
            said.append((envelope.seq, event.text))
    _hear(turns.get(begun), said)
    return tuple(turns[number].closed() for number in sorted(turns))


def _hear(turn: _Open | None, said: Sequence[tuple[int, str]]) -> None:
    if turn:
        turn.follow_up += [text for _, text in said]


def briefing_of(envelopes: Sequence[e.Envelope]) -> str:
    """Returns what the agent was told at the start of the present attempt, or nothing before its first call."""
    briefing = ""
    for envelope in envelopes:
        if isinstance(envelope.event, e.SessionStarted):
            briefing = ""
        elif isinstance(envelope.event, e.RunBriefed):
            briefing = envelope.event.text
    return briefing


def documents_known(envelopes: Sequence[e.Envelope], plan: PlanningRun) -> dict[str, bytes]:
    """Returns each document as a planner that goes on remembers it: as it last wrote it, else as it was when the planner began."""
    return {
        event.document: event.content
        for envelope in envelopes
        if isinstance(event := envelope.event, e.DocumentEdited)
        and (envelope.seq < plan.started_seq or (envelope.actor.kind == "session" and envelope.actor.name == plan.id))
    }


def heard_through(envelopes: Sequence[e.Envelope]) -> int:
    """Returns the sequence number up to which the rebuilt turns hold what was said: before the first call of an attempt nothing has been heard."""
    began = max((item.seq for item in envelopes if isinstance(item.event, e.SessionStarted | e.PlanningStarted)), default=0)
    called = any(isinstance(item.event, e.CallStarted) for item in envelopes if item.seq > began)
    return envelopes[-1].seq if called else began
