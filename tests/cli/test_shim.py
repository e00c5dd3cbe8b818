from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from specthread import __version__, shim


def test_the_state_folder_follows_the_environment():
    assert shim.state_folder({"HOME": "/h"}) == "/h/.local/state/specthread"
    assert shim.state_folder({"HOME": "/h", "XDG_STATE_HOME": "/x"}) == "/x/specthread"
    assert shim.state_folder({"HOME": "/h", "SPECTHREAD_STATE": "/elsewhere"}) == "/elsewhere"


def test_the_socket_is_short_private_and_names_the_version(environ):
    path = Path(shim.socket_path("/a/state/folder/" + "x" * 300))
    assert path.parent == Path(f"/tmp/specthread-{os.getuid()}")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.name.endswith(f"-{__version__}.sock")
    assert len(str(path)) < 108


def test_the_socket_lies_in_the_state_folder_where_its_path_is_short_enough(environ):
    state = str(environ / "state")
    assert shim.socket_path(state).startswith(f"{state}/run/")


def test_two_state_folders_have_two_sockets(environ):
    assert shim.socket_path(str(environ / "a")) != shim.socket_path(str(environ / "b"))


def test_a_socket_folder_that_others_can_write_to_is_closed_to_them(environ):
    folder = environ / "state" / "run"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    shim.socket_path(str(environ / "state"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_socket_folder_that_is_a_link_is_not_trusted(environ):
    (environ / "state").mkdir()
    (environ / "state" / "run").symlink_to(environ / "home")
    with pytest.raises(shim.AttachError, match="not yours"):
        shim.socket_path(str(environ / "state"))


def test_nobody_listening_is_none_and_no_error(environ):
    assert shim.connect(str(environ / "nothing.sock")) is None


def test_the_welcome_is_read_to_its_end_and_no_byte_further():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b'{"instance": "i"}\nrest')
        assert shim.greet(ours, role="rpc", client="test", cwd="/") == {"instance": "i"}
        assert ours.recv(10) == b"rest"
        assert b'"client": "test"' in theirs.recv(1000)


def test_a_daemon_that_hangs_up_is_an_error_with_advice():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(shim.GoneError, match="closed the connection") as raised:
        shim.greet(ours, role="rpc", client="test", cwd="/")
    assert "logs" in raised.value.hint


def test_a_daemon_that_hangs_is_told_with_the_way_out(monkeypatch):
    monkeypatch.setattr(shim, "WELCOME_SECONDS", 0.05)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(shim.AttachError, match="does not answer") as raised:
        shim.greet(ours, role="rpc", client="test", cwd="/")
    assert "pkill" in raised.value.hint


def test_a_relative_state_folder_is_the_same_from_everywhere(environ, monkeypatch):
    state = shim.state_folder({**os.environ, "SPECTHREAD_STATE": "states/mine"})
    monkeypatch.chdir("/")
    assert shim.state_folder({**os.environ, "SPECTHREAD_STATE": "states/mine"}) == state == str(environ / "home" / "states" / "mine")


def test_a_start_that_is_interrupted_leaves_no_daemon_behind(environ, monkeypatch):
    started = []
    popen = subprocess.Popen

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: started.append(popen(*args, **options)) or started[-1])
    monkeypatch.setattr(shim, "_wait_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shim.attach(shim.state_folder(os.environ), os.environ)
    assert [process.poll() for process in started] == [-signal.SIGKILL]
    assert environ


def test_many_clients_at_once_start_one_daemon(environ, program):
    state = shim.state_folder(os.environ)

    def pid(_):
        with shim.attach(state, os.environ) as link:
            return shim.greet(link, role="rpc", client="test", cwd="/")["pid"]

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(pid, range(6)))) == 1
    assert stat.S_IMODE(Path(shim.socket_path(state)).stat().st_mode) == 0o600


LOADED = "import sys; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))"


def modules_of(module):
    done = subprocess.run([sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_shim_loads_only_light_parts_of_the_standard_library():
    heavy = {"asyncio", "pathlib", "subprocess", "dataclasses", "pydantic", "typer", "rich", "logging", "tempfile"}
    assert not modules_of("specthread.shim") & heavy


def test_the_daemon_starts_without_what_only_some_work_needs():
    heavy = {"anthropic", "pygls", "fastapi", "mcp", "acp", "typer", "networkx", "genai_prices"}
    assert not {name.partition(".")[0] for name in modules_of("specthread.daemon")} & heavy


def test_the_version_is_printed_without_loading_anything():
    code = "import sys; sys.argv = ['specthread', '--version']; from specthread.__main__ import main\ntry: main()\nexcept SystemExit: print('typer' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == f"specthread {__version__}\nFalse\n"
    )
