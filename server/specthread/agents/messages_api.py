"""A model behind the Messages API, over the official client; the only file that knows that client.

The client is told not to retry: retries are the loop's, where they are journalled. Every way a call can go wrong becomes a `ModelError`,
the quietest one included: a stream that ends without `message_stop` looks like a complete message to the client.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from specthread.agents.allowance import exhausted_for, retry_after
from specthread.agents.backend import Block, ErrorKind, Message, ModelError, ModelRequest, Reply, Text, Thinking, ToolResult, ToolUse, Usage
from specthread.domain.text import sound, sound_text

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message as WireMessage

BYTES_PER_TOKEN = 4
NO_KEY = "none"
NO_CREDENTIALS = (
    "No API key was found. Set ANTHROPIC_API_KEY, or name a local server that speaks the Messages API, or use an agent over ACP, "
    "or run `specthread demo`, which needs none of them."
)
_KINDS: dict[str, ErrorKind] = {
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "authentication_error": "auth",
    "permission_error": "auth",
    "request_too_large": "too_long",
    "invalid_request_error": "bad_request",
    "not_found_error": "bad_request",
}
_KINDS_BY_STATUS: dict[int, ErrorKind] = {401: "auth", 403: "auth", 413: "too_long", 429: "rate_limited", 529: "overloaded"}


def credentials_present() -> bool:
    """Tells, without loading the client, whether it would find credentials in the environment or in a profile."""
    if any(os.environ.get(f"ANTHROPIC_{name}") for name in ("API_KEY", "AUTH_TOKEN", "PROFILE", "FEDERATION_RULE_ID")):
        return True
    folder = os.environ.get("ANTHROPIC_CONFIG_DIR")
    profiles = Path(folder) if folder else Path.home() / ".config" / "anthropic"
    return (profiles / "active_config").exists() or (profiles / "configs").is_dir()


@dataclass(slots=True, kw_only=True)
class MessagesApiModel:
    """Is any model that speaks the Messages API, at the vendor's or at a compatible `base_url`; timeouts are in seconds.

    Without an `api_key` the client looks for credentials as its users expect: environment, then profile. A server named by its `base_url`
    is also asked without any. `exhausted` hears for how many seconds nothing is left of an allowance, where an answer says so.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    exhausted: Callable[[float], None] = field(default=lambda _: None, repr=False)
    name: ClassVar[str] = "messages-api"
    _client: "anthropic.AsyncAnthropic | None" = field(default=None, init=False, repr=False)

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Makes one call; raises `ModelError`."""
        client = await self._connected()
        from anthropic.lib.streaming import TextEvent  # noqa: PLC0415  loaded by now

        call = _Call()
        with _faults(call):
            async with client.messages.stream(**wire_from_request(request)) as stream:
                call.request_id = stream.request_id or ""
                if seconds := exhausted_for(stream.response.headers, datetime.now(UTC)):
                    self.exhausted(seconds)
                async for event in stream:
                    call.see(event)
                    if isinstance(event, TextEvent):
                        on_text(event.text)
                message = stream.current_message_snapshot if call.started else None
        if message is None or not call.stopped or message.stop_reason is None:
            raise ModelError("no_stop", "The reply ended before the model had finished it.", retryable=True, usage=call.usage())
        return _reply_from_wire(message, call.request_id)

    async def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        if self._client:
            client, self._client = self._client, None
            await client.close()

    async def _connected(self) -> "anthropic.AsyncAnthropic":
        if self._client is None:
            # The first import takes a second of processor time; from a thread it does not keep the daemon from answering.
            client = await asyncio.to_thread(self._connect)
            self._client = self._client or client
        return self._client

    def _connect(self) -> "anthropic.AsyncAnthropic":
        import anthropic  # noqa: PLC0415  a second and 77 MB that only a real call may cost
        import httpx2  # noqa: PLC0415  comes with it

        timeout = httpx2.Timeout(self.read_timeout, connect=self.connect_timeout)
        try:
            client = anthropic.AsyncAnthropic(api_key=self.api_key, base_url=self.base_url, timeout=timeout, max_retries=0)
        except anthropic.AnthropicError as error:
            raise ModelError("auth", f"The credentials cannot be used: {str(error).rstrip('.')}.", retryable=False) from error
        if client.api_key is not None or client.auth_token is not None or client.credentials is not None:
            return client
        if self.base_url is None and "ANTHROPIC_BASE_URL" not in os.environ:
            raise ModelError("auth", NO_CREDENTIALS, retryable=False)
        # A local server wants no key, but the client wants one; a server that does want one will say so.
        return client.copy(api_key=NO_KEY)


@dataclass(slots=True)
class _Call:
    """Is what has been seen of a stream so far; enough to say what a broken call has cost."""

    started: bool = False
    stopped: bool = False
    request_id: str = ""
    received: int = 0
    known: Usage = field(default_factory=Usage)

    def see(self, event: Any) -> None:  # noqa: ANN401  the client's events are a union of dozens of classes
        match event.type:
            case "message_start":
                self.started = True
                self.known = _usage_from_wire(event.message.usage)
            case "message_stop":
                self.stopped = True
            case "text":
                self.received += len(event.text.encode(errors="replace"))
            case "thinking":
                self.received += len(event.thinking.encode(errors="replace"))
            case "input_json":
                self.received += len(event.partial_json.encode(errors="replace"))

    def usage(self) -> Usage | None:
        """Returns what the call has cost so far, its output estimated from what arrived; None if nothing did."""
        if not self.started:
            return None
        output = max(self.known.output, -(-self.received // BYTES_PER_TOKEN))
        known = self.known
        return Usage(input=known.input, output=output, cache_read=known.cache_read, cache_write=known.cache_write, estimated=True)


@contextmanager
def _faults(call: _Call) -> Iterator[None]:
    """Turns every fault of the client and the connection into a `ModelError`; classes are unreliable here, error types are not."""
    import anthropic  # noqa: PLC0415  loaded already
    import httpx2  # noqa: PLC0415  loaded already

    try:
        yield
    except anthropic.APIStatusError as error:
        raise _error_from_status(error, call.usage()) from error
    except anthropic.APIConnectionError as error:
        raise _error_of_connection(error, call.usage()) from error
    except httpx2.TimeoutException as error:
        raise ModelError("stall", "The model server stopped answering.", retryable=True, usage=call.usage()) from error
    except httpx2.TransportError as error:
        message = "The connection to the model broke in the middle of the reply."
        raise ModelError("cut", message, retryable=True, usage=call.usage()) from error
    except anthropic.AnthropicError as error:
        raise ModelError("auth", f"The credentials cannot be used: {str(error).rstrip('.')}.", retryable=False) from error
    except (ValueError, AssertionError) as error:
        # Events that are not JSON, or come in an impossible order: the client lets its parser's errors through.
        raise ModelError("server", f"The model server sent something unreadable: {error}.", retryable=True, usage=call.usage()) from error


def _error_of_connection(error: "anthropic.APIConnectionError", usage: Usage | None) -> ModelError:
    """Returns what a call without an answer was; only one that never reached the server is known to have cost nothing."""
    import anthropic  # noqa: PLC0415  loaded already
    import httpx2  # noqa: PLC0415  loaded already

    if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
        reason = str(error.__cause__).rstrip(".") or "it did not answer in time"
        return ModelError("connection", f"The model server cannot be reached: {reason}.", retryable=True)
    if isinstance(error, anthropic.APITimeoutError):
        return ModelError("stall", "The model server stopped answering.", retryable=True, usage=usage)
    return ModelError("cut", "The connection to the model broke before the reply began.", retryable=True, usage=usage)


def _error_from_status(error: "anthropic.APIStatusError", usage: Usage | None) -> ModelError:
    # An error in the middle of a stream has status 200; only its type tells what it is.
    kind = _KINDS.get(error.type or "") or _KINDS_BY_STATUS.get(error.status_code)
    if kind is None:
        kind = "server" if _is_server(error.status_code) else "bad_request"
    said = _said(error)
    if kind == "auth":
        message = (
            f"The Messages API refused the key (HTTP {error.status_code}: {said}). Set a valid ANTHROPIC_API_KEY and restart the daemon with "
            "`specthread daemon stop`."
        )
        return ModelError("auth", message, retryable=False, usage=usage)
    if kind == "bad_request" and "too long" in said.lower():
        kind = "too_long"
    retryable = kind in {"rate_limited", "overloaded", "server"}
    if (wish := error.response.headers.get("x-should-retry")) is not None:
        retryable = wish == "true"
    request = f", request {error.request_id}" if error.request_id else ""
    advice = _ADVICE.get(error.status_code, "")
    message = f"The Messages API answered HTTP {error.status_code}{request}: {said}.{advice}"
    wait = retry_after(error.response.headers, datetime.now(UTC))
    return ModelError(kind, message, retryable=retryable, retry_after=wait, usage=usage)


_ADVICE = {404: " Check `base_url` and the model's name in your settings.", 429: " Wait, or ask your provider for a higher limit."}


def _said(error: "anthropic.APIStatusError") -> str:
    """Returns what the server itself said, where its answer has the form of the API's errors."""
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    text = inner.get("message") if isinstance(inner, dict) else None
    return " ".join(str(text or error.message).split())[:300].rstrip(".")


