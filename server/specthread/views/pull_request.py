"""The text of a pull request: why, what was asked for and how far it is, how it was tested, what belongs to what, and what it cost.

It stands between two marks, so that everything that people write around it, and a repository's own template, stays when it is brought up
to date. Words of agents are made harmless: on a forge `@name` calls people, `fixes #3` closes what it names, and on GitLab a line that
begins with `/merge` is carried out in the name of whoever's token it was written with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from specthread.domain.budget import spend_of
from specthread.domain.family import short
from specthread.domain.ids import TaskNumber
from specthread.domain.model import SpecTask
from specthread.domain.names import label
from specthread.domain.react import task_order
from specthread.domain.run import WorkSession
from specthread.views.redaction import redacted
from specthread.views.report import by_number, counted, money, session_markdown
from specthread.views.trace import TraceIndex
from specthread.views.trace_report import trace_table
from specthread.views.trace_rows import TraceRow, rows
from specthread.views.trace_spectask import home_of_spectask, with_spectask

BEGIN = "<!-- specthread: this part is kept up to date; write above or below it -->"
END = "<!-- specthread: end -->"
LONGEST = 60_000
"""Characters; GitHub takes 65,536."""
_TITLE = 72
_CRITERION = 200
_CRITERIA = 200
_SUMMARY = 4000

_JOINER = "\u2060"
_CALL = re.compile(r"(?<!\w)@(?=\w)")
_CLOSING = re.compile(
    r"\b(clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)(:?\s+(?:issues?\s+)?(?:https?:|[\w./-]*[#!]\d|GH-|[A-Z][A-Z0-9]+-\d))",
    re.IGNORECASE,
)
_SKIP = re.compile(r"\[(?:skip|no)[ -](?:ci|actions?)\]|\[(?:ci|actions?)[ -]skip\]|^skip-checks:", re.IGNORECASE | re.MULTILINE)
_COMMAND = re.compile(r"^([ \t>]*)/(?=[a-zA-Z])", re.MULTILINE)


def pull_request_title(spectask: SpecTask, secrets: Sequence[str] = ()) -> str:
    """Returns the first line of what was asked for, short enough for a list."""
    line = redacted(spectask.prompt, secrets).strip().partition("\n")[0].strip().rstrip(".") or str(spectask.id)
    line = f"{label(spectask.agent)}: {line}" if label(spectask.agent) else line
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"


def pull_request_body(spectask: SpecTask, secrets: Sequence[str] = (), trace: TraceIndex | None = None) -> str:
    """Returns the part of the text that is Specthread's, marks included, and at most `LONGEST` characters; `trace` knows the code."""
    parts = {
        "head": _why(spectask),
        "criteria": _criteria(spectask, secrets),
        "tests": _tests(spectask),
        "approvals": _approvals(spectask),
        "trace": said(redacted(trace_table(spectask, trace), secrets)),
        "sessions": _sessions(spectask, secrets),
        "cost": _cost(spectask),
        "records": _records(spectask),
    }
    # What is longest and least read goes first.
    for left_out in ((), ("sessions",), ("sessions", "trace"), ("sessions", "trace", "tests")):
        kept = [_harmless(redacted(text, secrets)) for name, text in parts.items() if text and name not in left_out]
        note = f"Left out, because it is too long: {', '.join(left_out)}. `specthread report {spectask.id}` has it." if left_out else ""
        body = "\n\n".join([*kept, *([note] if note else [])])
        if len(body) <= LONGEST:
            break
    return f"{BEGIN}\n{body[:LONGEST]}\n{END}"


def with_part(current: str, part: str) -> str:
    """Returns a pull request's whole text with our part brought up to date; where there is none yet, it comes first."""
    # A forge may give back other line ends than it was given.
    current = current.replace("\r\n", "\n")
    before, mark, rest = current.partition(BEGIN)
    _, end, after = rest.partition(END)
    if mark and end:
        return f"{before}{part}{after}"
    return f"{part}\n\n{current.strip()}\n" if current.strip() else f"{part}\n"


def has_part(current: str) -> bool:
    """Tells whether a pull request's text still holds our part; who took it out does not want it back."""
    return BEGIN in current and END in current.partition(BEGIN)[2]


