"""A message when a human is needed: once, in the editor touched last, taken back when it was settled elsewhere."""

from __future__ import annotations

import pytest

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.model import Limits
from specthread.domain.run_options import RunOptions
from support.fake_engine import ADA, ID, FakeEngine, serving
from support.lsp_client import RICH, editing, told


@pytest.fixture
async def at_work(engine):
    """Has the spec approved and two sessions under way."""
    await engine.approve()
    await engine.implement()


async def planning(tmp_path):
    engine = FakeEngine(tmp_path)
    await engine.create(repository=str(tmp_path))
    return engine


def boxes(editor):
    return editor.requests("window/showMessageRequest")


async def asks(engine, choices=("by name", "by time")):
    run = f"{ID}/ws-1"
    await engine.do(reports.StartCall(spectask=ID, run=run, turn=1, reserve_usd=None))
    await engine.do(reports.AskQuestion(spectask=ID, run=run, question="q", kind="question", text="Which order?", choices=choices))


async def test_documents_that_are_ready_are_told_with_what_can_be_done(tmp_path):
    engine = await planning(tmp_path)
    async with serving(engine, tmp_path) as path, editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        await engine.plan()
        box = await editor.asked("wait for you")
        assert [action["title"] for action in box["params"]["actions"]] == ["Open", "Approve…", "Request changes…", "Later"]
        editor.press(box, "Approve…")
        editor.press(await editor.asked("Approve exactly these words"), "Approve")
        await editor.until(lambda: engine.visible.spectasks[ID].approvals)


async def test_a_task_of_an_interactive_run_is_let_begin_in_the_box(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        options = RunOptions(interactive=True)
        await engine.do(c.StartImplementation(spectask=ID, limits=Limits(), tasks=(), options=options), ADA)
        await engine.record()
        box = await editor.asked("Task 1 waits for your yes")
        assert [action["title"] for action in box["params"]["actions"]] == ["Start task 1", "Skip it", "Later"]
        editor.press(box, "Start task 1")
        await editor.until(lambda: engine.visible.spectasks[ID].allowed == {"1"})


async def test_a_question_is_answered_in_the_box(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        await asks(engine)
        editor.press(await editor.asked("ws-1 asks: Which order?"), "by time")
        await editor.until(lambda: engine.visible.spectasks[ID].sessions[f"{ID}/ws-1"].question.answer == "by time")


async def test_the_same_need_is_asked_once_and_in_the_editor_that_was_touched_last(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path) as first, editing(path, tmp_path) as second:
        await second.get("specthread/list", {})
        await first.command("history", {"id": ID})
        await asks(engine)
        await first.asked("ws-1 asks")
        await engine.do(c.PauseSpecTask(spectask=ID), ADA)
        await engine.do(c.ResumeSpecTask(spectask=ID), ADA)
        await told(second, engine)
        assert (len(boxes(first)), len(boxes(second))) == (1, 0)


async def test_a_box_is_taken_back_when_somebody_answered_elsewhere(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        await asks(engine)
        box = await editor.asked("ws-1 asks")
        await engine.do(c.AnswerQuestion(spectask=ID, run=f"{ID}/ws-1", answer="by name"), ADA)
        await editor.until(lambda: {"id": box["id"]} in editor.notes("$/cancelRequest"))


@pytest.mark.parametrize("answer", [{"result": {"title": "by time"}}, {"error": {"code": -32800, "message": "cancelled"}}])
async def test_an_answer_to_a_box_that_was_taken_back_changes_nothing_and_ends_nothing(engine, at_work, path, tmp_path, answer):
    async with editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        await asks(engine)
        box = await editor.asked("ws-1 asks")
        await engine.do(c.AnswerQuestion(spectask=ID, run=f"{ID}/ws-1", answer="by name"), ADA)
        await editor.until(lambda: {"id": box["id"]} in editor.notes("$/cancelRequest"))
        editor.send({"id": box["id"], **answer})
        await editor.get("specthread/list", {})
        assert engine.visible.spectasks[ID].sessions[f"{ID}/ws-1"].question.answer == "by name"


async def test_a_box_is_put_in_the_window_it_concerns_whichever_was_touched_last(engine, at_work, path, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with editing(path, tmp_path) as here, editing(path, elsewhere) as there:
        await here.get("specthread/list", {})
        await there.get("specthread/list", {})
        await there.command("history", {"id": "nothing"})
        await asks(engine)
        await here.asked("ws-1 asks")
        assert boxes(there) == []


async def test_an_editor_that_cannot_ask_leaves_it_to_another(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path) as well, editing(path, tmp_path) as broken:
        await well.get("specthread/list", {})
        await broken.command("history", {"id": ID})
        await asks(engine)
        box = await broken.asked("ws-1 asks")
        broken.open_requests.pop(box["id"])
        broken.send({"id": box["id"], "error": {"code": -32601, "message": "no such method"}})
        await broken.get("specthread/list", {})
        await well.command("history", {"id": ID})
        await well.asked("ws-1 asks")


async def test_a_command_before_the_editor_is_set_up_harms_nobodys_questions(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path) as well, editing(path, tmp_path, start=False) as early:
        await well.get("specthread/list", {})
        early.send({"id": 9, "method": "workspace/executeCommand", "params": {"command": "specthread.history"}})
        await early.until(lambda: any(each.get("id") == 9 for each in early.heard))
        await asks(engine)
        await well.asked("ws-1 asks")


async def test_what_one_editor_left_open_is_asked_in_the_next(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path) as second:
        async with editing(path, tmp_path) as first:
            await second.get("specthread/list", {})
            await first.command("history", {"id": ID})
            await asks(engine)
            await first.asked("ws-1 asks")
        await second.asked("ws-1 asks")


async def test_an_editor_with_faces_of_its_own_gets_no_boxes(engine, at_work, path, tmp_path):
    async with editing(path, tmp_path, capabilities=RICH) as rich, editing(path, tmp_path) as plain:
        await rich.get("specthread/list", {})
        await plain.get("specthread/list", {})
        await asks(engine)
        await plain.asked("ws-1 asks")
        assert boxes(rich) == []


async def test_what_waited_before_an_editor_came_is_told_without_stopping_it(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.until(lambda: f"{ID} needs you." in editor.messages())
        assert boxes(editor) == []


async def test_what_waited_is_asked_again_in_an_editor_whose_daemon_went_away(engine, at_work, path, tmp_path):
    await asks(engine)
    async with editing(path, tmp_path, is_back=True) as editor:
        editor.press(await editor.asked("ws-1 asks"), "by name")
        await editor.until(lambda: engine.visible.spectasks[ID].sessions[f"{ID}/ws-1"].question.answer == "by name")
        assert "needs you" not in str(editor.messages())


async def test_another_repositorys_work_is_not_asked_about_here(tmp_path):
    engine = FakeEngine(tmp_path)
    await engine.create(repository="/somewhere/else")
    async with serving(engine, tmp_path) as path, editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        await engine.plan()
        await engine.create("here-2222", repository=str(tmp_path))
        await editor.until(lambda: editor.notes("$/progress"))
        assert boxes(editor) == []
