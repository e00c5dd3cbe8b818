"""Rules for putting away what has ended: nothing is deleted, and nothing is put away before git holds it."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.model import ENDED_TASK_STATES, Actor, Refusal, SpecTask
from specthread.domain.runs import all_runs

Decision = tuple[e.Event, ...] | Refusal


def archive(spectask: SpecTask, command: c.ArchiveSpecTask, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Puts an ended SpecTask away."""
    if spectask.state == "archived":
        hint = "`specthread list --archived` shows it."
        return Refusal(code="already-archived", message=f"{spectask.id} is archived already.", hint=hint)
    if spectask.state not in ENDED_TASK_STATES:
        return Refusal(
            code="not-ended",
            message=f"{spectask.id} is {spectask.state.replace('_', ' ')}: only ended SpecTasks are archived.",
            hint=f"`specthread cancel {spectask.id}` ends it.",
        )
    if spectask.uncommitted or any(run.turn > run.logged_turn for run in all_runs(spectask)):
        why = spectask.trouble or "That takes a moment."
        return Refusal(code="recording", message=f"Git does not hold everything of {spectask.id} yet. {why}", hint="Try again then.")
    return (e.SpecTaskArchived(),)


def finish_archive(spectask: SpecTask, command: reports.FinishArchive, actor: Actor) -> Decision:  # noqa: ARG001  every rule has the same form
    """Records that everything is put away."""
    return (e.ArchiveFinished(),) if spectask.state == "archived" and not spectask.put_away else ()
