"""The door of a session: whoever comes in is that session, whatever it says; from inside a real sandbox, too."""

from __future__ import annotations

import asyncio
import json
import os
import stat

import pytest

from specthread import __version__
from specthread.agents import sandbox
from specthread.agents.mounts import interpreter_mounts
from specthread.domain.commands import AnswerQuestion
from specthread.engine.doors import INSIDE
from specthread.protocol import wire
from support.door import OTHER, RUN, a_door
from support.fake_engine import ADA, ID
from support.rpc_client import calling


async def test_it_reads_its_own_spectask_without_naming_it(tmp_path):
    async with a_door(tmp_path) as (_, mount), calling(str(mount.source), role="mcp") as inside:
        assert (await inside.call("show"))["result"]["id"] == ID
        assert (await inside.call("show", id=ID[:5]))["result"]["id"] == ID
        assert {each["name"] for each in (await inside.call("review"))["result"]["documents"]} == {"requirements", "design", "tasks"}
        assert "result" in await inside.call("trace")


@pytest.mark.parametrize("role", ["mcp", "rpc", "lsp"])
async def test_another_spectask_and_all_that_needs_a_person_is_refused_whatever_role_is_claimed(tmp_path, role):
    async with a_door(tmp_path) as (place, mount), calling(str(mount.source), role=role) as inside:
        before = place.engine.visible
        error = (await inside.call("show", id=OTHER))["error"]
        assert error["data"]["code"] == "other-spectask"
        assert error["message"] == f"This is the door of ws-1 of {ID}: nothing else is read or changed through it."
        allowed = {"show", "review", "trace", "report", "watch", "note", "ask"}
        for method in sorted(set(wire.METHODS) - {f"specthread/{verb}" for verb in allowed}):
            for params in ({"id": ID}, {"target": ID, "text": "Yes"}):
                error = (await inside.call(method.removeprefix("specthread/"), **params))["error"]
                assert error["data"]["code"] == "not-through-the-door"
        for params in ({"id": [ID]}, {"id": {"a": 1}}, {"id": 7}):
            assert (await inside.call("show", **params))["error"]["data"]["code"] == "other-spectask"
        assert place.engine.visible is before


async def test_what_it_notes_is_noted_as_the_session(tmp_path):
    async with a_door(tmp_path) as (place, mount), calling(str(mount.source), role="mcp", client="Ada") as inside:
        done = await inside.call("note", kind="progress", text="Half of it.")
        assert done["result"]["text"] == "ws-1: Half of it."
        (note,) = place.engine.visible.spectasks[ID].notes
        assert (note.run, note.by) == (RUN, RUN)
        assert str(place.engine.envelopes[-1].actor) == f"session:{RUN}"


async def test_its_question_is_the_sessions_and_is_answered_when_git_holds_the_answer(tmp_path):
    async with a_door(tmp_path) as (place, mount), calling(str(mount.source), role="mcp") as inside:
        asked = (await inside.call("ask", question="Tabs, correct horse?", choices=["Yes", "No"]))["result"]
        run = place.engine.visible.spectasks[ID].sessions[RUN]
        assert (run.state, run.question.id, run.question.text, asked["answer"]) == (
            "waiting",
            asked["question"],
            "Tabs, [redacted]?",
            "",
        )
        await place.engine.do(AnswerQuestion(spectask=ID, run=RUN, answer="No"), ADA)
        assert (await inside.call("ask", question="Tabs,  correct horse?"))["result"]["answer"] == ""
        await place.engine.record()
        assert (await inside.call("ask", question="Tabs, correct horse?"))["result"]["answer"] == "No"


