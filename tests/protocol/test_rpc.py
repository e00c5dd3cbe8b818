from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from dataclasses import replace

import pytest

from specthread import __version__
from specthread.domain import commands as c
from specthread.domain import planned, reports
from specthread.protocol import follow, gate, wire
from support.fake_engine import ADA, ID, FakeEngine, fake_ports, serving
from support.rpc_client import Caller, calling


@pytest.fixture
async def engine(tmp_path):
    return FakeEngine(tmp_path)


@pytest.fixture
async def path(engine, tmp_path):
    async with serving(engine, tmp_path) as path:
        yield path


async def test_a_hello_is_answered_with_the_instance_and_the_sequence_number(path):
    async with calling(path) as caller:
        assert caller.welcome == {"specthread": 1, "version": __version__, "pid": os.getpid(), "instance": "log-1", "seq": 0}


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1", b"[]", b'{"specthread": 1}', b"\xff\xfe", b"[" * 100_000])
async def test_a_stranger_is_told_so_and_turned_away(path, first):
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(first + b"\n")
    assert "hello" in json.loads(await reader.readline())["error"]["message"]
    assert await reader.read() == b""
    writer.close()


async def test_a_client_of_another_version_is_told_what_to_do(path):
    async with calling(path, version="9.9.9") as caller:
        assert caller.welcome["error"]["code"] == "other-version"
        assert "9.9.9" in caller.welcome["error"]["message"]
        assert "daemon stop" in caller.welcome["error"]["hint"]


async def test_a_line_that_is_not_json_is_answered_and_the_connection_goes_on(path):
    async with calling(path) as caller:
        for raw in (b"{nonsense", b"\xff", b"[" * 100_000, b'{"a":' * 2000):
            await caller.send(raw)
            answer = await caller.line()
            assert (answer["id"], answer["error"]["code"]) == (None, -32700)
        assert "result" in await caller.call("list")


@pytest.mark.parametrize(
    "message", ['{"id": 1}', "[]", "3", '{"jsonrpc": "2.0", "id": 1, "method": "x", "params": [1]}', '{"jsonrpc":"1.0","method":"x"}']
)
async def test_json_that_is_no_request_is_answered_as_invalid(path, message):
    async with calling(path) as caller:
        await caller.send(message.encode())
        assert (await caller.line())["error"]["code"] == -32600


async def test_an_unknown_method_is_named(path):
    async with calling(path) as caller:
        error = (await caller.call("dance"))["error"]
        assert (error["code"], error["message"]) == (-32601, "There is no method specthread/dance.")


@pytest.mark.parametrize(
    ("method", "params", "sentence"),
    [
        ("show", {}, "specthread/show needs the parameter `id`."),
        ("show", {"id": ID, "colour": "red"}, "specthread/show knows no parameter `colour`."),
        ("comment", {"id": ID, "file": "design", "line": "four", "text": "x"}, "The parameter `line` should be a valid integer"),
        ("comment", {"id": ID, "file": "design", "line": 0, "text": "x"}, "The parameter `line` should be greater than or equal to 1."),
        ("new", {"prompt": "  \n", "path": "/"}, "The prompt must not be empty."),
        ("new", {"prompt": "x" * 200_000, "path": "/"}, "The prompt is 200 kB long; at most 100 kB are taken"),
        ("new", {"prompt": "a\0b", "path": "/"}, "The prompt must not contain a NUL character."),
        ("new", {"prompt": "\ud800", "path": "/"}, "The prompt "),
        ("approve", {"id": ID, "documents": [{"document": "design", "digest": "xyz"}]}, "The parameter `documents.0.digest` "),
    ],
)
async def test_bad_params_are_told_by_the_name_of_the_field(path, method, params, sentence):
    async with calling(path) as caller:
        error = (await caller.call(method, **params))["error"]
        assert error["code"] == -32602
        assert error["message"].startswith(sentence)


async def test_a_refusal_travels_with_code_sentence_and_hint(path):
    async with calling(path) as caller:
        error = (await caller.call("show", id="nothing"))["error"]
        assert error["code"] == 1001
        assert error["data"] == {
            "code": "unknown-id",
            "message": "There is no SpecTask nothing.",
            "hint": "`specthread list` shows the SpecTasks that exist.",
        }


async def test_a_failure_of_the_outside_world_has_its_own_code(path):
    async with calling(path) as caller:
        error = (await caller.call("new", prompt="Add it.", path="/nowhere"))["error"]
        assert (error["code"], error["data"]["hint"]) == (1003, "Run `git init` first.")


async def test_a_bug_is_answered_and_the_connection_goes_on(engine, tmp_path):
    def broken(_):
        raise ZeroDivisionError

    ports = replace(fake_ports(engine, tmp_path), log_lines=broken)
    async with serving(engine, tmp_path, ports=ports) as path, calling(path) as caller:
        assert (await caller.call("logs"))["error"]["code"] == -32603
        assert "result" in await caller.call("list")


async def test_a_line_over_the_limit_is_answered_and_the_connection_closed(path):
    async with calling(path) as caller:
        caller.writer.write(b"x" * (wire.LINE_LIMIT + 1) + b"\n")
        assert "4 MB" in (await caller.line())["error"]["message"]
        assert await caller.line() is None


async def test_a_request_without_an_id_gets_no_answer(path):
    async with calling(path) as caller:
        await caller.send(b'{"jsonrpc":"2.0","method":"specthread/list"}')
        assert (await caller.call("status"))["result"]["clients"] == 1


async def test_every_request_is_answered_once_and_in_order(path):
    async with calling(path) as caller:
        for number in range(100):
            await caller.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "specthread/list"}).encode())
        assert [(await caller.line())["id"] for _ in range(100)] == list(range(100))


