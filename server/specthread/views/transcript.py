"""A run's turns as Markdown that people read on a forge: what was said, each tool call with its result, questions and answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from specthread.domain import events as e

RESULT_KEPT = 4_000
"""Characters of a tool result shown; the agent saw it whole, the log holds it whole."""
_KEY_SHAPES = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
)
REDACTED = "[redacted]"


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """Returns the text without the given secret values and without anything in the shape of a key."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    return _KEY_SHAPES.sub(REDACTED, text)


def turn_markdown(number: int, envelopes: Sequence[e.Envelope], secrets: Sequence[str] = ()) -> str:
    """Returns one turn of a run; `envelopes` are the events of that turn, in order."""
    parts = [f"# Turn {number}"]
    names: dict[str, str] = {}
    for envelope in envelopes:
        parts += _parts(envelope, names)
    return redacted("\n\n".join(part for part in parts if part), secrets) + "\n"


def _parts(envelope: e.Envelope, names: dict[str, str]) -> list[str]:
    event = envelope.event
    time = envelope.time.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(event, e.RunBriefed):
        return [f"*{time} · the agent was told:*", _folded("Task", event.text)]
    if isinstance(event, e.CallFinished):
        blocks = [_block(block, names) for block in event.reply.get("content", ())]
        return [f"*{time} · call {event.call} · {event.input_tokens} tokens in, {event.output_tokens} out*", *blocks]
    if isinstance(event, e.CallLost):
        return [f"*{time} · call {event.call} was lost: {event.reason}*"]
    if isinstance(event, e.ToolFinished):
        return [_result(names.get(event.tool_use_id, "tool"), event.content, wrong=event.is_error)]
    return _said(event)


def _said(event: e.Event) -> list[str]:
    match event:
        case e.QuestionAsked():
            return [f"**Asks:** {event.text}"]
        case e.QuestionAnswered():
            return [f"**{event.person} answers:** {event.answer}"]
        case e.MessageSent():
            return [f"**{event.source} says:** {event.text}"]
        case e.SessionSentBack():
            return [f"**Sent back ({event.cause}):** {event.text}"]
        case e.SessionClaimed():
            return [f"**Says it is done:** {event.summary}"]
        case e.CheckFinished():
            return [f"**Verification: {event.verification.outcome}** (`{event.verification.check}`)"]
        case _:
            return []


def _block(block: dict[str, Any], names: dict[str, str]) -> str:
    kind = block.get("kind")
    if kind == "text":
        return str(block["text"])
    if kind == "thinking":
        return f"<details><summary>Thinking</summary>\n\n{block['text']}\n\n</details>" if block.get("text") else ""
    if kind == "tool_use":
        names[block["id"]] = block["name"]
        return f"**{block['name']}**\n\n{_fenced(_shown_input(block['name'], block['input']))}"
    return ""


def _shown_input(name: str, given: dict[str, Any]) -> str:
    if name == "shell":
        return str(given.get("command", ""))
    if name == "edit":
        removed = "\n".join(f"-{line}" for line in str(given.get("old", "")).splitlines())
        added = "\n".join(f"+{line}" for line in str(given.get("new", "")).splitlines())
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
