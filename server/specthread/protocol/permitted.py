"""What a client may ask for, by who it says it is: programs that agents use read, create, note and ask, and nothing that needs a person.

The list of an agent's tools is no boundary, since whoever writes to the socket needs none; so each request is looked at here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from specthread.domain.model import Refusal, SpecTask
from specthread.protocol import wire
from specthread.protocol.call import call
from specthread.protocol.find import find_target
from specthread.protocol.port import Fault, Ports
from specthread.protocol.request import Following
from specthread.protocol.wire_base import Wire

Call = Callable[..., Awaitable[Wire | Fault]]
"""Carries out one request, as `call.call` does."""

MCP_METHODS = frozenset(
    f"specthread/{verb}"
    for verb in (
        "new", "list", "show", "watch", "report", "trace", "cost", "history", "transcript", "review", "comment", "sessions",
        "note", "ask", "spawn", "versions", "diff",
    )
)  # fmt: skip
"""What a client of role `mcp` may ask for: what reads, what begins a spec, and what a person reads before anything comes of it."""


async def call_as_mcp(ports: Ports, client: Following, method: str, params: Any, *, clients: int) -> Wire | Fault:  # noqa: ANN401  whatever the client sent
    """Carries out a request of an MCP client; never raises but where it is cancelled."""
    refusal = not_for_mcp(ports, method, params if isinstance(params, dict) else {})
    if refusal:
        return Fault(code=wire.REFUSED, refusal=refusal)
    return await call(ports, client, method, params, clients=clients)


def not_for_mcp(ports: Ports, method: str, given: dict[str, Any]) -> Refusal | None:
    """Returns why an MCP client may not ask for this, or None; an unknown method is somebody else's answer."""
    if method in wire.METHODS and method not in MCP_METHODS:
        return _needs_a_person(f"An MCP client may not {method.removeprefix('specthread/')}: it needs a person.")
    ahead = [name for name in ("execute", "advance") if given.get(name, False) is not False]
    if method == "specthread/new" and ahead:
        return _needs_a_person(f"An MCP client may not agree to work ahead (`{ahead[0]}`): a person approves the spec and starts it.")
    if method == "specthread/new" and given.get("limits") is not None:
        return _needs_a_person("An MCP client may not choose what is spent (`limits`): a person does.")
    return _not_begun(ports, given) if method == "specthread/spawn" else None


def _not_begun(ports: Ports, given: dict[str, Any]) -> Refusal | None:
    """Refuses to spawn where nobody has let work begin: the first session would spend what no person has agreed to spend."""
    found = find_target(ports.engine.visible, str(given.get("target", "")))
    if isinstance(found, SpecTask) and found.state not in {"implementing", "implementation_review"}:
        return _needs_a_person(f"Nothing of {found.id} runs yet: a person approves it and starts it, then sessions can be spawned.")
    return None


def _needs_a_person(message: str) -> Refusal:
    return Refusal(
        code="human-only", message=message, hint="Ask the person to do it in an editor or with `specthread` on the command line."
    )
