"""The one sentence that says what something waits for and who can end it; the same in the command line, in editors and in every view.

`schedule.py` decides, this file explains: both read the same facts (`domain/readiness.py`, `capacity.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from specthread.domain.approval import held_tasks, open_records, unapproved_documents
from specthread.domain.budget import spend_of
from specthread.domain.completion import is_over, needed_tasks
from specthread.domain.family import left_undone, short
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import Locks
from specthread.domain.model import ENDED_TASK_STATES, ImplementationTask, SpecTask, State
from specthread.domain.names import documents_of, spectask_of
from specthread.domain.planned import task_order
from specthread.domain.provider import waiting_of
from specthread.domain.readiness import blocked_tasks, is_going_on, is_spent, is_startable, rests_for_others, unmet_dependencies
from specthread.domain.rules_spawn import is_ready
from specthread.domain.rules_spectask import running_plan
from specthread.domain.run import WORKING_RUN_STATES, AnyRun, WorkSession
from specthread.domain.runs import all_runs, find_run
from specthread.plan.capacity import ALONE, Crowd
from specthread.plan.locks import blockers
from specthread.plan.waiting_run import faulty, first_line, how_it_ended, why_run
from specthread.plan.waiting_task import no_money, no_new_task, why_not_started
from specthread.spec.edits import boxes


def why_waiting(state: State, identifier: str, crowd: Crowd = ALONE) -> str:
    """Returns one sentence that says what a SpecTask or run (by id) waits for and who can end it; empty for an unknown id. `crowd` tells who else works."""
    spectask = state.spectasks.get(SpecTaskId(identifier))
    if spectask is not None:
        return _why_held(spectask, crowd.held) or _why_spectask(spectask, crowd)
    owner = state.spectasks.get(spectask_of(RunId(identifier)))
    run = find_run(owner, RunId(identifier)) if owner else None
    return (crowd.held.get(run.id) or _why_locked(state.locks, run) or why_run(owner, run, crowd)) if owner and run else ""


def _why_held(spectask: SpecTask, held: Mapping[RunId, str]) -> str:
    """Returns what everything waits for that is at work, where that is the provider."""
    sentence, count = waiting_of(spectask, held)
    working = sum(run.state in WORKING_RUN_STATES for run in all_runs(spectask))
    return sentence if count and count == working and not spectask.trouble else ""


def _why_locked(locks: Locks, run: AnyRun) -> str:
    """Says for which resource a run stands in line, and who has it."""
    owner = spectask_of(run.id)
    for resource, holders in blockers(locks, run.id).items():
        named = " and ".join(short(holder) if spectask_of(holder) == owner else holder for holder in holders)
        return f"Waits for {resource}, which {named} holds." if named else f"Stands in line for {resource}."
    return ""


def _why_spectask(spectask: SpecTask, crowd: Crowd) -> str:
    if spectask.overtaken:
        return spectask.trouble
    if spectask.trouble:
        return f"In trouble: {first_line(spectask.trouble)}"
    if spectask.state in ENDED_TASK_STATES:
        return _ended(spectask)
    if spectask.paused:
        return f"Paused; `specthread resume {spectask.id}` lets it go on."
    asking = [
        (run.id, run.question.text) for run in all_runs(spectask) if run.state == "waiting" and run.question and not run.question.answer_seq
    ]
    if asking:
        more = f" ({len(asking) - 1} more wait)" if len(asking) > 1 else ""
        return f"{short(asking[0][0])} asks you: {first_line(asking[0][1])}{more}"
    return _implementing(spectask, crowd) if spectask.state == "implementing" else _STATE_REASONS[spectask.state](spectask)


def _planning(spectask: SpecTask) -> str:
    plan = running_plan(spectask)
    if plan is None:
        return _review(spectask)
    if plan.faults:
        return faulty("The planner", plan)
    written = ", ".join(name for name in documents_of(spectask) if name in spectask.documents)
    if plan.purpose == "revise":
        return f"The planner revises the documents; turn {plan.turn + 1}."
    return f"The planner writes the documents; so far {written or 'none'}."


def _review(spectask: SpecTask) -> str:
    missing = unapproved_documents(spectask)
    if open_records(spectask, "approval") or not missing:
        return "Recording the approval in git…"
    adopted = f"Adopted from {spectask.adopted}; waits" if spectask.adopted and not spectask.versions else "Waits"
    return f"{adopted} for your approval of {', '.join(missing)}: `specthread review {spectask.id}`."


def _approved(spectask: SpecTask) -> str:
    missing = unapproved_documents(spectask)
    if missing:
        return f"{', '.join(missing)} changed after approval: approve the present words to go on."
    if open_records(spectask, "approval"):
        return "Recording the approval in git…"
    if spectask.syncing:
        return _syncing(spectask)
    return f"Approved; `specthread run {spectask.id}` starts the work."


def _syncing(spectask: SpecTask) -> str:
    return f"{spectask.target} is being merged into the feature branch."


def _implementing(spectask: SpecTask, crowd: Crowd) -> str:
    missing = unapproved_documents(spectask)
    if missing:
        held = ", ".join(sorted(held_tasks(spectask), key=task_order))
        return f"{', '.join(missing)} changed after approval; {f'tasks {held} wait' if held else 'the rest waits'} for your approval."
    if open_records(spectask, "approval"):
        return "Recording the approval in git…"
    if spectask.syncing:
        return _syncing(spectask)
    live = [session for session in spectask.sessions.values() if session.ended is None]
    needed = needed_tasks(spectask)
    blocked = [number for number in blocked_tasks(spectask) if number in needed]
    if not live and blocked:
        alone = " No other task begins meanwhile (fail-fast)." if spectask.options.fail_fast else ""
        return f"Task {blocked[0]} is blocked: {_blocked_reason(spectask, spectask.tasks[blocked[0]])}{alone}"
    if not live and all(is_over(task) for task in spectask.tasks.values()):
        return "All tasks are merged; publishing the result…"
    rest = unchosen_tasks(spectask)
    if not live and rest and all(is_over(spectask.tasks[number]) for number in needed):
        failed = left_undone(spectask)
        done = f"What you started has ended, but {_undone(failed)}" if failed else "What you started is done"
        return f"{done}; {_these(rest)} wait{'s' if len(rest) == 1 else ''} until you start {'it' if len(rest) == 1 else 'them'}."
    if not live and open_records(spectask, "decision"):
        return "Recording your decision in git…"
    stops = no_new_task(spectask) or ("" if live else _first_waiting(spectask, crowd))
    merged = sum(task.state == "merged" for task in spectask.tasks.values())
    skipped = sum(task.state == "skipped" for task in spectask.tasks.values())
    also = f", {skipped} skipped" if skipped else ""
    paused = sum(session.state == "paused" for session in live)
    pending = sum(session.state == "pending" for session in live)
    resting = f"{f', {pending} waiting for a place' if pending else ''}{f', {paused} paused' if paused else ''}"
    at_work = len(live) - paused - pending
    return f"{at_work} session{'' if at_work == 1 else 's'} at work{resting}, {merged} of {len(spectask.tasks)} tasks merged{also}.{f' {stops}' if stops else ''}"


def _first_waiting(spectask: SpecTask, crowd: Crowd) -> str:
    """Says why the next task does not begin although nobody works; nothing where it is about to."""
    needed, held = needed_tasks(spectask), held_tasks(spectask)
    next_ = (
        number
        for number in sorted(needed - held, key=task_order)
        if spectask.tasks[number].state == "open" and not unmet_dependencies(spectask, number)
    )
    number = next(next_, None)
    why = why_not_started(spectask, number, crowd) if number else ""
    return f"Task {number}: {why}" if why else ""


def unchosen_tasks(spectask: SpecTask) -> tuple[TaskNumber, ...]:
    """Returns the tasks that are not optional and that nobody let run yet, lowest first."""
    needed = needed_tasks(spectask)
    open_ = [number for number, task in spectask.tasks.items() if number not in needed and not is_over(task)]
    return tuple(sorted(open_, key=task_order))


def stalled(spectask: SpecTask) -> str:
    """Says why nobody works and nothing more begins until a human changes how it is run: its money, or the roles; nothing where that is not so."""
    live = [session for session in spectask.sessions.values() if session.ended is None]
    spawned = [session for session in live if is_ready(spectask, session)]
    if not is_going_on(spectask) or any(session not in spawned and not rests_for_others(session) for session in live):
        return ""
    if live:
        return no_money(spectask) if spawned else ""
    every = replace(spectask, options=replace(spectask.options, roles=()), allowed=frozenset(spectask.tasks))
    open_ = sorted((number for number in needed_tasks(spectask) - held_tasks(spectask) if is_startable(every, number)), key=task_order)
    left_out = [number for number in open_ if spectask.options.roles and spectask.tasks[number].plan.role not in spectask.options.roles]
    if not open_ or (left_out != open_ and not is_spent(spectask.limits, spend_of(spectask).cost_usd)):
        return ""
    return why_not_started(spectask, open_[0], ALONE)


def tasks_for_a_yes(spectask: SpecTask) -> tuple[TaskNumber, ...]:
    """Returns the tasks of an interactive run that lack nothing but a human's yes, lowest first."""
    if not spectask.options.interactive or not is_going_on(spectask):
        return ()
    needed, held = needed_tasks(spectask), held_tasks(spectask)
    asked = replace(spectask, allowed=frozenset(spectask.tasks))
    waiting = [number for number in needed - held - spectask.allowed if is_startable(asked, number)]
    return tuple(sorted(waiting, key=task_order))


