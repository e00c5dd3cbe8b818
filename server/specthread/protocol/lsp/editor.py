"""One connected editor as pygls sees it: the server object of one connection, and its protocol.

What pygls does otherwise than a shared daemon needs is put right here: lines end only where the protocol says so, the exit of one editor never ends the process,
params of our own methods stay dictionaries whatever their keys are, nothing an editor sends is searched for nested messages, bodies are never logged, and no
instance is kept by a cache. An answer that comes too late ends nothing.
Plain functions handle whatever changes a document: only those keep the order of messages.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
import structlog
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method
from pygls.protocol.json_rpc import MsgId
from pygls.workspace import TextDocument, Workspace

from specthread import __version__
from specthread.protocol.lsp.frames import BoundedWriter, framed
from specthread.protocol.lsp.texts import characters, lines_of

if TYPE_CHECKING:
    from pygls.server import ServerErrors

NAME = "specthread"
Commands = Callable[[str, list[Any]], None]
"""Begins a command; whatever comes of it is told by notifications."""

_log = structlog.get_logger(__name__)
logging.getLogger("pygls").setLevel(logging.CRITICAL)  # it logs whole bodies otherwise: texts, secrets


@attrs.define
class RawRequest:
    """A request of our own; its params stay as they came."""

    id: int | str
    method: str
    params: Any = None
    jsonrpc: str = "2.0"


@attrs.define
class RawNotification:
    """A notification of our own; its params stay as they came."""

    method: str
    params: Any = None
    jsonrpc: str = "2.0"


class Document(TextDocument):
    """A document that keeps its lines, so that a change costs what it changes; lines end where the protocol says so."""

    _kept: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """The lines with their ends."""
        if self._kept is None:
            self._kept = lines_of(super().source)
        return self._kept

    @property
    def source(self) -> str:
        """The text."""
        return super().source if self._kept is None else "".join(self._kept)

    def _apply_full_change(self, change: lsp.TextDocumentContentChangeEvent) -> None:
        self._kept = lines_of(change.text)

    def _apply_incremental_change(self, change: lsp.TextDocumentContentChangePartial) -> None:
        lines = self.lines
        start, end = (min(place.line, len(lines)) for place in (change.range.start, change.range.end))
        head = self._cut(start, change.range.start)[0]
        tail = self._cut(end, change.range.end)[1]
        # The lines beside take part: a break made of two signs may come together, or apart.
        first, last = max(0, start - 1), end + 2
        above, below = "".join(lines[first:start]), "".join(lines[end + 1 : last])
        lines[first:last] = lines_of(f"{above}{head}{change.text}{tail}{below}")

    def _cut(self, line: int, place: lsp.Position) -> tuple[str, str]:
        """Returns a line in front of a place and behind it; nothing where the place is behind the last line."""
        if line >= len(self.lines):
            return "", ""
        text = self.lines[line]
        at = characters(text.rstrip("\r\n"), place.character, self._position_codec.encoding or lsp.PositionEncodingKind.Utf16)
        return text[:at], text[at:]


class _Workspace(Workspace):
    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> TextDocument:
        return Document(
            doc_uri, source=source, version=version, language_id=language_id, sync_kind=self._sync_kind, position_codec=self._position_codec
        )


class EditorProtocol(LanguageServerProtocol):
    """The protocol of one connection; it ends with `ended`, never with the process."""

    _server: Editor

    def structure_message(self, data: dict[str, Any]) -> Any:  # noqa: ANN401  any of the protocol's messages
        """Returns a message as a value; our own methods keep their params as they came."""
        if not str(data.get("method", "")).startswith(f"{NAME}/"):
            return super().structure_message(data)
        if "id" in data:
            return RawRequest(id=data["id"], method=data["method"], params=data.get("params"))
        return RawNotification(method=data["method"], params=data.get("params"))

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]  # the cache it is wrapped in is left out
        """Returns how the protocol types a message."""
        return lsp.METHOD_TO_TYPES.get(method, (None,))[0]

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]  # the same
        """Returns how an answer is read; without the cache of the base class, which would keep this connection for ever."""
        return lsp.METHOD_TO_TYPES.get(method, (None, None))[1]

    def _handle_response(self, msg_id: MsgId, result: Any | None = None, error: lsp.ResponseError | None = None) -> None:  # noqa: ANN401  any result
        """Takes the answer of a client; one to a question that was taken back meanwhile is late, and no mistake."""
        asked = self._request_futures.get(msg_id)
        if asked is not None and asked.done():
            del self._request_futures[msg_id]
        else:
            super()._handle_response(msg_id, result, error)

    @lsp_method(lsp.INITIALIZE)
    def lsp_initialize(self, params: lsp.InitializeParams) -> Generator[Any, Any, lsp.InitializeResult]:
        """Begins the session, with documents that count lines as the protocol does."""
        for prepare in self._server.on_initialize:
            prepare(params.capabilities)
        result = yield from super().lsp_initialize(params)
        made = self.workspace
        self._workspace = _Workspace(
            made.root_uri, lsp.TextDocumentSyncKind.Incremental, list(made.folders.values()), made.position_encoding
        )
        return result

    @lsp_method(lsp.EXIT)
    def lsp_exit(self, *_: object) -> None:  # type: ignore[override]  # ours never waits
        """Ends this connection only."""
        self._server.ended = True

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(self, params: lsp.ExecuteCommandParams) -> None:  # type: ignore[override]  # ours never waits
        """Begins the command and answers at once; editors give a command no more than a moment."""
        self._server.execute(params.command, list(params.arguments or ()))


converter = cache(default_converter)
"""One converter for all connections: it keeps nothing of theirs, and takes milliseconds to make."""


class Editor(LanguageServer):
    """The server object of one connection. `ended` tells that the editor said goodbye; `writer` is the way to it."""

    protocol: EditorProtocol

    def __init__(self, writer: BoundedWriter, execute: Commands) -> None:
        super().__init__(
            NAME,
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
            protocol_cls=EditorProtocol,
            converter_factory=converter,
            max_workers=1,
        )
        self.ended = False
        self.on_initialize: list[Callable[[lsp.ClientCapabilities], object]] = []
        """Called with what the client can do before it is answered: for features that only some clients want."""
        self.execute = execute
        self.writer = writer
        self.protocol.set_writer(writer)

    def take(self, body: bytes) -> None:
        """Handles one message; one that makes no sense is answered as such, and the connection goes on."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            self._say_error(None, -32700, "This message is not JSON.")
            return
        if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
            self._say_error(None, -32600, "This is not a JSON-RPC 2.0 message.")
            return
        try:
            message = self.protocol.structure_message(data)
        except JsonRpcException as error:
            if "method" in data and "id" in data:
                self._say_error(data["id"], error.code, f"The params of {data['method']} are not what the protocol says.")
            return
        try:
            self.protocol.handle_message(message)
        except Exception as error:  # noqa: BLE001  the edge: one message that we cannot handle ends nobody's connection
            _log.error("an editor's message could not be handled", method=data.get("method"), exc_info=error)
            if "method" in data and "id" in data:
                self._say_error(data["id"], -32603, "This request met a mistake in the daemon; its log says more.")

    def _say_error(self, identifier: Any, code: int, message: str) -> None:  # noqa: ANN401  JSON-RPC ids are text, numbers or null
        answer = {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": message}}
        self.writer.write(framed(json.dumps(answer).encode()))

    def offer(self, subject: str, method: str, params: Any) -> None:  # noqa: ANN401  any params of the protocol
        """Notifies; while the editor does not read, a later notification about the same subject takes the place of this one."""
        notification_type = self.protocol.get_message_type(method) or RawNotification
        message = notification_type(method=method, params=params)
        body = json.dumps(message, default=self.protocol._serialize_message)  # noqa: SLF001  pygls has no other way to a body
        self.writer.offer(subject, body.encode())

    def offer_encoded(self, subject: str, method: str, params: str) -> None:
        """The same with params that are JSON already."""
        self.writer.offer(subject, f'{{"jsonrpc":"2.0","method":"{method}","params":{params}}}'.encode())

    def end(self) -> None:
        """Lets go of what pygls keeps for this connection."""
        self.shutdown()  # type: ignore[no-untyped-call]

    def say(self, text: str, kind: lsp.MessageType = lsp.MessageType.Info) -> None:
        """Shows a message to the person."""
        # Some editors make links of `[words](command:…)`, and agents' words may be in it: an unseen joiner keeps them words.
        self.window_show_message(lsp.ShowMessageParams(type=kind, message=text.replace("](", "]\u2060(")))

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Logs what went wrong in a handler; the request itself is answered by pygls."""
        _log.error("an editor's message could not be handled", source=source.__name__, error=str(error))

    # --- what the editor can do ---------------------------------------------------------------------------------------------

    @property
    def is_rich(self) -> bool:
        """Whether this client has faces of its own, and wants neither commands announced nor message boxes that nobody asked for."""
        return self._own is not None

    @property
    def shows_comments(self) -> bool:
        """Whether this client shows review comments itself, as threads."""
        return isinstance(self._own, dict) and bool(self._own.get("comments"))

    @property
    def _own(self) -> object:
        """What the client says of us: `experimental.specthread` of its capabilities."""
        experimental = self.client_capabilities.experimental
        return experimental.get(NAME) if isinstance(experimental, dict) else None

    @property
    def shows_documents(self) -> bool:
        """Whether the client can be asked to open a file."""
        window = self.client_capabilities.window
        return bool(window and window.show_document and window.show_document.support)

    @property
    def shows_progress(self) -> bool:
        """Whether the client has a place for progress that the server begins."""
        window = self.client_capabilities.window
        return bool(window and window.work_done_progress)

    @property
    def refreshes_lenses(self) -> bool:
        """Whether the client can be asked to ask for its lenses again."""
        workspace = self.client_capabilities.workspace
        return bool(workspace and workspace.code_lens and workspace.code_lens.refresh_support)

    @property
    def takes_versions(self) -> bool:
        """Whether edits may name the version they are made for."""
        workspace = self.client_capabilities.workspace
        return bool(workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes)

    @property
    def applies_edits(self) -> bool:
        """Whether the client takes edits, and such that name the version they are made for."""
        workspace = self.client_capabilities.workspace
        return bool(workspace and workspace.apply_edit) and self.takes_versions
