"""Every public call of specgit, each with a scenario that makes it in a Scene; a call without one fails the tests.

To add a call: write a function below that takes the Scene, makes the call with names and places of its own (`scene.refs()`, `scene.place()`, `scene.desk()`),
asserts what it should come to, and carries `@plays("module.Class.method")`. One function may play several calls, and must really make each of them. What a
call may change of the user's, by request, is said in `MOVES`. Two subjects have files of their own: `git_calls_worktrees.py` and `git_calls_remote.py`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable

import pytest

from specgit import (
    __main__ as face,
)
from specgit import (
    commits,
    errors,
    folder,
    git,
    glance,
    history,
    ignore,
    import_stream,
    in_use,
    lock,
    maintenance,
    recovery,
    replay,
    scan,
    session_log,
    traits,
    trees,
    types,
    view,
)
from specgit import (
    repository as repositories,
)
from support import git_calls_remote, git_calls_worktrees  # noqa: F401  each enters its own
from support.call_list import CALLS, plays
from support.git_scene import ADA, WHEN, Scene

MOVES = {"commits.Writer.fast_forward": {"refs/heads/ahead", "git: logs/refs/heads/ahead", "git: refs/heads/ahead"}}
"""What a call changes of the user's, since the user asked for just that."""


# --- writing


@plays("commits.Writer.commit")
def _commit(scene: Scene) -> None:
    refs = scene.refs()
    code = scene.request(refs, ref=refs.feature, start=scene.base, merge_parents=[scene.theirs], tree=scene.repository.tree_of(scene.ours))
    tag = commits.TagRequest(ref=refs.tag(1), target=0, message="v1", tagger=ADA, when=WHEN)
    specs, feature = scene.writer.commit([scene.request(refs), code], [tag])
    assert (scene.repository.resolve(refs.specs), scene.repository.resolve(refs.feature)) == (specs.oid, feature.oid)
    assert scene.writer.commit([scene.request(refs)])[0].replayed
    with pytest.raises(errors.RefMoved):
        scene.writer.commit([scene.request(refs, event=None, expect=scene.base)])
    with pytest.raises(errors.UnsafePath):
        scene.writer.commit([scene.request(refs, event=None, files={".git/config": b""})])


@plays(
    "commits.Writer.recover", "recovery.recover", "recovery.remove_crash_reports", "recovery.remove_scratch", "recovery.remove_stale_locks"
)
def _recover(scene: Scene) -> None:
    scratch = types.RefName(f"refs/specthread/pending/{'a' * 32}-0")
    scene.writer.set_ref(scratch, scene.base, None)
    assert (scratch, scene.base) in scene.writer.recover().pending
    assert recovery.recover(scene.repository).pending == ()
    assert recovery.remove_crash_reports(scene.repository.git_dir) == ()
    assert recovery.remove_stale_locks(scene.repository.git_dir) == ()


@plays("commits.Writer.set_ref", "commits.Writer.delete_ref")
def _set_ref(scene: Scene) -> None:
    refs, oid = scene.made()
    scene.writer.set_ref(refs.archive("x"), oid, None)
    scene.writer.delete_ref(refs.archive("x"), oid)
    assert scene.repository.resolve(refs.archive("x")) is None
    for ref in ("refs/heads/main", "refs/heads/theirs", "refs/tags/v1", "refs/stash", "HEAD"):
        with pytest.raises(errors.UnsafePath):
            scene.writer.set_ref(types.RefName(ref), scene.base, scene.ours)
        with pytest.raises(errors.UnsafePath):
            scene.writer.delete_ref(types.RefName(ref), scene.ours)


@plays("commits.Writer.fast_forward")
def _fast_forward(scene: Scene) -> None:
    ahead = types.RefName("refs/heads/ahead")
    old = scene.repository.resolve(ahead)
    assert old
    for name in ("main", "linked", "theirs"):
        with pytest.raises(errors.BranchInUse):
            scene.writer.fast_forward(types.RefName(f"refs/heads/{name}"), scene.ours, expect=scene.base, reason="land")
    scene.writer.fast_forward(ahead, scene.ours, expect=old, reason="land")
    assert scene.repository.resolve(ahead) == scene.ours


