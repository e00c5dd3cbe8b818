"""The daemon's own methods, `specthread/…`, spoken inside the language server protocol by clients that have faces of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pygls.exceptions import JsonRpcException

from specthread.protocol import wire
from specthread.protocol.call import call
from specthread.protocol.convert import refusal_view
from specthread.protocol.lsp.session import Session
from specthread.protocol.port import Fault


def install(session: Session) -> None:
    """Registers every method of the wire, carried out as for every other client."""
    for method in wire.METHODS:
        session.editor.feature(method)(_handler(session, method))


def _handler(session: Session, method: str) -> Callable[[Any], Awaitable[dict[str, Any]]]:
    async def handle(message: Any) -> dict[str, Any]:  # noqa: ANN401  whatever the client sent
        answer = await call(session.ports, session, method, message, clients=session.clients())
        if isinstance(answer, Fault):
            refusal = answer.refusal
            raise JsonRpcException(refusal.message, answer.code, refusal_view(refusal).model_dump())
        return answer.model_dump(mode="json")

    return handle
