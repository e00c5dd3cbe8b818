"""Whether a log is whole: what SQLite says of the file, and whether every event is there, can be read, and goes with those before it.

A start makes the quick part of these checks only. This one reads everything, and changes nothing; a daemon may run meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from specthread.domain.events import SCHEMA, DocumentEdited, Envelope
from specthread.domain.model import State
from specthread.engine.packing import SPECTASK, Segment, damaged_segments, in_order, segments_after, unpacked
from specthread.engine.replaying import folded
from specthread.engine.store import FORMAT, StoreError, envelope_from_row, fault_of_meta, format_of, is_damage, store_error, store_faults
from specthread.spec.digest import content_digest

FAULTS_OF_FILE: Final = 20
"""How many of SQLite's findings are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What was found: events 1 to `good` are whole; `last` is the highest number seen; a log without `faults` is sound.

    `notices` say what is strange in events that are whole: nothing can be mended there, and nothing is kept from being read.
    """

    good: int
    last: int
    faults: tuple[str, ...]
    notices: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    """SpecTasks of which packed events are damaged: the events that are whole are those of all others."""
    newer: bool = False
    """A newer Specthread wrote it: nothing is known to be damaged, and nothing may be repaired."""


def check_log(path: Path) -> LogReport:
    """Reads the log at `path` from end to end; raises StoreError where there is none, or where the disk or its folder does not let it be read."""
    if not path.is_file():
        raise StoreError(f"There is no event log at {path}.", hint="Name the state folder in SPECTHREAD_STATE, or the file itself.")
    with store_faults(path), closing(read_only(path)) as database:
        meta, faults = _meta(database, path)
        if format_of(meta) > FORMAT:
            fault = f"It has format {meta['format']}, which only a newer Specthread reads."
            return LogReport(good=0, last=0, faults=(fault,), newer=True)
        return _read(database, [*faults, *_faults_of_file(database)])


def _meta(database: sqlite3.Connection, path: Path) -> tuple[dict[str, str], list[str]]:
    """Returns what the log says of itself, and what is wrong with that; its events may be whole all the same."""
    try:
        meta = dict(database.execute("SELECT name, value FROM meta"))
    except sqlite3.Error as fault:
        _require_damage(fault)
        return {}, [str(store_error(path, fault))]
    unsaid = fault_of_meta(meta)
    return meta, [f"{unsaid[0].upper()}{unsaid[1:]}."] if unsaid else []


def _require_damage(fault: sqlite3.Error) -> None:
    """Raises the fault again where it tells of the disk, the folder or another program: nothing is known of the log then, and nothing may be repaired."""
    if not is_damage(fault):
        raise fault


def read_only(path: Path) -> sqlite3.Connection:
    """Returns a connection that changes nothing; raises sqlite3.Error."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def rows_in_order(database: sqlite3.Connection, without: Collection[str] = ()) -> Iterator[Sequence[Any]]:
    """Yields every row, packed ones too, by number, but those of the SpecTasks `without`; raises sqlite3.Error and StoreError where it comes to what cannot be read."""
    meta, _ = _meta(database, Path())
    rows = database.execute("SELECT * FROM events ORDER BY seq")
    others = (row for row in rows if row[SPECTASK] not in without) if without else rows
    segments = [each for each in segments_after(database, 0) if each.spectask not in without]  # after the rows: a daemon may pack meanwhile
    return in_order(others, segments, lambda first: unpacked(database, first, meta.get("instance", "")), 0)


