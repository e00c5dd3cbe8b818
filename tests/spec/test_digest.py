import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.digest import content_digest, short
from specthread.spec.edits import apply_edits, boxes, set_box
from specthread.spec.source import scan
from support.spec_text import documents

PLAN = b"# Plan\n- [ ] 1. a\n  words  \n```\n- [ ] 2. b\n```\n"


@given(documents(), st.sampled_from(["todo", "done", "in_progress"]))
def test_no_tick_changes_the_digest(content, state):
    for task_id in boxes(content):
        assert content_digest(apply_edits(content, set_box(content, task_id, state))) == content_digest(content)


@given(documents(), st.data())
def test_every_added_line_that_people_see_changes_the_digest(content, data):
    at = data.draw(st.sampled_from(scan(content).offsets[:-1] or [len(content)]))
    changed = content[:at] + b"a word\n" + content[at:]
    assert content_digest(changed) != content_digest(content)


@given(documents())
def test_line_endings_the_byte_order_mark_and_the_final_newline_do_not_count(content):
    lines = scan(content).lines
    for ending in (b"\n", b"\r\n"):
        rewritten = b"\xef\xbb\xbf" + b"".join(line.text.encode("utf-8", "surrogateescape") + ending for line in lines)
        assert content_digest(rewritten) == content_digest(content)


@pytest.mark.parametrize(
    "changed",
    [
        PLAN.replace(b"[ ] 1", b"[x] 1"),
        PLAN.replace(b"[ ] 1", b"[~] 1"),
        PLAN.replace(b"\n", b"\r\n"),
        PLAN.rstrip(b"\n"),
        PLAN + b"<!-- specthread:progress 1/2 -->\n",
    ],
)
def test_the_digest_stays_where_nothing_was_said_differently(changed):
    assert changed != PLAN
    assert content_digest(changed) == content_digest(PLAN)


@pytest.mark.parametrize(
    "changed",
    [
        PLAN.replace(b"[ ] 2", b"[x] 2"),
        PLAN.replace(b"[ ] 1", b"[ ]* 1"),
        PLAN.replace(b"words  ", b"words"),
        PLAN.replace(b"1. a", b"1. A"),
        PLAN + b"\n",
        PLAN + b"<!-- a person's comment -->\n",
        PLAN + b"<!-- specthread:x --> and words\n",
        PLAN.replace(b"1. a", b"1. a \xff"),
    ],
)
def test_the_digest_changes_with_every_word(changed):
    assert changed != PLAN
    assert content_digest(changed) != content_digest(PLAN)


def test_the_digest_is_a_sha256_whose_start_is_shown():
    assert content_digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert short(content_digest(b"")) == "e3b0c44"


def test_a_generated_line_in_a_fence_is_an_example_and_counts():
    content = b"```\n<!-- specthread:x -->\n```\n"
    assert not any(line.is_generated for line in scan(content).lines)
    assert content_digest(content) != content_digest(b"```\n```\n")