def _these(numbers: Sequence[TaskNumber]) -> str:
    return f"task{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"


def _blocked_reason(spectask: SpecTask, task: ImplementationTask) -> str:
    session = spectask.sessions.get(task.session) if task.session else None
    if session is None:
        return "Nobody works on it."
    reason = first_line(session.reason).rstrip(".") or "ended by a human"
    number = task.plan.number
    skips = f"`specthread skip {spectask.id} {number}` goes on without it"
    instead = [each.plan.number for each in spectask.tasks.values() if each.state == "merged" and _is_for_failure_of(each, number)]
    merged = f" {_these(instead).capitalize()}, for this case, {'is' if len(instead) == 1 else 'are'} merged." if instead else ""
    return f"{short(session.id)} {session.state}: {reason}.{merged} `specthread retry {session.id}` tries again, {skips}."


def _is_for_failure_of(task: ImplementationTask, number: TaskNumber) -> bool:
    return any(each.outcome == "failed" and number in each.leaves for each in task.plan.conditions)


def _final_review(spectask: SpecTask) -> str:
    if spectask.accepted_seq:
        return "Recording the acceptance in git…"
    missing = unapproved_documents(spectask)
    if missing:
        return f"{', '.join(missing)} changed after approval: approve the present words, then accept."
    if open_records(spectask, "approval"):
        return "Recording the approval in git…"
    if spectask.syncing:
        return _syncing(spectask)
    return f"{_outcome(spectask)}; waits for you: `specthread accept {spectask.id}`."


