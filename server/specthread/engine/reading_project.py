"""How a planner reads a project: the read and search tools over the objects of a commit, without a checkout.

What is read is bounded, whatever the repository holds: a file and a folder by its size, a search by time and by what it finds.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from specgit.errors import GitError, GitTimeout
from specgit.glance import folder, grep, look_up, paths
from specgit.repository import Repository
from specgit.types import Oid
from specthread.agents.backend import ToolResult, ToolSpec, ToolUse
from specthread.agents.search import LONGEST_LINE, MOST_LINES, glob_expression
from specthread.agents.tools import LARGEST_FILE, MOST_CHARACTERS, READ, SEARCH, SEARCH_SECONDS, numbered
from specthread.agents.tools import MOST_LINES as MOST_READ
from specthread.domain.text import sound_text
from specthread.engine.ports import in_thread

READING_TOOLS: tuple[ToolSpec, ...] = (READ, SEARCH)
UNREAD = ("node_modules", "__pycache__", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache")
"""Folders that searches pass over: what they hold is made by tools."""
LARGEST_FOLDER = 4 << 20
FOUND_BYTES = 1 << 20
NAMES_BYTES = 32 << 20


class _NotThere(Exception):  # noqa: N818  a result for the model, not an error of ours
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectReader:
    """Is the toolbox that reads the tree of a commit, which the agent knows as the folder `shown_root`."""

    repository: Repository
    commit: Oid
    shown_root: str

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses READ or SEARCH, whose input is known to have their form."""
        try:
            said = await in_thread(self._read if call.name == READ.name else self._search, call)
        except (_NotThere, GitError) as error:
            return ToolResult(tool_use_id=call.id, content=sound_text(str(error)), is_error=True)
        return ToolResult(tool_use_id=call.id, content=sound_text(said))

    def _read(self, call: ToolUse) -> str:
        path = self._inside(call.input["path"])
        (found,) = look_up(self.repository, [f"{self.commit}:{path}"])
        if found is None:
            raise _NotThere(f"There is no file `{path}` in the project. Search for it by a part of its name.")
        if found.kind == "tree":
            return self._listing(found.oid, found.size)
        if found.kind != "blob":
            raise _NotThere("That is a submodule: its files are not part of this repository.")
        if found.size > LARGEST_FILE:
            raise _NotThere(f"The file has {found.size} bytes, too many to read as a whole. Use `search`.")
        content = self.repository.read(self.commit, path) or b""
        if b"\0" in content[:8192]:
            raise _NotThere("That is a binary file.")
        if not content:
            return "The file is empty."
        lines = content.decode(errors="replace").removesuffix("\n").split("\n")
        first = call.input.get("first_line", 1)
        if first > len(lines):
            raise _NotThere(f"The file has only {len(lines)} lines.")
        return numbered(lines, first, min(call.input.get("lines", MOST_READ), MOST_READ))

    def _listing(self, tree: Oid, size: int) -> str:
        if size > LARGEST_FOLDER:
            raise _NotThere("The folder has too many entries to be listed. Search it with `files`.")
        names = sorted(f"{entry.name}/" if entry.is_folder else entry.name for entry in folder(self.repository, tree))
        return "\n".join([*names[:MOST_READ], *([f"[{len(names) - MOST_READ} more]"] if len(names) > MOST_READ else [])])

    def _inside(self, path: str) -> str:
        """The path as git names it; refuses what lies outside of the project."""
        if "\0" in path:
            raise _NotThere("A path cannot contain a null character.")
        relative = posixpath.relpath(path, self.shown_root) if path.startswith("/") else posixpath.normpath(path)
        if relative == ".." or relative.startswith("../"):
            raise _NotThere(f"`{path}` lies outside of the project. You can read what lies below `{self.shown_root}`.")
        return "" if relative == "." else relative

    def _search(self, call: ToolUse) -> str:
        pattern, files = call.input.get("pattern", ""), call.input.get("files", "")
        if "\0" in pattern + files:
            raise _NotThere("A search cannot contain a null character.")
        if not pattern:
            return self._named(files)
        try:
            re.compile(pattern)
        except re.error as error:
            raise _NotThere(f"`{pattern}` is not a regular expression: {error}.") from error
        try:
            found = grep(self.repository, self.commit, pattern, _pathspecs(files), limit_bytes=FOUND_BYTES, timeout=SEARCH_SECONDS)
        except GitTimeout as error:
            raise _NotThere(
                f"The search took longer than {SEARCH_SECONDS:.0f} seconds. Use a simpler pattern, or limit `files`."
            ) from error
        return _shown([f"{match.path}:{match.line}: {match.text.strip()[:LONGEST_LINE]}" for match in found], whole=True)

    def _named(self, files: str) -> str:
        wanted = re.compile(glob_expression(files)) if files else None
        fixed = re.split(r"[*?]", files.removeprefix("./"), maxsplit=1)[0].rpartition("/")[0]
        known, whole = paths(self.repository, self.commit, fixed, limit_bytes=NAMES_BYTES)
        named = [path for path in known if (wanted is None or wanted.fullmatch(path)) and not set(path.split("/")) & set(UNREAD)]
        return _shown(named, whole=whole)


def _pathspecs(files: str) -> Sequence[str]:
    """The same files as `glob_expression` names, for git, in which a bracket is a sign, too."""
    bare = re.sub(r"([\[\\])", r"\\\1", files.removeprefix("./"))
    named = [f":(glob){bare if '/' in bare else f'**/{bare}'}"] if files else []
    return [*named, *(f":(exclude,glob)**/{name}/**" for name in UNREAD)]


def _shown(lines: list[str], *, whole: bool) -> str:
    text = "\n".join(lines[:MOST_LINES])[:MOST_CHARACTERS] or "Nothing was found."
    if len(lines) > MOST_LINES:
        return f"{text}\n[There is more; these are the first {MOST_LINES}. Narrow the search.]"
    return text if whole else f"{text}\n[The project has too many files for all of them to be looked at. Begin `files` with a folder.]"
