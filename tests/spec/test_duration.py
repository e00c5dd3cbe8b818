from __future__ import annotations

import pytest

from specthread.spec.duration import seconds_from


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45m", 2700),
        ("2h", 7200),
        ("1h 30m", 5400),
        ("1h30", None),
        ("1.5 hours", 5400),
        ("~20 min", 1200),
        ("90 seconds", 90),
        ("1h 30 min", 5400),
        ("soon", None),
        ("1 hour, 5 minutes", 3900),
        ("0m", 0),
        ("-2h", -7200),
        ("M", None),
        ("3 points", None),
        ("2-4h", None),
        ("3 days", None),
        ("", None),
        ("9" * 400 + "h", None),
    ],
)
def test_times_are_read_as_people_write_them_and_nothing_else_is(text, seconds):
    assert seconds_from(text) == seconds
