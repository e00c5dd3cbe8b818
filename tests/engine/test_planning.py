import threading

import pytest

from specthread.domain import planned
from support.engine_world import plan, story_of, task, world
from support.git_fixture import isolate_git, make_repository


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "One.\n"})


async def test_what_the_planner_writes_is_linted_where_nobody_waits_for_it(tmp_path, repository, monkeypatch):
    threads, real = [], planned.lint
    monkeypatch.setattr(planned, "lint", lambda *given: threads.append(threading.current_thread()) or real(*given))
    planned._linted.cache_clear()  # other tests write the same documents
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", "true", files="one.py")), {})) as story:
        await story.create()
        await story.until(lambda spectask: spectask.state == "spec_review")
    assert threads
    assert threading.current_thread() not in threads
