import os
from pathlib import Path

import pytest

from specgit.errors import ObjectMissing, UnsafePath
from specgit.folder import Folder, delete_tree
from specgit.repository import Repository
from specgit.trees import export_tree
from specgit.types import Oid
from support.git_fixture import commit_files, git, make_repository, write_files


def test_a_tree_is_exported_byte_for_byte(repository, checkout, tmp_path):
    write_files(
        checkout, {"crlf.txt": b"a\r\nb\n", "empty": b"", "bin": bytes(range(256)), ".gitattributes": "* text eol=crlf\n", "run": "#!"}
    )
    (checkout / "run").chmod(0o755)
    (checkout / "link").symlink_to("../outside")
    git(checkout, "-c", "core.autocrlf=false", "add", "-A")
    git(checkout, "commit", "--quiet", "-m", "Bytes")
    export_tree(repository, repository.head().oid, tmp_path / "out")
    assert (tmp_path / "out/bin").read_bytes() == bytes(range(256))
    assert (tmp_path / "out/README.md").read_bytes() == b"Hello\n"
    assert (tmp_path / "out/empty").read_bytes() == b""
    assert (tmp_path / "out/link").readlink() == Path("../outside")
    assert os.access(tmp_path / "out/run", os.X_OK)
    assert not (tmp_path / "out/.git").exists()


def test_an_empty_tree_is_an_empty_folder(repository, checkout, tmp_path):
    export_tree(repository, Oid(git(checkout, "mktree")), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_tree_larger_than_one_batch_is_exported_whole(checkout, tmp_path, monkeypatch):
    monkeypatch.setattr("specgit.trees._BATCH_BYTES", 1000)
    commit_files(checkout, {f"f{number}": bytes([number]) * (number * 40) for number in range(60)}, "Many")
    export_tree(Repository.open(checkout), Oid(git(checkout, "rev-parse", "HEAD")), tmp_path / "out")
    for number in range(60):
        assert (tmp_path / f"out/f{number}").read_bytes() == bytes([number]) * (number * 40)


def test_a_planted_tree_with_a_git_folder_is_not_written_to_disk(repository, checkout, tmp_path):
    blob = git(checkout, "hash-object", "-w", "--stdin", stdin=b"[core]")
    inner = git(checkout, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    tree = git(checkout, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=b"40000 .git\0" + bytes.fromhex(inner))
    with pytest.raises(UnsafePath, match="on purpose"):
        export_tree(repository, Oid(tree), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_that_is_missing_in_a_partial_clone_is_reported(checkout, tmp_path):
    git(checkout, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{checkout}", "partial")
    repository = Repository.open(tmp_path / "partial")
    with pytest.raises(ObjectMissing, match="fetch"):
        export_tree(repository, repository.resolve("HEAD"), tmp_path / "out")


def test_writing_replaces_what_is_there_and_never_follows_a_link(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/victim").write_text("safe")
    (tmp_path / "in/link").symlink_to(tmp_path / "out/victim")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")
    write_files(tmp_path / "in", {"was/a/folder": "x"})
    with Folder(tmp_path / "in") as folder:
        folder.write("link", "100644", b"new")
        folder.write("folder/victim", "100644", b"new")
        folder.write("was", "120000", b"target")
        folder.remove("none/at/all")
        folder.remove("link/below")
    assert (tmp_path / "out/victim").read_text() == "safe"
    assert (tmp_path / "in/link").read_text() == "new"
    assert (tmp_path / "in/folder/victim").read_text() == "new"
    assert (tmp_path / "in/was").readlink() == Path("target")


def test_removing_a_file_removes_the_folders_it_leaves_empty(tmp_path):
    write_files(tmp_path, {"a/b/c": "", "a/d": ""})
    with Folder(tmp_path) as folder:
        folder.remove("a/b/c")
        assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["d"]
        folder.remove("a/d")
    assert list(tmp_path.glob("a")) == []


def test_a_folder_that_was_made_unreadable_is_deleted_all_the_same(tmp_path):
    write_files(tmp_path, {"t/a/b/c": "", "t/x": ""})
    (tmp_path / "t/a/b").chmod(0)
    (tmp_path / "t/a").chmod(0)
    (tmp_path / "t").chmod(0o500)
    delete_tree(tmp_path / "t")
    delete_tree(tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_a_link_is_deleted_and_its_target_kept(tmp_path):
    make_repository(tmp_path / "kept", {"a": "1"})
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    delete_tree(tmp_path / "link")
    assert (tmp_path / "kept/a").exists()


def test_a_pipe_is_deleted(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    delete_tree(tmp_path / "pipe")
    assert not (tmp_path / "pipe").exists()
