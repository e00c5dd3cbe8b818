"""The command line, JSON-RPC and an editor's command are three doors to one path: what they ask makes the same events."""

from __future__ import annotations

import os

from specthread import shim
from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.model import Limits
from specthread.domain.run_options import RunOptions
from support.fake_daemon import Daemon
from support.fake_engine import ADA, ID
from support.lsp_client import editing
from support.rpc_client import calling


def path():
    return shim.socket_path(shim.state_folder(os.environ))


def whole(folder, ask):
    """Starts a SpecTask by `ask`, says yes to a task by it, pauses and resumes; returns the events with who caused them."""
    folder.mkdir()
    with Daemon(folder) as daemon:
        engine = daemon.engine
        for step in (engine.create(), engine.plan(), engine.approve()):
            daemon.do(step)
        before = len(engine.envelopes)
        ask(daemon, "run", "")
        daemon.do(engine.record())
        one_by_one = c.StartImplementation(spectask=ID, limits=Limits(), options=RunOptions(interactive=True))
        daemon.do(engine.do(one_by_one, ADA))
        daemon.do(engine.record())
        ask(daemon, "run", "1")
        daemon.do(engine.record())
        daemon.do(engine.do(reports.StartSession(spectask=ID, task="1")))
        ask(daemon, "pause", "")
        ask(daemon, "resume", "")
        return [(type(each.event).__name__, str(each.actor), getattr(each.event, "task", None)) for each in engine.envelopes[before:]]


def by_json_rpc(daemon, verb, task):
    async def call():
        async with calling(path()) as caller:
            named = {"id": ID, **({"tasks": [task]} if task else {})} if verb == "run" else {"target": ID}
            assert "result" in await caller.call(verb, **named)

    daemon.do(call())


def by_editor(daemon, verb, task):
    async def call():
        before = len(daemon.engine.envelopes)
        async with editing(path(), daemon.engine.desk().parent) as editor:
            name = {"run": "start-task" if task else "start"}.get(verb, verb)
            await editor.command(name, {"id": ID, **({"task": task} if task else {})})
            await editor.until(lambda: len(daemon.engine.envelopes) > before)

    daemon.do(call())


def test_the_same_work_makes_the_same_events_whichever_way_it_is_asked_for(environ, cli):
    def by_command_line(_, verb, task):
        said = cli(verb, ID, *(["--task", task] if task else []))
        assert said.code == 0, said.err

    typed, called, pressed = (whole(environ / name, ask) for name, ask in (("a", by_command_line), ("b", by_json_rpc), ("c", by_editor)))
    assert typed == called == pressed
    assert [kind for kind, actor, _ in typed if actor.startswith("human")] == [
        "ImplementationStarted",
        "ImplementationStarted",
        "TaskAllowed",
        "SpecTaskPaused",
        "PlaceAwaited",
        "SpecTaskResumed",
    ]
