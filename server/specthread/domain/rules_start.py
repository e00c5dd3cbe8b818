"""Rules for the start of the work: what a human lets run, how, and task by task in an interactive run; and what is passed over by itself."""

from __future__ import annotations

from collections.abc import Sequence

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.approval import is_approved, unapproved_documents
from specthread.domain.completion import needed_tasks, with_dependencies
from specthread.domain.ids import TaskNumber
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.planned import task_order
from specthread.domain.readiness import SETTLED, is_going_on, lost_condition
from specthread.domain.rules_spectask import bad_limits, ended, recording, running_plan, wrong_state
from specthread.domain.run_options import RunOptions

Decision = tuple[e.Event, ...] | Refusal


def start_implementation(spectask: SpecTask, command: c.StartImplementation, actor: Actor) -> Decision:
    """Starts the tasks of an approved spec, all or some; while it is implementing, adds tasks, replaces limits and options, and says yes to tasks."""
    if spectask.state not in {"approved", "implementing"} or not is_approved(spectask):
        return _not_startable(spectask)
    options = command.options or spectask.options
    refused = bad_limits(command.limits) or _unknown_role(spectask, options) or _not_choosable(spectask, command.tasks)
    if refused:
        return refused
    chosen = with_dependencies(spectask, command.tasks)
    new = not spectask.all_chosen if not chosen else bool(chosen - needed_tasks(spectask))
    changed = spectask.state == "approved" or command.limits != spectask.limits or options != spectask.options
    events: list[e.Event] = []
    if changed or new:
        tasks = tuple(sorted(chosen, key=task_order))
        events.append(e.ImplementationStarted(person=actor.name, limits=command.limits, tasks=tasks, options=command.options))
    if options.interactive:
        events += [e.TaskAllowed(task=number, person=actor.name) for number in command.tasks if number not in spectask.allowed]
    return tuple(events) or _running_already(spectask, command.tasks)


def _running_already(spectask: SpecTask, tasks: Sequence[TaskNumber]) -> Refusal:
    what = f"Task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)} of {spectask.id}" if tasks else str(spectask.id)
    running = "run already" if len(tasks) > 1 else "is running already"
    return Refusal(code="already-running", message=f"{what} {running}.", hint=f"`specthread watch {spectask.id}` follows it.")


def _unknown_role(spectask: SpecTask, options: RunOptions) -> Refusal | None:
    known = sorted({task.plan.role for task in spectask.tasks.values()})
    unknown = [role for role in options.roles if role not in known]
    if not unknown:
        return None
    hint = f"Its tasks have: {', '.join(known) or 'none yet'}."
    return Refusal(code="unknown-role", message=f"No task of {spectask.id} has the role {unknown[0]}.", hint=hint)


def _not_choosable(spectask: SpecTask, tasks: Sequence[TaskNumber]) -> Refusal | None:
    for number in tasks:
        task = spectask.tasks.get(number)
        if task is None:
            hint = f"`specthread show {spectask.id}` lists its tasks."
            return Refusal(code="unknown-id", message=f"{spectask.id} has no task {number}.", hint=hint)
        if task.state in SETTLED:
            return Refusal(code="wrong-state", message=f"Task {number} is {task.state}.", hint="Only what is not done yet can be started.")
    return None


def _not_startable(spectask: SpecTask) -> Refusal:
    refused = ended(spectask)
    if refused:
        return refused
    if running_plan(spectask):
        return Refusal(
            code="still-planning",
            message=f"The planner is still writing the documents of {spectask.id}.",
            hint=f"`specthread watch {spectask.id}` follows it.",
        )
    missing = unapproved_documents(spectask)
    if missing:
        are = "is" if len(missing) == 1 else "are"
        return Refusal(
            code="not-approved",
            message=f"Nothing runs before approval: {', '.join(missing)} of {spectask.id} {are} not approved in the present words.",
            hint=f"Read them with `specthread review {spectask.id}`, then `specthread approve {spectask.id}`.",
        )
    return recording(spectask) or wrong_state(spectask)


def pass_over(spectask: SpecTask, command: reports.PassOverTask, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Leaves out a task whose condition cannot come true any more, so that what waits for it goes on; nothing, where that has changed meanwhile."""
    task = spectask.tasks.get(command.task)
    if task is None or task.state != "open" or not is_going_on(spectask):
        return ()
    condition = lost_condition(spectask, command.task)
    return (e.TaskPassedOver(task=command.task, condition=str(condition)),) if condition else ()
