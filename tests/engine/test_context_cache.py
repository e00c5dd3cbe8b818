from __future__ import annotations

import errno
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from specthread.agents.scripted import replies_before, spoken, use
from specthread.domain import commands as c
from specthread.domain import events as e
from specthread.engine.cache_file import read_export
from specthread.engine.context_cache import MOST_BYTES, ContextCache, content_key
from support.engine_world import DESIGN, REQUIREMENTS, plan, task, world
from support.git_fixture import isolate_git, make_repository


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_what_was_put_in_comes_out_until_its_time_is_over(clock):
    cache = ContextCache(clock=clock, seconds=60)
    cache.put("a", b"1")
    cache.put("b", b"2", seconds=5)
    clock.now += 10
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"1", None, None)
    assert (cache.metrics.hits, cache.metrics.misses, cache.metrics.expired, cache.metrics.entries) == (1, 2, 1, 1)
    assert cache.metrics.hit_rate == pytest.approx(1 / 3)


@pytest.mark.parametrize(("policy", "gone"), [("lru", "often"), ("lfu", "once")])
def test_the_least_used_makes_room(clock, policy, gone):
    cache = ContextCache(policy=policy, most_bytes=2 * 1200, clock=clock)
    cache.put("often", b"x" * 900)
    for _ in range(5):
        cache.get("often")
    cache.put("once", b"x" * 900)
    cache.put("new", b"x" * 900)
    assert [key for key in ("often", "once", "new") if cache.get(key) is None] == [gone]
    assert cache.metrics.evicted == 1
    cache.put("huge", b"x" * 3000)
    assert cache.get("huge") is None


def test_keys_follow_from_content_alone():
    assert content_key("read", {"b": 1, "a": [2]}) == content_key("read", {"a": [2], "b": 1})
    assert content_key("read", {"a": 1}) != content_key("read", {"a": "1"})
    assert content_key("read", "a", "b") != content_key("read", "a,b")


def test_names_are_forgotten_by_pattern(clock):
    cache = ContextCache(clock=clock)
    for key in ("read/one/1", "read/one/2", "read/two/1"):
        cache.put(key, b"x")
    assert cache.invalidate("read/one/*") == 2
    assert [cache.get(key) for key in ("read/one/1", "read/two/1")] == [None, b"x"]


def test_a_part_sees_what_is_above_and_is_forgotten_alone(clock):
    cache = ContextCache(clock=clock)
    cache.put("k", b"above")
    part = cache.child("spec[1]*")
    below = part.child("ws-1")
    assert (part.get("k"), below.get("k")) == (b"above", b"above")
    below.put("k", b"below")
    part.put("j", b"part")
    assert (cache.get("k"), part.get("k"), below.get("k"), below.get("j"), cache.get("j")) == (b"above", b"above", b"below", b"part", None)
    assert part.forget() == 2
    assert (below.get("k"), part.get("j"), cache.get("k")) == (b"above", None, b"above")


def test_it_is_kept_on_disk_and_damage_costs_only_what_was_in_it(clock, tmp_path, capsys):
    cache = ContextCache(clock=clock)
    cache.put("a", b"1", seconds=100)
    cache.put("b", b"2", seconds=10)
    cache.save(tmp_path / "cache.bin")
    clock.now += 50
    other = ContextCache(clock=clock)
    other.restore(tmp_path / "cache.bin")
    assert (other.get("a"), other.get("b")) == (b"1", None)
    content = (tmp_path / "cache.bin").read_bytes()
    nested = b"\x81\xa1x" + b"\x91" * 200_000 + b"\xc0"
    for damaged in (b"", content[:-1], content[:-2] + b"xx", b"\x93\x01\x02\x03", b"\x81\xa1\xff\x01", nested):
        (tmp_path / "cache.bin").write_bytes(damaged)
        empty = ContextCache(clock=clock)
        empty.restore(tmp_path / "cache.bin")
        assert empty.get("a") is None
        assert "the cache begins empty" in capsys.readouterr().out
        with pytest.raises(ValueError, match=r"is no exported cache|is damaged"):
            read_export(tmp_path / "cache.bin", MOST_BYTES)
    ContextCache().restore(tmp_path / "none.bin")
    cache.save(tmp_path / "no/folder/cache.bin")


