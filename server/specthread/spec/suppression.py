"""Comments that silence the linter: `<!-- specthread-ignore ears/form -->` on the line, on the line above, or for the file with `-file`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specthread.spec.document import Problem, Span
from specthread.spec.rules import RULES, problem_at
from specthread.spec.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comment:
    """One code (or group, or `all`) that a comment names: where it is named, and the line it is about, 0 for the whole file."""

    code: str
    span: Span
    about: int


def suppressed(source: Source, problems: Sequence[Problem]) -> list[Problem]:
    """The problems that no comment of the document silences, and what is wrong with the comments themselves."""
    if b"specthread-ignore" not in source.content:
        return list(problems)
    comments = list(_comments(source))
    about: dict[int, list[_Comment]] = {}
    for comment in comments:
        about.setdefault(comment.about, []).append(comment)
    used: set[Span] = set()
    kept: list[Problem] = []
    for problem in problems:
        silencing = [each for line in (0, problem.line) for each in about.get(line, ()) if _covers(each.code, problem.code)]
        used.update(comment.span for comment in silencing)
        if not silencing:
            kept.append(problem)
    return [*kept, *_wrong(comments, used)]


_COMMENT = re.compile(r"<!--[ \t]*specthread-ignore(?P<file>-file)?(?P<codes>[^\n]*?)-->")
_CODE = re.compile(r"[^\s,]+")


def _comments(source: Source) -> Iterator[_Comment]:
    for index, line in enumerate(source.lines):
        if line.mark == "fence" or "specthread-ignore" not in line.text:
            continue
        for found in _COMMENT.finditer(line.text):
            alone = not (line.text[: found.start()] + line.text[found.end() :]).strip()
            about = 0 if found["file"] else index + 2 if alone else index + 1
            for code in _CODE.finditer(line.text, found.start("codes"), found.end("codes")):
                yield _Comment(code=code[0], span=Span(index + 1, code.start(), code.end()), about=about)


def _covers(named: str, code: str) -> bool:
    return named in {code, "all"} or code.startswith(f"{named.removesuffix('/*')}/")


def _wrong(comments: Sequence[_Comment], used: set[Span]) -> Iterator[Problem]:
    for comment in comments:
        if comment.code != "all" and not any(_covers(comment.code, code) for code in RULES):
            message = f"There is no code “{comment.code}”. Run `specthread check --explain` for the list."
            yield problem_at("suppression/unknown-code", message, comment.span)
        elif comment.span not in used:
            yield problem_at("suppression/unused", f"Nothing here draws “{comment.code}” any more. Take the comment away.", comment.span)
