"""How much of a long conversation the model is still shown: in stages, each a pure function of the journal.

Every result is capped when a tool gives it (`tools.py`). From half of the limit on, old results are stubs that say how to get them again; they go many at once,
so that the beginning stays byte for byte the same for as long as can be. At four fifths the model sums up what it did, in a turn of its own; from then on the
conversation begins with the task, with everything that people said, word for word, and with that summary. What overflows all the same teaches the true
limit, old results go at once, and the call is made again, once.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Final

import msgspec

from specthread.agents.backend import Block, Message, Text, ToolResult, ToolUse, Turn
from specthread.agents.spill import SPILLED

OVERFLOW: Final = "model_context_window_exceeded"
KEPT_WHOLE = 4
"""Turns at the end that stay as they are, as far as a part `_TAIL` of the limit holds them."""
_STUBS, _SUMMARY, _TAIL, _GAIN = 0.5, 0.8, 0.25, 0.1
"""Parts of the limit: where results become stubs, where the model sums up, what its last turns may take, and what a stage must save."""
_BYTES_PER_TOKEN = 3
_LONGEST_END = 200
_AROUND = 60
"""Bytes that stand around what is said, for names and kinds."""
_KEPT_RESULTS = frozenset({"ask", "coordinate", "finish"})
"""Tools whose results cannot be had again by calling them again."""

SUM_UP = (
    "This conversation has grown long and is about to be cut. Sum up, in at most 1,500 words, what whoever goes on must know: what is done, in which files, "
    "what you found out and decided, and why, what failed, what is left, and what you were about to do. The task and everything that people said stay as "
    "they are; do not repeat them. Answer with the summary alone, and use no tool."
)
_SAID = "# What was said to you so far, word for word"
_SUMMED = "# What you did so far, as you summed it up yourself; the turns before that are gone, the files are as you left them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown of a conversation of about `size` tokens, of which the model takes `limit`: stubs through one turn, and turns after a `summary` alone.

    `asked` is the last turn in which the model was to sum up, whatever came of it.
    """

    limit: int
    size: float
    stubbed_through: int = 0
    summary: Turn | None = None
    asked: int = 0

    @property
    def begins_after(self) -> int:
        """The last turn that only the summary tells of."""
        return self.summary.sums_up if self.summary else 0


WHOLE: Final = Shown(limit=0, size=0)
"""Everything is shown."""


@dataclass(slots=True, kw_only=True)
class ShownSoFar:
    """Goes on from what is shown after earlier turns, so that a turn costs the same late in a conversation as early; the result is that of `shown`."""

    fixed: int
    limit: int
    _turns: list[Turn] = field(default_factory=list, init=False)
    _states: list[Shown] = field(default_factory=list, init=False)

    def after(self, turns: Sequence[Turn]) -> Shown:
        """Returns what the call after these turns is shown; those that are new or others than the last time are looked at."""
        same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(self._turns, turns, strict=False)))
        del self._turns[same:], self._states[same:]
        state = self._states[-1] if self._states else Shown(limit=self.limit, size=self.fixed / _BYTES_PER_TOKEN)
        for turn in turns[same:]:
            state = _with(state, self._turns, turn, self.fixed)
            self._turns.append(turn)
            self._states.append(state)
        return state


def shown(turns: Sequence[Turn], *, fixed: int, limit: int) -> Shown:
    """Returns what the call after these turns is shown; `fixed` is the bytes of what every call sends, `limit` is in tokens."""
    return ShownSoFar(fixed=fixed, limit=limit).after(turns)


def to_sum_up(turns: Sequence[Turn], state: Shown) -> int:
    """Returns the last turn that the model shall sum up now, or 0."""
    if not turns or state.size < _SUMMARY * state.limit or turns[-1].number - state.asked <= KEPT_WHOLE:
        return 0
    through = _before_tail(turns, state.limit, least=0)
    gone = [turn for turn in turns if state.begins_after < turn.number <= through]
    saved = sum(_size(turn.reply.content if turn.reply else (), _results(turn, state)) for turn in gone)
    return through if saved >= _GAIN * state.limit else 0


def summary_of(turn: Turn) -> str:
    """Returns what the model said in a turn in which it was to sum up; empty where nothing can be taken for that."""
    if turn.reply is None or turn.reply.stop_reason in {"refusal", OVERFLOW}:
        return ""
    return "\n".join(block.text for block in turn.reply.content if isinstance(block, Text)).strip()


def beginning(opening: str, turns: Sequence[Turn], state: Shown) -> Message:
    """Returns the first message: the task and, after a summary, what people said before it and the summary itself."""
    content = [Text(text=opening)]
    if state.summary is not None:
        said = [text for turn in turns if turn.number <= state.begins_after for text in pinned(turn)]
        content += [Text(text=text) for text in ((_SAID, *said) if said else ())]
        content.append(Text(text=f"{_SUMMED}\n\n{summary_of(state.summary)}"))
    return Message(role="user", content=tuple(content))


def pinned(turn: Turn) -> tuple[str, ...]:
    """Returns what others said in a turn: answers with their questions, and messages as they are."""
    results = {result.tool_use_id: result.content for result in turn.results}
    answers = [
        f"You asked: {call.input.get('question') or call.input.get('text', '')}\nThe answer: {results[call.id]}"
        for call in calls_of(turn)
        if call.id in results and (call.name == "ask" or (call.name == "coordinate" and call.input.get("action") in {"ask", "wait"}))
    ]
    return (*answers, *(text for text in turn.follow_up if text.strip()))


