"""A model behind the Messages API, over the official client; the only file that knows that client.

The client is told not to retry: retries are the loop's, where they are journalled. Every way a call can go wrong becomes a `ModelError`,
the quietest one included: a stream that ends without `message_stop` looks like a complete message to the client.
"""

import asyncio
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, cast

import msgspec

from specthread.agents.allowance import exhausted_for
from specthread.agents.backend import UNBILLED, ErrorKind, ModelError, ModelRequest, Reply, Usage
from specthread.agents.call_faults import Answer, error_from_answer, is_stream, not_a_stream
from specthread.agents.capabilities import Capabilities, Learned, find_out, is_vendors, plus, without
from specthread.agents.catalogue import Listing, ModelFacts, facts_from
from specthread.agents.counting import DOUBT, Counted, TokenCounts, estimated
from specthread.agents.spoken_tools import with_spoken_calls
from specthread.agents.wire_messages import reply_from_wire, usage_from_wire, wire_from_request

if TYPE_CHECKING:
    import anthropic
    import httpx2

BYTES_PER_TOKEN = 4
NO_KEY = "none"
VENDORS_URL = "https://api.anthropic.com"
NO_CREDENTIALS = (
    "No API key was found. Set ANTHROPIC_API_KEY, or name a local server that speaks the Messages API, or use an agent over ACP, "
    "or run `specthread demo`, which needs none of them."
)


class Cloud(NamedTuple):
    """Is another way to the same models: the client's class, the module that it needs, and our extra that brings it."""

    client: str
    needs: str
    title: str


CLOUDS: Final = {
    "bedrock": Cloud("AsyncAnthropicBedrock", "botocore", "Amazon Bedrock"),
    "vertex": Cloud("AsyncAnthropicVertex", "google.auth", "Google Vertex AI"),
}


