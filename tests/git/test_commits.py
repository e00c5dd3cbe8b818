import os
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

import git as git_python
from specgit.commits import CommitRequest, TagRequest, Writer, _Tip
from specgit.errors import BlockingBranch, CheckedOutElsewhere, DiskFull, GitError, ObjectMissing, RefLocked, RefMoved, UnsafePath
from specgit.repository import Repository
from specgit.types import Oid, Person, RefName, spec_refs
from support.git_fixture import commit_files, fingerprint, git, graph, make_repository, write_files

REFS = spec_refs("a-7k3f")
ADA = Person(name="Ada", email="ada@example.org")
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))


def request(**changes):
    return CommitRequest(**{"ref": REFS.specs, "message": "Write", "author": ADA, "when": WHEN, "files": {"a.md": b"a\n"}, **changes})


def tag(target, *, number=1):
    return TagRequest(ref=REFS.tag(number), target=target, message="Version 1", tagger=ADA, when=WHEN)


def tree_text(repository, ref):
    return {entry.path: repository.read(ref, entry.path) for entry in repository.entries(ref)}


def assert_sound(checkout):
    git(checkout, "fsck", "--strict", "--no-dangling")
    assert git(checkout, "for-each-ref", "refs/specthread/pending") == ""
    assert not list((checkout / ".git").glob("**/*.lock.lock"))


def test_the_first_commit_of_a_branch_is_parentless_and_the_next_ones_follow(writer, repository, checkout):
    first = writer.commit([request()])[0]
    second = writer.commit([request(message="Go on\n\nWhy.", files={"b/ä c.md": b"b\n"}, trailers=[("Spec-Task", "a-7k3f")])])[0]
    assert (first.parent, second.parent, second.replayed) == (None, first.oid, False)
    assert repository.resolve(REFS.specs) == second.oid
    assert repository.tree_of(second.oid) == second.tree
    assert tree_text(repository, REFS.specs) == {"a.md": b"a\n", "b/ä c.md": b"b\n"}
    newest = repository.log(REFS.specs)[0]
    assert (newest.subject, newest.body, newest.trailers) == ("Go on", "Why.", (("Spec-Task", "a-7k3f"),))
    assert (newest.author, newest.when) == (ADA, WHEN.astimezone(UTC))
    shown = git(checkout, "log", "-1", "--format=%cn <%ce> %ci", second.oid)
    assert shown == "Specthread <specthread@localhost> 2026-01-02 03:04:05 -0330"
    assert_sound(checkout)


def test_files_are_changed_deleted_copied_and_keep_their_modes(writer, repository):
    writer.commit([request(files={"a": b"1", "folder/b": b"2", "c": b"3"})])
    blob = repository.resolve(f"{REFS.specs}:folder/b")
    writer.commit(
        [
            request(
                files={"a": None, "folder": b"now a file", "gone": None},
                copies={"d/b": ("100644", blob)},
                worktree_files={"x": ("100755", b"4")},
            )
        ]
    )
    assert tree_text(repository, REFS.specs) == {"c": b"3", "d/b": b"2", "folder": b"now a file", "x": b"4"}
    assert [entry.mode for entry in repository.entries(REFS.specs)] == ["100644", "100644", "100644", "100755"]


def test_a_whole_tree_is_put_in_place_with_two_parents(writer, repository, checkout):
    main = repository.head().oid
    specs = writer.commit([request()])[0]
    made = writer.commit([request(ref=REFS.feature, start=main, tree=specs.tree, merge_parents=[specs.oid], files={"b": b"b"})])[0]
    assert git(checkout, "rev-list", "--parents", "-1", made.oid).split()[1:] == [main, specs.oid]
    assert tree_text(repository, REFS.feature) == {"a.md": b"a\n", "b": b"b"}


def test_a_commit_may_leave_no_file(writer, repository):
    writer.commit([request()])
    made = writer.commit([request(files={"a.md": None})])[0]
    assert repository.tree_of(made.oid) == made.tree
    assert repository.entries(made.oid) == ()


def test_several_commits_on_one_ref_follow_each_other(writer, repository):
    first, other, second = writer.commit([request(message="1"), request(ref=REFS.session(1), message="x"), request(message="2", files={})])
    assert (second.parent, first.parent, other.parent) == (first.oid, None, None)
    assert [commit.subject for commit in repository.log(REFS.specs)] == ["2", "1"]


