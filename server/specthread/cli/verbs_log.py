"""Verbs about the event log as a whole: daemon backup, check-log, restore and compact. None of them needs a daemon; the last two need that none runs.

They stand under `daemon` and not in `doctor`, which looks for what would stop the work at the place where one stands and changes nothing: a log belongs to the
state folder, may take a minute to read, and can be repaired.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer

from specthread import lost_log, shim
from specthread.cli.outcome import OUTSIDE, PROBLEM, Failure, print_json
from specthread.cli.screen import console
from specthread.engine.log import EventLog
from specthread.engine.log_check import LogReport, check_log
from specthread.engine.log_files import Replaced, back_up, repair, restore
from specthread.engine.packing import give_back_room
from specthread.engine.replaying import replayed
from specthread.engine.store import StoreError
from specthread.engine.upkeep import pack_put_away

_REBUILD = (
    "SpecTasks that came or went on after that are in git: `specthread rebuild` reads them back; until then those that went on are held."
)


def backup(file: Path, *, as_json: bool) -> None:
    """Copies the event log into one new file."""
    with _told():
        events = back_up(_log(), file)
    how = f" `specthread daemon restore {file}` goes back to it." if events else ""
    _say(as_json, {"file": str(file), "events": events}, f"{file} holds {events} events.{how}")


def restore_log(file: Path, *, as_json: bool) -> None:
    """Puts a backup in the place of the event log."""
    with _told():
        done = restore(_log(), file, now=datetime.now(UTC))
    lost_log.note_begun(_log().parent)
    _say(as_json, _values(done), f"The event log holds the {done.events} events of {file} now.{_former(done)} {_REBUILD}")


def check_log_file(file: Path | None, *, mend: bool, as_json: bool) -> None:
    """Reads the whole event log and says what is damaged; ends with 1 where something is and stays so."""
    path = file or _log()
    with _told():
        if mend and file:
            _require_events(file)
        report, done = repair(path, now=datetime.now(UTC)) if mend else (check_log(path), None)
    value = {"file": str(path), "good": report.good, "last": report.last, "faults": list(report.faults), "notices": list(report.notices)}
    if report.lost:
        value["lost"] = sorted(report.lost)
    if not report.faults:
        _say(as_json, value, "\n".join([f"The event log is whole: {report.good} events.", *(f"  {notice}" for notice in report.notices)]))
        return
    _say(as_json, value | (_values(done) if done else {}), _findings(path, report, done))
    if done is None:
        raise typer.Exit(PROBLEM)


def _require_events(file: Path) -> None:
    """Refuses to repair a file that nothing could be saved of, unless it is our own log: it may be anybody's, and would be moved away."""
    report = check_log(file)
    if report.faults and not report.good and not report.newer:
        hint = "It was not changed. Is it an event log? The one of the state folder is repaired without `--file`."
        raise Failure("no-event", f"{file} holds no event that can be read: {report.faults[0]}", hint)


def compact(*, as_json: bool) -> None:
    """Packs the events of archived SpecTasks and gives the room back to the disk."""
    path = _log()
    before = path.stat().st_size if path.exists() else 0
    if not before:
        raise Failure("no-log", f"There is no event log at {path}.", "Nothing needs to be compacted.")
    with _told():
        packed = asyncio.run(_compacted(path))
    after = path.stat().st_size
    sizes = f"{before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now"
    _say(as_json, {"packed": packed, "before": before, "after": after}, f"Packed {packed} events of archived SpecTasks: {sizes}.")


async def _compacted(path: Path) -> int:
    log = EventLog.open(path, host="compact")
    try:
        packed = await pack_put_away(log, replayed(log)[0], {}, worth=1)
        await log.note(give_back_room)
    finally:
        await log.close()
    return packed


def _findings(path: Path, report: LogReport, done: Replaced | None) -> str:
    lines = [
        f"{path} is {'of a newer Specthread' if report.newer else 'damaged'}:",
        *(f"  {found}" for found in (*report.faults, *report.notices)),
    ]
    if done is not None:
        saved = f"Events 1 to {done.events} of {report.last} are in place{_but_for(report)}." if done.events else "Nothing could be saved."
        lines += [f"Repaired. {saved}{_former(done)}", _REBUILD]
    elif report.newer:
        lines += ["Install the newer Specthread that wrote it. Nothing was changed."]
    elif path != _log():
        lines += [
            f"Events 1 to {report.good} are whole{_but_for(report)}. `specthread daemon check-log --repair --file {path}` keeps a copy of the file, and those events."
            if report.good
            else "No event of it can be read; it may be no event log at all."
        ]
    else:
        lines += [
            f"Events 1 to {report.good} are whole{_but_for(report)}. Go back to a backup with `specthread daemon restore FILE`, or stop the daemon and run",
            "`specthread daemon check-log --repair`: it keeps a copy of the file, and those events.",
        ]
    return "\n".join(lines)


def _but_for(report: LogReport) -> str:
    """Returns which SpecTasks are not among the events that are whole."""
    return f", but for those of {', '.join(sorted(report.lost))}, which only a backup or git can give back" if report.lost else ""


def _former(done: Replaced) -> str:
    return f" What was there is kept in {done.former}." if done.former else ""


def _values(done: Replaced) -> dict[str, object]:
    return {"events": done.events, "former": str(done.former) if done.former else None}


def _log() -> Path:
    return Path(shim.state_folder(os.environ)) / "events.db"


def _say(as_json: bool, value: dict[str, object], sentence: str) -> None:  # noqa: FBT001  is the option itself
    if as_json:
        print_json(value)
    else:
        console().print(sentence, soft_wrap=True)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except StoreError as fault:
        raise Failure("event-log", str(fault), fault.hint, status=OUTSIDE) from fault
