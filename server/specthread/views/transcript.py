"""A run's turns as Markdown that people read on a forge: what was said, each tool call with its result, questions and answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from specthread.domain import events as e
from specthread.views.entries import Entry, entries


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
    for entry in entries(envelopes, secrets):
        if entry.kind == "tool":
            names[entry.tool_use] = entry.who
        parts.append(_part(entry, names.get(entry.tool_use, "tool")))
    return "\n\n".join(part for part in parts if part) + "\n"


def _part(entry: Entry, tool: str) -> str:
    time, text = entry.time.strftime("%Y-%m-%d %H:%M:%S UTC"), entry.text
    match entry.kind:
        case "told":
            return f"*{time} · the agent was told:*\n\n{_folded('Task', text)}"
        case "call" | "lost":
            return f"*{time} · {text}*"
        case "text":
            return text
        case "thinking":
            return f"<details><summary>Thinking</summary>\n\n{text}\n\n</details>"
        case "tool":
            return f"**{entry.who}**\n\n{_edit(text) if entry.who == 'edit' else _fenced(text)}"
        case "result":
            rest = f"\n\n{_folded('The rest of it', entry.rest)}" if entry.rest else ""
            return _folded(f"Result of {tool}{' (error)' if entry.wrong else ''}", text) + rest
        case "note":
            return ""
        case _:
            return _line(entry)


def _line(entry: Entry) -> str:
    words = {
        "question": f"**Asks:** {entry.text}",
        "answer": f"**{entry.who} answers:** {entry.text}",
        "message": f"**{entry.who} says:** {entry.text}",
        "back": f"**Sent back ({entry.who}):** {entry.text}",
        "claim": f"**Says it is done:** {entry.text}",
        "merged": f"**Merged** as `{entry.text[:12]}`",
        "ended": f"**Ended:** {entry.text}",
        "check": f"**Verification: {entry.who}** (`{entry.text}`)",
    }
    return words[entry.kind]


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{_fenced(text)}\n\n</details>"


def _edit(text: str) -> str:
    path, _, changed = text.partition("\n")
    return f"`{path}`\n\n{_fenced(changed, 'diff')}"


def _fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
