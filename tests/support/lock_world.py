"""Runs that want resources, decided by the real rules: two SpecTasks of one repository and one of another, each with some sessions at work."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from immutables import Map

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.commands import Command
from specthread.domain.decide import decide
from specthread.domain.ids import Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import NONE, LockMode, LockStatistics, concerning, hold_of, wait_of
from specthread.domain.model import DAEMON, ImplementationTask, PlannedTask, Refusal, SpecTask, State
from specthread.domain.names import spectask_of
from specthread.domain.readiness import uses_of
from specthread.domain.run import WORKING_RUN_STATES, WorkSession
from specthread.domain.runs import next_session
from specthread.domain.state import apply
from specthread.plan.capacity import Capacity
from specthread.plan.claims import Kept, needs_of
from specthread.plan.locks import due
from support.story import ADA, START, limits

PLACES = {"one-aaaa": "/repo", "two-bbbb": "/repo", "three-cccc": "/elsewhere"}


def refused(events: Iterable[e.Event]) -> list[tuple[str, str]]:
    """Returns who was refused a resource, and why."""
    return [(event.run, event.cause) for event in events if isinstance(event, e.LockRefused)]


def run(spectask: str, number: int) -> RunId:
    return RunId(f"{spectask}/ws-{number}")


def _spectask(name: str, repository: str, sessions: int) -> SpecTask:
    ids = [run(name, number) for number in range(1, sessions + 1)]
    made = {
        each: WorkSession(
            id=each,
            number=number,
            state="running",
            agent="demo",
            role="backend",
            started=START,
            task=TaskNumber(str(number)),
            start=Oid("0"),
        )
        for number, each in enumerate(ids, 1)
    }
    return SpecTask(
        id=SpecTaskId(name),
        prompt="Do it",
        repository=repository,
        base=Oid("0"),
        target=None,
        warnings=(),
        flow="feature",
        agent="demo",
        review_mode="together",
        execute=False,
        advance=False,
        owner=ADA,
        created=START,
        limits=limits(),
        state="implementing",
        feature=Oid("f"),
        sessions=Map(made),
    )


@dataclass
class LockWorld:
    sessions: int = 3
    capacity: Capacity = field(default_factory=Capacity)
    kept: Kept = field(default_factory=dict)
    state: State = field(init=False)
    now: datetime = START
    log: list[e.Envelope] = field(default_factory=list)

    def __post_init__(self) -> None:
        tasks = {SpecTaskId(name): _spectask(name, repository, self.sessions) for name, repository in PLACES.items()}
        self.state = State(spectasks=Map(tasks))

    def change(self, who: RunId, **changes: Any) -> None:
        """Makes a session another than it would be."""
        spectask = self.state.spectasks[spectask_of(who)]
        spectask = replace(spectask, sessions=spectask.sessions.set(who, replace(spectask.sessions[who], **changes)))
        self.state = replace(self.state, spectasks=self.state.spectasks.set(spectask.id, spectask))

    def plan(self, who: RunId, *uses: str) -> None:
        """Makes what a session works on a task of the plan that uses so much."""
        spectask = self.state.spectasks[spectask_of(who)]
        number = spectask.sessions[who].task
        task = ImplementationTask(
            plan=PlannedTask(number=number, parent=None, title="Use it", uses=uses, role="backend"), state="in_progress", session=who
        )
        spectask = replace(spectask, tasks=Map({**spectask.tasks, number: task}))
        self.state = replace(self.state, spectasks=self.state.spectasks.set(spectask.id, spectask))

    def keep(self, spectask: str, *resources: str) -> None:
        """Lets a task of a SpecTask wait so long for resources, alone, that they are kept for it."""
        known = self.state.spectasks[SpecTaskId(spectask)]
        task = ImplementationTask(plan=PlannedTask(number=TaskNumber("9"), parent=None, title="Wait", uses=resources))
        known = replace(known, tasks=Map({**known.tasks, task.plan.number: task}))
        self.state = replace(self.state, spectasks=self.state.spectasks.set(known.id, known))
        self.kept = {key: (f"{spectask} 9", mode) for key, mode in needs_of(known, task).items()}

    def rest(self, who: RunId, *others: RunId) -> None:
        """Lets a session rest for others, as `coordinate` does."""
        self.record(spectask_of(who), e.SessionsAwaited(run=who, sessions=others, questions=(), call="call"))

    def spawn(self, parent: RunId, role: str = "tester") -> RunId:
        """Lets a session spawn one, which git holds at once and which waits for a place."""
        owner = spectask_of(parent)
        number = next_session(self.state.spectasks[owner])
        event = e.SessionSpawned(
            session=run(owner, number), parent=parent, work="Help", role=role, agent="demo", start=Oid("0"), by=parent, call=f"c{number}"
        )
        self.record(owner, event)
        self.give(reports.RecordCommit(spectask=owner, of=self.state.sequence, oid=Oid("5")))
        return event.session

    @property
    def runs(self) -> list[RunId]:
        return [run(name, number) for name in PLACES for number in range(1, self.sessions + 1)]

    def give(self, command: Command, actor=DAEMON) -> tuple[e.Event, ...] | Refusal:
        decision = decide(self.state, command, actor)
        for event in () if isinstance(decision, Refusal) else decision:
            self.record(command.spectask, event)
        return decision

    def record(self, spectask: SpecTaskId, event: e.Event) -> None:
        envelope = e.Envelope(
            seq=self.state.sequence + 1,
            instance="log",
            schema=e.SCHEMA,
            host="box",
            actor=DAEMON,
            time=self.now,
            spectask=spectask,
            event=event,
        )
        self.state = apply(self.state, envelope)
        self.log.append(envelope)

    def ask(self, wanted: RunId, resource: str, mode: LockMode = "exclusive", priority: int = 0) -> tuple[e.Event, ...] | Refusal:
        command = reports.RequestLock(spectask=spectask_of(wanted), run=wanted, resource=resource, mode=mode)
        decision = decide(self.state, command, DAEMON)
        if isinstance(decision, Refusal):
            return decision
        events = tuple(replace(event, priority=priority) for event in decision)
        for event in events:
            self.record(command.spectask, event)
        return events

    def release(self, holder: RunId, resource: str) -> tuple[e.Event, ...] | Refusal:
        return self.give(reports.ReleaseLock(spectask=spectask_of(holder), run=holder, resource=resource))

    def settle(self) -> list[e.Event]:
        """Carries out what is due until nothing is."""
        events: list[e.Event] = []
        while commands := due(self.state, self.capacity, self.now, self.kept):
            for command in commands:
                decision = self.give(command)
                assert not isinstance(decision, Refusal), decision
                events += decision
        return events

    def everybody_can_end(self) -> bool:
        """Plays on from here, in another world: whoever can go on ends at once, and nobody gives way. Tells whether all end; people end whom they stopped."""
        world = copy(self)
        world.log = []
        while True:
            # Who gave way before has made room for others by now.
            for command in due(world.state, world.capacity, world.now, world.kept):
                if isinstance(command, reports.GrantLock):
                    world.give(command)
            if not (world.keeper_begins() or any(world.end_of(each) for each in world.alive())):
                return not any(world.alive())

    def alive(self) -> list[WorkSession]:
        """Returns the sessions that have not ended."""
        every = (session for spectask in self.state.spectasks.values() for session in spectask.sessions.values())
        return [each for each in every if each.ended is None]

    def end_of(self, session: WorkSession) -> bool:
        """Lets a session end if it can go on, which gives its place and what it holds to others; tells whether it could."""
        spectask = self.state.spectasks[spectask_of(session.id)]
        session = spectask.sessions[session.id]
        if session.ended or self.waits(session.id):
            return False
        if session.state == "pending" and not (self._has_place(session) and self._has_uses(session)):
            return False
        if session.state == "waiting" and session.wait and any(not spectask.sessions[each].ended for each in session.wait.sessions):
            return False
        self.record(spectask.id, e.RunCancelled(run=session.id))
        return True

    def keeper_begins(self) -> bool:
        """Lets the task begin, and end, for which all is kept, if there is a place and nobody has any of that; tells whether it could."""
        working = [each for each in self.alive() if each.state in WORKING_RUN_STATES]
        could = (
            bool(self.kept) and len(working) < self.capacity.sessions and not any(self.state.locks.get(key, NONE).held for key in self.kept)
        )
        self.kept = {} if could else self.kept
        return could

    def _has_place(self, session: WorkSession) -> bool:
        working = [each for each in self.alive() if each.state in WORKING_RUN_STATES]
        own = [each for each in working if spectask_of(each.id) == spectask_of(session.id)]
        alike = [each for each in working if each.role == session.role]
        fits = len(own) < self.state.spectasks[spectask_of(session.id)].limits.max_parallel and len(working) < self.capacity.sessions
        return fits and len(alike) < self.capacity.roles.get(session.role, len(alike) + 1)

    def _has_uses(self, session: WorkSession) -> bool:
        if session.returns is None or session.task not in (tasks := self.state.spectasks[spectask_of(session.id)].tasks):
            return True
        held = self.held(session.id)
        wanted = {name: mode for name, mode in uses_of(tasks[session.task]).items() if held.get(name) not in {mode, "exclusive"}}
        locks = {name: lock for (place, name), lock in self.state.locks.items() if place in {"", PLACES[spectask_of(session.id)]}}
        users = {name: {each.run: each.mode for each in (*lock.waiting, *lock.held)} for name, lock in locks.items()}
        others = ((mode, theirs) for name, mode in wanted.items() for run, theirs in users.get(name, {}).items() if run != session.id)
        return not any("exclusive" in modes for modes in others)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def work(self, who: RunId, turns: int = 1) -> None:
        """Lets a run make turns, as its journal would."""
        self.change(who, turn=self.state.spectasks[spectask_of(who)].sessions[who].turn + turns)

    def held(self, who: RunId) -> dict[str, LockMode]:
        return {name: found.mode for (_, name), lock in self.state.locks.items() if (found := hold_of(lock, who))}

    def statistics(self, resource: str) -> LockStatistics:
        return next(lock.statistics for (_, name), lock in self.state.locks.items() if name == resource)

    def waits(self, who: RunId) -> set[str]:
        return {name for (_, name), lock in concerning(self.state.locks, who) if wait_of(lock, who)}