def missing_extra(cloud: str) -> str:
    """Says what to install for a cloud, or nothing where it is there; nothing is loaded for that."""
    try:
        there = importlib.util.find_spec(CLOUDS[cloud].needs) is not None
    except ModuleNotFoundError:  # not even the package around it
        there = False
    return (
        "" if there else f"{CLOUDS[cloud].title} needs more than Specthread brings: install `specthread[{cloud}]`, then restart the daemon."
    )


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
    Without `tools`, models are spoken to as if they had none, whatever their server takes.
    In a `cloud` of CLOUDS, the cloud's own credentials and region count, as its users have them in files and environment.
    With `probes`, a server that is not the vendor's is asked once for each model what it takes, which `learned` remembers.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    exhausted: Callable[[float], None] = field(default=lambda _: None, repr=False)
    learned: Learned = field(default_factory=Learned, repr=False)
    probes: bool = False
    cloud: str = ""
    tools: bool = True
    name: ClassVar[str] = "messages-api"
    _client: "anthropic.AsyncAnthropic | None" = field(default=None, init=False, repr=False)
    _counts: TokenCounts = field(default_factory=TokenCounts, init=False, repr=False)

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Makes one call, after finding out what its server takes; raises `ModelError`. What finding out has used counts as used by the call."""
        client = await self._connected()
        url = str(client.base_url)
        spent = Usage()

        async def finding() -> Capabilities:
            nonlocal spent
            found, spent = await find_out(self._call, request.model)
            return await self._with_facts(found, request.model)

        can = await self.learned.of(url, request.model, finding if self.probes and not is_vendors(url) else None)
        try:
            reply = await self._sent(request, can, on_text, url)
        except ModelError as error:
            # Where nobody knows what the call itself used, its reservation stays charged, which is more.
            if spent != Usage() and (error.usage is not None or error.kind in UNBILLED):
                error.usage = plus(error.usage or Usage(), spent)
            raise
        return replace(reply, usage=plus(reply.usage, spent))

    async def _sent(self, request: ModelRequest, can: Capabilities, on_text: Callable[[str], None], url: str) -> Reply:
        """Returns the whole reply to what fits into the model, leaving out what its server then refuses by name; raises `ModelError`."""
        await self._require_room(request, can)
        while True:
            try:
                reply = await self._call(request, can, on_text)
                break
            except ModelError as error:
                # The refusal cost nothing and names what to leave out.
                fewer = without(can, error.message) if error.kind == "bad_request" else None
                if fewer is None:
                    raise
                can = fewer
                await self.learned.note(url, request.model, can)
        if not reply.stop_reason and not can.null_stop:
            raise _no_stop(reply.usage, reply.request_id)
        reason = reply.stop_reason or ("tool_use" if any(block.kind == "tool_use" for block in reply.content) else "end_turn")
        reply = replace(reply, stop_reason=reason)
        return reply if can.tools and self.tools else with_spoken_calls(reply, request)

    async def _call(self, request: ModelRequest, can: Capabilities, on_text: Callable[[str], None] = lambda _: None) -> Reply:
        client = await self._connected()
        from anthropic.lib.streaming import TextEvent  # noqa: PLC0415  loaded by now

        if not self.tools:
            can = msgspec.structs.replace(can, tools=False)
        call = _Call(url=str(client.base_url), model=request.model, cloud=self.cloud)
        with _faults(call):
            async with client.messages.stream(**wire_from_request(request, can)) as stream:
                call.request_id = stream.request_id or ""
                headers = stream.response.headers
                if not is_stream(headers):
                    body = (await stream.response.aread()).decode(errors="replace")
                    raise not_a_stream(call.answer(stream.response.status_code, headers, body))
                if seconds := exhausted_for(headers, datetime.now(UTC)):
                    self.exhausted(seconds)
                async for event in stream:
                    call.see(event)
                    if isinstance(event, TextEvent):
                        on_text(event.text)
                message = stream.current_message_snapshot if call.started else None
            if message is None or not call.stopped:
                raise _no_stop(call.usage(), call.request_id)
            return reply_from_wire(message, call.request_id)

    async def count(self, request: ModelRequest) -> Counted:
        """Returns how many tokens a request has: counted once by the server, or estimated where it does not count; raises `ModelError`."""
        client = await self._connected()
        return await self._counts.of(request, lambda: self._ask_for_count(client, request))

    async def _ask_for_count(self, client: "anthropic.AsyncAnthropic", request: ModelRequest) -> int | None:
        url = str(client.base_url)
        can = await self.learned.of(url, request.model, None)
        if not can.counts:
            return None
        wire = wire_from_request(request, can)
        given = {name: wire[name] for name in ("model", "system", "messages", "tools") if name in wire}
        try:
            with _faults(_Call(url=url, model=request.model, cloud=self.cloud)):
                return (await client.messages.count_tokens(**given)).input_tokens
        except ModelError as error:
            if error.kind not in {"not_found", "bad_request", "server"}:
                raise
            await self.learned.note(url, request.model, msgspec.structs.replace(can, counts=False))
            return None

    async def _require_room(self, request: ModelRequest, can: Capabilities) -> None:
        """Refuses what does not fit into the model: servers of local ones drop the beginning without a word, and with it the task."""
        if can.context is None or estimated(request).tokens * DOUBT < can.context:
            return
        counted = await self.count(request)
        if counted.tokens > can.context:
            said = f"The conversation has {counted}, and {request.model} holds {can.context:,} at once."
            raise ModelError(
                "too_long", f"{said} Choose a model that holds more, or give it more room in its server.", retryable=False, sent=False
            )

    async def models(self) -> tuple[ModelFacts, ...]:
        """Asks the server what models it has; raises `ModelError`."""
        client = await self._connected()
        import httpx2  # noqa: PLC0415  loaded by now

        with _faults(_Call(url=str(client.base_url), model="")):
            # Not with the client's own method: servers that are only compatible leave out what its types want.
            answer = await client.get("/v1/models", cast_to=httpx2.Response, options={"params": {"limit": 1000}})
            return facts_from(answer.json())

    async def _with_facts(self, can: Capabilities, model: str) -> Capabilities:
        """Returns what a model takes with what its server says of it, which not every server does."""
        try:
            facts = Listing(at=datetime.now(UTC), models=await self.models()).find(model)
        except ModelError:
            facts = None
        if facts is None:
            return can
        schemas = can.schemas and facts.schemas is not False
        return msgspec.structs.replace(can, context=facts.context, longest_reply=facts.longest_reply, schemas=schemas)

    async def room(self, model: str) -> int | None:
        """Returns how many tokens a model takes at once, as far as its server has said by now; asks nobody. Where no client can be had, the call says why."""
        try:
            client = await self._connected()
        except ModelError:
            return None
        return (await self.learned.of(str(client.base_url), model, None)).context

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
        if self.cloud:
            return self._connect_to_cloud(timeout)
        try:
            client = anthropic.AsyncAnthropic(api_key=self.api_key, base_url=self.base_url, timeout=timeout, max_retries=0)
        except anthropic.AnthropicError as error:
            raise _unusable(error) from error
        if client.api_key is not None or client.auth_token is not None or client.credentials is not None:
            return client
        if self.base_url is None and "ANTHROPIC_BASE_URL" not in os.environ:
            raise ModelError("auth", NO_CREDENTIALS, retryable=False)
        # A local server wants no key, but the client wants one; a server that does want one will say so.
        return client.copy(api_key=NO_KEY)

    def _connect_to_cloud(self, timeout: "httpx2.Timeout") -> "anthropic.AsyncAnthropic":
        import anthropic  # noqa: PLC0415  loaded already

        if missing := missing_extra(self.cloud):
            raise ModelError("auth", missing, retryable=False)
        try:
            client = getattr(anthropic, CLOUDS[self.cloud].client)(base_url=self.base_url, timeout=timeout, max_retries=0)
        except (ValueError, anthropic.AnthropicError) as error:
            raise _unusable(error) from error
        return cast("anthropic.AsyncAnthropic", client)  # what we use of it is the same


@dataclass(slots=True)
class _Call:
    """Is what has been seen of a stream so far; enough to say what a broken call has cost."""

    url: str
    model: str
    cloud: str = ""
    started: bool = False
    stopped: bool = False
    request_id: str = ""
    received: int = 0
    known: Usage = field(default_factory=Usage)

    def see(self, event: Any) -> None:  # noqa: ANN401  the client's events are a union of dozens of classes
        match event.type:
            case "message_start":
                self.started = True
                self.known = usage_from_wire(event.message.usage)
            case "message_stop":
                self.stopped = True
            case "text":
                self.received += len(event.text.encode(errors="replace"))
            case "thinking":
                self.received += len(event.thinking.encode(errors="replace"))
            case "input_json":
                self.received += len(event.partial_json.encode(errors="replace"))

    def answer(self, status: int, headers: Mapping[str, str], body: str, error_type: str = "") -> Answer:
        return Answer(
            url=self.url, model=self.model, status=status, headers=headers, body=body, error_type=error_type, request_id=self.request_id
        )

    def fault(self, kind: ErrorKind, message: str) -> ModelError:
        """Returns a fault of the world under this call, which may be tried again."""
        return ModelError(kind, message, retryable=True, usage=self.usage(), request_id=self.request_id)

    def usage(self) -> Usage | None:
        """Returns what the call has cost so far, its output estimated from what arrived; None if nothing did."""
        if not self.started:
            return None
        output = max(self.known.output, -(-self.received // BYTES_PER_TOKEN))
        known = self.known
        return Usage(input=known.input, output=output, cache_read=known.cache_read, cache_write=known.cache_write, estimated=True)


@contextmanager
def _faults(call: _Call) -> Iterator[None]:
    """Turns every fault of the client and the connection into a `ModelError`."""
    import anthropic  # noqa: PLC0415  loaded already
    import httpx2  # noqa: PLC0415  loaded already

    try:
        yield
    except anthropic.APIStatusError as error:
        call.request_id = error.request_id or call.request_id
        body = error.body if isinstance(error.body, str) else json.dumps(error.body)
        answer = call.answer(error.status_code, error.response.headers, body, error.type or "")
        raise error_from_answer(answer, call.usage()) from error
    except anthropic.APIConnectionError as error:
        raise _error_of_connection(error, call) from error
    except httpx2.TimeoutException as error:
        raise call.fault("stall", "The model server stopped answering.") from error
    except httpx2.TransportError as error:
        raise call.fault("cut", "The connection to the model broke in the middle of the reply.") from error
    except anthropic.AnthropicError as error:
        raise _unusable(error) from error
    except (ValueError, AssertionError, AttributeError, TypeError, LookupError, httpx2.RequestError) as error:
        # Events that are not JSON, lack something, or come in an impossible order: the client lets its parser's errors through.
        raise call.fault("server", f"The model server sent something unreadable: {error}.") from error
    except ModelError:
        raise
    except Exception as error:
        # The libraries of clouds have errors of their own for credentials that are missing or too old.
        if not call.cloud:
            raise
        raise _unusable(error) from error


def _no_stop(usage: Usage | None, request_id: str) -> ModelError:
    return ModelError("no_stop", "The reply ended before the model had finished it.", retryable=True, usage=usage, request_id=request_id)


def _unusable(error: Exception) -> ModelError:
    return ModelError("auth", f"The credentials cannot be used: {str(error).rstrip('.')}.", retryable=False)


def _error_of_connection(error: "anthropic.APIConnectionError", call: _Call) -> ModelError:
    """Returns what a call without an answer was; only one that never reached the server is known to have cost nothing."""
    import anthropic  # noqa: PLC0415  loaded already
    import httpx2  # noqa: PLC0415  loaded already

    if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
        reason = str(error.__cause__).rstrip(".") or "it did not answer in time"
        return ModelError("connection", f"The model server cannot be reached: {reason}.", retryable=True)
    if isinstance(error, anthropic.APITimeoutError):
        return call.fault("stall", "The model server stopped answering.")
    return call.fault("cut", "The connection to the model broke before the reply began.")
