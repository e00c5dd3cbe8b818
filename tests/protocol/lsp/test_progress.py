"""One bar per SpecTask at work, which ends with the work; to cancel it is to pause the SpecTask."""

from __future__ import annotations

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.model import DAEMON
from specthread.protocol.lsp import progress
from support.fake_engine import ADA, ID, FakeEngine, serving
from support.lsp_client import PLAIN, editing, told


def bars(editor):
    return [params["value"] | {"token": params["token"]} for params in editor.notes("$/progress")]


def kinds(editor):
    return [value["kind"] for value in bars(editor)]


async def test_planning_shows_a_bar_that_says_what_is_going_on_and_ends(tmp_path):
    engine = FakeEngine(tmp_path)
    await engine.create(repository=str(tmp_path))
    async with serving(engine, tmp_path) as path, editing(path, tmp_path) as editor:
        await editor.until(lambda: kinds(editor) == ["begin"])
        (begin,) = bars(editor)
        assert (begin["title"], begin["cancellable"], begin["message"]) == (
            ID,
            True,
            "The planner writes the documents; so far none. · 1 to 15 min to your review (a guess)",
        )
        await engine.plan()
        await editor.until(lambda: kinds(editor)[-1] == "end")
        assert "Waits for your approval" in bars(editor)[-1]["message"]


async def test_the_bar_moves_with_the_tasks(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        await engine.implement()
        await editor.until(lambda: kinds(editor) == ["begin"])
        await engine.do(c.SkipTask(spectask=ID, task="3"), ADA)
        await editor.until(lambda: any(value.get("percentage") == 38 for value in bars(editor)))
        listed = (await editor.get("specthread/list", {}))["spectasks"][0]
        shown = await editor.get("specthread/show", {"id": ID})
        assert listed["progress"]["percent"] == shown["progress"]["percent"] == bars(editor)[-1]["percentage"]
        assert listed["progress"]["left"] == shown["progress"]["left"] != ""
        assert bars(editor)[-1]["message"] == f"{listed['why']} · {listed['progress']['left']}"


async def test_a_bar_moves_although_nothing_happens(engine, path, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "TICK_SECONDS", 0.02)
    await engine.approve()
    await engine.implement()
    async with editing(path, tmp_path) as editor:
        await editor.until(lambda: kinds(editor).count("report") >= 3)


async def test_cancelling_the_bar_pauses_the_spectask(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    async with editing(path, tmp_path) as editor:
        await editor.until(lambda: kinds(editor) == ["begin"])
        editor.notify("window/workDoneProgress/cancel", {"token": bars(editor)[0]["token"]})
        await editor.until(lambda: engine.visible.spectasks[ID].paused)
        await editor.until(lambda: kinds(editor)[-1] == "end")


async def test_work_that_goes_on_later_has_a_bar_of_its_own(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    async with editing(path, tmp_path) as editor:
        await editor.until(lambda: kinds(editor) == ["begin"])
        await engine.do(c.PauseSpecTask(spectask=ID), ADA)
        await editor.until(lambda: kinds(editor)[-1] == "end")
        await engine.do(c.ResumeSpecTask(spectask=ID), ADA)
        await engine.do(reports.GivePlace(spectask=ID, session=RunId(f"{ID}/ws-1")), DAEMON)
        await editor.until(lambda: kinds(editor).count("begin") == 2)
        assert len({value["token"] for value in bars(editor) if value["kind"] == "begin"}) == 2


async def test_an_editor_without_a_place_for_progress_gets_none(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    async with editing(path, tmp_path, capabilities={**PLAIN, "window": {}}) as editor:
        await told(editor, engine)
        assert bars(editor) == []


async def test_a_cancellation_of_an_unknown_bar_harms_nobody(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        editor.notify("window/workDoneProgress/cancel", {"token": "nothing"})
        assert "result" in await editor.ask("specthread/list", {})


async def test_an_editor_without_a_place_for_progress_is_shown_no_bar(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    silent = {**PLAIN, "window": {**PLAIN["window"], "workDoneProgress": False}}
    async with editing(path, tmp_path) as plain, editing(path, tmp_path, capabilities=silent) as other:
        await plain.until(lambda: kinds(plain) == ["begin"])
        await other.get("specthread/list", {})
        assert bars(other) == []