def test_specs_feature_and_tag_move_together(writer, repository, checkout):
    changes = [request(event="i:1"), request(ref=REFS.feature, start=repository.head().oid, message="publish v1", event="i:1")]
    specs, feature = writer.commit(changes, [tag(0)])
    assert git(checkout, "rev-parse", f"{REFS.tag(1)}^{{commit}}") == specs.oid
    assert git(checkout, "cat-file", "-t", REFS.tag(1)) == "tag"
    assert git(checkout, "for-each-ref", "--format=%(taggername) %(contents:subject)", REFS.tag(1)) == "Ada Version 1"
    assert graph(checkout, REFS.specs) == "* Write [Ada]Specthread-Event=i:1"
    again = writer.commit(changes, [tag(0)])
    assert [(result.oid, result.replayed) for result in again] == [(specs.oid, True), (feature.oid, True)]


@pytest.mark.parametrize("late", [False, True])
def test_nothing_moves_when_one_of_them_cannot(writer, repository, checkout, late):
    specs = writer.commit([request()])[0]
    before = git(checkout, "for-each-ref")
    if late:
        (checkout / f".git/{REFS.feature}.lock").parent.mkdir(parents=True, exist_ok=True)
        (checkout / f".git/{REFS.feature}.lock").write_text("")
    wrong = {} if late else {"expect": Oid("1" * 40)}
    with pytest.raises(RefLocked if late else RefMoved):
        writer.commit([request(), request(ref=REFS.feature, start=specs.oid, **wrong)], [tag(0)])
    assert git(checkout, "for-each-ref") == before
    if late:
        (checkout / f".git/{REFS.feature}.lock").unlink()
    assert_sound(checkout)


def test_a_tag_is_never_moved(writer, repository):
    first = writer.commit([request()], [tag(0)])[0]
    writer.commit([], [tag(first.oid)])
    with pytest.raises(GitError, match="never moved"):
        writer.commit([request(files={"b": b""})], [tag(0)])
    assert repository.resolve(f"{REFS.tag(1)}^{{commit}}") == repository.resolve(REFS.specs) == first.oid


def test_an_event_leaves_one_commit_whoever_asks(writer, repository):
    first = writer.commit([request(event="i:1")])[0]
    writer.commit([request(event="i:2", files={"b": b""})])
    for asking in (writer, Writer(repository)):
        again = asking.commit([request(event="i:1", expect=Oid("1" * 40))])[0]
        assert (again.oid, again.parent, again.tree, again.replayed) == (first.oid, None, first.tree, True)
    assert len(repository.log(REFS.specs)) == 2
    assert repository.find_event(REFS.specs, "i:1") == first.oid
    assert repository.find_event(REFS.specs, "i:1", since=first.oid) is None
    assert repository.find_event(REFS.specs, "i:3") is None
    assert repository.find_event(REFS.feature, "i:1") is None


def test_an_event_that_only_a_message_speaks_of_is_made(writer, repository):
    writer.commit([request(message="About\n\nSpecthread-Event: i:1\n\nand more.")])
    assert not writer.commit([request(event="i:1")])[0].replayed


def test_an_event_already_on_the_ref_is_found_after_somebody_else_moved_it(writer, repository):
    other = Writer(repository)
    writer.commit([request(event="i:1")])
    made = other.commit([request(event="i:2")])[0]
    assert writer.commit([request(event="i:2")])[0].oid == made.oid


def test_a_commit_on_an_expected_tip_fails_when_the_tip_has_moved(writer, repository, checkout):
    first = writer.commit([request()])[0]
    writer.commit([request(expect=first.oid)])
    with pytest.raises(RefMoved) as caught:
        writer.commit([request(expect=first.oid)])
    assert caught.value.ref == REFS.specs
    with pytest.raises(RefMoved):
        writer.commit([request(expect=repository.zero)])
    assert len(repository.log(REFS.specs)) == 2
    assert_sound(checkout)


def test_a_tip_moved_from_outside_is_seen(writer, repository, checkout):
    first = writer.commit([request()])[0]
    writer.commit([request(files={"b": b""})])
    git(checkout, "update-ref", REFS.specs, first.oid)
    assert writer.commit([request(files={"c": b""}, expect=first.oid)])[0].parent == first.oid
    git(checkout, "update-ref", REFS.specs, first.oid)
    assert writer.commit([request(files={"d": b""})])[0].parent == first.oid
    git(checkout, "pack-refs", "--all", "--prune")
    git(checkout, "repack", "-adq")
    assert writer.commit([request(files={"e": b""})])[0].parent is not None
    assert_sound(checkout)


def test_a_ref_that_is_checked_out_is_not_moved_unless_allowed(writer, repository, checkout, tmp_path):
    first = writer.commit([request()])[0]
    git(checkout, "worktree", "add", "--quiet", str(tmp_path / "linked"), "spectask/a-7k3f/specs")
    with pytest.raises(CheckedOutElsewhere, match="linked") as caught:
        writer.commit([request()])
    assert caught.value.path == tmp_path / "linked"
    with pytest.raises(CheckedOutElsewhere):
        writer.set_ref(REFS.specs, first.oid, first.oid)
    assert writer.commit([request()], allow_checked_out={REFS.specs})[0].parent == first.oid


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1", "HEAD", "refs/heads/spectask"])
def test_a_ref_of_the_user_is_never_moved(writer, repository, ref):
    with pytest.raises(UnsafePath, match="does not belong"):
        writer.commit([request(ref=RefName(ref))])
    with pytest.raises(UnsafePath):
        writer.set_ref(RefName(ref), repository.head().oid, None)


