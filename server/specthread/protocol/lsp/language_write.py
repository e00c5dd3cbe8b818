"""Completion: what may be typed at a place, with what it stands for."""

from __future__ import annotations

from typing import Final, get_args

from lsprotocol import types as lsp

from specthread.protocol.lsp.language_place import Document, Language
from specthread.spec.symbols import Symbol, SymbolKind
from specthread.views.assist.card import markdown, plain
from specthread.views.assist.completion import completions
from specthread.views.assist.hover import card_of
from specthread.views.assist.typed import Completion, filled

TRIGGERS: Final = ("_", "[", " ", ",", ".")
"""After these something may follow that is worth to be shown unasked; everywhere else nothing is offered for them."""

_KINDS: Final = {
    "reference": lsp.CompletionItemKind.Reference,
    "label": lsp.CompletionItemKind.Field,
    "value": lsp.CompletionItemKind.Value,
    "state": lsp.CompletionItemKind.EnumMember,
    "number": lsp.CompletionItemKind.Unit,
    "template": lsp.CompletionItemKind.Snippet,
}


def install(language: Language) -> None:
    """Registers the features."""
    editor = language.editor

    @editor.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=TRIGGERS, resolve_provider=True))
    def complete(params: lsp.CompletionParams) -> lsp.CompletionList | None:
        if (found := language.at(params)) is None:
            return None
        can = language.can.completion.completion_item if language.can.completion is not None else None
        items = enumerate(completions(found[1]))
        has_templates = bool(can and can.snippet_support)
        document = found[0]
        return lsp.CompletionList(
            is_incomplete=False, items=[_item(document, each, number, has_templates=has_templates) for number, each in items]
        )

    @editor.feature(lsp.COMPLETION_ITEM_RESOLVE)
    def resolve(item: lsp.CompletionItem) -> lsp.CompletionItem:
        if isinstance(item.data, list | tuple) and len(item.data) == 3 and item.data[1] in get_args(SymbolKind):  # noqa: PLR2004  as it is made below
            document = language.document(str(item.data[0]))
            symbol = Symbol(item.data[1], str(item.data[2]))
            if document is not None and (card := card_of(document.spec, symbol, document.shelf.notes)) is not None:
                can = language.can.completion.completion_item if language.can.completion is not None else None
                is_markdown = lsp.MarkupKind.Markdown in ((can and can.documentation_format) or ())
                item.documentation = lsp.MarkupContent(lsp.MarkupKind.Markdown, markdown(card)) if is_markdown else plain(card)
        return item


def _item(document: Document, offered: Completion, number: int, *, has_templates: bool) -> lsp.CompletionItem:
    is_snippet = offered.is_template and has_templates
    text = filled(offered.text) if offered.is_template and not is_snippet else offered.text
    data = [document.uri, offered.symbol.kind, offered.symbol.id] if offered.symbol is not None else None
    return lsp.CompletionItem(
        label=offered.label,
        detail=offered.detail or None,
        kind=_KINDS[offered.kind],
        sort_text=f"{number:04}",
        # What stands in a box is to be replaced whatever it is, and a client would look for it in the label.
        filter_text=_standing(document, offered) if offered.kind in {"state", "number"} else None,
        insert_text_format=lsp.InsertTextFormat.Snippet if is_snippet else lsp.InsertTextFormat.PlainText,
        text_edit=lsp.TextEdit(range=document.text.span(offered.replaces), new_text=text),
        data=data,
    )


def _standing(document: Document, offered: Completion) -> str:
    lines = document.spec.lines(document.name)
    span = offered.replaces
    return lines[span.line - 1].text[span.start : span.end] or offered.label if span.line <= len(lines) else offered.label