def _is_server(status: int) -> bool:
    return status >= 500 or status in {200, 408, 409}  # noqa: PLR2004  HTTP: server's fault, or "try again"


def wire_from_request(request: ModelRequest) -> dict[str, Any]:
    """Returns the arguments of the client's `messages.stream` for a request."""
    wire: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "system": sound_text(request.system),
        "messages": [_wire_from_message(message) for message in request.messages],
        "cache_control": {"type": "ephemeral"},
    }
    if request.tools:
        wire["tools"] = [{"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in request.tools]
    if request.effort:
        wire["output_config"] = {"effort": request.effort}
    return wire


def _wire_from_message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": [sound(wire_from_block(block)) for block in message.content]}


def wire_from_block(block: Block) -> dict[str, Any]:
    """Returns a content block as the API wants it."""
    match block:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Thinking(signature=data, redacted=True):
            return {"type": "redacted_thinking", "data": data}
        case Thinking(text=text, signature=signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case ToolUse(id=id_, name=name, input=input_):
            return {"type": "tool_use", "id": id_, "name": name, "input": input_}
        case ToolResult(tool_use_id=id_, content=content, is_error=is_error):
            return {"type": "tool_result", "tool_use_id": id_, "content": content or "(empty)", "is_error": is_error}


def block_from_wire(block: Any) -> Block:  # noqa: ANN401  a union of the client's classes
    """Returns a content block of a reply; raises `ModelError` for kinds nobody asked for."""
    match block.type:
        case "text":
            return Text(text=sound_text(block.text))
        case "thinking":
            return Thinking(text=sound_text(block.thinking), signature=sound_text(block.signature))
        case "redacted_thinking":
            return Thinking(text="", signature=block.data, redacted=True)
        case "tool_use":
            return ToolUse(id=sound_text(block.id), name=sound_text(block.name), input=sound(dict(block.input)))
        case other:
            raise ModelError("server", f"The model server sent a kind of content that was not asked for: {other}.", retryable=False)


def _reply_from_wire(message: "WireMessage", request_id: str) -> Reply:
    return Reply(
        content=tuple(block_from_wire(block) for block in message.content),
        stop_reason=str(message.stop_reason),
        usage=_usage_from_wire(message.usage),
        request_id=request_id,
        model=message.model,
    )


def _usage_from_wire(usage: Any) -> Usage:  # noqa: ANN401  compatible servers leave fields out, whatever the class says
    return Usage(
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write=usage.cache_creation_input_tokens or 0,
    )
