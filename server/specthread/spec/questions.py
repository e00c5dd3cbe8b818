"""The questions that a document leaves open: the items below a heading “Open Questions”, whatever else the document is."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from specthread.spec.document import DocumentName, Problem, squeezed, whole_line
from specthread.spec.rules import problem_at
from specthread.spec.source import Line, Lines, Source
from specthread.spec.words import NOTHING, OPEN_QUESTIONS, any_of


class OpenQuestion(NamedTuple):
    """A question and the line on which it begins."""

    text: str
    line: int


def open_questions(source: Source) -> tuple[OpenQuestion, ...]:
    """The list items, or else the paragraphs, below each such heading; those that are ticked, struck out or say “none” are not open."""
    return tuple(_questions(source.lines))


def open_question_rule(_name: DocumentName, source: Source) -> Iterator[Problem]:
    """Reports each of them, so that nobody approves one unseen."""
    for question in open_questions(source):
        message = "This question is open. Answer it in the text and take it away here, or leave it to the workers on purpose."
        yield problem_at("spec/open-question", message, whole_line(question.line))


_HEADING: Final = re.compile(rf"(?:[0-9]+\.?[ \t]*)?(?:{any_of(OPEN_QUESTIONS)})(?:[ \t]*\(.*\))?[:\uff1a]?", re.IGNORECASE)
_ITEM: Final = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+(?:\[(?P<box>.)\][ \t]+)?(?P<text>.*)")
_SETTLED: Final = re.compile(r"~~.*~~")


def _questions(lines: Lines) -> Iterator[OpenQuestion]:
    level = 0
    block: list[tuple[int, Line]] = []
    for index, line in enumerate(lines):
        if line.heading is not None and (not level or line.heading.level <= level):
            yield from _items(block)
            block = []
            level = line.heading.level if _HEADING.fullmatch(line.heading.title) else 0
        elif level:
            block.append((index + 1, line))
    yield from _items(block)


def _items(block: list[tuple[int, Line]]) -> Iterator[OpenQuestion]:
    """Items begin with a mark; where there is none, each paragraph is one."""
    is_list = any(_ITEM.match(line.text) for _, line in block if not line.hidden)
    told: list[str] = []
    first = 0
    for number, line in (*block, (0, None)):
        begins = line is not None and not line.hidden and (_ITEM.match(line.text) is not None or (not is_list and not told))
        if line is None or begins or line.hidden or not line.text.strip() or line.heading is not None:
            if told and (text := _open(told)):
                yield OpenQuestion(text, first)
            told = []
        if line is not None and begins and line.text.strip() and line.heading is None:
            told, first = [line.text], number
        elif line is not None and told:
            told.append(line.text)


def _open(told: list[str]) -> str:
    """The text of an item, or nothing where it is settled or says that there is none."""
    found = _ITEM.match(told[0])
    text = squeezed(" ".join([found["text"] if found else told[0], *told[1:]]))
    if (found and found["box"] in {"x", "X"}) or _SETTLED.fullmatch(text):
        return ""
    return "" if text.rstrip(".").casefold() in NOTHING else text
