"""What of one SpecTask waits for a place, kept as its events come in.

A lane is made from a SpecTask in time that grows with its plan, and kept true by an event in time that does not: only the tasks and runs that the event names,
and those that wait for them, are looked at again. What a lane says is always what one made anew from the same SpecTask would say.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import TypeVar

from specthread.domain.approval import held_tasks
from specthread.domain.budget import spend_of
from specthread.domain.completion import needed_tasks
from specthread.domain.ids import RunId, TaskNumber
from specthread.domain.locks import ResourceKey
from specthread.domain.model import ENDED_TASK_STATES, ImplementationTask, SpecTask
from specthread.domain.planned import prerequisites, task_order
from specthread.domain.readiness import (
    free_among,
    free_for_spawned,
    is_going_on,
    is_spent,
    is_startable,
    is_to_begin,
    lost_condition,
    may_go_on,
)
from specthread.domain.rules_place import may_return
from specthread.domain.rules_spawn import is_ready
from specthread.domain.run import WORKING_RUN_STATES, WorkSession
from specthread.domain.run_options import Priority
from specthread.domain.runs import all_runs, find_run
from specthread.plan.claims import NOTHING, Claims, Needed, claim_of, lacking_of, needs_of
from specthread.plan.same_files import share_files
from specthread.spec.resource import Mode

PRIORITY_SECONDS: Mapping[Priority, float] = {"high": 1800.0, "normal": 0.0, "low": -1800.0}
"""What a priority is worth in waiting: a SpecTask goes before one that has waited half an hour longer but is one step lower. So nobody starves."""
PATIENCE_SECONDS = 600.0
"""After so long a wait for a place what the first task needs is kept for it: others that share a resource without a gap must not keep out who wants it alone."""
T = TypeVar("T")
LOOK_AHEAD = 16
"""How many tasks of a role are looked at for one that touches no file of those at work."""

Rank = tuple[float, tuple[tuple[int, str], ...]]
Row = tuple[str, Needed]
"""What of one role needs the same resources."""
Item = TaskNumber | RunId
"""What may begin: a task of the plan, or a session that was spawned or comes back."""
_RETURNS, _SPAWNED, _TASKS = float("-inf"), -sys.float_info.max, float("inf")
"""What goes first: whose work has begun already; then what was spawned, for which somebody may wait without a place; then tasks."""


class Lane:
    """The tasks of one SpecTask that could begin, by role and in their order, with the places that its sessions hold."""

    def __init__(self, spectask: SpecTask, claims: Claims) -> None:
        self.spectask = spectask
        self._claims = claims
        self.startable: dict[Row, list[tuple[Rank, Item]]] = {}
        self.lost: set[TaskNumber] = set()
        """Open tasks whose condition cannot come true any more."""
        self.at_work: dict[RunId, WorkSession] = {}
        self.given: set[Item] = set()
        """What a command is on its way for."""
        self._wanting: list[tuple[Rank, Item]] = []
        """What could begin if it had the resources that it needs, in order."""
        self._pending: dict[RunId, tuple[str, tuple[Rank, Item]]] = {}
        """The sessions that wait for a place, with the row and the entry where each stands once it may have one."""
        self._alive: set[RunId] = set()
        self._blocked: set[TaskNumber] = set()
        self._costs: dict[RunId, Decimal] = {}
        self._cost = Decimal(0)
        self._make()

    # --- what it says ----------------------------------------------------------------------------------------------------

    def place(self, now: datetime, since: datetime | None = None) -> tuple[float, str]:
        """Returns its place in line: by the time since it last got a place, and what its priority is worth. A time that is still to come counts as now."""
        since = min(since or self.spectask.queued_since or self.spectask.created, now)
        return since.timestamp() - PRIORITY_SECONDS[self.spectask.options.priority], self.spectask.id

    @property
    def rows(self) -> frozenset[Row]:
        """The rows of which one more may begin, if there is a place for it and what it needs is free."""
        last = self._last_to_begin() if self.startable else None
        return frozenset(key for key, row in self.startable.items() if row[0][0][0] <= last) if last is not None else frozenset()

    @property
    def returning(self) -> frozenset[Row]:
        """The rows in which a session that comes back is the first."""
        return frozenset(key for key, row in self.startable.items() if row[0][0][0] == _RETURNS)

    @property
    def wants_since(self) -> float | None:
        """Since when it has waited for a place where something could begin that needs resources; None where nothing could."""
        return (self.spectask.queued_since or self.spectask.created).timestamp() if self._wanting else None

    def wanted(self, now: datetime) -> tuple[str, Mapping[ResourceKey, Mode]] | None:
        """Returns what the first of that needs, and the name it claims by, where the SpecTask has waited so long that nobody may come in between."""
        since = self.wants_since
        last = self._last_to_begin() if since is not None and now.timestamp() - since >= PATIENCE_SECONDS else None
        if last is None or self._wanting[0][0][0] > last:
            return None
        item = self._wanting[0][1]
        return self._claimant(item), self._needs_of(item)

    def _last_to_begin(self) -> float | None:
        """Returns up to which kind something may begin; None where nothing may."""
        spectask, given = self.spectask, len(self.given)
        working, alive = len(self.at_work) + given, len(self._alive) + given
        if not may_return(spectask) or free_for_spawned(spectask, working) < 1:
            return None
        if not is_going_on(spectask) or is_spent(spectask.limits, self._cost):
            return _RETURNS
        # What a session spawned is part of its work, and begins where no new task would. And what is passed over may leave an optional task without
        # anybody who waits for it: first the one, then the other.
        is_stopped = self.lost or (spectask.options.fail_fast and self._blocked)
        return _SPAWNED if is_stopped or free_among(spectask, working, alive) < 1 else _TASKS

    @property
    def losses(self) -> tuple[TaskNumber, ...]:
        """The tasks to be passed over now, lowest first."""
        return tuple(sorted(self.lost - self.given, key=task_order)) if self.lost and is_going_on(self.spectask) else ()

    def choose(self, rows: Iterable[Row]) -> Item:
        """Returns what of these rows is next: who comes back, what was spawned, else the task with most behind it, if it can be had without touching files of those at work."""
        found = sorted(each for key in rows for each in islice(self.startable[key], LOOK_AHEAD))
        if found[0][0][0] <= _SPAWNED:
            return found[0][1]
        tasks = self.spectask.tasks
        busy = {session.task for session in self.at_work.values()} | {TaskNumber(item) for item in self.given}
        touched = [tasks[number].plan.files for number in busy if number in tasks and tasks[number].plan.files]
        clear = (number for _, number in found if not any(share_files(tasks[TaskNumber(number)].plan.files, files) for files in touched))
        return next(clear, found[0][1])

    # --- what it is told -------------------------------------------------------------------------------------------------

    def work_of(self, item: Item) -> tuple[str, str]:
        """Returns the role and the agent of what may begin."""
        session = self.spectask.sessions.get(RunId(item))
        return (session.role, session.agent) if session else (self.spectask.tasks[TaskNumber(item)].plan.role, self.spectask.agent)

    def give(self, item: Item) -> None:
        """Notes that a command for it is on its way."""
        self.given.add(item)
        self._claims.claim(self._claimant(item), self._needs_of(item))
        if item in self.spectask.sessions:
            self._look_at_session(RunId(item))
        else:
            self._look(TaskNumber(item))

    def follow(self, spectask: SpecTask, tasks: Collection[TaskNumber], runs: Collection[RunId], *, widely: bool) -> None:
        """Takes the SpecTask as it is now, after events that concern these tasks and runs, and with `widely` more than those."""
        self.spectask = spectask
        touched = {*tasks, *(session.task for run in runs if (session := spectask.sessions.get(run)))}
        for item in self.given & {*touched, *runs}:
            self.given.discard(item)
            self._claims.claim(self._claimant(item), {})
        if (widely and self._frame() != self._framed) or self._unneeded(touched):
            self._make()
            return
        for run in runs:
            self._count(run)
        for run in (*self._pending, *runs):
            self._look_at_session(run)
        for number in touched:
            self._look(number)
            for waiting in self._waiting.get(number, ()):
                self._look(waiting)

    def row_of(self, number: TaskNumber) -> Row | None:
        """Returns the row of a task that needs resources; None for any other, and for a session, which has its own."""
        return self._rows.get(number)

    @property
    def awaits_resources(self) -> bool:
        """Whether sessions wait for a place whose tasks use resources."""
        return bool(self._pending and self._uses)

    def look_at_pending(self) -> None:
        """Looks again at the sessions that wait for a place, since resources have become free, or taken."""
        for run in tuple(self._pending):
            self._look_at_session(run)

    def close(self) -> None:
        """Claims nothing any more."""
        for run in self._alive:
            self._claims.rest(run, None)
        for claimant in (*self._alive, *map(self._claimant, self.given)):
            self._claims.claim(claimant, {})

    # --- how it is kept --------------------------------------------------------------------------------------------------

    def _frame(self) -> tuple[object, ...]:
        """Returns what a change of which can concern any task."""
        spectask = self.spectask
        return (held_tasks(spectask), spectask.all_chosen, spectask.chosen, spectask.allowed, spectask.options, len(spectask.versions))

    def _unneeded(self, numbers: Iterable[TaskNumber]) -> bool:
        """Tells whether an optional task may not be needed any more, because one that waited for it was skipped."""
        tasks = self.spectask.tasks
        return self._has_optional and any(number in tasks and tasks[number].state == "skipped" for number in numbers)

    def _make(self) -> None:
        spectask = self.spectask
        self._has_optional = any(task.plan.optional for task in spectask.tasks.values())
        self._framed = self._frame()
        self._held, self._needed = held_tasks(spectask), needed_tasks(spectask)
        self._waiting: dict[TaskNumber, list[TaskNumber]] = defaultdict(list)
        for number, task in spectask.tasks.items():
            for before in prerequisites(task.plan):
                self._waiting[before].append(number)
        self._uses = {number: needs_of(spectask, task) for number, task in spectask.tasks.items() if task.plan.uses}
        self._rows = {number: (spectask.tasks[number].plan.role, frozenset(needed.items())) for number, needed in self._uses.items()}
        self._chains = chains(spectask.tasks) if spectask.options.mode == "parallel" else {}
        self.startable, self.lost = {}, set()
        self._blocked, self._wanting = set(), []
        self._costs = {run.id: run.spend.cost_usd for run in all_runs(spectask)}
        self._cost = spend_of(spectask).cost_usd
        self.at_work, self._alive = {}, set()
        self._pending = {}
        for run in spectask.sessions:
            self._place_of(run)
            self._look_at_session(run)
        for number in spectask.tasks:
            self._look(number)

    def _count(self, run: RunId) -> None:
        """Takes a run's cost and place as they are now."""
        known = find_run(self.spectask, run)
        if known is not None:
            self._cost += known.spend.cost_usd - self._costs.get(run, Decimal(0))
            self._costs[run] = known.spend.cost_usd
            self._place_of(run)

    def _place_of(self, run: RunId) -> None:
        session = self.spectask.sessions.get(run)
        if session is None:
            return
        if session.state in WORKING_RUN_STATES:
            self.at_work[run] = session
        else:
            self.at_work.pop(run, None)
        if session.ended is None:
            self._alive.add(run)
        else:
            self._alive.discard(run)
        self._claims.claim(run, claim_of(self.spectask, session))

    def _claimant(self, item: Item) -> str:
        """Returns under which name a task claims what it uses while the command that starts it is on its way."""
        return f"{self.spectask.id} {item}"

    def _look(self, number: TaskNumber) -> None:
        """Takes a task as it is now."""
        task = self.spectask.tasks.get(number)
        if task is None:
            return
        _put(self._blocked, number, isin=task.state == "blocked")
        waits = task.state == "open" and number in self._needed and number not in self._held
        _put(self.lost, number, isin=waits and lost_condition(self.spectask, number) is not None)
        begins = waits and number not in self.given and is_startable(self.spectask, number)
        self._line_up(task.plan.role, (self._rank(number), number), begins=begins)

    def _look_at_session(self, run: RunId) -> None:
        """Takes a session that waits for a place, or has done so, as it is now."""
        session = self.spectask.sessions.get(run)
        if run in self._pending:
            role, entry = self._pending.pop(run)
            self._line_up(role, entry, begins=False)
        is_resting = session is not None and session.ended is None and session.state not in WORKING_RUN_STATES
        self._claims.rest(run, tuple(self._needs_of(run)) if is_resting else None)
        if session is None or session.state != "pending":
            return
        first = (_RETURNS, ((session.queued_seq, ""),)) if session.returns else (_SPAWNED, ((session.number, ""),))
        self._pending[run] = session.role, (first, run)
        begins = run not in self.given and (is_ready(self.spectask, session) or may_go_on(self.spectask, session))
        self._line_up(*self._pending[run], begins=begins)

    def _needs_of(self, item: Item) -> Mapping[ResourceKey, Mode]:
        """Returns what must be free before this may begin or go on; whoever comes back may have it still."""
        session = self.spectask.sessions.get(RunId(item))
        if session is None:
            return self._uses.get(TaskNumber(item), {})
        return lacking_of(self.spectask, session, self._claims.locks) if session.task in self._uses else {}

    def _is_free(self, session: WorkSession, needed: Mapping[ResourceKey, Mode]) -> bool:
        # Others may rest for it and have what those need for whom something is kept: they would wait in a circle.
        if is_to_begin(session):
            return self._claims.is_unclaimed(needed.items())
        return self._claims.is_free_for(needed, session.id)

    def lacking(self) -> Iterator[tuple[RunId, str, tuple[str, ...]]]:
        """Yields who waits for a resource before it goes on, for which, and the sessions in the way."""
        for run in self._pending:
            session = self.spectask.sessions[run]
            if not is_to_begin(session):
                found = ((key[1], self._claims.in_the_way(key, mode, run)) for key, mode in sorted(self._needs_of(run).items()))
                yield from ((run, *each) for each in islice((each for each in found if each[1]), 1))

    def _line_up(self, role: str, entry: tuple[Rank, Item], *, begins: bool) -> None:
        needed = self._needs_of(entry[1])
        _keep_sorted(self._wanting, entry, isin=begins and bool(needed))
        # What a session must have is its own; tasks with the same needs stand in one row, which is opened and shut as a whole.
        session = self.spectask.sessions.get(RunId(entry[1]))
        key = (role, NOTHING) if session else self._rows.get(TaskNumber(entry[1]), (role, NOTHING))
        row = self.startable.setdefault(key, [])
        _keep_sorted(row, entry, isin=begins and (session is None or self._is_free(session, needed)))
        if not row:
            del self.startable[key]

    def _rank(self, number: TaskNumber) -> Rank:
        """Returns what orders the tasks of a SpecTask: what has the longest way behind it first, then the lowest number; one at a time, the number alone."""
        return -self._chains.get(number, 0), task_order(number)

    @property
    def holds_places(self) -> bool:
        """Whether its sessions are at work: those of a SpecTask that rests or has ended are not."""
        return bool(self.at_work) and not self.spectask.paused and self.spectask.state not in ENDED_TASK_STATES


