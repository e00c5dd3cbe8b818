"""What can be asked through the door of a session: that session's own SpecTask is read, notes and questions are the session's, and its tools are used. Nothing else.

Who comes in is known by the door, so neither the role nor the id that a request names is believed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError

from specthread.domain.family import short
from specthread.domain.model import Actor, Refusal
from specthread.engine.doors import Insider
from specthread.protocol import wire, wire_door
from specthread.protocol.call import call, explained
from specthread.protocol.complaint import complaint
from specthread.protocol.port import Fault, Ports
from specthread.protocol.request import Following
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_note import AskResult
from specthread.protocol.wire_params import NoParams

READ = frozenset(f"specthread/{verb}" for verb in ("show", "review", "trace", "report", "watch", "note"))
"""What is carried out as for everybody, about the session's own SpecTask and in its name."""


class BoundVisitor:
    """Who comes through a door: the session, whatever it calls itself."""

    def __init__(self, insider: Insider, client: str) -> None:
        self.name = f"{insider.run} through its door, {client}"
        self.cwd = "/"
        self._actor = Actor(kind="session", name=insider.run)

    async def actor(self, folder: str) -> Actor:  # noqa: ARG002  a session is the same everywhere
        """Returns the session."""
        return self._actor


class BoundCalls:
    """Carries out what comes through one door."""

    def __init__(self, insider: Insider) -> None:
        self._insider = insider
        self._own: dict[str, tuple[type[Wire], Callable[[Any], Awaitable[Wire | Refusal]]]] = {
            "specthread/tools": (NoParams, self._tools),
            "specthread/use": (wire_door.UseParams, self._use),
            "specthread/ask": (wire_door.DoorAskParams, self._ask),
        }

    async def call(self, ports: Ports, client: Following, method: str, params: Any, *, clients: int) -> Wire | Fault:  # noqa: ANN401  whatever the client sent
        """Carries out one request; never raises but where it is cancelled."""
        given: dict[str, Any] = dict(params) if isinstance(params, dict) else {}
        if method not in READ and method not in self._own:
            return _refused("not-through-the-door", f"{method} is nothing that {self._name} may ask for.")
        named = given.get("id") or self._insider.spectask
        if not (isinstance(named, str) and self._insider.spectask.startswith(named)):
            return _refused("other-spectask", f"This is the door of {self._name}: nothing else is read or changed through it.")
        if method in READ:
            return await call(ports, client, method, given | {"id": self._insider.spectask}, clients=clients)
        model, own = self._own[method]
        try:
            answer = await own(model.model_validate(given))
        except ValidationError as error:
            return Fault(code=wire.BAD_PARAMS, refusal=complaint(method, error))
        except Exception as error:  # noqa: BLE001  the request edge, as in `call`
            return explained(ports, method, error, client.name)
        return Fault(code=wire.REFUSED, refusal=answer) if isinstance(answer, Refusal) else answer

    @property
    def _name(self) -> str:
        return f"{short(self._insider.run)} of {self._insider.spectask}"

    async def _tools(self, _: NoParams) -> Wire:
        tools = [wire_door.ToolView(name=each.name, description=each.description, input_schema=each.schema) for each in self._insider.specs]
        return wire_door.ToolsResult(spectask=self._insider.spectask, run=self._insider.run, tools=tools)

    async def _use(self, params: wire_door.UseParams) -> Wire:
        result = await self._insider.use(params.key, params.name, params.input)
        return wire_door.UseResult(text=result.content, wrong=result.is_error)

    async def _ask(self, params: wire_door.DoorAskParams) -> Wire | Refusal:
        asked = await self._insider.ask(params.question, tuple(params.choices))
        if isinstance(asked, Refusal):
            return asked
        return AskResult(spectask=self._insider.spectask, question=asked[0], answer=asked[1])


def _refused(code: str, message: str) -> Fault:
    hint = "Use the tools you were given; what needs a person, ask for with `ask`."
    return Fault(code=wire.REFUSED, refusal=Refusal(code=code, message=message, hint=hint))