class Remembering(RuleBasedStateMachine):
    """Whatever is asked in whatever order, a value is the last one put under its key, and the room is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.cache = ContextCache(most_bytes=3000, clock=self.clock, seconds=50)
        self.put_last: dict[str, tuple[bytes, float]] = {}

    @rule(key=st.sampled_from("abcdef"), size=st.integers(0, 1500))
    def put(self, key, size):
        value = key.encode() * size
        self.cache.put(key, value)
        self.put_last[key] = (value, self.clock.now + 50)

    @rule(key=st.sampled_from("abcdef"))
    def get(self, key):
        found = self.cache.get(key)
        value, until = self.put_last.get(key, (None, 0.0))
        assert found is None or (found == value and until > self.clock.now)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds):
        self.clock.now += seconds

    @rule()
    def go_through_the_disk(self):
        content = self.cache.exported()
        self.cache = ContextCache(most_bytes=3000, clock=self.clock, seconds=50)
        self.cache.load(content)

    @invariant()
    def the_room_is_kept(self):
        assert self.cache.metrics.bytes <= 3000


Remembering.TestCase.settings = settings(max_examples=60, deadline=None)
TestRemembering = Remembering.TestCase

READS = [(use("read", path=f"src/{number}.py"),) for number in range(6)] + [(use("search", pattern="VALUE"),)]
WRITES = [
    (use("write_document", document="requirements", text=REQUIREMENTS),),
    (use("write_document", document="design", text=DESIGN),),
    (use("write_document", document="tasks", text=plan(task(1, "Add", "test -f calc.py"))),),
    (use("finish", summary="Planned."),),
]


def reads_then_writes(request):
    steps = [*READS, *WRITES]
    return spoken(request, *steps[min(replies_before(request), len(steps) - 1)])


async def results_of(story, run):
    envelopes = await story.engine.read_events(story.id, 0, f"{story.id}/{run}")
    return [item.event.content for item in envelopes if isinstance(item.event, e.ToolFinished)][: len(READS)]


async def test_a_spectask_that_is_planned_again_reads_from_what_is_known_and_reads_the_same(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {f"src/{number}.py": f"VALUE = {number}\n" for number in range(6)})
    async with world(tmp_path, repository, reads_then_writes) as story:
        await story.create()
        await story.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)
        for round_ in range(2, 8):
            await story.give(c.RequestChanges(spectask=story.id, message="Once more."))
            await story.until(
                lambda spectask, n=round_: len(spectask.plans) == n and spectask.state == "spec_review" and not spectask.uncommitted
            )
        first, last = await results_of(story, "plan-1"), await results_of(story, "plan-7")
        assert first == last
        assert "VALUE = 3" in first[3]
        cache = (await story.engine.statistics())["cache"]
        known = len(READS) + 1  # and what the planner is told of the project at first
        assert (cache["hits"], cache["misses"]) == (6 * known, known)
        assert cache["hit_rate"] > 0.8
    async with world(tmp_path, repository, reads_then_writes) as again:
        assert (await again.engine.statistics())["cache"]["entries"] == known


def test_a_part_whose_own_value_is_over_is_told_what_is_known_above():
    now = [0.0]
    cache = ContextCache(clock=lambda: now[0])
    cache.put("key", b"above", 1000)
    part = cache.child("part")
    part.put("key", b"own", 10)
    assert part.get("key") == b"own"
    now[0] = 11.0
    assert part.get("key") == b"above"


def test_what_is_kept_on_disk_is_for_its_owner_alone_and_leaves_nothing_behind_on_a_full_disk(tmp_path, monkeypatch):
    cache = ContextCache()
    cache.put("key", b"source text")
    cache.save(tmp_path / "cache.bin")
    assert (tmp_path / "cache.bin").stat().st_mode & 0o777 == 0o600
    kept = (tmp_path / "cache.bin").read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    cache.put("other", b"more")
    cache.save(tmp_path / "cache.bin")
    assert [file.name for file in tmp_path.iterdir()] == ["cache.bin"]
    assert (tmp_path / "cache.bin").read_bytes() == kept


def full(_descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")
