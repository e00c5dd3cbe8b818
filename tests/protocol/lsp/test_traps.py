"""Where pygls alone would harm a daemon that serves many editors: each trap was met, and stays closed."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref

import pytest

from specthread.domain import commands as c
from specthread.protocol import wire
from specthread.protocol.lsp import connection, frames
from support.fake_engine import ADA, ID, serving
from support.lsp_client import RICH, editing


async def test_two_editors_each_get_their_own_answers(path, tmp_path):
    async with editing(path, tmp_path) as first, editing(path, tmp_path) as second:
        answers = await asyncio.gather(
            *(editor.ask("specthread/show", {"id": name}) for editor, name in [(first, ID), (second, "nobody")] * 20)
        )
        assert ["result" in answer for answer in answers] == [True, False] * 20


@pytest.mark.parametrize("goodbye", [["shutdown", "exit"], ["exit"], []], ids=["in order", "without shutdown", "just gone"])
async def test_an_editor_that_goes_takes_nobody_with_it(path, tmp_path, goodbye):
    async with editing(path, tmp_path) as stays:
        async with editing(path, tmp_path) as goes:
            if "shutdown" in goodbye:
                await goes.get("shutdown")
            if "exit" in goodbye:
                goes.notify("exit")
        assert "result" in await stays.ask("specthread/list", {})


async def test_after_exit_the_connection_ends(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.get("shutdown")
        editor.notify("exit")
        await asyncio.wait_for(editor._task, 5)


async def test_params_keep_their_names_whatever_these_are(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        answer = await editor.ask("specthread/show", {"id": ID, "task-id": 1, "class": 2})
        assert answer["error"]["message"] == "specthread/show knows no parameter `task-id`."


async def test_a_nested_jsonrpc_key_is_text_like_any_other(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        answer = await editor.ask("specthread/show", {"id": ID, "trace": {"jsonrpc": "2.0", "id": 1, "method": "exit"}})
        assert answer["error"]["message"] == "specthread/show knows no parameter `trace`."
        assert "result" in await editor.ask("specthread/list", {})


async def test_a_request_under_way_can_be_cancelled_and_is_answered_once(engine, tmp_path, monkeypatch):
    waiting = asyncio.Event()

    async def submit(_):
        waiting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "submit", submit)
    async with serving(engine, tmp_path) as path, editing(path, tmp_path) as editor:
        answer = editor.ask_nowait("specthread/pause", {"target": ID})
        await asyncio.wait_for(waiting.wait(), 5)
        editor.notify("$/cancelRequest", {"id": 2})
        assert (await answer)["error"]["code"] == -32800
        assert [message["id"] for message in editor.heard if message.get("id") == 2] == [2]


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{nonsense", -32700), (b"[" * 100_000, -32700), (b"[]", -32600), (b"3", -32600), (b'{"id": 1, "method": "shutdown"}', -32600)],
)
async def test_what_is_no_message_is_answered_and_the_connection_goes_on(path, tmp_path, body, code):
    async with editing(path, tmp_path) as editor:
        editor.send_body(body)
        await editor.until(lambda: any(message.get("error", {}).get("code") == code for message in editor.heard))
        assert "result" in await editor.ask("specthread/list", {})


@pytest.mark.parametrize("method", ["textDocument/didOpen", "textDocument/didChange", "window/workDoneProgress/cancel"])
@pytest.mark.parametrize("params", [None, {}, {"textDocument": 3}, [1]])
async def test_notifications_of_the_wrong_shape_harm_nobody(path, tmp_path, method, params):
    async with editing(path, tmp_path) as editor:
        editor.notify(method, params)
        assert "result" in await editor.ask("specthread/list", {})


async def test_requests_of_the_wrong_shape_are_answered(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        assert "error" in await editor.ask("textDocument/codeLens", {"textDocument": 3})
        assert "error" in await editor.ask("textDocument/unheardOf", {})


@pytest.mark.parametrize("head", [b"Content-Length: 99999999999\r\n\r\n", b"Hello\r\n\r\n", b"x" * 5_000_000])
async def test_a_stream_that_makes_no_sense_ends_its_own_connection_only(path, tmp_path, head):
    async with editing(path, tmp_path) as stays, editing(path, tmp_path) as broken:
        broken.writer.write(head)
        await asyncio.wait([broken._task], timeout=5)
        assert broken._task.done()
        assert "result" in await stays.ask("specthread/list", {})


async def test_a_request_before_initialize_harms_nobody(path, tmp_path):
    async with editing(path, tmp_path, start=False) as editor:
        assert (await editor.ask("textDocument/codeLens", {"textDocument": {"uri": "file:///x"}})).get("result", []) == []
        editor.notify("textDocument/didOpen", {"textDocument": {"uri": "file:///x", "languageId": "markdown", "version": 1, "text": ""}})
        await editor.start(tmp_path, {})
        assert "result" in await editor.ask("specthread/list", {})


async def test_an_editor_that_never_reads_costs_nobody_anything(engine, path, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "SOFT_LIMIT", 64 * 1024)
    async with editing(path, tmp_path, capabilities=RICH) as stuck, editing(path, tmp_path, capabilities=RICH) as well:
        for editor in (stuck, well):
            await editor.get("specthread/subscribe", {})
        stuck._task.cancel()
        stuck.reader._transport.pause_reading()
        for number in range(300):
            remark = c.Remark(comment=f"c-{number}", quote="", section="", line=1, text="x" * 5_000)
            await engine.do(c.AddComment(spectask=ID, document="design", remark=remark), ADA)
        await well.until(lambda: len(well.notes("specthread/event")) == 300)


async def test_a_connection_that_ended_is_forgotten(engine, tmp_path, monkeypatch):
    made = []
    build = connection.LspConnection.__init__

    def noted(self, *arguments, **named):
        made.append(weakref.ref(self))
        build(self, *arguments, **named)

    monkeypatch.setattr(connection.LspConnection, "__init__", noted)
    async with serving(engine, tmp_path) as path:
        for _ in range(5):
            async with editing(path, tmp_path) as editor:
                await editor.get("specthread/list", {})
        async with editing(path, tmp_path) as last:
            await last.get("specthread/list", {})
            await asyncio.sleep(0.05)
            gc.collect()
            assert sum(each() is not None for each in made) == 1


async def test_bodies_do_not_reach_the_log(path, tmp_path, caplog):
    async with editing(path, tmp_path) as editor:
        await editor.ask("specthread/show", {"id": "sk-ant-secret"})
    assert "sk-ant-secret" not in caplog.text


async def test_events_and_texts_reach_a_client_that_follows(engine, path, tmp_path):
    async with editing(path, tmp_path, capabilities=RICH) as editor:
        subscribed = await editor.get("specthread/subscribe", {"since": 0})
        assert subscribed == {"instance": "log-1", "seq": 0, "fresh": False}
        await editor.until(lambda: len(editor.notes("specthread/event")) == len(engine.envelopes))
        assert [event["seq"] for event in editor.notes("specthread/event")] == list(range(1, len(engine.envelopes) + 1))
        first = editor.heard.index(next(message for message in editor.heard if message.get("method") == "specthread/event"))
        assert any(message.get("result") == subscribed for message in editor.heard[:first])
        engine.stream(f"{ID}/plan-1", "Reading")
        await editor.until(lambda: editor.notes("specthread/tick") == [{"run": f"{ID}/plan-1", "text": "Reading"}])


async def test_errors_carry_the_code_and_the_way_on(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        error = (await editor.ask("specthread/show", {"id": "nobody"}))["error"]
        assert (error["code"], error["data"]["code"], bool(error["data"]["hint"])) == (wire.REFUSED, "unknown-id", True)
        assert json.dumps(error)
