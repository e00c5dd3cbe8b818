"""What in a document names a file: entries of `_Files:`, links with a path, and the names of the documents beside it."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import unquote

from specthread.spec.document import DocumentName, Span
from specthread.spec.source import Line
from specthread.views.assist.index import Index


class Link(NamedTuple):
    """A place that names a file, relative to the repository or to the folder of the document; whether the file is there is not known here."""

    span: Span
    path: str
    origin: Literal["repository", "document"]


def links(index: Index, name: DocumentName) -> tuple[Link, ...]:
    """The links of a document, in order and apart from each other."""
    found = list(_files(index)) if name == index.spec.tasks_name else []
    for number, line in enumerate(index.lines(name), 1):
        if not line.hidden and ("](" in line.text or ".md" in line.text):
            found += _in_line(line, number)
    apart: list[Link] = []
    for link in sorted(found, key=lambda each: (each.span.line, each.span.start, -each.span.end)):
        if not apart or link.span.line != apart[-1].span.line or link.span.start >= apart[-1].span.end:
            apart.append(link)
    return tuple(apart)


def _in_line(line: Line, number: int) -> Iterator[Link]:
    for found in _INLINE.finditer(line.text):
        path = unquote(found["path"].partition("#")[0])
        if path and not _ELSEWHERE.match(path):
            yield Link(Span(number, found.start("path"), found.end("path")), path, "document")
    for found in _DOCUMENT.finditer(line.text):
        yield Link(Span(number, *found.span()), found[0], "document")


def _files(index: Index) -> Iterator[Link]:
    for task in index.spec.tasks:
        for meta in task.meta:
            if meta.label == "files":
                for found in _ENTRY.finditer(meta.value):
                    path = found[0].strip("`")
                    at = meta.span.start + found.start() + found[0].find(path)
                    if path and not _ELSEWHERE.match(path):
                        yield Link(Span(meta.span.line, at, at + len(path)), path, "repository")


_INLINE = re.compile(r"\]\(<?(?P<path>[^()<>\s]+)>?(?:[ \t]+\"[^\"]*\")?\)")
_DOCUMENT = re.compile(r"(?<![\w./\\:-])[\w-]+(?:/[\w-]+)*\.md\b(?!\.\w|/)")
_ENTRY = re.compile(r"[^,\s][^,]*?(?=[ \t]*(?:,|$))")
# Neither addresses nor absolute paths: a spec speaks of its own repository.
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\~#]")