def _outcome(spectask: SpecTask) -> str:
    """Says what is on the feature branch, with everything a person must know before accepting it."""
    tasks = [spectask.tasks[number] for number in sorted(spectask.tasks, key=task_order)]
    groups = {
        "not done": [task for task in tasks if task.state != "merged" and not (task.plan.optional and task.state != "skipped")],
        "only weakly verified": [task for task in tasks if task.weak],
        "older than a changed requirement": [task for task in tasks if task.recheck],
    }
    said = [f"{_numbers(group)} {words}" for words, group in groups.items() if group]
    failed = left_undone(spectask)
    undone = [_undone(failed)] if failed else []
    if not any(task.state == "merged" for task in tasks):
        return "; ".join(["Nothing is merged: every task was skipped or left out", *undone])
    said += undone
    return f"Merged, but {'; '.join(said)}" if said else "Everything is merged and verified"


def _undone(sessions: Sequence[WorkSession]) -> str:
    """Says which spawned work failed, and how it is tried again."""
    first = sessions[0]
    reason = first_line(first.reason).rstrip(".") or first.state
    more = f" and {len(sessions) - 1} more" if len(sessions) > 1 else ""
    return f"the work of {short(first.id)}{more} is not done: {reason} (`specthread retry {first.id}` tries again)"


def _numbers(tasks: Sequence[ImplementationTask]) -> str:
    return f"task{'s' if len(tasks) != 1 else ''} {', '.join(task.plan.number for task in tasks)}"


def _ended(spectask: SpecTask) -> str:
    if spectask.state == "done":
        return f"Done; accepted by {spectask.accepted_by}."
    return how_it_ended(spectask, spectask.state.capitalize())


_STATE_REASONS = {
    "backlog": lambda _: "Not begun yet.",
    "planning": _planning,
    "revising": _planning,
    "spec_review": _review,
    "approved": _approved,
    "implementation_review": _final_review,
}


def why_task_waiting(spectask: SpecTask, number: TaskNumber, crowd: Crowd = ALONE) -> str:
    """Returns one sentence that says how an ImplementationTask stands and what it waits for. `crowd` tells who else works."""
    task = spectask.tasks[number]
    document = spectask.documents.get("tasks")
    if task.state != "merged" and document and boxes(document.content, spectask.dialect).get(number) == "done" and not task.done_before:
        return f"Ticked by hand, but not merged. {_why_unmerged(spectask, task, crowd)}"
    return _why_unmerged(spectask, task, crowd)


def _why_unmerged(spectask: SpecTask, task: ImplementationTask, crowd: Crowd) -> str:
    if task.state == "open":
        return _why_open(spectask, task, crowd)
    if task.state == "blocked":
        return _blocked_reason(spectask, task)
    if task.passed_over:
        return f"Skipped by itself: it was only for the case “{task.passed_over}”, which cannot come any more."
    if task.done_before:
        return "Ticked when the spec was adopted: done before."
    if task.state in {"merged", "skipped"}:
        return "Merged; a requirement behind it changed since." if task.recheck else f"{task.state.capitalize()}."
    return why_run(spectask, spectask.sessions[task.session], crowd) if task.session else "In progress."


def _why_open(spectask: SpecTask, task: ImplementationTask, crowd: Crowd) -> str:
    number = task.plan.number
    unmet = unmet_dependencies(spectask, number)
    if unmet:
        return f"Waits for task{'s' if len(unmet) > 1 else ''} {', '.join(sorted(unmet, key=task_order))}."
    if number not in needed_tasks(spectask):
        return "Optional: it is not started by itself." if task.plan.optional else "Waits until you start it."
    if number in held_tasks(spectask):
        return "Its approved words changed; waits for a new approval."
    if spectask.state != "implementing":
        return f"Waits for `specthread run {spectask.id}`." if spectask.state == "approved" else _why_spectask(spectask, crowd)
    if spectask.paused or spectask.syncing:
        return _why_spectask(spectask, crowd)
    return why_not_started(spectask, number, crowd) or "Begins in a moment."
