from __future__ import annotations

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import use
from specthread.domain import events as e
from specthread.domain.commands import AnswerQuestion, TakeBackLock
from specthread.domain.model import DAEMON
from specthread.domain.reports import ReleaseLock
from specthread.plan.waiting import why_waiting
from support.engine_world import plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)

DB = "database:test"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "# Work\n"})


def writes(name, *before, after=()):
    return (*before, (use("write", path=f"{name}.txt", text="done\n"),), *after, (use("finish", summary=f"Wrote {name}."),))


def reviewed(spectask):
    return spectask.state == "implementation_review" and not spectask.uncommitted


async def lock_events(story):
    return [item.event for item in await story.engine.read_events(story.id) if type(item.event).__name__.startswith("Lock")]


async def test_tasks_that_use_the_same_resource_have_it_one_after_the_other(tmp_path, repository):
    both = plan(
        task(1, "One", "test -f one.txt", files="one.txt", uses=DB, depends="none"),
        task(2, "Two", "test -f two.txt", files="two.txt", uses=DB, depends="none"),
    )
    async with world(tmp_path, repository, story_of(both, {1: writes("one"), 2: writes("two")})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        envelopes = await story.engine.read_events(story.id)
        told = [
            (type(item.event).__name__, getattr(item.event, "run", None) or item.event.session)
            for item in envelopes
            if isinstance(item.event, e.LockGranted | e.SessionMerged)
        ]
        assert [name for name, _ in told] == ["LockGranted", "SessionMerged", "LockGranted", "SessionMerged"]
        assert told[0][1] == told[1][1] != told[2][1] == told[3][1]
        assert not any(lock.held for lock in story.engine.visible.locks.values())


async def test_an_agent_takes_a_resource_works_and_gives_it_back(tmp_path, repository):
    steps = writes(
        "one",
        (use("lock", resource=DB),),
        (use("lock", resource="printer"),),
        after=((use("unlock", resource=DB),), (use("unlock", resource=DB),)),
    )
    async with world(tmp_path, repository, story_of(plan(task(1, "One", "test -f one.txt", files="one.txt")), {1: steps})) as story:
        await story.create()
        await story.implement()
        await story.until(reviewed)
        assert [type(event).__name__ for event in await lock_events(story)] == ["LockRequested", "LockGranted", "LockReleased"]
        envelopes = await story.engine.read_events(story.id, 0, story.session().id)
        said = [item.event.content for item in envelopes if isinstance(item.event, e.ToolFinished)]
        assert said[0].startswith(f"You hold {DB}.")
        assert said[1].startswith("'printer' is no resource. Name it as kind:name")
        assert said[3] == f"You no longer hold {DB}."
        assert "does not hold" in said[4]


async def test_who_waits_too_long_is_told_who_has_it_and_goes_on(tmp_path, repository):
    both = plan(
        task(1, "One", "test -f one.txt", files="one.txt", depends="none"),
        task(2, "Two", "test -f two.txt", files="two.txt", depends="none"),
    )
    held = writes("one", (use("lock", resource=DB),), (use("ask", question="May I go on?"),))
    waits = writes("two", (use("ask", question="Ready?"),), (use("lock", resource=DB, wait=1),))
    async with world(tmp_path, repository, story_of(both, {1: held, 2: waits})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: sum(session.state == "waiting" for session in spectask.sessions.values()) == 2)
        one, two = (next(s for s in story.spectask.sessions.values() if s.task == number) for number in ("1", "2"))
        await story.give(AnswerQuestion(spectask=story.id, run=two.id, answer="Yes"))
        await story.until(lambda spectask: spectask.sessions[two.id].state == "completed")
        refused = next(event for event in await lock_events(story) if isinstance(event, e.LockRefused))
        assert (refused.run, refused.cause, refused.lost) == (two.id, "timeout", ())
        envelopes = await story.engine.read_events(story.id, 0, two.id)
        said = next(item.event.content for item in envelopes if isinstance(item.event, e.ToolFinished) and DB in item.event.content)
        assert f"You waited 1 seconds for {DB}, and {one.id} still holds it" in said


async def test_a_wait_is_told_and_ends_when_the_holder_gives_it_back(tmp_path, repository):
    both = plan(
        task(1, "One", "test -f one.txt", files="one.txt", depends="none"),
        task(2, "Two", "test -f two.txt", files="two.txt", depends="none"),
    )
    held = writes("one", (use("lock", resource=DB),), (use("ask", question="May I go on?"),))
    waits = writes("two", (use("ask", question="Ready?"),), (use("lock", resource=DB),))
    async with world(tmp_path, repository, story_of(both, {1: held, 2: waits})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: sum(session.state == "waiting" for session in spectask.sessions.values()) == 2)
        one, two = (next(s for s in story.spectask.sessions.values() if s.task == number) for number in ("1", "2"))
        await story.give(AnswerQuestion(spectask=story.id, run=two.id, answer="Yes"))
        await story.until(lambda _: any(lock.waiting for lock in story.engine.visible.locks.values()))
        assert why_waiting(story.engine.visible, two.id) == f"Waits for {DB}, which ws-{one.number} holds."
        await story.give(ReleaseLock(spectask=story.id, run=one.id, resource=DB), DAEMON)
        await story.until(lambda spectask: spectask.sessions[two.id].state == "completed")


async def test_a_person_takes_a_resource_back_its_agent_is_told_and_a_restart_remembers_it(tmp_path, repository):
    both = plan(
        task(1, "One", "test -f one.txt", files="one.txt", depends="none"),
        task(2, "Two", "test -f two.txt", files="two.txt", depends="none"),
    )
    held = writes("one", (use("lock", resource=DB),), (use("ask", question="May I go on?"),))
    waits = writes("two", (use("ask", question="Ready?"),), (use("lock", resource=DB),))
    async with world(tmp_path, repository, story_of(both, {1: held, 2: waits})) as story:
        await story.create()
        await story.implement()
        await story.until(lambda spectask: sum(session.state == "waiting" for session in spectask.sessions.values()) == 2)
        one, two = (next(s for s in story.spectask.sessions.values() if s.task == number) for number in ("1", "2"))
        await story.give(AnswerQuestion(spectask=story.id, run=two.id, answer="Yes"))
        await story.until(lambda _: any(lock.waiting for lock in story.engine.visible.locks.values()))
        await story.give(TakeBackLock(spectask=story.id, run=one.id, resource=DB, why="It hangs."))
        await story.until(lambda spectask: spectask.sessions[two.id].state == "completed")
        await story.give(AnswerQuestion(spectask=story.id, run=one.id, answer="Yes"))
        await story.until(reviewed)
        envelopes = await story.engine.read_events(story.id, 0, one.id)
        told = [item.event.text for item in envelopes if isinstance(item.event, e.MessageSent)]
        assert any("took database:test from you" in text and "Reason: It hangs." in text for text in told)
        before = story.engine.visible.locks
    async with world(tmp_path, repository, story_of(both, {1: held, 2: waits})) as again:
        (lock,) = again.engine.visible.locks.values()
        assert again.engine.visible.locks == before
        known = lock.statistics
        assert (known.grants, known.waits, known.taken_back, len(known.recent)) == (2, 1, 1, 1)
        assert known.held > 0
