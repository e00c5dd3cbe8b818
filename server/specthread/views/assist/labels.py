"""Where the labels of facts stand: `Depends` in `_Depends: 1_`."""

from collections.abc import Iterator
from typing import NamedTuple

from specthread.spec.document import Span
from specthread.spec.facts import KNOWN, read_facts
from specthread.spec.source import Line


class Label(NamedTuple):
    """A label that means something to us, by its English name, wherever it is written in another language."""

    name: str
    span: Span


def labels_in(line: Line, number: int) -> Iterator[Label]:
    """The labels on a line, which has this number in its document."""
    if "_" not in line.text and "**" not in line.text:
        return
    for fact in read_facts([line], number):
        words = line.text[: fact.span.start].rstrip(" \t:\uff1a*")
        start = max(words.rfind(sign) for sign in "_*") + 1
        if fact.label in KNOWN and start:
            yield Label(fact.label, Span(number, start, len(words)))
