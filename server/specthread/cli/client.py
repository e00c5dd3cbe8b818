"""The command line's side of the daemon's socket: one connection, plain blocking sockets.

A lost connection is attached again, which starts the daemon if it died. A changing request carries a key, so that asking twice changes
once; a subscription goes on after the last event seen.
"""

from __future__ import annotations

import json
import select
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from specthread import shim
from specthread.protocol import wire_params, wire_result
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_view import RefusalView

T = TypeVar("T", bound=Wire)

CLIENT = "cli"
_CHUNK = 1 << 16


class RequestError(Exception):
    """Says why the daemon did not do what was asked; `code` is the JSON-RPC code."""

    def __init__(self, code: int, refusal: RefusalView) -> None:
        super().__init__(refusal.message)
        self.code = code
        self.refusal = refusal


class Client:
    """A connection to the daemon of a state folder, made on first use; `start` False never starts a daemon."""

    def __init__(self, environ: Mapping[str, str], *, cwd: Path, start: bool = True) -> None:
        self._environ = environ
        self._cwd = cwd
        self._start = start
        self._state = shim.state_folder(environ)
        self._link: socket.socket | None = None
        self._rest = b""
        self._notes: deque[dict[str, Any]] = deque()
        self._number = 0
        self._watched: tuple[str, int] | None = None

    def attach(self) -> bool:
        """Connects, and tells whether a daemon is there; without `start` there may be none. Raises AttachError."""
        if self._start:
            link, _ = shim.enter(self._state, self._environ, role="rpc", client=CLIENT, cwd=str(self._cwd))
        else:
            found = shim.connect(shim.socket_path(self._state))
            if found is None:
                return False
            link = found
            shim.greet(link, role="rpc", client=CLIENT, cwd=str(self._cwd))
        self._link, self._rest = link, b""
        return True

    def ask(self, verb: str, params: Wire, result: type[T]) -> T:
        """Sends `specthread/<verb>` and returns its result. Raises RequestError, AttachError."""
        try:
            return result.model_validate(self._call(verb, params))
        except ConnectionError:
            # The same key makes asking again harmless.
            self._link = None
            return result.model_validate(self._call(verb, params))

    @property
    def seen(self) -> int:
        """The sequence number of the last event that `next_note` returned, or from where it follows."""
        return self._watched[1] if self._watched else 0

    def watch(self, spectask: str) -> None:
        """Follows the events of a SpecTask from now on."""
        since = self.ask("watch", wire_params.WatchParams(id=spectask), wire_result.Subscribed).seq
        self._watched = (spectask, since)

    def watch_all(self) -> None:
        """Follows the events of all SpecTasks from now on."""
        self._watched = ("", self.ask("subscribe", wire_params.SubscribeParams(), wire_result.Subscribed).seq)

    def next_note(self, timeout: float, keyboard: Sequence[int] = ()) -> dict[str, Any] | None:
        """Returns the next notification, or None when none came within `timeout` seconds, or a key was pressed."""
        if not self._notes:
            try:
                self._wait_note(timeout, keyboard)
            except ConnectionError:
                self._watch_again()
        if not self._notes:
            return None
        note = self._notes.popleft()
        if self._watched and note["method"] == "specthread/event":
            self._watched = (self._watched[0], note["params"]["seq"])
        return note

    def wait_closed(self) -> None:
        """Returns when the daemon has closed the connection."""
        try:
            while True:
                self._read_message()
        except ConnectionError:
            self._link = None

    def _wait_note(self, timeout: float, keyboard: Sequence[int]) -> None:
        link = self._connected()
        if b"\n" in self._rest or link.fileno() in select.select([link.fileno(), *keyboard], [], [], timeout)[0]:
            self._notes.append(self._read_message())

    def _watch_again(self) -> None:
        self._link = None
        if self._watched:
            spectask, since = self._watched
            if spectask:
                self.ask("watch", wire_params.WatchParams(id=spectask, since=since), wire_result.Subscribed)
            else:
                self.watch_all()

    def _call(self, verb: str, params: Wire) -> dict[str, Any]:
        link = self._connected()
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": f"specthread/{verb}", "params": params.model_dump(mode="json")}
        link.sendall(json.dumps(request).encode() + b"\n")
        while (answer := self._read_message()).get("id") != self._number:
            self._notes.append(answer)
        if "error" in answer:
            error = answer["error"]
            raise RequestError(error["code"], RefusalView.model_validate(error["data"]))
        return dict(answer["result"])

    def _connected(self) -> socket.socket:
        if self._link is None and not self.attach():
            raise shim.AttachError("No daemon runs.", "`specthread daemon start` starts it; so does every command that needs it.")
        if self._link is None:
            raise ConnectionResetError
        return self._link

    def _read_message(self) -> dict[str, Any]:
        link = self._connected()
        while b"\n" not in self._rest:
            part = link.recv(_CHUNK)
            if not part:
                raise ConnectionResetError
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return dict(json.loads(line))
