"""Check boxes: the one character in `- [ ]` that says how far a task is, and the number behind it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from specthread.spec.dialects import Dialect
from specthread.spec.source import Line

TaskState = Literal["todo", "in_progress", "done", "queued", "blocked"]

_COMMON: Final[Mapping[str, TaskState]] = {" ": "todo", "x": "done", "X": "done", "-": "in_progress"}
STATES: Final[Mapping[str, TaskState]] = MappingProxyType({**_COMMON, "~": "queued"})
"""What the marks mean in our own dialect."""


def states_of(dialect: Dialect) -> Mapping[str, TaskState]:
    """What the marks mean in a dialect: the same letter does not mean the same everywhere."""
    return _STATES.get(dialect, STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A check box as a list item: the column of its mark, and the task number and text behind it.

    `start` is the column of the number, where there is one. `parallel` is the mark `(P)` or `[P]`; `labels` are spec-kit's, such as `US1`.
    """

    indent: int
    mark: int
    raw: str
    optional: bool
    id: str | None
    text: str
    start: int = 0
    parallel: bool = False
    labels: tuple[tuple[str, int], ...] = ()


def read_box(line: Line, dialect: Dialect = "specthread") -> Box | None:
    """The check box on this line; an unknown mark makes a box only in front of a task number."""
    found = None if line.hidden or "[" not in line.text else _BOX.match(line.text)
    if found is None:
        return None
    read = _ticketed(found) if dialect == "spec-kit" else _numbered(found)
    return read if read.id is not None or read.raw in STATES else None


def unticked(line: Line) -> str:
    """The text of the line with a check box, if there is one, read as not started."""
    box = read_box(line) or read_box(line, "spec-kit")
    return line.text if box is None else f"{line.text[: box.mark]} {line.text[box.mark + 1 :]}"


_STATES: Final[Mapping[Dialect, Mapping[str, TaskState]]] = {
    "spec-workflow": {**_COMMON, "~": "blocked"},
    "spec-kit": _COMMON,
    "openspec": _COMMON,
}
_BOX = re.compile(r"(?P<indent>[ \t]*)[-*+][ \t]+\[(?P<raw>.)\](?P<optional>\\?\*)?(?:[ \t]+|$)(?P<text>.*)")
# A single number needs its dot (`1.`), or “3 things to do” would be task 3; a dotted number (`1.2`) does not.
_NUMBERED = re.compile(
    r"(?:\*\*)?(?:(?:Task|任务|任務|タスク)[ \t]*(?=[0-9.]+[a-z]?[:.\uff1a]))?"
    r"(?:(?P<deep>[0-9]{1,6}(?:\.[0-9]{1,6}){1,7}[a-z]?)\\?[.):\uff1a]?|(?P<top>[0-9]{1,6}[a-z]?)\\?[.):\uff1a])"
    r"(?:\*\*|(?P<optional>\\?\*))?(?:[ \t]+|$)(?P<title>.*)",
    re.IGNORECASE,
)
_PARALLEL = re.compile(r"\(P\)[ \t]*|(?<![ \t])[ \t]*\(P\)[ \t]*$")
_TICKET = re.compile(
    r"(?:\*\*)?(?:\[(?P<word>[A-Z]{2,12}-[0-9]{1,4})\]|(?P<id>T[0-9]{3,6}(?:\.[0-9]{1,4})*[A-Za-z]?))(?:\*\*)?[:.]?(?:[ \t]+|$)"
)
_LABEL = re.compile(r"\[(?P<label>P|[A-Z]{1,6}[0-9]+[A-Za-z]?(?:[+,/&-][A-Za-z0-9]+)*)\][ \t]*")


def _numbered(found: re.Match[str]) -> Box:
    numbered = _NUMBERED.match(found["text"])
    text = numbered["title"] if numbered else found["text"]
    parallel = _PARALLEL.search(text) if "(P)" in text else None
    if parallel and parallel.start() not in {0, len(text.rstrip()) - len(parallel[0].rstrip())}:
        parallel = None
    if parallel:
        text = text[: parallel.start()] + text[parallel.end() :]
    start = numbered.start("deep" if numbered["deep"] else "top") if numbered else 0
    return Box(
        indent=len(found["indent"].expandtabs(4)),
        mark=found.start("raw"),
        raw=found["raw"],
        optional=found["optional"] is not None or (numbered is not None and numbered["optional"] is not None),
        id=(numbered["deep"] or numbered["top"]) if numbered else None,
        text=text.removesuffix("**").strip() if found["text"].startswith("**") else text.strip(),
        start=found.start("text") + start,
        parallel=parallel is not None and numbered is not None,
    )


def _ticketed(found: re.Match[str]) -> Box:
    text, base = found["text"], found.start("text")
    ticket = _TICKET.match(text)
    at = ticket.end() if ticket else 0
    labels: list[tuple[str, int]] = []
    parallel = False
    while (label := _LABEL.match(text, at)) is not None:
        at = label.end()
        parallel = parallel or label["label"] == "P"
        if label["label"] != "P":
            labels.append((label["label"], base + label.start("label")))
    return Box(
        indent=len(found["indent"].expandtabs(4)),
        mark=found.start("raw"),
        raw=found["raw"],
        optional=found["optional"] is not None,
        id=(ticket["id"] or ticket["word"]) if ticket else None,
        text=text[at:].strip(),
        start=base + (ticket.start("id" if ticket["id"] else "word") if ticket else 0),
        parallel=parallel,
        labels=tuple(labels),
    )
