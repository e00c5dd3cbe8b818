"""Markers in code: the places in any text that speak of a requirement, a criterion or a task, such as `Req 1.2` in a comment or a test's name.

No language is parsed: a form is a regular expression on one line, and what it finds is only a claim. Whether there is such an id, and in which spec, is
for the reader of the spec to say; so the forms are chosen to be rarely wrong, and ids that exist nowhere cost nothing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from specthread.spec.document import Span
from specthread.spec.references import ids_of
from specthread.spec.words import REQUIREMENT, REQUIREMENT_LABELS, any_of

MarkerKind = Literal["requirement", "task"]
"""What is spoken of; a criterion counts as `requirement`."""
PassedOver = Literal["binary", "large"]

LARGEST: Final = 2_000_000
"""Bytes above which a file is not read: generated, or no code."""


class Marker(NamedTuple):
    """One id on one line. `id` is as people write ids, `span` the characters that stand for it (a whole range where it lies inside one).

    `spec` is the spec named with it, or empty; `is_bound` tells that the name cannot be anything else (`name#1.2`, `[spec:name]`). `text` is the line.
    """

    kind: MarkerKind
    id: str
    spec: str
    is_bound: bool
    span: Span
    text: str


class Form(NamedTuple):
    """One way to write a marker: `(?P<id>…)` holds an id or a list of them, `(?P<spec>…)`, where there is one, the name of the spec."""

    pattern: re.Pattern[str]
    kind: MarkerKind


def form_of(pattern: str) -> Form:
    """The form that a person wrote as a regular expression; `(?P<task>…)` in place of `(?P<id>…)` marks tasks. Raises ValueError with a sentence."""
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"“{pattern}” is not a regular expression: {error}. Correct it.") from error
    groups = compiled.groupindex.keys() & {"id", "task"}
    if len(groups) != 1:
        raise ValueError(f"“{pattern}” does not say which part is the id. Put it into one group, (?P<id>…) or (?P<task>…).")
    return Form(compiled, "requirement" if groups == {"id"} else "task")


def why_passed_over(content: bytes) -> PassedOver | None:
    """Why a file is not searched for markers; None where it is."""
    if len(content) > LARGEST:
        return "large"
    return "binary" if b"\0" in content[:_HEAD] else None


def markers_in(content: bytes, own: Sequence[Form] = ()) -> tuple[Marker, ...]:
    """The markers of a text in order, each place once; never raises. `own` forms are asked beside the usual ones."""
    found: list[Marker] = []
    scope = ""
    for number, raw in _all_lines(content) if own or _has_lone_returns(content) else _hinted_lines(content):
        text = raw.decode("utf-8", "surrogateescape")[:_LONGEST_LINE]
        text = text.removeprefix("\ufeff") if number == 1 else text
        on_line = {(marker.span, marker.kind, marker.id): marker for form in (*_FORMS, *own) for marker in _read(form, text, number, scope)}
        found += [on_line[place] for place in sorted(on_line)]
        if not on_line and (named := _SCOPE.search(text)):
            scope = named["spec"]
    return tuple(found)


def id_key(name: str) -> str:
    """What is the same for all ways to write one id: `R1.2` and `Req 1.2` mean 1.2, `FR-3` is FR-003, `US-2.1` is US2.1."""
    folded = _WORD_IN_FRONT.sub("", name.strip().casefold())
    return _LEADING_ZEROS.sub("", _JOINT.sub("", folded))


_HEAD = 8_000
_LONGEST_LINE = 2_000
_LONGEST_NAME = 200
_PIECE = 1 << 16
_OVERLAP = 64
_WORD_IN_FRONT = re.compile(r"^(?:requirement|req|r)[ _-]?(?=[0-9])")
_JOINT = re.compile(r"(?<=[a-z])[-_ ](?=[0-9])")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")

_ENDS = r"(?![\w%]|[.\u00b7][0-9])"
_DOTTED = r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,4}"
_NUMBER = r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,4}"
_TO = r"[ \t]*(?:[-\u2013\u301c~\uff5e]|\.\.)[ \t]*"
_AND = r"(?:[ \t]*(?:[,\u3001\uff0c&/]|\band\b)+[ \t]*(?:and[ \t]+)?)"
_COLON = r"(?:[ \t]*[:\uff1a#][ \t]*|[ \t]+)"
_PREFIXED = r"(?:(?:REQ|FR|NFR|SC|US)-[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}|US[0-9]{1,3}\.[0-9]{1,4})"


def _list(entry: str, more: str) -> str:
    one, other = (rf"{each}(?:{_TO}{each})?{_ENDS}" for each in (entry, more))
    return rf"(?P<id>{one}(?:{_AND}{other})*)"


_WORDS = {word for word in (*REQUIREMENT, *REQUIREMENT_LABELS) if not word.isascii()} - {"要求"}
_LATIN = r"(?:Requirements?|REQUIREMENTS?|Reqs?\.?|REQS?\.?)"
_VERBS = r"(?:validates|implements|verifies|covers|satisfies|fulfils|fulfills|tests)"
_FORMS: Final = (
    # A list of plain numbers needs the plural: “Requirement 1, 2 of them” names one.
    Form(re.compile(rf"(?<![\w-])(?:Requirements|REQUIREMENTS|Reqs\.?|REQS\.?){_COLON}{_list(_NUMBER, _NUMBER)}"), "requirement"),
    Form(re.compile(rf"(?<![\w-]){_LATIN}{_COLON}{_list(_NUMBER, _DOTTED)}"), "requirement"),
    Form(
        re.compile(rf"(?i:\b{_VERBS}[ \t]*:?[ \t]*(?:requirements?|reqs?\.?|criteri(?:on|a))){_COLON}{_list(_NUMBER, _DOTTED)}"),
        "requirement",
    ),
    Form(re.compile(rf"\b(?:Validates|VALIDATES):[ \t]*{_list(_DOTTED, _DOTTED)}"), "requirement"),
    Form(re.compile(rf"(?:{any_of(_WORDS)})(?:{_COLON})?{_list(_NUMBER, _DOTTED)}"), "requirement"),
    Form(re.compile(rf"(?<![\w.-])(?P<id>R{_DOTTED}){_ENDS}"), "requirement"),
    Form(re.compile(rf"(?<![\w.-])(?P<id>{_PREFIXED}){_ENDS}(?!-[0-9])"), "requirement"),
    Form(re.compile(r"\[(?P<id>US[0-9]{1,3})\]"), "requirement"),
    Form(re.compile(rf"(?<![\w/#&.-])(?P<spec>[^\W_][\w-]*\w)#(?P<id>R?{_DOTTED}|{_PREFIXED}){_ENDS}"), "requirement"),
    # A name in snake or camel case ends at its next word.
    Form(
        re.compile(r"\b(?i:test)\w*?(?:(?<=_)(?i:req(?:uirement)?s?)|R(?:eq|equirement)s?)_?(?P<id>[0-9]{1,3}_[0-9]{1,3})(?![0-9])"),
        "requirement",
    ),
    Form(re.compile(r"\b(?i:test)\w*?_(?P<id>(?:fr|nfr|FR|NFR)_?[0-9]{2,4})(?![0-9])"), "requirement"),
    Form(re.compile(rf"(?<![\w-])(?:Tasks?|TASKS?){_COLON}{_list(_NUMBER, _DOTTED)}"), "task"),
    Form(re.compile(rf"(?<![\w-])Task{_COLON}(?P<id>T[0-9]{{3,4}}){_ENDS}"), "task"),
)
# Every branch begins with a letter of its own: only then are lines without any of them passed over fast.
_HINT = re.compile(
    rb"Req|REQ|_req|equirement| req|riteri|FR-|SC-|US-|US[0-9]|\[US|Task|TASK|spec:|alidates:|ALIDATES:|_fr|_nfr|_FR|_NFR|R[0-9]+\.[0-9]|#R?[0-9]|"
    + b"|".join(re.escape(word.encode()) for word in sorted(_WORDS))
)
_SCOPE = re.compile(r"\[spec:[ \t]*(?P<spec>[^\[\]\s]{1,200})[ \t]*\]")
_IN_FRONT = re.compile(rf"(?<![\w.-])(?P<spec>(?!{_VERBS}\b)[^\W_][\w-]*\w)[ \t]*:[ \t]*$", re.IGNORECASE)
_ENTRY = re.compile(rf"[A-Za-z]{{0,4}}[-_]?[0-9]{{1,4}}(?:[._][0-9]{{1,4}}){{0,4}}(?:{_TO}{_NUMBER})?")


def _has_lone_returns(content: bytes) -> bool:
    return content.count(b"\r") != content.count(b"\r\n")


def _all_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    return enumerate(content.splitlines(), 1)


def _hinted_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that may hold a marker, with their numbers; the others, nearly all, are never made.

    A search is bounded, since no other thread runs while it lasts.
    """
    number, line, at = 1, 0, 0
    while at < len(content):
        found = _HINT.search(content, at, at + _PIECE)
        if found is None:
            at += _PIECE - _OVERLAP if at + _PIECE < len(content) else _PIECE
            continue
        start = content.rfind(b"\n", line, found.start()) + 1 or line
        end = content.find(b"\n", found.start())
        end = len(content) if end < 0 else end
        number += content.count(b"\n", line, start)
        yield number, content[start:end].removesuffix(b"\r")
        line, at = start, end + 1


