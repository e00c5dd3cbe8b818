"""What is shown in the margin of a document: what the linter finds, what reviewers said, and that a newer version waits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from lsprotocol import types as lsp

from specthread.domain.model import SpecTask
from specthread.plan.judgement import judge
from specthread.protocol.lsp.editor import converter
from specthread.protocol.lsp.shelf import MOST_BYTES
from specthread.protocol.lsp.texts import Encoding, span_on, text_of
from specthread.protocol.port import BufferPort
from specthread.spec.anchor import Anchor, locate_all
from specthread.spec.document import DocumentName, Problem
from specthread.spec.levels import Levels
from specthread.spec.recall import Recall
from specthread.spec.source import Line, Source
from specthread.spec.spec import Spec

SOURCE = "specthread"
NEWER = "newer-version"
COMMENT = "comment"
MOST = 500
"""Findings shown in one document; nobody reads more."""

Encoded = str
"""A diagnostic as JSON: most of them are the same from keystroke to keystroke, and are written once."""

_SEVERITIES = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
}
_UNUSED = frozenset({"suppression/unused", "suppression/unknown-code"})


def of_spec(spec: Spec, levels: Levels, encoding: Encoding, recall: Recall) -> dict[DocumentName, list[Encoded]]:
    """Returns what is wrong with each document of a spec, the order of its tasks included; `recall` is that of the last time."""
    by_document: dict[DocumentName, list[Problem]] = {name: [] for name in spec.sources}
    for problem in judge(spec, levels):
        by_document[DocumentName(problem.document)].append(problem)
    return {name: _encoded(found, spec.sources[name], encoding, recall) for name, found in by_document.items()}


def _encoded(found: Sequence[Problem], source: Source, encoding: Encoding, recall: Recall) -> list[Encoded]:
    shown: list[Encoded] = []
    for each in found[:MOST]:
        line = source.lines[each.line - 1] if each.line <= len(source.lines) else None
        shown.append(recall((_encoded_one, each, line, encoding), partial(_encoded_one, each, line, encoding)))
    if len(found) > MOST:
        shown.append(encoded(_at_top(f"{len(found) - MOST} more findings are not shown.", lsp.DiagnosticSeverity.Information)))
    return shown


def _encoded_one(problem: Problem, line: Line | None, encoding: Encoding) -> Encoded:
    return encoded(diagnostic_of(problem, line.text if line else "", encoding))


def diagnostic_of(problem: Problem, text: str, encoding: Encoding) -> lsp.Diagnostic:
    """Returns a problem on a line with this text as the editor shows it."""
    return lsp.Diagnostic(
        range=span_on(text, problem.span, encoding),
        message=problem.message,
        severity=_SEVERITIES[problem.severity],
        code=problem.code,
        code_description=_page_of(problem.code),
        source=SOURCE,
        tags=[lsp.DiagnosticTag.Unnecessary] if problem.code in _UNUSED else None,
    )


@cache
def _page_of(code: str) -> lsp.CodeDescription | None:
    """Returns where a code is explained: its page comes with the program."""
    page = files("specthread").joinpath("rules", *f"{code}.md".split("/"))
    return lsp.CodeDescription(href=page.as_uri()) if isinstance(page, Path) and page.is_file() else None


def encoded(diagnostic: lsp.Diagnostic) -> Encoded:
    """Returns a diagnostic as JSON."""
    return json.dumps(converter().unstructure(diagnostic))


def of_review(spectask: SpecTask, name: str, content: bytes, buffer: BufferPort | None, encoding: Encoding) -> list[lsp.Diagnostic]:
    """Returns open comments at their words, a trouble of the SpecTask, and whether the live document is newer than unsaved text."""
    found = []
    document = spectask.documents.get(name)
    if document and buffer and buffer.unsaved and buffer.base is not None and document.content not in {buffer.base, buffer.text}:
        sentence = f"A newer version exists, by {document.author}. Bring it in, or save: your text is merged with it."
        found.append(_at_top(sentence, lsp.DiagnosticSeverity.Information, NEWER))
    if spectask.trouble:
        found.append(_at_top(spectask.trouble, lsp.DiagnosticSeverity.Warning, "trouble"))
    comments = [each for each in spectask.comments.values() if each.document == name and not each.resolved]
    comments.sort(key=lambda comment: comment.seq)
    lines = locate_all(content, [Anchor(quote=each.quote, section=each.section, line=each.line) for each in comments]) if comments else ()
    text = text_of(content, encoding) if comments else None
    for comment, line in zip(comments, lines, strict=True):
        answer = f"\n↳ {comment.answer}" if comment.answer else ""
        found.append(
            lsp.Diagnostic(
                range=text.line(line or comment.line) if text else _TOP,
                message=f"{comment.author}: {comment.text}{answer}",
                severity=lsp.DiagnosticSeverity.Information,
                code=COMMENT,
                source=SOURCE,
            )
        )
    return found


_TOP = lsp.Range(start=lsp.Position(line=0, character=0), end=lsp.Position(line=0, character=0))


def _at_top(message: str, severity: lsp.DiagnosticSeverity, code: str = "") -> lsp.Diagnostic:
    return lsp.Diagnostic(range=_TOP, message=message, severity=severity, code=code or None, source=SOURCE)


TOO_LARGE = encoded(
    _at_top(f"This document is larger than {MOST_BYTES // 1_000_000} MB and is not checked.", lsp.DiagnosticSeverity.Information)
)
