"""A real VS Code workbench: code-server with our extension installed, driven in a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from re import Pattern
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.async_api import Error, Locator, Page, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

ROOT = Path(__file__).parents[2]
CODE_SERVER = ROOT / "build/editors/code-server/node_modules/code-server"
NODE = ROOT / "editors/vscode/node_modules/.bin/node"
VSIX = ROOT / "editors/vscode/dist/specthread.vsix"
SHOTS = ROOT / "build/screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
PATIENCE_MS = 60_000
BOX_MS = 3_000
"""How long an input box that was called up is waited for before it is called up again."""
PROGRAM = str(Path(sys.executable).parent / "specthread")
SETTINGS = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "workbench.enableExperiments": False,
    "chat.disableAIFeatures": True,
    "workbench.tips.enabled": False,
    "window.restoreWindows": "all",
    "editor.minimap.enabled": False,
    "comments.openView": "never",
    "files.autoSave": "off",
    "workbench.reduceMotion": "on",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "git.openRepositoryInParentFolders": "never",
}

MISSING = next((str(each.relative_to(ROOT)) for each in (CODE_SERVER, NODE, VSIX) if not each.exists()), "" if CHROMIUM else "chromium")
"""What keeps the workbench from running here, or nothing."""


def needs(what: str, found: object) -> Callable[[Any], Any]:
    """Returns a mark for what needs a real editor: left out where it is not installed, unless everything is required."""
    left_out = not found and "SPECTHREAD_REQUIRE_EDITORS" not in os.environ

    def mark(test: Any) -> Any:
        return pytest.mark.slow(pytest.mark.skipif(left_out, reason=f"{what} is missing")(test))

    return mark


needs_workbench = needs(MISSING, not MISSING)


async def until_text(path: Path, text: str) -> None:
    """Waits until a file holds a text."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while text not in path.read_text():  # noqa: ASYNC110, ASYNC240  the state of another process, and a small file
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Workbench:
    """The window of one person."""

    page: Page
    shots: str

    async def shot(self, name: str) -> None:
        """Keeps a picture for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{self.shots}-{name}.png")

    async def palette(self, title: str) -> None:
        """Runs a command by its title."""
        box = self.page.locator(".quick-input-widget input").first
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while True:
                await self.page.keyboard.press("F1")
                try:
                    await box.fill(f">{title}", timeout=BOX_MS)
                    break
                except PlaywrightTimeoutError:
                    continue  # a panel that was just closed or opened took the keys, and with them the box
        row = self.page.locator(".quick-input-list .monaco-list-row", has_text=title).first
        await row.wait_for()
        await row.click()

    async def type_into_box(self, text: str) -> None:
        """Fills the input box that is open and accepts it."""
        box = self.page.locator(".quick-input-widget input").first
        await box.wait_for()
        await box.fill(text)
        await box.press("Enter")

    async def accept_list(self) -> None:
        """Accepts what is ticked in the list that is open."""
        await self.page.locator(".quick-input-list .monaco-list-row").first.wait_for()
        await self.page.keyboard.press("Enter")

    def choice(self, text: str) -> Locator:
        """Returns a row of the list that is open."""
        return self.page.locator(".quick-input-list .monaco-list-row", has_text=text).first

    def lens(self, text: str) -> Locator:
        """Returns a code lens of the editor that is open."""
        return self.page.locator(".codelens-decoration", has_text=text).first

    async def dialog(self, button: str) -> None:
        """Presses a button of the modal dialog that is open."""
        await self.page.locator(".monaco-dialog-box").get_by_role("button", name=button, exact=True).click()

    async def open_file(self, name: str) -> None:
        """Opens a file of the folder by its name."""
        await self.page.keyboard.press("Control+p")
        box = self.page.locator(".quick-input-widget input").first
        await box.wait_for()
        await box.fill(name)
        await self.page.locator(".quick-input-list .monaco-list-row", has_text=name).first.click()
        await self.page.locator(".tab.active", has_text=name).wait_for()

    async def go_to_line(self, line: int, column: int = 1) -> None:
        """Puts the cursor into a line of the editor that is open."""
        await self.page.keyboard.press("Control+g")
        await self.type_into_box(f":{line}:{column}")
        # The box takes keys until it is gone, and the editor only once it is in front again.
        await self.page.locator(".quick-input-widget").first.wait_for(state="hidden")
        await self.page.locator(".part.editor .monaco-editor.focused").first.wait_for()
        await self.status(f"Ln {line}, Col {column}").wait_for()

    def hover(self, text: str) -> Locator:
        """Returns what is told of the place under the cursor."""
        return self.page.locator(".monaco-hover:not(.hidden)", has_text=text).first

    def toast(self, text: str) -> Locator:
        """Returns a notification."""
        return self.page.locator(".notifications-toasts .notification-list-item", has_text=text).first

    def status(self, text: str | Pattern[str]) -> Locator:
        """Returns a part of the status bar."""
        return self.page.locator(".statusbar-item", has_text=text).first

    def row(self, text: str | Pattern[str]) -> Locator:
        """Returns a row of the SpecTasks tree."""
        return self.page.locator(".pane:has(.title:text-is('SpecTasks')) .monaco-list-row", has_text=text).first

    async def panel(self, selector: str) -> Locator:
        """Returns what a panel shows, once one shows it; panels are frames within frames, and are made anew at times."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while True:
                for frame in self.page.frames:
                    found = frame.locator(selector).first
                    try:
                        if await found.is_visible():
                            return found
                    except Error as error:  # a frame may go while it is looked at
                        if not frame.is_detached():
                            raise AssertionError(f"{selector} cannot be looked for") from error
                await self.page.wait_for_timeout(50)

    async def open_side_bar(self) -> None:
        """Shows our part of the side bar."""
        await self.page.locator(".activitybar .action-item:has(.action-label[aria-label^='Specthread'])").first.click()


