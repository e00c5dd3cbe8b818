from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgit.errors import GitError, ObjectMissing, UnsavedWork
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.types import Oid, Person, spec_refs
from specgit.worktrees import Worktrees
from support.git_fixture import commit_files, fingerprint, git, make_repository, write_files

REFS = spec_refs("a-7k3f")
BOT = Person(name="ws-1", email="ws-1@localhost")


@pytest.fixture
def merger(repository):
    return Merger(repository)


@pytest.fixture(scope="module")
def text_merger(tmp_path_factory):
    return Merger(Repository.open(make_repository(tmp_path_factory.mktemp("merge"), {"a": "1"})))


def two_branches(checkout, ours, theirs, base=None):
    if base:
        commit_files(checkout, base, "Base")
    git(checkout, "checkout", "--quiet", "-b", "theirs")
    commit_files(checkout, theirs, "Theirs")
    git(checkout, "checkout", "--quiet", "main")
    commit_files(checkout, ours, "Ours")
    return Oid(git(checkout, "rev-parse", "main")), Oid(git(checkout, "rev-parse", "theirs"))


def test_a_merge_without_conflict_gives_the_tree_of_both(merger, repository, checkout):
    ours, theirs = two_branches(checkout, {"a": "ours"}, {"b": "theirs"})
    before = fingerprint(checkout)
    preview = merger.preview(ours, theirs)
    assert preview.conflicts == ()
    assert {"a", "b", "README.md"} <= {entry.path for entry in repository.entries(preview.tree)}
    assert fingerprint(checkout) == before


def test_conflicts_are_named_and_marked(merger, repository, checkout):
    ours, theirs = two_branches(checkout, {"README.md": "ours\n", "ä\n": "1"}, {"README.md": "theirs\n", "ä\n": "2"})
    preview = merger.preview(ours, theirs)
    assert set(preview.conflicts) == {"README.md", "ä\n"}
    assert repository.read(preview.tree, "README.md") == b"<<<<<<< ours\nours\n=======\ntheirs\n>>>>>>> theirs\n"
    assert merger.has_markers(preview.tree, ["README.md", "src/app.py", "none"]) == ("README.md",)
    assert merger.has_markers(preview.tree, ["src/app.py"]) == ()


def test_a_missing_commit_and_unrelated_histories_are_errors_and_not_conflicts(merger, repository, checkout):
    head = repository.head().oid
    with pytest.raises(ObjectMissing):
        merger.preview(head, Oid("1" * 40))
    git(checkout, "checkout", "--quiet", "--orphan", "unrelated")
    other = Oid(commit_files(checkout, {"a": "1"}, "Unrelated"))
    with pytest.raises(GitError, match="unrelated histories"):
        merger.preview(head, other)


def test_a_merge_works_in_a_shallow_clone_and_with_sha256(checkout, tmp_path):
    ours, theirs = two_branches(checkout, {"a": "ours"}, {"b": "theirs"})
    git(tmp_path, "clone", "--quiet", "--depth=2", "--no-single-branch", f"file://{checkout}", "shallow")
    assert Merger(Repository.open(tmp_path / "shallow")).preview(ours, theirs).conflicts == ()
    new = make_repository(tmp_path / "new", {"x": "1\n"}, object_format="sha256")
    assert Merger(Repository.open(new)).preview(*two_branches(new, {"x": "2\n"}, {"x": "3\n"})).conflicts == ("x",)


