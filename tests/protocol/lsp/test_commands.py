"""Commands of the palette: they answer at once, work without arguments, and tell in the editor's own way what came of them."""

from __future__ import annotations

import pytest

from specthread.domain import reports
from specthread.protocol.lsp.commands import COMMANDS
from support.fake_engine import ID, OutsideError
from support.lsp_client import PLAIN, RICH, editing

DRAFT_LINE = "<!-- specthread:draft"


def document(engine, name="requirements"):
    return engine.desk() / engine.visible.spectasks[ID].documents[name].path


def shown(editor):
    return [message["params"]["uri"].removeprefix("file://") for message in editor.requests("window/showDocument")]


def test_every_command_is_named_in_words():
    assert all(name.replace("-", "").isalpha() and name == name.lower() for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("arguments", [[], [ID], [{"id": ID}], [None], [{"id": "nobody"}]], ids=["none", "id", "object", "null", "unknown"])
async def test_every_command_answers_at_once_whatever_comes_with_it(path, tmp_path, name, arguments):
    async with editing(path, tmp_path) as editor:
        assert await editor.command(name, *arguments) is None
        assert "result" in await editor.ask("specthread/list", {})


@pytest.mark.parametrize("arguments", [[1], [[]], ["a", "b"], [{"sudo": "yes"}], [{"id": ["x"]}], [{"text": "x" * 300_000}], [{}, {}]])
async def test_arguments_that_make_no_sense_are_told_and_harm_nobody(path, tmp_path, arguments):
    async with editing(path, tmp_path) as editor:
        await editor.command("approve", *arguments)
        await editor.until(lambda: any("make no sense" in each for each in editor.messages()))


@pytest.mark.parametrize("name", ["specthread.dance", "approve", "specthread.", "x" * 5000])
async def test_an_unknown_command_is_told(path, tmp_path, name):
    async with editing(path, tmp_path) as editor:
        assert await editor.get("workspace/executeCommand", {"command": name}) is None
        await editor.until(lambda: any("There is no command" in each for each in editor.messages()))


async def test_the_commands_are_announced_to_editors_that_have_none_of_their_own(path, tmp_path):
    async with editing(path, tmp_path) as plain, editing(path, tmp_path, capabilities=RICH) as rich:
        announced = plain.started["capabilities"]["executeCommandProvider"]["commands"]
        assert announced == [f"specthread.{name}" for name in COMMANDS]
        assert rich.started["capabilities"].get("executeCommandProvider", {"commands": []})["commands"] == []


async def test_a_new_task_is_asked_for_in_a_draft(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("new-task")
        await editor.until(lambda: shown(editor))
        assert open(shown(editor)[0]).read().startswith(DRAFT_LINE)  # noqa: ASYNC230, PTH123, SIM115  a small file of the test


async def test_a_session_is_spawned_in_given_words_or_in_those_of_a_draft(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        await editor.command("spawn-session", {"id": ID, "text": "Write the manual"})
        await editor.until(lambda: any("spawned ws-1: Write the manual" in each for each in editor.messages()))
        assert engine.visible.spectasks[ID].sessions[f"{ID}/ws-1"].parent is None
        await editor.command("spawn-session")
        await editor.until(lambda: shown(editor))
        assert shown(editor)[-1].endswith("spawn.md")


async def test_a_new_task_in_given_words_is_planned(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("new-task", {"text": "Add a totals view."})
        await editor.until(lambda: any(each.startswith("Planning task-") for each in editor.messages()))
        assert "Add a totals view." in [spectask.prompt for spectask in engine.visible.spectasks.values()]


async def test_an_editor_that_cannot_open_files_is_told_where_they_are(path, tmp_path):
    async with editing(path, tmp_path, capabilities={**PLAIN, "window": {}}) as editor:
        await editor.command("request-changes")
        await editor.until(lambda: any(each.startswith("Open ") and each.endswith("request-changes.md") for each in editor.messages()))


async def test_approving_without_arguments_shows_exactly_what_and_asks(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("approve")
        box = await editor.asked("Approve exactly these words")
        assert "requirements@" in box["params"]["message"]
        editor.press(box, "Approve")
        await editor.until(lambda: any("this completes version 1" in each for each in editor.messages()))


async def test_a_document_that_changed_while_the_question_stood_is_not_approved(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("approve")
        box = await editor.asked("Approve exactly these words")
        await engine.write("design", b"# Another\n\n## Overview\n\nNo.\n")
        editor.press(box, "Approve")
        await editor.until(lambda: any("is not the version you read" in each for each in editor.messages()))
        assert not engine.visible.spectasks[ID].approvals


async def test_words_that_the_editor_does_not_show_are_not_approved(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        editor.open(engine.desk() / engine.visible.spectasks[ID].documents["design"].path)
        await editor.get("specthread/list", {})
        await engine.write("design", b"# Another\n\n## Overview\n\nDelete everything.\n")
        await editor.command("approve", {"id": ID})
        await editor.until(lambda: any("shows other words of design" in each for each in editor.messages()))
        assert not editor.requests("window/showMessageRequest")


async def test_closing_the_question_approves_nothing(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("approve")
        box = await editor.asked("Approve exactly these words")
        editor.answer(box["id"], None)
        await editor.get("specthread/list", {})
        assert not engine.visible.spectasks[ID].approvals


async def test_a_pull_request_is_opened_after_saying_what_goes_where(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        await editor.command("open-pull-request")
        box = await editor.asked("This would push")
        assert "github.com/ada/calc" in box["params"]["message"]
        editor.press(box, "With records and transcripts…")
        box = await editor.asked("said in the sessions")
        assert engine.visible.spectasks[ID].pull_request is None
        editor.press(box, "Push it")
        await editor.until(lambda: any(each.startswith("The draft is open: https://") for each in editor.messages()))
        assert len(engine.visible.spectasks[ID].pull_request.pushed) == 2


async def test_closing_the_question_pushes_nothing(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        await editor.command("open-pull-request")
        box = await editor.asked("This would push")
        editor.answer(box["id"], None)
        await editor.get("specthread/list", {})
        assert engine.visible.spectasks[ID].pull_request is None


async def test_which_spectask_is_meant_is_asked_where_several_fit_and_none_is_open(engine, path, tmp_path):
    await engine.create("other-2222", repository=str(tmp_path))
    await engine.plan("other-2222")
    async with editing(path, tmp_path) as editor:
        await editor.command("approve")
        box = await editor.asked("Several SpecTasks")
        editor.press(box, "other-2222")
        await editor.asked("these words of other-2222")


async def test_a_spectask_of_another_repository_is_not_meant_where_one_of_this_window_fits(engine, path, tmp_path):
    await engine.create("other-2222", repository="/somewhere/else")
    await engine.plan("other-2222")
    async with editing(path, tmp_path) as editor:
        await editor.get("specthread/list", {})
        await editor.command("approve")
        await editor.asked(f"these words of {ID}")


async def test_the_spectask_of_the_open_document_is_meant(engine, path, tmp_path):
    await engine.create("other-2222")
    await engine.plan("other-2222")
    async with editing(path, tmp_path) as editor:
        editor.open(document(engine))
        await editor.command("approve")
        await editor.asked(f"these words of {ID}")


async def test_cancelling_asks_first(engine, path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("cancel", {"id": ID})
        editor.press(await editor.asked(f"Cancel {ID}?"), "Let it go on")
        await editor.command("cancel", {"id": ID})
        editor.press(await editor.asked(f"Cancel {ID}?"), "Cancel it")
        await editor.until(lambda: engine.visible.spectasks[ID].state == "cancelled")


async def test_start_pause_and_resume_act_on_the_only_one_that_fits(engine, path, tmp_path):
    await engine.approve()
    async with editing(path, tmp_path) as editor:
        await editor.command("start")
        await editor.until(lambda: engine.visible.spectasks[ID].state == "implementing")
        await engine.record()
        await engine.do(reports.StartSession(spectask=ID, task="1"))
        await editor.command("pause")
        await editor.until(lambda: engine.visible.spectasks[ID].paused)
        await editor.command("resume")
        await editor.until(lambda: not engine.visible.spectasks[ID].paused)


async def test_a_free_answer_is_written_in_a_draft_that_tells_the_question(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    run = f"{ID}/ws-1"
    await engine.do(reports.StartCall(spectask=ID, run=run, turn=1, reserve_usd=None))
    await engine.do(reports.AskQuestion(spectask=ID, run=run, question="q", kind="question", text="Which order?"))
    async with editing(path, tmp_path) as editor:
        await editor.command("answer")
        await editor.until(lambda: shown(editor))
        text = open(shown(editor)[0]).read()  # noqa: ASYNC230, PTH123, SIM115  a small file of the test
        assert text.startswith(DRAFT_LINE)
        assert "Which order?" in text


async def test_the_report_and_the_transcript_open_as_files(engine, path, tmp_path):
    await engine.approve()
    await engine.implement()
    async with editing(path, tmp_path) as editor:
        await editor.command("show-report")
        await editor.command("open-session", {"run": f"{ID}/ws-1"})
        await editor.command("history")
        await editor.until(lambda: len(shown(editor)) == 3)
        assert {name.rpartition("/")[2] for name in shown(editor)} == {"report.md", "ws-1.md", "history.md"}


async def test_what_the_outside_world_refuses_is_an_error_message(engine, path, tmp_path, monkeypatch):
    async def submit(_):
        raise OutsideError("There is no room on the disk.")

    monkeypatch.setattr(engine, "submit", submit)
    async with editing(path, tmp_path) as editor:
        await editor.command("request-changes", {"id": ID, "text": "Shorter."})
        await editor.until(lambda: any("no room on the disk" in each for each in editor.messages()))
        assert editor.notes("window/showMessage")[-1]["type"] == 1


async def test_the_trace_is_shown_as_a_page(path, tmp_path):
    async with editing(path, tmp_path) as editor:
        await editor.command("trace")
        await editor.until(lambda: shown(editor))
        page = open(shown(editor)[0]).read()  # noqa: ASYNC230, PTH123, SIM115  a small file of the test
        assert page.startswith(f"# {ID}\n\n## Trace\n")
        assert "`src/encode.py:1` | `tests/test_encode.py:1` |" in page
