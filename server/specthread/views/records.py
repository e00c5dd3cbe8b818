"""The files under `.specs/<id>/` that make git alone tell the story: metadata, approvals, comments, decisions, cost.

JSON with sorted keys and two spaces, so that a diff on a forge reads well and `rebuild` can read everything back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from specthread.domain import events as e
from specthread.domain.budget import spend_of
from specthread.domain.model import Comment, ImplementationTask, Limits, SpecTask
from specthread.domain.run import PlanningRun, ReviewRun, Run, WorkSession, concerns_all
from specthread.domain.run_options import RunOptions
from specthread.domain.runs import all_runs, find_run
from specthread.views.redaction import without_secrets
from specthread.views.review import left_open

FORMAT = 1


def _json(value: dict[str, Any], secrets: Sequence[str] = ()) -> bytes:
    return (json.dumps(without_secrets(value, secrets), ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode(errors="replace")


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
            "limits": _limits(spectask.limits),
            **({"options": msgspec.to_builtins(spectask.options)} if spectask.options != RunOptions() else {}),
            **({"allowed": sorted(spectask.allowed)} if spectask.allowed else {}),
            # The acceptance is written down before it takes effect; the file says what it makes true.
            "state": "done" if spectask.accepted_seq else spectask.state,
            "accepted_by": spectask.accepted_by,
            "chosen": None if spectask.all_chosen else sorted(spectask.chosen),
            **({"pull_request": spectask.pull_request.url} if spectask.pull_request else {}),
            "versions": [{"number": version.number, "tag": version.tag, "digests": dict(version.digests)} for version in spectask.versions],
            "documents": {
                name: {"path": document.path, "digest": document.digest, "author": document.author}
                for name, document in spectask.documents.items()
            },
            "tasks": {number: _task(task) for number, task in spectask.tasks.items()},
            "plans": {plan.id: _plan(plan) for plan in spectask.plans},
            **({"open_questions": [question._asdict() for question in asked]} if (asked := left_open(spectask)) else {}),
            **({"reviews": {review.id: _review(review) for review in spectask.reviews}} if spectask.reviews else {}),
            "sessions": {session.id: _session(session) for session in sorted(spectask.sessions.values(), key=lambda known: known.number)},
        },
        secrets,
    )


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "max_parallel": limits.max_parallel,
        "warn_usd": str(limits.warn_usd),
        "stop_usd": str(limits.stop_usd),
        "user_set": limits.user_set,
        "max_depth": limits.max_depth,
        "max_children": limits.max_children,
        **{name: str(usd) for name in ("task_usd", "run_usd") if (usd := getattr(limits, name)) is not None},
    }


def _task(task: ImplementationTask) -> dict[str, Any]:
    notes = ("weak", "recheck", "done_before")
    passed = {"passed_over": task.passed_over} if task.passed_over else {}
    return {"title": task.plan.title, "state": task.state, **{name: True for name in notes if getattr(task, name)}, **passed}


def _run(run: Run) -> dict[str, Any]:
    return {
        "agent": run.agent,
        "role": run.role,
        "state": run.state,
        "attempt": run.attempt,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "summary": run.summary,
        "reason": run.reason,
    }


def _plan(plan: PlanningRun) -> dict[str, Any]:
    unclean = {"unclean": plan.unclean} if plan.unclean else {}
    return {**_run(plan), "purpose": plan.purpose, "message": plan.message, **unclean}


def _review(review: ReviewRun) -> dict[str, Any]:
    own = {name: getattr(review, name) for name in ("session", "claim", "commit", "gate", "verdicts")}
    return {**_run(review), **msgspec.to_builtins(own)}


def _session(session: WorkSession) -> dict[str, Any]:
    found = session.verification
    return {
        **_run(session),
        "task": session.task,
        "start": session.start,
        "merged": session.merged,
        "corrections": session.send_backs,
        "conflicts": session.conflicts,
        **({"parent": session.parent, "work": session.work} if session.work else {}),
        **({"budget_usd": str(session.budget_usd)} if session.budget_usd is not None else {}),
        # What its check printed stands in the transcript.
        "verification": msgspec.to_builtins(replace(found, output="", before_output="")) if found else None,
    }


def cost_file(spectask: SpecTask) -> bytes:
    """Returns cost.json: totals of the SpecTask and of each run, US dollars as text."""
    return _json({"format": FORMAT, "total": _spend(spend_of(spectask)), "runs": {run.id: _spend(run.spend) for run in all_runs(spectask)}})


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
            "number": comment.seq,
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


def standing_files(spectask: SpecTask, secrets: Sequence[str] = ()) -> dict[str, bytes]:
    """Returns the files that say how the SpecTask stands, by path; they go with every commit of records or turns."""
    root = f".specs/{spectask.id}"
    return {f"{root}/spec-metadata.json": metadata_file(spectask, secrets), f"{root}/cost.json": cost_file(spectask)}


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


def coordination_file(envelope: e.Envelope, secrets: Sequence[str] = ()) -> bytes:
    """Returns the file of something that happened between sessions: a session spawned, a message, a fact changed."""
    event = envelope.event
    fields = {name: value for name, value in msgspec.to_builtins(event).items() if value not in ("", None, 0, [])}
    return _json({**fields, "event": type(event).__name__, "time": envelope.time.isoformat(), "seq": envelope.seq}, secrets)


def decision_file(spectask: SpecTask, envelope: e.Envelope, secrets: Sequence[str] = ()) -> bytes:
    """Returns the file of a decision: who decided what, and when; an answer stands with its question."""
    event = envelope.event
    fields = {
        name: getattr(event, name)
        for name in (
            "message",
            "person",
            "by",
            "text",
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
        asked = run.question if run and run.question and run.question.id == event.question else None
        fields["question"] = asked.text if asked else event.question
        if asked and not concerns_all(asked):
            fields["about"] = asked.kind
    limits = getattr(event, "limits", None)
    if limits is not None:
        fields["limits"] = _limits(limits)
    options = getattr(event, "options", None)
    if options is not None:
        fields["options"] = msgspec.to_builtins(options)
    if isinstance(event, e.BudgetRaised):
        fields["stop_usd"] = "" if event.lifted else str(event.stop_usd)
    return _json({"kind": type(event).__name__, "time": envelope.time.isoformat(), "actor": str(envelope.actor), **fields}, secrets)
