"""From an editor's command to the daemon's one way of doing things, and back to one sentence."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from specthread.protocol import wire_result
from specthread.protocol.call import call
from specthread.protocol.lsp.session import Session
from specthread.protocol.port import Fault
from specthread.protocol.wire_base import Wire

T = TypeVar("T", bound=Wire)


async def changed(session: Session, verb: str, **params: Any) -> str | Fault:  # noqa: ANN401  checked by the wire's types
    """Changes something once, and returns the sentence about it, or why it was not done."""
    answer = await call(session.ports, session, f"specthread/{verb}", {**params, "key": uuid.uuid4().hex}, clients=session.clients())
    if isinstance(answer, Fault):
        return answer
    if isinstance(answer, wire_result.Done | wire_result.LandResult | wire_result.PrResult):
        return answer.text
    if isinstance(answer, wire_result.NewResult):
        return f"Planning {answer.spectask.id}. You are told when its documents are ready."
    if isinstance(answer, wire_result.RunResult):
        return f"Started {answer.spectask}: {len(answer.waves)} wave{'' if len(answer.waves) == 1 else 's'} of tasks."
    return ""


async def read(session: Session, verb: str, result: type[T], **params: Any) -> T | Fault:  # noqa: ANN401  the same
    """Reads something."""
    answer = await call(session.ports, session, f"specthread/{verb}", params, clients=session.clients())
    assert isinstance(answer, Fault | result)  # noqa: S101  the table of methods says so
    return answer
