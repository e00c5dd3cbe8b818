from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from specthread import shim
from specthread.cli.client import Client
from specthread.protocol import wire_params, wire_result
from support.fake_daemon import Daemon
from support.fake_engine import ID


def client(**more):
    return Client(os.environ, cwd=Path.cwd(), **more)


def test_a_client_that_may_not_start_a_daemon_finds_none(environ):
    assert client(start=False).attach() is False
    with pytest.raises(shim.AttachError, match="No daemon runs"):
        client(start=False).ask("list", wire_params.ListParams(), wire_result.ListResult)


def test_a_lost_connection_is_attached_again_and_the_daemon_started(environ, program):
    connection = client()
    first = connection.ask("status", wire_params.NoParams(), wire_result.StatusResult)
    os.kill(first.pid, signal.SIGKILL)
    again = connection.ask("status", wire_params.NoParams(), wire_result.StatusResult)
    assert again.pid != first.pid
    assert again.instance == first.instance


def test_notes_that_come_before_an_answer_are_kept(daemon):
    daemon.do(daemon.engine.create())
    connection = client()
    connection.watch(ID)
    daemon.do(daemon.engine.plan())
    connection.ask("list", wire_params.ListParams(), wire_result.ListResult)
    kinds = []
    while (note := connection.next_note(1.0)) is not None:
        kinds.append(note["params"]["kind"])
        if kinds[-1] == "PlanningFinished":
            break
    assert kinds[0] == "DocumentEdited"
    assert connection.seen == len(daemon.engine.envelopes)


def test_who_follows_is_told_when_the_daemon_is_stopped(environ):
    with Daemon(environ) as daemon:
        daemon.do(daemon.engine.create())
        connection = client()
        connection.watch(ID)
    assert [connection.next_note(1.0)["method"]] == ["specthread/stopping"]
