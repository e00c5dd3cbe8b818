"""The way in for every client: finds the daemon's socket, starts the daemon when none runs, says hello.

Editors start this for each window, so it imports only light parts of the standard library and copies bytes. Who may start a daemon is
settled by a lock file beside the socket; whether it came up is told by a pipe that it writes to when it listens, and that closes when it
dies.
"""
# ruff: noqa: PTH101, PTH103, PTH108, PTH111, PTH118, PTH123  (importing pathlib costs too much here)

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import sys
from collections.abc import Mapping
from typing import Any

from specthread import __version__

PROTOCOL = 1
"""Version of the hello line and of what follows it."""
START_SECONDS = 30.0
WELCOME_SECONDS = 20.0
TRIES = 20

_OWN = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")
_SOCKET_PATH_LIMIT = 107
_TAIL = 2000


class AttachError(Exception):
    """Says why there is no daemon to talk to, and what to do next (`hint`)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class GoneError(AttachError):
    """The daemon was there and went away before it answered: it is just ending, and may be tried again in a moment."""


def state_folder(environ: Mapping[str, str]) -> str:
    """Returns the folder of the database, the logs, the desks and the worktrees; `SPECTHREAD_STATE` names another one, from the home folder on."""
    home = environ.get("HOME") or os.path.expanduser("~")
    base = environ.get("XDG_STATE_HOME") or os.path.join(home, ".local", "state")
    named = environ.get("SPECTHREAD_STATE") or os.path.join(base, "specthread")
    # A relative one would be another folder for every checkout, and lie in it.
    return os.path.realpath(os.path.join(home, named))


def socket_path(state: str) -> str:
    """Returns the short socket path of a state folder and this version, in a private folder made when absent. Raises AttachError."""
    name = f"{hashlib.sha256(os.fsencode(state)).hexdigest()[:16]}-{__version__}.sock"
    # The same for every way into this account: XDG_RUNTIME_DIR differs between a desktop, ssh and cron.
    folders = [os.path.join(state, "run"), os.path.join("/tmp", f"specthread-{os.getuid()}")]  # noqa: S108  checked to be ours and private
    folder = next(each for each in folders if len(os.fsencode(os.path.join(each, name))) <= _SOCKET_PATH_LIMIT)
    _make_private(folder)
    return os.path.join(folder, name)


def attach(state: str, environ: Mapping[str, str]) -> socket.socket:
    """Returns a socket connected to the daemon of a state folder, which is started when it does not run. Raises AttachError."""
    path = socket_path(state)
    try:
        return connect(path) or _start_and_connect(state, path, environ)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        sentence = f"The daemon cannot be started: {error.strerror or error}{place}."
        raise AttachError(sentence, "Put that right, or name another state folder in SPECTHREAD_STATE.") from error


def enter(
    state: str, environ: Mapping[str, str], *, role: str, client: str, cwd: str, is_back: bool = False
) -> tuple[socket.socket, dict[str, Any]]:
    """Attaches and says hello; returns the socket and the welcome. A daemon that is just ending is waited for. Raises AttachError."""
    for again in range(TRIES, -1, -1):
        link = attach(state, environ)
        try:
            return link, greet(link, role=role, client=client, cwd=cwd, is_back=is_back)
        except AttachError as error:
            link.close()
            if not isinstance(error, GoneError) or not again:
                raise
            _pause()
    raise AssertionError


def _pause() -> None:
    import time  # noqa: PLC0415  hardly ever needed

    time.sleep(0.1)


def connect(path: str) -> socket.socket | None:
    """Returns a connected socket, or None when nobody listens there. Raises AttachError where that is not the reason."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        link.close()
        return None
    except OSError as error:
        link.close()
        raise AttachError(
            f"The daemon's socket {path} cannot be used: {error.strerror}.", "Check who owns it, and that the disk is not full."
        ) from error
    return link


def greet(link: socket.socket, *, role: str, client: str, cwd: str, is_back: bool = False) -> dict[str, Any]:
    """Sends the hello line and returns the daemon's welcome; what follows on the socket is left unread. Raises AttachError."""
    hello = {
        "specthread": PROTOCOL,
        "role": role,
        "version": __version__,
        "cwd": cwd,
        "is_back": is_back,
        "client": client,
        "pid": os.getpid(),
        "environment": {name: os.environ[name] for name in _OWN if name in os.environ},
    }
    try:
        link.settimeout(WELCOME_SECONDS)
        link.sendall(json.dumps(hello).encode() + b"\n")
        welcome = json.loads(_read_line(link))
        link.settimeout(None)
    except TimeoutError as error:
        raise AttachError(
            f"The daemon does not answer for {WELCOME_SECONDS:.0f} seconds.",
            "Look at `specthread daemon logs`; if it hangs, end its process (`pkill -f 'specthread daemon run'`): sessions resume with the next command.",
        ) from error
    except (OSError, ValueError) as error:
        raise GoneError(
            "The daemon closed the connection before it answered.", "Look at `specthread daemon logs`, then try again."
        ) from error
    if "error" in welcome:
        raise AttachError(welcome["error"]["message"], welcome["error"].get("hint", ""))
    return dict(welcome)


