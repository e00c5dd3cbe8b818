"""Spec documents with a cursor, and what features answer there.

A file starts with a sentence that says why it exists; `-- tasks.md --` starts a document, `-- openspec --` names its dialect, `$0` in one of them is the cursor.
`-- @hover --` starts the expected answer of a feature. `make golden` writes the answers anew.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName
from specthread.spec.spec import read_spec
from specthread.views.assist.index import Cursor, Index

_SECTION = re.compile(r"-- (?:(?P<document>[a-z/]+)\.md|@(?P<feature>[a-z]+)|(?P<dialect>[a-z-]+)) --")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    why: str
    cursor: Cursor
    answers: dict[str, str]
    head: str
    """The file up to the first answer."""


def read_golden(path: Path) -> GoldenCase:
    text = path.read_text("utf-8")
    why: list[str] = []
    parts: dict[str, list[str]] = {}
    dialect: Dialect = "specthread"
    current = why
    for line in text.splitlines():
        found = _SECTION.fullmatch(line)
        if found is None:
            current.append(line)
        elif found["dialect"] in get_args(Dialect):
            dialect = found["dialect"]
        else:
            current = parts.setdefault(f"{found['document']}.md" if found["document"] else found["feature"], [])
    documents = {DocumentName(name[:-3]): lines for name, lines in parts.items() if name.endswith(".md")}
    name, line, character = _cursor_in(documents)
    contents = {each: "".join(f"{line}\n" for line in lines).replace("$0", "").encode() for each, lines in documents.items()}
    return GoldenCase(
        why=" ".join(why).strip(),
        cursor=Cursor(Index(read_spec(contents, dialect)), name, line, character),
        answers={name: "\n".join(lines) for name, lines in parts.items() if not name.endswith(".md")},
        head=text.partition("\n-- @")[0].rstrip("\n") + "\n",
    )


def answered(path: Path, features: Mapping[str, Callable[[Cursor], str]]) -> tuple[dict[str, str], dict[str, str]]:
    """The expected answers of a file and those given; `SPECTHREAD_UPDATE=1` makes the given ones the expected."""
    case = read_golden(path)
    given = {name: features[name](case.cursor).rstrip("\n") for name in case.answers}
    if os.environ.get("SPECTHREAD_UPDATE") == "1":
        path.write_text(case.head + "".join(f"-- @{name} --\n{answer}\n" for name, answer in given.items()), "utf-8")
        return given, given
    return case.answers, given


def _cursor_in(documents: Mapping[DocumentName, list[str]]) -> tuple[DocumentName, int, int]:
    places = [(name, number, line.index("$0")) for name, lines in documents.items() for number, line in enumerate(lines, 1) if "$0" in line]
    assert len(places) <= 1, "one cursor is enough"
    return places[0] if places else (next(iter(documents)), 1, 0)
