"""What an agent may do unasked, by rules of the person's own: denied, asked about or allowed, the strictest that fits.

A rule names a tool and may name what it is used on: `write(migrations/)`, `shell(git push *)`, `network`. Two names stand for how far something reaches, whatever
the tool: `network`, and `unsandboxed`, which is every command where there is no sandbox. Rules are read from the person's settings alone: what lies in a
worktree is an agent's to write. They are a convenience. What holds an agent is the sandbox; a rule cannot see what a program does once it runs.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

from specthread.spec.code_paths import matches
from specthread.spec.shell_words import EXPANDED, commands_in

Verdict: TypeAlias = Literal["deny", "ask", "allow"]

REACHES: Final = ("network", "unsandboxed")
TOOLS: Final = ("read", "search", "write", "shell", "fetch", "other", "*", *REACHES)
"""What a rule may name: `write` is each way to change files, `fetch` and `other` are for agents with tools of their own, `*` is every tool."""
WRITING: Final = frozenset({"write", "edit", "delete", "move"})

_RULE = re.compile(r"([a-z]+|\*)(?:\((.+)\))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Is one thing an agent wants to do; `what` is the whole of it, in words for the person who is asked, and names it exactly."""

    tool: str
    what: str
    command: str = ""
    path: str = ""
    """Relative to the project's root."""
    others: tuple[str, ...] = ()
    """Further files, where it is about several: the strictest verdict on one is that on all."""
    address: str = ""
    """What is fetched."""
    network: bool = False
    sandboxed: bool = True

    @property
    def reaches(self) -> tuple[str, ...]:
        """How far it reaches beyond a sandbox."""
        return (*(["network"] if self.network else []), *([] if self.sandboxed else ["unsandboxed"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Is what a person settled beforehand; what no rule fits is allowed in the sandbox, and asked about where it reaches further."""

    deny: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def verdict(self, request: Request) -> Verdict:
        """Returns what the rules come to. A command whose text does not tell what it starts is asked about as soon as a rule might fit it."""
        files = [path for path in (request.path, *request.others) if path] or [""]
        found = {self._verdict(replace(request, path=path, others=())) for path in files}
        return "deny" if "deny" in found else "ask" if "ask" in found else "allow"

    def _verdict(self, request: Request) -> Verdict:
        denied = [_fits(rule, request) for rule in self.deny]
        if True in denied:
            return "deny"
        if any(fits is not False for fits in (*denied, *(_fits(rule, request) for rule in self.ask))):
            return "ask"
        if all(_covered(self.allow, name, request) for name in request.reaches or (_kind(request),)):
            return "allow"
        return "ask" if request.reaches else "allow"


def is_rule(text: str) -> bool:
    """Tells whether a text is a rule that can fit anything."""
    found = _RULE.fullmatch(text)
    return found is not None and found[1] in TOOLS


def _parts(rule: str) -> tuple[str, str]:
    found = _RULE.fullmatch(rule)
    return (found[1], found[2] or "") if found else ("", "")


def _kind(request: Request) -> str:
    return "write" if request.tool in WRITING else request.tool


def _fits(rule: str, request: Request) -> bool | None:
    """Tells whether a rule that holds something up fits; None where the command's text does not tell."""
    tool, pattern = _parts(rule)
    if tool not in {"*", _kind(request), *request.reaches}:
        return False
    if not pattern or not request.command:
        return not pattern or _fits_thing(pattern, request)
    commands = commands_in(request.command, hidden=True)
    if commands is None:
        return None
    if _fits_one([pattern], [[word.removesuffix(EXPANDED) for word in words] for words in commands]):
        return True
    return None if any(_may_fit(pattern.split(), words) for words in commands) else False


def _covered(rules: Iterable[str], name: str, request: Request) -> bool:
    """Tells whether rules allow all of a request, as far as `name` is concerned: each program of a command must fit one, as it is written."""
    named = [pattern for tool, pattern in map(_parts, rules) if tool == name or (tool == "*" and name not in REACHES)]
    if not all(named):
        return True
    if not request.command:
        return any(_fits_thing(pattern, request) for pattern in named)
    commands = commands_in(request.command)
    return bool(named and commands) and all(_fits_one(named, [words]) for words in commands or ())


def _fits_thing(pattern: str, request: Request) -> bool:
    if request.address:
        return fnmatchcase(request.address, pattern)
    return matches(request.path, [pattern]) if request.path else fnmatchcase(request.what, pattern)


def _fits_one(patterns: Iterable[str], commands: Iterable[Sequence[str]]) -> bool:
    split = [pattern.split() for pattern in patterns]
    return any(_same(pattern, words) for pattern in split for words in commands)


def _may_fit(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Tells whether words could fit a pattern by what their first one that is not known becomes."""
    known = next((at for at, word in enumerate(words) if EXPANDED in word), None)
    return known is not None and any(_same(pattern[:length], words[:known]) for length in range(len(pattern) + 1))


def _same(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Tells whether words fit a pattern; in it `*` alone stands for any number of them."""
    if not pattern:
        return not words
    if pattern[0] == "*":
        return any(_same(pattern[1:], words[at:]) for at in range(len(words) + 1))
    return bool(words) and fnmatchcase(words[0], pattern[0]) and _same(pattern[1:], words[1:])
