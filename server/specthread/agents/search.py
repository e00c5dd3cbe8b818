"""Searches the files below a folder, as a program of its own: `search.py ROOT PATTERN FILES`, either of the last two may be empty.

It is a process because a regular expression can take forever and would hold up the whole daemon meanwhile; a process can be killed.
It imports only the standard library and starts in a few hundredths of a second.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MOST_LINES = 200
LONGEST_LINE = 300
LARGEST_FILE = 4 * 1024 * 1024
_SKIPPED = frozenset({".git", "__pycache__", "node_modules", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


def found(root: Path, pattern: str, files: str) -> Iterator[str]:
    """Yields `path:line: text` for each matching line, or paths where the pattern is empty; raises `re.error`."""
    expression = re.compile(pattern) if pattern else None
    wanted = re.compile(glob_expression(files)) if files else None
    for relative, folder in _paths(root):
        if wanted is not None and not wanted.fullmatch(relative):
            continue
        if expression is None:
            yield relative
            continue
        for number, line in enumerate(_lines(relative.rpartition("/")[2], folder), 1):
            if expression.search(line):
                yield f"{relative}:{number}: {line.strip()[:LONGEST_LINE]}"


def glob_expression(glob: str) -> str:
    """Returns a glob as a regular expression: `**` crosses folders, `*` and `?` do not; without a slash it means a name in any folder."""
    glob = glob.removeprefix("./")
    text = "" if "/" in glob else "(?:.*/)?"
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob):
        text += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
    return text


def main() -> int:
    """Prints what was found; exit code 2 and a sentence if the pattern is not a regular expression."""
    root, pattern, files = sys.argv[1:]
    try:
        lines = list(islice(found(Path(root), pattern, files), MOST_LINES + 1))
    except re.error as error:
        sys.stdout.write(f"`{pattern}` is not a regular expression: {error}.")
        return 2
    more = [f"[There is more; these are the first {MOST_LINES}. Narrow the search.]"] if len(lines) > MOST_LINES else []
    sys.stdout.buffer.write("\n".join(lines[:MOST_LINES] + more).encode(errors="replace"))
    return 0


def _paths(root: Path) -> Iterator[tuple[str, int]]:
    """Yields the files below a folder, each with the descriptor of the folder that holds it: what is put in a folder's place meanwhile is not followed."""
    for folder, subfolders, names, descriptor in os.fwalk(root):
        subfolders[:] = sorted(name for name in subfolders if name.casefold() not in _SKIPPED)
        for name in sorted(names):
            if name.casefold() != ".git":
                yield (Path(folder) / name).relative_to(root).as_posix(), descriptor


def _lines(name: str, folder: int) -> list[str]:
    """Returns the lines of a text file; nothing for links, devices, binaries and very large files."""
    try:
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
                return []
            content = file.read()
    except OSError:
        return []
    return [] if b"\0" in content[:8192] else content.decode(errors="replace").split("\n")


if __name__ == "__main__":
    sys.exit(main())
