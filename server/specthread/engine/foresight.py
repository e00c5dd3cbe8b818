"""Conflicts seen ahead: after each turn, the files of that session are merged in memory with those of every other one at work.

It holds nobody up: sessions go on while it looks, what cannot be looked at is looked at after the next turn, and turns that end close together share a look.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from specgit.errors import GitError
from specgit.foresight import Foresight, Work
from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.domain.foresight import known_of, sessions_with_files
from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.react import ForeseeConflicts
from specthread.domain.reports import ReportConflicts
from specthread.domain.run import WorkSession
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.engine.session_work import protected_folders

EVERY = 5.0
"""Seconds from one look to the next of the same SpecTask."""

_log = structlog.get_logger(__name__)


async def foresee_conflicts(ports: Ports, effect: ForeseeConflicts) -> None:
    """Looks after each turn until it is cancelled."""
    opened = await ports.repository(effect.spectask)
    foresight = Foresight(opened.repository, opened.scratch(effect.spectask, "foresight"))
    seen: dict[RunId, tuple[object, ...]] = {}
    try:
        while True:
            spectask = ports.spectask(effect.spectask)
            marks = {session.id: _mark(session) for session in sessions_with_files(spectask)}
            if marks == seen:
                await ports.changes.wait_change(effect.spectask)
                continue
            await ports.wait_first_call(effect.spectask)
            await _look(ports, opened, foresight, spectask, {run for run, mark in marks.items() if seen.get(run) != mark})
            seen = marks
            await asyncio.sleep(EVERY)
    finally:
        await in_thread(foresight.close)


def _mark(session: WorkSession) -> tuple[object, ...]:
    """What changes when a turn ends, work is committed or something is merged into the files: the next call begins when the tools have done their work."""
    asked = session.question.id if session.question else ""
    return session.attempt, session.spend.calls, asked, session.claims, session.send_backs, session.conflicts, session.verified_seq


async def _look(ports: Ports, opened: OpenRepository, foresight: Foresight, spectask: SpecTask, changed: set[RunId]) -> None:
    try:
        found = await in_thread(_found, opened, foresight, spectask, changed)
    except (GitError, OSError) as error:
        _log.warning("conflicts cannot be looked ahead at", spectask=spectask.id, reason=str(error))
        return
    if any(paths != known_of(spectask, one, other).paths for one, other, paths in found):
        await ports.submit(ReportConflicts(spectask=spectask.id, found=found))


def _found(
    opened: OpenRepository, foresight: Foresight, spectask: SpecTask, changed: set[RunId]
) -> tuple[tuple[RunId, RunId, tuple[str, ...]], ...]:
    works = {str(session.id): work for session in sessions_with_files(spectask) if (work := _work(opened, spectask, session))}
    return tuple((RunId(one), RunId(other), paths) for (one, other), paths in foresight.look(works, changed).items())


def _work(opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Work | None:
    """Returns a session's files and what they stand on; None where they are being made."""
    path: Path = opened.worktree(spectask.id, f"ws-{session.number}")
    tip = opened.repository.resolve(spec_refs(spectask.id).session(session.number))
    if tip is None or not path.is_dir():
        return None
    merged = (GitOid(session.conflict_with),) if session.conflict_with else ()
    return Work(path=path, tip=tip, merge_parents=merged, drop_prefixes=protected_folders(spectask))
