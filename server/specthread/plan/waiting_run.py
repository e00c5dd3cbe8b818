"""The sentence that says what one run waits for; `waiting.py` tells where it is asked for."""

from __future__ import annotations

from specthread.domain.family import is_held, short
from specthread.domain.foresight import foreseen_for
from specthread.domain.messages import open_question
from specthread.domain.model import ENDED_TASK_STATES, SpecTask
from specthread.domain.run import AnyRun, WorkSession
from specthread.plan.capacity import Crowd
from specthread.plan.waiting_task import no_money, why_not_back


def faulty(who: str, run: AnyRun) -> str:
    """Says that model calls fail at present, and that they are tried again."""
    times = "once" if run.faults == 1 else f"{run.faults} times"
    return f"{who} waits: its model call failed {times}, last with “{first_line(run.fault).rstrip('.')}”. It is tried again."


def how_it_ended(spectask: SpecTask, opening: str) -> str:
    """Says why a SpecTask stopped, and how it is taken up again."""
    again = f" `specthread resume {spectask.id}` takes it up again." if spectask.state in {"failed", "cancelled"} else ""
    reason = first_line(spectask.reason).rstrip(".")
    return f"{opening}{': ' if reason else ''}{reason}.{again}"


def why_run(spectask: SpecTask, run: AnyRun, crowd: Crowd) -> str:
    """Returns one sentence that says what a run waits for, or how it ended."""
    if run.ended is None and spectask.overtaken:
        return spectask.trouble
    if run.ended is None and spectask.state in ENDED_TASK_STATES:
        return how_it_ended(spectask, f"The SpecTask is {spectask.state}")
    if run.ended is None and spectask.paused:
        return f"The SpecTask is paused; `specthread resume {spectask.id}` lets it go on."
    if run.state == "waiting" and run.question:
        if run.question.answer_seq:
            return "Recording your answer in git…"
        return f'Waits for your answer: {first_line(run.question.text)} — `specthread answer {run.id} "…"`.'
    if run.state in {"pending", "waiting"} and isinstance(run, WorkSession):
        return _why_pending(spectask, run, crowd) if run.state == "pending" else _why_resting(spectask, run)
    if run.state == "paused":
        return f"Paused; `specthread resume {run.id}` lets it go on."
    if run.state in {"verifying", "merging"} and isinstance(run, WorkSession):
        return _why_judged(spectask, run)
    if run.state == "running":
        return faulty("The agent", run) if run.faults else f"The agent works; turn {run.turn + 1}.{_blocked(run)}{_ahead(spectask, run)}"
    told = "" if run.state == "cancelled" and run.reason else _RUN_REASONS.get(run.state)
    return told or f"{run.state.capitalize()}: {first_line(run.reason).rstrip('.') or 'no reason was given'}."


def _blocked(run: AnyRun) -> str:
    return f" It says that it is blocked: {first_line(run.blocked).rstrip('.')}." if isinstance(run, WorkSession) and run.blocked else ""


def _why_pending(spectask: SpecTask, session: WorkSession, crowd: Crowd) -> str:
    """Says what a session waits for that is to begin, or to go on."""
    if is_held(spectask, session) and session.returns in {None, "starting"}:
        return "Its approved words changed; waits for a new approval."
    if session.returns:
        return why_not_back(spectask, session, crowd) or "Goes on in a moment."
    if session.spawned_seq in spectask.uncommitted:
        return "Recording that it was spawned…"
    return no_money(spectask) or "Waits for a free place."


def _why_resting(spectask: SpecTask, session: WorkSession) -> str:
    """Says what a session waits for that rests for others."""
    asked = [question for number in (session.wait.questions if session.wait else ()) if (question := open_question(spectask, number))]
    if asked:
        names = ", ".join(short(name) for name in asked[0].receivers)
        return f'Waits for the answer of {names}: {first_line(asked[0].text)} — `specthread answer {session.id} "…"` answers in its place.'
    waited = [run for run in (session.wait.sessions if session.wait else ()) if spectask.sessions[run].ended is None]
    return f"Waits for {', '.join(short(run) for run in waited)}." if waited else "Goes on in a moment."


def _ahead(spectask: SpecTask, run: AnyRun) -> str:
    """Says with whose unmerged work this one conflicts so far, and where."""
    found = foreseen_for(spectask, run.id)
    said = "; ".join(f"{short(other)} in {paths[0]}{_and_more(len(paths) - 1)}" for other, paths in found.items())
    return f" It would conflict with {said}." if said else ""


def _and_more(count: int) -> str:
    return f" and {count} more file{'' if count == 1 else 's'}" if count else ""


def _why_judged(spectask: SpecTask, session: WorkSession) -> str:
    if session.state == "verifying":
        return f"Its checks are passed; {short(session.review)} judges it by its criteria." if session.review else _RUN_REASONS["verifying"]
    if is_held(spectask, session):
        return "Verified; waits for a new approval before it is merged."
    return "Verified; its merge is being checked."


_RUN_REASONS = {
    "starting": "Its worktree is being made.",
    "interrupted": "The daemon had stopped; it resumes by itself.",
    "verifying": "The daemon runs the check on the committed work.",
    "completed": "Finished.",
    "cancelled": "Cancelled by a human.",
}


def first_line(text: str) -> str:
    """Returns the first line that says something; a sentence of this file stays on one line."""
    return text.strip().partition("\n")[0].strip()