def _read_line(link: socket.socket) -> bytes:
    """Reads to the end of one line and not a byte further: what follows belongs to another protocol."""
    line = b""
    while not line.endswith(b"\n"):
        ahead = link.recv(4096, socket.MSG_PEEK)
        if not ahead:
            raise ConnectionResetError
        line += link.recv(ahead.find(b"\n") + 1 or len(ahead))
    return line


def _make_private(folder: str) -> None:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError as error:
        raise AttachError(
            f"The folder {folder} cannot be made: {error.strerror}.", "Name another state folder in SPECTHREAD_STATE."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise AttachError(
            f"The folder {folder} is not yours, so the daemon's socket cannot be trusted there.",
            "Name a state folder of your own in SPECTHREAD_STATE.",
        )
    if found.st_mode & 0o077:
        os.chmod(folder, 0o700)


# --- starting -----------------------------------------------------------------------------------------------------------


def _start_and_connect(state: str, path: str, environ: Mapping[str, str]) -> socket.socket:
    import fcntl  # noqa: PLC0415  only needed when the daemon does not run yet

    with open(f"{path}.lock", "w", encoding="ascii") as lock:
        # Whoever comes second waits here until the first one's daemon listens.
        fcntl.flock(lock, fcntl.LOCK_EX)
        link = connect(path)
        if link is not None:
            return link
        if os.path.lexists(path):
            os.unlink(path)
        _start(state, environ)
        link = connect(path)
    if link is None:
        raise _not_there(state)
    return link


def _not_there(state: str) -> AttachError:
    """Returns why a daemon that was started does not listen: the program was replaced since this process began, or it ended."""
    try:
        with open(os.path.join(state, "daemon.lock"), encoding="utf-8") as lock:
            version = lock.read().strip().rpartition("version ")[2]
    except OSError:
        version = ""
    if version in {"", __version__}:
        return AttachError("The daemon started and ended again at once.", _tail(state))
    return AttachError(
        f"Specthread is version {version} by now; this program is version {__version__}.", "Restart the editor, or its language server."
    )


def _start(state: str, environ: Mapping[str, str]) -> None:
    """Starts a daemon of its own session and returns when it listens."""
    import subprocess  # noqa: PLC0415  only needed when the daemon does not run yet

    _make_private(state)
    ready, tell = os.pipe()
    command = [sys.executable, "-m", "specthread", "daemon", "run", "--ready-fd", str(tell)]
    with open(_early_log(state), "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(tell,),
            start_new_session=True,
            cwd=state,
            env={**environ, "SPECTHREAD_STATE": state},
        )
    os.close(tell)
    try:
        said = _wait_ready(ready)
    except BaseException:  # Ctrl-C, or a demo that is terminated: a daemon that nobody waits for any more would stay for ever
        process.kill()
        process.wait()
        raise
    if said is None:
        process.kill()
        raise AttachError(f"The daemon did not answer within {START_SECONDS:.0f} seconds and was stopped.", _tail(state))
    if said != b"ready":
        process.wait()
        reason = json.loads(said) if said else {}
        raise AttachError(reason.get("message", "The daemon could not start."), reason.get("hint") or _tail(state))
    # The daemon outlives its starter; it is not a child to wait for.
    process.returncode = 0


def _wait_ready(ready: int) -> bytes | None:
    """Returns all the daemon said before it closed the pipe, or None when it said nothing in time."""
    import select  # noqa: PLC0415  only needed when the daemon does not run yet
    import time  # noqa: PLC0415  the same

    said = b""
    end = time.monotonic() + START_SECONDS
    try:
        while select.select([ready], [], [], max(0.0, end - time.monotonic()))[0]:
            part = os.read(ready, 4096)
            if not part:
                return said
            said += part
    finally:
        os.close(ready)
    return None


def _early_log(state: str) -> str:
    return os.path.join(state, "daemon.start.log")


def _tail(state: str) -> str:
    try:
        with open(_early_log(state), encoding="utf-8", errors="replace") as log:
            last = log.read()[-_TAIL:].strip()
    except OSError:
        last = ""
    return f"Its last words were:\n{last}" if last else "It left no message; `specthread doctor` looks for the usual causes."
