"""Whether a shell command can fail at all: a check that cannot verifies nothing."""

import re
from collections.abc import Sequence
from typing import Final


def always_succeeds(command: str) -> bool:
    """Whether the command ends with status 0 whatever the code under test does; False where that cannot be told."""
    tokens = tokens_in(command)
    return tokens is not None and _list_succeeds(tokens, 0)


_DEEPEST = 20
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+|(?<!\S)\#[^\n]*)
    |(?P<operator>&&|\|\||\|&|[;&|()\n](?!>))
    |(?P<word>(?>[0-9]{0,9}&?[<>]+&?|'[^']*'|"(?>\\.|[^"\\])*"|\$\((?>[^()]|\([^()]*\))*\)|`[^`]*`|\\.|[^\s;&|()'"`\\<>])+)""",
    re.VERBOSE,
)
_SILENT: Final = frozenset({"true", ":", "echo", "printf", "pwd", "date", "sleep", "whoami", "hostname", "uname", "yes", "set", "export"})
_WRAPPERS: Final = frozenset({"exec", "command", "builtin", "env", "time", "nohup", "nice", "sudo"})
_PYTHON: Final = re.compile(r"python[0-9.]*")
_EMPTY_PYTHON: Final = re.compile(r"\s*(?:pass|print\([^()]*\)|assert True|import sys|(?:sys\.)?exit\((?:0|None)?\)|[\s;])*\s*")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=")
_STRICT: Final = re.compile(r"-[a-z]*e[a-z]*o?|errexit")

_Tokens = list[str]


def tokens_in(command: str) -> list[str] | None:
    """Returns the words and operators of a command line, each operator behind a blank; None where it cannot be read."""
    tokens: _Tokens = []
    position = 0
    while position < len(command):
        found = _TOKEN.match(command, position)
        if found is None:
            return None
        if found.lastgroup == "operator":
            tokens.append(f" {';' if found[0] == chr(10) else found[0]}")  # the blank tells an operator from a quoted word
        elif found.lastgroup == "word":
            tokens.append(found[0])
        position = found.end()
    return tokens


def _list_succeeds(tokens: Sequence[str], depth: int) -> bool:
    """A list has the status of its last part; under `set -e`, or after `exit`, others decide."""
    if depth > _DEEPEST:
        return False
    parts = [part for part in _split(tokens, {" ;", " &"}) if part[0]]
    if not parts:
        return True
    strict = False
    verdict = True
    for part, end in parts:
        succeeds = end == " &" or _chain_succeeds(part, depth)
        verdict = succeeds and (verdict or not strict)
        if part[0] == "exit":
            return part[1:2] == ["0"] and (verdict or not strict)
        strict = strict or (part[0] == "set" and any(_STRICT.fullmatch(word) for word in part[1:]))
    return verdict


def _chain_succeeds(tokens: Sequence[str], depth: int) -> bool:
    verdict = True
    joined = " &&"
    for part, following in _split(tokens, {" &&", " ||"}):
        succeeds = _pipeline_succeeds(part, depth)
        verdict = (verdict and succeeds) if joined == " &&" else (verdict or succeeds)
        joined = following
    return verdict


def _pipeline_succeeds(tokens: Sequence[str], depth: int) -> bool:
    last = _split(tokens, {" |", " |&"})[-1][0]
    if last[:1] == ["!"]:
        return last[1:] == ["false"]
    return _command_succeeds(last, depth)


def _command_succeeds(words: Sequence[str], depth: int) -> bool:
    if len(words) > 1 and (words[0], words[-1]) in {(" (", " )"), ("{", "}")}:
        return _list_succeeds(words[1:-1], depth + 1)
    return bool(words) and _simple_command_succeeds(words, depth)


def _simple_command_succeeds(words: Sequence[str], depth: int) -> bool:
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in _WRAPPERS):
        words = words[1:]
    if not words:
        return True
    name = _unquoted(words[0]).rpartition("/")[2]
    arguments = [_unquoted(word) for word in words[1:]]
    match [name, *arguments]:
        case ["exit" | "return", *status]:
            return status[:1] == ["0"]
        case ["test", *operands] | ["[", *operands, "]"]:
            return _constant_test(operands)
        case [("sh" | "bash" | "dash" | "zsh"), "-c", inner, *_]:
            return (tokens := tokens_in(inner)) is not None and _list_succeeds(tokens, depth + 1)
        case [str(), "-c", code, *_] if _PYTHON.fullmatch(name):
            return _EMPTY_PYTHON.fullmatch(code) is not None
        case _:
            return name in _SILENT


def _constant_test(operands: Sequence[str]) -> bool:
    if any("$" in operand or "`" in operand for operand in operands):
        return False
    match operands:
        case [text] | ["-n", text]:
            return bool(text)
        case ["-z", ""]:
            return True
        case [left, "=" | "==" | "-eq", right]:
            return left == right
        case _:
            return False


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word


def _split(tokens: Sequence[str], operators: set[str]) -> list[tuple[list[str], str]]:
    """The parts between these operators outside brackets, each with the operator behind it (empty for the last)."""
    parts: list[tuple[list[str], str]] = []
    part: list[str] = []
    depth = 0
    for token in tokens:
        depth += (token in {" (", "{"}) - (token in {" )", "}"})
        if depth <= 0 and token in operators:
            parts.append((part, token))
            part = []
        else:
            part.append(token)
    return [*parts, (part, "")]