@asynccontextmanager
async def code_server(
    environ: Mapping[str, str], folder: Path, home: Path, settings: Mapping[str, object] | None = None, path: str = PROGRAM
) -> AsyncIterator[str]:
    """Yields the address of a code-server with the extension; `settings` are added to those that keep it quiet, `path` is the program it starts."""
    settings = {**SETTINGS, **(settings or {})}
    # A path belongs to the machine, so VS Code reads it from the machine's settings only.
    for place, values in (("User", settings), ("Machine", {"specthread.path": path})):
        (home / place).mkdir(parents=True, exist_ok=True)
        (home / place / "settings.json").write_text(json.dumps(values))
    env = {name: value for name, value in environ.items() if not name.startswith(("VSCODE_", "npm_"))}
    program = [str(NODE), str(CODE_SERVER), "--user-data-dir", str(home), "--extensions-dir", str(home / "extensions")]
    await _install(program, env)
    port = _free_port()
    quiet = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"]
    trust = [] if "security.workspace.trust.enabled" in settings else ["--disable-workspace-trust"]
    process = await asyncio.create_subprocess_exec(
        *program,
        *quiet,
        *trust,
        "--bind-addr",
        f"127.0.0.1:{port}",
        str(folder),
        env=env,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    said: list[bytes] = []
    listening = asyncio.create_task(_listen(process, said))
    try:
        await _healthy(port, process, said)
        yield f"http://127.0.0.1:{port}/?folder={folder}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await listening


async def _install(program: list[str], env: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(*program, "--install-extension", str(VSIX), env=env, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def _listen(process: asyncio.subprocess.Process, said: list[bytes]) -> None:
    assert process.stdout
    while line := await process.stdout.readline():
        said.append(line)
    await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _healthy(port: int, process: asyncio.subprocess.Process, said: list[bytes]) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            assert process.returncode is None, b"".join(said).decode()
            try:
                with await asyncio.to_thread(urlopen, f"http://127.0.0.1:{port}/healthz", timeout=5):
                    return
            except OSError:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def workbench(url: str, shots: str, *, width: int = 1280, height: int = 860) -> AsyncIterator[Workbench]:
    """Yields a window on a code-server; `shots` begins the names of its pictures, and those of an earlier run go. When a test fails in it, a last picture is kept."""
    for old in SHOTS.glob(f"{shots}-*.png"):
        old.unlink()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        window = Workbench(page, shots)
        try:
            await page.goto(url)
            await page.locator(".activitybar .action-label[aria-label^='Specthread']").first.wait_for()
            yield window
        except BaseException:
            await window.shot("failed")
            raise
        finally:
            await browser.close()
