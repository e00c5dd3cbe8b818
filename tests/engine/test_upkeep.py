from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from specgit.errors import GitTimeout
from specthread.engine import repositories as repositories_module
from specthread.engine.repositories import Repositories
from specthread.engine.upkeep import keep_up
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
