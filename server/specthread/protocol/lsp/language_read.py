"""Hover, definition, references, highlights, and tasks as a hierarchy of calls."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from specthread.protocol.lsp import markers
from specthread.protocol.lsp.language_place import Document, Language
from specthread.spec.tasks import Task
from specthread.views.assist.calls import Call, incoming, outgoing, prepared
from specthread.views.assist.card import markdown, plain
from specthread.views.assist.explained import STATES
from specthread.views.assist.hover import hover
from specthread.views.assist.index import touched
from specthread.views.assist.navigate import definitions, highlights, references


def install(language: Language) -> None:
    """Registers the features."""
    _install_hover(language)
    _install_places(language)
    _install_calls(language)


def _install_hover(language: Language) -> None:
    @language.editor.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def tell(params: lsp.HoverParams) -> lsp.Hover | None:
        if (found := language.at(params)) is None:
            return await markers.hover(language.session, params)
        document, cursor = found
        about = hover(cursor, document.shelf.notes)
        if about is None:
            return None
        formats = (language.can.hover and language.can.hover.content_format) or ()
        is_markdown = lsp.MarkupKind.Markdown in formats
        words = "\n\n---\n\n".join(map(markdown, about.cards)) if is_markdown else "\n\n".join(map(plain, about.cards))
        kind = lsp.MarkupKind.Markdown if is_markdown else lsp.MarkupKind.PlainText
        return lsp.Hover(contents=lsp.MarkupContent(kind=kind, value=words), range=document.text.span(about.span))


def _install_places(language: Language) -> None:
    editor = language.editor

    @editor.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: lsp.DefinitionParams) -> Sequence[lsp.Location] | Sequence[lsp.LocationLink] | None:
        found = _defined(language, params, language.can.definition)
        return await markers.definition(language.session, params) if found is None else found

    @editor.feature(lsp.TEXT_DOCUMENT_DECLARATION)
    def declaration(params: lsp.DeclarationParams) -> Sequence[lsp.Location] | Sequence[lsp.LocationLink] | None:
        return _defined(language, params, language.can.declaration)

    @editor.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    async def refer(params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        if (found := language.at(params)) is None:
            return await markers.references(language.session, params)
        wanted = [each for each in references(found[1]) if params.context.include_declaration or not each.is_definition]
        places = language.locations(found[0].shelf, wanted)
        symbols = dict.fromkeys(each.symbol for each in touched(found[1]))
        return places + await markers.mentions(language.session, found[0].shelf.folder, symbols)

    @editor.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight] | None:
        if (found := language.at(params)) is None:
            return None
        kinds = {True: lsp.DocumentHighlightKind.Write, False: lsp.DocumentHighlightKind.Read}
        text = found[0].text
        return [lsp.DocumentHighlight(range=text.span(each.span), kind=kinds[each.is_definition]) for each in highlights(found[1])]


def _defined(
    language: Language,
    params: lsp.DefinitionParams | lsp.DeclarationParams,
    can: lsp.DefinitionClientCapabilities | lsp.DeclarationClientCapabilities | None,
) -> list[lsp.Location] | list[lsp.LocationLink] | None:
    if (found := language.at(params)) is None:
        return None
    document, cursor = found
    places = language.locations(document.shelf, definitions(cursor))
    if can is None or not can.link_support:
        return places
    about = touched(cursor)
    origin = document.text.span(about[0].span) if about else None
    return [
        lsp.LocationLink(target_uri=each.uri, target_range=each.range, target_selection_range=each.range, origin_selection_range=origin)
        for each in places
    ]


# --- tasks that wait for each other -----------------------------------------------------------------------------------------------


def _install_calls(language: Language) -> None:
    editor = language.editor

    @editor.feature(lsp.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    def prepare(params: lsp.CallHierarchyPrepareParams) -> list[lsp.CallHierarchyItem] | None:
        if (found := language.at(params)) is None:
            return None
        return [_item(language, found[0], task) for task in prepared(found[1])] or None

    @editor.feature(lsp.CALL_HIERARCHY_INCOMING_CALLS)
    def who_waits(params: lsp.CallHierarchyIncomingCallsParams) -> list[lsp.CallHierarchyIncomingCall] | None:
        if (document := language.document(params.item.uri)) is None:
            return None
        calls = incoming(document.spec, _number(params.item))
        return [
            lsp.CallHierarchyIncomingCall(from_=_item(language, document, each.task), from_ranges=_ranges(document, each)) for each in calls
        ]

    @editor.feature(lsp.CALL_HIERARCHY_OUTGOING_CALLS)
    def waits_for(params: lsp.CallHierarchyOutgoingCallsParams) -> list[lsp.CallHierarchyOutgoingCall] | None:
        if (document := language.document(params.item.uri)) is None:
            return None
        calls = outgoing(document.spec, _number(params.item))
        return [
            lsp.CallHierarchyOutgoingCall(to=_item(language, document, each.task), from_ranges=_ranges(document, each)) for each in calls
        ]


def _item(language: Language, document: Document, task: Task) -> lsp.CallHierarchyItem:
    name = document.spec.spec.tasks_name or document.name
    around = language.on_shelf(document.shelf, name)
    return lsp.CallHierarchyItem(
        name=f"{task.id} {task.title}",
        kind=lsp.SymbolKind.Function,
        uri=around.uri,
        range=around.lines(task.line, task.last),
        selection_range=around.text.span(task.id_span),
        detail=document.shelf.notes.get(task.id) or STATES[task.state],
        data=task.id,
    )


def _number(item: lsp.CallHierarchyItem) -> str:
    # Some clients lose what they were given to keep; the name begins with the number.
    return item.data if isinstance(item.data, str) else item.name.partition(" ")[0]


def _ranges(document: Document, call: Call) -> list[lsp.Range]:
    return [document.text.span(place) for place in call.places]
