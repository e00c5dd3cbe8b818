from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.engine.desk_file import DeskFolders, exchange_files, look, make_folder, place, swap
from specthread.engine.desk_history import VERSIONS, DeskHistory, Version, difference, likely_base

texts = st.lists(st.sampled_from([b"a b\n", b"a c\n", b"\n", b"d"]), max_size=5).map(b"".join)


def version(kind, content):
    return Version(kind=kind, content=content)


@pytest.mark.parametrize(
    ("versions", "saved", "base"),
    [
        ([], b"x\n", b""),
        ([version("daemon", b"one\n"), version("daemon", b"one two\n")], b"one two three\n", b"one two\n"),
        ([version("daemon", b"one\n"), version("daemon", b"two\n")], b"three\n", b"one\n"),
        ([version("daemon", b"one\n"), version("human", b"two\n")], b"one\n", b"two\n"),
        ([version("daemon", b"one\n"), version("human", b"two\n"), version("daemon", b"two b\n")], b"two b c\n", b"two b\n"),
    ],
)
def test_the_likely_base_is_the_nearest_text_that_an_editor_can_still_hold(versions, saved, base):
    assert likely_base(versions, saved) == base


@given(texts, texts)
def test_the_difference_of_two_texts_is_symmetric_and_zero_only_for_equal_ones(one, other):
    assert difference(one, other) == difference(other, one)
    assert (difference(one, other) == 0) == (one == other)


def test_the_last_fifty_versions_survive_in_order(tmp_path):
    history = DeskHistory(tmp_path / "requirements")
    for number in range(VERSIONS + 5):
        history.record("daemon", b"%d" % number)
        history.record("daemon", b"%d" % number)
    history.keep("refused", b"aside")
    contents = [entry.content for entry in DeskHistory(tmp_path / "requirements").versions()]
    assert contents == [b"%d" % number for number in range(5, VERSIONS + 5)]


def test_a_link_is_set_aside_as_a_link_and_a_folder_not_at_all(tmp_path):
    history = DeskHistory(tmp_path / "h")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    kept = history.keep_file(tmp_path / "link")
    assert kept is not None
    assert str(kept.readlink()) == "nowhere"
    assert history.keep_file(tmp_path / "folder") is None


def test_a_huge_file_is_not_copied(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10_000_000_000)
    assert DeskHistory(tmp_path / "h").keep_file(tmp_path / "huge") is None


def test_a_file_that_somebody_writes_is_seen_as_open(tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(b"half")
        file.flush()
        assert (look(path).kind, look(path).content) == ("open", b"half")
    assert (look(path).kind, look(path).content) == ("settled", b"half")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path, make):
    make(tmp_path / "odd")
    assert look(tmp_path / "odd").kind == "refused"


def test_a_swap_returns_the_file_that_was_there_and_an_open_writer_still_reaches_it(tmp_path):
    folders = DeskFolders.of(tmp_path / "desk" / "repo" / "id")
    target = folders.desk / "requirements.md"
    place(target, b"old", folders=folders)
    with target.open("r+b") as late:
        kept = swap(target, b"new", folders=folders, exchange=exchange_files)
        late.write(b"OLD")
    assert (target.read_bytes(), kept.read_bytes()) == (b"new", b"OLD")


@pytest.mark.parametrize("exchange", [exchange_files, lambda _first, _second: False])
def test_a_swap_with_a_file_that_is_gone_changes_nothing(tmp_path, exchange):
    folders = DeskFolders.of(tmp_path / "desk" / "repo" / "id")
    make_folder(folders.desk, outside=folders.history)
    with pytest.raises(FileNotFoundError):
        swap(folders.desk / "gone.md", b"new", folders=folders, exchange=exchange)
    assert list(folders.held.iterdir()) == []
    assert list(folders.desk.iterdir()) == []


def test_a_file_that_appeared_meanwhile_is_not_overwritten(tmp_path):
    folders = DeskFolders.of(tmp_path / "desk" / "repo" / "id")
    place(folders.desk / "a.md", b"theirs", folders=folders)
    with pytest.raises(FileExistsError):
        place(folders.desk / "a.md", b"ours", folders=folders)
    assert (folders.desk / "a.md").read_bytes() == b"theirs"
    assert list(folders.held.iterdir()) == []


def test_folders_made_by_two_desks_at_once_do_not_disturb_each_other(tmp_path):
    one, other = (DeskFolders.of(tmp_path / "desk" / "repo" / name) for name in ("one", "other"))
    make_folder(one.desk, outside=one.history)
    make_folder(other.desk, outside=other.history)
    make_folder(other.desk, outside=other.history)
    assert sorted(path.name for path in one.desk.parent.iterdir()) == ["one", "other"]
