"""Commands about work under way: start, pause, resume, cancel, retry, say, answer, accept, and what can be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from specthread.domain.completion import is_over
from specthread.domain.ids import RunId
from specthread.domain.model import ENDED_TASK_STATES, Refusal, SpecTask
from specthread.domain.names import answer_draft, spectask_of
from specthread.domain.planned import task_order
from specthread.domain.run import LIVE_RUN_STATES, AnyRun
from specthread.domain.runs import all_runs
from specthread.protocol import wire_result
from specthread.protocol.find import find_run
from specthread.protocol.lsp.arguments import Arguments
from specthread.protocol.lsp.ask import changed, read
from specthread.protocol.lsp.people import choose, show_file, show_text, which
from specthread.protocol.lsp.session import Session
from specthread.protocol.port import Fault
from specthread.views.redaction import redacted
from specthread.views.trace_report import trace_table
from specthread.views.transcript import transcript_markdown

Outcome = str | Refusal | Fault | None
WRITE = "Write an answer…"
PUSH = "Push it"
PUSH_RECORDS = "With records and transcripts…"
TITLE = 50
"""Characters of a task's title on a button."""


def _startable(spectask: SpecTask) -> bool:
    return spectask.state in {"approved", "implementing"} and not spectask.paused


async def start(session: Session, arguments: Arguments) -> Outcome:
    """Starts all approved tasks."""
    spectask = await which(session, arguments, lambda each: each.state == "approved", "is approved and waits for its start")
    return await changed(session, "run", id=str(spectask.id)) if isinstance(spectask, SpecTask) else spectask


async def start_task(session: Session, arguments: Arguments) -> Outcome:
    """Starts one task and what it waits for."""
    spectask = await which(session, arguments, _startable, "has tasks to start")
    if not isinstance(spectask, SpecTask):
        return spectask
    task = arguments.task or await _chosen_task(session, spectask)
    return await changed(session, "run", id=str(spectask.id), tasks=[task]) if task else None


async def _chosen_task(session: Session, spectask: SpecTask) -> str:
    numbers = sorted((number for number, task in spectask.tasks.items() if task.state == "open" and not is_over(task)), key=task_order)
    titles = {f"{number} {spectask.tasks[number].plan.title}"[:TITLE]: str(number) for number in numbers}
    return titles.get(await choose(session, f"Which task of {spectask.id}?", list(titles)) or "", "") if titles else ""


async def pause(session: Session, arguments: Arguments) -> Outcome:
    """Pauses a run, or all of a SpecTask."""
    return await _on_target(session, arguments, "pause", lambda each: _is_working(each) and not each.paused, "is at work")


async def resume(session: Session, arguments: Arguments) -> Outcome:
    """Lets a run or a SpecTask go on."""
    return await _on_target(session, arguments, "resume", lambda each: each.paused or each.state in {"failed", "cancelled"}, "is paused")


async def retry(session: Session, arguments: Arguments) -> Outcome:
    """Tries what stopped again."""
    stopped = {"failed", "stuck", "cancelled"}
    return await _on_target(
        session, arguments, "retry", lambda each: any(run.state in stopped for run in each.sessions.values()), "has a task that stopped"
    )


async def cancel(session: Session, arguments: Arguments) -> Outcome:
    """Ends a run or a SpecTask, after asking."""
    spectask = await which(session, arguments, lambda each: each.state not in ENDED_TASK_STATES, "can be cancelled")
    if not isinstance(spectask, SpecTask):
        return spectask
    target = arguments.run or str(spectask.id)
    answer = await choose(session, f"Cancel {target}? Its branches, commits and worktrees stay.", ["Cancel it", "Let it go on"])
    return await changed(session, "cancel", target=target) if answer == "Cancel it" else None


def _is_working(spectask: SpecTask) -> bool:
    return spectask.state not in ENDED_TASK_STATES and any(run.state in LIVE_RUN_STATES for run in all_runs(spectask))


async def _on_target(session: Session, arguments: Arguments, verb: str, fits: Callable[[SpecTask], bool], what: str) -> Outcome:
    if arguments.run:
        return await changed(session, verb, target=arguments.run)
    spectask = await which(session, arguments, fits, what)
    return await changed(session, verb, target=str(spectask.id)) if isinstance(spectask, SpecTask) else spectask


# --- talking with agents --------------------------------------------------------------------------------------------------


def _asking(spectask: SpecTask) -> list[AnyRun]:
    return [run for run in all_runs(spectask) if run.question and not run.question.answer_seq and run.ended is None]


