"""The server's copy of a text, changed as editors tell it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from specthread.protocol.lsp.editor import Document
from specthread.protocol.lsp.texts import lines_of

TEXT = st.text(st.sampled_from("ab\n\r\u2028é一🎉"), max_size=12)
WIDTHS = {"utf-8": lambda char: len(char.encode()), "utf-16": lambda char: len(char.encode("utf-16-le")) // 2, "utf-32": lambda _: 1}


def document(text, encoding):
    codec = PositionCodec(lsp.PositionEncodingKind(encoding))
    return Document("file:///a.md", source=text, sync_kind=lsp.TextDocumentSyncKind.Incremental, position_codec=codec)


def place_of(text, offset, encoding):
    before = lines_of(text[:offset] + "|")
    column = sum(map(WIDTHS[encoding], before[-1][:-1]))
    return lsp.Position(line=len(before) - 1, character=column)


@given(TEXT, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), TEXT), max_size=4), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_every_change_is_made_where_the_editor_made_it(text, changes, encoding):
    kept = document(text, encoding)
    for one, other, typed in changes:
        start, end = sorted((min(one, len(text)), min(other, len(text))))
        if "\r\n" in {text[start - 1 : start + 1], text[end - 1 : end + 1]}:
            continue  # no editor has a place inside a line break
        place = lsp.Range(start=place_of(text, start, encoding), end=place_of(text, end, encoding))
        kept.apply_change(lsp.TextDocumentContentChangePartial(range=place, text=typed))
        text = text[:start] + typed + text[end:]
        assert kept.source == text
        assert kept.lines == lines_of(text)


@pytest.mark.parametrize(("line", "column"), [(0, 99), (1, 99), (7, 0), (7, 7)])
def test_a_place_behind_the_end_of_a_line_or_of_the_text_is_that_end(line, column):
    kept = document("one\ntwo", "utf-16")
    place = lsp.Position(line=line, character=column)
    kept.apply_change(lsp.TextDocumentContentChangePartial(range=lsp.Range(start=place, end=place), text="!"))
    assert kept.source == ("one!\ntwo" if line == 0 else "one\ntwo!")


def test_a_text_told_whole_takes_the_place_of_all():
    kept = document("one\ntwo", "utf-16")
    kept.apply_change(lsp.TextDocumentContentChangeWholeDocument(text="three\r"))
    assert (kept.source, kept.lines) == ("three\r", ["three\r"])
