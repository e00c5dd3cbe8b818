"""Which models a server has, through the real client, and what is kept of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from specthread.agents.backend import Message, ModelError, ModelRequest, Text
from specthread.agents.capabilities import Learned
from specthread.agents.catalogue import Catalogue, Listing, ModelFacts, complaints, facts_from
from specthread.agents.messages_api import MessagesApiModel
from support.fake_messages_api import FakeMessagesApi, Line, say

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
VENDORS = {
    "id": "claude-opus-4-20250514",
    "type": "model",
    "display_name": "Claude Opus 4",
    "created_at": "2025-05-14T00:00:00Z",
    "lifecycle": "deprecated",
    "retires_at": "2027-01-05T00:00:00Z",
    "max_input_tokens": 200_000,
    "max_tokens": 32_000,
    "capabilities": {"structured_outputs": {"supported": True}},
}


async def test_what_a_server_says_of_its_models_is_kept_for_a_day(tmp_path):
    async with FakeMessagesApi([], models=(VENDORS,)) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url)
        catalogue = Catalogue(tmp_path / "state" / "models.json")
        first = await catalogue.of(fake.url, model.models, NOON)
        assert await catalogue.of(fake.url, model.models, NOON + timedelta(hours=23)) == first
        assert len(fake.asides) == 1
        await catalogue.of(fake.url + "/", model.models, NOON + timedelta(hours=25))
        assert len(fake.asides) == 2
        await model.close()
    assert first.models == (
        ModelFacts(
            id="claude-opus-4-20250514",
            context=200_000,
            longest_reply=32_000,
            lifecycle="deprecated",
            retires=date(2027, 1, 5),
            schemas=True,
        ),
    )
    assert catalogue.known(fake.url).at == NOON + timedelta(hours=25)


async def test_a_server_that_does_not_answer_leaves_what_was_known_and_is_an_error_where_nothing_was(tmp_path):
    catalogue = Catalogue(tmp_path / "models.json")
    async with FakeMessagesApi([]) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url)
        with pytest.raises(ModelError, match="Not found"):
            await catalogue.of(fake.url, model.models, NOON)
        fake.models = (VENDORS,)
        known = await catalogue.of(fake.url, model.models, NOON)
        fake.models = None
        assert await catalogue.of(fake.url, model.models, NOON + timedelta(days=9)) == known
        await model.close()


def test_a_damaged_file_is_none(tmp_path):
    (tmp_path / "models.json").write_text('{"x": 1')
    assert Catalogue(tmp_path / "models.json").known("x") is None


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ({"data": [{"id": "m", "object": "model", "max_model_len": 8192}]}, 8192),
        ({"data": [{"id": "m", "meta": {"n_ctx_train": 131072, "n_vocab": 7}}]}, 131072),
        ({"data": [{"id": "m", "max_context_length": 4096, "state": "loaded"}]}, 4096),
        ({"data": [{"id": "m", "owned_by": "library", "max_input_tokens": None}, "odd", {"id": 7}]}, None),
    ],
)
def test_compatible_servers_say_it_in_their_own_words(body, context):
    assert facts_from(body) == (ModelFacts(id="m", context=context),)


@pytest.mark.parametrize("body", [None, [], {}, {"data": {}}, {"data": [{"id": "m", "retires_at": "soon", "capabilities": []}]}])
def test_an_answer_of_another_form_lists_what_can_be_read_of_it(body):
    assert facts_from(body) in {(), (ModelFacts(id="m"),)}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("claude-opus-5-5", ()),
        ("claude-haiku-4-5", ()),
        ("qwen3", ()),
        ("claude-opus-55", ("does not exist there. It has claude-opus-5-5, claude-opus-4, claude-2 and others.",)),
        ("claude-opus-4", ("is deprecated and retires on 2027-01-05. Choose a newer one.",)),
        ("claude-2", ("is retired: no call to it succeeds any more.",)),
        ("small", ("holds 8,192 tokens at once, too few for most work: 32,000 are the least that make sense.",)),
    ],
)
def test_what_speaks_against_a_model_is_told(model, said):
    listing = Listing(
        at=NOON,
        models=(
            ModelFacts(id="claude-opus-5-5", context=1_000_000, lifecycle="active"),
            ModelFacts(id="claude-haiku-4-5-20251001"),
            ModelFacts(id="qwen3:latest"),
            ModelFacts(id="claude-opus-4", lifecycle="deprecated", retires=date(2027, 1, 5)),
            ModelFacts(id="claude-2", lifecycle="retired"),
            ModelFacts(id="small", context=8192),
        ),
    )
    assert complaints(listing, model) == said


async def test_the_room_of_a_model_is_learned_with_what_its_server_takes(tmp_path):
    said = Message(role="user", content=(Text(text="Hello"),))
    request = ModelRequest(run="", role="", turn=1, model="m", system="", messages=(said,), tools=(), max_tokens=9)
    learned = Learned(tmp_path / "c.json")
    async with FakeMessagesApi(
        [Line(when="Hello", content=(say("Hi."),))], models=({"id": "m", "max_model_len": 8192, "max_tokens": 4},)
    ) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, learned=learned, probes=True)
        await model.reply(request, lambda _: None)
        await model.close()
    assert [(can.context, can.longest_reply) for can in learned.read().values()] == [(8192, 4)]
    assert fake.requests[0].body["max_tokens"] == 4