@plays("lock.write_lock", "lock.WriteLock.changed_at", "lock.WriteLock.noted", "lock.WriteLock.clear_stale")
def _write_lock(scene: Scene) -> None:
    refs = scene.refs()
    stale = scene.repository.git_dir / f"{refs.specs}.lock"
    stale.parent.mkdir(parents=True)
    with contextlib.suppress(errors.GitTimeout), lock.write_lock(scene.repository) as held, held.noted([refs.specs]):
        stale.write_text("")
        raise errors.GitTimeout("late")
    with lock.write_lock(scene.repository) as held:
        assert not stale.exists()
        held.clear_stale()
        assert held.changed_at() == held.changed_at()


@plays("lock.RepositoryLock.acquire", "lock.RepositoryLock.release")
def _repository_lock(scene: Scene) -> None:
    with lock.RepositoryLock(scene.repository, "me"), pytest.raises(errors.RepositoryBusy):
        lock.RepositoryLock(scene.repository, "you").acquire()
    lock.RepositoryLock(scene.repository, "me").release()


@plays("maintenance.pack_loose", "maintenance.is_worthwhile")
def _pack_loose(scene: Scene) -> None:
    scene.made()
    maintenance.is_worthwhile(scene.repository)
    assert maintenance.pack_loose(scene.repository).packed > 0


@plays("replay.ReplayIndex.find", "replay.ReplayIndex.note")
def _replay(scene: Scene) -> None:
    refs, oid = scene.made()
    index = replay.ReplayIndex(scene.repository.runner)
    assert index.find(refs.specs, oid, "i:1", None) == oid
    index.note(refs.specs, oid, scene.base, "i:2")
    assert index.find(refs.specs, scene.base, "i:2", None) == scene.base


# --- worktrees


@plays("worktrees.Worktrees.add", "worktrees.Worktrees.remove", "worktrees.Worktrees.list", "worktrees.Worktrees.gitdir_of")
def _worktree(scene: Scene) -> None:
    path, refs = scene.desk()
    scene.worktrees.add(path, branch=refs.session(1), start=scene.ours)
    assert (path / "new/file.py").exists()
    assert path in {tree.path for tree in scene.worktrees.list()}
    assert scene.worktrees.gitdir_of(path).parent == scene.repository.git_dir / "worktrees"
    with pytest.raises(errors.CheckedOutElsewhere):
        scene.worktrees.add(scene.place(), branch=refs.session(1), start=scene.ours)
    scene.worktrees.remove(path, keep=None)
    assert not path.exists()


@plays("worktrees.Worktrees.add_detached", "worktrees.Worktrees.reset_files")
def _detached(scene: Scene) -> None:
    path = scene.place()
    scene.worktrees.add_detached(path, scene.ours)
    scene.agent(path)
    scene.worktrees.reset_files(path, scene.theirs)
    assert (path / "theirs.txt").read_text() == "t\n"
    scene.worktrees.remove(path, keep=None)


@plays(
    "worktrees.Worktrees.scan",
    "scan.scan_worktree",
    "worktrees.Worktrees.commit",
    "worktrees.Worktrees.withdraw",
    "worktrees.Worktrees.restore_git_file",
)
def _worktree_commit(scene: Scene) -> None:
    path, refs = scene.desk()
    seen = scene.worktrees.scan(path, against=scene.ours)
    assert {"src/app.py", "new/file.py", "data.txt"} <= seen.files.keys()
    assert scan.scan_worktree(scene.repository, path, against=scene.ours, drop_prefixes=["new"]).files.keys() < seen.files.keys()
    given = {"branch": refs.session(1), "message": "Work", "author": ADA, "when": WHEN, "event": "i:7"}
    made = scene.worktrees.commit(path, **given)
    assert "data.txt" in made.changed
    assert scene.worktrees.commit(path, **given).oid == made.oid
    (path / "data.txt").write_text("merged\n")
    merged = scene.worktrees.commit(path, **{**given, "event": "i:8"}, merge_parents=[scene.theirs])
    assert scene.repository.read(merged.oid, "data.txt") == b"merged\n"
    scene.worktrees.withdraw(path, branch=given["branch"], tip=merged.oid, to=made.oid)
    assert scene.repository.resolve(given["branch"]) == made.oid
    scene.worktrees.restore_git_file(path)
    assert (path / ".git").read_text() == f"gitdir: {scene.worktrees.gitdir_of(path)}\n"
    scene.worktrees.remove(path, keep=None)


