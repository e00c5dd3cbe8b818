"""Findings for people: place, code and sentence, then the line with what is meant underlined, and a sum at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from specthread.cli.check.reading import Finding
from specthread.cli.outcome import clean
from specthread.spec.document import Span


def text_of(finding: Finding, *, colours: bool) -> str:
    """Returns one finding as three lines, the last two only where there is a line to show."""
    path, problem, line = finding
    paint = _painted if colours else _plain
    place = f"{clean(path)}:{problem.line}:{problem.span.start + 1}"
    severity = paint(problem.severity, _COLOURS[problem.severity])
    first = f"{paint(place, _BOLD)}: {paint(problem.code, _COLOURS[problem.severity])} {clean(problem.message)}\n"
    remark = f"{severity}, fix available: {clean(problem.fix.title)}" if problem.fix else severity
    if not line.strip():
        return f"{first}  {remark}\n"
    shown, before, under = _excerpt(line, problem.span)
    margin = f"{problem.line} | "
    blank = " " * (len(margin) - 2)
    carets = paint("^" * under, _COLOURS[problem.severity])
    return f"{first}{paint(margin, _DIM)}{shown}\n{paint(f'{blank}| ', _DIM)}{' ' * before}{carets} {remark}\n"


def sum_of(findings: Sequence[Finding]) -> str:
    """Returns how many findings of each level there are, and how many `--fix` would mend."""
    if not findings:
        return "No problems."
    levels = [finding.problem.severity for finding in findings]
    parts = [counted(levels.count("error"), "error"), counted(levels.count("warning"), "warning")]
    if notes := levels.count("info"):
        parts.append(counted(notes, "note"))
    fixable = sum(finding.problem.fix is not None for finding in findings)
    return f"{', '.join(parts)}, {fixable} fixable with --fix."


def counted(number: int, word: str) -> str:
    """Returns a number with its word, in the plural where it is not one."""
    return f"{number} {word}{'' if number == 1 else 's'}"


_BOLD: Final = "1"
_DIM: Final = "2"
_COLOURS: Final = {"error": "1;31", "warning": "33", "info": "36"}
_WIDEST: Final = 140
_AROUND: Final = 30


def _painted(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"


def _plain(text: str, _colour: str) -> str:
    return text


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """The line as it is shown, the columns in front of what is meant, and the columns that this takes."""
    start, end = min(span.start, len(line)), min(max(span.end, span.start), len(line))
    first = 0 if len(line) <= _WIDEST else max(0, start - _AROUND)
    last = min(len(line), first + _WIDEST)
    before, meant, after = (
        _visible(line[part]) for part in (slice(first, start), slice(start, min(end, last)), slice(max(start, end), last))
    )
    before = f"…{before}" if first else before
    after = f"{after}…" if last < len(line) else after
    return f"{before}{meant}{after}".rstrip(), _width(before), max(1, _width(meant))


def _visible(text: str) -> str:
    """The text as a terminal shows it: a tab as a space, and what cannot be shown as a mark of its width."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(text))


def _shown(text: str) -> Iterable[str]:
    for character in text:
        if character == "\t":
            yield " "
        elif character.isprintable():
            yield character
        else:
            yield "\ufffd"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  only other scripts need it

    return sum(0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1 for character in text)


def fixed_lines(made: Iterable[tuple[str, str, int]]) -> Iterator[str]:
    """Yields what was mended: path, code and how often."""
    for path, code, number in made:
        yield f"{clean(path)}: fixed {code}{f' ({number} times)' if number > 1 else ''}\n"
