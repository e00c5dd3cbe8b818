from __future__ import annotations

import pytest

from specthread.agents.scripted import use
from specthread.engine.repositories import Repositories
from support.engine_world import story_of, world
from support.git_fixture import commit_files, git, isolate_git, make_repository


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"a.txt": "a\n"})


@pytest.fixture
def linked(tmp_path, repository):
    git(repository, "worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "linked"))
    commit_files(tmp_path / "linked", {"b.txt": "b\n"}, "Only here")
    return tmp_path / "linked"


async def test_each_worktree_has_its_own_base_target_and_checkout(tmp_path, repository, linked):
    async with world(tmp_path, repository, story_of("", {1: ((use("finish", summary="."),),)})) as story:
        await story.create()
        assert story.spectask.target == "main"
        story.repository = linked
        await story.create(prompt="Something else")
        assert story.spectask.target == "topic"
        assert story.spectask.base == git(linked, "rev-parse", "HEAD")
        assert story.spectask.repository == str(linked)


def test_worktrees_share_one_writer_and_one_folder_whichever_is_opened_first(tmp_path, repository, linked):
    def opened(*order):
        repositories = Repositories(tmp_path / "state", "test")
        try:
            return [repositories.open(path) for path in order]
        finally:
            repositories.close()

    main, other = opened(repository, linked)
    assert main.writer is other.writer
    assert [main.repository.checkout, other.repository.checkout] == [repository, linked]
    names = {item.name for order in ((repository, linked), (linked, repository)) for item in opened(*order)}
    assert len(names) == 1
    assert names.pop().startswith("checkout-")
    inside, again = opened(repository / ".git" / "..", repository)
    assert inside is again
