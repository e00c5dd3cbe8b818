"""The tools of an agent that works on files: read, search, edit, write, shell.

Results are written for the model. What goes wrong is a result that says what to do, never an exception. Work on files is done in threads.
"""

import asyncio
import difflib
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeAlias

import msgspec

from specthread.agents import search
from specthread.agents.backend import ToolResult, ToolSpec, ToolUse
from specthread.agents.paths import PathRefused, Workspace
from specthread.agents.process import CommandResult, run_process
from specthread.agents.spill import OUTPUT, spilled
from specthread.agents.toolspecs import (
    ANSWER_COMMENT,
    ASK,
    COORDINATE,
    EDIT,
    FINISH,
    READ,
    SEARCH,
    SHELL,
    WRITE,
    WRITE_DOCUMENT,
    problem_with,
)
from specthread.domain.text import sound_text

__all__ = [
    "ANSWER_COMMENT", "ASK", "COORDINATE", "EDIT", "FINISH", "READ", "SEARCH", "SHELL", "WRITE", "WRITE_DOCUMENT",
    "Shell", "WorkspaceTools", "numbered", "problem_with",
]  # fmt: skip

P = ParamSpec("P")

MOST_CHARACTERS = 30_000
MOST_LINES = 2_000
LONGEST_LINE = 2_000
LARGEST_FILE = 8 * 1024 * 1024
NOT_TEXT = "What you gave is not valid Unicode: it holds half of a surrogate pair. Write the character as a whole."
READING = 2
"""Version of what the tools that read answer, which is remembered: to be raised when they answer otherwise to the same."""
SEARCH_SECONDS = 20.0
SHELL_SECONDS = 120
LONGEST_SHELL_SECONDS = 600

Shell: TypeAlias = Callable[[str, float], Awaitable[CommandResult]]
"""Runs a command line within so many seconds, in the sandbox of the agent's session."""
Look: TypeAlias = Callable[[], Awaitable[object]]
"""Returns what stays the same for as long as nobody changes the files."""


class _ToolFailed(Exception):  # noqa: N818  a result for the model, not an error of ours
    pass


