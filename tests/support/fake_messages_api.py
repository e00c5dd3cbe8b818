"""A Messages API on loopback, played from a script, for tests.

Which line of the script answers a request depends on what was last said to the model; faults are lines too. Every request is checked
against a schema made from the official client's own types that forbids unknown keys. A request that is invalid, or that no line fits, gets
an error answer and fails the test when the server is left, with the request printed.

It can also be one of the servers that are only compatible: `refuses` names fields that it answers with an error, as strict ones do, `obeys` off
passes over schemas in silence, `null_stop` leaves out why a reply ended. The call by which our client finds that out needs no line.
"""

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Self

import jsonschema
from pydantic import TypeAdapter

from specthread.agents.capabilities import PROBE

PIECE = 7
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Answers with an HTTP error instead of a stream."""

    status: int
    message: str = "The fake refuses."
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Answers with a body that is no stream of events: a web page, or a reply as one piece of JSON."""

    body: str
    content_type: str = "text/html"
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Breaks the stream before event number `at`: connection cut, clean end, silence, nonsense, or an error event of type `error`."""

    how: Literal["cut", "eof", "stall", "nonsense", "error"]
    at: int
    error: str = "overloaded_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Is one line of the script: an answer to a request whose last words contain `when`, given `times` times (None: always)."""

    when: str
    content: tuple[dict[str, Any], ...] = ()
    stop_reason: str | None = None
    stop_details: dict[str, str] | None = None
    fault: Status | Break | Page | None = None
    headers: dict[str, str] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    output_tokens: int = 42
    times: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Is a request as it came over the wire; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def say(text: str) -> dict[str, Any]:
    """Returns a text block for a line."""
    return {"type": "text", "text": text}


def think(text: str) -> dict[str, Any]:
    """Returns a thinking block for a line."""
    return {"type": "thinking", "thinking": text}


def use(name: str, /, **arguments: Any) -> dict[str, Any]:
    """Returns a tool call for a line."""
    return {"type": "tool_use", "name": name, "input": arguments}


