"""Rules about requirements and their criteria."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Final, TypeVar

from specthread.spec import ears
from specthread.spec.bugfix import PARTS
from specthread.spec.document import BUGFIX, Change, DocumentName, Fix, Problem, Span, whole_line
from specthread.spec.openspec import takes_away
from specthread.spec.requirement import Criterion, Requirement
from specthread.spec.rules import problem_at
from specthread.spec.source import Lines
from specthread.spec.spec import Spec, kind_of
from specthread.spec.wording import wording_of

_Item = TypeVar("_Item")
_Found = Iterator[tuple[DocumentName, Problem]]


def _none(spec: Spec) -> _Found:
    for name, read in spec.requirements.items():
        if _is_own_bugfix(spec, name):
            missing = [title for number, title in PARTS.items() if number not in {requirement.id for requirement in read.requirements}]
            for title in missing:
                message = f"The document has no part “### {title}”. Add it, with clauses such as “{_CLAUSES[title]}”."
                yield name, problem_at("bugfix/missing-part", message, whole_line(1))
        elif not read.requirements and not (spec.dialect == "openspec" and takes_away(spec.sources[name])):
            message = _NONE.get(spec.dialect, _NONE["specthread"])
            yield name, problem_at("requirement/none", message, whole_line(1))


def _is_own_bugfix(spec: Spec, name: DocumentName) -> bool:
    """Others leave parts out, and say in words of their own what SHALL be."""
    return spec.dialect == "specthread" and kind_of(name) == BUGFIX


_CLAUSES: Final = dict(
    zip(
        PARTS.values(),
        (
            "1.1 WHEN a caller passes an empty list, THEN the parser raises IndexError.",
            "2.1 WHEN a caller passes an empty list, THEN THE parser SHALL return an empty list.",
            "3.1 WHEN a caller passes a list with one entry, THE parser SHALL CONTINUE TO return that entry.",
        ),
        strict=True,
    )
)
_NONE: Final[Mapping[str, str]] = {
    "specthread": "The document holds no requirement. Write a heading such as “### Requirement 1: title” with numbered criteria below it.",
    "spec-kit": "The document holds no requirement. Write “### User Story 1 - title (Priority: P1)”, or “- **FR-001**: …”.",
    "openspec": "The document holds no requirement. Write a heading such as “### Requirement: name” with a scenario below it.",
}


def _gap(spec: Spec) -> _Found:
    if spec.dialect in {"spec-kit", "openspec"}:
        return
    for name, read in spec.requirements.items():
        for requirement, left_out in gaps((requirement.id, requirement) for requirement in read.requirements):
            message = f"Requirement {left_out} is left out. Renumber, or add it."
            yield name, problem_at("requirement/gap", message, whole_line(requirement.line))


def _no_criteria(spec: Spec) -> _Found:
    if spec.dialect in {"spec-kit", "openspec"}:
        return
    for name, requirement in spec.all_requirements:
        if not requirement.criteria:
            message = (
                f"The part “{requirement.title}” has no clause. Add one that begins with its id, {requirement.id}.1."
                if kind_of(name) == BUGFIX
                else f"Requirement {requirement.id} has no acceptance criterion. Add “#### Acceptance Criteria” with a numbered list below it."
            )
            yield name, problem_at("requirement/no-criteria", message, whole_line(requirement.line))


def _near_duplicates(spec: Spec) -> _Found:
    alike: dict[str, list[str]] = {}
    for one, other in spec.near.pairs:
        alike.setdefault(one, []).append(other)
        alike.setdefault(other, []).append(one)
    first: dict[str, tuple[int, str]] = {}
    for name, _, criterion in spec.criteria if alike else ():
        # In document order: the pairs themselves have none.
        for _, other in sorted(first[text] for text in alike.get(criterion.text, ()) if text in first):
            message = f"Criterion {criterion.id} says nearly the same as {other}. Merge them, or make the difference plain."
            yield name, problem_at("criterion/near-duplicate", message, whole_line(criterion.line))
        first.setdefault(criterion.text, (len(first), criterion.id))


def _by_itself(spec: Spec) -> _Found:
    """The rules that look at one requirement alone, asked once per text."""
    if spec.dialect in {"spec-kit", "openspec"}:
        return
    for name, read in spec.requirements.items():
        if kind_of(name) == BUGFIX and spec.dialect != "specthread":
            continue
        source, systems = spec.sources[name], spec.around.systems
        for requirement in read.requirements:
            if kind_of(name) == BUGFIX and requirement.id == "1":  # how it is, not what SHALL be
                continue
            found = source.recall((_judged, requirement.run, systems), partial(_judged, requirement, systems))
            yield from ((name, problem.below(requirement.line, "")) for problem in found)


def _judged(requirement: Requirement, systems: tuple[str, ...]) -> tuple[Problem, ...]:
    """What the rules find in a requirement, as if its heading were on line 1."""
    return tuple(_findings(requirement, systems))


def _findings(requirement: Requirement, systems: tuple[str, ...]) -> Iterator[Problem]:
    for criterion, left_out in gaps((criterion.number, criterion) for criterion in requirement.criteria):
        message = f"Criterion {requirement.id}.{left_out} is left out. Renumber, or add it."
        yield problem_at("criterion/gap", message, whole_line(criterion.line - requirement.line + 1))
    for criterion in requirement.criteria:
        placed = criterion.below(2 - requirement.line)
        plain = ears.spoken(criterion.text)
        wording = list(_wording(placed, requirement.run, systems))
        has_modal = any(problem.code == "ears/modal" for problem in wording)
        for rule in _CRITERION_RULES:
            if rule is not _no_shall or not has_modal:  # one finding is enough for “must”
                yield from rule(placed, plain, requirement.run)
        yield from wording


def _wording(criterion: Criterion, run: Lines, systems: tuple[str, ...]) -> Iterator[Problem]:
    """What the rules about words find, at its place in the lines the criterion is wrapped over."""
    texts = [line.text for line in run[criterion.line - 1 : criterion.spoken]]
    before = criterion.number_span.end
    raw = "\n".join((" " * before + texts[0][before:], *texts[1:]))
    for found in wording_of(raw, systems):
        line = raw.count("\n", 0, found.start)
        start = found.start - (raw.rfind("\n", 0, found.start) + 1)
        end = min(start + found.end - found.start, len(texts[line]))
        span = Span(criterion.line + line, start, end)
        fix = None
        if found.fix is not None and "\n" not in raw[found.start : found.end]:
            fix = Fix(f"Write “{found.fix}”", (Change((span.line, start), (span.line, end), found.fix),))
        yield problem_at(found.code, found.message, span, fix)


# --- one criterion --------------------------------------------------------------------------------------------------------


def _no_shall(criterion: Criterion, plain: str, _run: Lines) -> Iterator[Problem]:
    if ears.is_english(plain) and not any(ears.shall_counts(plain)):
        message = f"Criterion {criterion.id} says nothing the system SHALL do. Write it as “WHEN …, THE … SHALL …”."
        yield problem_at("ears/no-shall", message, whole_line(criterion.line))


def _many_shall(criterion: Criterion, plain: str, _run: Lines) -> Iterator[Problem]:
    if max(ears.shall_counts(plain)) > 1:
        message = f"Criterion {criterion.id} holds more than one SHALL in a sentence. Make each a criterion of its own."
        yield problem_at("ears/many-shall", message, whole_line(criterion.line))


def _form(criterion: Criterion, plain: str, _run: Lines) -> Iterator[Problem]:
    if criterion.pattern == "none" and any(ears.shall_counts(plain)):
        message = f"Criterion {criterion.id} follows no EARS form. Open it with WHEN, WHILE, WHERE, IF or the name of the system."
        yield problem_at("ears/form", message, whole_line(criterion.line))


def _separator(criterion: Criterion, plain: str, _run: Lines) -> Iterator[Problem]:
    if ears.condition_words(plain) and any(ears.shall_counts(plain)) and not ears.has_separator(plain):
        message = f"The condition of criterion {criterion.id} is not closed. Put a comma or THEN in front of the system's name."
        yield problem_at("ears/separator", message, whole_line(criterion.line))


def _if_without_then(criterion: Criterion, plain: str, run: Lines) -> Iterator[Problem]:
    if "IF" in ears.condition_words(plain) and ears.has_separator(plain) and ears.is_english(plain) and not ears.has_then(plain):
        message = f"Criterion {criterion.id} has an IF without THEN. Write “IF …, THEN THE … SHALL …”."
        yield problem_at("ears/if-without-then", message, whole_line(criterion.line), _then_fix(criterion, run))


def _then_fix(criterion: Criterion, run: Lines) -> Fix | None:
    """Puts THEN behind the comma in front of the system's name, where it stands with its SHALL on the criterion's first line."""
    found = _RESPONSE.search(run[criterion.line - 1].text)
    if found is None:
        return None
    at = (criterion.line, found.start() + 1)
    return Fix("Put THEN in front of the response", (Change(at, at, " THEN"),))


_RESPONSE = re.compile(r",(?=[ \t]+\**(?:(?:THE|The|the)[ \t][^,]*|[A-Z][\w-]*\**[ \t]+\**)\b(?:SHALL|Shall|shall)\b)")


def _clause_order(criterion: Criterion, plain: str, _run: Lines) -> Iterator[Problem]:
    if not ears.in_clause_order(ears.condition_words(plain)):
        message = f"The conditions of criterion {criterion.id} are out of order. Write WHERE first, then WHILE, then WHEN or IF."
        yield problem_at("ears/clause-order", message, whole_line(criterion.line))


def gaps(numbered: Iterable[tuple[str, _Item]]) -> Iterator[tuple[_Item, str]]:
    """Each item behind a gap with the first number left out before it, in numeric order; other ids than numbers are passed over."""
    before = 0
    for number, item in sorted(((int(number), item) for number, item in numbered if number.isdecimal()), key=lambda pair: pair[0]):
        if number > before + 1:
            yield item, str(before + 1)
        before = number


REQUIREMENT_RULES: Final[tuple[Callable[[Spec], _Found], ...]] = (_none, _gap, _no_criteria, _near_duplicates, _by_itself)
_CRITERION_RULES: Final[tuple[Callable[[Criterion, str, Lines], Iterator[Problem]], ...]] = (
    _no_shall,
    _many_shall,
    _form,
    _separator,
    _if_without_then,
    _clause_order,
)