def said(text: str) -> str:
    """Returns words of an agent or a document so that they only say something on a forge: no tags, no calls, nothing closed."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("![", f"!{_JOINER}[")
    text = _CALL.sub(f"@{_JOINER}", text)
    return _CLOSING.sub(rf"\1{_JOINER}\2", text)


def said_in_commit(text: str) -> str:
    """Returns words of an agent so that they only say something in a commit message: nobody is called, nothing closed, no check left out."""
    text = _CALL.sub(f"@{_JOINER}", text)
    return _SKIP.sub(lambda found: found[0].replace("[", f"[{_JOINER}").replace(":", f"{_JOINER}:"), _CLOSING.sub(rf"\1{_JOINER}\2", text))


def _harmless(text: str) -> str:
    """No line is an order to the forge, and our own marks stand where we put them."""
    return _COMMAND.sub(r"\1\\/", text).replace(BEGIN, "").replace(END, "")


def _why(spectask: SpecTask) -> str:
    demo = (
        "**DEMO**: no model was used and nothing here was reasoned; git, checks and merges are real.\n\n" if label(spectask.agent) else ""
    )
    quoted = "\n".join(f"> {line}".rstrip() for line in spectask.prompt.strip().splitlines())
    return f"{demo}## Why\n\n{quoted}"


def _criteria(spectask: SpecTask, secrets: Sequence[str]) -> str:
    index = with_spectask(TraceIndex(), spectask)
    found = [part for row in rows(index, home_of_spectask(spectask)) for part in (row.criteria or (row,))]
    if not found:
        return ""
    lines = [_criterion(spectask, row, secrets) for row in found[:_CRITERIA]]
    more = [f"- … and {len(found) - _CRITERIA} more"] if len(found) > _CRITERIA else []
    return "\n".join(["## Acceptance criteria", "", *lines, *more])


def _criterion(spectask: SpecTask, row: TraceRow, secrets: Sequence[str]) -> str:
    built = [task.id for task in row.tasks if task.state == "merged"]
    before = [task.id for task in row.tasks if task.state == "skipped" and _done_before(spectask, task.id)]
    due = [task for task in row.tasks if task.id not in {*built, *before} and not _left_for_later(spectask, task.id)]
    missing = [f"{task.id} ({task.state.replace('_', ' ')})" for task in due]
    weak = [number for number in built if spectask.tasks[TaskNumber(number)].weak]
    if missing or not row.tasks:
        state = f"not yet: task {', '.join(missing)}" if missing else "**no task builds it**"
    elif weak:
        state = f"merged, **weakly verified** (task {', '.join(weak)}: the check was green before the work)"
    elif built:
        state = f"merged and verified, task {', '.join(built)}"
    elif before:
        state = f"was there before, task {', '.join(before)}"
    else:
        state = "left for later: only optional tasks build it"
    title = " ".join(redacted(row.title, secrets).split())
    title = title if len(title) <= _CRITERION else f"{title[: _CRITERION - 1]}…"
    return f"- [{'x' if (built or before) and not missing else ' '}] **{said(row.symbol.id)}** {said(title)} — {state}"


def _done_before(spectask: SpecTask, number: str) -> bool:
    task = spectask.tasks.get(TaskNumber(number))
    return task is not None and task.done_before


def _left_for_later(spectask: SpecTask, number: str) -> bool:
    task = spectask.tasks.get(TaskNumber(number))
    return task is not None and task.plan.optional and task.state == "open" and task.plan.number not in spectask.chosen


def _tests(spectask: SpecTask) -> str:
    lines = [_test(session) for session in by_number(spectask) if session.merged and session.verification]
    if not lines:
        return ""
    said_once = "Each check ran twice, by Specthread and not by the agent: on the tree that the task began from, and on the finished one."
    return "\n".join(["## How it was tested", "", said_once, "", "| Task | Check | Before | After | |", "|---|---|---|---|---|", *lines])


def _test(session: WorkSession) -> str:
    found = session.verification
    if found is None:
        return ""
    check = " ".join(found.check.split()).replace("|", "\\|").replace("`", "'")
    before = "green" if found.before_passed else "none" if found.before_exit is None else "red"
    marks = [*(["**weak**"] if found.outcome == "weak" else []), *(["**UNSANDBOXED**"] if found.unprotected else [])]
    after = "none" if found.after_exit is None else "green" if found.after_exit == 0 else "red"
    return f"| {session.task or short(session.id)} | `{check or 'of the project'}` | {before} | {after} | {', '.join(marks)} |"


def _approvals(spectask: SpecTask) -> str:
    if not spectask.approvals:
        return ""
    lines = []
    for name, item in sorted(spectask.approvals.items()):
        notes = [
            *(["in advance, unread"] if item.in_advance else []),
            *(["void: it has changed since"] if _is_void(spectask, name) else []),
        ]
        note = f" (**{', '.join(notes)}**)" if notes else ""
        lines.append(f"- {name}@{item.digest[:7]} by {said(item.person)}, {item.time:%Y-%m-%d}{note}")
    accepted = [f"- The finished work by {said(spectask.accepted_by)}"] if spectask.accepted_by else []
    return "\n".join(["## Approved", "", *lines, *accepted])


def _is_void(spectask: SpecTask, name: str) -> bool:
    document = spectask.documents.get(name)
    return document is not None and document.digest != spectask.approvals[name].digest


def _sessions(spectask: SpecTask, secrets: Sequence[str]) -> str:
    sessions = by_number(spectask)
    if not sessions:
        return ""
    told = [said(redacted(session_markdown(spectask, session, "####", secrets), secrets))[:_SUMMARY] for session in sessions]
    # Quoted, so that a fence that nobody closed ends with its session.
    body = "\n\n".join("\n".join(f"> {line}".rstrip() for line in text.splitlines()) for text in told)
    return f"<details>\n<summary>{counted(len(sessions), 'session')}</summary>\n\n{body}\n\n</details>"


def _cost(spectask: SpecTask) -> str:
    spend = spend_of(spectask)
    merged = sum(task.state == "merged" for task in spectask.tasks.values())
    tasks = f"{merged} of {counted(len(spectask.tasks), 'task')} merged. " if spectask.tasks else ""
    open_tasks = [number for number in sorted(spectask.tasks, key=task_order) if spectask.tasks[number].state == "blocked"]
    blocked = f"Blocked: {', '.join(open_tasks)}. " if open_tasks else ""
    return f"{tasks}{blocked}Cost: {money(spend)} in {counted(spend.calls, 'model call')}."


def _records(spectask: SpecTask) -> str:
    pushed = {ref for ref, _ in spectask.pull_request.pushed} if spectask.pull_request else set()
    if f"refs/heads/spectask/{spectask.id}/specs" not in pushed:
        return "The spec's history and what was said in the sessions stay with the author."
    tags = ", ".join(f"`{version.tag}`" for version in spectask.versions)
    return f"The spec, its approvals and what was said in the sessions: branch `spectask/{spectask.id}/specs`{f', {tags}' if tags else ''}."
