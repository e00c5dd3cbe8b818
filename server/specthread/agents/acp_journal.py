"""What an external agent tells, as the turns that a journal holds.

A turn is what the agent said up to and including one tool call, and ends when that call has ended; calls that overlap are of one turn. So what agents of every kind do
looks the same in transcripts, and a crash loses one call and not an hour. All of it is a function of the updates, in their order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from specthread.agents.acp_files import places_in
from specthread.agents.backend import Block, Reply, Text, Thinking, ToolResult, ToolUse, Usage
from specthread.agents.stuck import INTERRUPTED

RESULT_KEPT = 30_000
KEPT = 100_000
"""Characters of what is said in one turn, and of what one call is given, that are journalled."""
_FIELDS_KEPT, _NAME_KEPT = 50, 100
_REST = " [the rest is left out]"
_JUDGED = ("command", "path", "url")
"""What of an input decides whether it is allowed."""
_NAMES = {"execute": "shell"}
"""The kinds of calls that have a name of ours."""
_ENDED = {"completed": False, "failed": True}
"""Whether a call that ended so went wrong."""
_DOLLAR = "USD"


@dataclass(slots=True, kw_only=True)
class Call:
    """A tool call as it is known by now; `failed` is None until it has ended."""

    id: str
    kind: str = "other"
    title: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    content: list[Any] = field(default_factory=list)
    output: Any = None
    failed: bool | None = None
    places: tuple[str, ...] = ()
    """Each file that it named."""

    def take(self, update: Mapping[str, Any]) -> None:
        """Takes in what an update says of it; what it leaves out stays."""
        if sum(map(len, self.places)) <= RESULT_KEPT:
            self.places = tuple(dict.fromkeys((*self.places, *places_in(update))))
        kind, title, given, content = (update.get(key) for key in ("kind", "title", "rawInput", "content"))
        self.kind = kind[:_NAME_KEPT] if isinstance(kind, str) and kind else self.kind
        self.title = title if isinstance(title, str) and title else self.title
        self.given = given if isinstance(given, dict) and given else self.given
        self.content = content if isinstance(content, list) else self.content
        self.output = update.get("rawOutput", self.output)
        locations = update.get("locations")
        for location in locations if isinstance(locations, list) else ():
            if isinstance(location, dict) and isinstance(location.get("path"), str) and "path" not in self.given:
                self.given = {"path": location["path"], **self.given}
        self.failed = _ENDED.get(str(update.get("status")), self.failed)

    def use(self) -> ToolUse:
        """Returns the call in the words of a journal, in part where it is too long; of a change to a file, what it read before and after."""
        return ToolUse(id=self.id, name=_NAMES.get(self.kind, self.kind), input=_bounded(self._given()))

    @property
    def hides(self) -> bool:
        """Tells whether a part of what decides if it is allowed is too long to be told."""
        given, told = self._given(), self.use().input
        return any(given.get(name) != told.get(name) for name in _JUDGED) or sum(map(len, self.places)) > RESULT_KEPT

    def _given(self) -> dict[str, Any]:
        given = dict(self.given)
        changes = [item for item in self.content if isinstance(item, dict) and item.get("type") == "diff"]
        if self.kind == "edit" and changes:
            change = changes[0]
            given = {"path": str(change.get("path", "")), "old": str(change.get("oldText") or ""), "new": str(change.get("newText") or "")}
            for number, more in enumerate(changes[1:], 2):
                given |= {
                    f"{name} {number}": str(more.get(key) or "") for name, key in (("path", "path"), ("old", "oldText"), ("new", "newText"))
                }
        if self.title and self.title not in map(str, given.values()):
            given["title"] = self.title
        return given

    def result(self) -> ToolResult:
        """Returns what came of it; one that has not ended was interrupted."""
        if self.failed is None:
            return ToolResult(tool_use_id=self.id, content=INTERRUPTED, is_error=True)
        said = "\n".join(filter(None, map(_said, self.content)))
        if not said and self.output is not None:
            said = self.output if isinstance(self.output, str) else json.dumps(self.output, ensure_ascii=False, default=str)
        return ToolResult(
            tool_use_id=self.id, content=said[:RESULT_KEPT] or ("It failed." if self.failed else "Done."), is_error=self.failed
        )


def _bounded(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an input or, where it is too long, its first fields with an even share of the room for each."""
    if len(json.dumps(given, ensure_ascii=False)) <= KEPT:
        return dict(given)
    first = list(given.items())[:_FIELDS_KEPT]
    room = KEPT // len(first)
    return {name[:_NAME_KEPT]: _bounded_value(value, room) for name, value in first}