async def test_a_repeated_key_makes_one_spectask(path, engine, tmp_path):
    async with calling(path) as caller:
        first = await caller.call("new", prompt="Add it.", path=str(tmp_path), key="k1")
        again = await caller.call("new", prompt="Add it.", path=str(tmp_path), key="k1")
    assert first["result"]["seq"] == again["result"]["seq"]
    assert len(engine.visible.spectasks) == 1


async def test_a_subscriber_gets_old_and_new_events_in_order(path, engine):
    await engine.create()
    async with calling(path) as caller:
        assert (await caller.call("subscribe", since=0))["result"] == {"instance": "log-1", "seq": 0, "fresh": False}
        await engine.plan()
        seen = [(await caller.note())["params"]["seq"] for _ in range(len(engine.envelopes))]
    assert seen == list(range(1, len(engine.envelopes) + 1))


async def test_an_event_carries_a_sentence_but_no_document_text(path, engine):
    async with calling(path) as caller:
        await caller.call("subscribe")
        await engine.create()
        await engine.plan()
        events = [(await caller.note())["params"] for _ in engine.envelopes]
    edited = next(event for event in events if event["kind"] == "DocumentEdited")
    assert edited["text"].startswith("The planner wrote requirements@")
    assert "content" not in edited["payload"]
    assert edited["actor"] == f"session:{ID}/plan-1"


async def test_a_subscriber_of_another_log_starts_from_the_beginning(path, engine):
    await engine.create()
    async with calling(path) as caller:
        assert (await caller.call("subscribe", since=77, instance="log-0"))["result"] == {"instance": "log-1", "seq": 0, "fresh": True}
        assert (await caller.note())["params"]["seq"] == 1


async def test_half_a_character_is_replaced_and_stops_nothing(path, engine):
    await engine.create()
    await engine.plan()
    async with calling(path) as caller:
        await caller.call("subscribe")
        await engine.do(c.RequestChanges(spectask=ID, message="half \ud83d of it"), ADA)
        assert "half \ufffd of it" in (await caller.note())["params"]["text"]
        assert "result" in await caller.call("show", id=ID)


async def test_watch_sends_the_events_and_texts_of_one_spectask(path, engine):
    await engine.create()
    await engine.create("other-aaaa", "Something else.")
    async with calling(path) as caller:
        await caller.call("watch", id="add", since=0)
        engine.stream("other-aaaa/plan-1", "not this")
        engine.stream(f"{ID}/plan-1", "writing")
        notes = [await caller.note() for _ in range(3)]
    assert {note["params"].get("spectask", ID) for note in notes} == {ID}
    assert notes[-1] == {"jsonrpc": "2.0", "method": "specthread/tick", "params": {"run": f"{ID}/plan-1", "text": "writing"}}