def test_a_symbolic_ref_under_our_name_does_not_move_the_users_branch(writer, repository, checkout):
    before = repository.head().oid
    git(checkout, "symbolic-ref", REFS.specs, "refs/heads/main")
    with pytest.raises(GitError):
        writer.commit([request(expect=repository.zero)])
    writer.commit([request()], allow_checked_out={REFS.specs})
    assert git(checkout, "rev-parse", "refs/heads/main") == before


@pytest.mark.parametrize("path", [".git/config", "../evil", ".GIT/hooks/x", "a/./b"])
def test_a_hostile_path_is_refused_in_every_place(writer, checkout, path):
    for place in (
        {"files": {path: b""}},
        {"files": {path: None}},
        {"copies": {path: ("100644", "1" * 40)}},
        {"worktree_files": {path: ("100644", b"")}},
    ):
        with pytest.raises(UnsafePath):
            writer.commit([request(**place)])
    assert git(checkout, "for-each-ref", "refs/heads/spectask") == ""


def test_a_time_without_a_zone_is_a_mistake_of_the_caller(writer):
    with pytest.raises(ValueError, match="no time zone"):
        writer.commit([request(when=datetime(2026, 1, 1))])  # noqa: DTZ001  the mistake itself


def test_a_name_with_odd_characters_cannot_break_the_commit(writer, repository, checkout):
    writer.commit([request(author=Person(name="A\n<b> c", email=">"), message="x\n\0y", trailers=[("Spec-Task", "a\nInjected: b")])])
    newest = repository.log(REFS.specs)[0]
    assert newest.author == Person(name="Ab c", email="unknown")
    assert newest.trailers == (("Spec-Task", "a Injected: b"),)
    assert_sound(checkout)


def test_a_branch_that_leaves_no_room_is_named(writer, checkout):
    git(checkout, "branch", "spectask/a-7k3f")
    with pytest.raises(BlockingBranch, match="git branch -m spectask/a-7k3f"):
        writer.commit([request()])


def test_a_ref_below_ours_is_named_as_what_is_in_the_way(writer, repository, checkout):
    git(checkout, "update-ref", f"{REFS.specs}/old", repository.head().oid)
    with pytest.raises(BlockingBranch) as caught:
        writer.commit([request()])
    assert caught.value.name == "spectask/a-7k3f/specs/old"
    assert_sound(checkout)


def test_a_ref_that_somebody_moves_all_the_time_is_given_up_after_a_few_attempts(writer, repository, checkout, monkeypatch):
    writer.commit([request()])

    def look_at_a_tip_that_is_gone(*_):
        return {REFS.specs: _Tip(oid=repository.head().oid, peeled=repository.head().oid, worktree=None)}

    monkeypatch.setattr(Writer, "_look", look_at_a_tip_that_is_gone)
    with pytest.raises(RefMoved):
        writer.commit([request()])
    assert len(repository.log(REFS.specs)) == 1
    assert_sound(checkout)


def test_other_tools_read_what_was_written(writer, checkout):
    made = writer.commit([request(message="Write", trailers=[("Spec-Task", "a-7k3f")])], [tag(0)])[0]
    with git_python.Repo(checkout) as seen:
        commit = seen.commit(made.oid)
        assert (commit.author.name, commit.committer.email, commit.summary) == ("Ada", "specthread@localhost", "Write")
        assert commit.trailers_dict == {"Spec-Task": ["a-7k3f"]}
        assert seen.tags["spectask/a-7k3f/v1"].commit == commit
        assert commit.tree["a.md"].data_stream.read() == b"a\n"


def test_a_missing_object_is_told_apart_and_leaves_nothing(writer, checkout):
    with pytest.raises(ObjectMissing):
        writer.commit([request(start=Oid("1" * 40))])
    assert not list((checkout / ".git").glob("fast_import_crash_*"))
    assert_sound(checkout)


def test_private_refs_are_set_and_deleted_by_compare_and_swap(writer, repository):
    first, second = writer.commit([request(), request(files={})])
    ref = REFS.archive("ws-1", "1")
    writer.set_ref(ref, first.oid, None)
    with pytest.raises(RefMoved):
        writer.set_ref(ref, second.oid, None)
    writer.set_ref(ref, second.oid, first.oid)
    with pytest.raises(RefMoved):
        writer.delete_ref(ref, first.oid)
    writer.delete_ref(ref, second.oid)
    assert repository.resolve(ref) is None
    with pytest.raises(UnsafePath, match="never deleted"):
        writer.delete_ref(REFS.specs, second.oid)