def _bounded_value(value: object, room: int) -> object:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= room else text[:room] + _REST


def _said(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    if item.get("type") == "diff":
        return f"{item.get('path', '')} was changed."
    return _text_of(item.get("content"))


def _text_of(content: object) -> str:
    """Returns the words of a content block; pictures and the like have none."""
    if not isinstance(content, dict):
        return ""
    resource = content.get("resource")
    text = resource.get("text") if isinstance(resource, dict) else content.get("text")
    return text if isinstance(text, str) else ""


@dataclass(frozen=True, slots=True)
class _Words:
    """What was said in pieces without anything in between."""

    thought: bool
    pieces: list[str]

    def block(self) -> Text | Thinking:
        text = "".join(self.pieces)
        return Thinking(text=text, signature="") if self.thought else Text(text=text)


@dataclass(slots=True)
class Draft:
    """The turn that an agent is making, with what is known of the calls before it; `cost` is what the whole conversation has cost so far, None where it does not say."""

    said: list[_Words | Call] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    cost: Decimal | None = None
    room: int = KEPT

    def take(self, update: Mapping[str, Any]) -> str:
        """Takes in an update and returns what of it is to be shown at once; kinds that nobody knows say nothing."""
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                text = _text_of(update.get("content"))
                self._say(text)
                return text
            case "agent_thought_chunk":
                self._say(_text_of(update.get("content")), thought=True)
            case "tool_call" | "tool_call_update":
                self._call(update)
            case "usage_update":
                self.cost = _dollars(update.get("cost"), self.cost)
        return ""

    def _say(self, text: str, *, thought: bool = False) -> None:
        if not text or not self.room:
            return
        said = text if len(text) < self.room else text[: self.room] + _REST
        self.room = max(0, self.room - len(text))
        last = self.said[-1] if self.said else None
        if isinstance(last, _Words) and last.thought == thought:
            last.pieces.append(said)
        else:
            self.said.append(_Words(thought, [said]))

    def _call(self, update: Mapping[str, Any]) -> None:
        name = update.get("toolCallId")
        if not isinstance(name, str) or name in self.ended:  # what comes after the end of a call changes nothing
            return
        known = next((call for call in self.calls if call.id == name), None)
        if known is None:
            known = Call(id=name)
            self.said.append(known)
        known.take(update)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of this turn, in the order in which they were begun."""
        return tuple(each for each in self.said if isinstance(each, Call))

    @property
    def is_open(self) -> bool:
        """Tells whether a call has not ended yet."""
        return any(call.failed is None for call in self.calls)

    @property
    def is_whole(self) -> bool:
        """Tells whether the turn has come to its end: it made a call, and every call has ended."""
        return bool(self.calls) and not self.is_open

    def close(self, model: str, usage: Usage | None = None) -> tuple[Reply, tuple[ToolResult, ...]]:
        """Returns the turn as a journal holds it, and begins the next one."""
        calls = self.calls
        blocks: list[Block] = [each.use() if isinstance(each, Call) else each.block() for each in self.said]
        content = tuple(block for block in blocks if not isinstance(block, Text | Thinking) or block.text.strip())
        reply = Reply(content=content, stop_reason="tool_use" if calls else "end_turn", usage=usage or Usage(), request_id="", model=model)
        self.ended |= {call.id for call in calls}
        self.said, self.room = [], KEPT
        return reply, tuple(call.result() for call in calls)


def _dollars(cost: object, before: Decimal | None) -> Decimal | None:
    """Returns what a cost says in US dollars, or what was known `before` where it says nothing that can be believed."""
    if not isinstance(cost, dict) or cost.get("currency") != _DOLLAR:
        return before
    try:
        amount = Decimal(str(cost.get("amount")))
    except InvalidOperation:
        return before
    return amount if amount.is_finite() and amount >= (before or 0) else before


def usage_of(answer: Mapping[str, Any]) -> Usage | None:
    """Returns the tokens that the answer to a prompt tells of, or None."""
    told = answer.get("usage")
    if not isinstance(told, dict):
        return None

    def count(name: str) -> int:
        value = told.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0

    return Usage(
        input=count("inputTokens"),
        output=count("outputTokens"),
        cache_read=count("cachedReadTokens"),
        cache_write=count("cachedWriteTokens"),
    )