async def answer(session: Session, arguments: Arguments) -> Outcome:
    """Answers a run's question: with the words given, with a choice it offers, else with those saved in a draft."""
    run = await _run(session, arguments, _asking, "asks you anything")
    if run is None or isinstance(run, Refusal):
        return run
    if arguments.text:
        return await changed(session, "answer", target=str(run.id), text=arguments.text, question=arguments.question)
    question = run.question
    if question is None or question.answer_seq:
        return Refusal(code="no-question", message=f"{run.id} asks nothing at the moment.")
    name, asked = run.id.rpartition("/")[2], redacted(question.text, session.ports.secrets)
    if question.choices:
        chosen = await choose(session, f"{name} asks: {asked}", [*question.choices, WRITE])
        if chosen != WRITE:
            return await changed(session, "answer", target=str(run.id), text=chosen, question=question.id) if chosen else None
    return await draft_answer(session, run.id, question.id, asked)


async def say(session: Session, arguments: Arguments) -> Outcome:
    """Says something to a running agent."""
    run = await _run(session, arguments, lambda each: [run for run in all_runs(each) if run.ended is None], "has a running agent")
    if run is None or isinstance(run, Refusal):
        return run
    if arguments.text:
        return await changed(session, "say", target=str(run.id), text=arguments.text)
    name = run.id.rpartition("/")[2]
    return await _draft(session, run.id, f"say-{name}", f"Say below what {name} should know.")


async def spawn(session: Session, arguments: Arguments) -> Outcome:
    """Gives work to a session of its own: under the run that is named, else beside the plan of the SpecTask that is meant."""
    spectask = await which(session, arguments, _spawnable, "can have more sessions")
    if not isinstance(spectask, SpecTask):
        return spectask
    if arguments.text:
        return await changed(session, "spawn", target=arguments.run or str(spectask.id), text=arguments.text)
    name = arguments.run.rpartition("/")[2]
    whose = f"a session under {name}" if name else f"a session of {spectask.id} beside its plan"
    return await _draft(
        session,
        RunId(f"{spectask.id}/{name}"),
        f"spawn-{name}" if name else "spawn",
        f"Say below what {whose} should do, in its first line as a title.",
    )


def _spawnable(spectask: SpecTask) -> bool:
    return spectask.state in {"approved", "implementing", "implementation_review"}


async def draft_answer(session: Session, run: RunId, question: str, text: str) -> Outcome:
    """Opens the draft in which the answer to this very question is written."""
    name = run.rpartition("/")[2]
    return await _draft(session, run, answer_draft(run, question), f"{name} asks: “{text}” Write your answer below.")


async def _draft(session: Session, run: RunId, name: str, what: str) -> Outcome:
    path = await session.ports.engine.open_draft(spectask_of(run), name, what)
    if path is None:
        return Refusal(code="no-desk", message=f"The desk of {spectask_of(run)} is not there.", hint="`specthread doctor` says more.")
    await show_file(session, path, line=3)
    return None


async def _run(session: Session, arguments: Arguments, of: Callable[[SpecTask], list[AnyRun]], what: str) -> AnyRun | Refusal | None:
    """Returns the run that is meant: named, else the only one, else the one chosen; None where the person chose none."""
    if arguments.run:
        return find_run(session.ports.engine.visible, arguments.run)
    spectask = await which(session, arguments, lambda each: bool(of(each)), what)
    if not isinstance(spectask, SpecTask):
        return spectask
    runs = {run.id.rpartition("/")[2]: run for run in of(spectask)}
    if len(runs) == 1:
        return next(iter(runs.values()))
    return runs.get(await choose(session, f"Which run of {spectask.id}?", list(runs)) or "")


# --- the end, and what can be looked at -----------------------------------------------------------------------------------


async def sync(session: Session, arguments: Arguments) -> Outcome:
    """Merges the moved target into the feature branch."""
    spectask = await which(
        session, arguments, lambda each: each.feature is not None and each.state not in ENDED_TASK_STATES, "has a feature branch"
    )
    return await changed(session, "sync", id=str(spectask.id)) if isinstance(spectask, SpecTask) else spectask


