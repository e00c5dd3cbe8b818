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

from specthread.engine.store import RESTORE, Row, StoreError

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
    """Where a segment stands: it holds `events` events of one SpecTask, from number `first` to `last`, with those of others between them."""

    first: int
    last: int
    spectask: str
    events: int


def segments_after(connection: sqlite3.Connection, since: int) -> tuple[Segment, ...]:
    """Returns the segments that hold an event after number `since`, by their first number; raises StoreError where what is said of one is no such thing."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'segments'").fetchone():
        return ()
    found = connection.execute("SELECT first, last, spectask, events FROM segments WHERE last > ? ORDER BY first", (since,)).fetchall()
    if not all(isinstance(last, int) and isinstance(spectask, str) for _, last, spectask, _ in found):
        raise StoreError("The list of the packed events is damaged.", hint=RESTORE)
    return tuple(Segment(first=first, last=last, spectask=spectask, events=events) for first, last, spectask, events in found)


def packed(rows: Sequence[Row]) -> tuple[Any, ...]:
    """Returns the segment of these rows of one SpecTask, as the table keeps it."""
    body = zlib.compress(msgspec.msgpack.encode(rows))
    return rows[0][SEQ], rows[-1][SEQ], rows[0][SPECTASK], len(rows), hashlib.sha256(body).digest(), body


def unpacked(connection: sqlite3.Connection, first: int, instance: str) -> list[Row]:
    """Returns the rows of a segment; raises StoreError where it is damaged. Rows that name no log, as once was the rule, are those of log `instance`."""
    found = connection.execute("SELECT digest, body FROM segments WHERE first = ?", (first,)).fetchone()
    if found is None or not isinstance(found[1], bytes) or hashlib.sha256(found[1]).digest() != found[0]:
        raise StoreError(f"The packed events from number {first} on are damaged.", hint=RESTORE)
    rows = msgspec.msgpack.decode(zlib.decompress(found[1]), type=list[tuple[Any, ...]])
    return [row if row[INSTANCE] else (*row[:INSTANCE], instance, *row[INSTANCE + 1 :]) for row in rows]


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
    waiting, last = deque(segments), since
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
