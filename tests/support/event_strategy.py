"""Events and other values of the model, made from the types of their fields, and envelopes to put events in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, NewType, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from immutables import Map

from specthread.domain.events import EVENTS, SCHEMA, Envelope, Event, ToolFinished
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import Actor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
LEAVES = {
    Any: JSON,
    str: st.text(max_size=20),
    int: st.integers(0, 2**40),
    float: st.floats(0, 2**40, allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=40),
    Decimal: st.decimals(0, 10_000, allow_nan=False, allow_infinity=False),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    type(None): st.none(),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Returns a strategy for a field's type; fails for a kind of field the log has never held before."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in LEAVES:
        found = LEAVES[kind]
    elif isinstance(kind, NewType):
        found = values_of(kind.__supertype__)
    elif isinstance(kind, type) and origin is None:
        found = st.builds(kind, **{name: values_of(hint) for name, hint in fields_of(kind).items()})
    elif origin is Literal:
        found = st.sampled_from(inner)
    elif origin is dict:
        found = st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=3)
    elif origin is Map:
        found = st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=2).map(Map)
    elif origin is frozenset:
        found = st.frozensets(values_of(inner[0]), max_size=3)
    elif origin is tuple and inner[-1] is Ellipsis:
        found = st.lists(values_of(inner[0]), max_size=3).map(tuple)
    elif origin is tuple:
        found = st.tuples(*map(values_of, inner))
    else:
        found = st.one_of(*map(values_of, inner))
    return found


def fields_of(kind: type) -> dict[str, Any]:
    """Returns the types of the fields that a dataclass keeps."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in msgspec.inspect.type_info(kind).fields}  # type: ignore[union-attr]


def events(kind: str) -> st.SearchStrategy[Event]:
    """Returns a strategy for the events of one class."""
    return values_of(EVENTS[kind])


def envelope(seq: int, event: Event | None = None, *, spectask: str = "add-json-7k3f", run: str = "add-json-7k3f/ws-1") -> Envelope:
    """Returns an event in its envelope; a small ToolFinished unless another is given."""
    return Envelope(
        seq=seq,
        instance="i",
        schema=SCHEMA,
        host="box",
        actor=Actor(kind="human", name="Ada", email="ada@example.org"),
        time=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
        spectask=SpecTaskId(spectask),
        event=event or ToolFinished(run=RunId(run), turn=seq, tool_use_id=f"t{seq}", content="ok " * 60),
    )


def sample_of(kind: Any) -> Any:
    """Returns one value of a field's type, always the same, with every optional part there."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in SAMPLES:
        found = SAMPLES[kind]
    elif isinstance(kind, NewType):
        found = sample_of(kind.__supertype__)
    elif isinstance(kind, type) and origin is None:
        found = kind(**{name: sample_of(hint) for name, hint in fields_of(kind).items()})
    elif origin is Literal:
        found = inner[-1]
    elif origin is dict:
        found = {sample_of(inner[0]): sample_of(inner[1])}
    elif origin is tuple:
        found = tuple(sample_of(each) for each in inner if each is not Ellipsis)
    else:
        found = sample_of(next(each for each in inner if each is not type(None)))
    return found


SAMPLES = {
    Any: ["a", 1, None, {"b": True}],
    str: "Wörter",
    int: 7,
    float: 1.5,
    bool: True,
    bytes: b"# Text\n",
    Decimal: Decimal("1.50"),
    date: date(2026, 3, 1),
    datetime: datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
}
