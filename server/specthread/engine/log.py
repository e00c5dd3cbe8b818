"""The event log: every event, in order, durable before anybody hears of it.

Rules of this file:

- One writer thread owns the writing connection. Rows that arrive while it syncs wait together and share the next transaction (group
  commit), so durability is paid once for all of them.
- `append` returns after the write-ahead log is on the disk (`synchronous=FULL`). A transaction that failed refuses its rows and all rows
  behind it, so the numbers in the log never have a gap.
- After a failure nothing is written until `reopen` succeeded. It first deletes what a failed commit may have left behind: rows that were
  refused never come back while this process lives.
- Readers have their own connections and see committed rows only. Only the pragmas and the file lock belong to SQLite.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from specthread.domain.events import Envelope
from specthread.engine.store import (
    EVENT_TABLE,
    FORMAT,
    META_TABLE,
    PRAGMAS,
    RESTORE,
    TABLES,
    Row,
    StoreError,
    decode_event,
    encode_event,
    envelope_from_row,
    row_from_envelope,
    store_error,
    store_faults,
)

__all__ = ["EventLog", "StoreError", "decode_event", "encode_event"]


class EventLog:
    """The durable list of events of one daemon, open for writing in one process only.

    `instance` is the log's own id, made once. `last_seq` is the last durable sequence number.
    `broken` is empty, or says why nothing can be appended until `reopen` succeeds.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.instance = ""
        self.last_seq = 0
        self.broken = ""
        self._next = 1
        self._lock = lock
        self._arrived: deque[_Batch] = deque()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="event-log")
        self._write_engine = _engine(path)
        self._read_engine = _engine(path)
        self._connection: sql.Connection | None = None
        # Compiled once: a row costs as much as the driver asks, not what building the statement again would.
        self._insert = str(sql.insert(EVENT_TABLE).compile(dialect=self._write_engine.dialect))

    @classmethod
    def open(cls, path: Path, *, host: str) -> EventLog:
        """Opens the log at `path`, makes it where there is none, and checks that it is whole; raises StoreError.

        `host` names this machine to a second process that tries to open the log.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = _lock(path, owner=f"process {os.getpid()} on {host}")
        except OSError as fault:
            raise StoreError(
                f"The event log {path} cannot be opened: {fault.strerror}.", hint="Please check that its folder exists and belongs to you."
            ) from fault
        log = cls(path, lock)
        try:
            log._connect(acknowledged=None)
        except StoreError:
            log._disconnect()
            raise
        return log

    async def append(self, rows: Sequence[Envelope]) -> None:
        """Returns when all rows are durable; raises StoreError where none of them is stored.

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
        batch = _Batch(values, asyncio.get_running_loop().create_future())
        self._arrived.append(batch)
        if len(self._arrived) == 1:  # otherwise the writer has been called already and takes these rows too
            self._writer.submit(self._write_arrived)
        await batch.done

    def read_all(self) -> Iterator[Envelope]:
        """Yields every event in order, a thousand rows in memory at a time; raises StoreError."""
        query = sql.select(EVENT_TABLE).order_by(EVENT_TABLE.c.seq).execution_options(yield_per=1000)
        with store_faults(self.path), self._read_engine.connect() as connection:
            yield from map(envelope_from_row, connection.execute(query))

    async def read(
        self, *, since: int = 0, spectask: str | None = None, run: str | None = None, limit: int | None = None
    ) -> tuple[Envelope, ...]:
        """Returns the first `limit` events after number `since`, in order, of one SpecTask or run where named; raises StoreError."""
        query = sql.select(EVENT_TABLE).where(EVENT_TABLE.c.seq > since).order_by(EVENT_TABLE.c.seq).limit(limit)
        if spectask is not None:
            query = query.where(EVENT_TABLE.c.spectask == spectask)
        if run is not None:
            query = query.where(EVENT_TABLE.c.run == run)
        return await asyncio.to_thread(self._select, query)

    async def reopen(self) -> None:
        """Makes a broken log writable again, holding exactly what was acknowledged; raises StoreError, and the log stays broken."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._reconnect)

    async def close(self) -> None:
        """Stores what still waits, then lets go of the file."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._disconnect)

    def _write_arrived(self) -> None:
        """Writes all that waits in one transaction; runs in the writer thread."""
        batches: list[_Batch] = []
        while self._arrived:
            batches.append(self._arrived.popleft())
        if not batches:
            return
        fault: StoreError | None = StoreError("The event log stopped because of a fault in Specthread.", hint="Please restart the daemon.")
        try:
            fault = self._write([row for batch in batches for row in batch.rows])
        finally:
            self.broken = str(fault or "")
            batches[0].done.get_loop().call_soon_threadsafe(_settle, batches, fault)

    def _write(self, rows: list[Row]) -> StoreError | None:
        """Returns why the rows could not be stored, or None when they are durable."""
        if self.broken or self._connection is None:
            return StoreError(self.broken)
        try:
            with self._connection.begin():
                self._connection.exec_driver_sql(self._insert, rows)
        except SQLAlchemyError as fault:
            return store_error(self.path, fault)
        self.last_seq += len(rows)
        return None

    def _select(self, query: sql.Select[Any]) -> tuple[Envelope, ...]:
        with store_faults(self.path), self._read_engine.connect() as connection:
            return tuple(map(envelope_from_row, connection.execute(query)))

    def _connect(self, *, acknowledged: int | None) -> None:
        """Connects, and checks the file or, where given, cuts it back to the last acknowledged number; raises StoreError."""
        with store_faults(self.path):
            with self._write_engine.connect() as connection:
                if acknowledged is None:  # it reads the whole file, which a reopening must not do at every try
                    _check_whole(connection, self.path)
                self.instance = _prepare_tables(connection, self.path)
                if acknowledged is not None:
                    connection.execute(sql.delete(EVENT_TABLE).where(EVENT_TABLE.c.seq > acknowledged))
                    # Always changes a page, so that a disk that is still full is found out here.
                    connection.execute(sql.update(META_TABLE).values(value=META_TABLE.c.value))
                last = connection.scalar(sql.select(sql.func.max(EVENT_TABLE.c.seq))) or 0
                connection.commit()
            if last < (acknowledged or 0):
                raise StoreError(f"The event log {self.path} lost the events after number {last}, which it had stored.", hint=RESTORE)
            self._connection = self._write_engine.connect()
        self.last_seq, self._next, self.broken = last, last + 1, ""

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


def _lock(path: Path, *, owner: str) -> int:
    """Returns the descriptor that holds the file lock; it ends with the process, so a killed daemon never leaves it behind."""
    path.touch(mode=0o600)
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


def _prepare_tables(connection: sql.Connection, path: Path) -> str:
    """Returns the instance id, after making the tables of a new log; refuses a log of a newer format."""
    if sql.inspect(connection).has_table(META_TABLE.name):
        meta = {row.name: row.value for row in connection.execute(sql.select(META_TABLE))}
        if int(meta["format"]) > FORMAT:
            raise StoreError(
                f"The event log {path} has format {meta['format']}; this Specthread reads up to format {FORMAT}.",
                hint="Please install the newer Specthread that wrote it, or use another state folder.",
            )
        return str(meta["instance"])
    instance = str(uuid.uuid4())
    TABLES.create_all(connection)
    connection.execute(sql.insert(META_TABLE), [{"name": "instance", "value": instance}, {"name": "format", "value": str(FORMAT)}])
    connection.commit()
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")  # a torn write-ahead log then costs events at most, never the id
    return instance