async def test_its_tools_are_used_through_it(tmp_path):
    async with a_door(tmp_path) as (place, mount), calling(str(mount.source), role="mcp") as inside:
        told = (await inside.call("tools"))["result"]
        assert (told["run"], [each["name"] for each in told["tools"]]) == (RUN, ["coordinate", "finish"])

        async def use(name, key="key-of-a-call", **given):
            return (await inside.call("use", name=name, input=given, key=key))["result"]

        assert await use("coordinate", action="spawn", text="Write it") == {"text": "ws-3 was spawned.", "wrong": False}
        assert place.calls == [("door/door-key-of-a-call", {"action": "spawn", "text": "Write it"})]
        assert (await use("coordinate", action="wait"))["text"].startswith("It waits for other sessions.")
        assert (await use("approve", id=ID))["wrong"]
        assert (await use("finish"))["text"] == "`finish` needs `summary`."
        place.missing = "There is an open question."
        assert await use("finish", summary="Done.") == {"text": "There is an open question.", "wrong": True}
        place.missing = None
        assert (await use("finish", summary="Done, with correct horse."))["text"].startswith("Taken.")
        assert place.claims == ["Done.", "Done, with [redacted]."]


async def test_garbage_is_answered_and_the_door_stays_open(tmp_path):
    async with a_door(tmp_path) as (_, mount), calling(str(mount.source), role="mcp") as inside:
        for raw in (b"{nonsense", b"\xff", b"[" * 10_000, b'{"jsonrpc": "2.0", "id": 1, "method": "specthread/show", "params": [1]}'):
            await inside.send(raw)
            assert "error" in await inside.line()
        assert "result" in await inside.call("show")


async def test_when_the_door_is_closed_whoever_came_in_is_out(tmp_path):
    async with a_door(tmp_path) as (place, _):
        async with place.doors.open(place.insider, tmp_path / "second") as mount:
            reader, writer = await asyncio.open_unix_connection(mount.source)
            hello = {"specthread": 1, "role": "mcp", "version": __version__, "cwd": "/", "client": "x", "pid": 1}
            writer.write(json.dumps(hello).encode() + b"\n")
            await reader.readline()
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        assert not mount.source.exists()
        writer.close()


async def test_only_its_user_comes_near_it_however_long_its_path_is(tmp_path):
    folder = tmp_path / ("a" * 100) / "private"
    async with a_door(tmp_path, folder) as (_, mount):
        assert len(str(mount.source)) > 107
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(mount.source.stat().st_mode) == 0o600
        assert stat.S_ISSOCK(mount.source.stat().st_mode)


FROM_INSIDE = """
import json, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect("%s")
lines = link.makefile("rw")
def say(message):
    lines.write(json.dumps(message) + "\\n"); lines.flush()
    return json.loads(lines.readline())
say({"specthread": 1, "role": "rpc", "version": "%s", "cwd": "/", "client": "agent", "pid": 1})
def call(method, **params):
    answer = say({"jsonrpc": "2.0", "id": 1, "method": "specthread/" + method, "params": params})
    return answer.get("result", {}).get("id") or answer["error"]["data"]["code"]
print(call("show"), call("show", id="other-work-2222"), call("approve", id="x", documents=[]), call("stop"))
"""


@pytest.mark.skipif(not sandbox.probe().available, reason="no bubblewrap here")
async def test_a_sandbox_is_shown_the_door_and_nothing_else_of_the_folder(tmp_path):
    async with a_door(tmp_path) as (_, mount):
        (mount.source.parent / "secret").write_text("key")
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "inside.py").write_text(FROM_INSIDE % (INSIDE, __version__))
        path = os.environ["PATH"].split(os.pathsep)
        work = sandbox.Mount(source=tmp_path / "work", target="/project", writable=True)
        profile = sandbox.SandboxProfile(
            mounts=(*interpreter_mounts(path, ()), work, mount), cwd="/project", environment={"PATH": os.pathsep.join(path)}
        )
        command = f"python3 inside.py; rm -f {INSIDE}; echo x > {INSIDE}; ls {mount.source.parent}"
        told = await sandbox.run(command, profile, timeout=60)
        assert f"{ID} other-spectask not-through-the-door not-through-the-door" in told.output, told.output
        assert "secret" not in told.output
        assert mount.source.is_socket()
