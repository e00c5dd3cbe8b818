"""The command line, JSON-RPC and an editor's command are three doors to one path: what they ask makes the same events."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from specthread import shim
from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.model import Limits
from specthread.domain.run_options import RunOptions
from support.fake_daemon import Daemon
from support.fake_engine import ADA
from support.lsp_client import editing
from support.rpc_client import calling

ID = "task-0000"
WS_1 = RunId(f"{ID}/ws-1")
PROMPT = "Add JSON output."


class Ask(NamedTuple):
    """One wish of a person as it is typed, called, and chosen in an editor, where a box may ask whether it is meant."""

    typed: tuple[str, ...]
    called: dict[str, Any]
    chosen: tuple[str, dict[str, str]]
    button: str = ""


def path():
    return shim.socket_path(shim.state_folder(os.environ))


def play(folder, ask):
    """A whole SpecTask of which every wish of the person goes by `ask`; returns all events with who caused them and what about."""
    folder.mkdir()
    with Daemon(folder) as daemon:
        engine = daemon.engine
        ask(daemon, Ask(("new", PROMPT), {"prompt": PROMPT, "path": str(Path.cwd())}, ("new-task", {"text": PROMPT})))
        daemon.do(engine.plan(ID))
        engine.place(ID)
        about = {"id": ID, "file": "design.md", "line": 1, "text": "Why?"}
        named = {"id": ID, "document": "design", "line": "1", "text": "Why?"}
        ask(daemon, Ask(("comment", ID, "design.md:1", "-m", "Why?"), about, ("comment", named)))
        for name, document in engine.visible.spectasks[ID].documents.items():
            digest = str(document.digest)
            exact = {"id": ID, "documents": [{"document": name, "digest": digest}]}
            ask(daemon, Ask(("approve", ID, f"{name}@{digest}"), exact, ("approve", {"id": ID, "document": name, "digest": digest})))
            daemon.do(engine.record(ID))
        ask(daemon, Ask(("run", ID), {"id": ID}, ("start", {"id": ID})))
        daemon.do(engine.record(ID))
        one_by_one = c.StartImplementation(spectask=ID, limits=Limits(), options=RunOptions(interactive=True))
        daemon.do(engine.do(one_by_one, ADA))
        daemon.do(engine.record(ID))
        ask(daemon, Ask(("run", ID, "--task", "1"), {"id": ID, "tasks": ["1"]}, ("start-task", {"id": ID, "task": "1"})))
        daemon.do(engine.record(ID))
        daemon.do(engine.do(reports.StartSession(spectask=ID, task="1")))
        work(daemon, ask)
        return [told(each) for each in engine.envelopes]


def work(daemon, ask):
    """What a person says of work under way."""
    engine = daemon.engine
    on_run, on_task = {"target": WS_1}, {"target": ID}
    ask(
        daemon,
        Ask(("say", WS_1, "Mind the tests."), {**on_run, "text": "Mind the tests."}, ("say", {"run": WS_1, "text": "Mind the tests."})),
    )
    ask(
        daemon,
        Ask(("spawn", ID, "Draw a logo."), {**on_task, "text": "Draw a logo."}, ("spawn-session", {"id": ID, "text": "Draw a logo."})),
    )
    daemon.do(engine.do(reports.AskQuestion(spectask=ID, run=WS_1, question="q1", kind="question", text="Which colour?")))
    ask(daemon, Ask(("answer", WS_1, "Red"), {**on_run, "text": "Red"}, ("answer", {"run": WS_1, "text": "Red"})))
    daemon.do(engine.record(ID))
    for verb in ("pause", "resume"):
        ask(daemon, Ask((verb, ID), on_task, (verb, {"id": ID})))
    ask(daemon, Ask(("cancel", WS_1), on_run, ("cancel", {"id": ID, "run": WS_1}), "Cancel it"))
    ask(daemon, Ask(("retry", WS_1), on_run, ("retry", {"id": ID, "run": WS_1})))
    ask(daemon, Ask(("cancel", ID), on_task, ("cancel", {"id": ID}), "Cancel it"))


def told(envelope):
    event = envelope.event
    return type(event).__name__, str(envelope.actor), *(getattr(event, name, None) for name in ("run", "task", "document", "text"))


def by_json_rpc(daemon, wish):
    async def call():
        async with calling(path()) as caller:
            answer = await caller.call(wish.typed[0], **wish.called)
            assert "result" in answer, answer

    daemon.do(call())


def by_editor(daemon, wish):
    async def call():
        before = len(daemon.engine.envelopes)
        async with editing(path(), daemon.engine.desk(ID)) as editor:
            name, arguments = wish.chosen
            pressed = editor.ask_nowait("workspace/executeCommand", {"command": f"specthread.{name}", "arguments": [arguments]})
            if wish.button:
                editor.press(await editor.asked(""), wish.button)
            await pressed
            await editor.until(lambda: len(daemon.engine.envelopes) > before)

    daemon.do(call())


def test_the_same_work_makes_the_same_events_whichever_way_it_is_asked_for(environ, cli):
    def by_command_line(_, wish):
        said = cli(*wish.typed)
        assert said.code == 0, said.err

    typed, called, chosen = (play(environ / name, ask) for name, ask in (("a", by_command_line), ("b", by_json_rpc), ("c", by_editor)))
    assert typed == called == chosen
    assert {kind for kind, actor, *_ in typed if actor.startswith("human")} >= {
        "SpecTaskCreated",
        "CommentAdded",
        "SpecApproved",
        "ImplementationStarted",
        "TaskAllowed",
        "MessageSent",
        "SessionSpawned",
        "QuestionAnswered",
        "SpecTaskPaused",
        "SpecTaskResumed",
        "RunCancelled",
        "SessionStarted",
        "SpecTaskCancelled",
    }
