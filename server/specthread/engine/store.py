"""What the event log keeps on disk: its tables, an event as a row, and the words for what a database may report.

Statements are SQLAlchemy Core. `FORMAT` is the version of the tables; `events.SCHEMA`, kept in every row, that of the events in them.
Format 1 has no segments; a log becomes one of format 2 when the first events are packed, so an older Specthread never takes them for missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import sqlalchemy as sql
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from specthread.domain.events import EVENTS, SCHEMA, Envelope, Event
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor
from specthread.domain.upcast import upcast

FORMAT: Final = 2
"""Version of the tables; a log with a higher one is refused."""
PRAGMAS: Final = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL")

Row = tuple[Any, ...]
"""The values of one row, in the order of the columns of `EVENT_TABLE`."""

TABLES: Final = sql.MetaData()
EVENT_TABLE: Final = sql.Table(
    "events",
    TABLES,
    sql.Column("seq", sql.BigInteger().with_variant(sql.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sql.Column("instance", sql.Text, nullable=False),
    sql.Column("schema", sql.Integer, nullable=False),
    sql.Column("host", sql.Text, nullable=False),
    sql.Column("actor", sql.LargeBinary, nullable=False),
    sql.Column("time", sql.Text, nullable=False),
    sql.Column("spectask", sql.Text, nullable=False, index=True),
    sql.Column("run", sql.Text),
    sql.Column("kind", sql.Text, nullable=False),
    sql.Column("payload", sql.LargeBinary, nullable=False),
)
INSERT: Final = str(sql.insert(EVENT_TABLE).compile(dialect=sqlite.dialect()))
"""Compiled once: a row costs as much as the driver asks, not what building the statement again would."""
sql.Index("ix_events_run", EVENT_TABLE.c.run, sqlite_where=EVENT_TABLE.c.run.is_not(None))
META_TABLE: Final = sql.Table("meta", TABLES, sql.Column("name", sql.Text, primary_key=True), sql.Column("value", sql.Text, nullable=False))


class StoreError(Exception):
    """The event log cannot be opened, written or read; says what happened, and `hint` what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def encode_event(event: Event) -> bytes:
    """Returns the JSON under which the log keeps an event; bytes are base64, decimals and times are text."""
    return _encode(event)


def decode_event(kind: str, payload: bytes, schema: int) -> Event:
    """Returns the event of class `kind`; raises StoreError where this version does not know it or the payload is damaged."""
    require_known(schema, kind)
    try:
        if schema == SCHEMA:
            return cast("Event", _decode(payload, EVENTS[kind]))
        name, fields = upcast(kind, json.loads(payload), written=schema, wanted=SCHEMA)
        return msgspec.convert(fields, EVENTS[name])
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError, RecursionError) as fault:
        raise StoreError(f"The event log holds an event “{kind}” of schema {schema} that cannot be read: {fault}", hint=RESTORE) from fault


def require_known(schema: object, kind: object) -> None:
    """Raises StoreError where an event was written by a newer Specthread, or by none: then the row is damaged."""
    if not isinstance(schema, int) or not isinstance(kind, str) or (schema == SCHEMA and kind not in EVENTS and not _may_be_newer(kind)):
        raise StoreError(f"The event log holds an event {kind!r:.80} of schema {schema!r:.80}, which no Specthread writes.", hint=RESTORE)
    if schema > SCHEMA:
        raise StoreError(
            f"The event log holds an event “{kind}” of schema {schema}; this Specthread reads schema {SCHEMA}.",
            hint=f"Please install a Specthread that reads event schema {schema}; until then the log stays as it is.",
        )
    if schema == SCHEMA and kind not in EVENTS:
        raise StoreError(
            f"The event log holds an event “{kind}”, which this Specthread does not know.",
            hint="Please install the newer Specthread that wrote it; until then the log stays as it is.",
        )


def _may_be_newer(kind: str) -> bool:
    """Tells whether a kind that is not known can be one of a newer Specthread: a name, and not a known one with a damaged letter."""
    near = (known for known in EVENTS if len(known) == len(kind) and sum(map(str.__ne__, known, kind)) == 1)
    return bool(re.fullmatch(r"[A-Z][A-Za-z0-9]*", kind)) and not any(near)


def format_of(meta: Mapping[str, object]) -> int:
    """Returns the version of the tables that a log names, 0 where it names none."""
    said = meta.get("format")
    return int(said) if isinstance(said, str) and re.fullmatch(r"[0-9]{1,9}", said) else 0


def fault_of_meta(meta: Mapping[str, object]) -> str:
    """Returns why a log does not say what it is, or nothing."""
    instance = meta.get("instance")
    missing = [name for name, known in (("format", format_of(meta)), ("id", instance and isinstance(instance, str))) if not known]
    return f"it does not say its {' and its '.join(missing)}" if missing else ""


