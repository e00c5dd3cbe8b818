"""The event log: every event, in order, durable before anybody hears of it.

Rules of this file:

- One writer thread owns the writing connection. Rows that arrive while it syncs wait together and share the next transaction (group
  commit), so durability is paid once for all of them.
- `append` returns after the write-ahead log is on the disk (`synchronous=FULL`). A transaction that failed refuses its rows and all rows
  behind it, so the numbers in the log never have a gap.
- After a failure nothing is written until `reopen` succeeded. It first deletes what a failed commit may have left behind: rows that were
  refused never come back while this process lives.
- Readers have their own connections and see committed rows only. Only the pragmas, the file lock and packing belong to SQLite.
- Opening costs the same however long the log is: a large file is read whole only when somebody asks (`log_check.py`).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sql

from specthread.domain.events import Envelope
from specthread.engine.answered import Answered, forget_answered, note_answered
from specthread.engine.packing import INSTANCE, RUN, SEGMENT_EVENTS, SPECTASK, Segment, in_order, move, packed, segments_after, unpacked
from specthread.engine.store import (
    EVENT_TABLE,
    FORMAT,
    INSERT,
    META_TABLE,
    PRAGMAS,
    RESTORE,
    TABLES,
    Row,
    StoreError,
    decode_event,
    encode_event,
    envelope_from_row,
    fault_of_meta,
    format_of,
    require_known,
    row_digest,
    row_from_envelope,
    store_error,
    store_faults,
)

__all__ = ["EventLog", "StoreError", "decode_event", "encode_event"]

T = TypeVar("T")

SMALL: Final = 64 * 1024 * 1024
"""Bytes up to which a log is read whole when it is opened, which takes a tenth of a second."""


class EventLog:
    """The durable list of events of one daemon, open for writing in one process only.

    `instance` is the log's own id, made once. `last_seq` is the last durable sequence number. `is_restored` tells that it goes on from events of another log.
    `broken` is empty, or says why nothing can be appended until `reopen` succeeds.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.instance = ""
        self.last_seq = 0
        self.broken = ""
        self.is_restored = False
        self._next = 1
        self._lock = lock
        self._arrived: deque[_Batch] = deque()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="event-log")
        self._write_engine = _engine(path)
        self._read_engine = _engine(path)
        self._connection: sql.Connection | None = None
        self._has_packed = False
        self._lost: dict[int, int] = {}

    @classmethod
    def open(cls, path: Path, *, host: str) -> EventLog:
        """Opens the log at `path`, makes it where there is none, and checks that it can be read; raises StoreError.

        `host` names this machine to a second process that tries to open the log.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = lock_of(path, owner=f"process {os.getpid()} on {host}")
            path.touch(mode=0o600)
        except OSError as fault:
            raise StoreError(
                f"The event log {path} cannot be opened: {fault.strerror}.", hint="Please check that its folder exists and belongs to you."
            ) from fault
        log = cls(path, lock)
        try:
            log._connect(acknowledged=None)
        except Exception:
            log._disconnect()
            raise
        return log

    async def append(self, rows: Sequence[Envelope], answered: Sequence[Answered] = ()) -> None:
        """Returns when all rows, and the keys that they answer, are durable; raises StoreError where none of them is stored.

        Called from one event loop, with the numbers that follow the last row given, else ValueError.
        A caller that is cancelled while it waits does not know whether its rows were stored.
        """
        if self.broken:
            raise StoreError(self.broken, hint="Nothing is accepted until the event log can be written again.")
        values = [row_from_envelope(row) for row in rows]
        for row in rows:
            if row.seq != self._next:
                raise ValueError(f"the next event has number {self._next}, not {row.seq}")
            self._next += 1
        batch = _Batch(values, answered, asyncio.get_running_loop().create_future())
        self._arrived.append(batch)
        if len(self._arrived) == 1:  # otherwise the writer has been called already and takes these rows too
            self._writer.submit(self._write_arrived)
        await batch.done

    def read_all(self, since: int = 0) -> Iterator[Envelope]:
        """Yields every event after number `since` in order, a thousand rows in memory at a time; raises StoreError, also where one is missing."""
        query = sql.select(EVENT_TABLE).where(EVENT_TABLE.c.seq > since).order_by(EVENT_TABLE.c.seq).execution_options(yield_per=1000)
        with store_faults(self.path), self._read_engine.connect() as connection:
            for row in self._with_packed(connection, connection.execute(query), since):
                if row[0] != self._lost.get(since, since) + 1:
                    raise StoreError(f"The event log {self.path} is damaged: event {since + 1} is missing.", hint=RESTORE)
                since = row[0]
                yield envelope_from_row(row)

    async def read(
        self, *, since: int = 0, spectask: str | None = None, run: str | None = None, limit: int | None = None
    ) -> tuple[Envelope, ...]:
        """Returns the first `limit` events after number `since`, in order, of one SpecTask or run where named; raises StoreError."""
        return await asyncio.to_thread(self._read, since, spectask, run, limit)

    def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Returns what stands beside the events, as `question` reads it; raises StoreError."""
        with store_faults(self.path), self._read_engine.connect() as connection:
            return question(_driver(connection))

    async def note(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """Returns when `change` has changed what stands beside the events, in a transaction of its own; raises StoreError."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._change, change)

    def digest_at(self, seq: int) -> bytes:
        """Returns the digest of the event with this number, or nothing where there is none; raises StoreError."""
        found = self._row(seq)
        return row_digest(found) if found else b""

    def instance_of(self, seq: int) -> str:
        """Returns the id of the log that wrote the event with this number, which is another one where this log was restored; raises StoreError."""
        found = self._row(seq) if self.is_restored else None
        return str(found[INSTANCE]) if found else self.instance

    async def pack(self, spectask: str, worth: int = 1) -> int:
        """Packs the events of a SpecTask to which nothing is added, where there are `worth` to pack; returns how many. Raises StoreError.

        Appends go on: they wait at most for the moving of a thousand events.
        """
        moved = 0
        while rows := await asyncio.to_thread(self._unpacked_rows, spectask):
            if moved + len(rows) < worth:
                break
            segment = await asyncio.to_thread(packed, rows)
            await asyncio.get_running_loop().run_in_executor(self._writer, self._move, segment)
            moved += len(rows)
        return moved

    async def reopen(self) -> None:
        """Makes a broken log writable again, holding exactly what was acknowledged; raises StoreError, and the log stays broken."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._reconnect)

    async def close(self) -> None:
        """Stores what still waits, then lets go of the file."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._disconnect)

    def discard(self) -> None:
        """Lets go of the file at once; for a log to which nothing is appended."""
        self._disconnect()

    def _write_arrived(self) -> None:
        """Writes all that waits in one transaction; runs in the writer thread."""
        batches: list[_Batch] = []
        while self._arrived:
            batches.append(self._arrived.popleft())
        if not batches:
            return
        fault: StoreError | None = StoreError("The event log stopped because of a fault in Specthread.", hint="Please restart the daemon.")
        try:
            fault = self._write([row for batch in batches for row in batch.rows], [each for batch in batches for each in batch.answered])
        finally:
            self.broken = str(fault or "")
            batches[0].done.get_loop().call_soon_threadsafe(_settle, batches, fault)

    def _write(self, rows: list[Row], answered: list[Answered]) -> StoreError | None:
        """Returns why the rows could not be stored, or None when they are durable."""
        if self.broken or self._connection is None:
            return StoreError(self.broken)
        driver = _driver(self._connection)
        try:
            with driver:
                driver.executemany(INSERT, rows)
                note_answered(driver, answered)
        except sqlite3.Error as fault:
            return store_error(self.path, fault)
        self.last_seq += len(rows)
        return None

    def _row(self, seq: int) -> Sequence[Any] | None:
        query = sql.select(EVENT_TABLE).where(EVENT_TABLE.c.seq == seq)
        with store_faults(self.path), self._read_engine.connect() as connection:
            found = connection.execute(query).first() or next(iter(self._with_packed(connection, (), seq - 1)), None)
        return found if found is not None and found[0] == seq else None

    def _read(self, since: int, spectask: str | None, run: str | None, limit: int | None) -> tuple[Envelope, ...]:
        query = sql.select(EVENT_TABLE).where(EVENT_TABLE.c.seq > since).order_by(EVENT_TABLE.c.seq).limit(limit)
        if spectask is not None:
            query = query.where(EVENT_TABLE.c.spectask == spectask)
        if run is not None:
            query = query.where(EVENT_TABLE.c.run == run)
        with store_faults(self.path), self._read_engine.connect() as connection:
            rows = self._with_packed(connection, connection.execute(query).all(), since, spectask, run)
            return tuple(map(envelope_from_row, islice(rows, limit)))

    def _with_packed(
        self, connection: sql.Connection, rows: Iterable[Sequence[Any]], since: int, spectask: str | None = None, run: str | None = None
    ) -> Iterator[Sequence[Any]]:
        """Yields rows that were just asked for, with what is packed in its place. The segments are asked for after the rows: nothing is overlooked."""
        driver = _driver(connection)

        def unpack(first: int) -> list[Row]:
            found = unpacked(driver, first, self.instance)
            return [row for row in found if spectask in {None, row[SPECTASK]} and run in {None, row[RUN]}]

        segments = segments_after(driver, since) if self._has_packed else ()
        return in_order(rows, [each for each in segments if spectask in {None, each.spectask}], unpack, since)

    def _unpacked_rows(self, spectask: str) -> list[Row]:
        """Returns the first rows of a SpecTask, as many as a segment takes."""
        query = sql.select(EVENT_TABLE).where(EVENT_TABLE.c.spectask == spectask).order_by(EVENT_TABLE.c.seq).limit(SEGMENT_EVENTS)
        with store_faults(self.path), self._read_engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def _move(self, segment: tuple[Any, ...]) -> None:
        """Packs; runs in the writer thread."""
        self._has_packed = True  # before the rows leave their table, so that no reader misses them
        self._change(lambda connection: move(connection, segment))

    def _change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """Changes what is stored; runs in the writer thread."""
        if self.broken or self._connection is None:
            raise StoreError(self.broken)
        with store_faults(self.path):
            change(_driver(self._connection))

    def _connect(self, *, acknowledged: int | None) -> None:
        """Connects, and checks the file or, where given, cuts it back to the last acknowledged number; raises StoreError."""
        with store_faults(self.path):
            with self._write_engine.connect() as connection:
                if acknowledged is None and self.path.stat().st_size <= SMALL:
                    _check_whole(connection, self.path)
                self.instance = _prepare_tables(connection, self.path)
                segments: tuple[Segment, ...] = segments_after(_driver(connection), 0)
                self._has_packed = bool(segments)
                self._lost = {each.first - 1: each.last for each in segments if each.is_lost}
                if acknowledged is not None:
                    connection.execute(sql.delete(EVENT_TABLE).where(EVENT_TABLE.c.seq > acknowledged))
                    forget_answered(_driver(connection), after=acknowledged)
                    # Always changes a page, so that a disk that is still full is found out here.
                    connection.execute(sql.update(META_TABLE).values(value=META_TABLE.c.value))
                last = max(_last_row(connection), max((segment.last for segment in segments), default=0))
                connection.commit()
            if last < (acknowledged or 0):
                raise StoreError(f"The event log {self.path} lost the events after number {last}, which it had stored.", hint=RESTORE)
            self._connection = self._write_engine.connect()
        self.last_seq, self._next, self.broken = last, last + 1, ""
        first = self._row(1)
        self.is_restored = bool(self._lost) or (first is not None and first[INSTANCE] != self.instance)

    def _reconnect(self) -> None:
        self._drop_connections()
        self._connect(acknowledged=self.last_seq)

    def _disconnect(self) -> None:
        self.broken = "The event log is closed."
        self._drop_connections()
        os.close(self._lock)
        self._writer.shutdown(wait=False)

    def _drop_connections(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()  # it may hold a failed transaction that cannot be rolled back any more
            self._connection.close()
            self._connection = None
        self._read_engine.dispose()
        self._write_engine.dispose()


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one `append` gave, and the future it waits for."""

    rows: list[Row]
    answered: Sequence[Answered]
    done: asyncio.Future[None]


def _settle(batches: list[_Batch], fault: StoreError | None) -> None:
    for batch in batches:
        if batch.done.done():  # its caller was cancelled
            continue
        if fault is None:
            batch.done.set_result(None)
        else:
            batch.done.set_exception(StoreError(str(fault), hint=fault.hint))


def _engine(path: Path) -> sql.Engine:
    engine = sql.create_engine(sql.URL.create("sqlite", database=str(path)))

    @sql.event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own connection
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def lock_of(path: Path, *, owner: str) -> int:
    """Returns the descriptor that holds the log's lock; it ends with the process, so a killed daemon never leaves it behind. Raises StoreError, OSError."""
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        holder = os.pread(lock, 200, 0).decode(errors="replace") or "another process"
        os.close(lock)
        raise StoreError(
            f"The event log {path} is open in {holder}.",
            hint="Please stop that daemon with `specthread daemon stop`, or use another state folder.",
        ) from fault
    os.ftruncate(lock, 0)
    os.pwrite(lock, owner.encode(), 0)
    return lock


def _check_whole(connection: sql.Connection, path: Path) -> None:
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise StoreError(f"The event log {path} is damaged: {found}.", hint=RESTORE)


def _driver(connection: sql.Connection) -> sqlite3.Connection:
    """Returns SQLite's own connection."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  it is what `_engine` makes
    return driver


def _last_row(connection: sql.Connection) -> int:
    """Returns the last number among the rows, 0 where there are none; raises StoreError where a newer Specthread wrote it."""
    table = EVENT_TABLE.c
    found = connection.execute(sql.select(table.seq, table.schema, table.kind).order_by(table.seq.desc()).limit(1)).first()
    if found is None:
        return 0
    require_known(found.schema, found.kind)
    return int(found.seq)


def _prepare_tables(connection: sql.Connection, path: Path) -> str:
    """Returns the instance id, after making the tables of a new log; refuses a log of a newer format."""
    if sql.inspect(connection).has_table(META_TABLE.name):
        meta = {row.name: row.value for row in connection.execute(sql.select(META_TABLE))}
        if format_of(meta) > FORMAT:
            raise StoreError(
                f"The event log {path} has format {meta['format']}; this Specthread reads up to format {FORMAT}.",
                hint="Please install the newer Specthread that wrote it, or use another state folder.",
            )
        if fault := fault_of_meta(meta):
            raise StoreError(f"The event log {path} is damaged: {fault}.", hint=RESTORE)
        return str(meta["instance"])
    instance = str(uuid.uuid4())
    TABLES.create_all(connection, [EVENT_TABLE, META_TABLE])
    connection.execute(sql.insert(META_TABLE), [{"name": "instance", "value": instance}, {"name": "format", "value": "1"}])
    connection.commit()
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # a torn write-ahead log then costs events at most, never the id
    return instance
