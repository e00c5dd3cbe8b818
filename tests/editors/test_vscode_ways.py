"""Single ways through the VS Code extension: what reaches a person unasked, what is refused, and what is left behind."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import psutil

from specthread.agents.demo.material import PROMPT
from support.demo_editing import demo_place, specthread
from support.workbench import PATIENCE_MS, PROGRAM, code_server, needs_workbench, workbench


@asynccontextmanager
async def window_on(tmp_path, name, *, settings=None, pause=0.0, planned=True, path=PROGRAM):
    """Yields a window on the toy repository, the SpecTask's id (its documents are ready), and the way to the command line."""
    with demo_place(tmp_path, pause=pause) as (repository, environ):

        def ask(*arguments):
            return specthread(environ, *arguments, cwd=repository)

        identifier = await asyncio.to_thread(planned_spectask, ask) if planned else ""
        async with (
            code_server(environ, repository, tmp_path / "code", settings, path) as url,
            workbench(url, name) as window,
        ):
            yield window, identifier, ask


def planned_spectask(ask):
    identifier = json.loads(ask("new", PROMPT, "--json"))["id"]
    until(ask, identifier, lambda now: now["state"] == "spec_review")
    return identifier


def approve(ask, identifier):
    documents = json.loads(ask("show", identifier, "--json"))["documents"]
    ask("approve", identifier, *(f"{each['name']}@{each['digest']}" for each in documents))
    until(ask, identifier, lambda now: now["state"] == "approved")


def until(ask, identifier, condition):
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not condition(now := json.loads(ask("show", identifier, "--json"))):
        assert time.monotonic() < deadline, f"It did not come to that; {identifier} is {now['state']}: {now['why']}"
        time.sleep(0.1)
    return now


@needs_workbench
async def test_what_needs_a_person_who_looks_elsewhere_comes_as_a_notification(tmp_path):
    async with window_on(tmp_path, "toast", settings={"workbench.colorTheme": "Dark Modern"}, pause=0.05) as (window, identifier, ask):
        await window.status("1 needs you").wait_for()
        await asyncio.to_thread(approve, ask, identifier)
        await asyncio.to_thread(ask, "run", identifier)
        toast = window.toast("In which order should the totals stand")
        await toast.wait_for()
        await window.shot("dark")
        await toast.get_by_role("button", name="by name").click()
        now = await asyncio.to_thread(until, ask, identifier, lambda now: now["state"] == "implementation_review")
        assert "by name" in ask("history", identifier)
        assert {session["status"] for session in now["sessions"]} == {"completed"}


@needs_workbench
async def test_a_session_is_read_and_answered_in_its_own_tab(tmp_path):
    dark = {"workbench.colorTheme": "Default High Contrast"}
    async with window_on(tmp_path, "session", settings=dark, pause=0.02) as (window, identifier, ask):
        await asyncio.to_thread(approve, ask, identifier)
        await asyncio.to_thread(ask, "run", identifier)
        await window.toast("In which order should the totals stand").wait_for()
        await window.palette("Notifications: Clear All Notifications")
        await window.palette("Specthread: Answer")
        await window.choice("by name").wait_for()
        await window.shot("list")
        await window.page.keyboard.press("Escape")
        await window.choice("by name").wait_for(state="hidden")
        await window.open_side_bar()
        await window.row("2. Write the totals").click()
        choice = await window.panel(".ask .choice:has-text('most time first')")
        await window.shot("ask")
        await choice.click()
        await (await window.panel("#words")).fill("as invoices do")
        await (await window.panel(".ask button.primary")).click()
        await window.panel(".kind-answer:has-text('most time first: as invoices do')")
        await window.panel(".kind-merged")
        await window.shot("merged")


@needs_workbench
async def test_unsaved_words_are_saved_before_they_are_approved_and_a_refused_comment_stays_where_it_was_typed(tmp_path):
    async with window_on(tmp_path, "unsaved") as (window, identifier, ask):
        await window.palette("Specthread: Review Documents")
        await window.page.locator(".tab.active", has_text="requirements.md").wait_for()
        await window.page.locator(".view-line", has_text="Requirements Document").click()
        await window.page.keyboard.type("Mine. ")
        await window.page.locator(".tab.active.dirty").wait_for()
        await window.lens("Not the live version").wait_for()
        await window.palette("Specthread: Comment on This Line")
        await window.type_into_box("Whose?")
        await window.page.locator(".quick-input-message", has_text="Save the document").wait_for()
        assert await window.page.locator(".quick-input-widget input").first.input_value() == "Whose?"
        await window.shot("refused")
        await window.page.keyboard.press("Escape")
        await window.palette("Specthread: Approve")
        toast = window.toast("Not saved yet: requirements")
        await toast.wait_for()
        await window.shot("asked")
        (summary,) = json.loads(ask("list", "--json"))["spectasks"]
        assert summary["state"] == "spec_review"
        await toast.get_by_role("button", name="Save and Go On").click()
        await window.page.locator(".quick-input-list .monaco-list-row", has_text="requirements.md").wait_for()
        await window.accept_list()
        now = await asyncio.to_thread(until, ask, identifier, lambda now: now["state"] == "approved")
        assert "Mine." in json.loads(ask("review", identifier, "--json"))["documents"][0]["approved_text"]
        assert now["documents"][0]["author"] == "DEMO human"


