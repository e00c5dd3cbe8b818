"""The figures of a SpecTask's progress, the same in every face: how much is done, when a person is needed next or already is, and what each run does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from specthread.domain.completion import is_over
from specthread.domain.family import short
from specthread.domain.ids import RunId
from specthread.domain.model import ENDED_TASK_STATES, SpecTask, State
from specthread.domain.run import ENDED_RUN_STATES, AnyRun, RunState, WorkSession
from specthread.domain.runs import all_runs
from specthread.plan.capacity import ALONE, Crowd
from specthread.plan.estimate import Spread
from specthread.plan.locks import blockers
from specthread.plan.progress import Phase, progress_of
from specthread.plan.remaining import Basis, Remaining, remaining
from specthread.plan.waiting import why_waiting
from specthread.views.progress import Need, needs
from specthread.views.redaction import redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What a run that is not over does or waits for, in one line; `seconds` is how long ago it began."""

    run: RunId
    task: str
    role: str
    status: RunState
    turn: int
    seconds: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Progress in figures.

    `remaining` is the time until a person is needed, None where nothing goes on or one is needed already: then `waits` says for what. `left` says either in words.
    """

    percent: int
    remaining: Remaining | None
    waits: str
    left: str
    phases: tuple[Phase, ...]
    activities: tuple[Activity, ...]


def figures(
    state: State, spectask: SpecTask, now: datetime, crowd: Crowd = ALONE, secrets: Sequence[str] = (), *, depth: int = 2
) -> Figures:
    """Returns the figures of a SpecTask as they are now, with its phases in so many levels; `secrets` are shown to nobody."""
    waits = next((_told_need(need) for need in needs(spectask, secrets) if _holds_up(spectask, need)), "")
    left = None if waits else remaining(state, spectask, now, crowd)
    percent, phases = progress_of(spectask, now, depth)
    return Figures(
        percent=percent,
        remaining=left,
        waits=waits,
        left=told_left(left) if left else "",
        phases=phases,
        activities=tuple(
            Activity(
                run=run.id,
                task=run.task if isinstance(run, WorkSession) else "",
                role=run.role,
                status=run.state,
                turn=run.turn,
                seconds=max(0.0, (now - run.started).total_seconds()),
                text=activity_of(state, run, crowd, secrets),
            )
            for run in all_runs(spectask)
            if run.state not in ENDED_RUN_STATES and spectask.state not in ENDED_TASK_STATES
        ),
    )


def activity_of(state: State, run: AnyRun, crowd: Crowd = ALONE, secrets: Sequence[str] = ()) -> str:
    """Returns what a run does, in one line: what its agent did last, or what it waits for."""
    acts = run.state == "running" and run.doing and not run.faults and run.id not in crowd.held and not blockers(state.locks, run.id)
    # Hidden before it is cut: half a key has no shape.
    return _cut(redacted(run.doing, secrets)) if acts else redacted(why_waiting(state, run.id, crowd), secrets)


def told_left(left: Remaining) -> str:
    """Returns the time that is left in words, with what it is taken from."""
    to = {"review": " to your review", "acceptance": " left"}[left.until]
    return f"{told_range(left.seconds)}{to} ({_BASES[left.basis]})"


def told_range(seconds: Spread) -> str:
    """Returns a range of seconds in the unit that fits its upper end, low rounded down and high up: `5 to 20 min`, `under 2 min`, `about 3 h`."""
    unit, name = next((size, name) for size, name, most in _UNITS if seconds.high <= most * size)
    low, high = int(seconds.low / unit), max(1, ceil(seconds.high / unit))
    if low == high:
        return f"about {high} {name}"
    return f"{low} to {high} {name}" if low else f"under {high} {name}"


_UNITS: Final = ((1, "s", 90), (60, "min", 120), (3600, "h", 72), (86_400, "days", float("inf")))
"""Units in seconds, and how many of one are told in it at most."""
_BASES: Final[dict[Basis, str]] = {"history": "as earlier work took", "written": "as estimated in the plan", "guess": "a guess"}
_SHOWN: Final = 120


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _told_need(need: Need) -> str:
    text = need.text.strip().partition("\n")[0]
    return f"{short(need.run)} asks: {text}" if need.run and need.question else text


def _holds_up(spectask: SpecTask, need: Need) -> bool:
    """Tells whether the end waits for it: a task that may be left out can stay stopped, and so can what was spawned beside the plan."""
    session = spectask.sessions.get(need.run) if need.kind == "retry" and need.run else None
    task = spectask.tasks.get(session.task) if session else None
    return session is None or (task is not None and not is_over(task))
