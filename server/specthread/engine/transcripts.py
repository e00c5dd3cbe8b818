"""Transcripts in the specs branch: the turns of runs that git does not hold yet, as files and then as one commit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from specgit.commits import CommitRequest
from specgit.session_log import summary_path, turn_path
from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specthread.domain import reports
from specthread.domain.ids import Oid
from specthread.domain.model import SpecTask
from specthread.domain.names import label
from specthread.domain.run import AnyRun, WorkSession
from specthread.domain.runs import all_runs
from specthread.engine.ports import DAEMON_PERSON, Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.views.records import standing_files
from specthread.views.session_page import session_page
from specthread.views.transcript import by_turn, turn_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Turns of a run that git does not hold yet, as files, up to and including `through`, which begins after event `before`."""

    run: AnyRun
    through: int
    before: int
    files: dict[str, bytes]


def unlogged(spectask: SpecTask) -> tuple[AnyRun, ...]:
    """Returns the runs with turns that git does not hold."""
    return tuple(run for run in all_runs(spectask) if run.turn > run.logged_turn)


async def unlogged_turns(ports: Ports, spectask: SpecTask, run: AnyRun) -> Turns:
    """Returns the run's turns that git does not hold, and rewrites the last one it holds: answers and checks may have been added to it."""
    first = max(1, run.logged_turn, run.kept_turn + 1)
    envelopes = await ports.read_events(spectask.id, ports.logged.get(run.id, 0), run.id)
    turns = by_turn(envelopes, first if run.id in ports.logged else 1)
    name = run.id.rpartition("/")[2]
    files = {
        turn_path(spectask.id, name, turn): turn_markdown(turn, events, ports.secrets, label(run.agent)).encode(errors="replace")
        for turn, events in turns.items()
        if first <= turn <= run.turn
    }
    if isinstance(run, WorkSession) and run.ended:
        whole = await ports.read_events(spectask.id, 0, run.id)
        # The page of a session from before the log was rebuilt tells what this log does not know.
        page = f"{name}-attempt-{run.attempt}" if run.kept_turn else name
        files[summary_path(spectask.id, page)] = await in_thread(session_page, spectask, run, whole, ports.secrets)
    return Turns(run=run, through=run.turn, before=turns[run.turn][0].seq - 1, files=files)


async def commit_turns(ports: Ports, opened: OpenRepository, spectask: SpecTask, turns: Sequence[Turns]) -> None:
    """Commits the turns and reports them; the same turns are found again after a crash in between."""
    names = ", ".join(f"{item.run.id.rpartition('/')[2]} to turn {item.through}" for item in turns)
    files = {path: content for item in turns for path, content in item.files.items()}
    # Of many sessions and long ones, this is more than the loop may be held up for.
    standing = await in_thread(standing_files, spectask, ports.secrets)
    request = CommitRequest(
        ref=spec_refs(spectask.id).specs,
        message=f"Record sessions: {names}",
        author=DAEMON_PERSON,
        when=ports.now(),
        trailers=(("Spec-Task", str(spectask.id)), *(("Spec-Session", item.run.id) for item in turns)),
        event=f"{ports.instance}:turns-{_digest(files)}",
        files={**standing, **files},
        since=GitOid(spectask.specs) if spectask.specs else None,
    )
    (result,) = await in_thread(opened.writer.commit, [request])
    for item in turns:
        await ports.submit(reports.RecordTranscript(spectask=spectask.id, run=item.run.id, turn=item.through, oid=Oid(result.oid)))
        ports.logged[item.run.id] = item.before


def _digest(files: dict[str, bytes]) -> str:
    parts = (part for path in sorted(files) for part in (path.encode(), hashlib.sha256(files[path]).digest()))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:20]
