import pytest

from specthread.engine.buffers import Buffers

OLD, NEW, MINE = b"old\n", b"new\n", b"mine\n"


@pytest.fixture
def buffers():
    buffers = Buffers()
    buffers.stand("design", OLD)
    buffers.hold("design", "vim", OLD)
    return buffers


def base(buffers, saved):
    """Returns the base that an editor told, or None."""
    nobody = b"nothing like it\n" * 9
    found = buffers.base("design", saved, nobody)
    return None if found is nobody else found


def unsaved(buffers):
    return buffers.unsaved().get("design", ())


def test_a_buffer_is_unsaved_while_it_reads_otherwise_than_what_it_was_made_from(buffers):
    assert unsaved(buffers) == ()
    buffers.hold("design", "vim", MINE)
    assert unsaved(buffers) == ("vim",)
    buffers.hold("design", "vim", OLD)
    assert unsaved(buffers) == ()


def test_an_editor_that_has_not_read_a_new_version_yet_is_not_unsaved(buffers):
    buffers.stand("design", NEW)
    assert unsaved(buffers) == ()
    buffers.hold("design", "vim", NEW)
    buffers.hold("design", "vim", MINE)
    assert base(buffers, MINE) == NEW


def test_a_save_is_made_from_what_its_own_editor_started_from(buffers):
    buffers.hold("design", "vim", MINE)
    buffers.stand("design", NEW)
    buffers.hold("design", "code", NEW)
    buffers.hold("design", "code", b"theirs\n")
    assert (base(buffers, MINE), base(buffers, b"theirs\n")) == (OLD, NEW)


def test_typing_on_after_a_save_does_not_change_what_the_save_was_made_from(buffers):
    buffers.hold("design", "vim", MINE)
    buffers.save("design", "vim")
    buffers.hold("design", "vim", MINE + b"more\n")
    assert base(buffers, MINE) == OLD
    buffers.stand("design", MINE)
    assert base(buffers, MINE + b"more\n") == MINE


def test_a_save_with_other_line_ends_is_still_known(buffers):
    buffers.hold("design", "vim", MINE)
    assert base(buffers, b"mine\r\n") == OLD


def test_text_that_was_never_on_the_disk_has_no_known_base(buffers):
    buffers.hold("design", "restored", MINE)
    assert unsaved(buffers) == ("restored",)
    assert base(buffers, MINE) is None


def test_a_save_without_the_trailing_blanks_of_its_buffer_is_still_known(buffers):
    buffers.hold("design", "vim", b"mine  \nmore\t\n\n")
    assert base(buffers, b"mine\nmore\n") == OLD


def test_text_that_is_there_before_the_desk_is_has_no_known_base():
    buffers = Buffers()
    buffers.hold("design", "vim", MINE)
    assert base(buffers, MINE) is None
    buffers.stand("design", MINE)
    assert (base(buffers, MINE), unsaved(buffers)) == (MINE, ())


def test_one_editors_unsaved_text_is_no_base_of_what_others_save(buffers):
    buffers.hold("design", "vim", b"old\nand much more that is not saved\n")
    assert buffers.base("design", NEW, NEW + b"added\n") == NEW + b"added\n"


def test_a_save_of_text_that_was_never_on_the_disk_is_no_base_of_itself(buffers):
    buffers.hold("design", "restored", MINE)
    buffers.save("design", "restored")
    assert base(buffers, MINE) is None
    assert unsaved(buffers) == ()


def test_what_was_brought_in_stays_unsaved_until_it_is_saved(buffers):
    buffers.hold("design", "vim", NEW)
    buffers.rebase("design", "vim", NEW)
    assert unsaved(buffers) == ("vim",)
    buffers.stand("design", NEW)
    assert unsaved(buffers) == ()


def test_an_editor_that_closed_may_have_saved_before(buffers):
    buffers.hold("design", "vim", MINE)
    buffers.drop("design", "vim")
    assert (unsaved(buffers), base(buffers, MINE)) == ((), OLD)


def test_the_desk_is_told_when_a_buffer_is_no_longer_unsaved(buffers):
    told = []
    buffers.changed = lambda: told.append(1)
    buffers.hold("design", "vim", MINE)
    assert told == []
    buffers.save("design", "vim")
    assert told == [1]


def test_a_save_that_the_desk_has_seen_is_no_base_for_the_next_one(buffers):
    buffers.hold("design", "vim", MINE)
    buffers.save("design", "vim")
    buffers.settle("design", buffers.told)
    assert base(buffers, b"theirs\n") is None


def test_line_ends_and_byte_order_marks_that_an_editor_does_not_show_are_no_unsaved_text(buffers):
    buffers.stand("design", b"\xef\xbb\xbfone\r\ntwo\r\n")
    buffers.hold("design", "vim", b"one\ntwo\n")
    assert unsaved(buffers) == ()
    buffers.hold("design", "vim", b"one\nthree\n")
    assert base(buffers, b"\xef\xbb\xbfone\r\nthree\r\n") == b"\xef\xbb\xbfone\r\ntwo\r\n"


def test_an_editor_that_opens_what_stood_there_a_moment_ago_is_not_unsaved(buffers):
    buffers.stand("design", NEW)
    buffers.hold("design", "late", OLD)
    assert unsaved(buffers) == ()
    assert base(buffers, OLD) == OLD
