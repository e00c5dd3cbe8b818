"""What a session needs before it goes on that rests for others, or has no place: the edges of the wait-for graph that no line of a resource shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from specthread.domain.family import is_held
from specthread.domain.ids import RunId, SpecTaskId, TaskNumber
from specthread.domain.locks import NONE, LockMode, Locks, ResourceKey
from specthread.domain.messages import open_question
from specthread.domain.model import ENDED_TASK_STATES, SpecTask, State
from specthread.domain.names import spectask_of
from specthread.domain.readiness import free_for_spawned, is_to_begin, must_end_before
from specthread.domain.run import LIVE_RUN_STATES, WORKING_RUN_STATES, RunState, WorkSession
from specthread.plan.capacity import Capacity
from specthread.plan.claims import Kept, claim_of, in_front, lacking_of, needs_of, with_line


class Need(NamedTuple):
    """What a run waits for: that at most `spare` of these are left who have not gone on."""

    of: tuple[RunId, ...]
    spare: int = 0


def is_open(need: Need, left: Collection[RunId]) -> bool:
    """Tells whether it is still waited for where these are left."""
    return sum(run in left for run in need.of) > need.spare


def needs_of_use(users: Mapping[RunId, LockMode], mode: LockMode, capacity: int | None) -> Iterator[Need]:
    """Yields what must come before one more may use a resource in this mode beside these."""
    yield Need(tuple(run for run, theirs in users.items() if "exclusive" in {mode, theirs}))
    if capacity is not None:
        # Any of those that share it will do.
        yield Need(tuple(users), capacity - 1)


class Resting:
    """The sessions that rest or have no place, as of a state with these locks; who is at work is found out only where somebody waits for a place."""

    def __init__(self, state: State, locks: Locks, capacity: Capacity, kept: Kept) -> None:
        self._state, self._locks, self._capacity, self.kept = state, locks, capacity, kept

    def needs(self, run: RunId) -> Iterator[Need]:
        """Yields what a session needs that rests for others, or has no place yet. People and whatever else it waits for come some day."""
        spectask, session = self._find(run)
        if spectask is None or session is None or spectask.paused or spectask.state in ENDED_TASK_STATES:
            return
        if session.state == "pending" and not is_held(spectask, session):
            yield Need(must_end_before(spectask, session))
            yield from self._of_place(spectask, session.role, session.agent)
            for key, mode in self.lacking(run).items():
                # Before a new attempt everybody comes who may ask for it, as before a task; else only who does so while at work.
                users = self._users(key, LIVE_RUN_STATES if is_to_begin(session) else WORKING_RUN_STATES)
                yield from needs_of_use({each: users[each] for each in users if each != run}, mode, self._capacity.resources.get(key[1]))
        if session.state == "waiting" and session.wait is not None and session.question is None:
            yield Need(session.wait.sessions)
            for question in filter(None, (open_question(spectask, number) for number in session.wait.questions)):
                yield Need(tuple(map(RunId, question.receivers)), len(question.receivers) - 1)

    def needs_of_kept(self, key: ResourceKey) -> Iterator[Need]:
        """Yields what the one needs for whom a resource is kept."""
        name, _, item = self.kept[key][0].partition(" ")
        spectask = self._state.spectasks.get(SpecTaskId(name))
        task = spectask.tasks.get(TaskNumber(item)) if spectask else None
        if spectask is None or task is None:
            yield Need((RunId(item),))
            return
        yield from self._of_place(spectask, task.plan.role, spectask.agent)
        for each, mode in needs_of(spectask, task).items():
            yield from needs_of_use(self._users(each, LIVE_RUN_STATES), mode, self._capacity.resources.get(each[1]))

    def lacking(self, run: RunId) -> dict[ResourceKey, LockMode]:
        """Returns what a session must have before it gets a place."""
        spectask, session = self._find(run)
        return lacking_of(spectask, session, self._locks) if spectask and session else {}

    def is_resting(self, run: RunId) -> bool:
        """Tells whether a session holds no place."""
        session = self._find(run)[1]
        return session is not None and session.state not in WORKING_RUN_STATES

    def _find(self, run: RunId) -> tuple[SpecTask | None, WorkSession | None]:
        spectask = self._state.spectasks.get(spectask_of(run))
        return spectask, spectask.sessions.get(run) if spectask else None

    @cached_property
    def _alive(self) -> tuple[tuple[SpecTask, WorkSession], ...]:
        going = (each for each in self._state.spectasks.values() if each.state not in ENDED_TASK_STATES and not each.paused)
        return tuple((spectask, session) for spectask in going for session in spectask.sessions.values() if session.ended is None)

    @cached_property
    def _working(self) -> tuple[WorkSession, ...]:
        return tuple(session for _, session in self._alive if session.state in WORKING_RUN_STATES)

    @cached_property
    def _claims(self) -> Mapping[ResourceKey, dict[RunId, tuple[LockMode, RunState]]]:
        """By resource who has it because of its task or will ask for it, how, and in which state."""
        found: dict[ResourceKey, dict[RunId, tuple[LockMode, RunState]]] = defaultdict(dict)
        for spectask, session in self._alive:
            for key, mode in claim_of(spectask, session).items():
                found[key][session.id] = mode, session.state
        return found

    def _of_place(self, spectask: SpecTask, role: str, agent: str) -> Iterator[Need]:
        """Yields for each limit that so many of those at work under it go on that there is a place: whoever does gives its own back some day."""
        capacity, every = self._capacity, self._working
        own = tuple(each for each in every if spectask_of(each.id) == spectask.id)
        alike = tuple(each for each in every if each.agent == agent)
        under = [
            (own, len(own) + free_for_spawned(spectask, len(own))),
            (every, capacity.sessions),
            (tuple(each for each in every if each.role == role), capacity.roles.get(role)),
            (alike, capacity.agents.get(agent)),
        ]
        if agent in capacity.strained and len(alike) >= capacity.agents[agent] > 0:
            # Whoever is answered lets a provider take more again, of whichever agent it is.
            under[-1] = (every, len(every))
        # Where there is none at all, that changes by itself or by a person.
        return (Need(tuple(each.id for each in those), most - 1) for those, most in under if most)

    def _users(self, key: ResourceKey, states: Collection[RunState]) -> dict[RunId, LockMode]:
        """Returns who comes before somebody that lacks a resource: whoever has it or stands in line for it first, and who in such a state will ask for it."""
        claims: dict[str, LockMode] = {run: mode for run, (mode, state) in self._claims.get(key, {}).items() if state in states}
        lock = in_front(self._locks.get(key, NONE), self.kept.get(key))
        return {RunId(run): mode for run, mode in with_line(claims, lock).items()}
