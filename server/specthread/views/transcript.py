"""A run's turns as Markdown that people read on a forge: what was said, each tool call with its result, questions and answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from specthread.domain import events as e
from specthread.views.redaction import redacted

RESULT_KEPT = 4_000
"""Characters of a tool result shown; the agent saw it whole, the log holds it whole."""
_Hide = Callable[[str], str]


def transcript_markdown(name: str, envelopes: Sequence[e.Envelope], secrets: Sequence[str] = (), label: str = "") -> str:
    """Returns a whole run, turn by turn, as one page."""
    turns = [turn_markdown(turn, events, secrets, label) for turn, events in sorted(by_turn(envelopes, 1).items())]
    return "\n".join([f"# {name}\n", *turns]) if turns else f"# {name}\n\nNothing was said yet.\n"


def by_turn(envelopes: Sequence[e.Envelope], first: int) -> dict[int, list[e.Envelope]]:
    """Returns a run's events by the turn they belong to; those before its first call count to turn `first`."""
    turns: dict[int, list[e.Envelope]] = {}
    turn = first
    held: list[e.Envelope] = []
    for envelope in envelopes:
        if isinstance(envelope.event, e.RunBriefed):
            held.append(envelope)  # it belongs to the turn that begins now
            continue
        if isinstance(envelope.event, e.CallStarted):
            turn = envelope.event.turn
            turns.setdefault(turn, []).extend(held)
            held = []
        turns.setdefault(turn, []).append(envelope)
    return turns


def turn_markdown(number: int, envelopes: Sequence[e.Envelope], secrets: Sequence[str] = (), label: str = "") -> str:
    """Returns one turn of a run; `envelopes` are the events of that turn, in order, `label` is what its agent is marked with."""
    parts = [f"# Turn {number}{f' ({label})' if label else ''}"]
    names: dict[str, str] = {}
    for envelope in envelopes:
        parts += _parts(envelope, names, partial(redacted, secrets=secrets))
    return "\n\n".join(part for part in parts if part) + "\n"


def _parts(envelope: e.Envelope, names: dict[str, str], hide: _Hide) -> list[str]:
    event = envelope.event
    time = envelope.time.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(event, e.RunBriefed):
        return [f"*{time} · the agent was told:*", _folded("Task", hide(event.text))]
    if isinstance(event, e.CallFinished):
        blocks = [_block(block, names, hide) for block in event.reply.get("content", ())]
        return [f"*{time} · call {event.call} · {event.input_tokens} tokens in, {event.output_tokens} out*", *blocks]
    if isinstance(event, e.CallLost):
        return [f"*{time} · call {event.call} was lost: {hide(event.reason)}*"]
    if isinstance(event, e.ToolFinished):
        return [_result(names.get(event.tool_use_id, "tool"), hide(event.content), wrong=event.is_error)]
    return _said(event, hide)


def _said(event: e.Event, hide: _Hide) -> list[str]:
    match event:
        case e.QuestionAsked():
            return [f"**Asks:** {hide(event.text)}"]
        case e.QuestionAnswered():
            return [f"**{event.person} answers:** {hide(event.answer)}"]
        case e.MessageSent():
            return [f"**{event.source} says:** {hide(event.text)}"]
        case e.SessionSentBack():
            return [f"**Sent back ({event.cause}):** {hide(event.text)}"]
        case e.SessionClaimed():
            return [f"**Says it is done:** {hide(event.summary)}"]
        case e.SessionMerged():
            return [f"**Merged** as `{event.feature[:12]}`"]
        case e.RunFailed():
            return [f"**Ended:** {event.reason}"]
        case e.CheckFinished():
            return [f"**Verification: {event.verification.outcome}** (`{hide(event.verification.check)}`)"]
        case _:
            return []


def _block(block: dict[str, Any], names: dict[str, str], hide: _Hide) -> str:
    kind = block.get("kind")
    if kind == "text":
        return hide(str(block["text"]))
    if kind == "thinking":
        return f"<details><summary>Thinking</summary>\n\n{hide(block['text'])}\n\n</details>" if block.get("text") else ""
    if kind == "tool_use":
        names[block["id"]] = block["name"]
        given = {key: hide(str(value)) for key, value in block["input"].items()}
        return f"**{hide(block['name'])}**\n\n{_fenced(_shown_input(block['name'], given))}"
    return ""


def _shown_input(name: str, given: dict[str, str]) -> str:
    if name == "shell":
        return given.get("command", "")
    if name == "edit":
        removed = "\n".join(f"-{line}" for line in given.get("old", "").splitlines())
        added = "\n".join(f"+{line}" for line in given.get("new", "").splitlines())
        return f"{given.get('path', '')}\n{removed}\n{added}"
    return "\n".join(f"{key}: {value}" for key, value in given.items())


def _result(name: str, content: str, *, wrong: bool) -> str:
    shown = content if len(content) <= RESULT_KEPT else f"{content[:RESULT_KEPT]}\n… {len(content) - RESULT_KEPT} characters more"
    return _folded(f"Result of {name}{' (error)' if wrong else ''}", shown)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{_fenced(text)}\n\n</details>"


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
