import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.anchor import Anchor, anchor_at, locate
from specthread.spec.source import scan
from support.spec_text import documents

DOCUMENT = b"""# Requirements
## Requirement 1
### Acceptance
1. THE cli SHALL print.

## Requirement 2
### Acceptance
1. THE cli SHALL print.
- [ ] 2. tick me
"""


@given(documents(), st.integers(min_value=1, max_value=40))
def test_an_anchor_finds_its_own_line_again_in_the_same_document(content, line):
    anchor = anchor_at(content, line)
    lines = scan(content).lines
    if anchor.quote:
        assert locate(content, anchor) == anchor.line <= max(line, 1)
        assert lines[anchor.line - 1].text.strip() == anchor.quote


def test_an_anchor_names_the_headings_above_it():
    assert anchor_at(DOCUMENT, 8) == Anchor(quote="1. THE cli SHALL print.", section="Requirements / Requirement 2 / Acceptance", line=8)
    assert anchor_at(DOCUMENT, 2).section == "Requirements / Requirement 1"


def test_a_blank_line_stands_for_the_text_above_and_an_empty_top_for_the_document():
    assert anchor_at(DOCUMENT, 5).line == 4
    assert anchor_at(b"\n\ntext", 1) == Anchor(quote="", section="", line=1)
    assert locate(b"text", Anchor(quote="", section="", line=1)) == 1
    assert locate(b"", Anchor(quote="", section="", line=1)) is None


@pytest.mark.parametrize(
    ("edited", "line"),
    [
        (b"new first line\n\n" + DOCUMENT, 10),
        (DOCUMENT.replace(b"## Requirement 1\n### Acceptance\n1. THE cli SHALL print.\n\n", b""), 4),
        (DOCUMENT.replace(b"THE cli SHALL print.\n- ", b"THE  cli\n   SHALL print.\n- "), 8),
        (DOCUMENT.replace(b"SHALL print.\n- ", b"SHALL print. Always.\n- "), 8),
        (DOCUMENT.replace(b"print", b"write"), None),
        (b"", None),
    ],
)
def test_an_anchor_follows_its_words(edited, line):
    assert locate(edited, anchor_at(DOCUMENT, 8)) == line


def test_a_tick_does_not_lose_a_remark_about_a_task():
    assert locate(DOCUMENT.replace(b"[ ]", b"[x]"), anchor_at(DOCUMENT, 9)) == 9


def test_of_equal_lines_in_no_known_section_the_nearest_counts():
    assert locate(b"a\nb\na\nb\nb\na\n", Anchor(quote="a", section="gone", line=4)) == 3


def test_a_selection_within_a_line_and_one_over_lines_are_found():
    assert locate(DOCUMENT, Anchor(quote="tick me", section="", line=1)) == 9
    assert locate(DOCUMENT, Anchor(quote="SHALL print.\n- [x] 2. tick", section="", line=1)) == 8
