"""`specthread lsp`: what an editor starts. It attaches to the daemon, starts it where none runs, and passes messages on.

It keeps just enough of the conversation to begin it anew: should the daemon die or be restarted, the editor's session is set up again with what was open in it, and
the editor notices nothing but that requests under way were cancelled. An editor whose daemon was stopped on purpose stays without it until the person asks for
something that needs it. Only light parts of the standard library are imported: editors start this for each window.
"""
# ruff: noqa: PTH109  (importing pathlib costs too much here)

from __future__ import annotations

import json
import os
import select
import socket
import sys
from collections.abc import Mapping
from typing import Any

from specthread import shim

REPLAYED = "specthread-relay/initialize"
"""Id of the initialize that sets a session up again; its answer is not the editor's."""
_CANCELLED = -32802
_FAILED = -32803
_POLL = 1.0
_RESTARTS = 5
"""Daemons started in a row that died before they answered anything; then the relay waits to be asked."""
_CHUNK = 1 << 16

Message = dict[str, Any]


class Frames:
    """Cuts a stream into the bodies of its messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def cut(self, data: bytes) -> list[bytes]:
        """Returns the bodies that are whole now."""
        self._rest += data
        bodies = []
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            length = _length(self._rest[:end])
            if len(self._rest) < end + 4 + length:
                break
            bodies.append(bytes(self._rest[end + 4 : end + 4 + length]))
            del self._rest[: end + 4 + length]
        return bodies


def _length(head: bytearray) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def framed(body: bytes) -> bytes:
    """Returns a body with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _message(body: bytes) -> Message | None:
    """Returns a message whose parts are of the kinds the protocol names, else None."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("method", ""), str):
        return None
    params = message.get("params")
    is_sound = isinstance(message.get("id"), str | int | None) and ("method" not in message or isinstance(params, dict | list | None))
    return message if is_sound and (isinstance(params, dict) or not str(message.get("method")).startswith("textDocument/did")) else None


class Memory:
    """What the editor said that a new daemon must hear again, and what is open between both sides."""

    def __init__(self) -> None:
        self.initialize: Message = {}
        self.is_initialized = False
        self.is_leaving = False
        self.pending: dict[Any, str] = {}
        """Requests of the editor that are not answered, by id."""
        self.asked: set[Any] = set()
        """Requests of the daemon that the editor did not answer yet."""
        self.progress: set[Any] = set()
        self._documents: dict[str, list[bytes]] = {}
        self._settings: dict[str, list[bytes]] = {}

    @property
    def is_rich(self) -> bool:
        """Whether the editor understands our own notifications."""
        capabilities = (self.initialize.get("params") or {}).get("capabilities") or {}
        return "specthread" in (capabilities.get("experimental") or {})

    @property
    def client(self) -> str:
        """The editor's name."""
        info = (self.initialize.get("params") or {}).get("clientInfo") or {}
        return str(info.get("name") or "lsp")[:60]

    def hear_editor(self, message: Message, body: bytes) -> None:
        """Takes note of what the editor says."""
        method, identifier = message.get("method"), message.get("id")
        if method is None:
            self.asked.discard(identifier)
            return
        if identifier is not None:
            self.pending[identifier] = method
        if method == "initialize":
            self.initialize = message
        elif method == "initialized":
            self.is_initialized = True
        elif method in {"shutdown", "exit"}:
            self.is_leaving = True
        elif method.startswith("textDocument/did"):
            self._hear_document(method, message.get("params") or {}, body)
        elif method == "workspace/didChangeConfiguration":
            self._settings[method] = [body]
        elif method == "workspace/didChangeWorkspaceFolders":
            self._settings.setdefault(method, []).append(body)

    def _hear_document(self, method: str, params: Message, body: bytes) -> None:
        document = params.get("textDocument") or {}
        uri = document.get("uri", "")
        if method.endswith("didOpen"):
            self._documents[uri] = [body]
        elif method.endswith("didClose"):
            self._documents.pop(uri, None)
        elif uri in self._documents:
            self._documents[uri].append(body)
            if method.endswith("didSave") and "text" in params:
                self._documents[uri] = [_reopened(self._documents[uri], params["text"])]

    def hear_daemon(self, message: Message) -> None:
        """Takes note of what the daemon says."""
        method, identifier = message.get("method"), message.get("id")
        if method is None:
            self.pending.pop(identifier, None)
        elif identifier is not None:
            self.asked.add(identifier)
        elif method == "$/progress":
            params = message.get("params") or {}
            kind = (params.get("value") or {}).get("kind")
            if kind == "begin":
                self.progress.add(params.get("token"))
            elif kind == "end":
                self.progress.discard(params.get("token"))

    def replay(self) -> list[bytes]:
        """Returns what a new daemon must hear after its initialize, in order."""
        said = [b'{"jsonrpc":"2.0","method":"initialized","params":{}}'] if self.is_initialized else []
        said += [body for bodies in self._settings.values() for body in bodies]
        return said + [body for bodies in self._documents.values() for body in bodies]