def test_a_sha256_repository_is_written_like_any_other(tmp_path):
    checkout = make_repository(tmp_path / "new", {"a": "1\n"}, object_format="sha256")
    repository = Repository.open(checkout)
    made = Writer(repository).commit([request(event="i:1"), request(files={"a.md": None})], [tag(1)])
    assert repository.tree_of(made[1].oid) == made[1].tree
    assert_sound(checkout)


def test_a_dirty_checkout_is_byte_identical_after_every_kind_of_change(writer, repository, checkout):
    write_files(checkout, {"src/app.py": "not yet\n", "staged": "x", "loose": "y"})
    git(checkout, "add", "staged")
    before = fingerprint(checkout)
    first = writer.commit([request(event="i:1"), request(ref=REFS.feature, start=repository.head().oid)], [tag(0)])[0]
    writer.set_ref(REFS.session(1), first.oid, None)
    with pytest.raises(RefMoved):
        writer.commit([request(expect=Oid("2" * 40))])
    writer.recover()
    assert fingerprint(checkout) == before


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows what is synced")
def test_what_is_written_is_synced_before_it_is_acknowledged(repository, tmp_path, checkout):
    trace = tmp_path / "trace"
    code = f"""
from datetime import UTC, datetime
from pathlib import Path
from specgit.commits import CommitRequest, Writer
from specgit.repository import Repository
from specgit.types import Person, spec_refs
ada = Person(name="a", email="b")
request = CommitRequest(ref=spec_refs("a").specs, message="m", author=ada, when=datetime.now(UTC), files={{"x/y": b"1"}})
Writer(Repository.open(Path({str(checkout)!r}))).commit([request])
"""
    done = subprocess.run(["strace", "-f", "-qq", "-y", "-e", "trace=fsync", "-o", str(trace), sys.executable, "-c", code], check=False)
    assert done.returncode == 0
    synced = trace.read_text()
    assert synced.count("/objects/") >= 4  # blob, two trees, commit
    assert "refs/heads/spectask/a/specs.lock" in synced


def test_a_full_disk_moves_nothing_and_says_so(writer, repository, checkout):
    first = writer.commit([request()])[0]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(DiskFull, match="Free some space"):
            writer.commit([request(files={"big": os.urandom(100_000)})])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert repository.resolve(REFS.specs) == first.oid
    writer.recover()
    assert writer.commit([request()])[0].parent == first.oid
    assert_sound(checkout)


def test_history_of_the_user_is_not_searched_for_events_twice(writer, repository, checkout):
    for number in range(3):
        commit_files(checkout, {"a": str(number)}, f"Work {number}")
    base = repository.head().oid
    made = writer.commit([request(ref=REFS.feature, start=base, event="i:1", since=base)])[0]
    next_one = writer.commit([request(ref=REFS.feature, event="i:2", since=made.oid)])[0]
    assert writer.commit([request(ref=REFS.feature, event="i:2", since=made.oid)])[0].oid == next_one.oid


def test_branches_are_archived_together_or_not_at_all(writer, repository, checkout, tmp_path):
    refs = spec_refs("add-json-7k3f")
    moves = {refs.specs: refs.archived(refs.specs), refs.session(1): refs.archived(refs.session(1))}
    tips = {ref: writer.commit([request(ref=ref, files={"a": b"1"})])[0].oid for ref in moves}
    git(checkout, "worktree", "add", "--quiet", tmp_path / "mine", refs.session(1).removeprefix("refs/heads/"))
    with pytest.raises(CheckedOutElsewhere):
        writer.archive(moves)
    assert repository.resolve(refs.specs) == tips[refs.specs]
    git(checkout, "worktree", "remove", tmp_path / "mine")
    assert writer.archive(moves) == tips
    assert [repository.resolve(ref) for ref in moves] == [None, None]
    assert {ref: repository.resolve(archived) for ref, archived in moves.items()} == tips
    assert writer.archive(moves) == {}
    again = writer.commit([request(ref=refs.specs, files={"b": b"2"})])[0].oid
    assert writer.archive(moves) == {refs.specs: again}
    assert repository.resolve(f"{refs.archived(refs.specs)}-2") == again
    assert repository.resolve(refs.archived(refs.specs)) == tips[refs.specs]
    with pytest.raises(UnsafePath):
        writer.archive({RefName("refs/heads/main"): refs.archived(refs.specs)})
    with pytest.raises(UnsafePath):
        writer.archive({refs.specs: RefName("refs/heads/spectask/other")})
