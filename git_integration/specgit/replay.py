"""Which events a ref already holds, so that an event that is replayed after a crash leaves no second commit."""

from dataclasses import dataclass

from specgit.git import GitRunner
from specgit.history import read_events
from specgit.types import Oid, RefName


@dataclass(slots=True)
class _Known:
    tip: Oid
    since: Oid | None
    events: dict[str, Oid]
    commits: set[Oid]


class ReplayIndex:
    """The events seen on each ref; valid only for the tip it was read at, so a move by anybody else makes it read again.

    Callers hold the write lock.
    """

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner
        self._known: dict[RefName, _Known] = {}

    def find(self, ref: RefName, tip: Oid, event: str, since: Oid | None) -> Oid | None:
        """Returns the commit that `event` left between `since` and `tip`."""
        known = self._known.get(ref)
        if known is None or known.tip != tip or not (known.since in {None, since} or since in known.commits):
            events = read_events(self._runner, tip, since)
            known = self._known[ref] = _Known(tip=tip, since=since, events=events, commits=set(events.values()))
        return known.events.get(event)

    def note(self, ref: RefName, parent: Oid | None, oid: Oid, event: str | None) -> None:
        """Takes over a commit that was just put on top of `parent`."""
        known = self._known.get(ref)
        if known is None and parent is None:
            known = self._known[ref] = _Known(tip=oid, since=None, events={}, commits=set())
        if known is None:
            return
        known.tip = oid
        known.commits.add(oid)
        if event is not None:
            known.events[event] = oid
