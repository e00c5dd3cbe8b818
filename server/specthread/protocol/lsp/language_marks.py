"""What is drawn into a document: hints behind lines, and coloured words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final

from lsprotocol import types as lsp

from specthread.protocol.lsp.language_place import Document, Language
from specthread.protocol.lsp.refresher import Refresher
from specthread.views.assist.hints import Hint, hints
from specthread.views.assist.tokens import Token, TokenKind, tokens

_TYPES: Final[dict[TokenKind, str]] = {
    "keyword": lsp.SemanticTokenTypes.Keyword.value,
    "requirement": lsp.SemanticTokenTypes.Class.value,
    "task": lsp.SemanticTokenTypes.Function.value,
    "property": lsp.SemanticTokenTypes.Property.value,
    "label": lsp.SemanticTokenTypes.Parameter.value,
    "state": lsp.SemanticTokenTypes.EnumMember.value,
}
_NUMBERS: Final = {kind: number for number, kind in enumerate(_TYPES)}
_DEFINITION: Final = 1
LEGEND: Final = lsp.SemanticTokensLegend(token_types=list(_TYPES.values()), token_modifiers=[lsp.SemanticTokenModifiers.Definition.value])
_WIDTH: Final = 5
"""Numbers that stand for one token."""


def install(language: Language) -> None:
    """Registers the features."""
    _install_hints(language)
    _install_tokens(language)


def _install_hints(language: Language) -> None:
    editor = language.editor

    @editor.feature(lsp.TEXT_DOCUMENT_INLAY_HINT, lsp.InlayHintOptions(resolve_provider=False))
    def hint(params: lsp.InlayHintParams) -> list[lsp.InlayHint] | None:
        if (document := language.document(params.text_document.uri)) is None:
            return None
        first, last = params.range.start.line + 1, params.range.end.line + 1
        found = hints(document.spec, document.name, document.shelf.notes)
        return [_hint(document, each) for each in found if first <= each.line <= last]

    def refreshes() -> bool:
        workspace = editor.client_capabilities.workspace
        return bool(workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support)

    refresher = Refresher(language.session, refreshes, lambda: editor.workspace_inlay_hint_refresh_async(None))
    language.session.on_news.append(refresher.changed)


def _hint(document: Document, hint: Hint) -> lsp.InlayHint:
    return lsp.InlayHint(position=document.text.line(hint.line).end, label=hint.words, tooltip=hint.tip, padding_left=True)


def _install_tokens(language: Language) -> None:
    editor = language.editor
    told: dict[str, tuple[str, list[int]]] = {}
    """By address the id and the numbers of the last answer."""
    ids = count(1)

    def remember(document: Document) -> lsp.SemanticTokens:
        numbers = _encoded(document, tokens(document.spec, document.name))
        opened = editor.workspace.text_documents
        for uri in [uri for uri in told if uri not in opened]:
            del told[uri]
        told[document.uri] = (str(next(ids)), numbers)
        return lsp.SemanticTokens(result_id=told[document.uri][0], data=numbers)

    @editor.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def full(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens | None:
        document = language.document(params.text_document.uri)
        return remember(document) if document is not None else None

    @editor.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, LEGEND)
    def delta(params: lsp.SemanticTokensDeltaParams) -> lsp.SemanticTokens | lsp.SemanticTokensDelta | None:
        if (document := language.document(params.text_document.uri)) is None:
            return None
        before_id, before = told.get(document.uri, ("", []))
        now = remember(document)
        if before_id != params.previous_result_id:
            return now
        return lsp.SemanticTokensDelta(result_id=now.result_id, edits=difference(before, now.data))

    @editor.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, LEGEND)
    def part(params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens | None:
        if (document := language.document(params.text_document.uri)) is None:
            return None
        first, last = params.range.start.line + 1, params.range.end.line + 1
        found = [each for each in tokens(document.spec, document.name) if first <= each.span.line <= last]
        return lsp.SemanticTokens(data=_encoded(document, found))


def _encoded(document: Document, found: Sequence[Token]) -> list[int]:
    """Returns the tokens as the protocol counts them: each from the one before."""
    numbers: list[int] = []
    line = start = 0
    for token in found:
        place = document.text.span(token.span)
        below = place.start.line - line
        along = place.start.character - (start if below == 0 else 0)
        modifiers = _DEFINITION if token.is_definition else 0
        numbers += (below, along, place.end.character - place.start.character, _NUMBERS[token.kind], modifiers)
        line, start = place.start.line, place.start.character
    return numbers


def difference(before: Sequence[int], after: Sequence[int]) -> list[lsp.SemanticTokensEdit]:
    """Returns the one edit, of whole tokens, that makes one answer the other; none where they are the same."""
    same = _shared(before, after) // _WIDTH * _WIDTH
    rest, other = before[same:], after[same:]
    end = _shared(rest[::-1], other[::-1]) // _WIDTH * _WIDTH
    if len(rest) == len(other) == end:
        return []
    return [lsp.SemanticTokensEdit(start=same, delete_count=len(rest) - end, data=list(other[: len(other) - end]))]


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    return next((at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), min(len(one), len(other)))
