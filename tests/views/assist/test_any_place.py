"""Whatever a document says and wherever the cursor is: every feature answers, and what it answers lies in the document."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName
from specthread.spec.spec import read_spec
from specthread.views.assist.calls import incoming, outgoing, prepared
from specthread.views.assist.card import markdown, plain
from specthread.views.assist.completion import completions
from specthread.views.assist.folding import folds
from specthread.views.assist.hints import hints
from specthread.views.assist.hover import hover
from specthread.views.assist.index import Cursor, Index
from specthread.views.assist.linking import links
from specthread.views.assist.navigate import definitions, highlights, references
from specthread.views.assist.outline import flat, outline
from specthread.views.assist.selection import selections
from specthread.views.assist.tokens import tokens
from specthread.views.assist.typed import filled
from support.spec_text import DIALECTS, documents

NAMES = (REQUIREMENTS, DESIGN, TASKS, BUGFIX, DocumentName("spec"), DocumentName("specs/a/spec"), DocumentName("notes"))


@st.composite
def indexes(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    contents = {name: draw(documents(max_lines=20)) for name in names}
    return Index(read_spec(contents, draw(st.sampled_from(DIALECTS)))), names[0]


def is_within(index, name, span):
    lines = index.lines(name)
    return 1 <= span.line <= len(lines) and 0 <= span.start <= span.end <= len(lines[span.line - 1].text)


@given(st.data())
def test_every_place_is_answered(data):
    index, name = data.draw(indexes())
    line = data.draw(st.integers(min_value=0, max_value=len(index.lines(name)) + 2))
    length = len(index.lines(name)[line - 1].text) if 0 < line <= len(index.lines(name)) else 0
    cursor = Cursor(index, name, line, data.draw(st.integers(min_value=0, max_value=length)))
    told = hover(cursor, {})
    assert told is None or is_within(index, name, told.span)
    assert all(markdown(card) and plain(card) for card in (told.cards if told else ()))
    assert set(definitions(cursor)) <= set(references(cursor))
    assert all(is_within(index, each.document, each.span) for each in references(cursor))
    assert all(is_within(index, name, each.span) for each in highlights(cursor))
    for each in completions(cursor):
        assert each.replaces.line == line
        assert each.replaces.start <= cursor.character <= each.replaces.end
        assert "${" not in filled(each.text) if each.is_template else each.text
    found = selections(cursor)
    for inner, outer in pairwise(found):
        assert inner != outer
        assert outer.start <= inner.start <= inner.end <= outer.end
    for task in prepared(cursor):
        for call in (*incoming(index, task.id), *outgoing(index, task.id)):
            assert call.places


@given(indexes())
def test_what_is_told_of_a_whole_document_lies_in_it(drawn):
    index, name = drawn
    count = len(index.lines(name))
    for entry, around in flat(outline(index, name)):
        assert is_within(index, name, entry.span)
        assert entry.line <= entry.last <= count
        assert around is None or around.line <= entry.line <= entry.last <= around.last
    assert all(1 <= fold.first < fold.last <= count for fold in folds(index, name))
    assert all(1 <= hint.line <= count for hint in hints(index, name, {"1": "ws-1"}))
    for found in (links(index, name), tokens(index, name)):
        done = (0, 0)
        for each in found:
            assert is_within(index, name, each.span)
            assert done <= (each.span.line, each.span.start)
            done = (each.span.line, each.span.end)
