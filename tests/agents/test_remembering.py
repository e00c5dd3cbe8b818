"""What of a model's answers is remembered, and for whom."""

from dataclasses import replace

import pytest

from specthread.agents.backend import Message, ModelError, ModelRequest, Text, Usage
from specthread.agents.prices import NO_COST
from specthread.agents.provider import Provider
from specthread.agents.remembering import RememberingModel
from specthread.agents.scripted import ScriptedModel, say, spoken, use
from specthread.agents.tools import FINISH, READ, SEARCH, WRITE_DOCUMENT
from specthread.agents.turns import MessagesBackend
from support.journal_port import Journal
from support.turns_story import ASSIGNMENT, toolbox
from support.virtual_time import VirtualTime

REQUEST = ModelRequest(
    run="x-1/plan-1",
    role="planner",
    turn=1,
    model="m",
    system="Plan.",
    messages=(Message(role="user", content=(Text(text="Add one"),)),),
    tools=(READ, SEARCH, WRITE_DOCUMENT, FINISH),
    max_tokens=1000,
)


class Memory(dict):
    def put(self, key, value):
        self[key] = value


def model(*content, memory=None, **options):
    """Returns a remembering model that always says the same, and the requests that reached it."""
    asked = []

    def story(request):
        asked.append(request)
        return spoken(request, *content, **options)

    return RememberingModel(ScriptedModel(story=story), Memory() if memory is None else memory), asked


async def ask(model, request=REQUEST):
    return await model.reply(request, lambda _: None)


async def test_an_identical_call_of_another_run_is_answered_from_memory_with_its_words_and_at_no_use():
    pieces = []
    remembering, asked = model(say("I look."), use("read", path="a"))
    first = await ask(remembering)
    again = await remembering.reply(replace(REQUEST, run="x-2/plan-1", turn=7, attempt=2), pieces.append)
    assert len(asked) == 1
    assert again == replace(first, cached=True, usage=Usage())
    assert (first.cached, pieces) == (False, ["I look."])


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"system": "Plan!"},
        {"messages": (Message(role="user", content=(Text(text="Add two"),)),)},
        {"tools": (READ,)},
        {"max_tokens": 2000},
        {"effort": "high"},
        {"schema": {"type": "object"}},
        {"role": "implementer"},
    ],
)
async def test_a_call_that_differs_in_anything_is_made(change):
    remembering, asked = model(use("read", path="a"))
    await ask(remembering)
    assert not (await ask(remembering, replace(REQUEST, **change))).cached
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ((use("write_document", document="design", text="x"),), {}),
        ((use("read", path="a"), use("finish", summary="Done.")), {}),
        ((use("read", path="a"),), {"stop_reason": "max_tokens"}),
        ((say("Hm."),), {}),
    ],
)
async def test_what_does_more_than_read_is_asked_for_anew(content, options):
    remembering, asked = model(*content, **options)
    await ask(remembering)
    assert not (await ask(remembering)).cached
    assert len(asked) == 2


async def test_what_one_server_said_is_not_given_for_another():
    memory = Memory()
    here, _ = model(use("read", path="a"), memory=memory)
    there, asked = model(use("read", path="a"), memory=memory)
    here.server, there.server = "http://localhost:1234", "http://localhost:11434"
    await ask(here)
    assert not (await ask(there)).cached
    assert len(asked) == 1


async def test_an_answer_from_memory_does_not_speak_for_the_provider():
    time = VirtualTime()
    provider = Provider(clock=time, sleep=time.sleep)
    remembering, asked = model(use("read", path="a"))
    backend = MessagesBackend(model=remembering, prices=NO_COST, provider=provider, sleep=time.sleep)
    planning = replace(ASSIGNMENT, role="planner", max_turns=1)
    async with time.passing():
        await backend.run(planning, Journal(), toolbox())
        provider.has_answered = False
        place = await provider.enter("other")
        place.failed("no key works", for_all=True)
        place.leave()
        journal = Journal()
        await backend.run(planning, journal, toolbox())
    assert [reply.cached for _, reply, _ in journal.of("finished")] == [True]
    assert len(asked) == 1
    assert (provider.is_open, provider.has_answered) == (True, False)


async def test_nothing_is_remembered_unasked_and_of_a_call_that_broke():
    remembering, asked = model(use("read", path="a"))
    remembering.memory = None
    await ask(remembering)
    await ask(remembering)
    assert len(asked) == 2
    broken = RememberingModel(ScriptedModel(story=lambda _: ModelError("cut", "Broken.", retryable=True)), Memory())
    with pytest.raises(ModelError):
        await ask(broken)
    assert broken.memory == {}


@pytest.mark.parametrize("found", [b"{", b'{"content": 1}', b""])
async def test_what_cannot_be_read_back_is_asked_again(found):
    remembering, asked = model(use("read", path="a"))
    await ask(remembering)
    for key in remembering.memory:
        remembering.memory[key] = found
    assert not (await ask(remembering)).cached
    assert len(asked) == 2
