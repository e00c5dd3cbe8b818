"""The numbered acceptance criteria of one requirement, as Kiro and its kin write them."""

import re
from collections.abc import Iterator, Sequence

from specthread.spec.document import Span, squeezed
from specthread.spec.ears import pattern_of
from specthread.spec.requirement import Criterion
from specthread.spec.source import Line, Lines
from specthread.spec.words import CRITERIA, any_of

_CRITERIA = re.compile(rf"[#* \t]*+(?:[-+][ \t]+)?\**(?:{any_of(CRITERIA)})(?![\w]).*", re.IGNORECASE)
_ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?:\*\*)?(?:(?P<plain>[0-9]{1,6})\\?[.)\u3001](?=[ \t]|$)"
    r"|(?P<dotted>[0-9]{1,6}(?:\.[0-9]{1,6}){1,3})[.):\uff1a]?(?=[ \t]|$)"
    r"|[-*+][ \t]+(?:\*\*)?(?:AC[- ]?)?(?P<labelled>[0-9]{1,6}(?:\.[0-9]{1,6}){1,3})(?:\*\*)?[:\uff1a](?:\*\*)?)(?:\*\*)?[ \t]*(?P<text>.*)"
)
_BULLET = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_SUBSECTION = re.compile(r"[0-9]+(?:\.[0-9]+)+|[0-9]+[.)]")
_COMMENT = re.compile(r"<!--.*?-->")
_NESTED_INDENT = 2


def criteria_of(requirement: str, lines: Lines) -> Iterator[Criterion]:
    """The criteria of the requirement whose heading is the first of these lines."""
    regions = _regions(lines)
    for item in _items(
        lines,
        [_ITEM.match(line.text) if inside and not line.hidden else None for line, inside in zip(lines, regions, strict=True)],
        regions,
    ):
        yield _criterion(requirement, item, lines)


def clauses_of(requirement: str, lines: Lines) -> Iterator[Criterion]:
    """The same of a bug report, where a paragraph that begins with its whole id is a clause and a plain list none."""
    starts = [None if line.hidden or index == 0 else _ITEM.match(line.text) for index, line in enumerate(lines)]
    for item in _items(lines, [found if found and not found["plain"] else None for found in starts], [True] * len(lines)):
        yield _criterion(requirement, item, lines)


def _regions(lines: Lines) -> Sequence[bool]:
    """Per line whether criteria may stand on it: below a line “Acceptance Criteria”, and everywhere where there is none.

    A numbered heading below goes on with the criteria; another one ends them.
    """
    marks = [_is_criteria_line(line) for line in lines]
    if not any(marks):
        return [False, *[True] * (len(lines) - 1)]
    inside = False
    level = 0
    regions: list[bool] = []
    for line, is_start in zip(lines, marks, strict=True):
        if is_start:
            inside, level = True, line.heading.level if line.heading else level
            regions.append(False)
            continue
        if line.heading is not None and inside:
            inside = line.heading.level > level > 0 or _SUBSECTION.match(line.heading.title) is not None
        regions.append(inside)
    return regions


def _is_criteria_line(line: Line) -> bool:
    if line.hidden or not line.text.strip():
        return False
    bold = line.text.lstrip(" \t-*+").rstrip().endswith(("**", ":", "\uff1a")) and "**" in line.text
    return (line.heading is not None or bold) and _CRITERIA.fullmatch(line.text) is not None


def _items(lines: Lines, starts: Sequence[re.Match[str] | None], regions: Sequence[bool]) -> Iterator[list[int]]:
    """The top-level items, each with the lines that belong to it; a heading or a flush paragraph ends one."""
    item: list[int] = []
    base: int | None = None
    for index, line in enumerate(lines):
        found = starts[index]
        indent = len(found["indent"].expandtabs(4)) if found else 0
        if found and (base is None or indent < base + _NESTED_INDENT):
            base = indent if base is None else min(base, indent)
            if item:
                yield item
            item = [index]
        elif item and (line.heading is not None or not regions[index] or _is_paragraph(lines[item[-1]], line)):
            yield item
            item = []
        elif item:
            item.append(index)
    if item:
        yield item


def _is_paragraph(before: Line, line: Line) -> bool:
    return not before.text.strip() and bool(line.text) and line.text[0] not in " \t" and not line.hidden


def _without_comments(text: str) -> str:
    end = text.rfind("-->") + 1  # behind it no comment is closed, and looking for that from each one would take for ever
    return _COMMENT.sub("", text[: end + 2]) + text[end + 2 :] if end else text


def _criterion(requirement: str, item: Sequence[int], lines: Lines) -> Criterion:
    head = lines[item[0]]
    found = _ITEM.match(head.text)
    group = next((name for name in ("plain", "dotted", "labelled") if found and found[name]), "plain")
    written = found[group] if found else ""
    told = [found["text"] or ""] if found else []
    for index in item[1:]:
        line = lines[index]
        if line.hidden or not line.text.strip() or _BULLET.match(line.text) or line.text.lstrip().startswith("|"):
            break
        told.append(line.text)
    text = squeezed(_without_comments(" ".join(told)))
    start = found.start(group) if found else 0
    owner, _, own = written.rpartition(".")
    own = own if owner == requirement or group == "plain" else written
    return Criterion(
        id=f"{requirement}.{written}" if group == "plain" else written,
        number=own,
        pattern=pattern_of(text),
        text=text,
        line=item[0] + 1,
        last=next(index + 1 for index in reversed(item) if lines[index].text.strip()),
        spoken=item[0] + len(told),
        number_span=Span(item[0] + 1, start, start + len(written)),
    )