async def accept(session: Session, arguments: Arguments) -> Outcome:
    """Accepts the finished feature branch, after asking where no commit was named."""
    if arguments.id and arguments.feature:
        return await changed(session, "accept", id=arguments.id, feature=arguments.feature)
    spectask = await which(session, arguments, lambda each: each.state == "implementation_review", "waits for your acceptance")
    if not isinstance(spectask, SpecTask):
        return spectask
    final = str(spectask.final or "")
    merged = sum(task.state == "merged" for task in spectask.tasks.values())
    question = f"Accept {final[:7]} of {spectask.id}? {merged} of {len(spectask.tasks)} tasks are merged."
    chosen = await choose(session, question, ["Accept", "Show the report", "Not now"])
    if chosen == "Show the report":
        return await show_report(session, Arguments(id=str(spectask.id)))
    return await changed(session, "accept", id=str(spectask.id), feature=final) if chosen == "Accept" else None


async def land(session: Session, arguments: Arguments) -> Outcome:
    """Brings accepted work onto its target."""
    spectask = await which(session, arguments, lambda each: each.state == "done" and each.target is not None, "is accepted")
    return await changed(session, "land", id=str(spectask.id)) if isinstance(spectask, SpecTask) else spectask


async def open_pull_request(session: Session, arguments: Arguments) -> Outcome:
    """Pushes the feature branch and opens its pull request, after saying what goes where; the records only by a choice of their own."""
    spectask = await which(session, arguments, _pushable, "has a feature branch to push")
    if not isinstance(spectask, SpecTask):
        return spectask
    plan = await read(session, "pr", wire_result.PrResult, id=str(spectask.id))
    if isinstance(plan, Fault):
        return plan
    chosen = await choose(session, plan.text, [PUSH, PUSH_RECORDS, "Not now"])
    if chosen == PUSH_RECORDS:
        plan = await read(session, "pr", wire_result.PrResult, id=plan.spectask, with_records=True)
        if isinstance(plan, Fault):
            return plan
        chosen = await choose(session, plan.text, [PUSH, "Not now"])
    if chosen != PUSH:
        return None
    return await changed(session, "pr", id=plan.spectask, with_records=plan.with_records, confirm=plan.confirm)


def _pushable(spectask: SpecTask) -> bool:
    return spectask.feature is not None and spectask.target is not None and spectask.state != "archived"


async def open_session(session: Session, arguments: Arguments) -> Outcome:
    """Shows what a run did so far."""
    run = await _run(session, arguments, lambda each: list(all_runs(each)), "has sessions to show")
    if run is None or isinstance(run, Refusal):
        return run
    spectask = session.ports.engine.visible.spectasks[spectask_of(run.id)]
    envelopes = await session.ports.engine.read_events(spectask.id, 0, run.id)
    text = transcript_markdown(run.id, envelopes, session.ports.secrets)
    await show_text(session, spectask, f"{run.id.rpartition('/')[2]}.md", text)
    return None


async def show_report(session: Session, arguments: Arguments) -> Outcome:
    """Shows the report of a SpecTask as it is now."""
    spectask = await which(session, arguments, lambda each: bool(each.documents), "has anything to report")
    if not isinstance(spectask, SpecTask):
        return spectask
    report = await read(session, "report", wire_result.ReportResult, id=str(spectask.id))
    if isinstance(report, Fault):
        return report
    await show_text(session, spectask, "report.md", report.markdown)
    return None


async def trace(session: Session, arguments: Arguments) -> Outcome:
    """Shows which task, commit, code and test belongs to which requirement."""
    spectask = await which(session, arguments, lambda each: bool(each.documents), "has requirements to follow")
    if not isinstance(spectask, SpecTask):
        return spectask
    table = await asyncio.to_thread(trace_table, spectask, await session.ports.trace_of(spectask))
    await show_text(session, spectask, "trace.md", f"# {spectask.id}\n\n{table or 'Nothing is required yet.'}\n")
    return None


async def history(session: Session, arguments: Arguments) -> Outcome:
    """Shows what happened, event by event."""
    spectask = await which(session, arguments, lambda _: True, "has a history")
    if not isinstance(spectask, SpecTask):
        return spectask
    lines: list[str] = []
    since, more = 0, True
    while more:
        page = await read(session, "history", wire_result.HistoryResult, id=str(spectask.id), since=since)
        if isinstance(page, Fault):
            return page
        lines += [f"- {event.time:%Y-%m-%d %H:%M:%S} {event.text}" for event in page.events]
        since, more = page.events[-1].seq if page.events else 0, page.more
    await show_text(session, spectask, "history.md", "\n".join([f"# {spectask.id}", "", *lines]) + "\n")
    return None
