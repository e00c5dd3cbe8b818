"""What every request handler is given, and what all of them do: find a SpecTask, submit a command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from specthread.domain import commands as c
from specthread.domain.events import CallLost
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.protocol import convert, wire_result
from specthread.protocol.find import find_spectask
from specthread.protocol.port import Accepted, Fault, Ports
from specthread.protocol.sentences import sentence
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_view import SpecTaskView


class Following(Protocol):
    """The connection a request came in on."""

    @property
    def name(self) -> str:
        """The client, for logs."""

    @property
    def cwd(self) -> str:
        """The folder the client was started in."""

    async def actor(self, folder: str) -> Actor:
        """Returns the human behind it, as known to the repository around a folder."""

    def follow(self, since: int, spectask: SpecTaskId | None) -> None:
        """Sends events after `since` once this request is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a handler may use beside its params; `clients` counts the connections."""

    ports: Ports
    client: Following
    clients: int

    async def view(self, spectask: SpecTaskId) -> SpecTaskView:
        """Returns the present page of a SpecTask."""
        desk = await self.ports.desk_of(spectask)
        target = await self.ports.target_of(self.ports.engine.visible.spectasks[spectask])
        cautions = await self.ports.cautions_of(self.ports.engine.visible.spectasks[spectask])
        state = self.ports.engine.visible
        found = state.spectasks[spectask]
        now, crowd = self.ports.clock(), self.ports.engine.crowd
        secrets = self.ports.secrets
        return convert.spectask_view(state, found, desk=desk, target=target, cautions=cautions, now=now, crowd=crowd, secrets=secrets)

    async def change(self, command: c.Command, key: str) -> wire_result.Done | Refusal:
        """Submits a command in the name of the human and returns what it did."""
        answer = await self.submit(command, key)
        return answer if isinstance(answer, Refusal) else self.done(command.spectask, answer)

    async def submit(self, command: c.Command, key: str) -> Accepted | Refusal:
        """Submits a command in the name of the human."""
        known = self.ports.engine.visible.spectasks.get(command.spectask)
        actor = await self.client.actor(known.repository if known else self.client.cwd)
        return await self.ports.engine.submit(c.Submission(command=command, actor=actor, key=key))

    def done(self, spectask: SpecTaskId, answer: Accepted) -> wire_result.Done:
        """Returns what a command did, told by its first event that is news."""
        news = [envelope.event for envelope in answer.envelopes if not isinstance(envelope.event, CallLost)]
        text = sentence(news[0]) if news else "Nothing had to change."
        return wire_result.Done(spectask=spectask, seq=answer.seq or self.ports.engine.visible.sequence, text=text)


Answer = Wire | Refusal | Fault
Handler = Callable[[Request, Any], Awaitable[Answer]]


def named_spectask(request: Request, text: str) -> SpecTask | Refusal:
    """Returns the SpecTask a person named."""
    return find_spectask(request.ports.engine.visible, text)
