"""Task ids exchanged in the graph a tasks document draws: in the JSON of its waves, or at its arrows."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from specthread.spec.changes import exchanged
from specthread.spec.document import Change, Span
from specthread.spec.source import Source
from specthread.spec.waves import ARROW, LABEL, TASK_ID, Waves

NewId = Callable[[str], str]


def wave_changes(source: Source, graph: Waves, new_id: NewId) -> Iterator[Change]:
    """The changes after which the graph names the tasks by their new ids."""
    last = graph.line
    while last < len(source.lines) and source.lines[last].mark == "fence":
        last += 1
    body = "\n".join(line.text for line in source.lines[graph.line : last])
    found = _in_json(body, new_id) if graph.waves else _at_arrows(body, new_id)
    for start, end, text in found:
        above = body.count("\n", 0, start)
        column = start - (body.rfind("\n", 0, start) + 1)
        yield exchanged(Span(graph.line + 1 + above, column, column + end - start), text)


_Found = Iterator[tuple[int, int, str]]
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|-?[0-9][0-9.eE+-]*|[{}\[\]:,]')


def _at_arrows(body: str, new_id: NewId) -> _Found:
    labels = list(LABEL.finditer(body))
    labelled = {label["node"] for label in labels}
    places = {label.span("id") for label in labels}
    for found in ARROW.finditer(body):
        for group in ("one", "other"):
            start, end = found.span(group)
            if found[group] in labelled:
                continue  # the label says which task it is, the node's name is only a name
            prefix = re.search(r"(?:Tasks?[ _]?|T)$", body[:start], re.IGNORECASE)
            if prefix is None:
                places.add((start, end))
                continue
            # A named node is drawn elsewhere too, with its label and its style.
            node = re.escape(prefix[0] + found[group])
            places.update((each.end() - (end - start), each.end()) for each in re.finditer(rf"(?<![\w.]){node}(?![\w.])", body))
    for start, end in sorted(places):
        if (new := new_id(body[start:end])) != body[start:end]:
            yield start, end, new


@dataclass(slots=True)
class _Open:
    """An object or array being read: which one it is, and the key in front of the next value."""

    is_array: bool
    role: str
    key: str = ""


def _in_json(body: str, new_id: NewId) -> _Found:
    """The places where the JSON names a task: an entry of a list of tasks, or the `id` of such an entry."""
    stack: list[_Open] = []
    tokens = list(_TOKEN.finditer(body, max(body.find("{"), 0)))
    for position, token in enumerate(tokens):
        text = token[0]
        inside = stack[-1] if stack else None
        if text in "{[":
            stack.append(_Open(text == "[", _role_in(inside, text)))
        elif text in "}]":
            if stack:
                stack.pop()
            if not stack:
                return
        elif text in ":,":
            continue
        elif inside is not None and not inside.is_array and position + 1 < len(tokens) and tokens[position + 1][0] == ":":
            inside.key = text.strip('"')
        elif inside is not None and inside.role == "tasks" and (inside.is_array or inside.key == "id"):
            yield from _named(token, new_id)


def _role_in(around: _Open | None, opening: str) -> str:
    """What a value that opens here holds: the waves, one wave, tasks (or an entry of them), or nothing of interest."""
    if around is None:
        return "top"
    if around.role == "top" and around.key == "waves":
        return "waves"
    if around.role == "waves" and around.is_array:
        return "tasks" if opening == "[" else "wave"
    if around.role == "wave" and around.key == "tasks":
        return "tasks"
    return "tasks" if around.role == "tasks" and around.is_array else ""


def _named(token: re.Match[str], new_id: NewId) -> _Found:
    text = token[0]
    quoted = text.startswith('"')
    found = TASK_ID.fullmatch(text.strip('"').strip()) if quoted else TASK_ID.fullmatch(str(json.loads(text)))
    new = new_id(found["id"]) if found else ""
    if found is None or new == found["id"]:
        return
    if quoted:
        start = token.start() + text.find(found["id"])
        yield start, start + len(found["id"]), new
    else:
        yield token.start(), token.end(), new if re.fullmatch(r"[1-9][0-9]*(?:\.[0-9]*[1-9])?", new) else f'"{new}"'
