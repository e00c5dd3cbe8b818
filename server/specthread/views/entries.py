"""A run as people read it, entry by entry: what was said, each tool call and its result, questions and answers, and what the daemon found.

One list for every face: the pages in git, the panels of editors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from functools import partial
from itertools import islice
from typing import Any, Literal

from specthread.domain import events as e
from specthread.views.redaction import redacted
from specthread.views.verdicts import judged

RESULT_KEPT = 4_000
"""Characters of a tool result shown; the agent saw it whole, the log holds it whole."""
REST_KEPT = 60_000
"""Characters of a result beyond those that still go into the transcript, where one has to unfold them."""
EntryKind = Literal[
    "told",
    "call",
    "lost",
    "text",
    "thinking",
    "tool",
    "result",
    "message",
    "question",
    "answer",
    "claim",
    "check",
    "back",
    "merged",
    "ended",
    "note",
]
_Hide = Callable[[str], str]
_CONTEXT = 100
"""Unchanged lines shown in an edit: all those that the agent named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing in a run's transcript, from event `seq`.

    `who` is the person, the tool, the cause or the outcome it is about; `tool_use` ties a tool's result to its call; `wrong` tells a failure; `rest` is
    what a result holds beyond `text`, as far as it is kept.
    """

    seq: int
    time: datetime
    kind: EntryKind
    text: str = ""
    who: str = ""
    tool_use: str = ""
    wrong: bool = False
    rest: str = ""


def entries(envelopes: Iterable[e.Envelope], secrets: Sequence[str] = ()) -> tuple[Entry, ...]:
    """Returns the entries of a run's events, in order; texts are without the given secrets and whatever looks like a key."""
    hide = partial(redacted, secrets=secrets)
    return tuple(
        Entry(seq=envelope.seq, time=envelope.time, **values) for envelope in envelopes for values in _values(envelope.event, hide)
    )


def _values(event: e.Event, hide: _Hide) -> list[dict[str, Any]]:
    match event:
        case e.CallStarted() if event.sums_up:
            return [{"kind": "message", "who": "Specthread", "text": "The conversation has grown long. Sum up what you did so far."}]
        case e.CallFinished():
            tokens = f"{event.input_tokens} tokens in, {event.output_tokens} out"
            used = f"call {event.call} · {'answered from memory, nothing was sent' if event.cached else tokens}"
            blocks = [_block(block, hide) for block in event.reply.get("content", ())]
            return [{"kind": "call", "text": used}, *(block for block in blocks if block)]
        case e.ToolFinished():
            content = hide(event.content)
            rest = content[RESULT_KEPT : RESULT_KEPT + REST_KEPT]
            return [{"kind": "result", "text": _cut(content), "rest": rest, "tool_use": event.tool_use_id, "wrong": event.is_error}]
        case e.CheckFinished():
            found = event.verification
            wrong = found.outcome not in {"verified", "weak"}
            return [{"kind": "check", "who": found.outcome, "text": hide(found.check), "wrong": wrong}]
        case _:
            told = _said(event, hide) or _happened(event, hide)
            return [told] if told else []


def _said(event: e.Event, hide: _Hide) -> dict[str, Any]:
    match event:
        case e.RunBriefed():
            return {"kind": "told", "text": hide(event.text)}
        case e.QuestionAsked():
            return {"kind": "question", "text": hide(event.text)}
        case e.QuestionAnswered():
            return {"kind": "answer", "who": event.person, "text": hide(event.answer)}
        case e.MessageSent():
            return {"kind": "message", "who": event.source, "text": hide(event.text)}
        case e.SessionSentBack():
            return {"kind": "back", "who": event.cause, "text": hide(event.text), "wrong": True}
        case e.SessionClaimed():
            return {"kind": "claim", "text": hide(event.summary)}
        case e.CallLost():
            return {"kind": "lost", "text": f"call {event.call} was lost: {hide(event.reason)}", "wrong": True}
        case _:
            return {}


def _happened(event: e.Event, hide: _Hide) -> dict[str, Any]:
    match event:
        case e.SessionStarted():
            began = "begins as soon as a place is free" if event.waits else "began"
            return {"kind": "note", "text": f"Attempt {event.attempt} {began}{', in a new worktree' if event.fresh else ''}."}
        case e.PlanningStarted():
            return {
                "kind": "note",
                "text": "Began to revise the documents." if event.purpose == "revise" else "Began to write the documents.",
            }
        case e.RunInterrupted():
            return {"kind": "note", "text": "The daemon stopped; it went on from here."}
        case e.RunPaused():
            return {"kind": "note", "text": "Paused."}
        case e.RunResumed():
            return {"kind": "note", "text": "Went on."}
        case e.PlanningFinished():
            unclean = f"\n\nThe documents are not clean: {event.unclean}" if event.unclean else ""
            return {"kind": "claim", "text": hide(f"{event.summary}{unclean}")}
        case e.SessionMerged():
            return {"kind": "merged", "text": event.feature}
        case e.RunFailed():
            return {"kind": "ended", "text": hide(event.reason), "wrong": True}
        case e.RunCancelled():
            return {"kind": "ended", "text": hide(event.reason) or "Cancelled.", "wrong": True}
        case _:
            return _among_sessions(event, hide)


def _among_sessions(event: e.Event, hide: _Hide) -> dict[str, Any]:
    match event:
        case e.ReviewFinished():
            unmet = any(verdict.judgement == "unmet" for verdict in event.verdicts)
            return {"kind": "claim", "text": hide(f"{event.summary}\n{judged(event.verdicts)}".strip()), "wrong": unmet}
        case e.SessionSpawned():
            return {"kind": "note", "text": f"Spawned by {event.by.rpartition('/')[2]}: {hide(event.work)}"}
        case e.SessionsAwaited():
            return {"kind": "note", "text": "Waits for other sessions."}
        case e.FeatureBroughtIn():
            return {"kind": "note", "text": f"The feature branch at {event.feature[:7]} is in its files."}
        case _:
            return {}


def _block(block: dict[str, Any], hide: _Hide) -> dict[str, Any]:
    kind = block.get("kind")
    if kind in {"text", "thinking"}:
        text = hide(str(block.get("text", "")))
        return {"kind": kind, "text": text} if text else {}
    if kind == "tool_use":
        given = {key: hide(str(value)) for key, value in block["input"].items()}
        return {"kind": "tool", "who": hide(block["name"]), "text": _shown_input(block["name"], given), "tool_use": block["id"]}
    return {}


def _shown_input(name: str, given: dict[str, str]) -> str:
    if name == "shell":
        return given.get("command", "")
    if name == "edit":
        changed = unified_diff(given.get("old", "").splitlines(), given.get("new", "").splitlines(), lineterm="", n=_CONTEXT)
        # The lines before the first hunk name files by two empty names.
        return "\n".join([given.get("path", ""), *(line for line in islice(changed, 2, None) if not line.startswith("@@"))])
    return "\n".join(f"{key}: {value}" for key, value in given.items())


def _cut(text: str) -> str:
    return text if len(text) <= RESULT_KEPT else f"{text[:RESULT_KEPT]}\n… {len(text) - RESULT_KEPT} characters more"
