from datetime import UTC, datetime

import pytest

from specthread.agents.allowance import exhausted_for, retry_after

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
THERE = {"date": "Thu, 01 Jan 2026 15:00:00 GMT"}


def allowance(name, remaining, reset):
    return {f"anthropic-ratelimit-{name}-remaining": remaining, f"anthropic-ratelimit-{name}-reset": reset}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        (allowance("requests", "3", "2026-01-01T12:00:30Z"), 0.0),
        (allowance("requests", "0", "2026-01-01T12:00:30Z"), 30.0),
        (allowance("requests", "0", "2026-01-01T12:00:30Z") | allowance("output-tokens", "0", "2026-01-01T12:01:00Z"), 60.0),
        (allowance("tokens", "0", "2026-01-01T15:00:10Z") | THERE, 10.0),
        (allowance("tokens", "0", "2026-01-01T11:00:00Z"), 0.0),
        (allowance("tokens", "0", "soon"), 0.0),
        (allowance("tokens", "0", "2026-01-01T12:00:30"), 0.0),
        ({"anthropic-ratelimit-tokens-remaining": "0"}, 0.0),
    ],
)
def test_an_exhausted_allowance_says_when_it_is_there_again_by_the_servers_own_clock(headers, seconds):
    assert exhausted_for(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 2026 15:00:09 GMT"} | THERE, 9.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "later"}, None),
        ({"retry-after": "later"} | allowance("requests", "0", "2026-01-01T12:00:30Z"), 30.0),
        (allowance("requests", "0", "2026-01-01T12:00:30Z"), 30.0),
    ],
)
def test_a_refusal_says_when_to_come_back_else_its_exhausted_allowance_does(headers, seconds):
    assert retry_after(headers, NOW) == seconds
