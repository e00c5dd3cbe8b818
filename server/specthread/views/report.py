"""The implementation report: what was done for each task, how it was verified, what it cost, what to look at, and how to undo it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from specthread.domain.budget import spend_of
from specthread.domain.family import left_undone, short, work_of
from specthread.domain.model import ImplementationTask, SpecTask
from specthread.domain.names import label
from specthread.domain.pull_request import told
from specthread.domain.react import task_order
from specthread.domain.run import Spend, Verification, WorkSession
from specthread.views.cost import cost_section
from specthread.views.redaction import redacted
from specthread.views.report_steps import next_steps, way_back
from specthread.views.trace import TraceIndex
from specthread.views.trace_report import trace_table
from specthread.views.verdicts import check_lines, review_of, verdict_lines


def report_file(spectask: SpecTask, secrets: Sequence[str] = ()) -> bytes:
    """Returns report.md."""
    return report_markdown(spectask, secrets).encode()


def report_markdown(spectask: SpecTask, secrets: Sequence[str] = (), trace: TraceIndex | None = None) -> str:
    """Returns the report of a SpecTask in any state, as Markdown that reads well on a forge, without the secret values; `trace` knows its code."""
    parts = [
        f"# Report: {spectask.id}",
        "**DEMO**: no model was used and nothing here was reasoned; git, checks and merges are real." if label(spectask.agent) else "",
        f"> {spectask.prompt.strip()}",
        _facts(spectask),
        _tasks(spectask),
        trace_table(spectask, trace),
        cost_section(spectask),
        *(session_markdown(spectask, session, "##", secrets) for session in by_number(spectask)),
        _attention(spectask),
        next_steps(spectask),
        way_back(spectask),
    ]
    return "\n\n".join(redacted(part, secrets) for part in parts if part) + "\n"


def by_number(spectask: SpecTask) -> list[WorkSession]:
    """Returns the sessions in the order they were made."""
    return sorted(spectask.sessions.values(), key=lambda session: session.number)


def money(spend: Spend) -> str:
    """Returns what was spent, with the calls that nobody can price."""
    unknown = f", {counted(spend.unknown_calls, 'call')} of unknown cost" if spend.unknown_calls else ""
    return f"${spend.cost_usd:.2f}{unknown}"


def _facts(spectask: SpecTask) -> str:
    spend = spend_of(spectask)
    merged = sum(task.state == "merged" for task in spectask.tasks.values())
    rows = [
        ("State", "done" if spectask.accepted_seq else spectask.state.replace("_", " ")),
        ("Accepted by", spectask.accepted_by),
        ("Tasks merged", f"{merged} of {len(spectask.tasks)}"),
        ("Sessions", str(len(spectask.sessions))),
        ("Model calls", f"{spend.calls} ({spend.input_tokens} tokens in, {spend.output_tokens} out)"),
        ("Cost", money(spend)),
        ("Base", f"`{spectask.base[:12]}`" + (f" on `{spectask.target}`" if spectask.target else " (detached HEAD)")),
        ("Feature branch", f"`spectask/{spectask.id}/feature` at `{spectask.feature[:12]}`" if spectask.feature else ""),
        ("Adopted from", f"`{spectask.adopted}` ({spectask.dialect})" if spectask.adopted else ""),
        ("Approved versions", ", ".join(f"`{version.tag}`" for version in spectask.versions)),
        ("Approved by", _approvers(spectask)),
        ("Pull request", f"{spectask.pull_request.url} ({told(spectask.pull_request)})" if spectask.pull_request else ""),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows if value)])


def _approvers(spectask: SpecTask) -> str:
    people = {f"{item.person}{' (in advance)' if item.in_advance else ''}" for item in spectask.approvals.values()}
    return ", ".join(sorted(people))


def _tasks(spectask: SpecTask) -> str:
    if not spectask.tasks:
        return ""
    rows = [_task_row(spectask, spectask.tasks[number]) for number in sorted(spectask.tasks, key=task_order)]
    return "\n".join(
        ["## Tasks", "", "| Task | Result | Session | Requirements | Cost | Time | Commit |", "|---|---|---|---|---|---|---|", *rows]
    )


def _task_row(spectask: SpecTask, task: ImplementationTask) -> str:
    session = spectask.sessions.get(task.session) if task.session else None
    result = (
        "merged, verified"
        if task.state == "merged" and not task.weak
        else "merged, weakly verified"
        if task.state == "merged"
        else "done before"
        if task.done_before
        else task.state.replace("_", " ")
    )
    name = f"ws-{session.number}" if session else ""
    commit = f"`{task.merged[:12]}`" if task.merged else ""
    cost = money(_with_reviews(spectask, session)) if session else ""
    took = _took(session) if session else ""
    return f"| {task.plan.number} {task.plan.title} | {result} | {name} | {', '.join(task.plan.requires)} | {cost} | {took} | {commit} |"


def _with_reviews(spectask: SpecTask, session: WorkSession) -> Spend:
    return sum((review.spend for review in spectask.reviews if review.session == session.id), session.spend)


def _took(session: WorkSession) -> str:
    return _duration(session.ended - session.started) if session.ended else "not ended"


def session_markdown(spectask: SpecTask, session: WorkSession, level: str, secrets: Sequence[str]) -> str:
    """Returns what a session did under a heading of that level, without the secret values that its summary may hold."""
    title = work_of(spectask, session).title or session.task
    lines = [f"{level} ws-{session.number}: {title}", "", redacted(session.summary or session.reason or session.state, secrets)]
    verification = session.verification
    if verification:
        protection = " — UNSANDBOXED" if verification.unprotected else ""
        lines += [
            "",
            f"- Verification: **{verification.outcome}**{protection}, `{verification.check}` {_exits(verification)}",
            f"- Files changed: {', '.join(f'`{path}`' for path in verification.changed) or 'none'}",
            *(f"- Project check: {line}" for line in check_lines(verification)),
            *(f"- Note: {note}" for note in verification.evidence),
            *(f"- Left out: {note}" for note in verification.dropped),
        ]
        if verification.formatted:
            lines.append("- Formatted before the commit, by the project's formatter")
    lines += _review_lines(spectask, session)
    lines.append(
        f"- Attempt {session.attempt}, {counted(session.send_backs, 'correction')}, {counted(session.conflicts, 'merge conflict')}, "
        f"{counted(session.spend.calls, 'model call')}, {money(session.spend)}, {_took(session)}"
    )
    return "\n".join(lines)


def _review_lines(spectask: SpecTask, session: WorkSession) -> list[str]:
    """Returns what became of each review of a session's work."""
    lines = []
    for review in spectask.reviews:
        if review.session == session.id:
            said = review.summary or review.reason or review.state
            lines.append(f"- Review {short(review.id)}{'' if review.gate else ', as advice'}, {money(review.spend)}: {said}")
            lines += [f"  - {line}" for line in verdict_lines(review.verdicts)]
    return lines


