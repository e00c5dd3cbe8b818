"""How much of what an external agent says is kept: it may say without end."""

import asyncio
import json

from specthread.agents import acp_wire
from specthread.agents.acp_journal import KEPT, Draft


def chunk(text, kind="agent_message_chunk"):
    return {"sessionUpdate": kind, "content": {"type": "text", "text": text}}


def call(**more):
    return {"sessionUpdate": "tool_call", "toolCallId": "c1", "kind": "other", "status": "completed", **more}


def test_of_the_words_of_a_turn_so_much_is_kept_and_the_next_has_room_again():
    draft = Draft()
    for _ in range(30):
        assert draft.take(chunk("x" * 10_000)) == "x" * 10_000
        draft.take(chunk("y" * 10_000, "agent_thought_chunk"))
    reply, _ = draft.close("m")
    assert KEPT <= sum(len(block.text) for block in reply.content) < KEPT + 100
    assert reply.content[-1].text.endswith("[the rest is left out]")
    draft.take(chunk("a"))
    draft.take(chunk("b"))
    reply, _ = draft.close("m")
    assert [block.text for block in reply.content] == ["ab"]


def test_of_what_a_call_is_given_so_much_is_kept_and_it_says_so():
    draft = Draft()
    fields = {f"k{number}": number for number in range(10_000)}
    draft.take(call(rawInput={"path": "a", "text": "x" * KEPT * 3, "list": ["y" * KEPT], **fields}))
    assert not draft.calls[0].hides
    reply, _ = draft.close("m")
    given = reply.content[0].input
    assert len(json.dumps(given)) < KEPT + 10_000
    assert (given["path"], given["k1"]) == ("a", 1)
    assert given["text"].endswith("[the rest is left out]")


def test_a_command_that_is_kept_in_part_cannot_be_judged():
    draft = Draft()
    draft.take(call(kind="execute", rawInput={"command": f"echo {'x' * KEPT}; curl evil"}))
    assert draft.calls[0].hides


async def test_no_more_is_read_than_somebody_takes(monkeypatch):
    monkeypatch.setattr(acp_wire, "TOLD_KEPT", 1_000)
    reader = asyncio.StreamReader()
    for number in range(100):
        reader.feed_data(json.dumps({"method": "session/update", "params": {"update": chunk(str(number))}}).encode() + b"\n")
    reader.feed_eof()
    lines = acp_wire._Lines(reader, None)
    reading = asyncio.ensure_future(lines.receive())
    await asyncio.sleep(0)
    assert 5 < lines.told.qsize() < 20
    told = [await lines.next() for _ in range(101)]
    assert [each["content"]["text"] for each in told[:-1]] == list(map(str, range(100)))
    assert (told[-1], await reading) == ("gone", None)
