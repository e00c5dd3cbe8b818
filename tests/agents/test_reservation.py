"""What is reserved for a call is never less than it costs: neither in tokens nor in dollars."""

from dataclasses import replace

import genai_prices.data
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.agents.backend import Message, ModelRequest, Text, ToolSpec, Usage
from specthread.agents.conversation import encoded
from specthread.agents.prices import price, reserve
from specthread.agents.reservation import ADDED, Meter

TOOL = ToolSpec(name="read", description="Reads.", schema={"type": "object"})
FIRST = ModelRequest(run="r", role="planner", turn=1, model="m", system="Be brief.", messages=(), tools=(TOOL,), max_tokens=100)
MODELS = next(each for each in genai_prices.data.providers if each.id == "anthropic").models


def said(role, text):
    return Message(role=role, content=(Text(text=text),))


def tokens(request, ratio):
    """Counts as a tokeniser that makes so many tokens of 100 bytes, and a server that adds as much as it may."""
    parts = ((request.system, request.tools), *request.messages)
    return ADDED + sum(len(encoded(part)) * ratio // 100 for part in parts)


def asked(*messages, **changes):
    return replace(FIRST, messages=messages, **changes)


texts = st.text(max_size=300)


@given(st.data(), st.integers(1, 100))
def test_no_request_has_more_tokens_than_were_counted_whatever_is_left_out_of_it(data, ratio):
    meter, messages = Meter(), [said("user", data.draw(texts))]
    for _ in range(data.draw(st.integers(1, 8))):
        request = asked(*messages, model=data.draw(st.sampled_from(["m", "m", "m", "other"])))
        sent = tokens(request, ratio)
        assert meter.most(request) >= sent
        reply = data.draw(texts)
        if data.draw(st.booleans()):
            # It may count what the cache held in any way, and think more than it shows.
            cached = data.draw(st.integers(0, sent))
            meter.answered(request, Usage(input=sent - cached, cache_read=cached, output=data.draw(st.integers(0, 1000))))
        move = data.draw(st.sampled_from(["go on", "go on", "shorten", "begin anew"]))
        messages += [said("assistant", reply), said("user", data.draw(texts))]
        if move == "shorten":
            at = data.draw(st.integers(0, len(messages) - 1))
            messages[at] = replace(messages[at], content=(Text(text="[removed]"),))
        elif move == "begin anew":
            messages = [said("user", "A summary: " + reply)]


def test_what_was_sent_before_is_counted_as_the_server_counted_it():
    meter = Meter()
    long = "word " * 20_000
    first = asked(said("user", long))
    assert meter.most(first) > 100_000
    meter.answered(first, Usage(input=20_300, output=200))
    then = meter.most(asked(said("user", long), said("assistant", "I read it."), said("user", "Go on.")))
    assert 20_500 < then < 21_000


def test_a_server_that_counts_nothing_is_not_believed():
    meter = Meter()
    request = asked(said("user", "word " * 1000))
    meter.answered(request, Usage())
    assert meter.most(request) > 5_000


@pytest.mark.parametrize("model", [model.id for model in MODELS])
@given(data=st.data(), most=st.integers(0, 400_000), output=st.integers(0, 64_000))
def test_no_call_within_what_was_counted_costs_more_than_was_reserved(model, data, most, output):
    written = data.draw(st.integers(0, most))
    read = data.draw(st.integers(0, most - written))
    plain = data.draw(st.integers(0, most - written - read))
    cost = price(model, Usage(input=plain, cache_read=read, cache_write=written, output=data.draw(st.integers(0, output))))
    reserved = reserve(model, most, output)
    assert (cost is None) is (reserved is None)
    assert cost is None or cost <= reserved
