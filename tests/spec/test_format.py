import pytest
from hypothesis import given, settings

from specthread.spec.digest import content_digest
from specthread.spec.format import format_changes
from specthread.spec.lint import lint
from specthread.spec.source import scan
from support.spec_text import documents


def formatted(content):
    source = scan(content)
    return source.changed(format_changes(source))


def without_white_space(content):
    return b"".join(content.split())


@given(documents())
@settings(max_examples=400)
def test_the_normal_form_is_its_own_and_only_white_space_differs(content):
    once = formatted(content)
    assert formatted(once) == once
    assert without_white_space(once) == without_white_space(content)


@given(documents())
def test_code_comments_and_front_matter_keep_every_byte(content):
    before, after = scan(content), scan(formatted(content))
    hidden = [line.text for line in before.lines if line.hidden]
    assert [line.text for line in after.lines if line.hidden] == hidden


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# A\ntext\n\n\n\nmore  \t\n## B", "# A\n\ntext\n\nmore\n\n## B\n"),
        ("\n\n# A\n\n\n", "# A\n"),
        ("text\n- one\n- two\ntail\n", "text\n\n- one\n- two\ntail\n"),
        ("one  \ntwo  \n", "one  \ntwo\n"),
        ("-  [ ]   1.   a\n    - [x] 1.1  b\n      - detail\n", "- [ ] 1. a\n  - [x] 1.1 b\n    - detail\n"),
        ("- [ ] 1. a\n\t- [ ] 1.1 b\n\t  - x\n", "- [ ] 1. a\n  - [ ] 1.1 b\n    - x\n"),
        (
            "- [ ] 1. a\n  - _Requirements:1.1,1.2 , 2_\n  - _Files: a,b_\n",
            "- [ ] 1. a\n  - _Requirements: 1.1, 1.2, 2_\n  - _Files: a,b_\n",
        ),
        ("# A\r\ntext\r\n", "# A\r\n\r\ntext\r\n"),
        ("```\n  a  \n\n\n\nb\n```\n", "```\n  a  \n\n\n\nb\n```\n"),
        (
            "- [ ] 1. a\n      - [ ] 1.1 b\n        ```\n        x\n        ```\n",
            "- [ ] 1. a\n      - [ ] 1.1 b\n        ```\n        x\n        ```\n",
        ),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_the_normal_form(before, after):
    assert formatted(before.encode()).decode() == after


def test_a_document_in_its_normal_form_keeps_its_digest_and_another_gets_a_new_one():
    normal = b"# A\n\n- [ ] 1. a\n"
    assert content_digest(formatted(normal)) == content_digest(normal)
    assert content_digest(formatted(b"# A\n- [ ] 1.  a\n")) == content_digest(normal)


def test_a_change_that_would_be_read_otherwise_is_not_made():
    odd = b"- [ ] 1. a\n      - [ ] 1.1 b\n   - [ ] no number\n"
    assert lint({"tasks": formatted(odd)}) == lint({"tasks": formatted(formatted(odd))})
