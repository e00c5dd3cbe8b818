"""Where the words of EARS stand in a criterion, so that they can be coloured and explained."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from specthread.spec import ears_words as words
from specthread.spec.document import Span
from specthread.spec.ears import language_of
from specthread.spec.requirement import Criterion
from specthread.spec.source import Lines

KeywordKind = Literal["WHEN", "WHILE", "WHERE", "IF", "GIVEN", "THEN", "SHALL", "AND"]


class Keyword(NamedTuple):
    """One keyword: what it is in English, and where it stands in whatever language."""

    kind: KeywordKind
    span: Span


def keywords_in(criterion: Criterion, lines: Lines) -> tuple[Keyword, ...]:
    """The keywords of a criterion of the document with these lines, in order; those in quotations and inline code are not the author's."""
    found = _in_scenario(criterion, lines) if criterion.name else _in_sentence(criterion, lines)
    return tuple(found)


def _in_sentence(criterion: Criterion, lines: Lines) -> Iterator[Keyword]:
    modal = _modal(criterion.text)
    is_head = True
    later = words.LATER_CAPITAL
    for number in range(criterion.line, criterion.spoken + 1):
        text = _blanked(lines[number - 1].text)
        start = criterion.number_span.end if number == criterion.line else 0
        obliging = [_keyword("SHALL", number, each) for each in modal.finditer(text, start)]
        head = text[: obliging[0].span.start] if obliging else text
        opening = _opening(head, start) if number == criterion.line else None
        steps = list(_STEP.finditer(head, start))
        if opening is not None:
            later = words.LATER_CAPITAL if opening[0][0].isupper() else words.LATER
            yield _keyword(opening.lastgroup or "", number, opening)
        conditions = later.finditer(head, opening.end() if opening else start) if is_head else ()
        rest = [_keyword(each.lastgroup or "", number, each) for each in (*conditions, *steps)]
        rest += [_keyword("THEN", number, each) for each in words.THEN.finditer(head, start)] if is_head else []
        known = {opening.span(opening.lastgroup or 0)} if opening else set()
        yield from _apart(each for each in (*rest, *obliging) if each.span[1:] not in known)
        is_head = is_head and not obliging


def _in_scenario(criterion: Criterion, lines: Lines) -> Iterator[Keyword]:
    for number in range(criterion.line + 1, criterion.last + 1):
        if not lines[number - 1].hidden and (step := _STEP_LINE.match(lines[number - 1].text)):
            yield _keyword(step.lastgroup or "", number, step)


def _opening(head: str, start: int) -> re.Match[str] | None:
    at = _IN_FRONT.match(head, start)
    return words.OPENING.match(head, at.end() if at else start)


def _keyword(kind: str, number: int, found: re.Match[str]) -> Keyword:
    start, end = found.span(found.lastgroup or 0)
    return Keyword(_KINDS.get(kind, "AND"), Span(number, start, end))


def _apart(found: Iterator[Keyword]) -> Iterator[Keyword]:
    """The keywords in order without those that overlap one before."""
    done = 0
    for each in sorted(found, key=lambda keyword: (keyword.span.start, -keyword.span.end)):
        if each.span.start >= done and each.span.start < each.span.end:
            done = each.span.end
            yield each


def _modal(text: str) -> re.Pattern[str]:
    return words.SHALL if words.SHALL.search(text) else re.compile(words.MODALS.get(language_of(text)) or words.CAPITAL_MUST)


def _blanked(text: str) -> str:
    return _QUOTED.sub(lambda found: " " * len(found[0]), text) if "`" in text or '"' in text or "“" in text else text


_KINDS: Final[dict[str, KeywordKind]] = {
    "WHEN": "WHEN",
    "WHILE": "WHILE",
    "WHERE": "WHERE",
    "IF": "IF",
    "GIVEN": "GIVEN",
    "THEN": "THEN",
    "SHALL": "SHALL",
}
_IN_FRONT = re.compile(r"[.):,\uff1a\u3001\\]*\**[ \t]*[*_]*")
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^“”]*”")
_STEPS = r"(?:(?P<GIVEN>given)|(?P<WHEN>when)|(?P<THEN>then)|(?P<AND>and|but))"
_STEP = re.compile(rf"\*\*{_STEPS}\*\*", re.IGNORECASE)
_STEP_LINE = re.compile(rf"[ \t]*(?:[-*+][ \t]+)?\**{_STEPS}(?!\w)", re.IGNORECASE)
