"""The files under `.specs/<id>/` that make git alone tell the story: metadata, approvals, comments, decisions, cost.

JSON with sorted keys and two spaces, so that a diff on a forge reads well and `rebuild` can read everything back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from specthread.domain import events as e
from specthread.domain.budget import spend_of
from specthread.domain.fold_run import find_run
from specthread.domain.model import Comment, SpecTask
from specthread.views.redaction import redacted

FORMAT = 1


def _json(value: dict[str, Any], secrets: Sequence[str] = ()) -> bytes:
    return (json.dumps(_redacted(value, secrets), ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode(errors="replace")


def _redacted(value: Any, secrets: Sequence[str]) -> Any:  # noqa: ANN401  any value that JSON can hold
    if isinstance(value, str):
        return redacted(value, secrets)
    if isinstance(value, dict):
        return {key: _redacted(item, secrets) for key, item in value.items()}
    return [_redacted(item, secrets) for item in value] if isinstance(value, list | tuple) else value


def blob_id(content: bytes) -> str:
    """Returns git's SHA-1 name of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def metadata_file(spectask: SpecTask, secrets: Sequence[str] = ()) -> bytes:
    """Returns spec-metadata.json."""
    return _json(
        {
            "format": FORMAT,
            "id": spectask.id,
            "prompt": spectask.prompt,
            "flow": spectask.flow,
            "base": spectask.base,
            "target": spectask.target,
            "agent": spectask.agent,
            "owner": str(spectask.owner),
            "created": spectask.created.isoformat(),
            "warnings": list(spectask.warnings),
            "review_mode": spectask.review_mode,
            **({"dialect": spectask.dialect, "adopted": spectask.adopted} if spectask.adopted else {}),
            # The acceptance is written down before it takes effect; the file says what it makes true.
            "state": "done" if spectask.accepted_seq else spectask.state,
            **({"pull_request": spectask.pull_request.url} if spectask.pull_request else {}),
            "versions": [{"number": version.number, "tag": version.tag, "digests": dict(version.digests)} for version in spectask.versions],
            "documents": {name: {"path": document.path, "digest": document.digest} for name, document in spectask.documents.items()},
            "sessions": {session.id: _session(session) for session in sorted(spectask.sessions.values(), key=lambda known: known.number)},
        },
        secrets,
    )


def _session(session: Any) -> dict[str, Any]:  # noqa: ANN401  a WorkSession; kept loose to stay one expression
    return {
        "task": session.task,
        "attempt": session.attempt,
        "agent": session.agent,
        "role": session.role,
        "state": session.state,
        "merged": session.merged,
    }


def cost_file(spectask: SpecTask) -> bytes:
    """Returns cost.json: totals of the SpecTask and of each run, US dollars as text."""
    runs = (*spectask.plans, *sorted(spectask.sessions.values(), key=lambda session: session.number))
    return _json({"format": FORMAT, "total": _spend(spend_of(spectask)), "runs": {run.id: _spend(run.spend) for run in runs}})


def _spend(spend: Any) -> dict[str, Any]:  # noqa: ANN401  a Spend
    return {
        "calls": spend.calls,
        "input_tokens": spend.input_tokens,
        "output_tokens": spend.output_tokens,
        "cost_usd": str(spend.cost_usd),
        "calls_of_unknown_cost": spend.unknown_calls,
    }


def comment_file(comment: Comment, secrets: Sequence[str] = ()) -> bytes:
    """Returns the file of one review comment."""
    return _json(
        {
            "id": comment.id,
            "document": comment.document,
            "quote": comment.quote,
            "section": comment.section,
            "line": comment.line,
            "text": comment.text,
            "author": comment.author,
            "answer": comment.answer,
            "resolved": comment.resolved,
        },
        secrets,
    )


def approvals_file(spectask: SpecTask) -> bytes:
    """Returns review/approvals.json: each approval with blob, digest, person and time."""
    return _json(
        {
            "approvals": [
                {
                    "document": approval.document,
                    "blob": blob_id(approval.content),
                    "digest": approval.digest,
                    "person": approval.person,
                    "time": approval.time.isoformat(),
                    "in_advance": approval.in_advance,
                }
                for _, approval in sorted(spectask.approvals.items())
            ]
        }
    )


def decision_file(spectask: SpecTask, envelope: e.Envelope, secrets: Sequence[str] = ()) -> bytes:
    """Returns the file of a decision: who decided what, and when; an answer stands with its question."""
    event = envelope.event
    fields = {
        name: getattr(event, name)
        for name in (
            "message",
            "person",
            "question",
            "answer",
            "run",
            "task",
            "feature",
            "url",
            "number",
            "forge",
            "branch",
            "address",
            "pushed",
        )
        if getattr(event, name, None)
    }
    if isinstance(event, e.QuestionAnswered):
        run = find_run(spectask, event.run)
        fields["question"] = run.question.text if run and run.question and run.question.id == event.question else event.question
    limits = getattr(event, "limits", None)
    if limits is not None:
        fields["limits"] = {"max_parallel": limits.max_parallel, "warn_usd": str(limits.warn_usd), "stop_usd": str(limits.stop_usd)}
    if isinstance(event, e.BudgetRaised):
        fields["stop_usd"] = "" if event.lifted else str(event.stop_usd)
    return _json({"kind": type(event).__name__, "time": envelope.time.isoformat(), "actor": str(envelope.actor), **fields}, secrets)