def _exits(verification: Verification) -> str:
    before, after = ("none" if code is None else str(code) for code in (verification.before_exit, verification.after_exit))
    return f"(before: exit {before}, after: exit {after})"


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _duration(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))  # somebody may have set the clock back meanwhile
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004  a minute


def _attention(spectask: SpecTask) -> str:
    notes = [*spectask.warnings]
    notes += [f"Task {number} was green before the work: its check proves little." for number, task in spectask.tasks.items() if task.weak]
    notes += [
        f"Task {number} is merged, but its requirement changed afterwards: look at it again."
        for number, task in spectask.tasks.items()
        if task.recheck
    ]
    notes += [
        f"{f'Task {session.task}' if session.task else short(session.id)}: {note}."
        for session in by_number(spectask)
        if session.merged and session.verification
        for note in session.verification.evidence
    ]
    notes += [
        f"{f'Task {session.task}' if session.task else short(session.id)}, criterion {line}."
        for session in by_number(spectask)
        if session.merged and (review := review_of(spectask, session))
        for line in verdict_lines([each for each in review.verdicts if each.judgement != "met"])
    ]
    notes += [
        f"Task {number} is {task.state}."
        for number, task in spectask.tasks.items()
        if task.state in {"blocked", "skipped"} and not task.done_before
    ]
    notes += [f"The work of {short(session.id)} is not done: {session.reason or session.state}." for session in left_undone(spectask)]
    return "\n".join(["## Worth a look", "", *(f"- {note}" for note in notes)]) if notes else ""
