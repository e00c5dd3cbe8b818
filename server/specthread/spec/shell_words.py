"""Which programs a shell command line runs, as far as its text tells."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from specthread.spec.shell import tokens_in

Words = tuple[str, ...]

_DEEPEST: Final = 8
_QUOTED: Final = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|([^'"\\]+)""", re.DOTALL)
_REDIRECTION: Final = re.compile(r"[0-9]*&?[<>]+&?")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_RESERVED: Final = frozenset({"if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "time"})
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_STARTERS: Final = frozenset({
    "exec", "command", "builtin", "env", "nohup", "nice", "sudo", "doas", "xargs", "timeout", "setsid", "stdbuf", "find", "watch",
})  # fmt: skip
"""Programs that start another one, which they are given."""

EXPANDED: Final = "\0"
"""Ends a word that stands for others, of which the text does not tell what they are: `$x`, `*.py`."""
_EXPANDS: Final = re.compile(r"[$`*?]|\[[^\]\[]|\{[^}]*[,.]")
_EXPANDS_QUOTED: Final = re.compile(r"[$`]")
_UNREAD: Final = re.compile(r"\$'|[<>]|\$\{(?!\w+\})")
_UNREAD_QUOTED: Final = re.compile(r"\$\{(?!\w+\})")
"""What is not read here, and may hide how a line goes on: `$'\\''`, `{name}>file`, `${ command; }`, `${x#'"'}`."""


def commands_in(command: str, *, hidden: bool = False) -> tuple[Words, ...] | None:
    """Returns the words of each program that a command line starts, as written; None where its text does not tell. A file it writes is told as `> file`.

    With `hidden` those are added that a program is given to start: `git push` of `env X=1 /usr/bin/git push` and of `bash -c "git push"`; words of which the
    text does not tell what they become end with `EXPANDED`. A program that does the same by its own means is not seen, so this is for convenience and no
    protection.
    """
    try:
        return tuple(_commands(command, hidden, 0))
    except _Unclear:
        return None


class _Unclear(Exception):  # noqa: N818  the text does not tell
    pass


def _commands(command: str, hidden: bool, depth: int) -> Iterator[Words]:  # noqa: FBT001  private
    tokens = tokens_in(command)
    if tokens is None or depth > _DEEPEST:
        raise _Unclear
    part: list[str] = []
    for token in (*tokens, " ;"):
        if not token.startswith(" "):  # the blank tells an operator from a quoted word
            part.append(token)
            yield from _inside(token, hidden, depth)
        elif part:
            yield from _simple(part, hidden, depth)
            part = []


def _inside(token: str, hidden: bool, depth: int) -> Iterator[Words]:  # noqa: FBT001  private
    """Yields the commands that a word is made of: those in `$(…)`, `<(…)` and between backquotes, where no single quotes keep them from running."""
    redirection = _REDIRECTION.match(token)
    at, quoted = redirection.end() if redirection else 0, False
    while at < len(token):
        if (_UNREAD_QUOTED if quoted else _UNREAD).match(token, at):
            raise _Unclear
        if token[at] == "\\":
            at += 1
        elif token[at] == '"':
            quoted = not quoted
        elif token[at] == "'" and not quoted:
            at = token.find("'", at + 1)
        elif token[at] == "`" or token.startswith(("$(",) if quoted else ("$(", "<(", ">("), at):
            first = at + 1 + (token[at] != "`")
            at = token.find("`", first) if token[at] == "`" else _closing(token, first)
            if at < 0:
                raise _Unclear
            yield from _commands(token[first:at], hidden, depth + 1)
        at += 1


def _closing(token: str, first: int) -> int:
    deep = 1
    for at in range(first, len(token)):
        deep += (token[at] == "(") - (token[at] == ")")
        if deep == 0:
            return at
    return -1


def _simple(part: Sequence[str], hidden: bool, depth: int) -> Iterator[Words]:  # noqa: FBT001  private
    tokens, written = _redirected(part)
    yield from ((">", _unquoted(file)) for file in written)
    while tokens and tokens[0] in _RESERVED:
        del tokens[0]
    if not tokens:
        return
    words = tuple(f"{_unquoted(token)}{EXPANDED if hidden and _expands(token) else ''}" for token in tokens)
    yield words
    at = next((place for place, token in enumerate(tokens) if not _ASSIGNMENT.match(token)), len(tokens))
    if at == len(tokens):
        return
    if "$" in tokens[at] or "`" in tokens[at]:
        raise _Unclear
    if hidden:
        yield from _started(words[at:], depth)


def _started(words: Words, depth: int) -> Iterator[Words]:
    """Yields a command under the bare name of its program, and what that is given to start."""
    name = words[0].rpartition("/")[2]
    yield (name, *words[1:])
    if name == "eval":
        yield from _written(" ".join(words[1:]), depth)
    elif name in _SHELLS:
        for option, text in pairwise(words):
            if option.startswith("-") and "c" in option:
                yield from _written(text, depth)
    elif name in _STARTERS:
        for at in range(1, len(words)):
            if not words[at].startswith("-"):
                yield from _started(words[at:], depth + 1) if depth < _DEEPEST else ()


def _written(text: str, depth: int) -> Iterator[Words]:
    """Yields the commands of a text that a program is given; where a part of it is not known, also one of which nothing is."""
    if EXPANDED in text:
        yield (EXPANDED,)
    yield from _commands(text.replace(EXPANDED, ""), True, depth + 1)


def _expands(token: str) -> bool:
    return any(
        _EXPANDS_QUOTED.search(re.sub(r"\\.", "", double)) or _EXPANDS.search(plain) for _, double, _, plain in _QUOTED.findall(token)
    )


def _redirected(part: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns a command without its redirections, and the files that these write."""
    words: list[str] = []
    written: list[str] = []
    tokens = iter(part)
    for token in tokens:
        found = _REDIRECTION.match(token)
        if found is None:
            words.append(token)
            continue
        file = token[found.end() :] or next(tokens, "")
        if ">" in found[0] and not (found[0].endswith("&") and file.isdigit()) and file != "/dev/null":
            written.append(file)
    return words, written


def _unquoted(token: str) -> str:
    return "".join(single or double or escaped or plain for single, double, escaped, plain in _QUOTED.findall(token))
