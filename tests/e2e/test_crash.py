"""A crash at every point of the demo's story: what was not durable is dropped, the rest is replayed, and the story ends the same."""

from dataclasses import replace
from itertools import count

import pytest

from support.demo_run import play
from support.git_fixture import git, isolate_git

pytestmark = pytest.mark.slow

SHARDS = 6


@pytest.fixture
async def whole(tmp_path, monkeypatch):
    """The end of the story when nothing happens to it."""
    isolate_git(monkeypatch, tmp_path / "home")
    end = await play(tmp_path / "whole")
    assert (end.state, end.stopped) == ("done", False)
    assert end.events >= 80
    return end


def same(end, whole):
    """Tells what must be equal: states of tasks, sessions and approvals, and the trees; not times, ids, attempts or call counts."""
    return replace(end, events=0, calls={}, sessions=by_task(end)) == replace(whole, events=0, calls={}, sessions=by_task(whole))


def by_task(end):
    """Which session got which task depends on who was free; that each task's session is completed does not."""
    return sorted(end.sessions.values())


def assert_sound(folder, end):
    """Every call number was used once and in order, and no record or merge was committed twice."""
    for numbers in end.calls.values():
        assert list(numbers) == list(range(1, len(numbers) + 1))
    repository = folder / "hours"
    for branch in ("specs", "feature"):
        ref = next(line for line in git(repository, "for-each-ref", "--format=%(refname)").splitlines() if line.endswith(f"/{branch}"))
        walk = ["log", "--first-parent", "--format=%(trailers:key=Specthread-Event,valueonly,separator=%x20)", ref]
        events = [line for line in git(repository, *walk).splitlines() if line]
        assert len(events) == len(set(events)), branch
    assert "error" not in git(repository, "fsck", "--strict").lower()


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_crash_after_any_event_changes_nothing_in_the_end(tmp_path, whole, shard):
    for number in count(shard + 1, SHARDS):
        folder = tmp_path / f"event-{number}"
        if not (await play(folder, stop_after=number)).stopped:
            break
        end = await play(folder)
        assert same(end, whole), f"after event {number}: {end}"
        assert_sound(folder, end)
    assert number > 80


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_crash_between_a_commit_and_its_acknowledgement_changes_nothing_in_the_end(tmp_path, whole, shard):
    for number in count(shard + 1, SHARDS):
        folder = tmp_path / f"commit-{number}"
        if not (await play(folder, stop_at_commit=number)).stopped:
            break
        end = await play(folder)
        assert same(end, whole), f"after commit {number}: {end}"
        assert_sound(folder, end)
    assert number > 20