def row_from_envelope(envelope: Envelope) -> Row:
    """Returns an event as the log keeps it."""
    event = envelope.event
    run = _run_field(type(event).__name__)
    return (
        envelope.seq,
        envelope.instance,
        envelope.schema,
        envelope.host,
        _encode(envelope.actor),
        envelope.time.astimezone(UTC).isoformat(timespec="microseconds"),
        envelope.spectask,
        getattr(event, run) if run else None,
        type(event).__name__,
        encode_event(event),
    )


def envelope_from_row(row: Sequence[Any]) -> Envelope:
    """Returns the event of a row; raises StoreError where this version does not know it or the row is damaged."""
    try:
        seq, instance, schema, host, actor, time, spectask, _run, kind, payload = row
    except ValueError as fault:
        raise StoreError(f"The event log holds a row of {len(row)} values, which cannot be read.", hint=RESTORE) from fault
    event = decode_event(kind, payload, schema)
    try:
        return Envelope(
            seq=seq,
            instance=_text(instance),
            schema=schema,
            host=_text(host),
            actor=_actor(actor),
            time=_time(time),
            spectask=SpecTaskId(_text(spectask)),
            event=event,
        )
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as fault:
        raise StoreError(f"The event log holds event {seq} with a head that cannot be read: {fault}", hint=RESTORE) from fault


def row_digest(row: Sequence[Any]) -> bytes:
    """Returns the SHA-256 of a row, by which it is told from another one with its number."""
    return hashlib.sha256(msgspec.msgpack.encode(list(row))).digest()


@contextmanager
def store_faults(path: Path) -> Iterator[None]:
    """Turns what the database reports about the file `path` into a StoreError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as fault:
        raise store_error(path, fault) from fault


def store_error(path: Path, fault: SQLAlchemyError | sqlite3.Error) -> StoreError:
    """Returns the sentence and the hint for what the database reported about the file `path`."""
    reported = fault.orig if isinstance(fault, DBAPIError) else fault
    name = getattr(reported, "sqlite_errorname", "")
    unnamed = (str(reported), RESTORE if is_damage(reported) else "")
    cause, hint = next((words for code, words in _CAUSES.items() if name.startswith(code)), unnamed)
    return StoreError(f"The event log {path} cannot be used: {cause}.", hint=hint)


def is_damage(fault: BaseException | None) -> bool:
    """Tells whether what SQLite reports is of a file that is not as it was written, and not of the disk, the folder or another program."""
    name = getattr(fault, "sqlite_errorname", "")
    # No name: the driver found a text that is none. The last name: a table or a column is missing.
    return (
        name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_TOOBIG", "SQLITE_ERROR"))
        if name
        else isinstance(fault, sqlite3.OperationalError)
    )


RESTORE: Final = (
    "`specthread daemon check-log` says what is damaged; with `--repair` it keeps a copy and saves what can be read. "
    "`specthread daemon restore FILE` goes back to a backup. Without one, `specthread rebuild` reads SpecTasks back from git."
)
_CAUSES: Final = {
    "SQLITE_FULL": ("the disk is full", "Please free some disk space."),
    "SQLITE_IOERR": ("the disk does not take or give the data", "Please check that the disk is neither full nor faulty."),
    "SQLITE_BUSY": ("another program holds it locked", "Please close the program that has the file open."),
    "SQLITE_CORRUPT": ("the file is damaged", RESTORE),
    "SQLITE_NOTADB": ("the file is not an event log", RESTORE),
    "SQLITE_READONLY": ("the file is write-protected", "Please make the file and its folder writable."),
    "SQLITE_CANTOPEN": ("the file cannot be opened", "Please check that its folder exists and belongs to you."),
}

_ENCODER: Final = msgspec.json.Encoder()


def _encode(value: Event | Actor) -> bytes:
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:  # a model may send half a surrogate pair; only the standard library keeps it
        return json.dumps(msgspec.to_builtins(value)).encode()


def _decode(payload: bytes, kind: Any) -> object:  # noqa: ANN401  a class, which the decoder is kept under
    try:
        return _decoder(kind).decode(payload)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(payload), kind)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[object]:  # noqa: ANN401  the same
    return msgspec.json.Decoder(kind)


@cache
def _run_field(kind: str) -> str | None:
    """Returns the field that names the run an event belongs to."""
    return next((field.name for field in fields(EVENTS[kind]) if field.name in {"run", "session", "plan"}), None)


@cache
def _actor(payload: bytes) -> Actor:
    return cast("Actor", _decode(payload, Actor))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is no text")
    return value


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return time
