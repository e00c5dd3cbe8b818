import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.agents.retry import MODEL, RetryPolicy


@pytest.mark.parametrize(
    ("asked", "failures", "draw", "seconds"),
    [(7.0, 1, 0.9, 7.0), (0.0, 3, 0.5, 0.0), (90_000.0, 1, 0.0, 86_400.0), (None, 1, 1.0, 8.0), (None, 2, 0.5, 8.0), (None, 9, 1.0, 60.0)],
)
def test_the_wait_is_what_was_asked_for_or_a_part_of_what_doubles(asked, failures, draw, seconds):
    assert MODEL.wait(failures, draw, asked) == seconds


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_no_wait_is_negative_or_longer_than_its_cap(failures, draw, base, cap):
    assert 0 <= RetryPolicy(attempts=None, base=base, cap=cap).wait(failures, draw) <= cap


def test_tries_are_counted_after_the_first_or_without_end():
    assert [RetryPolicy(attempts=2, base=1, cap=1).allows(failures) for failures in (1, 2, 3)] == [True, True, False]
    assert RetryPolicy(attempts=None, base=1, cap=1).allows(10_000)
