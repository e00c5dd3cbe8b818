"""One task as it is written: its check box, its detail, and the facts under it. Places count from the first line of the run it was read from."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specthread.spec.boxes import Box, TaskState, read_box, states_of
from specthread.spec.dialects import Dialect
from specthread.spec.document import Problem, Span, whole_line
from specthread.spec.facts import KNOWN, Fact, inline_facts, listed_on, read_facts
from specthread.spec.references import Reference, read_references
from specthread.spec.rules import problem_at
from specthread.spec.source import Line, Lines
from specthread.spec.waves import Waves, waves_in

REGRESSION: Final = "regression"
"""The check of a task that changes nothing a test sees: the project's own check, green before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """One labelled value under a task, whether or not the label means something to us; the label is in lower case."""

    label: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskBlock:
    """A task by itself, without what other tasks make of it. `last` is its last line with text, `box` the character between the brackets.

    `requires` and `depends` are the ids the task itself names; `names_depends` is also true for `_Depends: none_`. `spans` holds the places
    of the number and of the title.
    """

    id: str
    title: str
    detail: str
    state: TaskState
    state_raw: str
    optional: bool
    is_parallel: bool
    is_checkpoint: bool
    indent: int
    line: int
    last: int
    box: Span
    id_span: Span
    requires: tuple[str, ...]
    requires_all: bool
    requires_written: tuple[str, ...]
    depends: tuple[str, ...]
    names_depends: bool
    when: str | None
    files: tuple[str, ...]
    uses: tuple[str, ...]
    role: str | None
    check: str | None
    meta: tuple[Meta, ...]
    references: tuple[Reference, ...]

    @property
    def structure(self) -> tuple[object, ...]:
        """All of it that decides how tasks hang together: while it stays the same, so does what is known of that."""
        # A phase in which a task names a story is ordered as one, whichever story it is.
        names_story = bool(self.requires_written)
        return (
            self.id,
            self.indent,
            self.optional,
            self.is_parallel,
            self.is_checkpoint,
            self.names_depends,
            self.depends,
            self.when,
            names_story,
        )

    @property
    def shape(self) -> tuple[object, ...]:
        """All of it that problems of several tasks and requirements are made of, with its places."""
        return (self.line, self.id_span, self.box, self.state, self.requires_all, self.references, self.when)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """What was read from a run of lines that starts at a heading or at a check box flush left."""

    blocks: tuple[TaskBlock, ...]
    problems: tuple[Problem, ...]
    waves: Waves | None
    title: str | None
    """The heading it starts with."""
    length: int
    """In lines."""


def read_run(lines: Lines, dialect: Dialect) -> Run:
    """The tasks on these lines, of which the first is where `Line.starts_run` or the beginning of the document."""
    found: list[tuple[Box, int, list[int]]] = []
    problems: list[Problem] = []
    current: tuple[Box, int, list[int]] | None = None
    blank_before = True
    for index, line in enumerate(lines):
        box = read_box(line, dialect)
        if box is not None and box.id is not None:
            current = (box, index, [])
            found.append(current)
            problems += _unknown_mark(box, index + 1, dialect)
        elif line.heading is not None:
            current = None
        elif box is not None and (current is None or box.indent <= current[0].indent):
            current = None
            problems += _unnumbered(box, index + 1) if dialect == "specthread" else []  # elsewhere such boxes are check lists
        elif blank_before and _starts_paragraph(line):
            current = None
        elif current is not None:
            current[2].append(index)
        blank_before = not line.text.strip()
    title = lines[0].heading.title if lines and lines[0].heading else None
    blocks = tuple(_block(box, head, body, lines, dialect) for box, head, body in found)
    return Run(blocks=blocks, problems=tuple(problems), waves=waves_in(lines), title=title, length=len(lines))


_BULLET = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_CHECKPOINT = re.compile(
    r"(?:\W|Final|最终|最終)*(?:Checkpoint|检查点|檢查點|チェックポイント|체크포인트|Punto de control|Контрольная точка)", re.IGNORECASE
)
_AFTER = re.compile(r"\((?:depends|depend|blocked)[ \t]+(?:on|by)[: \t]++(?P<ids>[^()]*)\)", re.IGNORECASE)
_STORY_LABEL = re.compile(r"US[0-9]+[A-Za-z]?")


def _starts_paragraph(line: Line) -> bool:
    return bool(line.text) and line.text[0] not in " \t" and not line.hidden and _BULLET.match(line.text) is None


def _unknown_mark(box: Box, number: int, dialect: Dialect) -> list[Problem]:
    if box.raw in states_of(dialect):
        return []
    usable = "a space, “x”, “-” or “~”" if "~" in states_of(dialect) else "a space, “x” or “-”"
    message = f"The mark “{box.raw}” has no meaning here, so the task counts as not started. Use {usable}."
    return [problem_at("task/unknown-mark", message, Span(number, box.mark, box.mark + 1))]