async def test_a_client_that_never_reads_holds_up_nobody_and_is_told_to_resync(path, engine, monkeypatch):
    monkeypatch.setattr(follow, "RESYNC_LAG", 50)
    await engine.create()
    await engine.plan()
    async with calling(path) as deaf, calling(path) as other:
        await deaf.call("subscribe")
        deaf.reader._transport.pause_reading()
        for number in range(600):
            remark = c.Remark(comment=f"c-{number}", quote="", section="", line=1, text="x" * 5000)
            await engine.do(c.AddComment(spectask=ID, document="design", remark=remark), ADA)
            await asyncio.sleep(0)
        assert "result" in await other.call("list")
        deaf.reader._transport.resume_reading()
        note = await deaf.note()
        while note["method"] != "specthread/resync":
            note = await deaf.note()
    assert note["params"]["seq"] > note["params"]["since"]


async def test_a_daemon_that_stops_says_so_to_everybody(engine, tmp_path):
    async with serving(engine, tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        caller = Caller(reader, writer)
        hello = {"specthread": 1, "role": "rpc", "version": __version__, "cwd": "/", "client": "test", "pid": 1}
        await caller.send(json.dumps(hello).encode())
        await caller.line()
        await caller.call("list")
    assert (await caller.line())["method"] == "specthread/stopping"
    assert await caller.line() is None
    writer.close()


async def test_a_peer_of_another_user_is_turned_away(path, monkeypatch):
    monkeypatch.setattr(gate.os, "getuid", lambda: os.geteuid() + 1)
    link = socket.socket(socket.AF_UNIX)
    link.setblocking(False)
    await asyncio.get_running_loop().sock_connect(link, path)
    assert await asyncio.get_running_loop().sock_recv(link, 10) == b""
    link.close()


@pytest.mark.parametrize("method", ["review", "approve"])
async def test_documents_are_linted_where_nobody_waits_for_it(path, engine, monkeypatch, method):
    await engine.create()
    await engine.plan()
    await engine.write("design", f"# Design for {method}\n\n## Overview\n".encode())
    threads, real = [], planned.lint
    monkeypatch.setattr(planned, "lint", lambda *given: threads.append(threading.current_thread()) or real(*given))
    digest = engine.visible.spectasks[ID].documents["tasks"].digest
    params = {"documents": [{"document": "tasks", "digest": digest}]} if method == "approve" else {}
    async with calling(path) as caller:
        assert "result" in await caller.call(method, id=ID, **params)
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


async def test_a_feature_branch_that_somebody_moved_is_not_accepted(engine, tmp_path):
    await engine.create()
    final = replace(engine.visible.spectasks[ID], final="a" * 40)
    engine.visible = replace(engine.visible, spectasks=engine.visible.spectasks.set(ID, final))
    for tip, words in (("b" * 40, "moved spectask"), ("", "deleted spectask")):

        async def feature_tip(_, tip=tip):
            return tip

        async with (
            serving(engine, tmp_path, ports=replace(fake_ports(engine, tmp_path), feature_tip=feature_tip)) as path,
            calling(path) as caller,
        ):
            error = (await caller.call("accept", id=ID))["error"]
            assert (error["data"]["code"], words in error["message"]) == ("feature-moved", True)
            assert "git update-ref" in error["data"]["hint"]


async def test_a_number_answers_with_the_choice_it_stands_for(engine, path):
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.implement()
    run = f"{ID}/ws-1"
    await engine.do(reports.StartCall(spectask=ID, run=run, turn=1, reserve_usd=None))
    await engine.do(reports.AskQuestion(spectask=ID, run=run, question="q", kind="question", text="Which?", choices=("by name", "by time")))
    async with calling(path) as caller:
        done = (await caller.call("answer", target=ID, text="2"))["result"]
        assert done["text"].endswith("by time")


async def test_a_change_is_its_repositorys_persons_wherever_the_client_was_started(engine, tmp_path):
    await engine.create()
    await engine.plan()
    asked = []

    async def person_at(folder, _environment):
        asked.append(str(folder))
        return ADA

    async with (
        serving(engine, tmp_path, ports=replace(fake_ports(engine, tmp_path), person_at=person_at)) as path,
        calling(path, cwd="/elsewhere") as caller,
    ):
        await caller.call("comment", id=ID, file="design", line=1, text="Why?")
    assert asked == [engine.visible.spectasks[ID].repository]
