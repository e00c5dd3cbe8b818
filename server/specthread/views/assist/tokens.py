"""Which words of a document are coloured: EARS keywords, ids where they are defined and where they are spoken of, labels, states."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from specthread.spec.document import DocumentName, Span
from specthread.views.assist.index import Index
from specthread.views.assist.keywords import keywords_in
from specthread.views.assist.labels import labels_in

TokenKind = Literal["keyword", "requirement", "task", "property", "label", "state"]


class Token(NamedTuple):
    """One coloured word."""

    span: Span
    kind: TokenKind
    is_definition: bool = False


def tokens(index: Index, name: DocumentName) -> tuple[Token, ...]:
    """The coloured words of a document, in order and apart from each other."""
    apart: list[Token] = []
    for token in sorted(_all(index, name), key=lambda each: (each.span.line, each.span.start, -each.span.end)):
        is_behind = not apart or apart[-1].span.line < token.span.line or apart[-1].span.end <= token.span.start
        if is_behind and token.span.start < token.span.end:
            apart.append(token)
    return tuple(apart)


def _all(index: Index, name: DocumentName) -> Iterator[Token]:
    kinds: dict[str, TokenKind] = {"requirement": "requirement", "criterion": "requirement", "task": "task", "property": "property"}
    for each in index.occurrences_in(name):
        yield Token(each.span, kinds[each.symbol.kind], each.is_definition)
    lines = index.lines(name)
    read = index.spec.requirements.get(name)
    for requirement in read.requirements if read is not None else ():
        for criterion in requirement.criteria:
            yield from (Token(keyword.span, "keyword") for keyword in keywords_in(criterion, lines))
    if name == index.spec.tasks_name:
        yield from (Token(task.box, "state") for task in index.spec.tasks)
    for number, line in enumerate(lines, 1):
        yield from (Token(label.span, "label") for label in labels_in(line, number))
