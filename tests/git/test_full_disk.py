"""What is not on disk is not acknowledged: a disk that fills up at any moment, and a place that cannot be written."""

from __future__ import annotations

import os
from random import Random

import pytest

from specgit.commits import CommitRequest, TagRequest, Writer
from specgit.errors import DiskFull, NotWritable
from specgit.maintenance import pack_loose
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.trees import export_tree
from specgit.worktrees import Worktrees
from support.git_fixture import fingerprint, git, make_repository, write_files
from support.git_scene import ADA, WHEN
from support.small_disk import read_only, small_disk
from support.worktree_story import REFS, WS, commit

NOISE = Random(20260101).randbytes(100_000)
ROOMS = [*range(0, 60_000, 4096), *range(96_000, 260_000, 8192), 1_000_000]
"""Bytes that are left: git stops at the first file, in the middle of the objects, or at a ref."""


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


@pytest.fixture
def checkout(disk):
    return make_repository(disk.path / "repo", {"README.md": "Hello\n", "src/app.py": NOISE})


def request(number, **changes):
    files = {f"file-{number}": NOISE[number % 50 :], "small": f"{number}\n".encode()}
    return CommitRequest(**{"ref": REFS.specs, "message": str(number), "author": ADA, "when": WHEN, "files": files, **changes})


def _sized(number, room, **changes):
    files = {"small": f"{number}\n".encode()}
    return request(number, **changes) if room > 60_000 else request(number, files=files, **changes)


def refs_of(checkout):
    return git(checkout, "for-each-ref")


def assert_sound(checkout):
    git(checkout, "fsck", "--strict", "--no-dangling")
    assert "refs/specthread/pending" not in refs_of(checkout)
    assert not list((checkout / ".git").glob("fast_import_crash_*"))


def test_a_commit_on_a_disk_that_fills_up_is_either_whole_or_not_there(disk, checkout, repository, writer, base):
    before = fingerprint(checkout)
    refused = 0
    for number, room in enumerate(ROOMS):
        disk.leave(room)
        known = refs_of(checkout)
        tag = TagRequest(ref=REFS.tag(number + 1), target=0, message="v", tagger=ADA, when=WHEN)
        try:
            made = writer.commit([_sized(number, room), _sized(number, room, ref=REFS.feature, start=base)], [tag])
        except DiskFull:
            refused += 1
            assert refs_of(checkout) == known
        else:
            assert repository.resolve(REFS.specs) == made[0].oid
            assert repository.read(REFS.specs, "small") == f"{number}\n".encode()
        disk.free()
        tip = repository.resolve(REFS.specs)
        assert writer.commit([request(number, files={})])[0].parent == tip, "the next commit needs nobody"
        assert_sound(checkout)
    assert 0 < refused < len(ROOMS)
    assert fingerprint(checkout) == before


@pytest.mark.parametrize("room", [0, 4096, 16_384, 65_536])
def test_a_worktree_on_a_full_disk_is_refused_and_made_whole_once_there_is_room(disk, checkout, repository, base, room):
    worktrees, path = Worktrees(repository), disk.path / "work" / "ws-1"
    disk.leave(room)
    with pytest.raises(DiskFull, match="Free some space"):
        worktrees.add(path, branch=WS, start=base)
    disk.free()
    worktrees.add(path, branch=WS, start=base)
    assert git(path, "status", "--porcelain") == ""
    write_files(path, {"new": NOISE})
    disk.leave(room)
    with pytest.raises(DiskFull, match="Free some space"):
        commit(worktrees, path)
    assert repository.resolve(WS) == base
    disk.free()
    assert commit(worktrees, path).changed == ("new",)
    worktrees.remove(path, keep=None)
    assert_sound(checkout)


def test_every_other_call_says_that_the_disk_is_full_and_works_afterwards(disk, checkout, repository, writer, base, tmp_path, monkeypatch):
    tip = writer.commit([request(1)])[0].oid
    theirs = writer.commit([request(2, ref=REFS.feature, start=base)])[0].oid
    merger = Merger(repository)
    (disk.path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(disk.path / "tmp"))
    calls = {
        "set_ref": lambda: writer.set_ref(REFS.archive("x"), tip, repository.resolve(REFS.archive("x"))),
        "recover": writer.recover,
        "export": lambda: export_tree(repository, theirs, disk.path / "export"),
        "pack": lambda: pack_loose(repository),
        "preview": lambda: merger.preview(base, theirs),
        "merge text": lambda: merger.merge_text(b"1\n", NOISE, b"3\n"),
        "head": repository.head,
    }
    disk.leave(0)
    for name, call in calls.items():
        if name == "recover":  # it frees what it can and needs no room
            call()
            continue
        with pytest.raises(DiskFull, match="Free some space"):
            call()
    disk.free()
    for call in calls.values():
        call()
    assert_sound(checkout)


@pytest.mark.parametrize("place", ["everything", "the git folder"])
def test_a_place_that_cannot_be_written_is_told_and_nothing_moves(checkout, repository, writer, base, disk, place):
    writer.commit([request(1)])
    known = refs_of(checkout)
    worktrees = Worktrees(repository)
    outside = disk.path / "ws"
    with read_only(disk.path if place == "everything" else checkout / ".git"):
        for call in (
            lambda: writer.commit([request(2)]),
            lambda: Writer(Repository.open(checkout)).commit([request(3)]),
            lambda: writer.set_ref(REFS.archive("x"), base, None),
            lambda: worktrees.add(outside, branch=WS, start=base),
            lambda: pack_loose(repository),
            writer.recover,
        ):
            with pytest.raises(NotWritable, match=r"cannot be written.*Make it writable"):
                call()
        assert refs_of(checkout) == known
        assert repository.head().oid == base, "looking is allowed"
    writer.recover()
    assert not writer.commit([request(2)])[0].replayed
    worktrees.add(outside, branch=WS, start=base)
    assert_sound(checkout)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_git_folder_that_belongs_to_others_is_told(checkout, repository, writer):
    writer.commit([request(1)])
    (checkout / ".git/objects").chmod(0o500)
    try:
        with pytest.raises(NotWritable):
            writer.commit([request(2)])
    finally:
        (checkout / ".git/objects").chmod(0o700)
