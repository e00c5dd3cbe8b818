"""Whether git has taken a SpecTask further than its log, as it may have after going back to a backup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from specgit.history import read_events
from specgit.repository import Repository
from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.domain.model import SpecTask
from specthread.domain.runs import all_runs

_TURN = re.compile(r"sessions/(?P<run>(?:ws|plan|review)-\d+)/\d+/(?P<turn>\d+)\.md")


def is_overtaken(repository: Repository, spectask: SpecTask, is_known: Callable[[str], bool]) -> bool:
    """Tells whether git holds work on a SpecTask that its log does not know; `is_known` tells that of an event that a commit names. Raises GitError.

    What the log knows and had no time to note is no such work: it is found by its event, as after any crash.
    """
    refs = spec_refs(spectask.id)
    specs, feature = repository.resolve(refs.specs), repository.resolve(refs.feature)
    if specs is None:
        return spectask.state != "archived" and repository.resolve(refs.archived(refs.specs)) is not None
    known_specs = GitOid(spectask.specs) if spectask.specs else None
    known_feature = GitOid(spectask.feature or spectask.base)
    events = set[str]()
    if specs != known_specs:
        folder = f".specs/{spectask.id}/"
        told = last_turns(entry.path.removeprefix(folder) for entry in repository.entries(specs, folder))
        known = {run.id.rpartition("/")[2]: run.turn for run in all_runs(spectask)}
        if any(turn > known.get(run, 0) for run, turn in told.items()):
            return True
        events |= read_events(repository.runner, specs, known_specs).keys()
    if feature and feature != known_feature:
        events |= read_events(repository.runner, feature, known_feature).keys()
    return not all(map(is_known, events))


def last_turns(files: Iterable[str]) -> dict[str, int]:
    """Returns the last turn of each run whose transcript is among the files of a SpecTask's folder."""
    turns: dict[str, int] = {}
    for match in filter(None, map(_TURN.fullmatch, files)):
        turns[match["run"]] = max(int(match["turn"]), turns.get(match["run"], 0))
    return turns
