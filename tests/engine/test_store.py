from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specthread.domain.events import EVENTS, SCHEMA, CallFinished, EffectFailed
from specthread.domain.ids import RunId
from specthread.engine.log import StoreError, decode_event, encode_event
from support.event_strategy import events


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
