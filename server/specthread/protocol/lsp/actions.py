"""Everything that is offered at a place, in one list: the features that have offers are asked one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from lsprotocol import types as lsp

from specthread.protocol.lsp.session import Session

FIX_ALL = "source.fixAll.specthread"
Offering = Callable[[Session, lsp.CodeActionParams], Awaitable[list[lsp.CodeAction]]]

_KINDS: list[lsp.CodeActionKind | str] = [
    lsp.CodeActionKind.QuickFix,
    lsp.CodeActionKind.RefactorRewrite,
    lsp.CodeActionKind.SourceFixAll,
    FIX_ALL,
    lsp.CodeActionKind.Empty,
]


def install(session: Session, offerings: Sequence[Offering]) -> None:
    """Registers the actions of these features."""

    @session.editor.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=_KINDS, resolve_provider=False))
    async def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        found = [action for offering in offerings for action in await offering(session, params)]
        return [action for action in found if _is_wanted(str(action.kind and _word(action.kind)), params.context.only)]


def _is_wanted(kind: str, only: Sequence[lsp.CodeActionKind | str] | None) -> bool:
    """Whether a kind, or one it belongs to, was asked for; what mends a whole document is only given to whoever asks for it."""
    if not only:
        return not kind.startswith("source")
    return any(not asked or kind == asked or kind.startswith(f"{asked}.") for asked in map(_word, only))


def _word(kind: lsp.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, lsp.CodeActionKind) else kind
