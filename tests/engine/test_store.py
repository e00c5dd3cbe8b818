from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specthread.domain.events import EVENTS, SCHEMA, CallFinished, EffectFailed
from specthread.domain.ids import RunId
from specthread.engine.log import StoreError, decode_event, encode_event
from specthread.engine.store import EVENT_TABLE, envelope_from_row, row_from_envelope
from support.event_strategy import envelope, events


@pytest.mark.parametrize("kind", sorted(EVENTS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_as_it_was_written(kind: str, data: st.DataObject):
    event = data.draw(events(kind))
    assert decode_event(kind, encode_event(event), SCHEMA) == event


@pytest.mark.parametrize("reply", [{"text": "half a pair \ud83d"}, {"\udc00": 1}, {"n": 10**40}, {"n": -(2**70)}, {"s": "\x00\u2028"}])
def test_what_a_model_may_reply_comes_back_as_it_was_written(reply: dict[str, object]):
    event = CallFinished(run=RunId("a/ws-1"), call=1, turn=1, reply=reply, input_tokens=1, output_tokens=1, cost_usd=None)
    assert decode_event("CallFinished", encode_event(event), SCHEMA) == event


def test_a_field_that_an_older_event_does_not_have_takes_its_default():
    event = decode_event("EffectFailed", b'{"effect":"git","reason":"no"}', SCHEMA)
    assert event == EffectFailed(effect="git", reason="no")


def test_an_unknown_event_names_the_version_needed():
    with pytest.raises(StoreError, match=r"“SpecTaskTeleported” of schema 7; this Specthread reads schema 1") as refused:
        decode_event("SpecTaskTeleported", b"{}", 7)
    assert refused.value.hint == "Please install a Specthread that reads event schema 7; until then the log stays as it is."


@pytest.mark.parametrize("payload", [b"", b"{", b"{}", b"[1]", b'{"effect":1,"reason":"x"}', b"\xff\xfe"])
def test_a_damaged_payload_is_named_and_never_a_traceback(payload: bytes):
    with pytest.raises(StoreError, match="cannot be read"):
        decode_event("EffectFailed", payload, SCHEMA)


@pytest.mark.parametrize("payload", [None, 5, 1.5, b'{"effect":' + b"[" * 200_000])
def test_a_payload_of_another_type_or_without_end_is_named_too(payload: object):
    with pytest.raises(StoreError, match="cannot be read"):
        decode_event("EffectFailed", payload, SCHEMA)


COLUMNS = [column.name for column in EVENT_TABLE.columns]


@pytest.mark.parametrize("value", [None, 5, 1.5, b"\x00\xff", "\x00"])
@pytest.mark.parametrize("name", [name for name in COLUMNS if name not in {"seq", "run"}])
def test_a_value_of_another_type_in_a_row_is_damage_and_never_a_traceback(name: str, value: object):
    row = list(row_from_envelope(envelope(1)))
    row[COLUMNS.index(name)] = value
    if name == "schema" and isinstance(value, int):
        with pytest.raises(StoreError, match="of schema 5") as newer:
            envelope_from_row(row)
        assert newer.value.hint.startswith("Please install")
    elif isinstance(value, str) and name in {"instance", "host", "spectask"}:
        assert envelope_from_row(row)
    else:
        with pytest.raises(StoreError) as told:
            envelope_from_row(row)
        assert "check-log" in told.value.hint


def test_a_time_without_its_zone_and_a_row_of_another_table_are_damage():
    row = row_from_envelope(envelope(1))
    place = COLUMNS.index("time")
    for bad in ((*row[:place], "2026-03-01T09:00:00", *row[place + 1 :]), row[:5], ()):
        with pytest.raises(StoreError, match="cannot be read"):
            envelope_from_row(bad)


@pytest.mark.parametrize("kind", ["RunFaileb", "Run\u0166ailed", "runfailed!", "", "Run Failed"])
def test_a_kind_that_no_specthread_writes_is_damage_and_not_of_a_newer_one(kind: str):
    with pytest.raises(StoreError, match="no Specthread writes") as told:
        decode_event(kind, b"{}", SCHEMA)
    assert "check-log" in told.value.hint


def test_no_kind_is_another_one_but_for_a_letter():
    for one, other in combinations(EVENTS, 2):
        assert len(one) != len(other) or sum(a != b for a, b in zip(one, other, strict=True)) > 1