@needs_workbench
async def test_a_comment_is_made_in_the_margin_and_settled_there(tmp_path):
    async with window_on(tmp_path, "margin") as (window, identifier, ask):
        await window.palette("Specthread: Review Documents")
        await window.page.locator(".tab.active", has_text="requirements.md").wait_for()
        await window.go_to_line(5)
        await window.page.locator(".comment-range-glyph.line-hover, .comment-range-glyph").first.wait_for()
        await window.palette("Add Comment on Current Selection")
        await window.page.locator(".review-widget .monaco-editor").click()
        await window.page.keyboard.type("Which people?")
        await window.page.locator(".review-widget .monaco-button", has_text="Comment").click()
        await window.page.locator(".review-widget", has_text="DEMO human").wait_for()
        await window.lens("Request changes (1 comment)").wait_for()
        await window.shot("thread")
        (comment,) = (await asyncio.to_thread(until, ask, identifier, lambda now: now["comments"]))["comments"]
        assert (comment["text"], comment["line"], comment["author"]) == ("Which people?", 5, "DEMO human")
        await window.page.locator(".review-widget .action-label[aria-label^='Resolve']").click()
        await asyncio.to_thread(until, ask, identifier, lambda now: now["comments"][0]["resolved"] == "manual")
        await window.page.locator(".review-widget").wait_for(state="detached")


@needs_workbench
async def test_a_task_nobody_has_begun_opens_its_line(tmp_path):
    async with window_on(tmp_path, "task") as (window, identifier, ask):
        await asyncio.to_thread(approve, ask, identifier)
        await window.open_side_bar()
        await window.row("Tasks").wait_for()
        await window.row("2. Write the totals").click()
        await window.page.locator(".tab.active", has_text="tasks.md").wait_for()
        (text,) = [each["text"] for each in json.loads(ask("review", identifier, "--json"))["documents"] if each["name"] == "tasks"]
        (line,) = [number for number, each in enumerate(text.splitlines(), 1) if "2. Write the totals view" in each]
        await window.status(f"Ln {line}, Col 1").wait_for()
        await window.lens("Start task 2").wait_for()
        await window.shot("line")


@needs_workbench
async def test_nothing_is_started_in_a_folder_that_is_not_trusted(tmp_path):
    settings = {"security.workspace.trust.enabled": True, "security.workspace.trust.startupPrompt": "never"}
    async with window_on(tmp_path, "untrusted", settings=settings, planned=False) as (window, _, ask):
        await window.open_side_bar()
        trust = await window.panel("button:text-is('Manage Trust…')")
        await window.shot("side-bar")
        await window.palette("Specthread: New SpecTask")
        await window.toast("is not trusted yet").wait_for()
        assert json.loads(ask("list", "--json"))["spectasks"] == []
        await trust.click()
        await window.page.locator(".workspace-trust-editor").wait_for()


@needs_workbench
async def test_a_program_that_is_not_there_is_said_with_the_way_on(tmp_path):
    async with window_on(tmp_path, "missing", planned=False, path="/nowhere/specthread") as (window, _, ask):
        await window.open_side_bar()
        await window.panel(".banner:has-text('is not installed here')")
        await window.shot("side-bar")
        await window.palette("Specthread: New SpecTask")  # nobody can be asked, so no sentence is asked for either
        await window.toast("is not installed here").wait_for()
        assert json.loads(ask("list", "--json"))["spectasks"] == []


@needs_workbench
async def test_a_window_that_is_closed_leaves_the_daemon_and_nothing_else(tmp_path):
    with demo_place(tmp_path) as (repository, environ):
        async with code_server(environ, repository, tmp_path / "code") as url, workbench(url, "closing") as window:
            await window.open_side_bar()
            await window.panel("footer.live")
            assert relays(environ)
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while relays(environ):  # noqa: ASYNC110  the state of another process
                await asyncio.sleep(0.1)
        status = json.loads(specthread(environ, "daemon", "status", "--json"))
        assert status["clients"] == 1  # the one that asks


def relays(environ):
    """Returns the relays of this place's daemon."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            if "lsp" in (process.info["cmdline"] or []) and process.environ().get("SPECTHREAD_STATE") == environ["SPECTHREAD_STATE"]:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
