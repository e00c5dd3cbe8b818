"""What may start now, over all SpecTasks.

`ready` is a function of state, limits and time. `Queue` answers the same question from what it kept, in time that does not grow with what waits: a decision
looks at the first in line of each pair of role and agent, an event at the tasks it names. `decide` re-checks only direct facts; the sentences are in `waiting.py`.

The order. Among SpecTasks the one goes first that has waited longest since it last got a place; a priority is worth some waiting (`lane.PRIORITY_SECONDS`), so it
never keeps anybody waiting for ever, and the order of two that wait never changes. Within a SpecTask see `Lane`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import takewhile

from specthread.domain import events as e
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import ResourceKey
from specthread.domain.model import ENDED_TASK_STATES, State
from specthread.domain.names import spectask_of
from specthread.domain.readiness import awaits_person
from specthread.domain.reports import GivePlace, PassOverTask, StartSession, StartSpawned
from specthread.domain.run import WorkSession
from specthread.plan.capacity import Capacity, Crowd, First
from specthread.plan.claims import Claims, Kept, Needed
from specthread.plan.lane import PATIENCE_SECONDS, Item, Lane, Row

Scheduled = StartSession | StartSpawned | GivePlace | PassOverTask
"""The commands that the scheduler gives."""
Place = tuple[int, float, str]
"""Whoever comes back goes before (0) whoever begins (1); then the place in line of its lane."""
LineKey = tuple[str, str, Needed]
"""A role, an agent, and the resources that such a task needs."""

QUIET: frozenset[type[e.Event]] = frozenset(
    {
        e.CallStarted,
        e.ToolFinished,
        e.RunBriefed,
        e.MessageSent,
        e.TranscriptCommitted,
        e.CommentAdded,
        e.CommentAnswered,
        e.CommentResolved,
        e.ConflictForeseen,
        e.ConflictPassed,
        e.EffectFailed,
        e.CleanupFailed,
        e.EffectRecovered,
        e.BudgetWarned,
        e.ClockJumped,
        e.PullRequestOpened,
        e.PullRequestChanged,
    }
)
"""Events that change nothing a start depends on."""
FRAMING: frozenset[type[e.Event]] = frozenset({e.SessionSpawned})
"""Events that name a run and may concern more: one that a person spawns beside a plan leaves its tasks for later."""


def ready(state: State, limits: Capacity, now: datetime) -> tuple[Scheduled, ...]:
    """Returns the sessions to start now, in order, and the tasks to pass over."""
    return queue_of(state, now).take(limits, now)


def queue_of(state: State, now: datetime) -> Queue:
    """Returns what waits in a state."""
    queue = Queue()
    for spectask in state.spectasks:
        queue.add(state, spectask, now)
    return queue


class Queue:
    """What waits for a place, as of the last events it was told. Commands it gave count as carried out until their events come, or `release`."""

    def __init__(self) -> None:
        self._lanes: dict[SpecTaskId, Lane] = {}
        self._claims = Claims()
        self._lines: dict[LineKey, list[Place]] = {}
        """The SpecTasks that have such a task to begin once what it needs is free, in their order."""
        self._open: set[LineKey] = set()
        """The lines of which all that their tasks need is free, and kept for nobody."""
        self._needing: dict[ResourceKey, set[LineKey]] = {}
        self._placed: dict[SpecTaskId, tuple[tuple[float, str], dict[LineKey, Place]]] = {}
        self._at_work: dict[SpecTaskId, dict[RunId, WorkSession]] = {}
        self._roles: Counter[str] = Counter()
        self._agents: Counter[str] = Counter()
        self._losing: set[SpecTaskId] = set()
        self._awaiting: set[SpecTaskId] = set()
        self._wanting: list[tuple[float, SpecTaskId]] = []
        """The SpecTasks that could begin something that needs resources, by how long they have waited for a place."""
        self._wants: dict[SpecTaskId, float] = {}
        self._given: dict[SpecTaskId, dict[Item, tuple[str, str]]] = {}
        self._total = 0
        self._clock: datetime | None = None

    # --- what it says ------------------------------------------------------------------------------------------------------

    def take(self, limits: Capacity, now: datetime) -> tuple[Scheduled, ...]:
        """Returns what is to begin now, and takes it out of the queue."""
        if self._clock is not None and now < self._clock:
            # A clock that goes back must not keep those waiting who came by its earlier time.
            for spectask, lane in self._lanes.items():
                self._settle(spectask, lane.place(now))
        self._clock = now
        self._claims.follow(self._claims.locks, limits.resources)
        self._look_again()
        self._keep_for_the_patient(now)
        found: list[Scheduled] = []
        for spectask in sorted(self._losing):
            lane = self._lanes[spectask]
            for number in lane.losses:
                lane.give(number)
                found.append(PassOverTask(spectask=spectask, task=number))
        while (chosen := self._next(limits)) is not None:
            spectask, rows = chosen
            lane = self._lanes[spectask]
            item = lane.choose(rows)
            lane.give(item)
            self._hold(spectask, item, lane.work_of(item))
            self._settle(spectask, lane.place(now, since=now))
            self._keep_for_the_patient(now)
            found.append(_start(lane, item))
        return tuple(found)

    @property
    def kept(self) -> Kept:
        """The resources that are kept for whoever has waited long, as of the last decision."""
        return self._claims.kept

    def crowd(self, limits: Capacity) -> Crowd:
        """Returns who holds the places, and who is first in line."""
        sessions = sorted(
            (session for each in self._at_work.values() for session in each.values()), key=lambda session: (session.started, session.id)
        )
        roles: dict[str, tuple[RunId, ...]] = {}
        agents: dict[str, tuple[RunId, ...]] = {}
        for session in sessions:
            roles[session.role] = (*roles.get(session.role, ()), session.id)
            agents[session.agent] = (*agents.get(session.agent, ()), session.id)
        heads = [place for place, _ in self._heads()]
        first = SpecTaskId(min(heads)[2]) if heads else None
        priority = self._lanes[first].spectask.options.priority if first else "normal"
        return Crowd(
            capacity=limits,
            total=len(sessions),
            roles=roles,
            agents=agents,
            first=First(spectask=first, priority=priority) if first else None,
            taken=self._claims.taken(),
            kept=self._claims.kept,
            lacking={
                run: (resource, who) for lane in map(self._lanes.__getitem__, self._awaiting) for run, resource, who in lane.lacking()
            },
        )

    # --- what it is told -----------------------------------------------------------------------------------------------------

    def add(self, state: State, spectask: SpecTaskId, now: datetime) -> None:
        """Takes a SpecTask up as it is."""
        known = state.spectasks[spectask]
        # Before there is a feature branch nothing of it can begin.
        if known.feature is not None and known.state not in ENDED_TASK_STATES and not known.overtaken:
            self._claims.follow(state.locks)
            self._lanes[spectask] = Lane(known, self._claims)
            self._refresh(spectask, now)

    def follow(self, state: State, envelopes: Iterable[e.Envelope], now: datetime) -> None:
        """Takes in what happened; `state` is the one after it."""
        self._claims.follow(state.locks)
        for spectask, (tasks, runs, widely) in _concerned(envelopes).items():
            lane = self._lanes.get(spectask)
            if lane is None:
                self.add(state, spectask, now)
                continue
            lane.follow(state.spectasks[spectask], tasks, runs, widely=widely)
            self._refresh(spectask, now)
        self._look_again()

    def release(self, command: Scheduled, now: datetime) -> None:
        """Takes back a command that led to nothing."""
        lane = self._lanes.get(command.spectask)
        if lane is not None:
            tasks, runs = ((), (command.session,)) if isinstance(command, StartSpawned | GivePlace) else ((command.task,), ())
            lane.follow(lane.spectask, tasks, runs, widely=False)
            self._refresh(command.spectask, now)
            self._look_again()

    # --- how it is kept --------------------------------------------------------------------------------------------------------

    def _next(self, limits: Capacity) -> tuple[SpecTaskId, list[Row]] | None:
        """Returns whose turn it is, and the rows of which one may begin or come back; None where no place is free."""
        if self._total >= limits.sessions:
            return None
        open_ = [
            (place, (role, needed))
            for place, (role, agent, needed) in self._heads()
            if self._roles[role] < limits.roles.get(role, self._total + 1)
            and self._agents[agent] < limits.agents.get(agent, self._total + 1)
        ]
        if not open_:
            return None
        first = min(place for place, _ in open_)
        return SpecTaskId(first[2]), [row for place, row in open_ if place == first]

    def _heads(self) -> Iterator[tuple[Place, LineKey]]:
        """Yields who is first in each line that is open, and those for whom what theirs needs is kept."""
        yield from ((self._lines[each][0], each) for each in self._open)
        for name, _, item in (claimant.partition(" ") for claimant in {keeper for keeper, _ in self.kept.values()}):
            lane = self._lanes.get(SpecTaskId(name))
            row = lane.row_of(TaskNumber(item)) if lane else None
            if lane is not None and row is not None and self._claims.is_free(row[1], f"{name} {item}"):
                line = row[0], lane.spectask.agent, row[1]
                place = self._placed[lane.spectask.id][1].get(line)
                if place is not None and line not in self._open:
                    yield place, line

    def _refresh(self, spectask: SpecTaskId, now: datetime) -> None:
        """Brings counts and lines up to what the lane says now."""
        lane = self._lanes[spectask]
        self._clock = max(self._clock or now, now)
        held = dict(lane.at_work) if lane.holds_places else {}
        before = self._at_work.get(spectask, {})
        for run in before.keys() - held.keys():
            self._move(before[run].role, before[run].agent, -1)
        for run in held.keys() - before.keys():
            self._move(held[run].role, held[run].agent, 1)
        self._at_work[spectask] = held
        for number in self._given.get(spectask, {}).keys() - lane.given:
            self._move(*self._given[spectask].pop(number), -1)
        self._settle(spectask, lane.place(now))
        if lane.spectask.state in ENDED_TASK_STATES or lane.spectask.overtaken:
            self._forget(spectask)

    def _keep_for_the_patient(self, now: datetime) -> None:
        """Keeps the resources that those need who have waited long, whoever has waited longest first."""
        patient = takewhile(lambda each: now.timestamp() - each[0] >= PATIENCE_SECONDS, self._wanting)
        found = (self._lanes[spectask].wanted(now) for _, spectask in patient)
        self._claims.keep(filter(None, found), self._awaits_person)
        self._look_again()

    def _awaits_person(self, claimant: str) -> bool:
        lane = self._lanes.get(spectask_of(RunId(claimant)))
        session = lane.spectask.sessions.get(RunId(claimant)) if lane else None
        return lane is not None and session is not None and awaits_person(lane.spectask, session)

    def _look_again(self) -> None:
        """Brings the lines up to which resources are free now, over all lanes."""
        turned = tuple(self._claims.turned())
        for each in {line for resource in turned for line in self._needing.get(resource, ())}:
            self._open_or_shut(each)
        for spectask in tuple(self._awaiting) if turned else ():
            self._lanes[spectask].look_at_pending()
            self._settle(spectask, self._placed[spectask][0])

    def _open_or_shut(self, each: LineKey) -> None:
        """Takes a line as it is now."""
        isin = each in self._lines
        (self._open.add if isin and self._claims.is_free(each[2]) else self._open.discard)(each)
        for resource, _ in each[2]:
            users = self._needing.setdefault(resource, set())
            (users.add if isin else users.discard)(each)
            if not users:
                del self._needing[resource]

    def _forget(self, spectask: SpecTaskId) -> None:
        """Drops a SpecTask that has ended or is held; should it go on it is taken up anew."""
        for work in self._given.pop(spectask, {}).values():
            self._move(*work, -1)
        self._want(spectask, None)
        self._awaiting.discard(spectask)
        self._lanes[spectask].close()
        del self._lanes[spectask], self._placed[spectask], self._at_work[spectask]

    def _settle(self, spectask: SpecTaskId, place: tuple[float, str]) -> None:
        """Puts a lane into the lines where it belongs, and out of the others."""
        lane = self._lanes[spectask]
        returning = lane.returning
        wanted = {(role, lane.spectask.agent, needed): (int((role, needed) not in returning), *place) for role, needed in lane.rows}
        known = self._placed[spectask][1] if spectask in self._placed else {}
        for each, stood in known.items():
            if wanted.get(each) != stood:
                line = self._lines[each]
                del line[bisect_left(line, stood)]
                if not line:
                    del self._lines[each]
                    self._open_or_shut(each)
        for each, stands in wanted.items():
            if known.get(each) != stands:
                if each not in self._lines:
                    self._lines[each] = []
                    self._open_or_shut(each)
                insort(self._lines[each], stands)
        self._placed[spectask] = place, wanted
        for those, belongs in ((self._losing, bool(lane.losses)), (self._awaiting, lane.awaits_resources)):
            (those.add if belongs else those.discard)(spectask)
        self._want(spectask, lane.wants_since)

    def _want(self, spectask: SpecTaskId, since: float | None) -> None:
        before = self._wants.pop(spectask, None)
        if since is not None:
            self._wants[spectask] = since
        if before != since:
            if before is not None:
                del self._wanting[bisect_left(self._wanting, (before, spectask))]
            if since is not None:
                insort(self._wanting, (since, spectask))

    def _hold(self, spectask: SpecTaskId, item: Item, work: tuple[str, str]) -> None:
        self._given.setdefault(spectask, {})[item] = work
        self._move(*work, 1)

    def _move(self, role: str, agent: str, by: int) -> None:
        self._roles[role] += by
        self._agents[agent] += by
        self._total += by


def _start(lane: Lane, item: Item) -> StartSession | StartSpawned | GivePlace:
    spectask = lane.spectask
    session = spectask.sessions.get(RunId(item))
    if session is not None and session.returns:
        return GivePlace(spectask=spectask.id, session=session.id)
    if session is not None:
        return StartSpawned(spectask=spectask.id, session=RunId(item))
    return StartSession(spectask=spectask.id, task=TaskNumber(item))


_Concerned = tuple[set[TaskNumber], set[RunId], bool]


def _concerned(envelopes: Iterable[e.Envelope]) -> Mapping[SpecTaskId, _Concerned]:
    """Returns by SpecTask the tasks and runs that events name, and whether more than those may be concerned."""
    found: dict[SpecTaskId, _Concerned] = {}
    for envelope in envelopes:
        event = envelope.event
        if type(event) in QUIET:
            continue
        tasks, runs, widely = found.get(envelope.spectask, (set(), set(), False))
        named = [run for run in _runs_of(event) if run]
        task = getattr(event, "task", None)
        found[envelope.spectask] = (
            tasks | ({task} if task else set()),
            runs | set(named),
            widely or not named or type(event) in FRAMING,
        )
    return found


def _runs_of(event: e.Event) -> Iterator[RunId | None]:
    return (getattr(event, name, None) for name in ("run", "session", "plan"))
