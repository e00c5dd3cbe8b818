"""Which events a ref already holds, so that an event that is replayed after a crash leaves no second commit."""

from dataclasses import dataclass

from specgit.errors import GitError
from specgit.git import GitRunner
from specgit.history import EVENT_TRAILER, read_commits, read_events
from specgit.types import Oid, RefName


@dataclass(slots=True)
class _Known:
    tip: Oid
    since: Oid | None
    events: dict[str, Oid]
    commits: set[Oid]


class ReplayIndex:
    """The events seen on each ref; what somebody else put on top is read when it is met, and all is read again where a ref went another way.

    Callers hold the write lock.
    """

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner
        self._known: dict[RefName, _Known] = {}

    def find(self, ref: RefName, tip: Oid, event: str, since: Oid | None) -> Oid | None:
        """Returns the commit that `event` left between `since` and `tip`."""
        known = self._known.get(ref)
        if known is None or not (known.since in {None, since} or since in known.commits) or not self._reaches(known, tip):
            events = read_events(self._runner, tip, since)
            known = self._known[ref] = _Known(tip=tip, since=since, events=events, commits=set(events.values()))
        return known.events.get(event)

    def _reaches(self, known: _Known, tip: Oid) -> bool:
        """Takes over what stands between the known tip and the present one; tells whether the one leads to the other."""
        if known.tip == tip:
            return True
        try:
            commits = read_commits(self._runner, ["--first-parent", tip, f"^{known.tip}"])
        except GitError:  # the known tip was left behind and collected
            return False
        if not commits or commits[-1].parents[:1] != (known.tip,):
            return False
        for commit in reversed(commits):
            known.commits.add(commit.oid)
            for value in (value for key, value in commit.trailers if key == EVENT_TRAILER):
                known.events.setdefault(value, commit.oid)
        known.tip = tip
        return True

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