def stub_of(call: ToolUse, result: ToolResult) -> ToolResult:
    """Returns a result as it stands once it is old: how long it was, how it ended, and how to have it again, where asking again changes nothing; a short one stays as it is."""
    if call.name in _KEPT_RESULTS:
        return result
    again = "The call was made; do not repeat it"
    if call.name == "shell":
        again = "Run the command again if you need it"
    elif call.name in {"read", "search"}:
        again = f"Use `{call.name}` with the same input to have it as it is now"
    if file := SPILLED.search(result.content):
        again = f"All of it is in {file[0]}, which `read` shows in parts"
    end = result.content.rsplit("\n", 1)[-1]
    kept = f" {end}" if end.startswith("[") and len(end) <= _LONGEST_END else ""
    content = f"[{len(result.content)} characters were removed to save space. {again}.]{kept}"
    return msgspec.structs.replace(result, content=min(result.content, content, key=len))


def calls_of(turn: Turn) -> tuple[ToolUse, ...]:
    """Returns the tool calls of a turn's reply."""
    return tuple(block for block in turn.reply.content if isinstance(block, ToolUse)) if turn.reply else ()


def encoded(value: Any) -> bytes:  # noqa: ANN401  anything a conversation holds
    """Returns what a conversation holds as bytes."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:  # half a surrogate pair, from an older log or another backend; only the standard library writes it
        return json.dumps(msgspec.to_builtins(value), sort_keys=True).encode()


def _size(*parts: Iterable[Block | str]) -> float:
    """Returns about how many tokens these are."""
    return sum(_bytes(each) for part in parts for each in part) / _BYTES_PER_TOKEN


def _bytes(said: Block | str) -> int:
    match said:
        case str():
            return _AROUND + (len(said) if said.isascii() else len(said.encode(errors="surrogatepass")))
        case ToolResult(content=content):
            return _bytes(content)
        case ToolUse():
            return _AROUND + len(encoded(said.input))
        case _:
            return _bytes(said.text)


def _with(state: Shown, before: Sequence[Turn], turn: Turn, fixed: int) -> Shown:
    """Returns what is shown after one turn more."""
    if turn.overflows:
        state = _overflowed(state, before)
    if turn.sums_up:
        state = _summed(state, before, turn, fixed)
    elif turn.reply is not None:
        used = turn.reply.usage
        sent = used.input + used.cache_read + used.cache_write
        state = replace(state, size=sent + used.output if sent else state.size + _size(turn.reply.content))
    state = replace(state, size=state.size + _size(turn.results, turn.follow_up))
    if turn.reply is not None and turn.reply.stop_reason == OVERFLOW:
        return _overflowed(state, [*before, turn])
    if state.size >= _STUBS * state.limit:
        through = [*before, turn]
        return _stubbed(state, through, _before_tail(through, state.limit, least=1), _GAIN * state.limit)
    return state


def _results(turn: Turn, state: Shown) -> tuple[ToolResult, ...]:
    return _stubs(turn) if turn.number <= state.stubbed_through else turn.results


def _stubs(turn: Turn) -> tuple[ToolResult, ...]:
    calls = {call.id: call for call in calls_of(turn)}
    return tuple(stub_of(calls[result.tool_use_id], result) for result in turn.results if result.tool_use_id in calls)


def _before_tail(turns: Sequence[Turn], limit: int, *, least: int) -> int:
    """Returns the number of the last turn before those that stay as they are."""
    room, kept, through = _TAIL * limit, 0, turns[-1].number if turns else 0
    for turn in reversed(turns):
        if turn.sums_up:
            continue
        room -= _size(turn.reply.content if turn.reply else (), turn.results)
        if kept == KEPT_WHOLE or (room < 0 and kept >= least):
            break
        kept, through = kept + 1, turn.number - 1
    return through


def _stubbed(state: Shown, turns: Sequence[Turn], through: int, least: float) -> Shown:
    start = max(state.stubbed_through, state.begins_after)
    late = takewhile(lambda turn: turn.number > start, reversed(turns))
    saved = sum(_size(turn.results) - _size(_stubs(turn)) for turn in late if turn.number <= through)
    return replace(state, stubbed_through=through, size=state.size - saved) if saved > 0 and saved >= least else state


def _overflowed(state: Shown, turns: Sequence[Turn]) -> Shown:
    limit = max(1, min(state.limit, int(state.size)))
    return _stubbed(replace(state, limit=limit), turns, _before_tail(turns, limit, least=0), 0)


def _summed(state: Shown, before: Sequence[Turn], turn: Turn, fixed: int) -> Shown:
    if not (text := summary_of(turn)):
        return replace(state, asked=turn.number)
    state = replace(state, asked=turn.number, summary=turn)
    size = fixed / _BYTES_PER_TOKEN + _size([text])
    for each in before:
        if each.number <= turn.sums_up:
            size += _size(pinned(each))
        elif not each.sums_up:
            size += _size(each.reply.content if each.reply else (), _results(each, state), each.follow_up)
    return replace(state, size=size)
