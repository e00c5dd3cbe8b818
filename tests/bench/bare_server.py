"""The least that pygls can do over standard input and output, as a peer: it answers every code lens request with nothing."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "1")


@server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
def lenses(_: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """Answers with no lens."""
    return []


if __name__ == "__main__":
    server.start_io()
