"""What the model is shown: the conversation of a run, rebuilt from its journal.

Everything here is pure. The same turns always give the same messages, so resuming after a crash is the same as never having stopped,
and the beginning of the conversation stays byte for byte the same from call to call, which is what the prompt cache pays for.
"""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec

from specthread.agents.backend import Block, Message, ModelRequest, Text, ToolResult, ToolUse, Turn

RESENT = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
"""Stop reasons whose reply is dropped: it is cut or empty, and the next call asks for it anew."""

NUDGE_AFTER_REPEATS = 3
KEPT_WHOLE = 4
"""Turns at the end whose tool results survive when the conversation is shortened."""

INTERRUPTED = "This call was interrupted; it is not known whether it took effect. Check the state before you repeat it."
NOT_RUN = "This call was not run, because the reply ended before its tools could be used. Make the call again if it is still needed."
RECORDED = "Recorded. Specthread has looked at the work since; what it found follows."
SHORTENED = "[This result was removed to save space. Use the tool again if you need it.]"
NUDGE_TO_FINISH = (
    "Your turn ended without a tool call. If the work is done, call `finish` with a summary. If something is in the way, call `ask`. "
    "Otherwise go on with the work."
)
NUDGE_TO_CHANGE = (
    "You have made the same call with the same result several times in a row. Repeating it will not help. "
    "Try something else, or call `ask` and say what is in the way."
)


def conversation(opening: str, turns: Sequence[Turn], *, shortened_through: int = 0) -> tuple[Message, ...]:
    """Returns the messages of the next call; tool results up to and including turn `shortened_through` are left out."""
    messages: list[Message] = [Message(role="user", content=(Text(text=opening),))]
    for turn, repeats in zip(turns, repeat_counts(turns), strict=True):
        said = _said(turn)
        _append(messages, Message(role="assistant", content=said))
        heard: tuple[Block, ...] = _results(turn, shortened=turn.number <= shortened_through)
        heard += tuple(Text(text=text) for text in turn.follow_up)
        if repeats >= NUDGE_AFTER_REPEATS:
            heard += (Text(text=NUDGE_TO_CHANGE),)
        if not heard and is_idle(turn):
            heard = (Text(text=NUDGE_TO_FINISH),)
        _append(messages, Message(role="user", content=heard))
    return tuple(messages)


def unanswered(turn: Turn) -> tuple[ToolUse, ...]:
    """Returns the calls of a turn that should have been run and have no result yet, in order."""
    if turn.reply is None or turn.reply.stop_reason != "tool_use":
        return ()
    answered = {result.tool_use_id for result in turn.results}
    return tuple(call for call in _calls(turn) if call.id not in answered)


def is_idle(turn: Turn) -> bool:
    """Tells whether the model ended its turn by itself without using a tool."""
    if turn.reply is None or turn.reply.stop_reason in RESENT or turn.reply.stop_reason == "pause_turn":
        return False
    return turn.reply.stop_reason != "tool_use" or not _calls(turn)


def trailing(turns: Sequence[Turn], stop_reason: str) -> int:
    """Counts how many turns at the end stopped for this reason, one after the other."""
    count = 0
    for turn in reversed(turns):
        if turn.reply is None or turn.reply.stop_reason != stop_reason:
            break
        count += 1
    return count


def trailing_idle(turns: Sequence[Turn]) -> int:
    """Counts the idle turns at the end to which nobody has said anything."""
    count = 0
    for turn in reversed(turns):
        if not is_idle(turn) or turn.follow_up:
            break
        count += 1
    return count


def repeat_counts(turns: Sequence[Turn]) -> list[int]:
    """Returns, for each turn, how often its last call had just been made with the same result; what people say starts the count anew."""
    counts: list[int] = []
    last, run = b"", 0
    for turn in turns:
        results = {result.tool_use_id: result.content for result in turn.results}
        for call in _calls(turn):
            signature = encoded((call.name, call.input, results.get(call.id)))
            last, run = signature, run + 1 if signature == last else 1
        counts.append(run if _calls(turn) else 0)
        if turn.follow_up:
            last, run = b"", 0
    return counts


def request_bytes(request: ModelRequest) -> int:
    """Returns the size of what a request sends, in bytes of UTF-8."""
    return len(encoded((request.system, request.messages, request.tools)))


def encoded(value: Any) -> bytes:  # noqa: ANN401  anything a conversation holds
    """Returns a value of a conversation as JSON, the same bytes each time."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:  # half a surrogate pair, from an older log or another backend; only the standard library writes it
        return json.dumps(msgspec.to_builtins(value), sort_keys=True).encode()


def _calls(turn: Turn) -> tuple[ToolUse, ...]:
    return tuple(block for block in turn.reply.content if isinstance(block, ToolUse)) if turn.reply else ()


def _said(turn: Turn) -> tuple[Block, ...]:
    if turn.reply is None or turn.reply.stop_reason in RESENT:
        return ()
    return tuple(block for block in turn.reply.content if not isinstance(block, Text) or block.text.strip())


def _results(turn: Turn, *, shortened: bool) -> tuple[ToolResult, ...]:
    if turn.reply is None or turn.reply.stop_reason in RESENT:
        return ()
    known = {result.tool_use_id: result for result in turn.results}
    results = tuple(known.get(call.id) or _missing(call, turn.reply.stop_reason) for call in _calls(turn))
    if not shortened:
        return results
    return tuple(msgspec.structs.replace(result, content=min(result.content, SHORTENED, key=len)) for result in results)


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
