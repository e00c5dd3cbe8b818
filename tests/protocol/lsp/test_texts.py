"""Between characters and the units of an editor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from specthread.protocol.lsp.texts import Text
from specthread.spec.source import scan

ENCODINGS = [lsp.PositionEncodingKind.Utf8, lsp.PositionEncodingKind.Utf16, lsp.PositionEncodingKind.Utf32]


# What an editor holds is text; only in files that it did not open may bytes be none.
@given(
    st.text(st.sampled_from("a言🎉\u0301\r\n") | st.characters(codec="utf-8"), max_size=30).map(str.encode),
    st.sampled_from(ENCODINGS),
    st.data(),
)
def test_every_place_is_found_again(content, encoding, data):
    lines = scan(content).lines
    text = Text(content, encoding)
    line = data.draw(st.integers(min_value=1, max_value=max(1, len(lines))))
    length = len(lines[line - 1].text) if lines else 0
    character = data.draw(st.integers(min_value=0, max_value=length))
    assert text.place(text.at(line, character)) == (line, character)
    assert text.place(lsp.Position(line=line - 1, character=10_000)) == (line, length)


@pytest.mark.parametrize(("content", "last"), [(b"", 0), (b"a", 0), (b"a\n", 1), (b"a\r\n\r\n", 2), (b"a\r", 1)])
def test_the_line_behind_the_last_line_break_is_there_and_no_other(content, last):
    text = Text(content, ENCODINGS[1])
    assert text.place(lsp.Position(line=last, character=0)) == (last + 1, 0)
    assert text.place(lsp.Position(line=last + 1, character=0)) is None


def test_half_a_sign_counts_as_the_whole():
    assert Text("a🎉b".encode(), ENCODINGS[1]).place(lsp.Position(line=0, character=2)) == (1, 2)
