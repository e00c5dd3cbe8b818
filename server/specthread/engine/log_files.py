"""The log as files: a backup beside a running daemon, going back to one, and what can be saved of a damaged log.

A log that is restored or repaired gets a new id: git may hold records of events that it does not know, and the numbers of those are given again.
Its events keep the id under which they were written, by which git names their records.
Nothing is deleted: what was there stands in a folder beside it afterwards.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from specthread.engine.durable_file import sync_folder
from specthread.engine.log import EventLog, lock_of
from specthread.engine.log_check import LogReport, check_log, read_only, rows_in_order
from specthread.engine.packing import SEQ, note_lost
from specthread.engine.store import INSERT, StoreError, store_faults

_CHUNK: Final = 1_000
_BESIDE: Final = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A log that took the place of another: how many events it holds, and the folder where the former one stands (None where there was none)."""

    events: int
    former: Path | None


def back_up(log: Path, target: Path) -> int:
    """Copies the log into one new file as of one moment, durably, and returns the number of its last event; a daemon may run. Raises StoreError, OSError."""
    if target.exists():
        raise StoreError(f"{target} is there already; it was not changed.", hint="Name a new file.")
    if not log.is_file():
        raise StoreError(f"There is no event log at {log}.", hint="Name the state folder in SPECTHREAD_STATE.")
    descriptor, name = tempfile.mkstemp(
        prefix=f"{target.name}.", dir=target.absolute().parent
    )  # one of its own: another may have been killed
    beside = Path(name)
    os.close(descriptor)
    try:
        with store_faults(log), closing(read_only(log)) as source, closing(sqlite3.connect(beside)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            last = _require_whole(copy, target)
        _synced(beside)
        beside.replace(target)
    finally:
        _remove(beside, "", *_BESIDE)
    sync_folder(target.absolute().parent)
    return last


def restore(log: Path, source: Path, *, now: datetime) -> Replaced:
    """Puts a backup in the place of the log; raises StoreError where it is not whole or a daemon runs, and OSError."""
    report = check_log(source)
    if report.faults:
        raise StoreError(f"{source} is no whole event log: {report.faults[0]}", hint="Nothing was changed. Choose another copy.")
    if not report.good:
        raise StoreError(f"{source} holds no events.", hint="Nothing was changed. Choose another copy.")
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(log):
        return _replaced(log, source, report, f"before-{now:%Y%m%dT%H%M%S}")


def repair(log: Path, *, now: datetime) -> tuple[LogReport, Replaced | None]:
    """Keeps the longest part of a damaged log that is whole, from its first event on; None where nothing is wrong with it. Raises StoreError, OSError."""
    if not log.exists():
        return check_log(log), None
    with _alone(log):
        report = check_log(log)
        if not report.faults:
            return report, None
        if report.newer:
            raise StoreError(f"{log} is not damaged: {report.faults[-1]}", hint="Please install the newer Specthread that wrote it.")
        return report, _replaced(log, log, report, f"damaged-{now:%Y%m%dT%H%M%S}")


def _replaced(log: Path, source: Path, report: LogReport, name: str) -> Replaced:
    """Puts what the report calls whole of `source` in the place of the log. A copy of what is there is made first.

    What stands at any moment is the one or the other, whole; where the former one cannot be read nothing may stand for a moment, and the next start says so.
    """
    events = report.good
    former, beside = log.with_name(f"{log.name}.{name}"), log.with_name(f"{log.name}.new")
    kept = _kept(log, former)
    try:
        _remove(beside, "", *_BESIDE)  # of one that was killed
        if events:
            _copy_events(source, beside, report)
            _synced(beside)
    except (OSError, StoreError):  # mostly a full disk: what was begun would only take the room that the next try needs
        if kept:
            shutil.rmtree(former, ignore_errors=True)
        _remove(beside, "", ".lock", *_BESIDE)
        raise
    if not events or not _is_one_file(log):
        log.unlink(missing_ok=True)
    # Frames that belong to the former file must never be read into this one.
    _remove(log, *_BESIDE)
    if events:
        beside.replace(log)
    _remove(beside, ".lock")
    sync_folder(log.parent)
    return Replaced(events=events, former=former if kept else None)


def _kept(log: Path, former: Path) -> bool:
    """Copies the log, durably, into the folder `former`, which is under that name only when all is there; tells whether there was something to copy."""
    found = (log.with_name(f"{log.name}{ending}") for ending in ("", "-wal", "-journal"))
    parts = [part for part in found if part.exists() and part.stat().st_size]
    if not parts:
        return False
    begun = log.with_name(f"{log.name}.part")
    shutil.rmtree(begun, ignore_errors=True)  # of one that was killed
    begun.mkdir(mode=0o700)
    try:
        for part in parts:
            shutil.copyfile(part, begun / part.name)
            _synced(begun / part.name)
        sync_folder(begun)
        begun.rename(former)
    except OSError:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    sync_folder(log.parent)
    return True


def _is_one_file(log: Path) -> bool:
    """Moves what stands only in the write-ahead log into the file itself, and tells whether all of it is there; also where there is no log."""
    if not log.exists():
        return True
    try:
        with closing(sqlite3.connect(log)) as database:
            busy, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        return False
    return not busy


def _remove(path: Path, *endings: str) -> None:
    for ending in endings:
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def _copy_events(source: Path, target: Path, report: LogReport) -> None:
    """Makes a new log of what is whole, in which the numbers of what is lost are noted."""
    EventLog.open(target, host="repair").discard()
    with store_faults(source), closing(read_only(source)) as old, closing(sqlite3.connect(target)) as new:
        gaps: list[tuple[int, int]] = []
        rows = _up_to(report.good, rows_in_order(old, report.lost), gaps)
        with new:
            while chunk := list(islice(rows, _CHUNK)):
                new.executemany(INSERT, chunk)
            note_lost(new, gaps)
        new.execute("PRAGMA journal_mode=DELETE")
        _require_whole(new, target)


def _up_to(last: int, rows: Iterator[Sequence[Any]], gaps: list[tuple[int, int]]) -> Iterator[Sequence[Any]]:
    """Yields rows up to number `last`, behind which nothing may be readable, and adds the first and last number of each gap to `gaps`."""
    before = 0
    for row in rows:
        if row[SEQ] > before + 1:
            gaps.append((before + 1, row[SEQ] - 1))
        before = row[SEQ]
        yield row
        if before >= last:
            return


def _require_whole(database: sqlite3.Connection, path: Path) -> int:
    """Returns the last number in a copy; raises StoreError where the copy is not what it should be."""
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    count, last = database.execute("SELECT count(*), coalesce(max(seq), 0) FROM events").fetchone()
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'segments'").fetchone():
        packed, end = database.execute("SELECT coalesce(sum(events), 0), coalesce(max(last), 0) FROM segments").fetchone()
        count, last = count + packed, max(last, end)
    if found != "ok" or count != last:
        raise StoreError(
            f"The copy {path} is not whole: {found}; it holds {count} of {last} events.", hint="`specthread daemon check-log` says more."
        )
    return int(last)


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _alone(log: Path) -> Iterator[None]:
    """Holds the log's lock; raises StoreError where a daemon runs."""
    lock = lock_of(log, owner=f"process {os.getpid()}, which repairs it")
    try:
        yield
    finally:
        os.close(lock)