@plays("merge.Merger.write_with_markers", "merge.Merger.has_markers")
def _markers(scene: Scene) -> None:
    path, _ = scene.desk()
    scene.worktrees.reset_files(path, scene.ours)
    scene.merger.write_with_markers(path, scene.ours, scene.theirs)
    assert (path / "theirs.txt").read_text() == "t\n"
    assert scene.merger.has_markers(scene.repository.tree_of(scene.ours), ["src/app.py", "none"]) == ()
    scene.worktrees.remove(path, keep=None)


@plays("trees.export_tree", "trees.write_index", "trees.write_entries", "trees.read_blobs", "trees.read_small_blobs")
def _trees(scene: Scene) -> None:
    place = scene.place()
    trees.export_tree(scene.repository, scene.theirs, place)
    assert (place / "data.txt").read_text() == "x\n"
    trees.write_index(scene.repository, scene.theirs, place / "index")
    entries = scene.repository.entries(scene.theirs)
    trees.write_entries(scene.repository, entries, place)
    assert dict(trees.read_blobs(scene.repository, entries)) | {} != {}
    assert any(content is None for _, content in trees.read_small_blobs(scene.repository, entries, 2))


@plays("folder.Folder.write", "folder.Folder.make", "folder.Folder.remove", "folder.open_below", "folder.delete_tree")
def _folder(scene: Scene) -> None:
    place = scene.place()
    place.mkdir(parents=True)
    (place / "out").symlink_to(scene.checkout)
    with folder.Folder(place) as opened:
        opened.write("out/README.md", "100644", b"inside")
        opened.make("empty/folder")
        opened.write("x", folder.EXECUTABLE, b"")
        opened.remove("x")
    descriptor = os.open(place, os.O_RDONLY)
    os.close(folder.open_below(descriptor, ["empty"]))
    os.close(descriptor)
    (place / "again").symlink_to(scene.checkout)
    folder.delete_tree(place / "again")
    folder.delete_tree(place)
    assert not place.exists()


# --- merging


@plays("merge.Merger.preview", "merge.Merger.matrix", "merge.Merger.merge_text")
def _merge(scene: Scene) -> None:
    preview = scene.merger.preview(scene.ours, scene.theirs)
    assert scene.repository.read(preview.tree, "src/app.py") == b"ours\n2\ntheirs\n"
    assert scene.merger.matrix({"a": scene.ours, "b": scene.theirs, "c": scene.base}).keys() == {("a", "b"), ("a", "c"), ("b", "c")}
    assert scene.merger.merge_text(b"1\n", b"2\n", b"3\n").conflict


# --- reading