def _read(form: Form, text: str, number: int, scope: str) -> Iterator[Marker]:
    group = "task" if "task" in form.pattern.groupindex else "id"
    for found in form.pattern.finditer(text):
        if not found[group]:
            continue
        spec, is_bound = _spec_of(found, text, scope)
        is_usual = form in _FORMS
        written = _entries(found, group) if is_usual else ((found.start(group), found.end(group), (found[group].strip(),)),)
        for start, end, ids in written:
            # “Task 1” is everywhere; with a spec in front it is meant.
            if is_usual and form.kind == "task" and not spec and text[start:end].isdecimal():
                continue
            for each in ids:
                yield Marker(form.kind, each, spec, is_bound, Span(number, start, end), text)


def _spec_of(found: re.Match[str], text: str, scope: str) -> tuple[str, bool]:
    if "spec" in found.re.groupindex and found["spec"]:
        return found["spec"], True
    before = text[: found.start()]
    if named := [each["spec"] for each in _SCOPE.finditer(before)]:
        return named[-1], True
    if (in_front := _IN_FRONT.search(before[-_LONGEST_NAME:])) is not None:
        return in_front["spec"], False
    return scope, bool(scope)


def _entries(found: re.Match[str], group: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Each entry of a list: where it stands, and the ids it stands for."""
    for entry in _ENTRY.finditer(found.string, found.start(group), found.end(group)):
        written = entry[0]
        if "_" in written:
            plain = written.replace("_", "-" if written[0].isalpha() else ".")
            yield entry.start(), entry.end(), (plain.upper(),)
        else:
            yield entry.start(), entry.end(), ids_of("requires", written) if written[0].isdecimal() else (written,)
