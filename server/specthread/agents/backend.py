"""The words agents, models and the engine share: conversations, replies, tools, runs.

Everything here is a value or a port. Values are frozen and go through `msgspec.json` both ways; content blocks are told apart by `kind`.
`Model` is one call to a language model; `Toolbox` is what the model may do; `RunPort` is the engine's side of a running agent;
`AgentBackend` is a whole agent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol, TypeAlias

import msgspec

from specthread.agents.place import Place
from specthread.domain import usage
from specthread.domain.provider import ProviderState

if TYPE_CHECKING:
    from specthread.agents.prices import PriceTable


class Text(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="text"):
    """Is something said, by either side."""

    kind: ClassVar[Literal["text"]] = "text"
    text: str


class Thinking(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="thinking"):
    """Is reasoning of the model, sent back unchanged because its signature covers it.

    A redacted block has no text; its `signature` is the opaque payload.
    """

    kind: ClassVar[Literal["thinking"]] = "thinking"
    text: str
    signature: str
    redacted: bool = False


class ToolUse(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tool_use"):
    """Is the model's wish to use a tool; `id` is unique within a run."""

    kind: ClassVar[Literal["tool_use"]] = "tool_use"
    id: str
    name: str
    input: dict[str, Any]


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tool_result"):
    """Is what came of a `ToolUse`, in words for the model; `changed` tells whether files are not as before, where that is known, and is not for the model."""

    kind: ClassVar[Literal["tool_result"]] = "tool_result"
    tool_use_id: str
    content: str
    is_error: bool = False
    changed: bool | msgspec.UnsetType = msgspec.UNSET


Block: TypeAlias = Text | Thinking | ToolUse | ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Is one side's turn in a conversation."""

    role: Literal["user", "assistant"]
    content: tuple[Block, ...]


Usage: TypeAlias = usage.Usage
"""Is what a call used: a word of the domain, because events tell it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Is a complete answer of a model; a cut one is a `ModelError`.

    One that is `cached` was remembered: no call was made, and it cost nothing. `refusal` says why the model refused, as far as its server tells.
    """

    content: tuple[Block, ...]
    stop_reason: str
    usage: Usage
    request_id: str
    model: str
    cached: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """Describes a tool to the model; `schema` is the JSON schema of its input, to which a server that can holds the model where it is `strict`."""

    name: str
    description: str
    schema: dict[str, Any]
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """Is everything one model call depends on; (run, turn, attempt) names the call and never repeats.

    With a `schema` the answer is a value that fits it, which `structured.answer_of` takes out of the reply.
    """

    run: str
    role: str
    turn: int
    attempt: int = 1
    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    max_tokens: int
    effort: str | None = None
    schema: dict[str, Any] | None = None


ErrorKind: TypeAlias = Literal[
    "rate_limited", "overloaded", "cut", "stall", "no_stop", "refused", "too_long", "auth", "forbidden", "not_found", "bad_request", "server",
    "connection",
]  # fmt: skip
"""`not_found` is a model that a server does not have, or an address where no Messages API answers."""
UNBILLED: Final[frozenset[ErrorKind]] = frozenset(
    {"rate_limited", "overloaded", "auth", "forbidden", "not_found", "bad_request", "connection", "too_long", "server"}
)
"""Faults before any token was made, `connection` being one that never came about; nothing is charged where no usage came either."""


