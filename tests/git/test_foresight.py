import os

import pytest

from specgit import known as known_module
from specgit.foresight import Foresight, Work
from specgit.known import KnownFiles
from specgit.maintenance import pack_loose
from specgit.repository import Repository
from specgit.worktrees import Worktrees
from support.git_fixture import fingerprint, git, make_repository, write_files
from support.worktree_story import REFS, commit

PAIR = ("1", "2")


@pytest.fixture
def works(worktrees, tmp_path, base):
    made = {}
    for number in (1, 2, 3):
        path = tmp_path / "work" / f"ws-{number}"
        worktrees.add(path, branch=REFS.session(number), start=base)
        made[str(number)] = Work(path=path, tip=base, drop_prefixes=(".specs/a-7k3f",))
    return made


@pytest.fixture
def foresight(repository, tmp_path):
    made = Foresight(repository, tmp_path / "state" / "foresight")
    yield made
    made.close()
    assert not (tmp_path / "state" / "foresight").exists()


@pytest.fixture
def reads(monkeypatch):
    """The paths that a scan read."""
    seen = []
    from specgit import scan

    real = scan._read  # there is no other place where reading can be seen
    monkeypatch.setattr(scan, "_read", lambda root, found: (seen.append(found.path), real(root, found))[1])
    return seen


def old(path):
    """Lets every file be older than the clock of any file system is coarse."""
    for file in [item for item in path.rglob("*") if item.is_file()]:
        os.utime(file, (1, 1))


def test_work_that_nobody_has_committed_is_seen_to_conflict(foresight, works, checkout):
    before, objects = fingerprint(checkout), git(checkout, "count-objects", "-v")
    write_files(works["1"].path, {"src/app.py": "one\n", "new.py": "one\n", "README.md": "Hello\n"})
    write_files(works["2"].path, {"src/app.py": "two\n", "new.py": "two\n"})
    write_files(works["3"].path, {"src/lib/deep.py": "three\n"})
    assert foresight.look(works, works) == {PAIR: ("new.py", "src/app.py"), ("1", "3"): (), ("2", "3"): ()}
    write_files(works["2"].path, {"src/app.py": "one\n"})
    (works["2"].path / "new.py").unlink()
    assert foresight.look(works, {"2"})[PAIR] == ()
    assert (fingerprint(checkout), git(checkout, "count-objects", "-v")) == (before, objects)
    assert git(checkout, "for-each-ref", "refs/specthread") == ""


def test_what_is_not_said_to_have_changed_is_not_looked_at(foresight, works, reads):
    foresight.look(works, works)
    reads.clear()
    write_files(works["1"].path, {"README.md": "one\n"})
    write_files(works["2"].path, {"README.md": "two\n"})
    assert foresight.look(works, {"1"})[PAIR] == ()
    assert len(reads) == 4
    assert foresight.look(works, {"2"})[PAIR] == ("README.md",)


def test_documents_and_ignored_files_never_conflict(foresight, works):
    for name in PAIR:
        write_files(works[name].path, {".specs/a-7k3f/tasks.md": name, "debug.log": name, "build/out": name})
    assert foresight.look(works, works)[PAIR] == ()


def test_committed_work_and_what_was_merged_in_count(foresight, works, worktrees):
    write_files(works["1"].path, {"src/app.py": "one\n"})
    first = commit(worktrees, works["1"].path, branch=REFS.session(1))
    write_files(works["2"].path, {"src/app.py": "two\n"})
    works["1"] = Work(path=works["1"].path, tip=first.oid)
    assert foresight.look(works, works)[PAIR] == ("src/app.py",)
    # The second one merges the first into its files, and settles it.
    write_files(works["2"].path, {"src/app.py": "one and two\n"})
    works["2"] = Work(path=works["2"].path, tip=works["2"].tip, merge_parents=(first.oid,))
    assert foresight.look(works, {"2"})[PAIR] == ()


def test_one_that_has_gone_is_forgotten_and_a_new_one_is_looked_at(foresight, works):
    write_files(works["1"].path, {"README.md": "one\n"})
    write_files(works["2"].path, {"README.md": "two\n"})
    write_files(works["3"].path, {"README.md": "three\n"})
    assert foresight.look({"1": works["1"], "2": works["2"]}, ()) == {PAIR: ("README.md",)}
    assert foresight.look({"2": works["2"], "3": works["3"]}, ()) == {("2", "3"): ("README.md",)}