Question = Callable[[repositories.Repository, Scene], object]
QUESTIONS: dict[str, Question] = {
    "Repository.open": lambda _, scene: repositories.Repository.open(scene.checkout / "src").git_dir == scene.checkout / ".git",
    "Repository.zero": lambda repository, _: set(repository.zero) == {"0"},
    "Repository.head": lambda repository, scene: repository.head().oid == scene.ours and "src/app.py" in repository.head().dirty,
    "Repository.identity": lambda repository, _: repository.identity() is not None,
    "Repository.refs": lambda repository, scene: (
        repository.refs("refs/heads/main", "refs/tags/v1") == {"refs/heads/main": scene.ours, "refs/tags/v1": scene.base}
    ),
    "Repository.is_held": lambda repository, scene: repository.is_held(scene.base),
    "Repository.resolve": lambda repository, scene: (
        repository.resolve("main") == scene.ours and repository.resolve("1" * 40 + "^0") is None
    ),
    "Repository.tree_of": lambda repository, scene: repository.tree_of(scene.ours) != scene.ours,
    "Repository.read": lambda repository, _: repository.read("main", "data.txt") == b"x\n" and repository.read("1" * 40, "x") is None,
    "Repository.read_all": lambda repository, _: repository.read_all([("main", "data.txt"), ("main", "none")]) == [b"x\n", None],
    "Repository.entries": lambda repository, _: "src/app.py" in {entry.path for entry in repository.entries("main", "src")},
    "Repository.log": lambda repository, scene: repository.log("main", limit=1)[0].oid == scene.ours,
    "Repository.log_with": lambda repository, _: repository.log_with(["Spec-Task"], "main", limit=9, timeout=60) == (),
    "Repository.own_files": lambda repository, _: {"staged.txt", "data.txt"} <= set(repository.own_files()),
    "Repository.find_event": lambda repository, _: repository.find_event(types.RefName("refs/heads/main"), "i:1") is None,
    "Repository.is_ancestor": lambda repository, scene: repository.is_ancestor(scene.base, scene.ours),
    "Repository.behind": lambda repository, scene: repository.behind(scene.base, scene.theirs) > 0,
    "Repository.checked_out": lambda repository, scene: repository.checked_out()[types.RefName("refs/heads/main")] == scene.checkout,
    "Repository.git_folders": lambda repository, _: repository.git_dir in {place for place, _ in repository.git_folders()},
    "Repository.require_room": lambda repository, _: repository.require_room("a-7k3f") is None,
    "Repository.count": lambda repository, scene: repository.count(f"{scene.base}..main") > 0,
    "Repository.checkouts": lambda repository, scene: repository.checkouts()[0] == scene.checkout,
    "Repository.changed_paths": lambda repository, scene: "src/app.py" in repository.changed_paths(scene.base, scene.ours),
    "Repository.diff_text": lambda repository, scene: "\n+ours\n" in repository.diff_text(scene.base, scene.ours, limit_bytes=10_000),
    "Repository.ignored": lambda repository, _: repository.ignored(["x.log", "data.txt"]) == {"x.log"},
    "text_of": lambda repository, _: repositories.text_of(repository.git_dir / "HEAD") == "ref: refs/heads/main",
}


def _asked(question: Question) -> Callable[[Scene], None]:
    def scenario(scene: Scene) -> None:
        assert question(scene.repository, scene)

    return scenario


CALLS.update({f"repository.{name}": _asked(question) for name, question in QUESTIONS.items()})


@plays("glance.look_up", "glance.walk", "glance.folder", "glance.paths", "glance.grep", "glance.Entry.is_folder")
def _glance(scene: Scene) -> None:
    repository = scene.repository
    source, nothing = glance.look_up(repository, ["main:src", "main:none"])
    assert source
    assert (source.kind, nothing) == ("tree", None)
    assert "app.py" in {entry.name for entry in glance.folder(repository, source.oid) if not entry.is_folder}
    assert {"", "src"} <= {found.path for found in glance.walk(repository, "main", most_bytes=100_000)}
    assert "src/app.py" in glance.paths(repository, "main", "src", limit_bytes=1000)[0]
    assert "src/app.py" in {found.path for found in glance.grep(repository, "main", "o[u]rs", [], limit_bytes=1000, timeout=60)}


@plays("in_use.branches_in_use", "in_use.symbolic_branches")
def _in_use(scene: Scene) -> None:
    assert {"refs/heads/main", "refs/heads/linked", "refs/heads/theirs"} <= in_use.branches_in_use(scene.repository).keys()
    assert in_use.symbolic_branches(scene.repository) == {}


