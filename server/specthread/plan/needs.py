"""What a session needs before it goes on that rests for others, or has no place: the edges of the wait-for graph that no line of a resource shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from specthread.domain.family import is_held
from specthread.domain.ids import RunId
from specthread.domain.locks import NONE, LockMode, Locks, ResourceKey
from specthread.domain.messages import open_question
from specthread.domain.model import ENDED_TASK_STATES, SpecTask, State
from specthread.domain.names import spectask_of
from specthread.domain.readiness import free_for_spawned, is_to_begin, must_end_before
from specthread.domain.run import WORKING_RUN_STATES, WorkSession
from specthread.plan.capacity import Capacity
from specthread.plan.claims import claim_of, lacking_of, with_line


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

    def __init__(self, state: State, locks: Locks, capacity: Capacity) -> None:
        self._state, self._locks, self._capacity = state, locks, capacity

    def needs(self, run: RunId) -> Iterator[Need]:
        """Yields what a session needs that rests for others, or has no place yet. People and whatever else it waits for come some day."""
        spectask, session = self._find(run)
        if spectask is None or session is None or spectask.paused or spectask.state in ENDED_TASK_STATES:
            return
        if session.state == "pending" and not is_held(spectask, session):
            yield Need(must_end_before(spectask, session))
            yield from self._of_place(spectask, session)
            for key, mode in self.lacking(run).items():
                yield from needs_of_use(self._users(key, session), mode, self._capacity.resources.get(key[1]))
        if session.state == "waiting" and session.wait is not None and session.question is None:
            yield Need(session.wait.sessions)
            for question in filter(None, (open_question(spectask, number) for number in session.wait.questions)):
                yield Need(tuple(map(RunId, question.receivers)), len(question.receivers) - 1)

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
    def _claims(self) -> Mapping[ResourceKey, dict[RunId, tuple[LockMode, bool]]]:
        """By resource who has it because of its task or will ask for it, how, and whether it is at work."""
        found: dict[ResourceKey, dict[RunId, tuple[LockMode, bool]]] = defaultdict(dict)
        for spectask, session in self._alive:
            for key, mode in claim_of(spectask, session).items():
                found[key][session.id] = mode, session.state in WORKING_RUN_STATES
        return found

    def _of_place(self, spectask: SpecTask, session: WorkSession) -> Iterator[Need]:
        """Yields for each limit that is reached that one of those at work under it goes on: whoever does gives its place back some day."""
        capacity, agent = self._capacity, session.agent
        own = tuple(each for each in self._working if spectask_of(each.id) == spectask.id)
        alike = tuple(each for each in self._working if each.agent == agent)
        under = [
            (own, len(own) + free_for_spawned(spectask, len(own))),
            (self._working, capacity.sessions),
            (tuple(each for each in self._working if each.role == session.role), capacity.roles.get(session.role)),
            # Whoever is answered lets a provider take more again, of whichever agent it is.
            (self._working if agent in capacity.strained and len(alike) >= capacity.agents[agent] else alike, capacity.agents.get(agent)),
        ]
        # Where there is none at all, that changes by itself or by a person.
        return (Need(tuple(each.id for each in those), len(those) - 1) for those, most in under if most and len(those) >= most)

    def _users(self, key: ResourceKey, session: WorkSession) -> dict[RunId, LockMode]:
        """Returns who comes before a session that lacks a resource: whoever has it or stands in line, and who will ask for it while at work; before a new attempt, all who may."""
        claims = self._claims.get(key, {})
        firm: dict[str, LockMode] = {run: mode for run, (mode, is_at_work) in claims.items() if is_at_work or is_to_begin(session)}
        return {RunId(run): mode for run, mode in with_line(firm, self._locks.get(key, NONE)).items() if run != session.id}
