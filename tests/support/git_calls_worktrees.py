"""Scenarios for what is done with worktrees and branches beyond committing: narrowed, kept, measured, foreseen, merged in turn, put away."""

from __future__ import annotations

from pathlib import Path

from specgit import disk, fingerprint, foresight, known, merge, merge_queue, removal, scan, snapshot, sparse, trees, view
from specgit.types import Oid
from support.call_list import plays
from support.git_fixture import write_files
from support.git_scene import ADA, WHEN, Scene


@plays("commits.Writer.archive", "types.SpecRefs.archived")
def _archive(scene: Scene) -> None:
    refs, oid = scene.made()
    assert scene.writer.archive({refs.specs: refs.archived(refs.specs), refs.feature: refs.archived(refs.feature)}) == {refs.specs: oid}
    assert scene.repository.resolve(refs.specs) is None
    assert scene.repository.resolve(refs.archived(refs.specs)) == oid
    assert scene.writer.archive({refs.specs: refs.archived(refs.specs)}) == {}


@plays("worktrees.Worktrees.cone", "sparse.cone_of", "sparse.read_cone", "sparse.Cone.holds", "sparse.Cone.write", "sparse.mark_absent")
def _sparse(scene: Scene) -> None:
    refs, path = scene.refs(), scene.place()
    scene.worktrees.add(path, branch=refs.session(1), start=scene.base, sparse=["src"])
    write_files(path, {"src/app.py": "agent\n"})
    scene.agent(path)
    cone = scene.worktrees.cone(path)
    assert cone == sparse.cone_of(["src/"])
    assert cone is not None
    assert (cone.holds("src/app.py"), cone.holds("README.md"), cone.holds("old/gone.txt")) == (True, True, False)
    seen = scene.worktrees.scan(path, against=scene.ours)
    assert "src/app.py" in seen.files
    assert seen.deleted == (), "what it was made without is not deleted in it"
    scene.worktrees.remove(path, keep=None)
    assert sparse.read_cone(path) is None


@plays(
    "worktrees.Worktrees.include",
    "worktrees.Worktrees.strange_files",
    "include.Included.strange_files",
    *(f"include.{name}" for name in ("copy_included", "include_once", "included_files", "noted", "read_included", "Included.holds")),
)
def _include(scene: Scene) -> None:
    path, _ = scene.desk()
    assert scene.worktrees.include(path, ["*.log", "README.md"]) == ("x.log",)
    assert (path / "x.log").read_text() == "ignored\n"
    (path / "new.txt").write_text("a file of its own\n")
    assert "x.log" not in scene.worktrees.strange_files(path, against=scene.ours)
    assert {"x.log", "new.txt"} & set(scene.worktrees.scan(path, against=scene.ours).files) == {"new.txt"}
    scene.worktrees.remove(path, keep=None)


@plays("worktrees.Worktrees.snapshot", "snapshot.keep_snapshot", "scan.WorktreeScan.empty")
def _snapshot(scene: Scene) -> None:
    path, refs = scene.desk()
    keep = snapshot.Keep(ref=refs.archive("ws-1"), message="Keep", author=ADA, when=WHEN)
    kept = scene.worktrees.snapshot(path, keep)
    assert scene.repository.read(kept.oid, "new/file.py") == b"x\n"
    assert scene.worktrees.remove(path, keep=keep) == kept, "what is kept already is not kept again"
    nothing = scan.WorktreeScan.empty()
    assert snapshot.keep_snapshot(scene.repository, scene.writer, keep, head=scene.ours, scan=nothing).oid != kept.oid


@plays("removal.put_away", "removal.empty_trash", "removal.trash_in", "worktrees.Worktrees.empty_trash")
def _put_away(scene: Scene) -> None:
    path, _ = scene.desk()
    removal.put_away(scene.repository, path, scene.worktrees.gitdir_of(path))
    assert not path.exists()
    left = path.parent / ".trash-x"
    write_files(left, {"a/b": "c\n"})
    (left / "out").symlink_to(scene.checkout)
    assert tuple(removal.trash_in(scene.repository, path.parent)) == (left,)
    scene.worktrees.empty_trash(path.parent)
    assert not left.exists()