@dataclass(slots=True, kw_only=True)
class WorkspaceTools:
    """Is the toolbox of one run in one workspace; remembers what the agent has read, so that it never overwrites what it has not seen.

    What is too long for a result lies below `output`, where the agent can read it; `look` tells whether a command has changed files.
    """

    workspace: Workspace
    specs: tuple[ToolSpec, ...]
    shell: Shell | None = None
    output: Workspace | None = None
    look: Look | None = None
    _seen: dict[Path, bytes] = field(default_factory=dict, init=False)
    _looked: object = field(default=None, init=False)

    @classmethod
    def for_reading(cls, *, root: Path, shown_root: str) -> "WorkspaceTools":
        """Returns a toolbox that changes nothing and runs nothing."""
        return cls(workspace=Workspace(root=root, shown_root=shown_root), specs=(READ, SEARCH))

    @classmethod
    def for_work(
        cls,
        *,
        root: Path,
        shown_root: str,
        shell: Shell,
        protected: tuple[str, ...] = (),
        output: Path | None = None,
        look: Look | None = None,
    ) -> "WorkspaceTools":
        """Returns a toolbox that works on the files below `root`, except in the folders of `protected`; long output goes to the folder `output`."""
        workspace = Workspace(root=root, shown_root=shown_root, protected=protected)
        kept = Workspace(root=output, shown_root=OUTPUT) if output else None
        return cls(workspace=workspace, specs=(READ, SEARCH, EDIT, WRITE, SHELL), shell=shell, output=kept, look=look)

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses a tool."""
        before = await self._known_look() if call.name == SHELL.name else None
        content, is_error = await self._outcome(call)
        changed: bool | msgspec.UnsetType = call.name in {EDIT.name, WRITE.name} and not is_error
        if call.name == SHELL.name:
            after = self._looked = await self.look() if self.look else None
            changed = msgspec.UNSET if before is None or after is None else before != after
        return ToolResult(tool_use_id=call.id, content=sound_text(content), is_error=is_error, changed=changed)

    async def _known_look(self) -> object:
        """Returns the last look at the files, or a new one where they may have changed since; a command that is cut off leaves none behind."""
        known, self._looked = self._looked, None
        return await self.look() if known is None and self.look else known

    async def _outcome(self, call: ToolUse) -> tuple[str, bool]:
        problem = problem_with(self.specs, call)
        if problem:
            return problem, True
        try:
            return await self._use(call), False
        except (PathRefused, _ToolFailed) as failure:
            return str(failure), True
        except OSError as error:
            # The path in the error is the machine's, not the one the agent knows.
            where = f" for `{call.input['path']}`" if "path" in call.input else ""
            return f"That is not possible{where}: {error.strerror or 'input/output error'}.", True
        except UnicodeEncodeError:
            return NOT_TEXT, True

    async def _use(self, call: ToolUse) -> str:
        given = call.input
        match call.name:
            case "read":
                return await _in_thread(self._read, given["path"], given.get("first_line", 1), given.get("lines", MOST_LINES))
            case "search":
                return await self._search(given.get("pattern", ""), given.get("files", ""))
            case "edit":
                return await _in_thread(self._edit, given["path"], given["old"], given["new"], everywhere=given.get("replace_all", False))
            case "write":
                return await _in_thread(self._write, given["path"], given["text"])
            case _:
                return await self._run(given["command"], given.get("timeout", SHELL_SECONDS))

    def _read(self, path: str, first: int, count: int) -> str:
        workspace = self.output if self.output and path.startswith(f"{OUTPUT}/") else self.workspace
        real = workspace.to_read(path)
        descriptor = workspace.open_to_read(real)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return _listing(descriptor)
        content = _content(descriptor)
        self._seen[real] = _digest(content)
        if not content:
            return "The file is empty."
        lines = content.decode(errors="replace").removesuffix("\n").split("\n")
        if first > len(lines):
            raise _ToolFailed(f"The file has only {len(lines)} lines.")
        return numbered(lines, first, min(count, MOST_LINES))

    async def _search(self, pattern: str, files: str) -> str:
        if "\0" in pattern + files:
            raise _ToolFailed("A search cannot contain a null character.")
        program = [sys.executable, "-I", "-S", search.__file__, str(self.workspace.root), pattern, files]
        result = await run_process(
            program, cwd=self.workspace.root, environment={"LANG": "C.UTF-8"}, timeout=SEARCH_SECONDS, output_limit=MOST_CHARACTERS
        )
        if result.outcome == "timeout":
            raise _ToolFailed(f"The search took longer than {SEARCH_SECONDS:.0f} seconds. Use a simpler pattern, or limit `files`.")
        if result.exit_code:
            raise _ToolFailed(result.output)
        return result.output or "Nothing was found."

    def _edit(self, path: str, old: str, new: str, *, everywhere: bool) -> str:
        real = self.workspace.to_write(path)
        with self.workspace.folder(real.parent) as folder:
            content = self._known(folder, real)
            try:
                text = content.decode()
            except UnicodeDecodeError as error:
                raise _ToolFailed(f"`{path}` is not UTF-8 text; it cannot be edited with this tool.") from error
            # A file with Windows line ends is edited as if it had none, since the model writes plain ones, and gets them back.
            windows = "\r\n" in text and "\n" not in text.replace("\r\n", "")
            if windows:
                text, old, new = text.replace("\r\n", "\n"), old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
            at = _places_to_change(text, old, new, everywhere=everywhere)
            changed = text.replace(old, new)
            self._put(folder, real, (changed.replace("\n", "\r\n") if windows else changed).encode())
        where = f"line {text.count(chr(10), 0, at[0]) + 1}" if len(at) == 1 else f"{len(at)} places"
        return f"Edited `{self.workspace.shown(real)}` at {where}."

    def _write(self, path: str, text: str) -> str:
        real, content = self.workspace.to_write(path), text.encode()
        with self.workspace.folder(real.parent, make=True) as folder:
            if _status(folder, real.name):
                self._known(folder, real)
            self._put(folder, real, content)
        return f"Wrote `{self.workspace.shown(real)}`, {len(text.splitlines())} lines."

    async def _run(self, command: str, timeout: int) -> str:  # noqa: ASYNC109  passed on to the sandbox
        if self.shell is None:
            raise _ToolFailed("There is no shell here.")
        if "\0" in command:
            raise _ToolFailed("A command cannot contain a null character.")
        result = await self.shell(command, float(min(timeout, LONGEST_SHELL_SECONDS)))
        output = self.output.root if self.output else None
        said = (await _in_thread(spilled, result.output, MOST_CHARACTERS, output)).rstrip("\n")
        match result.outcome:
            case "exited":
                return f"{said}\n[exit code {result.exit_code}]".lstrip("\n")
            case "signal":
                raise _ToolFailed(f"{said}\n[killed, exit code {result.exit_code}]".lstrip("\n"))
            case "timeout":
                raise _ToolFailed(f"{said}\n[stopped after {result.duration:.0f} seconds, with everything it had started]".lstrip("\n"))
            case "limit":
                raise _ToolFailed(said.lstrip("\n"))
            case "sandbox-failed":
                raise _ToolFailed(f"The command was not run, because the sandbox could not be made: {said}")

    def _known(self, folder: int, real: Path) -> bytes:
        """Returns the content of a file the agent has read and nobody has changed since."""
        content = _content(os.open(real.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder))
        shown = self.workspace.shown(real)
        if real not in self._seen:
            raise _ToolFailed(f"Read `{shown}` before you change it.")
        if self._seen[real] != _digest(content):
            raise _ToolFailed(f"`{shown}` has changed since you read it. Read it again, then change it.")
        return content

    def _put(self, folder: int, real: Path, content: bytes) -> None:
        """Replaces a file as a whole, so that a crash leaves the old or the new one."""
        known = _status(folder, real.name)
        temporary = f".specthread-{secrets.token_hex(8)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), stat.S_IMODE(known.st_mode) if known else 0o644)
            os.replace(temporary, real.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
        self._seen[real] = _digest(content)
        self._looked = None


async def _in_thread(work: Callable[P, str], *given: P.args, **named: P.kwargs) -> str:
    """Works on files in a thread; a cancelled caller waits until the thread is done, so that nothing writes behind its back."""
    done = asyncio.ensure_future(asyncio.to_thread(work, *given, **named))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait({done})
        raise


def _status(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _content(descriptor: int) -> bytes:
    """Returns the bytes of a regular text file, and closes it."""
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _ToolFailed("That is not a file.")
        if status.st_size > LARGEST_FILE:
            raise _ToolFailed(f"The file has {status.st_size} bytes, too many to read as a whole. Use `search` or `shell`.")
        content = file.read()
    if b"\0" in content[:8192]:
        raise _ToolFailed("That is a binary file.")
    return content


def _places_to_change(text: str, old: str, new: str, *, everywhere: bool) -> list[int]:
    if not old:
        raise _ToolFailed("`old` is empty. Give the text to replace, or use `write` for a new file.")
    if old == new:
        raise _ToolFailed("`old` and `new` are the same; nothing would change.")
    places = _places(text, old)
    if len(places) > 1 and not everywhere:
        lines = ", ".join(str(text.count("\n", 0, at) + 1) for at in places[:20])
        raise _ToolFailed(
            f"`old` is in the file {len(places)} times, at lines {lines}. Add the lines around the place you mean, or change all with `replace_all`."
        )
    if not places:
        raise _ToolFailed(f"`old` is in the file 0 times. {_nearest(text, old)}")
    return places


def _places(text: str, old: str) -> list[int]:
    places, at = [], text.find(old)
    while at >= 0:
        places.append(at)
        at = text.find(old, at + len(old))
    return places


def _nearest(text: str, old: str) -> str:
    wanted = next((line for line in old.splitlines() if line.strip()), old)
    lines = text.splitlines()[:5_000]
    best = difflib.get_close_matches(wanted, lines, n=1, cutoff=0.4)
    if not best:
        return "No line is similar to its first line. Read the file again."
    return f"The line nearest to its first one is line {lines.index(best[0]) + 1}: `{best[0][:200]}`"


def _listing(descriptor: int) -> str:
    """Returns what is in a folder, and closes it."""
    try:
        with os.scandir(descriptor) as entries:
            found = [entry for entry in entries if entry.name.casefold() != ".git"]
            names = sorted(f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in found)
    finally:
        os.close(descriptor)
    more = f"\n[{len(names) - MOST_LINES} more]" if len(names) > MOST_LINES else ""
    return "\n".join(names[:MOST_LINES]) + more or "The folder is empty."


def numbered(lines: list[str], first: int, count: int) -> str:
    """Returns lines with their numbers, from `first`, as many as there is room for, and how to go on."""
    text, size, last = [], 0, first - 1
    for number in range(first, min(first + count, len(lines) + 1)):
        line = lines[number - 1].removesuffix("\r")
        cut = f"{line[:LONGEST_LINE]} [line cut]" if len(line) > LONGEST_LINE else line
        size += len(cut) + 8
        if size > MOST_CHARACTERS:
            break
        text.append(f"{number:>6}\t{cut}")
        last = number
    if last < len(lines):
        text.append(f"[Lines {first} to {last} of {len(lines)}. Go on with first_line {last + 1}.]")
    return "\n".join(text)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
