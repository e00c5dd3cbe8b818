"""One request of a client, whichever wire it came over: checked, carried out, and answered exactly once with a result or a fault."""

from __future__ import annotations

from typing import Any

import structlog
from pydantic import ValidationError

from specthread.domain.model import Refusal
from specthread.protocol import wire
from specthread.protocol.complaint import complaint
from specthread.protocol.methods import HANDLERS
from specthread.protocol.port import Fault, Ports
from specthread.protocol.request import Answer, Following, Request
from specthread.protocol.wire_base import Wire

_OUTSIDE = frozenset({"store-unavailable", "no-key", "no-sandbox"})
_log = structlog.get_logger(__name__)


async def call(ports: Ports, client: Following, method: str, params: Any, *, clients: int) -> Wire | Fault:  # noqa: ANN401  whatever the client sent
    """Carries out the method `specthread/…` with params as they came; never raises but where it is cancelled."""
    if method not in HANDLERS:
        refusal = Refusal(code="unknown-method", message=f"There is no method {method}.", hint="The methods are those of wire.METHODS.")
        return Fault(code=wire.UNKNOWN_METHOD, refusal=refusal)
    try:
        checked = wire.METHODS[method][0].model_validate({} if params is None else params)
    except ValidationError as error:
        return Fault(code=wire.BAD_PARAMS, refusal=complaint(method, error))
    try:
        return _told(await HANDLERS[method](Request(ports=ports, client=client, clients=clients), checked))
    except Exception as error:  # noqa: BLE001  the request edge: a bug is logged and answered, and the connection goes on
        return explained(ports, method, error, client.name)


def explained(ports: Ports, method: str, error: Exception, client: str) -> Fault:
    """Returns what an exception means to the person who asked; a bug is logged with its traceback."""
    fault = ports.fault_of(error)
    if fault is None:
        _log.exception("request failed", method=method, client=client, exc_info=error)
        hint = "The daemon's log has the details: `specthread daemon logs`."
        message = f"{method} failed because of a mistake in the daemon; nothing was changed by it."
        return Fault(code=wire.INTERNAL_ERROR, refusal=Refusal(code="internal", message=message, hint=hint))
    _log.info("outside failed", method=method, client=client, code=fault.refusal.code, error=str(error))
    return fault


def _told(answer: Answer) -> Wire | Fault:
    """Returns a refusal as a fault; what the disk, a missing key or a missing sandbox prevents is not the person's fault."""
    if not isinstance(answer, Refusal):
        return answer
    return Fault(code=wire.OUTSIDE_FAILED if answer.code in _OUTSIDE else wire.REFUSED, refusal=answer)
