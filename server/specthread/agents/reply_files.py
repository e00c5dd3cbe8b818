"""The files that a model without tools writes into its words: one code block for each, and where each says what it is called.

A name is taken, in this order, from the line that opens the block (`filepath:src/a.py`), from a comment in its first line, from the line above it, or from the files that
are expected in its language; where a reply names no file at all, a block of code gets a name of its own. Blocks of commands, output and differences are no files.
Everything here is pure: what a name may be written to is for the tool that writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_LONGEST: Final = 300
"""Characters of a line in which a name is looked for."""
_FENCE: Final = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_PATH: Final = r"(?:/|\.{1,2}/)?[\w@+.\-\[\]()]+(?:/[\w@+.\-\[\]()]+)*"
_NAMED: Final = re.compile(rf"(?:file[-_ ]?(?:path|name)?|path|title)\s*[:=]\s*[\"'`]?(?P<path>{_PATH})", re.IGNORECASE)
_BESIDE: Final = re.compile(rf"^(?P<language>[\w+#.-]*)(?::|\s+)[\"'`]?(?P<path>{_PATH})[\"'`]?$")
_COMMENT: Final = re.compile(
    rf"^\s*(?://+|\#+|--|;+|%|<!--|/\*+|\(\*|\"\"\")\s*(?:file(?:path|name)?\s*:\s*)?(?P<path>{_PATH})\s*(?:-->|\*+/|\*\)|\"\"\")?\s*$", re.IGNORECASE
)  # fmt: skip
_ABOVE: Final = re.compile(
    rf"^[#>*\-\s\d.]*(?:file|create|update|new file|in)?\s*:?\s*[*`\"'_]*(?P<path>{_PATH})[*`\"'_]*\s*(?:\([^)]*\))?\s*:?\s*[*_]*$", re.IGNORECASE
)  # fmt: skip
_ENDINGS: Final = {
    "python": "py", "py": "py", "typescript": "ts", "ts": "ts", "tsx": "tsx", "javascript": "js", "js": "js", "jsx": "jsx", "java": "java", "kotlin": "kt",
    "go": "go", "golang": "go", "rust": "rs", "rs": "rs", "ruby": "rb", "rb": "rb", "php": "php", "c": "c", "cpp": "cpp", "c++": "cpp", "csharp": "cs",
    "cs": "cs", "c#": "cs", "swift": "swift", "scala": "scala", "sql": "sql", "html": "html", "css": "css", "scss": "scss", "vue": "vue", "svelte": "svelte",
    "json": "json", "yaml": "yaml", "yml": "yml", "toml": "toml", "xml": "xml", "markdown": "md", "md": "md", "dart": "dart", "elixir": "ex", "haskell": "hs",
    "lua": "lua", "perl": "pl", "r": "r", "proto": "proto", "graphql": "graphql",
}  # fmt: skip
_NAMELESS: Final = frozenset({"makefile", "dockerfile"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFile:
    """Is a file that a reply holds whole; `is_guessed` where nobody named it."""

    path: str
    text: str
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Is one code block: what its first line says, its lines, and the last words above it; `is_whole` where it was closed."""

    info: str
    lines: tuple[str, ...]
    above: str
    is_whole: bool = True


def files_in(text: str, expected: Sequence[str] = ()) -> tuple[ReplyFile, ...]:
    """Returns the files of a reply; of two with one name the later counts. A block that was not closed was cut, and is none."""
    found: dict[str, ReplyFile] = {}
    for block in blocks_in(text):
        if block.is_whole and (file := _file(block, [path for path in expected if path not in found], len(found))):
            found[file.path] = file
    # Beside files with names, a block without one is an example.
    named = [file for file in found.values() if not file.is_guessed or file.path in expected]
    return tuple(named or found.values())


def blocks_in(text: str) -> Iterator[Block]:
    """Yields the code blocks of a reply; one inside another, as documents have them, belongs to its text."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    at, above = 0, ""
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if not opening:
            above = lines[at].strip() or above
            at += 1
            continue
        end = _closing(lines, at + 1, opening["fence"])
        within = tuple(_outdented(line, len(opening["indent"])) for line in lines[at + 1 : end])
        yield Block(opening["info"].strip()[:_LONGEST], within, above, is_whole=end < len(lines))
        at, above = end + 1, ""


def _outdented(line: str, indent: int) -> str:
    """Returns a line of a block that stands in a list, as far to the left as its fence would be."""
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _closing(lines: Sequence[str], start: int, fence: str) -> int:
    """Returns the line that closes a block, or how many there are where none does."""
    depth = 0
    for number in range(start, len(lines)):
        mark = _FENCE.match(lines[number])
        if not mark or mark["fence"][0] != fence[0] or len(mark["fence"]) < len(fence):
            continue
        if mark["info"].strip():
            depth += 1
        elif depth:
            depth -= 1
        else:
            return number
    return len(lines)


def _file(block: Block, expected: Sequence[str], number: int) -> ReplyFile | None:
    language, named = _opening_line(block.info)
    lines = block.lines
    if not named and lines and (comment := _path(_COMMENT, lines[0])):
        named, lines = comment, lines[1:]
    named = named or _path(_ABOVE, block.above)
    text = "\n".join(lines) + "\n" if lines else ""
    if named:
        return ReplyFile(path=named, text=text)
    ending = _ENDINGS.get(language)
    if language not in _NAMELESS and not ending:
        return None
    guess = _of_language(expected, ending) or (language.capitalize() if language in _NAMELESS else f"generated_{number + 1}.{ending}")
    return ReplyFile(path=guess, text=text, is_guessed=True)


def _opening_line(info: str) -> tuple[str, str]:
    """Returns the language and the path that the opening line of a block names, each perhaps empty."""
    if found := _NAMED.search(info):
        return info[: found.start()].strip(" {:,").lower(), found["path"]
    beside = _BESIDE.match(info)
    if beside and _is_path(beside["path"]):
        return beside["language"].lower(), beside["path"]
    word = info.partition(" ")[0]
    return ("", word) if "/" in word and _is_path(word) else (word.lower(), "")


def _path(form: re.Pattern[str], line: str) -> str:
    found = form.match(line) if len(line) <= _LONGEST else None
    return found["path"] if found and _is_path(found["path"]) else ""


def _is_path(text: str) -> bool:
    """Tells a path from any other word: it ends in a name with an ending, or is one that files have without."""
    name = text.rpartition("/")[2]
    return bool(re.search(r"[\w\])]\.[A-Za-z]\w{0,9}$", name)) or name.lower() in _NAMELESS or bool(re.fullmatch(r"\.[a-z]\w+", name))


def _of_language(expected: Sequence[str], ending: str | None) -> str:
    return next((path for path in expected if ending and path.endswith(f".{ending}")), "")