def test_a_conflict_is_brought_into_the_worktree_and_resolved_with_two_parents(merger, repository, checkout, tmp_path):
    base = {"gone": "1\n", "both": "1\n2\n3\n", "folder/x": "1"}
    ours, theirs = two_branches(checkout, {"both": "ours\n2\n3\n"}, {"both": "theirs\n2\n3\n", "new/file": "n"}, base)
    git(checkout, "checkout", "--quiet", "theirs")
    git(checkout, "rm", "--quiet", "-r", "gone", "folder")
    git(checkout, "commit", "--quiet", "-m", "Remove")
    git(checkout, "checkout", "--quiet", "main")
    theirs = Oid(git(checkout, "rev-parse", "theirs"))
    worktrees = Worktrees(repository)
    path = tmp_path / "ws"
    worktrees.add(path, branch=REFS.session(1), start=ours)
    write_files(path, {"cache.log": "ignored, kept"})
    assert merger.write_with_markers(path, ours, theirs) == ("both",)
    assert (path / "both").read_text() == "<<<<<<< ours\nours\n=======\ntheirs\n>>>>>>> theirs\n2\n3\n"
    assert [(path / name).exists() for name in ("gone", "folder", "new/file", "cache.log")] == [False, False, True, True]
    write_files(path, {"both": "resolved\n2\n3\n"})
    when = datetime(2026, 1, 2, tzinfo=UTC)
    made = worktrees.commit(path, branch=REFS.session(1), message="Resolve", author=BOT, when=when, merge_parents=[theirs])
    assert made.changed == ("both",)
    assert merger.has_markers(made.tree, ["both"]) == ()
    assert merger.preview(theirs, made.oid).tree == made.tree


@pytest.mark.parametrize("left", [{"both": "mine\n"}, {"gone": "mine\n"}, {"new": "mine\n"}], ids=["changed", "removed", "added"])
def test_no_merge_is_written_over_what_no_commit_holds(merger, repository, checkout, tmp_path, left):
    ours, _ = two_branches(checkout, {"a": "ours"}, {"both": "theirs\n", "new": "theirs\n"}, {"both": "1\n", "gone": "1\n"})
    git(checkout, "checkout", "--quiet", "theirs")
    git(checkout, "rm", "--quiet", "gone")
    git(checkout, "commit", "--quiet", "-m", "Remove")
    theirs = Oid(git(checkout, "rev-parse", "theirs"))
    path = tmp_path / "ws"
    Worktrees(repository).add(path, branch=REFS.session(1), start=ours)
    write_files(path, {"elsewhere": "mine\n", **left})
    with pytest.raises(UnsavedWork):
        merger.write_with_markers(path, ours, theirs)
    for name, text in left.items():
        assert (path / name).read_text() == text
    # What is never committed is no work, and what a crash left of the same merge is none either.
    merger.write_with_markers(path, ours, theirs, drop_prefixes=tuple(left))
    merger.write_with_markers(path, ours, theirs)
    assert (path / "both").read_text() == "theirs\n"
    assert (path / "elsewhere").read_text() == "mine\n"
    (path / "both").unlink()
    with pytest.raises(UnsavedWork):
        merger.write_with_markers(path, ours, theirs)


def test_links_an_agent_left_are_not_followed_when_a_merge_is_written(merger, repository, checkout, tmp_path):
    ours, theirs = two_branches(checkout, {"a": "1"}, {"src/new.py": "planted\n", "src/app.py": "theirs\n"})
    path = tmp_path / "ws"
    Worktrees(repository).add(path, branch=REFS.session(1), start=ours)
    (tmp_path / "outside").mkdir()
    for name in ("app.py", "lib/deep.py"):
        (path / "src" / name).unlink()
    (path / "src/lib").rmdir()
    (path / "src").rmdir()
    (path / "src").symlink_to(tmp_path / "outside")
    merger.write_with_markers(path, ours, theirs, drop_prefixes=["src"])
    assert list((tmp_path / "outside").iterdir()) == []
    assert (path / "src/new.py").read_text() == "planted\n"


def test_edits_in_different_places_are_joined(text_merger):
    merged = text_merger.merge_text(b"1\n2\n3\n4\n5\n", b"one\n2\n3\n4\n5\n", b"1\n2\n3\n4\nfive\n")
    assert (merged.content, merged.conflict) == (b"one\n2\n3\n4\nfive\n", False)


def test_edits_in_the_same_place_are_marked(text_merger):
    merged = text_merger.merge_text(b"1\n", b"a\n", b"b\n")
    assert (merged.content, merged.conflict) == (b"<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n", True)


def test_two_edits_of_a_binary_file_conflict_and_keep_ours(text_merger):
    merged = text_merger.merge_text(b"\0", b"\0a", b"\0b")
    assert (merged.content, merged.conflict) == (b"\0a", True)