def test_many_looks_do_not_fill_the_disk(foresight, works, tmp_path, monkeypatch):
    monkeypatch.setattr("specgit.foresight.MOST_LOOKS", 6)
    for turn in range(8):
        write_files(works["1"].path, {"README.md": f"one {turn}\n"})
        write_files(works["2"].path, {"README.md": f"two {turn}\n"})
        assert foresight.look(works, PAIR)[PAIR] == ("README.md",)
    assert len(list((tmp_path / "state/foresight/objects/pack").glob("*.pack"))) <= 8


def test_packing_beside_it_takes_nothing_away(foresight, works, repository):
    write_files(works["1"].path, {"README.md": "one\n"})
    write_files(works["2"].path, {"README.md": "two\n"})
    foresight.look(works, works)
    pack_loose(repository)
    assert foresight.look(works, {"1"})[PAIR] == ("README.md",)


def test_a_sha256_repository_is_looked_at(tmp_path):
    repository = Repository.open(make_repository(tmp_path / "new", {"a": "1\n"}, object_format="sha256"))
    worktrees, start = Worktrees(repository), repository.head().oid
    works = {}
    for number in (1, 2):
        path = tmp_path / f"ws-{number}"
        worktrees.add(path, branch=REFS.session(number), start=start)
        write_files(path, {"a": f"ws-{number}\n"})
        works[str(number)] = Work(path=path, tip=start)
    foresight = Foresight(repository, tmp_path / "foresight")
    assert foresight.look(works, works) == {PAIR: ("a",)}
    foresight.close()


def test_a_file_that_did_not_change_is_read_once(worktrees, desk, base, reads, monkeypatch):
    known = KnownFiles()
    monkeypatch.setattr(known_module, "_YOUNG", -1_000_000_000_000)  # as if all had been written long ago
    worktrees.scan(desk, against=base, known=known)
    assert sorted(reads) == [".gitignore", "README.md", "src/app.py", "src/lib/deep.py"]
    reads.clear()
    assert worktrees.scan(desk, against=base, known=known).files == {}
    assert reads == []


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("Other\n"),
        lambda path: path.write_text("Longer than before\n"),
        lambda path: path.chmod(0o755),
        lambda path: (path.with_name("fresh").write_text("Other\n"), path.with_name("fresh").replace(path)),
        lambda path: (path.write_text("Other\n"), os.utime(path, (1, 1))),
        lambda path: (path.unlink(), path.symlink_to("Hello")),
    ],
    ids=["same size", "other size", "mode", "replaced", "time set back", "link"],
)
def test_a_known_file_that_changes_is_seen(worktrees, desk, base, monkeypatch, change):
    known = KnownFiles()
    monkeypatch.setattr(known_module, "_YOUNG", -1_000_000_000_000)
    worktrees.scan(desk, against=base, known=known)
    change(desk / "README.md")
    assert set(worktrees.scan(desk, against=base, known=known).files) - {"fresh"} == {"README.md"}


def test_a_file_as_young_as_the_look_is_read_again(worktrees, desk, base, reads):
    known = KnownFiles()
    old(desk)  # which makes their times of change as young as can be
    for _ in range(2):
        reads.clear()
        worktrees.scan(desk, against=base, known=known)
        assert len(reads) == 4


def test_what_is_known_of_one_commit_says_nothing_of_another(worktrees, desk, base, monkeypatch):
    known = KnownFiles()
    monkeypatch.setattr(known_module, "_YOUNG", -1_000_000_000_000)
    write_files(desk, {"README.md": "mine\n"})
    made = commit(worktrees, desk)
    assert worktrees.scan(desk, against=made.oid, known=known).files == {}
    assert set(worktrees.scan(desk, against=base, known=known).files) == {"README.md"}
    assert worktrees.scan(desk, against=made.oid, known=known).files == {}


def test_what_is_committed_was_read_whatever_is_known(worktrees, desk, reads):
    commit(worktrees, desk)
    reads.clear()
    commit(worktrees, desk)
    assert len(reads) == 4