def chains(tasks: Mapping[TaskNumber, ImplementationTask]) -> dict[str, float]:
    """Returns for each task how long it takes from its start to the end of the plan, along the longest chain; nothing for tasks in a circle.

    As in `graph.weights`, a task without an estimate counts as the middle one of those that have one, and as 1 where none has.
    """
    known = sorted(task.plan.estimate for task in tasks.values() if task.plan.estimate)
    usual = known[len(known) // 2] if known else 1.0
    behind: dict[str, float] = {}
    before = {number: [each for each in prerequisites(task.plan) if each in tasks] for number, task in tasks.items()}
    try:
        order = tuple(TopologicalSorter(before).static_order())
    except CycleError:
        return {}
    for number in reversed(order):
        behind[number] = length = behind.get(number, 0.0) + (tasks[number].plan.estimate or usual)
        for each in before[number]:
            behind[each] = max(behind.get(each, 0.0), length)
    return behind


def _keep_sorted(row: list[tuple[Rank, Item]], entry: tuple[Rank, Item], *, isin: bool) -> None:
    place = bisect_left(row, entry)
    known = place < len(row) and row[place] == entry
    if isin and not known:
        row.insert(place, entry)
    elif known and not isin:
        del row[place]


def _put(numbers: set[T], number: T, *, isin: bool) -> None:
    if isin:
        numbers.add(number)
    else:
        numbers.discard(number)
