from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from specthread.domain import events as e
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import DAEMON
from specthread.engine.feed import RECENT_BYTES, Feed

EACH = 1024 * 1024


def replied(seq):
    block = {"kind": "text", "text": "x" * EACH}
    event = e.CallFinished(
        run=RunId("x-1/ws-1"), call=seq, turn=seq, reply={"content": [block]}, input_tokens=1, output_tokens=1, cost_usd=None
    )
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return e.Envelope(seq=seq, instance="i", schema=1, host="h", actor=DAEMON, time=time, spectask=SpecTaskId("x-1"), event=event)


async def test_large_events_are_read_from_the_log_instead_of_being_kept():
    log = [replied(seq) for seq in range(1, 41)]
    read: list[int] = []

    async def from_log(since, limit):
        read.append(since)
        return tuple(log[since : since + min(limit, 5)])

    feed = Feed(from_log, 0)
    listener = feed.subscribe(0)
    for envelope in log:
        feed.publish([envelope])
    seen = [(await anext(listener)).seq for _ in log]
    assert seen == list(range(1, 41))
    assert read == [0, 5, 10, 15, 20]
    kept = await feed.after(40 - RECENT_BYTES // EACH + 1)
    assert len(kept) == RECENT_BYTES // EACH - 1
    assert read == [0, 5, 10, 15, 20]


async def test_the_words_of_a_call_that_broke_are_not_heard_after_it_broke():
    run, other = RunId("x-1/ws-1"), RunId("x-1/ws-2")
    feed = Feed(None, 0)
    listener = feed.subscribe(0)
    for who, text in ((run, "I will"), (other, "Meanwhile"), (run, " look.")):
        feed.tick(who, text)
    lost = e.CallLost(run=run, call=1, turn=1, reason="cut: The connection broke.")
    feed.publish([replace(replied(1), event=lost)])
    feed.tick(run, "Again.")
    assert (await anext(listener)).event == lost
    assert [((tick := await anext(listener)).run, tick.text) for _ in range(2)] == [(other, "Meanwhile"), (run, "Again.")]