@plays("disk.disk_use", "disk.size_of", "disk.DiskUse.total", "disk.in_megabytes")
def _disk(scene: Scene) -> None:
    path, _ = scene.desk()
    used = disk.disk_use(scene.repository)
    assert used.total >= dict(used.worktrees)[path] == disk.size_of(path) > 0
    assert disk.in_megabytes(used.total).endswith(" MB")
    scene.worktrees.remove(path, keep=None)


@plays("fingerprint.fingerprint_of", "fingerprint.changes_since", "fingerprint.Fingerprint.digests")
def _fingerprint(scene: Scene) -> None:
    now = fingerprint.fingerprint_of(scene.repository)
    assert now.digests.keys() == now.items.keys()
    assert fingerprint.changes_since(now.digests, now) == ()


@plays("foresight.Foresight.look", "foresight.Foresight.close", *(f"known.KnownFiles.{name}" for name in ("begin", "holds", "note")))
def _foresight(scene: Scene) -> None:
    (one, _), (other, _) = scene.desk(), scene.desk()
    write_files(other, {"data.txt": "otherwise\n"})
    ahead, place = foresight.Foresight(scene.repository, scene.place()), foresight.Work
    works = {"one": place(path=one, tip=scene.ours), "other": place(path=other, tip=scene.ours)}
    assert ahead.look(works, []) == {("one", "other"): ("data.txt",)}
    write_files(other, {"data.txt": "changed\n"})
    assert ahead.look(works, ["other"]) == {("one", "other"): ()}
    ahead.close()
    files = known.KnownFiles()
    files.begin(scene.ours, 1)
    files.note(0, (scene.checkout / "data.txt").stat())
    assert not files.holds(0, (scene.checkout / "README.md").stat())
    for path in (one, other):
        scene.worktrees.remove(path, keep=None)


@plays("view.private_view", "merge.conflicts_between")
def _private_view(scene: Scene) -> None:
    place = scene.place()
    place.mkdir(parents=True)
    shown = view.private_view(scene.repository.runner, place, object_format=scene.repository.object_format)
    pairs = [(scene.ours, scene.theirs), (scene.ours, _conflicting(scene))]
    assert merge.conflicts_between(shown, pairs) == [(), ("src/app.py",)]


@plays("merge.Merger.settle", "trees.tree_with")
def _settle(scene: Scene) -> None:
    other = _conflicting(scene)
    preview = scene.merger.preview(scene.ours, other)
    settled = scene.merger.settle(preview, scene.ours, other, lambda *_: b"settled\n")
    assert (preview.conflicts, settled.conflicts) == (("src/app.py",), ())
    assert scene.repository.read(settled.tree, "src/app.py") == b"settled\n"
    assert scene.repository.read(trees.tree_with(scene.repository, settled.tree, {"data.txt": b"y\n"}), "data.txt") == b"y\n"


@plays(*(f"merge_queue.MergeQueue.{name}" for name in ("enqueue", "cancel", "next", "states")))
def _merge_queue(scene: Scene) -> None:
    refs, scratch = scene.refs(), scene.place()
    scene.writer.set_ref(refs.feature, scene.ours, None)

    def check(folder: Path) -> merge_queue.CheckResult:
        return merge_queue.CheckResult(passed=(folder / "theirs.txt").exists())

    queue = merge_queue.MergeQueue(scene.repository, scene.writer, scratch=scratch, check=check)
    for source in (scene.theirs, _conflicting(scene), scene.base):
        queue.enqueue(merge_queue.MergeRequest(source=source, into=refs.feature, message="Merge", author=ADA, when=WHEN))
    queue.cancel(scene.base)
    assert [each.state for each in queue.states()] == ["queued"] * 3
    found = [queue.next(), queue.next(), queue.next(), queue.next()]
    assert [each and each.state for each in found] == ["landed", "conflicted", "cancelled", None]
    assert scene.repository.read(refs.feature, "theirs.txt") == b"t\n"
    assert not scratch.exists()


def _conflicting(scene: Scene) -> Oid:
    """Commits what cannot be merged with `ours` line by line."""
    refs = scene.refs()
    request = scene.request(refs, ref=refs.session(2), start=scene.base, files={"src/app.py": b"otherwise\n2\n3\n"})
    return scene.writer.commit([request])[0].oid
