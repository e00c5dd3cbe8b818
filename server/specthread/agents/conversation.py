"""What the model is shown: the conversation of a run, rebuilt from its journal.

Everything here is pure. The same turns always give the same messages, so resuming after a crash is the same as never having stopped,
and the beginning of the conversation stays byte for byte the same from call to call, which is what the prompt cache pays for.
"""

from collections.abc import Sequence
from itertools import chain

import msgspec

from specthread.agents.backend import Block, Message, ModelRequest, Text, Thinking, ToolResult, ToolUse, Turn
from specthread.agents.compaction import SUM_UP, WHOLE, Shown, beginning, calls_of, encoded, stub_of
from specthread.agents.stuck import INTERRUPTED, RESENT, nudges

NOT_RUN = "This call was not run, because the reply ended before its tools could be used. Make the call again if it is still needed."
RECORDED = "Recorded. Specthread has looked at the work since; what it found follows."


def conversation(opening: str, turns: Sequence[Turn], state: Shown = WHOLE, *, writes: bool = False) -> tuple[Message, ...]:
    """Returns the messages of the next call, of which as much is shown as `state` says; `writes` tells whether the agent can change files."""
    messages: list[Message] = [beginning(opening, turns, state)]
    for turn, told in zip(turns, nudges(turns, writes=writes), strict=True):
        if turn.number <= state.begins_after:
            continue
        if not turn.sums_up:
            _append(messages, Message(role="assistant", content=_said(turn)))
        heard: tuple[Block, ...] = _results(turn, stubbed=turn.number <= state.stubbed_through)
        heard += tuple(Text(text=text) for text in (*turn.follow_up, *told))
        _append(messages, Message(role="user", content=heard))
    return tuple(messages)


def asked_to_sum_up(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Returns the same conversation, ended by the wish for a summary."""
    asked = list(messages)
    _append(asked, Message(role="user", content=(Text(text=SUM_UP),)))
    return tuple(asked)


def unanswered(turn: Turn) -> tuple[ToolUse, ...]:
    """Returns the calls of a turn that should have been run and have no result yet, in order."""
    if turn.reply is None or turn.reply.stop_reason != "tool_use":
        return ()
    answered = {result.tool_use_id for result in turn.results}
    return tuple(call for call in calls_of(turn) if call.id not in answered)


def trailing(turns: Sequence[Turn], stop_reason: str) -> int:
    """Counts how many turns at the end stopped for this reason, one after the other."""
    count = 0
    for turn in reversed(turns):
        if turn.sums_up:
            continue
        if turn.reply is None or turn.reply.stop_reason != stop_reason:
            break
        count += 1
    return count


def request_bytes(request: ModelRequest) -> int:
    """Returns the size of what a request sends, in bytes of UTF-8."""
    return len(encoded((request.system, request.messages, request.tools)))


def _said(turn: Turn) -> tuple[Block, ...]:
    if turn.reply is None or turn.reply.stop_reason in RESENT:
        return ()
    said = [block for block in turn.reply.content if not isinstance(block, Text) or block.text.strip()]
    while said and isinstance(said[-1], Thinking):  # the API refuses what ends so, and would at every further call
        said.pop()
    return tuple(said)


def _results(turn: Turn, *, stubbed: bool) -> tuple[ToolResult, ...]:
    if turn.sums_up or turn.reply is None or turn.reply.stop_reason in RESENT:
        return ()
    known = {result.tool_use_id: result for result in turn.results}
    results = ((call, known.get(call.id) or _missing(call, turn.reply.stop_reason)) for call in calls_of(turn))
    shown = (stub_of(call, result) if stubbed else result for call, result in results)
    return tuple(msgspec.structs.replace(result, changed=msgspec.UNSET) for result in shown)


def _missing(call: ToolUse, stop_reason: str) -> ToolResult:
    if stop_reason != "tool_use":
        return ToolResult(tool_use_id=call.id, content=NOT_RUN, is_error=True)
    if call.name == "finish":
        return ToolResult(tool_use_id=call.id, content=RECORDED)
    return ToolResult(tool_use_id=call.id, content=INTERRUPTED, is_error=True)


def _append(messages: list[Message], message: Message) -> None:
    """Adds a message, joining it to the last one of the same side: the wire wants the sides to take turns."""
    if not message.content:
        return
    if messages[-1].role == message.role:
        message = Message(role=message.role, content=tuple(chain(messages.pop().content, message.content)))
    messages.append(message)
