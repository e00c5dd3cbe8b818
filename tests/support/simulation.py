"""Many SpecTasks decided and scheduled in memory: the real `decide`, `apply` and `Queue`, with made-up git, agents and time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.domain import reports
from specthread.domain.decide import decide
from specthread.domain.ids import Digest, Oid, RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import concerning, hold_of, wait_of
from specthread.domain.model import DAEMON, Actor, Approval, Document, ImplementationTask, Limits, PlannedTask, Refusal, SpecTask, State
from specthread.domain.readiness import uses_of
from specthread.domain.rules_coordination import is_unsettled
from specthread.domain.run import WORKING_RUN_STATES, Verification, WorkSession
from specthread.domain.run_options import RunOptions
from specthread.domain.state import apply
from specthread.plan.capacity import Capacity
from specthread.plan.locks import due
from specthread.plan.schedule import Queue, Scheduled, queue_of
from specthread.spec.resource import Use

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ADA = Actor(kind="human", name="Ada")
GREEN = Verification(outcome="verified", check="pytest", commit=Oid("c"), tree=Oid("7"))


def planned(number: str, *depends: str, **changes: Any) -> PlannedTask:
    """Returns a task of a plan."""
    return PlannedTask(number=TaskNumber(number), parent=None, title=f"Task {number}", depends=tuple(map(TaskNumber, depends)), **changes)


class Simulation:
    """The state, its queue, and a clock in seconds."""

    def __init__(self, capacity: Capacity | None = None) -> None:
        self.state = State()
        self.queue = Queue()
        self.capacity = capacity or Capacity()
        self.seconds = 0.0
        self.git = True
        """Whether git holds at once what it must."""
        self.started: list[tuple[SpecTaskId, TaskNumber]] = []
        self.judges: list[Callable[[], None]] = []
        """Called after every event."""

    @property
    def now(self) -> datetime:
        """The present time."""
        return START + timedelta(seconds=self.seconds)

    def add(self, name: str, plan: Sequence[PlannedTask], *, options: RunOptions | None = None, **limits: Any) -> SpecTaskId:
        """Lets a SpecTask with this plan be carried out from now on."""
        asked = e.SpecTaskCreated(
            prompt=name,
            repository="/repo",
            base=Oid("b"),
            target="main",
            warnings=(),
            flow="feature",
            agent="demo",
            review_mode="together",
            execute=False,
            advance=False,
            limits=Limits(**limits),
        )
        names = ("requirements", "design", "tasks")
        documents = tuple(Document(name=each, path=f"{each}.md", content=b"", digest=Digest("d"), seq=0, author="Ada") for each in names)
        approvals = tuple(Approval(document=each, digest=Digest("d"), content=b"", person="Ada", time=self.now, seq=0) for each in names)
        none: Any = ()
        event = e.SpecTaskRebuilt(
            asked=asked,
            owner=ADA,
            created=self.now,
            adopted="",
            state="implementing",
            before=None,
            stopped_from=None,
            reason="",
            paused=False,
            chosen=None,
            documents=documents,
            approvals=approvals,
            versions=none,
            comments=none,
            plans=none,
            tasks=tuple(ImplementationTask(plan=task) for task in plan),
            sessions=none,
            specs=Oid("5"),
            feature=Oid("f"),
            final=None,
            accepted_by="",
            put_away=False,
            options=options or RunOptions(),
        )
        self.record(SpecTaskId(name), [event])
        return SpecTaskId(name)

    def record(self, spectask: SpecTaskId, events: Iterable[e.Event], actor: Actor = DAEMON) -> None:
        """Adds events, and tells the queue of them; git holds what it must at once."""
        made = []
        for event in events:
            seq = self.state.sequence + 1
            envelope = e.Envelope(seq=seq, instance="log", schema=1, host="box", actor=actor, time=self.now, spectask=spectask, event=event)
            self.state = apply(self.state, envelope)
            made.append(envelope)
            for judge in self.judges:
                judge()
        self.queue.follow(self.state, made, self.now)
        if self.git:
            self.acknowledge(spectask)

    def acknowledge(self, spectask: SpecTaskId) -> None:
        """Lets git hold every open record of a SpecTask."""
        for of in self.state.spectasks[spectask].uncommitted:
            self.give(reports.RecordCommit(spectask=spectask, of=of, oid=Oid("5")))

    def give(self, command: c.Command, actor: Actor = DAEMON) -> None:
        """Gives a command that must be accepted."""
        decision = decide(self.state, command, actor)
        assert not isinstance(decision, Refusal), (command, decision)
        self.record(command.spectask, decision, actor)

    def schedule(self) -> tuple[Scheduled, ...]:
        """Carries out what the scheduler gives, until it gives nothing more; returns that."""
        every: list[Scheduled] = []
        while commands := self.queue.take(self.capacity, self.now):
            for command in commands:
                self.give(command)
                if isinstance(command, reports.StartSession):
                    self.started.append((command.spectask, command.task))
            every += commands
        return tuple(every)

    def restart(self) -> None:
        """Lets the daemon die and come again: what was at work is interrupted, and the queue is made anew."""
        for spectask in list(self.state.spectasks):
            self.give(reports.InterruptRuns(spectask=spectask))
        self.queue = queue_of(self.state, self.now)

    def settle(self) -> None:
        """Draws the consequences of sessions that ended and questions that were answered, as the loop does."""
        for spectask in list(self.state.spectasks):
            while is_unsettled(self.spectask(spectask)):
                self.give(reports.SettleSessions(spectask=spectask))

    # --- what is the case

    def spectask(self, name: str) -> SpecTask:
        """Returns a SpecTask."""
        return self.state.spectasks[SpecTaskId(name)]

    def states(self, name: str) -> dict[str, str]:
        """Returns the state of each of its tasks."""
        return {str(number): task.state for number, task in sorted(self.spectask(name).tasks.items())}

    def at_work(self) -> list[WorkSession]:
        """Returns the sessions that hold a place."""
        every = (session for spectask in self.state.spectasks.values() for session in spectask.sessions.values())
        return [session for session in every if session.state in WORKING_RUN_STATES]

    def begun(self) -> list[str]:
        """Returns what began, in order, as `spectask/task`."""
        return [f"{spectask}/{task}" for spectask, task in self.started]

    # --- what agents do

    def merge(self, run: RunId) -> None:
        """Carries a session to its merge."""
        spectask = SpecTaskId(run.partition("/")[0])
        self.give(reports.ClaimSession(spectask=spectask, session=run, summary="Done."))
        claim = self.spectask(spectask).sessions[run].claims
        self.give(reports.FinishCheck(spectask=spectask, session=run, claim=claim, verification=GREEN, text=""))
        self.give(reports.FinishMerge(spectask=spectask, session=run, feature=Oid(f"f{self.state.sequence}")))

    def take_up(self, run: RunId) -> None:
        """Lets a session ask for the next thing that its task uses, in the order of the names, as the engine does; one that stands in line asks for nothing."""
        spectask = self.spectask(run.partition("/")[0])
        lacking = self.lacking(run)
        if lacking and not any(wait_of(lock, run) for lock in self.state.locks.values()):
            self.give(reports.RequestLock(spectask=spectask.id, run=run, resource=lacking[0].resource, mode=lacking[0].mode))

    def lacking(self, run: RunId) -> list[Use]:
        """Returns what a session does not hold yet of what its task uses."""
        spectask = self.spectask(run.partition("/")[0])
        task = spectask.tasks.get(spectask.sessions[run].task)
        uses = sorted(uses_of(task).items()) if task else []
        held = {name for (_, name), lock in concerning(self.state.locks, run) if hold_of(lock, run)}
        return [Use(name, mode) for name, mode in uses if name not in held]

    def grant(self) -> None:
        """Carries out what is due about locks, until nothing is."""
        while commands := due(self.state, self.capacity, self.now, self.queue.kept):
            for command in commands:
                self.give(command)

    def fail(self, run: RunId) -> None:
        """Lets a session end without a result."""
        self.give(reports.FailRun(spectask=SpecTaskId(run.partition("/")[0]), run=run, reason="no more ideas"))

    def spend(self, run: RunId, cost: str) -> None:
        """Plays one model call; where the money does not reach the run asks for more."""
        spectask = SpecTaskId(run.partition("/")[0])
        turn = self.spectask(spectask).sessions[run].turn + 1
        self.give(reports.StartCall(spectask=spectask, run=run, turn=turn, reserve_usd=Decimal(0)))
        call = self.spectask(spectask).sessions[run].open_call
        if not call:
            return
        finished = reports.FinishCall(
            spectask=spectask, run=run, call=call, turn=turn, reply={}, input_tokens=1, output_tokens=1, cost_usd=Decimal(cost)
        )
        self.give(finished)

    def play(self, seconds_of: Callable[[PlannedTask], float]) -> float:
        """Lets every session work as long as its task takes, until nothing is left to do; returns when the last one ended."""
        ending: list[tuple[float, RunId]] = []
        known: set[RunId] = set()
        while True:
            self.schedule()
            for session in self.at_work():
                if session.id not in known:
                    known.add(session.id)
                    task = self.spectask(session.id.partition("/")[0]).tasks[session.task].plan
                    heapq.heappush(ending, (self.seconds + seconds_of(task), session.id))
            if not ending:
                return self.seconds
            self.seconds, run = heapq.heappop(ending)
            self.merge(run)
