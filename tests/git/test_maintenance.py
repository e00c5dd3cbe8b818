"""Packing what many small commits leave behind."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from specgit.commits import CommitRequest
from specgit.errors import GitError, GitTimeout
from specgit.maintenance import LARGEST, is_worthwhile, pack_loose
from specgit.repository import Repository
from specgit.types import Person, spec_refs
from support.git_fixture import fingerprint, git, make_repository

REFS = spec_refs("add-json-7k3f")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def commit(writer, number):
    ada = Person(name="Ada", email="ada@example.org")
    files = {f"sessions/ws-1/00/{number:04}.md": f"turn {number}\n".encode()}
    return writer.commit([CommitRequest(ref=REFS.specs, message="Turn", author=ada, when=WHEN, files=files)])[0].oid


def counted(checkout):
    told = dict(line.split(": ") for line in git(checkout, "count-objects", "-v").split("\n"))
    return int(told["count"]), int(told["packs"])


def test_loose_objects_become_one_pack_and_nothing_else_changes(checkout, repository, writer):
    tips = [commit(writer, number) for number in range(30)]
    before, (loose, packs) = fingerprint(checkout), counted(checkout)
    packed = pack_loose(repository)
    assert (packed.loose, packed.packed) == (loose, loose)
    assert counted(checkout) == (0, packs + 1)
    assert fingerprint(checkout) == before
    assert [commit.oid for commit in repository.log(REFS.specs)] == tips[::-1]
    assert git(checkout, "fsck", "--strict") == ""
    assert pack_loose(repository).packed == 0
    assert commit(writer, 30) == repository.resolve(REFS.specs)


def test_no_more_is_packed_at_a_time_than_was_asked_for(checkout, repository, writer):
    for number in range(10):
        commit(writer, number)
    loose, _ = counted(checkout)
    assert pack_loose(repository, most=7).packed == 7
    assert counted(checkout)[0] == loose - 7
    assert git(checkout, "fsck", "--strict") == ""


def test_whether_it_is_worthwhile_is_told_from_one_folder(repository, checkout):
    assert not is_worthwhile(repository)
    assert not is_worthwhile(repository, many=0)
    folder = checkout / ".git/objects/17"
    folder.mkdir(exist_ok=True)
    for number in range(9):
        (folder / f"{number:038x}").touch()
    assert is_worthwhile(repository)


def test_a_damaged_object_is_told_and_stays(checkout, repository, writer):
    commit(writer, 1)
    oid = git(checkout, "rev-parse", f"{REFS.specs}^{{tree}}")
    path = checkout / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(b"")
    with pytest.raises(GitError):
        pack_loose(repository)
    assert path.exists()


def test_an_object_that_somebody_else_took_away_meanwhile_is_no_failure(checkout, repository, writer, monkeypatch):
    commit(writer, 1)
    oid = git(checkout, "hash-object", "-w", "--stdin", stdin=b"nobody refers to this")
    run = type(repository.runner).run

    def taken(runner, args, **options):
        (checkout / ".git/objects" / oid[:2] / oid[2:]).unlink(missing_ok=True)
        return run(runner, args, **options)

    monkeypatch.setattr(type(repository.runner), "run", taken)
    assert pack_loose(repository).packed == 0
    assert git(checkout, "fsck", "--strict") == ""


def test_objects_of_the_longer_kind_are_packed_too(tmp_path):
    checkout = make_repository(tmp_path / "new", {"x": "1\n"}, object_format="sha256")
    assert pack_loose(Repository.open(checkout)).packed == 3
    assert counted(checkout) == (0, 1)


def test_one_that_takes_too_long_leaves_nothing_behind_and_large_objects_are_left_alone(checkout, repository, writer):
    commit(writer, 1)
    large = git(checkout, "hash-object", "-w", "--stdin", stdin=os.urandom(LARGEST + 1))
    with pytest.raises(GitTimeout):
        pack_loose(repository, budget=0.0)
    assert not list((checkout / ".git").rglob("tmp_pack_*"))
    assert not list((checkout / ".git/specthread").glob("pack-*"))
    pack_loose(repository)
    assert counted(checkout)[0] == 1
    assert (checkout / ".git/objects" / large[:2] / large[2:]).exists()
    assert git(checkout, "fsck", "--strict") in {"", f"dangling blob {large}"}
