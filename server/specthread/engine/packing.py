"""Packed events: those of a SpecTask that was put away move from a row each into a few compressed rows of the same database.

One transaction moves them, so a crash leaves the one arrangement or the other, and a copy of the database is a copy of the log. The events stay what they
are, with their numbers; who reads the log gets them in their place. A segment holds events of one SpecTask alone, under the SHA-256 of its compressed bytes.
"""

from __future__ import annotations

import hashlib
import heapq
import sqlite3
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from specthread.engine.store import RESTORE, Row, StoreError, is_damage

SEGMENT_EVENTS: Final = 1_000
"""Events in one segment at most: reading one of them unpacks all."""
SEQ: Final = 0
INSTANCE: Final = 1
SPECTASK: Final = 6
RUN: Final = 7
"""Places of columns in a row."""

_CREATE = """CREATE TABLE IF NOT EXISTS segments (
    first INTEGER NOT NULL PRIMARY KEY, last BIGINT NOT NULL, spectask TEXT NOT NULL,
    events INTEGER NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL
)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Where a segment stands: it holds `events` events of one SpecTask, from number `first` to `last`, with those of others between them.

    One that `is_lost` holds none and tells that no event has these numbers any more: they were damaged when the log was repaired.
    """

    first: int
    last: int
    spectask: str
    events: int
    is_lost: bool = False


def segments_after(connection: sqlite3.Connection, since: int) -> tuple[Segment, ...]:
    """Returns the segments that hold an event after number `since`, by their first number; raises StoreError where what is said of one is no such thing."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'segments'").fetchone():
        return ()
    query = "SELECT first, last, spectask, events, digest = x'' AND length(body) = 0 FROM segments WHERE last > ? ORDER BY first"
    found = connection.execute(query, (since,)).fetchall()
    if not all(isinstance(last, int) and isinstance(spectask, str) and isinstance(events, int) for _, last, spectask, events, _ in found):
        raise StoreError("The list of the packed events is damaged.", hint=RESTORE)
    return tuple(
        Segment(first=first, last=last, spectask=spectask, events=events, is_lost=bool(lost))
        for first, last, spectask, events, lost in found
    )


def note_lost(connection: sqlite3.Connection, runs: Iterable[tuple[int, int]]) -> None:
    """Notes, in the transaction under way, from which to which number no events are any more; raises sqlite3.Error."""
    rows = [(first, last, "", last - first + 1, b"", b"") for first, last in runs]
    if rows:
        connection.execute(_CREATE)
        connection.execute("UPDATE meta SET value = '2' WHERE name = 'format'")
        connection.executemany("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)", rows)


def packed(rows: Sequence[Row]) -> tuple[Any, ...]:
    """Returns the segment of these rows of one SpecTask, as the table keeps it."""
    body = zlib.compress(msgspec.msgpack.encode(rows))
    return rows[0][SEQ], rows[-1][SEQ], rows[0][SPECTASK], len(rows), hashlib.sha256(body).digest(), body


def unpacked(connection: sqlite3.Connection, first: int, instance: str) -> list[Row]:
    """Returns the rows of a segment; raises StoreError where it is damaged. Rows that name no log, as once was the rule, are those of log `instance`."""
    body = _body(connection, first)
    if body is None:
        raise StoreError(f"The packed events from number {first} on are damaged.", hint=RESTORE)
    rows = msgspec.msgpack.decode(zlib.decompress(body), type=list[tuple[Any, ...]])
    return [row if row[INSTANCE] else (*row[:INSTANCE], instance, *row[INSTANCE + 1 :]) for row in rows]


def damaged_segments(connection: sqlite3.Connection) -> tuple[Segment, ...]:
    """Returns the segments that cannot be unpacked; raises sqlite3.Error, StoreError."""
    return tuple(each for each in segments_after(connection, 0) if not each.is_lost and _body(connection, each.first) is None)


def _body(connection: sqlite3.Connection, first: int) -> bytes | None:
    """Returns what a segment holds, None where that is not as it was written; raises sqlite3.Error."""
    try:
        digest, body = connection.execute("SELECT digest, body FROM segments WHERE first = ?", (first,)).fetchone() or (b"", b"")
    except sqlite3.DatabaseError as fault:
        if not is_damage(fault):
            raise
        return None
    return body if isinstance(body, bytes) and hashlib.sha256(body).digest() == digest else None


def move(connection: sqlite3.Connection, segment: Sequence[Any]) -> None:
    """Puts a segment in the place of its rows, in one transaction; raises sqlite3.Error, or StoreError where the rows are no longer those."""
    first, last, spectask, events, *_ = segment
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_CREATE)
        connection.execute("UPDATE meta SET value = '2' WHERE name = 'format'")
        connection.execute("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)", segment)
        gone = connection.execute("DELETE FROM events WHERE spectask = ? AND seq BETWEEN ? AND ?", (spectask, first, last))
        if gone.rowcount != events:
            raise StoreError(f"The events of {spectask} were not packed: they changed meanwhile.")


def give_back_room(connection: sqlite3.Connection) -> None:
    """Writes the file anew without the room that packed events left in it; nothing is appended meanwhile. Raises sqlite3.Error."""
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def in_order(
    rows: Iterable[Sequence[Any]], segments: Sequence[Segment], unpack: Callable[[int], list[Row]], since: int
) -> Iterator[Sequence[Any]]:
    """Yields rows and packed events after `since` by number; a segment is unpacked when its turn comes.

    What was packed between the reading of the rows and of the segments is there twice, and yielded once.
    """
    if not segments:
        yield from rows
        return
    waiting, last = deque(segment for segment in segments if not segment.is_lost), since
    heap: list[tuple[int, int, Sequence[Any], Iterator[Sequence[Any]]]] = []

    def take(place: int, more: Iterator[Sequence[Any]]) -> None:
        if (row := next(more, None)) is not None:
            heapq.heappush(heap, (row[SEQ], place, row, more))

    take(0, iter(rows))
    while heap or waiting:
        while waiting and (not heap or waiting[0].first <= heap[0][0]):
            segment = waiting.popleft()
            take(segment.first, (row for row in unpack(segment.first) if row[SEQ] > since))
        if not heap:
            continue
        seq, place, row, more = heapq.heappop(heap)
        if seq > last:
            yield row
            last = seq
        take(place, more)
