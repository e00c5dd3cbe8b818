"""A crash at points of the demo's story: what was not durable is dropped, the rest is replayed, and the story ends the same.

Every fourth point is tried, all of them with SPECTHREAD_EVERY_CRASH=1: that takes a quarter of an hour.
"""

import os
import random
from itertools import count

import pytest

from support.demo_end import assert_sound, same
from support.demo_run import play
from support.git_fixture import isolate_git

pytestmark = pytest.mark.slow

SHARDS = 6
EVERY = 1 if os.environ.get("SPECTHREAD_EVERY_CRASH") else 4


@pytest.fixture
async def whole(tmp_path, monkeypatch):
    """The end of the story when nothing happens to it."""
    isolate_git(monkeypatch, tmp_path / "home")
    end = await play(tmp_path / "whole")
    assert (end.state, end.stopped) == ("done", False)
    assert end.events >= 200
    return end


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_crash_after_any_event_changes_nothing_in_the_end(tmp_path, whole, shard):
    """Two of three crashes come inside the append of the event, at any of its bytes; what is left then is the log up to the event before."""
    for number in count(EVERY * shard + 1, EVERY * SHARDS):
        folder, tear = tmp_path / f"event-{number}", random.Random(number).random() if number % 3 else None
        if not (await play(folder, stop_after=number, tear=tear)).stopped:
            break
        end = await play(folder)
        assert same(end, whole), f"after event {number}, its append torn at {tear}: {end}"
        assert_sound(folder, end)
    assert number > 200


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_crash_between_a_commit_and_its_acknowledgement_changes_nothing_in_the_end(tmp_path, whole, shard):
    for number in count(EVERY * shard + 1, EVERY * SHARDS):
        folder = tmp_path / f"commit-{number}"
        if not (await play(folder, stop_at_commit=number)).stopped:
            break
        end = await play(folder)
        assert same(end, whole), f"after commit {number}: {end}"
        assert_sound(folder, end)
    assert number > 20
