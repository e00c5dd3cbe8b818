"""A snapshot: the state as of an event, kept beside the log so that a start folds only what came after.

The log alone is the truth. A snapshot that is damaged, of another log, newer than its log or made by other folding code is set aside, and the whole log is
folded: without one a start takes longer, and nothing else. The file is written beside its place, synced and moved there, and begins with a line that says what it is.
"""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import msgspec
import structlog
from immutables import Map

from specthread.domain.copying import replace
from specthread.domain.ids import SpecTaskId
from specthread.domain.locks import Locks
from specthread.domain.model import SpecTask, State
from specthread.engine.durable_file import replace_durably
from specthread.engine.log import EventLog

T = TypeVar("T")
_logger = structlog.get_logger(__name__)
_FOLDING: Final = ("specthread.domain", "specthread.spec")
"""The packages whose code makes a state out of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """The first line of the file: of which log and event it is, by which code, and the SHA-256 of what follows. `tip` tells the event from another with its number."""

    instance: str
    sequence: int
    tip: str
    code: str
    digest: str


def snapshot_path(log: Path) -> Path:
    """Returns where the snapshot of a log stands."""
    return log.with_name(f"{log.name}.snapshot")


def keep_snapshot(log: EventLog, state: State) -> None:
    """Writes the snapshot of a durable state of this log, durably; a crash leaves the one before. Raises OSError, StoreError."""
    body = zlib.compress(b"\n".join(encode_state(state)), level=1)
    head = _Head(
        instance=log.instance,
        sequence=state.sequence,
        tip=log.digest_at(state.sequence).hex(),
        code=folding_code(),
        digest=hashlib.sha256(body).hexdigest(),
    )
    replace_durably(snapshot_path(log.path), msgspec.json.encode(head) + b"\n" + body)


def latest_state(log: EventLog) -> State:
    """Returns the state of the snapshot where it is one of this log and this code, else the empty state; raises StoreError where the log cannot be read."""
    path = snapshot_path(log.path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return State()
    except OSError as fault:
        return _set_aside(path, f"it cannot be read: {fault.strerror}")
    try:
        first, _, body = content.partition(b"\n")
        head = msgspec.json.decode(first, type=_Head)
        unfit = _unfitness(log, head, body)
        return _set_aside(path, unfit) if unfit else decode_state(zlib.decompress(body).split(b"\n"), head.sequence)
    except (msgspec.MsgspecError, zlib.error, ValueError, LookupError, RecursionError) as fault:
        return _set_aside(path, f"it is damaged: {fault}")


def _unfitness(log: EventLog, head: _Head, body: bytes) -> str:
    """Returns why a snapshot does not count, or nothing."""
    if head.instance != log.instance:
        return "it is of another log"
    if head.code != folding_code():
        return "another Specthread made it"
    if not 0 <= head.sequence <= log.last_seq:
        return f"it knows {head.sequence} events, the log {log.last_seq}"
    if hashlib.sha256(body).hexdigest() != head.digest:
        return "it is damaged"
    return "" if log.digest_at(head.sequence).hex() == head.tip else f"event {head.sequence} is another one in the log"


def _set_aside(path: Path, reason: str) -> State:
    _logger.warning("a snapshot does not count; the whole log is read", file=str(path), reason=reason)
    try:
        path.replace(path.with_name(f"{path.name}.aside"))
    except OSError as fault:
        _logger.warning("the snapshot could not be set aside", file=str(path), reason=fault.strerror)
    return State()


@functools.cache
def folding_code() -> str:
    """Returns the SHA-256 of the code that folds events and of this file: a state made by other code may be another one."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for package in _FOLDING:
        for file in sorted(files(package).iterdir(), key=lambda each: each.name):
            if file.name.endswith(".py"):
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


# --- a state as text --------------------------------------------------------------------------------------------------


def encode_state(state: State) -> Iterator[bytes]:
    """Yields a line of JSON for the locks and one for each SpecTask; one at a time, so that a thread that does it keeps nobody waiting."""
    yield _encoded(_First(locks=state.locks))
    for spectask in state.spectasks.values():
        texts: dict[bytes, bytes] = {}
        yield _encoded(_Line(spectask=_with_texts(spectask, functools.partial(_key, texts)), texts=tuple(texts.values())))


def decode_state(lines: list[bytes], sequence: int) -> State:
    """Returns the state again; raises ValueError and msgspec's errors where the lines are not one."""
    first, *others = filter(None, lines)
    found = (_spectask_from(line) for line in others)
    return State(
        sequence=sequence, spectasks=Map({SpecTaskId(spectask.id): spectask for spectask in found}), locks=_decoded(first, _FIRST).locks
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    """What belongs to no single SpecTask."""

    locks: Locks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A SpecTask with keys for the texts of its documents, and each text once: documents, approvals and versions mostly hold the same."""

    spectask: SpecTask
    texts: tuple[bytes, ...]


def _encoded(line: _First | _Line) -> bytes:
    try:
        return _ENCODER.encode(line)
    except UnicodeEncodeError:  # half a surrogate pair in a name or in a model's words; only the standard library keeps it
        return json.dumps(msgspec.to_builtins(line, enc_hook=_pairs)).encode()


def _decoded(line: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(line)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(line), decoder.type, dec_hook=_map)


def _spectask_from(line: bytes) -> SpecTask:
    found = _decoded(line, _LINE)
    texts = {_digest(text): text for text in found.texts}
    return _with_texts(found.spectask, texts.__getitem__)


def _key(texts: dict[bytes, bytes], text: bytes) -> bytes:
    key = _digest(text)
    texts[key] = text
    return key


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _with_texts(spectask: SpecTask, change: Callable[[bytes], bytes]) -> SpecTask:
    """Returns the SpecTask with other texts of its documents."""
    return replace(
        spectask,
        documents=Map({name: replace(each, content=change(each.content)) for name, each in spectask.documents.items()}),
        approvals=Map({name: replace(each, content=change(each.content)) for name, each in spectask.approvals.items()}),
        sent_back=Map({name: change(text) for name, text in spectask.sent_back.items()}),
        versions=tuple(
            replace(version, contents=Map({name: change(text) for name, text in version.contents.items()})) for version in spectask.versions
        ),
    )


def _pairs(value: object) -> list[tuple[Any, Any]]:
    """Returns a map as its pairs: keys may be numbers or pairs themselves, which JSON objects cannot hold."""
    if isinstance(value, Map):
        return list(value.items())
    raise NotImplementedError(type(value))


def _map(kind: Any, pairs: Any) -> Map[Any, Any]:  # noqa: ANN401  a type of map, and what JSON holds of one
    key, value = get_args(kind)
    return Map(msgspec.convert(pairs, list[tuple[key, value]], dec_hook=_map))  # type: ignore[valid-type]


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_pairs)
_FIRST: Final = msgspec.json.Decoder(_First, dec_hook=_map)
_LINE: Final = msgspec.json.Decoder(_Line, dec_hook=_map)
