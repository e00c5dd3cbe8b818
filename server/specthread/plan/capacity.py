"""How many sessions may work at once over all SpecTasks, and how crowded it is: what the scheduler is told from outside, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.locks import ResourceKey
from specthread.domain.run_options import Priority
from specthread.spec.resource import Mode

MOST_SESSIONS = 64
"""Sessions at work in one daemon where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The limits beyond a single SpecTask's: of all sessions, of those of a role, and of those of an agent; a role or agent that is not named has none.

    `resources` says how many runs may share a resource, by its name; one that is not named is shared by any number.
    `agents` is where a provider that is short of breath says how many more of its sessions it bears: it is asked anew at each decision; `strained` are
    the agents whose limit is such a one.
    """

    sessions: int = MOST_SESSIONS
    roles: Mapping[str, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    strained: frozenset[str] = frozenset()
    resources: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The SpecTask whose turn is next."""

    spectask: SpecTaskId
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Which sessions hold a place, by role and by agent, under which limits, and who is first in line; for the sentences that say why a task waits."""

    capacity: Capacity = Capacity()
    total: int = 0
    roles: Mapping[str, tuple[RunId, ...]] = field(default_factory=dict)
    agents: Mapping[str, tuple[RunId, ...]] = field(default_factory=dict)
    first: First | None = None
    taken: Mapping[tuple[ResourceKey, Mode], tuple[RunId, ...]] = field(default_factory=dict)
    """For each resource that nobody could use in such a way now, the sessions that claim it."""
    kept: Mapping[ResourceKey, tuple[str, Mode]] = field(default_factory=dict)
    """For whom a resource is kept who has waited long, as SpecTask and task or session, and for which use."""
    lacking: Mapping[RunId, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """For sessions that come back, which resource of their task they wait for, and who has it, or a task that is about to."""
    held: Mapping[RunId, str] = field(default_factory=dict)
    """Of runs whose model call waits for its provider, what it waits for there, in a sentence."""
    asks: Mapping[RunId, str] = field(default_factory=dict)
    """Of those that wait there until a person does something, what that is, in a sentence."""


ALONE = Crowd()
"""Nobody else works: for a SpecTask looked at by itself."""
