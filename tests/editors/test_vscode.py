"""The whole loop in a real VS Code workbench: by palette, tree, panels and notifications, over a reloaded window and a killed daemon."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from pathlib import Path

from specthread.agents.demo.human import COMMENT
from specthread.agents.demo.material import PROMPT
from specthread.agents.demo.planner import VAGUE
from support.demo_editing import demo_place, specthread
from support.workbench import PATIENCE_MS, code_server, needs_workbench, workbench

TITLE = "Add a JSON view"


def view(environ, repository):
    """Returns what the daemon says of the only SpecTask."""
    (summary,) = json.loads(specthread(environ, "list", "--json", cwd=repository))["spectasks"]
    return json.loads(specthread(environ, "show", summary["id"], "--json", cwd=repository))


def live_text(environ, repository):
    now = view(environ, repository)
    (document,) = [each for each in now["documents"] if each["name"] == "requirements"]
    return (Path(now["desk"]) / document["path"]).read_text()


async def until(environ, repository, condition):
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not condition(now := await asyncio.to_thread(view, environ, repository)):  # noqa: ASYNC110  the state of another process
            await asyncio.sleep(0.2)
        return now


async def asked_for(window):
    """Asks for the SpecTask by the palette and opens its first document from the tree once it is there."""
    await window.open_side_bar()
    await window.panel(".empty button")
    await window.shot("01-empty")
    await window.palette("Specthread: New SpecTask")
    await window.type_into_box(PROMPT)
    await window.row("requirements.md").wait_for()
    await window.shot("02-planning")
    await window.panel("button:text-is('Review')")
    await window.row("requirements.md").click()
    await window.page.locator(".view-line", has_text="Requirements Document").wait_for()
    await window.lens("Approve requirements@").wait_for()
    await window.shot("02-review")


async def commented(window, environ, repository):
    """Sees a squiggle under loose words, takes them back, comments on the vague line and sees the comment in the margin."""
    (line,) = [number for number, text in enumerate(live_text(environ, repository).splitlines(), 1) if VAGUE in text]
    await window.go_to_line(line)
    await window.page.keyboard.press("End")
    await window.page.keyboard.type("\n3. The list command is fast.")
    await window.page.locator(".squiggly-error, .squiggly-warning, .squiggly-info").first.wait_for()
    await window.shot("03-squiggle")
    while await window.page.locator(".tab.active.dirty").count():
        await window.page.keyboard.press("Control+z")
    await window.go_to_line(line)
    await window.palette("Specthread: Comment on This Line")
    await window.type_into_box(COMMENT)
    await window.page.locator(".review-widget", has_text="Which exit code?").wait_for()
    await window.shot("04-comment")


async def revised(window, environ, repository):
    await window.palette("Specthread: Request Changes")
    await window.type_into_box("Please see my comment.")
    await until(environ, repository, lambda now: len(now["planning"]) == 2 and now["planning"][1]["status"] == "completed")
    await window.palette("Specthread: Show Changes")
    await window.page.locator(".monaco-diff-editor .line-insert").first.wait_for()
    await window.page.locator(".tab", has_text="sent back ↔ revised").wait_for()
    await window.shot("05-changes")


async def approved(window):
    await window.palette("Specthread: Approve")
    await window.page.locator(".quick-input-list .monaco-list-row", has_text="tasks.md").wait_for()
    await window.shot("06-approve")
    await window.accept_list()
    await (await window.panel("button:text-is('Start…')")).click()
    await window.page.locator(".monaco-dialog-box", has_text="In this order").wait_for()
    await window.shot("07-start")
    await window.dialog("Start")


async def compared_still(window):
    """Sees that a comparison keeps its left side, though nothing is sent back any more."""
    await window.page.locator(".tab", has_text="sent back ↔ revised").click()
    await window.page.locator(".monaco-diff-editor .line-delete").first.wait_for()
    await window.shot("07-compared")


@needs_workbench
async def test_the_whole_loop_over_a_reloaded_window_and_a_killed_daemon(tmp_path):
    with demo_place(tmp_path, pause=0.25) as (repository, environ):
        async with code_server(environ, repository, tmp_path / "code") as url, workbench(url, "story") as window:
            await asked_for(window)
            await commented(window, environ, repository)
            await revised(window, environ, repository)
            await approved(window)
            await compared_still(window)
            await window.row(re.compile(r"1\. Write the JSON view.*(running|verifying|merged)")).click()
            await window.panel(".entry.coming, .entry.kind-text")
            await window.shot("08-streaming")

            await window.palette("Developer: Reload Window")
            await window.page.wait_for_load_state()
            await window.panel(".entry.coming, .entry.kind-text")
            os.kill(json.loads(specthread(environ, "daemon", "status", "--json"))["pid"], signal.SIGKILL)
            choice = await window.panel(".item button:has-text('most time first')")
            await window.shot("09-question")
            await choice.click()
            await window.row(re.compile(r"4\. Describe.*(running|verifying|merging|merged)")).wait_for()
            await window.shot("10-fourth")
            await until(environ, repository, lambda now: now["state"] == "implementation_review")
            await window.palette("Specthread: Open Report")
            await window.panel("h1:has-text('Report:')")
            await window.shot("11-report")
            await window.palette("Specthread: Trace Requirements")
            await window.panel("h1:has-text('Trace:')")
            await window.shot("11-trace")
            await window.palette("Specthread: Accept")
            await window.page.locator(".monaco-dialog-box", has_text="4 tasks merged").wait_for()
            await window.shot("12-accept")
            await window.dialog("Accept")
            done = await until(environ, repository, lambda now: now["state"] == "done")
            assert {task["state"] for task in done["tasks"]} == {"merged"}
            await window.row("Ended").wait_for()
            await (await window.panel("summary:has-text('Ended')")).click()
            await (await window.panel(".item button.link")).click()
            await window.row("Add a JSON").wait_for()
            await window.shot("13-done")
