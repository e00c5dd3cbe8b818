"""What a person must know before they run git in a repository in which agents worked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specgit.errors import UntrustedConfig
from specgit.fingerprint import fingerprint_of
from specthread.domain import commands as c
from specthread.domain.ids import Oid
from specthread.engine.landing import Landing, land
from specthread.engine.repositories import Repositories, known_settings_file
from specthread.engine.trust import cautions, take_in
from support.engine_world import plan, story_of, task, world
from support.git_fixture import commit_files, git, isolate_git, make_repository
from support.situation import implementing

ID = implementing().spectask.id
FEATURE = f"spectask/{ID}/feature"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {"a": "1\n"})
    git(repository, "config", "alias.mine", "status")
    git(repository, "checkout", "--quiet", "-b", FEATURE)
    commit_files(repository, {"b": "2\n"}, "Work")
    git(repository, "checkout", "--quiet", "main")
    return repository


@pytest.fixture
def opened(tmp_path, repository):
    repositories = Repositories(tmp_path / "state", "test")
    yield repositories.open(repository)
    repositories.close()


@pytest.fixture
def accepted(repository):
    return replace(implementing().spectask, state="done", target="main", final=Oid(git(repository, "rev-parse", FEATURE)))


def test_what_was_there_at_first_is_known_and_what_comes_later_is_not(opened, repository, tmp_path):
    assert cautions(opened.known_settings, opened.repository) == ()
    git(repository, "config", "core.fsmonitor", "touch /tmp/x")
    (caution,) = cautions(opened.known_settings, opened.repository)
    assert "core.fsmonitor was added (touch /tmp/x)" in caution
    assert "`specthread allow` takes them in" in caution
    assert opened.known_settings == known_settings_file(tmp_path / "state", opened.repository)
    take_in(opened.known_settings, fingerprint_of(opened.repository))
    assert cautions(opened.known_settings, opened.repository) == ()
    git(repository, "config", "--unset", "core.fsmonitor")
    assert cautions(opened.known_settings, opened.repository) == ()


def test_the_daemon_taking_a_repository_up_again_takes_nothing_in(tmp_path, repository):
    for planted in (False, True):
        repositories = Repositories(tmp_path / "state", "test")
        opened = repositories.open(repository)
        assert (cautions(opened.known_settings, opened.repository) != ()) == planted
        git(repository, "config", "core.pager", "touch /tmp/x")
        repositories.close()


def test_a_note_that_cannot_be_understood_knows_nothing(opened):
    for text in ("", "[]", '{"alias.mine": 3}'):
        opened.known_settings.write_text(text)
        assert "alias.mine was" in cautions(opened.known_settings, opened.repository)[0]


def test_no_git_command_is_named_where_it_could_run_what_the_person_does_not_know(opened, repository, accepted):
    git(repository, "config", "core.hooksPath", "/tmp/hooks")
    with pytest.raises(UntrustedConfig, match="hookspath was added"):
        land(opened, accepted, "Ada")
    with pytest.raises(UntrustedConfig, match="hookspath was added"):
        land(opened, replace(accepted, target="gone"), "Ada")
    take_in(opened.known_settings, fingerprint_of(opened.repository))
    landing = land(opened, accepted, "Ada")
    assert isinstance(landing, Landing)
    assert landing.how == "by-hand"


def test_what_the_daemon_does_itself_it_does_all_the_same(opened, repository, accepted):
    git(repository, "checkout", "--quiet", "-b", "elsewhere")
    git(repository, "config", "core.hooksPath", "/tmp/hooks")
    assert land(opened, accepted, "Ada") == Landing(how="moved", target="main", commit=accepted.final)


async def test_a_page_tells_of_it_while_it_lasts(tmp_path, repository):
    async with world(tmp_path, repository, story_of(plan(task(1, "Add one", "true", files="one.py")), {})) as story:
        await story.create()
        assert await story.engine.in_git.cautions(story.spectask) == ()
        git(repository, "config", "alias.st", "!touch /tmp/x")
        (caution,) = await story.engine.in_git.cautions(story.spectask)
        assert "alias.st was added (!touch /tmp/x)" in caution
        git(repository, "config", "--unset", "alias.st")
        assert await story.engine.in_git.cautions(story.spectask) == ()
        await story.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)
        await story.give(c.CancelSpecTask(spectask=story.id))
        repository.rename(tmp_path / "moved")
        assert await story.engine.in_git.cautions(story.spectask) == ()
