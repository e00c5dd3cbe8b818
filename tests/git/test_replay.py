"""An event is found whoever made it, and costs what is new on its branch, not what the branch holds."""

from __future__ import annotations

import pytest

from specgit.commits import CommitRequest, Writer
from specgit.git import GitRunner
from specgit.repository import Repository
from support.git_fixture import git
from support.git_scene import ADA, WHEN
from support.worktree_story import REFS


def request(event):
    return CommitRequest(ref=REFS.specs, message=event, author=ADA, when=WHEN, files={event: b""}, event=event)


@pytest.fixture
def other(checkout):
    return Writer(Repository.open(checkout))


def test_what_others_put_on_top_is_all_that_is_read(writer, other, repository, monkeypatch):
    known = writer.commit([request("i:1"), request("i:2")])[1]
    made = other.commit([request("i:3"), request("i:4")])
    asked = []
    run = GitRunner.run
    monkeypatch.setattr(GitRunner, "run", lambda self, args, **given: asked.append(args) or run(self, args, **given))
    assert [writer.commit([request(event)])[0].oid for event in ("i:3", "i:4", "i:2")] == [made[0].oid, made[1].oid, known.oid]
    assert [args[-1] for args in asked if args[0] == "rev-list"] == [f"^{known.oid}"]
    assert not writer.commit([request("i:5")])[0].replayed
    assert len(repository.log(REFS.specs)) == 5


@pytest.mark.parametrize("collected", [False, True])
def test_an_event_that_was_taken_off_its_branch_is_made_again(writer, other, repository, checkout, collected):
    first = writer.commit([request("i:1"), request("i:2")])[0]
    git(checkout, "update-ref", REFS.specs, first.oid)
    if collected:
        git(checkout, "reflog", "expire", "--expire=now", "--all")
        git(checkout, "gc", "--quiet", "--prune=now")
        other.commit([request("i:3")])
    again = writer.commit([request("i:2")])[0]
    assert not again.replayed
    assert writer.commit([request("i:1")])[0].oid == first.oid


def test_a_branch_that_was_made_anew_is_read_anew(writer, other, checkout):
    writer.commit([request("i:1")])
    git(checkout, "update-ref", "-d", REFS.specs)
    other.commit([request("i:2")])
    assert not writer.commit([request("i:1")])[0].replayed


def test_the_oldest_commit_of_an_event_counts(writer, repository, checkout):
    first = writer.commit([request("i:1")])[0]
    told = "Twice\n\nSpecthread-Event: i:2"
    older = git(checkout, "commit-tree", first.tree, "-p", first.oid, "-m", told)
    newer = git(checkout, "commit-tree", first.tree, "-p", older, "-m", told)
    git(checkout, "update-ref", REFS.specs, newer)
    assert writer.commit([request("i:2")])[0].oid == older == repository.find_event(REFS.specs, "i:2")