def _reopened(bodies: list[bytes], text: str) -> bytes:
    """Returns one opening in place of an opening and its changes: what a document reads after a save is known whole."""
    opening = json.loads(bodies[0])
    version = opening["params"]["textDocument"].get("version", 0)
    for body in bodies[1:]:
        version = (json.loads(body)["params"].get("textDocument") or {}).get("version") or version
    opening["params"]["textDocument"] |= {"text": text, "version": version}
    return json.dumps(opening).encode()


class Relay:
    """One editor's way to the daemon. `run` returns the exit code."""

    def __init__(self, environ: Mapping[str, str], cwd: str, source: int, sink: int) -> None:
        self._environ = environ
        self._cwd = cwd
        self._source = source
        self._sink = sink
        self._memory = Memory()
        self._from_editor = Frames()
        self._from_daemon = Frames()
        self._link: socket.socket | None = None
        self._was_stopped = False
        self._starts = 0

    def run(self) -> int:
        """Passes messages on until the editor goes."""
        while True:
            waiting: list[Any] = [self._source, *([self._link] if self._link else [])]
            ready = select.select(waiting, [], [], None if self._link or not self._memory.initialize else _POLL)[0]
            if not ready:
                self._look_for_daemon()
            if self._link in ready and not self._read_daemon():
                self._lose_daemon()
            if self._source in ready:
                data = os.read(self._source, _CHUNK)
                if not data:
                    return 0 if self._memory.is_leaving else 1
                for body in self._from_editor.cut(data):
                    if not self._pass_on(body):
                        return 0

    # --- from the editor ------------------------------------------------------------------------------------------------------

    def _pass_on(self, body: bytes) -> bool:
        """Passes a message to the daemon; returns False where it was the editor's last."""
        message = _message(body)
        if message is None:
            self._say({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "This is not a message of the protocol."}})
            return True
        if not self._memory.initialize and message.get("method") not in {"initialize", "exit"}:
            self._answer(message, -32002, "This editor did not say initialize yet.")
            return True
        is_answer = "method" not in message
        if is_answer and message.get("id") not in self._memory.asked:
            return True  # an answer to a daemon that is gone
        self._memory.hear_editor(message, body)
        if message.get("method") == "exit":
            self._send(body)
            return False
        if self._link is None and not self._begin_for(message):
            self._answer_alone(message)
        else:
            self._send(body)
        return True

    def _begin_for(self, message: Message) -> bool:
        """Gets a daemon where this message is worth one: the first of all, or what a person asks for."""
        method = str(message.get("method", ""))
        wanted = method in {"initialize", "workspace/executeCommand"} or method.startswith("specthread/")
        return wanted and self._enter(first=method == "initialize")

    def _answer_alone(self, message: Message) -> None:
        """Answers a request while there is no daemon, unless that was done when the daemon could not be had."""
        identifier, method = message.get("id"), message.get("method")
        if method is None or self._memory.pending.pop(identifier, None) is None:
            return
        if method == "shutdown" or method.startswith("textDocument/"):
            self._say({"jsonrpc": "2.0", "id": identifier, "result": None})
        else:
            self._answer(message, _FAILED, "The Specthread daemon does not run.")

    def _answer(self, message: Message, code: int, text: str) -> None:
        """Answers a request with an error; a notification has no answer."""
        if message.get("id") is not None and "method" in message:
            self._say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": code, "message": text}})

    # --- from the daemon ------------------------------------------------------------------------------------------------------

    def _read_daemon(self) -> bool:
        """Passes on what the daemon said; returns False where it is gone."""
        data = self._receive()
        for body in self._from_daemon.cut(data):
            self._tell(json.loads(body), body)
        return bool(data)

    def _receive(self) -> bytes:
        """Returns what came from the daemon; nothing where it is gone."""
        try:
            return self._link.recv(_CHUNK) if self._link else b""
        except OSError:
            return b""

    def _tell(self, message: Message, body: bytes) -> None:
        self._memory.hear_daemon(message)
        self._starts = 0
        if message.get("method") == "specthread/stopping":
            self._was_stopped = True
        if not str(message.get("method", "")).startswith("specthread/") or self._memory.is_rich:
            self._write(framed(body))

    def _lose_daemon(self) -> None:
        """Settles what was open with a daemon that is gone, and gets another one, unless it was stopped on purpose."""
        self._close_link()
        for identifier, method in tuple(self._memory.pending.items()):
            if method != "initialize":
                self._memory.pending.pop(identifier)
                text = "The Specthread daemon went away; please try again."
                self._say({"jsonrpc": "2.0", "id": identifier, "error": {"code": _CANCELLED, "message": text}})
        for identifier in self._memory.asked:
            self._say({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": identifier}})
        for token in self._memory.progress:
            self._say({"jsonrpc": "2.0", "method": "$/progress", "params": {"token": token, "value": {"kind": "end"}}})
        self._memory.asked.clear()
        self._memory.progress.clear()
        if not self._was_stopped and not self._memory.is_leaving and self._starts < _RESTARTS:
            self._starts += 1
            first = "initialize" in self._memory.pending.values()
            if self._enter(first=first) and first:
                self._send(json.dumps(self._memory.initialize).encode())

    # --- the daemon -----------------------------------------------------------------------------------------------------------

    def _look_for_daemon(self) -> None:
        """Attaches to a daemon that somebody else started meanwhile."""
        try:
            link = shim.connect(shim.socket_path(shim.state_folder(self._environ)))
        except shim.AttachError:
            return
        if link is not None:
            link.close()
            self._enter(first=False)

    def _enter(self, *, first: bool) -> bool:
        """Attaches, and sets the session up anew where it is not the first time; what keeps it from that is told to the person."""
        try:
            state, client = shim.state_folder(self._environ), self._memory.client
            link, welcome = shim.enter(state, self._environ, role="lsp", client=client, cwd=self._cwd, is_back=not first)
        except shim.AttachError as error:
            self._explain(f"{error.message} {error.hint}".strip(), first=first)
            return False
        self._link, self._from_daemon, self._was_stopped = link, Frames(), False
        if not first:
            self._set_up_again(welcome)
        return True

    def _set_up_again(self, welcome: Message) -> None:
        self._send(json.dumps(self._memory.initialize | {"id": REPLAYED}).encode())
        while True:
            data = self._receive()
            if not data:
                self._lose_daemon()
                return
            answers = [(json.loads(body), body) for body in self._from_daemon.cut(data)]
            for message, body in answers:
                if message.get("id") != REPLAYED:
                    self._tell(message, body)
            if any(message.get("id") == REPLAYED for message, _ in answers):
                break
        for body in self._memory.replay():
            self._send(body)
        if self._memory.is_rich:
            params = {"instance": welcome.get("instance", ""), "seq": welcome.get("seq", 0)}
            self._say({"jsonrpc": "2.0", "method": "specthread/reconnected", "params": params})

    def _explain(self, text: str, *, first: bool) -> None:
        self._say({"jsonrpc": "2.0", "method": "window/showMessage", "params": {"type": 1, "message": f"Specthread: {text}"}})
        for identifier, method in tuple(self._memory.pending.items()):
            if first and method == "initialize":
                self._memory.pending.pop(identifier)
                self._say({"jsonrpc": "2.0", "id": identifier, "error": {"code": _FAILED, "message": text, "data": {"retry": False}}})

    def _close_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    # --- writing --------------------------------------------------------------------------------------------------------------

    def _send(self, body: bytes) -> None:
        """Sends to the daemon; one that is gone is noticed when it is read."""
        if self._link is not None:
            try:
                self._link.sendall(framed(body))
            except OSError:
                return

    def _say(self, message: Message) -> None:
        self._write(framed(json.dumps(message).encode()))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._sink, view) :]


def main() -> int:
    """Runs the relay between standard input and output."""
    try:
        return Relay(os.environ, os.getcwd(), sys.stdin.fileno(), sys.stdout.fileno()).run()
    except BrokenPipeError:
        return 1