@dataclass(slots=True)
class FakeMessagesApi:
    """Is the server; use it as an async context manager and give `url` to the client."""

    script: list[Line]
    requests: list[Request] = field(default_factory=list)
    probes: list[Request] = field(default_factory=list)
    asides: list[Request] = field(default_factory=list)
    """What was asked beside replies: models, and how many tokens something has."""
    problems: list[str] = field(default_factory=list)
    models: tuple[dict[str, Any], ...] | None = None
    tokens: int | None = None
    refuses: tuple[str, ...] = ()
    obeys: bool = True
    null_stop: bool = False
    url: str = ""
    _used: list[int] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._used = [0] * len(self.script)
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exception: object) -> None:
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.problems:
            raise AssertionError("\n\n".join(self.problems))

    def unused(self) -> list[Line]:
        """Returns the lines that were meant to be spoken and never were."""
        return [line for line, used in zip(self.script, self._used, strict=True) if not used]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # Being cancelled is how the server ends; asyncio would report it as a failure of the connection.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while request := await _read(reader):
                    await self._answer(request, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.path.partition("?")[0] != "/v1/messages":
            self.asides.append(request)
            await self._tell(request, writer)
            return
        is_probe = last_said(request.body) == PROBE
        (self.probes if is_probe else self.requests).append(request)
        line = self._refused(request) or (self._probed() if is_probe else self._line_for(request))
        if isinstance(line.fault, Status):
            await self._refuse(line.fault, writer)
        elif isinstance(line.fault, Page):
            await self._give(line.fault, writer)
        else:
            await self._stream(line, request.body["model"], writer)

    async def _tell(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answers what is asked beside replies, as far as this server knows of it."""
        body: dict[str, Any] | None = None
        if request.path == "/v1/messages/count_tokens" and self.tokens is not None:
            body = {"input_tokens": self.tokens}
        elif request.path.startswith("/v1/models") and self.models is not None:
            body = {"data": list(self.models), "has_more": False, "first_id": None, "last_id": None}
        if body is None:
            await self._refuse(Status(status=404, message="Not found."), writer)
        else:
            await self._give(Page(body=json.dumps(body), content_type="application/json"), writer)

    def _refused(self, request: Request) -> Line | None:
        """Returns the answer of a server that knows only a part of the API, where the request uses more of it."""
        sent = {*request.body, *(name for tool in request.body.get("tools", ()) for name in tool)}
        unknown = [name for name in self.refuses if name in sent]
        return Line(when="", fault=Status(status=400, message=f'json: unknown field "{unknown[0]}"')) if unknown else None

    def _probed(self) -> Line:
        stop_reason = "none" if self.null_stop else None
        return Line(when="", content=(say('{"ok": true}' if self.obeys else "Certainly!"),), stop_reason=stop_reason, output_tokens=9)

    def _line_for(self, request: Request) -> Line:
        if not request.headers.get("authorization", "").startswith("Bearer ") and "x-api-key" not in request.headers:
            return Line(when="", fault=Status(status=401, message="No key was sent."))
        if faults := schema_faults(request.body):
            return self._broken(f"The request is not valid: {faults}", request, 400)
        last = last_said(request.body)
        for number, line in enumerate(self.script):
            if line.when in last and (line.times is None or self._used[number] < line.times):
                self._used[number] += 1
                return line
        return self._broken("The script has no line for this request.", request, 400)

    def _broken(self, what: str, request: Request, status: int) -> Line:
        self.problems.append(f"{what}\n{json.dumps(request.body, indent=1)[-4000:]}")
        return Line(when="", fault=Status(status=status, message=what))

    async def _refuse(self, fault: Status, writer: asyncio.StreamWriter) -> None:
        error = {"type": ERROR_TYPES.get(fault.status, "api_error"), "message": fault.message}
        body = json.dumps({"type": "error", "error": error, "request_id": "req_fake"}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), "request-id": f"req_fake{next(self._ids):04d}"}
        writer.write(_head(fault.status, headers | fault.headers) + body)
        await writer.drain()

    async def _give(self, page: Page, writer: asyncio.StreamWriter) -> None:
        body = page.body.encode()
        writer.write(_head(page.status, {"content-type": page.content_type, "content-length": str(len(body))}) + body)
        await writer.drain()

    async def _stream(self, line: Line, model: str, writer: asyncio.StreamWriter) -> None:
        headers = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
        writer.write(_head(200, headers | {"request-id": f"req_fake{next(self._ids):04d}"} | line.headers))
        fault = line.fault if isinstance(line.fault, Break) else None
        for number, event in enumerate(events(line, model, self._ids)):
            if fault and fault.at == number:
                if await self._break(fault, writer):
                    break
                return
            writer.write(_chunk(event))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _break(self, fault: Break, writer: asyncio.StreamWriter) -> bool:
        """Breaks the stream; tells whether the answer still ends as HTTP wants it."""
        await writer.drain()
        if fault.how == "cut":
            writer.transport.abort()
            raise ConnectionAbortedError
        if fault.how == "stall":
            await asyncio.Event().wait()
        if fault.how == "nonsense":
            writer.write(_chunk(b"event: content_block_delta\ndata: {not json\n\n"))
        if fault.how == "error":
            writer.write(_chunk(_event("error", {"error": {"type": fault.error, "message": "Broken on purpose."}})))
        return True


def events(line: Line, model: str, ids: Iterator[int]) -> Iterator[bytes]:
    """Yields the events of a whole stream, as the real API sends them."""
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0} | line.usage
    message = {"id": f"msg_fake{next(ids):04d}", "type": "message", "role": "assistant", "model": model, "content": []}
    yield _event("message_start", {"message": message | {"stop_reason": None, "stop_sequence": None, "usage": usage}})
    yield _event("ping", {})
    for index, block in enumerate(line.content):
        start, deltas = _pieces(block, ids)
        yield _event("content_block_start", {"index": index, "content_block": start})
        for delta in deltas:
            yield _event("content_block_delta", {"index": index, "delta": delta})
        yield _event("content_block_stop", {"index": index})
    uses_tools = any(block["type"] == "tool_use" for block in line.content)
    stop_reason = line.stop_reason or ("tool_use" if uses_tools else "end_turn")
    delta: dict[str, Any] = {"stop_reason": None if stop_reason == "none" else stop_reason, "stop_sequence": None}
    if line.stop_details:
        delta["stop_details"] = {"type": "refusal"} | line.stop_details
    yield _event("message_delta", {"delta": delta, "usage": {"output_tokens": line.output_tokens}})
    yield _event("message_stop", {})


def last_said(body: dict[str, Any]) -> str:
    """Returns the text and tool results of the last message of a request."""
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text") or block.get("content") or "") for block in content)


def schema_faults(body: dict[str, Any]) -> str:
    """Says what is wrong with a request body, or nothing."""
    error = jsonschema.exceptions.best_match(_validator().iter_errors(body))
    return "" if error is None else f"{error.json_path}: {error.message[:500]}"


@cache
def _validator() -> jsonschema.Draft202012Validator:
    from anthropic.types.message_create_params import MessageCreateParamsStreaming

    schema = TypeAdapter(MessageCreateParamsStreaming).json_schema()
    _forbid_extras(schema)
    return jsonschema.Draft202012Validator(schema)


def _forbid_extras(schema: object) -> None:
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            schema["additionalProperties"] = False
        for part in schema.values():
            _forbid_extras(part)
    elif isinstance(schema, list):
        for part in schema:
            _forbid_extras(part)


def _pieces(block: dict[str, Any], ids: Iterator[int]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "text":
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in _cut(block["text"])]
    if block["type"] == "thinking":
        said = [{"type": "thinking_delta", "thinking": block["thinking"]}, {"type": "signature_delta", "signature": "c2lnbmVk"}]
        return {"type": "thinking", "thinking": "", "signature": ""}, said
    if block["type"] == "tool_use":
        start = {"type": "tool_use", "id": f"toolu_fake{next(ids):04d}", "name": block["name"], "input": {}}
        return start, [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *_cut(json.dumps(block["input"]))]]
    return block, []


def _cut(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def _event(name: str, content: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name} | content)}\n\n".encode()


def _chunk(event: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(event), event)


def _head(status: int, headers: dict[str, str]) -> bytes:
    return (f"HTTP/1.1 {status} Fake\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    start = await reader.readline()
    if not start:
        return None
    headers = {}
    while (line := await reader.readline()).strip():
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(path=start.decode().split()[1], headers=headers, body=json.loads(body or b"{}"))
