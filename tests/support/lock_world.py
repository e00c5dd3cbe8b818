"""Runs that want resources, decided by the real rules: two SpecTasks of one repository and one of another, each with some sessions at work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from immutables import Map

from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.commands import Command
from specthread.domain.decide import decide
from specthread.domain.ids import Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import LockMode, LockStatistics, concerning, hold_of, wait_of
from specthread.domain.model import DAEMON, Refusal, SpecTask, State
from specthread.domain.names import spectask_of
from specthread.domain.run import WorkSession
from specthread.domain.state import apply
from specthread.plan.locks import due
from support.story import ADA, START, limits

PLACES = {"one-aaaa": "/repo", "two-bbbb": "/repo", "three-cccc": "/elsewhere"}


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
        sessions=Map(made),
    )


@dataclass
class LockWorld:
    sessions: int = 3
    capacities: Mapping[str, int] = field(default_factory=dict)
    state: State = field(init=False)
    now: datetime = START
    log: list[e.Envelope] = field(default_factory=list)

    def __post_init__(self) -> None:
        tasks = {SpecTaskId(name): _spectask(name, repository, self.sessions) for name, repository in PLACES.items()}
        self.state = State(spectasks=Map(tasks))

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
        while commands := due(self.state, self.capacities, self.now):
            for command in commands:
                decision = self.give(command)
                assert not isinstance(decision, Refusal), decision
                events += decision
        return events

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def work(self, who: RunId, turns: int = 1) -> None:
        """Lets a run make turns, as its journal would."""
        spectask = self.state.spectasks[spectask_of(who)]
        session = spectask.sessions[who]
        spectask = replace(spectask, sessions=spectask.sessions.set(who, replace(session, turn=session.turn + turns)))
        self.state = replace(self.state, spectasks=self.state.spectasks.set(spectask.id, spectask))

    def held(self, who: RunId) -> dict[str, LockMode]:
        return {name: found.mode for (_, name), lock in self.state.locks.items() if (found := hold_of(lock, who))}

    def statistics(self, resource: str) -> LockStatistics:
        return next(lock.statistics for (_, name), lock in self.state.locks.items() if name == resource)

    def waits(self, who: RunId) -> set[str]:
        return {name for (_, name), lock in concerning(self.state.locks, who) if wait_of(lock, who)}
