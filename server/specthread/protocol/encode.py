"""Messages as JSON-RPC 2.0 bodies; each protocol puts its own frame around them."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticSerializationError

from specthread.domain.events import Envelope
from specthread.domain.model import Refusal
from specthread.protocol.convert import event_view, refusal_view
from specthread.protocol.wire_base import Wire

_KEPT = 64


def encoded(message: Wire) -> bytes:
    """Returns a message as JSON in UTF-8."""
    try:
        return message.model_dump_json().encode()
    except PydanticSerializationError:
        # Models and people now and then send half a character, which UTF-8 cannot say.
        return json.dumps(message.model_dump(mode="json"), ensure_ascii=False).encode("utf-8", "replace")


def result(identifier: Any, message: Wire) -> bytes:  # noqa: ANN401  JSON-RPC ids are text, numbers or null
    """Returns the answer to a request."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (_json(identifier), encoded(message))


def notification(method: str, message: Wire) -> bytes:
    """Returns something said unasked."""
    return b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (_json(method), encoded(message))


def error(identifier: Any, code: int, refusal: Refusal) -> bytes:  # noqa: ANN401  the same
    """Returns why a request was not carried out."""
    told = {"code": code, "message": refusal.message, "data": refusal_view(refusal).model_dump()}
    return _json({"jsonrpc": "2.0", "id": identifier, "error": told})


def _json(value: Any) -> bytes:  # noqa: ANN401  anything JSON can say
    return json.dumps(value).encode()


class EventBodies:
    """The last events as notifications; each is made once for all clients."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = secrets
        self._made: OrderedDict[int, bytes] = OrderedDict()

    def body(self, envelope: Envelope) -> bytes:
        """Returns the notification of an event."""
        made = self._made.get(envelope.seq)
        if made is None:
            made = self._made[envelope.seq] = notification("specthread/event", event_view(envelope, self._secrets))
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made
