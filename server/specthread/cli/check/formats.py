"""Findings for programs: JSON, SARIF 2.1.0 and the workflow commands of GitHub Actions. Columns count characters from 1, ends are exclusive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

from specthread import __version__
from specthread.cli.check import codes
from specthread.cli.check.discovery import Trouble
from specthread.cli.check.reading import Finding
from specthread.spec.document import Change, Span


def json_of(findings: Iterable[Finding], troubles: Iterable[Trouble]) -> dict[str, Any]:
    """Returns the findings, and what could not be checked, as plain values."""
    return {"problems": [_json(each) for each in findings], "troubles": [trouble._asdict() for trouble in troubles]}


def sarif_of(findings: Sequence[Finding], troubles: Sequence[Trouble]) -> dict[str, Any]:
    """Returns a SARIF log with one run; the rules are those that were drawn, in the order of their codes."""
    drawn = sorted({finding.problem.code for finding in findings})
    position = {code: index for index, code in enumerate(drawn)}
    driver = {"name": "specthread", "version": __version__, "rules": [_rule(code) for code in drawn]}
    notes = [{"level": "error", "message": {"text": trouble.message}, "locations": [_location(trouble.path)]} for trouble in troubles]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not troubles, "toolExecutionNotifications": notes}],
        "results": [_result(finding, position[finding.problem.code]) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def github_of(findings: Iterable[Finding], troubles: Iterable[Trouble]) -> str:
    """Returns one workflow command per line; GitHub shows them beside the lines of a pull request."""
    lines = []
    for path, problem, _ in findings:
        span = problem.span
        place = {"file": path, "line": span.line, "col": span.start + 1, "endColumn": max(span.end, span.start) + 1, "title": problem.code}
        lines.append(_command(_GITHUB[problem.severity], place, problem.message))
    for trouble in troubles:
        line = {"line": trouble.line} if trouble.line else {}
        lines.append(_command("error", {"file": trouble.path, **line, "title": "specthread"}, trouble.message))
    return "".join(f"{line}\n" for line in lines)


_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SARIF: Final = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB: Final = {"error": "error", "warning": "warning", "info": "notice"}


def _json(finding: Finding) -> dict[str, Any]:
    path, problem, _ = finding
    return {
        "path": path,
        "document": problem.document,
        "line": problem.line,
        "column": problem.span.start + 1,
        "end_column": problem.span.end + 1,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "fix": problem.fix is not None,
    }


def _rule(code: str) -> dict[str, Any]:
    page = codes.page_of(code)
    return {
        "id": code,
        "shortDescription": {"text": codes.sentence_of(page)},
        "fullDescription": {"text": codes.reason_of(page) or codes.sentence_of(page)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": _SARIF[codes.all_rules()[code].severity]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    path, problem, line = finding
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": _SARIF[problem.severity],
        "message": {"text": problem.message},
        "locations": [_location(path, problem.span, _sound(line))],
    }
    if problem.fix:
        replacements = [{"deletedRegion": _stretch(change), "insertedContent": {"text": change.text}} for change in problem.fix.changes]
        result["fixes"] = [
            {
                "description": {"text": problem.fix.title},
                "artifactChanges": [{"artifactLocation": {"uri": _uri(path)}, "replacements": replacements}],
            }
        ]
    return result


def _location(path: str, span: Span | None = None, line: str = "") -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if span:
        end = max(span.end, span.start)
        region = {"startLine": span.line, "startColumn": span.start + 1, "endLine": span.line, "endColumn": end + 1}
        place["region"] = {**region, "snippet": {"text": line[span.start : end]}}
        place["contextRegion"] = {"startLine": span.line, "snippet": {"text": line}}
    return {"physicalLocation": place}


def _stretch(change: Change) -> dict[str, Any]:
    start, end = change.start, change.end
    return {"startLine": start[0], "startColumn": start[1] + 1, "endLine": end[0], "endColumn": end[1] + 1}


def _uri(path: str) -> str:
    """The path as a URI: relative to where the program runs, absolute where it lies elsewhere."""
    relative = os.path.relpath(path)
    inside = relative != ".." and not relative.startswith(f"..{os.sep}")
    return quote(os.fsencode(relative)) if inside else f"file://{quote(os.fsencode(os.path.abspath(path)))}"


def _sound(text: str) -> str:
    """The text with a mark for each byte that no encoding of JSON could hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _command(kind: str, properties: dict[str, Any], message: str) -> str:
    parts = ",".join(f"{name}={_escaped(str(value)).replace(':', '%3A').replace(',', '%2C')}" for name, value in properties.items())
    return f"::{kind} {parts}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