class ModelError(Exception):
    """Reports that a model call brought no complete reply; `retry_after` is in seconds, `usage` what it used as far as known.

    `request_id` is the server's name for the call, `model` what was asked; either is empty where nobody has said it. What was not `sent` says nothing of the server.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        usage: Usage | None = None,
        request_id: str = "",
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.usage = usage
        self.request_id = request_id
        self.sent = sent

    def __repr__(self) -> str:
        return f"ModelError({self.kind!r}, {self.message!r}, retryable={self.retryable})"


class RunStopped(Exception):  # noqa: N818  an order from the engine, not an error
    """Tells a running agent to end now: paused, cancelled or out of budget; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Model(Protocol):
    """Answers one request at a time; holds no conversation."""

    @property
    def name(self) -> str:
        """Names the kind of model connection, for records and screens."""
        ...

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Returns the complete reply, passing text on while it streams; raises `ModelError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Is one journalled turn of a run: a reply, what its tools gave, and what others said afterwards.

    `reply` is None when no call of the turn brought one (lost in a crash, or failed); `attempts` counts the calls that were started,
    `overflows` those for which the conversation was too long. In one with `sums_up` the model did not work, but summed up the turns through that one.
    """

    number: int
    reply: Reply | None
    results: tuple[ToolResult, ...] = ()
    follow_up: tuple[str, ...] = ()
    attempts: int = 1
    overflows: int = 0
    sums_up: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Is the work an agent is given, with what it already did.

    `history` is in order, begins at `first_turn` and may end in the middle of a turn; `max_turns` counts from `first_turn`. `context_tokens` is how long the
    conversation may get: our own limit, for cost and quality, or the model's where that is less.
    """

    run: str
    role: str
    system: str
    opening: str
    model: str
    tools: tuple[ToolSpec, ...]
    effort: str | None = None
    max_tokens: int = 16_000
    max_turns: int = 60
    context_tokens: int = 150_000
    first_turn: int = 1
    history: tuple[Turn, ...] = field(default=())
    place: Place | None = None
    """Where a program of its own may run; only agents that are one are given it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Is true where something may be done; else `said` is why not, in words for the agent."""

    given: bool
    said: str = ""

    def __bool__(self) -> bool:
        """Tells whether it was given."""
        return self.given


class RunPort(Protocol):
    """Is the engine as a running agent sees it; every method has journalled durably before it returns.

    Any of the methods may raise `RunStopped`. `ask`, `permit`, `coordinate` and `finish` know a call by its `tool_use_id`: after a restart they are called again
    with the same id and go on where they were.
    """

    async def call_started(self, turn: int, attempt: int, reserve_usd: Decimal | None, sums_up: int = 0) -> None:
        """Opens call (turn, attempt); `reserve_usd` is the most it can cost, None if no price is known. With `sums_up` it asks for a summary through that turn."""
        ...

    async def call_finished(self, turn: int, reply: Reply, cost_usd: Decimal | None) -> None:
        """Closes the open call of a turn with its reply."""
        ...

    async def call_failed(self, turn: int, error: ModelError, cost_usd: Decimal | None) -> None:
        """Closes the open call of a turn without a reply; text streamed for it is void. `cost_usd` prices what is known to be used, None if nothing is."""
        ...

    async def tool_finished(self, turn: int, result: ToolResult) -> None:
        """Records what a tool gave."""
        ...

    def streamed(self, text: str) -> None:
        """Shows text while it arrives; may be lost."""
        ...

    async def follow_ups(self, turn: int) -> tuple[str, ...]:
        """Returns what people and the daemon said to the agent since the last time, recorded as said after `turn`."""
        ...

    async def ask(self, tool_use_id: str, question: str, choices: tuple[str, ...]) -> str:
        """Returns the human's answer; may take hours."""
        ...

    async def permit(
        self,
        tool: str,
        what: str,
        *,
        call: str,
        command: str = "",
        path: str = "",
        others: tuple[str, ...] = (),
        address: str = "",
        network: bool = False,
        sandboxed: bool = True,
    ) -> Permission:
        """Returns whether it may do what the tool use `call` wants, by rules or a person's answer, which may take hours; the run keeps running meanwhile.

        `what` is the whole request in words for the person, and names it exactly: “always here” is remembered under it. A tool use asks for one thing at a time.
        """
        ...

    def awaits_permission(self, tool_use_id: str) -> bool:
        """Tells whether a tool use was cut off while a permission for it was awaited, so that it has not begun."""
        ...

    async def coordinate(self, call: ToolUse) -> ToolResult:
        """Says, spawns or shares something among sessions, or waits for them, which may take hours; a repeated call does nothing twice."""
        ...

    async def finish(self, tool_use_id: str, summary: str) -> str | None:
        """Records the agent's claim that its work is done; returns what is missing, in words for the agent, where it cannot be taken."""
        ...


class Toolbox(Protocol):
    """Is what an agent may do apart from asking and finishing."""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Lists the tools as the model is told of them."""
        ...

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses a tool; what goes wrong is a result with `is_error`, written for the model."""
        ...


EndKind: TypeAlias = Literal["finished", "failed", "stuck", "limit", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """Says how a run ended: `summary` is the agent's own words if it finished, `reason` a sentence otherwise."""

    kind: EndKind
    summary: str = ""
    reason: str = ""
    outside: bool = False
    """The world failed, not the agent: key, network, model server."""


class AgentBackend(Protocol):
    """Is an agent that can be given an assignment."""

    @property
    def name(self) -> str:
        """Names the backend as configuration does: `messages` or `acp:<name>`."""
        ...

    @property
    def prices(self) -> "PriceTable | None":
        """What its calls cost; None where nobody knows."""
        ...

    @property
    def needs_place(self) -> bool:
        """Tells whether it is a program of its own, which must be given a place to run in."""
        ...

    def provider_state(self, now: datetime) -> ProviderState:
        """Returns how the provider behind its calls stands, with times told from `now`; agents that share one return the same."""
        ...

    async def run(self, assignment: Assignment, port: RunPort, toolbox: Toolbox) -> RunEnd:
        """Works until the assignment ends; being cancelled ends it at once and loses nothing journalled."""
        ...