TEXTS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"\xff\n", b"- [ ] 1\n", b"- [x] 1\n", b"end"]), max_size=6).map(b"".join)


@settings(deadline=None, max_examples=60)
@given(base=TEXTS, edit=TEXTS, other=TEXTS)
def test_one_sided_and_equal_edits_are_taken_as_they_are(text_merger, base, edit, other):
    assert text_merger.merge_text(base, edit, base).content == edit
    assert text_merger.merge_text(base, base, edit).content == edit
    assert text_merger.merge_text(base, edit, edit).content == edit
    assert not text_merger.merge_text(base, edit, edit).conflict
    there, back = text_merger.merge_text(base, edit, other), text_merger.merge_text(base, other, edit)
    assert there.conflict == back.conflict
    assert there.conflict or there.content == back.content


def test_markers_that_a_text_about_merging_held_before_are_its_own(merger, repository, checkout):
    quoted = "In a conflict git writes:\n<<<<<<< ours\n=======\n>>>>>>> theirs\n"
    start = Oid(commit_files(checkout, {"guide.md": quoted}, "Guide"))
    longer = Oid(commit_files(checkout, {"guide.md": f"# Guide\n\n{quoted}"}, "Heading"))
    conflicted = Oid(commit_files(checkout, {"guide.md": f"{quoted}<<<<<<< ours\n"}, "Conflict"))
    assert merger.has_markers(longer, ["guide.md"], before=[start]) == ()
    assert merger.has_markers(conflicted, ["guide.md"], before=[start, longer]) == ("guide.md",)
    assert merger.has_markers(longer, ["guide.md"]) == ("guide.md",)


def test_what_a_merge_of_ones_own_brings_together_is_no_conflict(merger, repository, checkout):
    base = {"list": "a\nb\n", "code": "1\n", "gone": "1\n"}
    ours, theirs = two_branches(checkout, {"list": "a!\nb\n", "code": "2\n", "gone": "2\n"}, {"list": "a\nb!\n", "code": "3\n"}, base)
    git(checkout, "checkout", "--quiet", "theirs")
    git(checkout, "rm", "--quiet", "gone")
    git(checkout, "commit", "--quiet", "--amend", "--no-edit")
    theirs = Oid(git(checkout, "rev-parse", "theirs"))
    before = fingerprint(checkout)
    preview = merger.preview(ours, theirs)
    assert set(preview.conflicts) == {"list", "code", "gone"}
    asked = []

    def merge(path, old, mine, other):
        asked.append((path, old, mine, other))
        return b"a!\nb!\n" if path == "list" else None

    settled = merger.settle(preview, ours, theirs, merge)
    # What one side deleted is for a person.
    assert asked == [("code", b"1\n", b"2\n", b"3\n"), ("list", b"a\nb\n", b"a!\nb\n", b"a\nb!\n")]
    assert settled.conflicts == ("code", "gone")
    assert repository.read(settled.tree, "list") == b"a!\nb!\n"
    assert repository.read(settled.tree, "README.md") == repository.read(ours, "README.md")
    assert merger.settle(preview, ours, theirs, lambda *_: None) == preview
    assert fingerprint(checkout) == before


def test_a_link_is_never_merged_like_a_text(merger, checkout):
    commit_files(checkout, {"t.md": "old\n"}, "Base")
    git(checkout, "checkout", "--quiet", "-b", "theirs")
    (checkout / "t.md").unlink()
    (checkout / "t.md").symlink_to("elsewhere")
    git(checkout, "commit", "--quiet", "--all", "--message", "Link")
    git(checkout, "checkout", "--quiet", "main")
    commit_files(checkout, {"t.md": "new\n"}, "Ours")
    ours, theirs = Oid(git(checkout, "rev-parse", "main")), Oid(git(checkout, "rev-parse", "theirs"))
    preview = merger.preview(ours, theirs)
    assert preview.conflicts
    assert merger.settle(preview, ours, theirs, lambda *_: b"merged") == preview
