"""One spec folder read and judged: its bytes, its dialect, and the findings about the documents that were asked about."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from specthread.cli.check.discovery import SpecFolder, Trouble, spec_at, trouble_of, unreadable
from specthread.cli.outcome import OUTSIDE, Failure
from specthread.plan.judgement import judge
from specthread.spec.dialects import Dialect, detect, is_spec_folder
from specthread.spec.document import TASKS, DocumentName, Problem
from specthread.spec.levels import DEFAULTS, CheckSettings
from specthread.spec.lint_approval import RECORDS
from specthread.spec.spec import Around, Spec, kind_of, read_spec

LARGEST: Final = 10_000_000
"""Bytes above which a file is not read."""


class Finding(NamedTuple):
    """A problem with the path of its document and the text of its line."""

    path: str
    problem: Problem
    text: str


class Checked(NamedTuple):
    """What was found in one spec, and which of its documents could not be read."""

    findings: list[Finding]
    troubles: list[Trouble]


def checked(folder: SpecFolder, settings: CheckSettings) -> Checked:
    """Reads and judges one spec; a document that cannot be read is told, and the others are judged without it."""
    contents, troubles = contents_of(folder)
    return Checked(findings_in(folder, spec_of(folder.path, contents, settings), settings), troubles)


def one_spec(path: str) -> Spec:
    """Returns the spec in a folder, or in one file by itself. Raises Failure where something of it cannot be read."""
    folder = spec_at(path)
    return spec_of(path, {name: content_of(file) for name, file in folder.files.items()})


def contents_of(folder: SpecFolder) -> tuple[dict[DocumentName, bytes], list[Trouble]]:
    """Returns the bytes of the documents, and why others are missing."""
    contents: dict[DocumentName, bytes] = {}
    troubles: list[Trouble] = []
    for name, path in folder.files.items():
        try:
            contents[name] = content_of(path)
        except Failure as failure:
            troubles.append(trouble_of(path, failure))
    return contents, troubles


def content_of(path: str) -> bytes:
    """Returns the bytes of a file. Raises Failure where it cannot be read or is far larger than any spec."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for a writer
            raise Failure("unreadable", f"{path} cannot be read: it is no plain file.", "Correct the path.", status=OUTSIDE)
        with open(path, "rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > LARGEST:
        raise Failure("too-large", f"{path} holds more than {LARGEST // 1_000_000} MB and was not read.", "No spec does; correct the path.")
    return content


def spec_of(path: str, contents: Mapping[DocumentName, bytes], settings: CheckSettings = DEFAULTS) -> Spec:
    """Returns the documents read together in the dialect of their place or, where that says nothing, of their words."""
    return read_spec(contents, dialect_of(path, contents), around=Around(_records_in(path), settings.systems))


def _records_in(folder: str) -> dict[str, bytes]:
    """The records of approvals beside the documents; one that cannot be read is none."""
    records = {}
    for name in RECORDS:
        with suppress(Failure):
            records[name] = content_of(os.path.join(folder, name))
    return records


def dialect_of(path: str, contents: Mapping[DocumentName, bytes]) -> Dialect:
    """Returns the dialect of documents in a folder or of the file at `path`."""
    place = os.path.abspath(path)
    if is_spec_folder(place) or is_spec_folder(os.path.dirname(place)):
        return detect(place, next((content for name, content in contents.items() if kind_of(name) == TASKS), b""))
    told = (detect("", content) for content in contents.values())
    return next((dialect for dialect in told if dialect != "specthread"), "specthread")


def findings_in(folder: SpecFolder, spec: Spec, settings: CheckSettings) -> list[Finding]:
    """Returns the findings about the documents that were asked about, in the order of the linter, with the levels chosen."""
    return [_finding(folder, spec, problem) for problem in judge(spec, settings.levels) if problem.document in folder.wanted]


def _finding(folder: SpecFolder, spec: Spec, problem: Problem) -> Finding:
    name = DocumentName(problem.document)
    lines = spec.sources[name].lines
    return Finding(folder.files[name], problem, lines[problem.line - 1].text if problem.line <= len(lines) else "")