def _faults_of_file(database: sqlite3.Connection) -> list[str]:
    try:
        found = [str(row[0]) for row in database.execute(f"PRAGMA integrity_check({FAULTS_OF_FILE})")]
    except sqlite3.DatabaseError as fault:  # it is too damaged to be looked through; some of it may be readable all the same
        _require_damage(fault)
        found = [str(fault)]
    return [] if found == ["ok"] else [f"SQLite finds: {' '.join(each.split())}." for each in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holes:
    """Where events may be missing: those that were lost before, and those of the SpecTasks of which packed events are damaged now."""

    packed: tuple[Segment, ...]
    numbers: frozenset[int]

    @classmethod
    def of(cls, database: sqlite3.Connection, lost: Collection[str]) -> _Holes:
        """Returns the holes that a log without the SpecTasks `lost` has; raises sqlite3.Error, StoreError."""
        numbers = (
            frozenset(seq for seq, spectask in database.execute("SELECT seq, spectask FROM events") if spectask in lost) if lost else ()
        )
        return cls(
            packed=tuple(each for each in segments_after(database, 0) if each.is_lost or each.spectask in lost), numbers=frozenset(numbers)
        )

    def hold(self, missing: range) -> bool:
        """Tells whether all these numbers are in one."""
        return len(missing) <= self.room() and all(
            seq in self.numbers or any(each.first <= seq <= each.last for each in self.packed) for seq in missing
        )

    def room(self) -> int:
        """Returns how many events are missing where no others are."""
        return len(self.numbers) + sum(each.events for each in self.packed)


def _read(database: sqlite3.Connection, faults: list[str]) -> LogReport:
    """Folds event after event up to the first that is not as it should be; without SpecTasks of which packed events are damaged, so that these cost no others theirs."""
    good, kept, state, newer, notices, lost = 0, 0, State(), False, list[str](), frozenset[str]()
    seq, last = 1, _last(database)  # a daemon may append more meanwhile
    try:
        damaged = damaged_segments(database)
        faults += [f"{each.events} packed events of {each.spectask} from number {each.first} on are damaged." for each in damaged]
        lost = frozenset(each.spectask for each in damaged)
        holes = _Holes.of(database, lost)
        for row in rows_in_order(database, lost):
            if not isinstance(row[0], int) or not holes.hold(range(good + 1, row[0])):
                faults.append(f"Event {good + 1} is missing; the next one is {row[0]}.")
                break
            seq = row[0]
            envelope = envelope_from_row(row)
            state = folded(state, envelope)
            good, kept, seq = seq, kept + (seq <= last), seq + 1
            notices += _unlike_digest(envelope)
        else:
            if holes.packed and last - kept > holes.room():  # some of others are among them, and nobody can tell which
                faults.append(f"More events than those are missing from number {holes.packed[0].first} on.")
                good, lost = holes.packed[0].first - 1, frozenset()
    except StoreError as fault:
        newer = fault.hint.startswith("Please install") and _is_newer(database, seq)
        faults.append(f"Event {seq}: {fault}")
    except sqlite3.Error as fault:
        _require_damage(fault)
        faults.append(f"Event {seq} cannot be read: {fault}.")
    return LogReport(good=good, last=max(good, last), faults=tuple(faults), notices=tuple(notices), lost=lost, newer=newer)


def _unlike_digest(envelope: Envelope) -> list[str]:
    """Returns that a document is not what its digest names, where it is so; the event counts as good, since the words may be what a person reads best."""
    event = envelope.event
    if not isinstance(event, DocumentEdited) or content_digest(event.content) == event.digest:
        return []
    return [f"Event {envelope.seq}: {event.document} of {envelope.spectask} is not the text that its digest names."]


def _is_newer(database: sqlite3.Connection, seq: int) -> bool:
    """Tells whether an event that calls itself newer is so: a log that a newer Specthread wrote to is never taken back by an older one."""
    older_follows = (
        "SELECT 1 FROM events AS newer, events AS later "
        "WHERE newer.seq = ? AND newer.schema > ? AND later.seq > newer.seq AND later.schema <= ? LIMIT 1"
    )
    try:
        return database.execute(older_follows, (seq, SCHEMA, SCHEMA)).fetchone() is None
    except sqlite3.Error as fault:
        _require_damage(fault)
        return False


def _last(database: sqlite3.Connection) -> int:
    """Returns the highest number that can still be found."""
    last = 0
    for query in ("SELECT max(seq) FROM events", "SELECT max(last) FROM segments"):
        try:
            found = database.execute(query).fetchone()[0]
            last = max(last, found) if isinstance(found, int) else last
        except sqlite3.Error as fault:
            _require_damage(fault)
    return last
