"""A spec folder of another tool in a real VS Code workbench: what is found is mended, ids are renamed, and code leads to what it is for."""

from __future__ import annotations

import os
import re

from specthread.cli.demo_daemon import demo_environment, stop_daemon
from support.git_fixture import make_repository
from support.workbench import PROGRAM, code_server, needs_workbench, until_text, workbench

HOME = ".kiro/specs/json-view"
FILES = {
    f"{HOME}/requirements.md": """\
# Requirements Document

## Introduction

Hours are shown as JSON, so that programs can read them.

## Requirements

### Requirement 1: JSON view

**User Story:** As a script author, I want JSON, so that programs can read hours.

#### Acceptance Criteria

1. WHEN the user passes `--json`, THE hours tool SHALL print one JSON document.
2. IF the file is missing, THE hours tool SHALL exit with code 2.

### Requirement 2: Totals

**User Story:** As an accountant, I want totals, so that I can write invoices.

#### Acceptance Criteria

1. THE hours tool SHALL print the total of each project.
""",
    f"{HOME}/tasks.md": """\
# Implementation Plan

- [ ] 1. Write the encoder
  - Print one document for `--json`.
  - _Requirements: 1.1, 1.22_
- [ ] 2. Write the totals
  - Add up the hours of each project.
  - _Requirements: 2_
""",
    "hours.py": """\
def show(entries):
    # Req 1.1: one document, whatever there is to tell.
    return {"entries": entries}
""",
    "totals.py": "# Req 3\n",
    "README.md": "# Hours\n\nReq 1.1\n",
    "server.log": "Req 1.1\n",
    "large.js": "// Req 1.1\n" * 200_000,
    "hours.bin": b"Req 1.1\0\1\2",
}
LISTENING = """\
#!/bin/sh
tee '{said}' | '{program}' "$@"
"""
"""A program in place of ours that writes down what the editor says."""


@needs_workbench
async def test_a_kiro_folder_is_mended_renamed_and_followed_from_code(tmp_path):
    repository = make_repository(tmp_path / "hours", FILES)
    environ = demo_environment(os.environ, tmp_path / "s", 0.0) | {"HOME": str(tmp_path)}
    program, said = tmp_path / "listening", tmp_path / "said"
    program.write_text(LISTENING.format(said=said, program=PROGRAM))
    program.chmod(0o755)
    try:
        async with code_server(environ, repository, tmp_path / "code", path=str(program)) as url, workbench(url, "language") as window:
            await explained_and_mended(window)
            await renamed(window, repository)
            await followed(window)
            await reached_from_code(window)
            await all_mended(window, repository)
            await left_alone(window, said)
    finally:
        stop_daemon(environ, repository)


async def explained_and_mended(window):
    """Sees what is wrong, opens the page of its code, and takes the fix."""
    await window.open_file("tasks.md")
    squiggle = window.page.locator(".squiggly-error, .squiggly-warning").first
    await squiggle.wait_for()
    await window.go_to_line(5, 25)
    await window.palette("Show or Focus Hover")
    code = window.hover("1.22").locator("a", has_text="link/").first
    await code.wait_for()
    await window.shot("01-finding")
    await code.click(modifiers=["Control"])
    await window.page.locator(".tab.active", has_text="unknown-requirement.md").wait_for()
    await window.shot("02-page")
    await window.open_file("tasks.md")
    await window.go_to_line(5, 25)
    await window.page.keyboard.press("Control+.")
    fix = window.page.locator(".action-widget .monaco-list-row", has_text="Change to 1.2").first
    await fix.wait_for()
    await window.shot("03-fixes")
    await fix.click()
    await squiggle.wait_for(state="detached")


async def renamed(window, repository):
    """Renames a requirement where a task names it; both files change."""
    await window.go_to_line(8, 20)
    await window.page.keyboard.press("F2")
    box = window.page.locator(".rename-box input").first
    await box.wait_for()
    assert await box.input_value() == "2"
    await window.shot("04-rename")
    await box.fill("3")
    await box.press("Enter")
    await until_text(repository / HOME / "requirements.md", "### Requirement 3: Totals")
    await until_text(repository / HOME / "tasks.md", "_Requirements: 3_")


async def followed(window):
    """Reads what a reference means, and goes there."""
    await window.go_to_line(5, 21)
    await window.palette("Show or Focus Hover")
    await window.hover("print one JSON document").wait_for()
    await window.shot("05-hover")
    await window.page.keyboard.press("Escape")
    await window.page.keyboard.press("F12")
    await window.page.locator(".tab.active", has_text="requirements.md").wait_for()
    await window.status("Ln 15,").wait_for()
    await window.page.locator(".pane-header", has_text="Outline").click()
    await window.page.locator(".outline-pane .monaco-list-row", has_text="Specthread").first.wait_for()
    await window.shot("06-criterion")
    await window.palette("Preferences: Toggle between Light/Dark Themes")
    await window.page.locator(".monaco-workbench.vs-dark").wait_for()
    await window.shot("07-dark")


async def reached_from_code(window):
    await window.open_file("hours.py")
    await window.go_to_line(2, 12)
    await window.palette("Show or Focus Hover")
    await window.hover("print one JSON document").wait_for()
    await window.shot("08-marker")
    await window.page.keyboard.press("Escape")
    await window.page.keyboard.press("F12")
    await window.page.locator(".tab.active", has_text="requirements.md").wait_for()
    await window.status("Ln 15,").wait_for()


async def all_mended(window, repository):
    await window.palette("Specthread: Fix All")
    await window.page.locator(".tab.active.dirty").wait_for()
    await window.toast("1 finding mended").wait_for()
    await window.shot("09-mended")
    await window.page.keyboard.press("Control+s")
    await until_text(repository / HOME / "requirements.md", "2. IF the file is missing, THEN THE hours tool")


async def left_alone(window, said):
    """Sees that no formatter and no command is offered for other Markdown, and that neither that, nor large and binary files are sent anywhere."""
    await window.open_file("README.md")
    await window.palette("Format Document")
    await window.page.locator(".monaco-dialog-box", has_text="no formatter for 'markdown' files").wait_for()
    await window.dialog("Cancel")
    await window.page.keyboard.press("F1")
    await window.page.locator(".quick-input-widget input").first.fill(">Specthread: ")
    await window.choice("New SpecTask").wait_for()
    assert await window.choice("Fix All That").count() == 0
    await window.page.keyboard.press("Escape")
    await window.open_file("hours.bin")
    await window.page.locator(".editor-container", has_text="binary").first.wait_for()
    for name in ("server.log", "large.js", "totals.py"):
        await window.open_file(name)
        await window.page.locator(".part.editor .view-line", has_text="Req").first.click()
        await window.page.keyboard.type("# ")
        await window.page.locator(".tab.active.dirty").wait_for()
    await until_text(said, "/totals.py")  # messages keep their order
    sent = re.findall(r'"method":"textDocument/[\w/]+","params":{"textDocument":{"uri":"file://[^"]*/([^"/]+)"', said.read_text())
    assert set(sent) == {"requirements.md", "tasks.md", "hours.py", "totals.py"}
