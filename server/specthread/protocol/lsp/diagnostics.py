"""What is shown in the margin of a document: what the linter finds, what reviewers said, and that a newer version waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lsprotocol import types as lsp

from specthread.domain.model import SpecTask
from specthread.domain.planned import linted
from specthread.protocol.lsp.texts import Encoding, text_of
from specthread.protocol.port import BufferPort
from specthread.spec.anchor import Anchor, locate_all
from specthread.spec.document import Problem

SOURCE = "specthread"
NEWER = "newer-version"
COMMENT = "comment"
LIMIT = 5_000_000
"""Bytes above which a document is not checked."""
MOST = 500
"""Findings shown in one document; nobody reads more."""

_SEVERITIES = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
}


def of_shelf(
    spectask: SpecTask | None, contents: Mapping[str, bytes], held: Mapping[str, BufferPort | None], encoding: Encoding
) -> dict[str, list[lsp.Diagnostic]]:
    """Returns what is to be shown in each of the documents that belong together; slow for long ones, so it is called in a thread."""
    small = {name: content for name, content in contents.items() if len(content) <= LIMIT}
    found = linted(small)
    shown = {name: [_TOO_LARGE] for name in contents.keys() - small.keys()}
    for name, content in small.items():
        shown[name] = _of_problems(content, [each for each in found if each.document == name], encoding)
        if spectask is not None:
            shown[name] += _of_review(spectask, name, content, held.get(name), encoding)
    return shown


def _of_problems(content: bytes, found: Sequence[Problem], encoding: Encoding) -> list[lsp.Diagnostic]:
    text = text_of(content, encoding)
    shown = [
        lsp.Diagnostic(range=text.span(each.span), message=each.message, severity=_SEVERITIES[each.severity], code=each.code, source=SOURCE)
        for each in found[:MOST]
    ]
    if len(found) > MOST:
        shown.append(_at_top(f"{len(found) - MOST} more findings are not shown.", lsp.DiagnosticSeverity.Information))
    return shown


def _of_review(spectask: SpecTask, name: str, content: bytes, buffer: BufferPort | None, encoding: Encoding) -> list[lsp.Diagnostic]:
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
    lines = locate_all(content, [Anchor(quote=each.quote, section=each.section, line=each.line) for each in comments])
    text = text_of(content, encoding)
    for comment, line in zip(comments, lines, strict=True):
        answer = f"\n↳ {comment.answer}" if comment.answer else ""
        found.append(
            lsp.Diagnostic(
                range=text.line(line or comment.line),
                message=f"{comment.author}: {comment.text}{answer}",
                severity=lsp.DiagnosticSeverity.Information,
                code=COMMENT,
                source=SOURCE,
            )
        )
    return found


def _at_top(message: str, severity: lsp.DiagnosticSeverity, code: str = "") -> lsp.Diagnostic:
    start = lsp.Position(line=0, character=0)
    return lsp.Diagnostic(range=lsp.Range(start=start, end=start), message=message, severity=severity, code=code or None, source=SOURCE)


_TOO_LARGE = _at_top(f"This document is larger than {LIMIT // 1_000_000} MB and is not checked.", lsp.DiagnosticSeverity.Information)