@plays("traits.traits_of", "traits.Traits.notes")
def _traits(scene: Scene) -> None:
    assert traits.traits_of(scene.repository).object_format == scene.repository.object_format
    assert isinstance(traits.traits_of(scene.repository).notes, tuple)


@plays("history.read_commits", "history.read_events")
def _history(scene: Scene) -> None:
    refs, oid = scene.made()
    assert history.read_commits(scene.repository.runner, [refs.specs])[0].oid == oid
    assert history.read_events(scene.repository.runner, oid, None) == {"i:1": oid}


@plays("ignore.ignored_paths")
def _ignored(scene: Scene) -> None:
    assert ignore.ignored_paths(scene.repository.runner, scene.checkout, ["x.log", "data.txt"]) == {"x.log"}


@plays("view.sterile_view")
def _view(scene: Scene) -> None:
    given = {"object_format": scene.repository.object_format, "refs": {"HEAD": scene.ours}, "env": {}, "bare": True}
    with view.sterile_view(scene.repository.runner, **given) as runner:
        assert runner.run(["rev-parse", "HEAD"]).text == scene.ours


@plays("git.GitRunner.run", "git.GitRunner.run_head", "git.GitRunner.at", "git.Completed.text", "git.find_git", "git.discover")
def _runner(scene: Scene) -> None:
    runner = scene.repository.runner.at(scene.repository.checkout_git_dir)
    assert runner.run(["rev-parse", "HEAD"]).text == scene.ours
    assert runner.run_head(["cat-file", "-p", "HEAD"], limit_bytes=4).stdout == b"tree"
    assert git.discover(git.find_git(), scene.checkout, ["--is-bare-repository"]) == "false"


@plays("__main__.main")
def _face(scene: Scene) -> None:
    for verb in ("log", "doctor", "matrix"):
        with contextlib.redirect_stdout(io.StringIO()):
            assert face.main([verb, str(scene.checkout)]) in {0, 1}


# --- pure functions: they are handed no repository, and are played so that the list is whole


@plays("errors.GitError.message", "errors.mask", "errors.error_from_git", "errors.writing")
def _errors(_: Scene) -> None:
    with pytest.raises(errors.DiskFull), errors.writing():
        raise OSError(errno.ENOSPC, "full")
    assert errors.error_from_git(["git", "x"], 1, "https://a:b@c").message.count(errors.mask("https://a:b@c")) == 1


@plays("history.split_message", "history.join_message")
def _messages(_: Scene) -> None:
    assert history.split_message(history.join_message("One", [("Spec-Task", "x")])) == ("One", "", (("Spec-Task", "x"),))


@plays("import_stream.import_stream", "import_stream.person_line", "scan.evidence_in", "session_log.turn_path", "session_log.summary_path")
def _texts(_: Scene) -> None:
    assert import_stream.import_stream([]) == b"feature done\ndone\n"
    assert import_stream.person_line(ADA, WHEN).startswith("Ada <ada@example.org> ")
    assert scan.evidence_in([".github/x.yml", "docs/.claude/x", "y"]) == (".github/x.yml", "docs/.claude/x")
    assert session_log.turn_path("a", "ws-1", 101).endswith("/01/0101.md")
    assert session_log.summary_path("a", "ws-1").endswith("ws-1.md")


@plays(*(f"types.SpecRefs.{name}" for name in ("specs", "feature", "session", "tag", "archive", "pending", "conflicts")))
def _ref_names(_: Scene) -> None:
    refs = types.spec_refs("a")
    names = [refs.specs, refs.feature, refs.session(1), refs.tag(1), refs.archive("x"), refs.pending("x"), refs.conflicts("x")]
    assert all(map(types.is_own_ref, names))


@plays("types.spec_refs", "types.is_own_ref", "types.validate_path", "types.danger_of")
def _names(_: Scene) -> None:
    assert not types.is_own_ref("refs/heads/main")
    assert types.validate_path("a/b") == "a/b"
    assert types.danger_of(".git")
    with pytest.raises(errors.UnsafePath):
        types.spec_refs("../x")
