"""Spec documents with the expected problems marked under the lines they belong to.

A file starts with a sentence that says why it exists; `-- tasks.md --` starts a document. Below a line, `^^^^ error task/no-check "words"`
marks a problem; `-- openspec --` names a dialect that is not our own. The carets stand under its characters (clipped to its first line), the quoted words occur in its message.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName, Problem

_SECTION = re.compile(r"-- ([a-z]+)\.md --")
_MARK = re.compile(r"(?P<indent> *)(?P<carets>\^+) (?P<severity>error|warning|info) (?P<code>[a-z]+/[a-z0-9-]+)(?: \"(?P<words>[^\"]*)\")?")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    document: str
    line: int
    start: int
    width: int
    severity: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedCase:
    why: str
    dialect: Dialect
    documents: dict[DocumentName, bytes]
    marks: dict[Mark, str]


def read_case(path: Path) -> MarkedCase:
    why: list[str] = []
    texts: dict[DocumentName, list[str]] = {}
    marks: dict[Mark, str] = {}
    current: DocumentName | None = None
    dialect: Dialect = "specthread"
    for line in path.read_text("utf-8").splitlines():
        if section := _SECTION.fullmatch(line):
            current = DocumentName(section[1])
            texts[current] = []
        elif (named := line.strip("- ")) in get_args(Dialect) and line.startswith("-- "):
            dialect = named
        elif current is None:
            why.append(line)
        elif mark := _MARK.fullmatch(line):
            expected = Mark(
                document=current,
                line=max(1, len(texts[current])),
                start=len(mark["indent"]),
                width=len(mark["carets"]),
                severity=mark["severity"],
                code=mark["code"],
            )
            assert expected not in marks, f"{path.name}: the same mark twice: {expected}"
            marks[expected] = mark["words"] or ""
        else:
            texts[current].append(line)
    documents = {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in texts.items()}
    return MarkedCase(why=" ".join(why).strip(), dialect=dialect, documents=documents, marks=marks)


def mark_of(problem: Problem) -> Mark:
    _, start, end = problem.span
    width = max(1, end - start)
    return Mark(document=problem.document, line=problem.line, start=start, width=width, severity=problem.severity, code=problem.code)


def drawn(problem: Problem) -> str:
    mark = mark_of(problem)
    return f"{mark.document}.md:{mark.line}\n{' ' * mark.start}{'^' * mark.width} {mark.severity} {mark.code}  {problem.message}"