def _unnumbered(box: Box, number: int) -> list[Problem]:
    if box.indent:
        return []
    message = "This check box has no number, so it is not a task. Write a number such as “4.” in front of its text, or use a plain bullet."
    return [problem_at("task/no-id", message, whole_line(number))]


def _block(box: Box, head: int, body: Sequence[int], lines: Lines, dialect: Dialect) -> TaskBlock:
    own = [lines[index] for index in body]
    facts = (*inline_facts_of(lines[head], head + 1), *_facts(lines, body))
    references = (*_labels(box, head + 1), *_after(lines[head], head + 1), *_references(facts))
    required = [reference for reference in references if reference.kind == "requires"]
    checks = _values(facts, "check")
    return TaskBlock(
        id=box.id or "",
        title=box.text,
        detail=_detail(own, {fact.span.line for fact in facts if fact.label in KNOWN}, body),
        state=states_of(dialect).get(box.raw, "todo"),
        state_raw=box.raw,
        optional=box.optional,
        is_parallel=box.parallel,
        is_checkpoint=_CHECKPOINT.match(box.text) is not None,
        indent=box.indent,
        line=head + 1,
        last=next((index + 1 for index in reversed(body) if lines[index].text.strip()), head + 1),
        box=Span(head + 1, box.mark, box.mark + 1),
        id_span=Span(head + 1, box.start, box.start + len(box.id or "")),
        requires=_ids(required),
        requires_all=any(reference.is_all for reference in required),
        requires_written=tuple(reference.written for reference in required),
        depends=_ids(reference for reference in references if reference.kind == "depends"),
        names_depends=any(fact.label == "depends" for fact in facts) or any(reference.kind == "depends" for reference in references),
        when=next(iter(_values(facts, "when")), None),
        files=tuple(_listed(facts, "files")),
        uses=tuple(_listed(facts, "uses")),
        role=next(iter(_values(facts, "role")), None),
        check=" && ".join(check for check in checks if check != REGRESSION) or (REGRESSION if checks else None),
        meta=tuple(Meta(label=fact.label, value=fact.value, span=fact.span) for fact in facts),
        references=references,
    )


def inline_facts_of(line: Line, number: int) -> Iterator[Fact]:
    """The facts in a task's own line."""
    for fact in inline_facts(line):
        yield Fact(label=fact.label, value=fact.value, text=fact.text, span=fact.span.below(number))


def _facts(lines: Lines, body: Sequence[int]) -> Iterator[Fact]:
    """The facts of the detail, which has gaps where a check box of its own stands in it."""
    start = 0
    for end in range(1, len(body) + 1):
        if end == len(body) or body[end] != body[end - 1] + 1:
            yield from read_facts([lines[index] for index in body[start:end]], body[start] + 1)
            start = end


def _labels(box: Box, number: int) -> Iterator[Reference]:
    for label, column in box.labels:
        ids = tuple(_STORY_LABEL.findall(label))
        if ids:
            yield Reference(kind="requires", written=label, ids=ids, span=Span(number, column, column + len(label)))


def _after(line: Line, number: int) -> Iterator[Reference]:
    found = _AFTER.search(line.text) if "(" in line.text else None
    if found:
        yield from read_references("depends", line.text, Span(number, found.start("ids"), found.end("ids")))


def _references(facts: Iterable[Fact]) -> Iterator[Reference]:
    for fact in facts:
        if fact.label in {"requirements", "validates"}:
            yield from read_references("requires", fact.text, listed_on(fact))
        elif fact.label == "depends":
            yield from read_references("depends", fact.text, fact.span)


def _ids(references: Iterable[Reference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for reference in references for each in reference.ids))


def _bare(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] == "`" and "`" not in value[1:-1]
    return value[1:-1].strip() if quoted else value


def _values(facts: Iterable[Fact], label: str) -> list[str]:
    values: list[str] = []
    for fact in facts:
        if fact.label == label and fact.continued and values:
            values[-1] = f"{values[-1]} {fact.value}"
        elif fact.label == label and fact.value:
            values.append(fact.value)
    return [_bare(value) for value in values]


def _listed(facts: Iterable[Fact], label: str) -> Iterator[str]:
    for fact in facts:
        if fact.label == label:
            entries = (_bare(entry.strip()) for entry in _bare(fact.value).split(","))
            yield from (entry for entry in entries if entry)


def _detail(body: Sequence[Line], told: set[int], indexes: Sequence[int]) -> str:
    kept = [
        line.text
        for line, index in zip(body, indexes, strict=True)
        if line.mark not in {"comment", "comment-start", "front"} and index + 1 not in told
    ]
    return textwrap.dedent("\n".join(kept)).strip("\n")
