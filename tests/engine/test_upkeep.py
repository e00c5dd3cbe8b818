from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from specgit.errors import GitTimeout
from specthread.engine import engine as engine_module
from specthread.engine import repositories as repositories_module
from specthread.engine import upkeep as upkeep_module
from specthread.engine.repositories import Repositories
from specthread.engine.upkeep import keep_up, kept_alive
from support.engine_world import world
from support.git_fixture import git, isolate_git, make_repository


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {f"{number}.md": f"{number}\n" for number in range(20)})


async def until(repositories, condition):
    task = asyncio.create_task(keep_up(repositories, every=0.01))
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  git tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_loose_objects_of_open_repositories_are_packed_where_they_are_many(tmp_path, repository, monkeypatch):
    repositories = Repositories(tmp_path / "state", "test")
    repositories.open(repository)
    looked = []
    monkeypatch.setattr(repositories_module, "is_worthwhile", lambda each: bool(looked.append(each)))
    await until(repositories, lambda: len(looked) > 1)
    assert git(repository, "count-objects") != "0 objects, 0 kilobytes"
    monkeypatch.setattr(repositories_module, "is_worthwhile", lambda _: True)
    await until(repositories, lambda: git(repository, "count-objects") == "0 objects, 0 kilobytes")
    repositories.close()


async def test_a_repository_in_which_it_fails_is_left_alone_and_keeps_no_other_from_it(tmp_path, repository, monkeypatch):
    repositories = Repositories(tmp_path / "state", "test")
    other = make_repository(tmp_path / "other", {"a": "1\n"})
    for path in (repository, other):
        repositories.open(path)
    tries = []

    def late(each):
        tries.append(each.checkout)
        if each.checkout == repository:
            raise GitTimeout("git did not end within 5 seconds.")
        return True

    monkeypatch.setattr(repositories_module, "is_worthwhile", late)
    await until(repositories, lambda: tries.count(other) > 2)
    assert tries.count(repository) == 1
    assert git(other, "count-objects") == "0 objects, 0 kilobytes"
    repositories.close()


async def test_what_a_removal_that_was_cut_off_left_is_deleted(tmp_path, repository):
    repositories = Repositories(tmp_path / "state", "test")
    opened = repositories.open(repository)
    trash = opened.worktree("one-7k3f", ".trash-0")
    (trash / "src").mkdir(parents=True)
    work = opened.worktree("one-7k3f", "ws-1")
    work.mkdir()
    await until(repositories, lambda: not trash.exists())
    assert work.exists()
    repositories.close()


async def test_a_fault_in_the_background_is_logged_and_ends_nothing(monkeypatch):
    monkeypatch.setattr(upkeep_module, "AGAIN", 0)
    tries = []

    async def work():
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("a bug")
        await asyncio.Event().wait()

    with capture_logs() as logs:
        task = kept_alive("snapshots", work)
        async with asyncio.timeout(10):
            while len(tries) < 3:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [(entry["log_level"], entry["what"]) for entry in logs] == [("error", "snapshots")] * 2


async def test_snapshots_packing_and_upkeep_outlive_a_fault(tmp_path, repository, monkeypatch):
    seen = asyncio.Event()

    async def broken(*_):
        seen.set()
        raise RuntimeError("a bug")

    monkeypatch.setattr(engine_module, "keep_packed", broken)
    async with world(tmp_path, repository, lambda request: None) as story:
        await asyncio.wait_for(seen.wait(), 10)
        await asyncio.sleep(0)
        assert all(not task.done() for task in story.engine._tasks)
