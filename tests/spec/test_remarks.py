import pytest
from hypothesis import given

from specthread.spec.anchor import Anchor
from specthread.spec.remarks import take_remarks
from support.spec_text import documents


@given(documents())
def test_a_document_without_its_remarks_has_none_left(content):
    rest, remarks = take_remarks(content)
    assert take_remarks(rest) == (rest, ())
    assert all(remark.text for remark in remarks)
    assert len(rest) <= len(content)


def test_remarks_are_taken_out_and_anchored_to_the_line_above():
    rest, remarks = take_remarks(b"# A\n\ntext\n\n  <!--? why so? -->\n<!--? and when? -->\r\nmore\n<!--? last -->")
    assert rest == b"# A\n\ntext\n\nmore\n"
    assert [(remark.text, remark.anchor) for remark in remarks] == [
        ("why so?", Anchor(quote="text", section="A", line=3)),
        ("and when?", Anchor(quote="text", section="A", line=3)),
        ("last", Anchor(quote="more", section="A", line=5)),
    ]


def test_a_remark_at_the_top_is_about_the_document():
    rest, [remark] = take_remarks(b"\xef\xbb\xbf<!--? too long -->\n# A\n")
    assert (rest, remark.anchor) == (b"\xef\xbb\xbf# A\n", Anchor(quote="", section="", line=1))


def test_a_remark_may_span_lines():
    rest, [remark] = take_remarks(b"a\n<!--? one\n  two\n-->\nb\n")
    assert (rest, remark.text) == (b"a\nb\n", "one two")


def test_an_empty_remark_is_removed_and_says_nothing():
    assert take_remarks(b"a\n<!--?  -->\n") == (b"a\n", ())


@pytest.mark.parametrize(
    "content",
    [
        b"```\n<!--? an example -->\n```\n",
        b"a <!--? within a line -->\n",
        b"<!--? with text --> behind\n",
        b"<!--? never closed\n",
        b"<!-- ordinary -->\n",
        b"text <!-- open\n<!--? inside another -->\n",
        b"`<!--? quoted -->`\n",
    ],
)
def test_what_is_not_a_remark_line_stays(content):
    assert take_remarks(content) == (content, ())
